//! What a recorded run's steps asked of the cache and what they saved.

use std::fmt;

use crate::difference::Verdict;
use crate::event::{Event, EventKind, RunSummary};
use crate::ids::{JobKey, Phase, StepKey};
use crate::lookup::{CacheRequest, KeyOrigin, Lookup, NotSaved};

/// A run as its record has it.
#[derive(Debug, Clone, Default)]
pub struct RecordedRun {
    /// What it was; none in a record that ends before the run began.
    pub summary: Option<RunSummary>,
    /// When it began, in milliseconds since 1970.
    pub began_ms: u64,
    /// How it ended; none of a run that is not over, or was killed.
    pub verdict: Option<Verdict>,
    /// Whether something still works for it.
    pub alive: bool,
    /// Its steps in the order they began.
    pub steps: Vec<RecordedStep>,
}

/// A step of any leg, its post part with it.
#[derive(Debug, Clone)]
pub struct RecordedStep {
    /// The job.
    pub job: JobKey,
    /// The steps of composite actions that it stands in, the outermost first; mostly none.
    pub within: Vec<u32>,
    /// Its place under `steps:`, from zero.
    pub index: u32,
    /// Its `id`, where the workflow gives it one.
    pub id: Option<String>,
    /// Its name as GitHub shows it.
    pub name: String,
    /// What it asked for, how the key came about, and what it got.
    pub lookup: Option<(CacheRequest, KeyOrigin, Lookup)>,
    /// What it saved, or why it did not.
    pub save: Option<Save>,
}

/// A save, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Save {
    /// An entry was made.
    Saved {
        /// Its key.
        key: String,
        /// Bytes of file content in it.
        size: u64,
        /// Bytes the store did not have before.
        new_bytes: u64,
    },
    /// None was made.
    Not {
        /// The key it would have had.
        key: String,
        /// Why.
        why: NotSaved,
    },
}

impl RecordedRun {
    /// Reads the events of a record, of a run that is `alive` or not.
    pub fn new(events: &[Event], alive: bool) -> Self {
        let mut run = Self {
            alive,
            began_ms: events.first().map_or(0, |event| event.at_ms),
            ..Self::default()
        };
        for event in events {
            run.take(&event.kind);
        }
        run
    }

    fn take(&mut self, kind: &EventKind) {
        match kind {
            EventKind::RunStarted(summary) => self.summary = Some((**summary).clone()),
            EventKind::JobsFound { jobs } => {
                if let Some(summary) = &mut self.summary {
                    summary.jobs.extend(jobs.iter().cloned());
                }
            }
            EventKind::RunFinished { verdict, .. } => self.verdict = Some(*verdict),
            EventKind::StepStarted { step, name, id, .. } => {
                let of_record = self.step(step);
                if of_record.name.is_empty() {
                    of_record.name.clone_from(name);
                    of_record.id.clone_from(id);
                }
            }
            EventKind::StepSkipped { step, name, .. } => {
                let of_record = self.step(step);
                if of_record.name.is_empty() {
                    of_record.name.clone_from(name);
                }
            }
            EventKind::CacheLookedUp {
                step,
                request,
                origin,
                lookup,
            } => {
                let asked = (request.clone(), origin.clone(), lookup.clone());
                self.step(step).lookup = Some(asked);
            }
            EventKind::CacheSaved {
                step,
                key,
                size,
                new_bytes,
                ..
            } => {
                self.step(step).save = Some(Save::Saved {
                    key: key.clone(),
                    size: *size,
                    new_bytes: *new_bytes,
                });
            }
            EventKind::CacheNotSaved { step, key, reason } => {
                self.step(step).save = Some(Save::Not {
                    key: key.clone(),
                    why: reason.clone(),
                });
            }
            _ => {}
        }
    }

    fn step(&mut self, key: &StepKey) -> &mut RecordedStep {
        let is_it = |step: &RecordedStep| {
            (&step.job, &step.within, step.index) == (&key.job, &key.within, key.index)
        };
        let at = self.steps.iter().position(is_it).unwrap_or_else(|| {
            self.steps.push(RecordedStep {
                job: key.job.clone(),
                within: key.within.clone(),
                index: key.index,
                id: None,
                name: String::new(),
                lookup: None,
                save: None,
            });
            self.steps.len() - 1
        });
        &mut self.steps[at]
    }

    /// The name of a job as GitHub shows it.
    pub fn job_name(&self, job: &JobKey) -> String {
        let jobs = self.summary.iter().flat_map(|summary| &summary.jobs);
        let mut named = jobs.filter(|known| known.job == *job);
        named
            .next()
            .map_or_else(|| job.to_string(), |known| known.name.clone())
    }

    /// The steps that used a cache.
    pub fn cached(&self) -> impl Iterator<Item = &RecordedStep> {
        let used = |step: &&RecordedStep| step.lookup.is_some() || step.save.is_some();
        self.steps.iter().filter(used)
    }

    /// The steps that a text means, of all legs: a name, an id or a number from one, or a job
    /// before a `/` and one of these. A step that used no cache is none.
    ///
    /// # Errors
    /// When there is none; names those that there are.
    pub fn find(&self, text: &str) -> Result<Vec<&RecordedStep>, NoSuchStep> {
        let of_any_job: Vec<_> = self.cached().filter(|step| step.is(text)).collect();
        if !of_any_job.is_empty() {
            return Ok(of_any_job);
        }
        // Names of jobs and steps may have a `/` of their own.
        for (slash, _) in text.match_indices('/') {
            let (job, step) = (&text[..slash], &text[slash + 1..]);
            let found: Vec<_> = self
                .cached()
                .filter(|known| self.is_job(&known.job, job) && known.is(step))
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let known = self.cached();
        let known = known.map(|step| format!("{}/{} ({})", step.job, step.number(), step.name));
        Err(NoSuchStep {
            asked: text.to_owned(),
            known: known.collect(),
        })
    }

    fn is_job(&self, job: &JobKey, text: &str) -> bool {
        job.id.eq_ignore_ascii_case(text) || job.to_string() == text || self.job_name(job) == text
    }
}

impl RecordedStep {
    fn is(&self, text: &str) -> bool {
        let made_up = self.name.strip_prefix("Run ");
        let mut names = [Some(&*self.name), made_up, self.id.as_deref()].into_iter();
        names.any(|name| name.is_some_and(|name| name.eq_ignore_ascii_case(text)))
            || self.number() == text
    }

    /// Its places under `steps:` counted from one, as [`StepKey::number`] has them.
    pub fn number(&self) -> String {
        let key = StepKey {
            job: self.job.clone(),
            within: self.within.clone(),
            index: self.index,
            phase: Phase::Main,
        };
        key.number()
    }
}

/// No step of a run is meant by a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NoSuchStep {
    /// The text.
    pub asked: String,
    /// The steps that used a cache.
    pub known: Vec<String>,
}

impl fmt::Display for NoSuchStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no step '{}' used a cache in this run", self.asked)?;
        match self.known.is_empty() {
            true => f.write_str("; none did"),
            false => write!(f, "; those that did: {}", self.known.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RecordedRun {
        let key = |job: &str, leg: u32, index: u32, phase: Phase| StepKey {
            job: JobKey::new(job, leg),
            within: Vec::new(),
            index,
            phase,
        };
        let started = |step: StepKey, name: &str, id: Option<&str>| EventKind::StepStarted {
            step,
            name: name.to_owned(),
            named: false,
            id: id.map(str::to_owned),
        };
        let not_saved = |step: StepKey| EventKind::CacheNotSaved {
            step,
            key: "k".to_owned(),
            reason: NotSaved::NothingMatched,
        };
        let mut run = RecordedRun::default();
        for leg in 0..2 {
            let cache = "Run actions/cache@v4";
            run.take(&started(key("test", leg, 0, Phase::Main), "Run make", None));
            run.take(&started(
                key("test", leg, 1, Phase::Main),
                cache,
                Some("deps"),
            ));
            run.take(&started(key("test", leg, 1, Phase::Post), "Post it", None));
            run.take(&not_saved(key("test", leg, 1, Phase::Post)));
        }
        run
    }

    #[test]
    fn a_step_is_found_by_its_names_in_every_leg() {
        let run = record();
        for (text, count) in [
            ("actions/cache@v4", 2),
            ("Run actions/cache@v4", 2),
            ("DEPS", 2),
            ("2", 2),
            ("test/deps", 2),
            ("test.1/2", 1),
            ("test.1/actions/cache@v4", 1),
        ] {
            let found = run.find(text).expect(text);
            assert_eq!(found.len(), count, "{text}");
            assert!(found.iter().all(|step| step.name == "Run actions/cache@v4"));
        }
    }

    #[test]
    fn what_is_no_step_with_a_cache_is_refused_with_those_that_are() {
        let run = record();
        for text in ["1", "make", "other/deps", "3", ""] {
            let error = run.find(text).expect_err(text).to_string();
            assert!(
                error.contains("test/2 (Run actions/cache@v4), test.1/2"),
                "{error}"
            );
        }
    }
}
