//! Facts without secrets: names, keys and messages are made of what workflows say, and that
//! may hold one.

use serde_json::Value;

use super::mask::Masker;
use crate::event::EventKind;

/// Fields whose values are lrun's own words, never a workflow's.
const OWN_WORDS: [&str; 16] = [
    "event",
    "phase",
    "result",
    "reason",
    "kind",
    "effect",
    "outcome",
    "conclusion",
    "line",
    "status",
    "bearing",
    "change",
    "version",
    "digest",
    "before",
    "after",
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
                // A fact below such a name has words of others again.
                if !(member.is_string() && OWN_WORDS.contains(&name.as_str())) {
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
    use crate::digest::Digest;
    use crate::ids::{JobKey, Phase, RunId, StepKey};
    use crate::lookup::{Attempt, CacheRequest, KeyOrigin, Lookup, MissReason, NotSaved};

    #[test]
    fn secrets_in_names_are_hidden_and_the_rest_stays() {
        let masker = Masker::default();
        masker.add(["hunter2", "main"]);
        let started = |name: &str| EventKind::StepStarted {
            step: StepKey {
                job: JobKey::new("build", 0),
                within: Vec::new(),
                index: 0,
                phase: Phase::Main,
            },
            name: name.to_owned(),
            named: false,
            id: None,
        };
        // A secret that is one of lrun's words does not keep the fact from being read back.
        let hidden = masked(started("Run echo hunter2"), &masker);
        let EventKind::StepStarted { name, .. } = hidden else {
            panic!("{hidden:?}");
        };
        assert_eq!(name, "Run echo ***");
    }

    #[test]
    fn secrets_below_lrun_s_own_words_are_hidden_too() {
        let masker = Masker::default();
        // The second is a part of a digest: the fact could not be read back without it.
        let version = Digest::of("version");
        masker.add(["hunter2", &version.to_string()[..4]]);
        let attempt = Attempt {
            run: RunId(1),
            key: "k".to_owned(),
            why: NotSaved::Invalid {
                message: "hunter2".to_owned(),
            },
        };
        let looked_up = EventKind::CacheLookedUp {
            step: StepKey {
                job: JobKey::new("build", 0),
                within: Vec::new(),
                index: 0,
                phase: Phase::Main,
            },
            request: CacheRequest {
                key: "k-hunter2".to_owned(),
                restore_keys: Vec::new(),
                paths: vec!["data".to_owned()],
                version,
            },
            origin: KeyOrigin::default(),
            lookup: Lookup::Miss {
                reasons: vec![MissReason::NeverSaved {
                    attempt: Some(attempt),
                }],
            },
        };
        let hidden = masked(looked_up, &masker);
        let text = serde_json::to_string(&hidden).expect("it is JSON");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains(&version.to_string()), "{text}");
    }
}
