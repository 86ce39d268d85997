//! The other repositories that the jobs of a plan check out, as far as that is known before they
//! start.

use std::sync::Arc;

use super::calls::CalledJobs;
use super::checkout::CheckoutInputs;
use super::decided::{Facts, decided_false};
use super::make::{Plan, PlannedJob};
use crate::source::{Source, Span};
use crate::workflow::{BuiltIn, Job, JobBody, Step, StepAction, Uses, Workflow};

/// The inputs that say what is fetched.
const FETCHED_BY: [&str; 6] = [
    "repository",
    "ref",
    "fetch-depth",
    "fetch-tags",
    "ssh-key",
    "github-server-url",
];

/// A step that checks another repository out.
#[derive(Debug, Clone)]
pub struct OtherCheckout {
    /// `owner/name`.
    pub repository: String,
    /// What is asked for.
    pub inputs: CheckoutInputs,
    /// The file.
    pub source: Arc<Source>,
    /// The step.
    pub span: Span,
    /// The job.
    pub job: String,
}

impl Plan {
    /// What steps that may run check out of other repositories, those of called workflows too, where
    /// the inputs depend on nothing that a job finds out.
    pub fn other_checkouts(&self) -> Vec<&OtherCheckout> {
        let legs = self.jobs.iter().flat_map(|job| job.legs.iter().flatten());
        let called = legs.filter_map(|leg| match &leg.call.as_deref()?.called {
            CalledJobs::Planned(plan) => Some(plan.other_checkouts()),
            CalledJobs::NotFollowed { .. } => None,
        });
        self.checkouts.iter().chain(called.flatten()).collect()
    }
}

/// Those of a job.
pub(super) fn of_job(
    workflow: &Workflow,
    job: &Job,
    planned: &PlannedJob,
    facts: &Facts,
) -> Vec<OtherCheckout> {
    let JobBody::Steps(steps) = &job.body else {
        return Vec::new();
    };
    let legs = planned.legs.as_ref();
    let runs_here = legs.is_none_or(|legs| legs.iter().any(|leg| leg.placement.runs_here()));
    if planned.skip.is_some() || planned.fails.is_some() || !runs_here {
        return Vec::new();
    }
    let is_left_out = |index: usize| planned.left_out.iter().any(|step| step.index == index);
    let steps = steps.iter().enumerate();
    let steps = steps.filter(|(index, step)| {
        !is_left_out(*index) && !decided_false(&step.condition.expression, facts)
    });
    let found = steps.filter_map(|(_, step)| {
        let (repository, inputs) = of_step(step, facts)?;
        Some(OtherCheckout {
            repository,
            inputs,
            source: Arc::clone(&workflow.source),
            span: step.span,
            job: job.id.value.clone(),
        })
    });
    found.collect()
}

fn of_step(step: &Step, facts: &Facts) -> Option<(String, CheckoutInputs)> {
    let StepAction::Uses { reference, with } = &step.action else {
        return None;
    };
    let Uses::BuiltIn(action) = Uses::parse(&reference.value) else {
        return None;
    };
    if action.action != BuiltIn::Checkout {
        return None;
    }
    let mut known = Vec::new();
    for pair in with.as_ref()?.as_mapping()? {
        let name = pair.key.name()?.to_ascii_lowercase();
        if FETCHED_BY.contains(&name.as_str()) {
            known.push((name, pair.value.evaluate_string(facts).ok()?));
        }
    }
    let pairs = known
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let (inputs, _) = CheckoutInputs::read(pairs, action.major());
    let github = facts.contexts.get("github")?.as_object()?;
    let own = github.get("repository")?.to_text();
    // What is no repository at all fails the step.
    let repository = inputs.other_repository(&own).ok()??;
    Some((repository, inputs))
}
