//! From the labels of `runs-on` to a place.

use std::sync::Arc;

use crate::label::{Architecture, Label};

/// Where a leg runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Placement {
    /// In a place of this machine that stands in for the label.
    Here {
        /// The hosted label.
        label: Arc<Label>,
    },
    /// Not on this machine.
    Elsewhere {
        /// Why, and what would run it.
        obstacle: String,
    },
}

impl Placement {
    /// The place for a job with these labels. All must be a hosted ubuntu image's: a runner
    /// with others is one's own, and nothing is known of it.
    pub fn for_labels(labels: &[String]) -> Self {
        let hosted: Option<Vec<Label>> = labels.iter().map(|label| Label::find(label)).collect();
        match hosted.and_then(|labels| labels.into_iter().next()) {
            Some(label) if Some(label.architecture) == Architecture::here() => Self::Here {
                label: Arc::new(label),
            },
            Some(label) => Self::Elsewhere {
                obstacle: format!(
                    "{} has a processor of another kind ({})",
                    label.name,
                    label.architecture.as_str()
                ),
            },
            None => Self::Elsewhere {
                obstacle: obstacle(&labels.join(", ")),
            },
        }
    }

    /// Whether it runs on this machine.
    pub fn runs_here(&self) -> bool {
        matches!(self, Self::Here { .. })
    }
}

fn obstacle(labels: &str) -> String {
    if labels.is_empty() {
        return "'runs-on' gives no label".to_owned();
    }
    let lower = labels.to_ascii_lowercase();
    if lower.contains("windows") || lower.contains("macos") {
        format!("{labels} is another operating system")
    } else {
        format!("nothing is known of the label {labels}; hosted ubuntu labels run here")
    }
}
