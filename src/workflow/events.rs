//! The events there are, as GitHub's schema names them.

use super::hint;
use super::schema::{Schema, Shape};

/// A name that is no event's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no event '{name}'{}", .help.as_ref().map(|help| format!(": {help}")).unwrap_or_default())]
pub struct UnknownEvent {
    /// The name.
    pub name: String,
    /// What may be meant.
    pub help: Option<String>,
}

/// That a name is one of an event.
///
/// # Errors
/// When a workflow with that name under `on:` would not be valid.
pub fn known_event(name: &str) -> Result<(), UnknownEvent> {
    let schema = Schema::workflow();
    let shapes = schema.shapes(schema.get("on-mapping-strict"));
    let events: Vec<&str> = shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Mapping(rule) => Some(rule.properties.keys().copied()),
            _ => None,
        })
        .flatten()
        .collect();
    match events.contains(&name) {
        true => Ok(()),
        false => Err(UnknownEvent {
            name: name.to_owned(),
            help: hint::meant(name, events),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_those_of_the_schema() {
        for event in ["push", "workflow_call", "schedule", "merge_group"] {
            assert_eq!(known_event(event), Ok(()));
        }
        let error = |name| known_event(name).map_err(|error| error.to_string());
        assert_eq!(
            error("psuh"),
            Err("there is no event 'psuh': did you mean 'push'?".to_owned())
        );
        assert_eq!(
            error("nothing_like_it"),
            Err("there is no event 'nothing_like_it'".to_owned())
        );
    }
}
