//! Secrets that a run reads and has not: told before it starts, with those who read them.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::CalledJobs;
use super::decided::Facts;
use super::make::{Plan, PlannedJob, step_name};
use super::reads;
use crate::workflow::{Call, Called, Job, JobBody, Step, Token, Workflow};

/// A secret that is empty here where something reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSecret {
    /// Its name.
    pub name: String,
    /// Who reads it: `build/2 (Upload)`, or another part of a workflow.
    pub readers: Vec<String>,
    /// Why it is empty although it has a value; none where nobody gave it one.
    pub withheld: Option<String>,
}

impl std::fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, readers, .. } = self;
        let readers = readers.join(", ");
        match &self.withheld {
            None => write!(
                f,
                "secret {name} has no value here and is empty in {readers}"
            ),
            Some(why) => write!(
                f,
                "secret {name} is empty in {readers}: {why}; --allow-publish gives it real secrets"
            ),
        }
    }
}

/// The secrets that jobs of a plan read and that are empty here, by name.
pub fn missing_secrets(workflow: &Workflow, plan: &Plan, facts: &Facts) -> Vec<MissingSecret> {
    let mut search = Search::default();
    search.plan(workflow, plan, facts, "");
    let found = search.found.into_iter();
    found
        .map(|((name, withheld), readers)| MissingSecret {
            name,
            readers: readers.into_iter().map(|(_, reader)| reader).collect(),
            withheld,
        })
        .collect()
}

/// Those who read a secret, in the order they were found.
type Readers = BTreeSet<(usize, String)>;

#[derive(Default)]
struct Search {
    /// By name and reason.
    found: BTreeMap<(String, Option<String>), Readers>,
    count: usize,
    /// That the names are those of a caller's: what it does not pass on is empty on GitHub too.
    is_passed: bool,
}

impl Search {
    fn plan(&mut self, workflow: &Workflow, plan: &Plan, facts: &Facts, caller: &str) {
        for planned in plan.jobs.iter().filter(|job| job.may_run_here()) {
            let Some(job) = workflow.jobs.get(&planned.id) else {
                continue;
            };
            let name = format!("{caller}{}", planned.id);
            match &job.body {
                JobBody::Steps(steps) => self.job(workflow, (job, steps), planned, (facts, &name)),
                JobBody::Calls(call) => self.call(call, planned, facts, &name),
            }
        }
    }

    fn job(
        &mut self,
        workflow: &Workflow,
        (job, steps): (&Job, &[Step]),
        planned: &PlannedJob,
        (facts, name): (&Facts, &str),
    ) {
        let around = [
            ("the workflow's env".to_owned(), workflow.env.as_ref()),
            (format!("job {name}"), job.env.as_ref()),
            (format!("the outputs of {name}"), job.outputs.as_ref()),
            (format!("the container of {name}"), job.container.as_ref()),
            (format!("the services of {name}"), job.services.as_ref()),
        ];
        for (place, token) in around {
            if let Some(token) = token {
                self.add(&reads::of_token(token), &place, job, facts);
            }
        }
        for (index, step) in steps.iter().enumerate() {
            if !planned.excludes(index) {
                let place = format!("{name}/{} ({})", index + 1, step_name(step, facts));
                self.add(&reads::of_step(step), &place, job, facts);
            }
        }
    }

    fn call(&mut self, call: &Call, planned: &PlannedJob, facts: &Facts, name: &str) {
        let passed = call.secrets.as_ref().and_then(Token::as_mapping);
        for pair in passed.unwrap_or_default() {
            let by = pair.key.name().unwrap_or_default();
            for secret in secrets_in(&reads::of_token(&pair.value)) {
                if !facts.permitted.has(&secret) && self.counts(&secret) {
                    self.insert(secret, None, format!("{name} (passed on as {by})"));
                }
            }
        }
        let Called::Workflow(workflow) = &call.called else {
            return;
        };
        // Every leg calls the same.
        let mut legs = planned.legs.iter().flatten();
        let plan = legs.find_map(|leg| match &leg.call.as_deref()?.called {
            CalledJobs::Planned(plan) => Some(plan),
            CalledJobs::NotFollowed { .. } => None,
        });
        if let Some(plan) = plan {
            let before = self.is_passed;
            self.is_passed |= !call.inherits_secrets();
            let permitted = facts.permitted.of_called(call, facts);
            let facts = facts.permitting(permitted);
            self.plan(workflow, plan, &facts, &format!("{name} / "));
            self.is_passed = before;
        }
    }

    fn counts(&self, secret: &str) -> bool {
        !self.is_passed || secret.eq_ignore_ascii_case("GITHUB_TOKEN")
    }

    fn add(&mut self, references: &[Vec<String>], place: &str, job: &Job, facts: &Facts) {
        let given = facts.permitted.with_environment(job, facts);
        for secret in secrets_in(references) {
            match given.has(&secret) {
                false if self.counts(&secret) => self.insert(secret, None, place.to_owned()),
                false => {}
                true => {
                    if let Some(why) = facts.permitted.withheld(job, facts) {
                        let why = format!("{why}, so job {} has none", job.id.value);
                        self.insert(secret, Some(why), place.to_owned());
                    }
                }
            }
        }
    }

    fn insert(&mut self, secret: String, withheld: Option<String>, place: String) {
        let readers = self.found.entry((secret, withheld)).or_default();
        if readers.iter().all(|(_, reader)| *reader != place) {
            readers.insert((self.count, place));
            self.count += 1;
        }
    }
}

/// The secrets that references read by name, each once.
fn secrets_in(references: &[Vec<String>]) -> BTreeSet<String> {
    let secrets = references.iter().filter_map(|one| reads::secret(one));
    secrets.map(|name| name.to_uppercase()).collect()
}
