//! Facts without secrets: names, keys and messages are made of what workflows say, and that
//! may hold one.

use serde_json::Value;

use super::mask::Masker;
use crate::event::EventKind;

/// Fields whose values are lrun's own words, never a workflow's.
const OWN_WORDS: [&str; 9] = [
    "event",
    "phase",
    "result",
    "reason",
    "kind",
    "effect",
    "outcome",
    "conclusion",
    "line",
];

/// The fact with every secret in it hidden.
pub(super) fn masked(kind: EventKind, masker: &Masker) -> EventKind {
    if masker.is_empty() {
        return kind;
    }
    let Ok(mut value) = serde_json::to_value(&kind) else {
        return kind;
    };
    mask_texts(&mut value, masker);
    // Texts become texts, so what was read back is the same fact.
    serde_json::from_value(value).unwrap_or(kind)
}

fn mask_texts(value: &mut Value, masker: &Masker) {
    match value {
        Value::String(text) => *text = masker.mask(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_texts(item, masker)),
        Value::Object(members) => {
            for (name, member) in members {
                if !OWN_WORDS.contains(&name.as_str()) {
                    mask_texts(member, masker);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{JobKey, Phase, StepKey};

    #[test]
    fn secrets_in_names_are_hidden_and_the_rest_stays() {
        let mut masker = Masker::default();
        masker.add(["hunter2", "main"]);
        let started = |name: &str| EventKind::StepStarted {
            step: StepKey {
                job: JobKey::new("build", 0),
                index: 0,
                phase: Phase::Main,
            },
            name: name.to_owned(),
            named: false,
        };
        // A secret that is one of lrun's words does not keep the fact from being read back.
        let hidden = masked(started("Run echo hunter2"), &masker);
        let EventKind::StepStarted { name, .. } = hidden else {
            panic!("{hidden:?}");
        };
        assert_eq!(name, "Run echo ***");
    }
}
