//! What a job takes when its caches miss: remembered of every job that ran so, and set beside
//! what a like job takes that restored something.
//!
//! A cold time to compare with "has the same job, place, image, producer's inputs and
//! concurrency, or no saving is printed". In what lrun knows that means:
//!
//! - *Cold* is a job that succeeded, each step that ran included, and all of whose lookups, one at
//!   the least, found nothing. A miss by damage or without permission is none: something else was
//!   wrong there.
//! - *Same job*: of one repository and event, of one workflow down to its last byte, with one
//!   matrix and the same inputs, variables and environment given. A workflow's text has all that
//!   is written of the job and of its steps.
//! - *Same place and image*: one machine, one place, one network, the same labels.
//! - *Same concurrency*: `--jobs` is the same, and the same jobs were chosen where it lets several
//!   run at once. What other programs did to the machine is not known.
//! - *Same producer's inputs*: a producer is a step that makes what is cached. What it reads the
//!   workflow says by its keys; so every lookup asks for the same paths, by keys whose parts,
//!   hashed files too, have the same values. The value of a part that no two runs can share
//!   ([`Bearing::Run`]) does not count. What no key names is not known to be read, so clean
//!   commits may differ; a working tree with changes that are not committed must be the very same.
//! - A *step* is compared with the step in its place that ran the same script, evaluated, with the
//!   same shell, directory and environment, after the same lookups. A job is compared as a whole:
//!   what a hit let it skip counts.

use std::sync::Arc;

use serde_json::json;

use super::effects::Effects;
use super::job::LegSpec;
use super::place::{NetworkAccess, PlaceSettings};
use super::run::Run;
use crate::difference::Site;
use crate::digest::Digest;
use crate::event::EventKind;
use crate::ids::{JobKey, StepKey};
use crate::lookup::{Bearing, CacheRequest, KeyOrigin, KeyPart, Lookup, MissReason};
use crate::outcome::Outcome;
use crate::store::{ColdJob, ColdStep, Store};

/// A lookup, as far as it matters here.
#[derive(Debug)]
pub(super) struct Looked {
    asked: Digest,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Something,
    Nothing,
    /// Nothing, but not for want of an entry.
    Trouble,
}

impl Looked {
    /// What a step asked for and found.
    pub(super) fn new(
        step: &str,
        request: &CacheRequest,
        origin: &KeyOrigin,
        lookup: &Lookup,
    ) -> Self {
        // Of what is never the same again the hashed files still are what a producer read.
        let shared = |part: &KeyPart| part.bearing != Some(Bearing::Run);
        let parts = origin.parts.iter().map(|part| {
            let value = shared(part).then_some(&part.value);
            (&part.expression, value, &part.files)
        });
        let parts: Vec<_> = parts.collect();
        let is_trouble = |reason: &MissReason| {
            matches!(
                reason,
                MissReason::NotPermitted { .. }
                    | MissReason::NotRestored { .. }
                    | MissReason::Damaged { .. }
            )
        };
        Self {
            asked: digest(&json!([step, request.version, parts])),
            found: match lookup {
                Lookup::Hit { .. } | Lookup::Partial { .. } => Found::Something,
                Lookup::Miss { reasons } if reasons.iter().any(is_trouble) => Found::Trouble,
                Lookup::Miss { .. } => Found::Nothing,
            },
        }
    }
}

/// What of a place times depend on.
fn place(settings: &PlaceSettings) -> serde_json::Value {
    let network = match settings.network {
        NetworkAccess::Host => "host",
        NetworkAccess::None => "none",
    };
    json!([settings.name, settings.machine, network])
}

/// What of a leg there is to remember or to compare.
#[derive(Debug)]
pub(super) struct Cold {
    likeness: Digest,
    lookups: Vec<Looked>,
    steps: Vec<ColdStep>,
    failed: bool,
    /// Jobs like it that ran cold, once they are asked for.
    known: Option<Vec<ColdJob>>,
}

impl Cold {
    /// Of a leg about to run.
    pub(super) fn new(run: &Run, spec: &LegSpec) -> Self {
        let leg = &spec.leg;
        let content = run.content.is_dirty().then_some(&run.github.sha);
        let secrets: Vec<_> = spec.of.secrets.keys().collect();
        let likeness = json!({
            "repository": run.github.identity.repository(),
            "event": run.github.event_name,
            "workflow": [&spec.of.workflow.source.path, &spec.of.workflow.source.text],
            "job": leg.key.id,
            "matrix": leg.matrix.to_json(),
            "needs": spec.needs.to_json(),
            "given": [
                spec.of.inputs.to_json(),
                run.given.vars.to_json(),
                json!(run.given.environments.values().map(|one| &one.vars).collect::<Vec<_>>()),
                json!(run.given.env),
                json!(secrets),
            ],
            "place": place(&run.place),
            "labels": leg.labels,
            "concurrency": &*spec.concurrency,
            "content": content,
        });
        Self {
            likeness: digest(&likeness),
            lookups: Vec::new(),
            steps: Vec::new(),
            failed: false,
            known: None,
        }
    }

    /// Steps run beside each other: what they take is comparable no more.
    pub(super) fn give_up(&mut self) {
        self.failed = true;
    }

    /// Takes in a step that ran, and sets what it took beside what it took cold.
    pub(super) async fn step_ended(
        &mut self,
        run: &Arc<Run>,
        key: &StepKey,
        effects: &mut Effects,
        wall_us: u64,
    ) -> Option<EventKind> {
        self.lookups.append(&mut effects.looked);
        if effects.outcome != Outcome::Success {
            self.failed = true;
            return None;
        }
        let step = ColdStep {
            index: key.index,
            lookups: self.lookups.len(),
            work: effects.work?,
            wall_us,
        };
        let asked = self.asked();
        let like = |other: &&ColdStep| {
            (other.index, other.lookups, other.work) == (step.index, step.lookups, step.work)
        };
        let found = match self.restored() {
            true => self.known(run).await.iter().find_map(|job| {
                let step = job.steps.iter().find(like)?;
                let same = job.lookups.starts_with(&asked);
                same.then_some((job.run, step.wall_us))
            }),
            false => None,
        };
        self.steps.push(step);
        found.map(|(run, cold_us)| EventKind::Compared {
            site: Site::Step(key.clone()),
            run,
            cold_us,
        })
    }

    /// Takes in how the job ended: remembers it if it was cold, and sets what it took beside what
    /// it took cold if it was not.
    pub(super) async fn job_ended(
        mut self,
        run: &Arc<Run>,
        key: &JobKey,
        outcome: Outcome,
        wall_us: u64,
    ) -> Option<EventKind> {
        if self.failed || outcome != Outcome::Success || self.lookups.is_empty() {
            return None;
        }
        let asked = self.asked();
        if self.restored() {
            let known = self.known(run).await;
            let cold = known.iter().find(|job| job.lookups == asked)?;
            return Some(EventKind::Compared {
                site: Site::Job(key.clone()),
                run: cold.run,
                cold_us: cold.wall_us,
            });
        }
        if self.lookups.iter().all(|l| l.found == Found::Nothing) {
            let job = ColdJob {
                run: run.id,
                lookups: asked,
                steps: self.steps,
                wall_us,
            };
            let likeness = self.likeness;
            in_store(run, move |store| store.remember_cold(likeness, &job).ok()).await;
        }
        None
    }

    fn asked(&self) -> Vec<Digest> {
        self.lookups.iter().map(|lookup| lookup.asked).collect()
    }

    /// Whether anything was restored so far.
    fn restored(&self) -> bool {
        self.lookups.iter().any(|l| l.found == Found::Something)
    }

    async fn known(&mut self, run: &Arc<Run>) -> &[ColdJob] {
        if self.known.is_none() {
            let likeness = self.likeness;
            let known = in_store(run, move |store| store.cold_jobs(likeness).ok()).await;
            self.known = Some(known.unwrap_or_default());
        }
        self.known.as_deref().unwrap_or_default()
    }
}

/// Asks the store. Where it cannot answer there is nothing to compare with; what needs the store
/// more says what is wrong with it.
async fn in_store<T: Send + 'static>(
    run: &Arc<Run>,
    work: impl FnOnce(&Store) -> Option<T> + Send + 'static,
) -> Option<T> {
    let store = run.store.clone();
    let done = tokio::task::spawn_blocking(move || work(&store)).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn digest(value: &serde_json::Value) -> Digest {
    Digest::of(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::{Compression, HashedFile, version};

    const NEVER_SAVED: MissReason = MissReason::NeverSaved { attempt: None };

    fn looked(parts: Vec<KeyPart>, reason: MissReason) -> Looked {
        let paths = vec!["made".to_owned()];
        let request = CacheRequest {
            key: parts.iter().map(|part| part.value.as_str()).collect(),
            restore_keys: Vec::new(),
            version: version(&paths, Compression::Zstd),
            paths,
        };
        let origin = KeyOrigin { parts };
        let reasons = vec![reason];
        Looked::new("cache", &request, &origin, &Lookup::Miss { reasons })
    }

    fn part(value: &str, bearing: Bearing, files: &[&str]) -> KeyPart {
        let file = |content: &&str| HashedFile {
            path: "lock".to_owned(),
            digest: Digest::of(content),
        };
        KeyPart {
            made: Vec::new(),
            expression: Some("an expression".to_owned()),
            value: value.to_owned(),
            bearing: Some(bearing),
            hosted: None,
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn lookups_are_like_by_the_parts_of_their_keys_that_two_runs_can_share() {
        let asked = |one, two| looked(vec![one, two], NEVER_SAVED).asked;
        let lock = |value| part(value, Bearing::Portable, &[]);
        let run = |value, file| part(value, Bearing::Run, &[file]);
        let first = asked(lock("41fe"), run("1", "a"));
        assert_eq!(first, asked(lock("41fe"), run("2", "a")));
        assert_ne!(first, asked(lock("9f3c"), run("1", "a")));
        assert_ne!(first, asked(lock("41fe"), run("2", "b")));
    }

    #[test]
    fn a_miss_by_trouble_is_not_cold() {
        let found = |reason| looked(Vec::new(), reason).found;
        assert_eq!(found(NEVER_SAVED), Found::Nothing);
        let problem = "a blob is gone".to_owned();
        let damaged = MissReason::Damaged { problem, run: None };
        assert_eq!(found(damaged), Found::Trouble);
    }

    #[test]
    fn another_place_machine_or_network_is_another_place() {
        let settings = |name: &str, machine: &str, network| PlaceSettings {
            name: name.to_owned(),
            machine: machine.to_owned(),
            network,
            ..PlaceSettings::default()
        };
        let host = NetworkAccess::Host;
        let one = place(&settings("host: debian-12", "a 2", host));
        assert_ne!(one, place(&settings("host: debian-13", "a 2", host)));
        assert_ne!(one, place(&settings("host: debian-12", "b 2", host)));
        let none = NetworkAccess::None;
        assert_ne!(one, place(&settings("host: debian-12", "a 2", none)));
    }
}
