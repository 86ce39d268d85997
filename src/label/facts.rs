//! The facts themselves, and which label means which of them.

use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use serde::Deserialize;

/// The facts of one image, as `runner-images/LABEL.json` has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Facts {
    /// `ImageOS`, such as `ubuntu24`.
    pub image_os: String,
    /// `ImageVersion`, such as `20260816.277.1`.
    pub image_version: String,
    /// The system's own version, such as `24.04.4 LTS`.
    pub os_version: String,
    /// `/etc/environment` in its order; `JAVA_HOME_*` have a version for a value.
    pub environment: IndexMap<String, String>,
    /// The directories of PATH in their order.
    pub path: Vec<String>,
    /// Tools by GitHub's name of them, with one or several versions.
    pub tools: IndexMap<String, String>,
    /// Versions in the tool cache, by the tool's name.
    pub tool_cache: IndexMap<String, Vec<String>>,
    /// Packages on top of Ubuntu's server image, with their versions.
    pub apt_packages: IndexMap<String, String>,
    /// Commands and the entry of `tools` that each is.
    pub commands: IndexMap<String, String>,
    /// Commands whose major.minor may decide between green and red.
    pub version_matters: Vec<String>,
    /// Resource limits of a job's processes.
    pub limits: Limits,
    /// Directories anyone may write to on the image.
    pub world_writable: Vec<String>,
}

/// Resource limits of a job's processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limits {
    /// Open files.
    pub nofile: u64,
}

/// The processor a label stands for; shown as `runner.arch` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// x86_64
    X64,
    /// aarch64
    Arm64,
}

impl Architecture {
    /// The architecture this program was built for; none when no hosted Linux label has it.
    pub fn here() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::X64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// GitHub's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X64 => "X64",
            Self::Arm64 => "ARM64",
        }
    }
}

/// A hosted label of a Linux runner.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// The label without `latest`, such as `ubuntu-24.04` or `ubuntu-24.04-arm`.
    pub name: String,
    /// Its processor.
    pub architecture: Architecture,
    /// What its image is. For Arm labels those of the x86_64 image, whose build scripts they
    /// share: which tools there are is right but for rare cases, versions are not known.
    pub facts: Arc<Facts>,
}

/// The facts of a label cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("facts of label '{name}' are not as runner-images/ has them: {source}")]
pub struct LabelError {
    /// The label.
    pub name: String,
    /// What is wrong with the JSON.
    pub source: serde_json::Error,
}

/// What `ubuntu-latest` means (runner-images README, 2026-11).
const LATEST: &str = "ubuntu-24.04";

const IMAGES: [(&str, &str); 3] = [
    (
        "ubuntu-22.04",
        include_str!("../../runner-images/ubuntu-22.04.json"),
    ),
    (
        "ubuntu-24.04",
        include_str!("../../runner-images/ubuntu-24.04.json"),
    ),
    (
        "ubuntu-26.04",
        include_str!("../../runner-images/ubuntu-26.04.json"),
    ),
];

/// The same, each read once: every leg of a matrix asks for its label.
static READ: [OnceLock<Option<Arc<Facts>>>; IMAGES.len()] =
    [const { OnceLock::new() }; IMAGES.len()];

impl Label {
    /// The hosted Linux label of that name in any letter case; none for every other label.
    pub fn find(label: &str) -> Option<Self> {
        let label = label.to_ascii_lowercase();
        let name = if label == "ubuntu-latest" {
            LATEST
        } else {
            &label
        };
        let (image, architecture) = match name.strip_suffix("-arm") {
            Some(image) => (image, Architecture::Arm64),
            None => (name, Architecture::X64),
        };
        let index = IMAGES.iter().position(|(known, _)| *known == image)?;
        // The embedded files are read by a test of this module, so this cannot fail.
        let read = || Some(Self::from_json(name, IMAGES[index].1).ok()?.facts);
        Some(Self {
            name: name.to_owned(),
            architecture,
            facts: READ[index].get_or_init(read).clone()?,
        })
    }

    /// A label for x86_64 whose facts are `json`, in the form of `runner-images/*.json`.
    pub fn from_json(name: &str, json: &str) -> Result<Self, LabelError> {
        let facts = serde_json::from_str(json).map_err(|source| LabelError {
            name: name.to_owned(),
            source,
        })?;
        Ok(Self {
            name: name.to_owned(),
            architecture: Architecture::X64,
            facts: Arc::new(facts),
        })
    }

    /// The labels that [`Label::find`] knows, `ubuntu-latest` first.
    pub fn known() -> Vec<String> {
        let mut names = vec!["ubuntu-latest".to_owned()];
        for (name, _) in IMAGES {
            names.push(name.to_owned());
            names.push(format!("{name}-arm"));
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_label_is_found() {
        for name in Label::known() {
            let label = Label::find(&name).unwrap_or_else(|| panic!("{name} is not found"));
            assert_eq!(label.facts.limits.nofile, 65536);
            assert!(!label.facts.version_matters.is_empty());
        }
    }

    #[test]
    fn latest_is_the_newest_in_general_use() {
        let latest = Label::find("Ubuntu-Latest").expect("a known label");
        assert_eq!(latest.name, "ubuntu-24.04");
        assert_eq!(latest.facts.image_os, "ubuntu24");
    }

    #[test]
    fn arm_labels_have_their_own_name_and_processor() {
        let label = Label::find("ubuntu-24.04-arm").expect("a known label");
        assert_eq!(label.name, "ubuntu-24.04-arm");
        assert_eq!(label.architecture.as_str(), "ARM64");
    }

    #[test]
    fn other_labels_are_not_found() {
        for name in ["self-hosted", "windows-latest", "ubuntu-20.04", "-arm", ""] {
            assert_eq!(Label::find(name), None, "{name}");
        }
    }

    #[test]
    fn facts_that_lack_an_entry_are_refused_by_name() {
        let error = Label::from_json("mine", "{}").expect_err("no facts");
        assert!(error.to_string().contains("label 'mine'"));
        assert!(error.to_string().contains("image_os"));
    }
}
