//! The scope that steps run in: the job's own, or that of a composite action.
//!
//! A composite action runs its steps on a copy of the job's state, with `inputs` and `steps` of its
//! own; what they did is handed over as the effects of the step that uses it.

use std::sync::Arc;

use indexmap::IndexMap;

use super::bearing::Known;
use super::contexts::GithubOfStep;
use super::loaded::Loaded;
use crate::lookup::Bearing;
use crate::outcome::Outcome;
use crate::source::Source;
use crate::workflow::{Location, Step, Using, Workflow};

/// Composite actions stand in each other to this depth (runner `Constants`,
/// `CompositeActionsMaxDepth`): ten levels.
pub(super) const DEEPEST: usize = 9;

/// The scope of steps.
#[derive(Debug)]
pub(super) struct Frame {
    /// The file they stand in: where errors of theirs are placed.
    pub(super) source: Arc<Source>,
    /// What `uses:` in it is relative to. An action of the workspace goes by the file that uses it.
    pub(super) location: Location,
    /// The places of the steps that they stand in, the outermost first; empty for the job's own.
    pub(super) within: Vec<u32>,
    /// What of the `github` context their `env` and conditions see.
    pub(super) github: GithubOfStep,
    /// The composite action whose steps they are; none for the job's own.
    pub(super) composite: Option<Composite>,
}

/// What is the steps' own because a composite action has them.
#[derive(Debug)]
pub(super) struct Composite {
    /// The action.
    pub(super) action: Arc<Loaded>,
    /// What addresses of its steps begin with.
    pub(super) address: String,
    /// `env` of the steps that they stand in: it goes over what steps set by `GITHUB_ENV`.
    pub(super) env: IndexMap<String, String>,
    /// The job's status when the action began.
    pub(super) job_status: Outcome,
    /// Whether these are main parts, which have a status of their own.
    pub(super) is_main: bool,
    /// What its inputs depend on.
    pub(super) known_inputs: IndexMap<String, Known>,
    /// What the variables of `env` depend on.
    pub(super) known_env: IndexMap<String, Known>,
}

impl Frame {
    /// The scope of a job's own steps.
    pub(super) fn of_job(workflow: &Workflow) -> Self {
        Self {
            source: Arc::clone(&workflow.source),
            location: workflow.location.clone(),
            within: Vec::new(),
            github: GithubOfStep::default(),
            composite: None,
        }
    }

    /// What of the `github` context a step's own `env` and condition see.
    pub(super) fn github_of(&self, step: &Step) -> GithubOfStep {
        match self.composite {
            // Steps of a composite action go by the id of the step that uses it.
            Some(_) => self.github.clone(),
            None => GithubOfStep {
                action: step.id.clone(),
                ..GithubOfStep::default()
            },
        }
    }

    /// Whether `success()` and `failure()` look at the steps' own status.
    pub(super) fn has_own_status(&self) -> bool {
        let composite = self.composite.as_ref();
        composite.is_some_and(|composite| composite.is_main)
    }

    /// What the store knows a step by.
    pub(super) fn address_of(&self, step: &Step) -> String {
        match &self.composite {
            Some(composite) => format!("{}/{}", composite.address, step.id),
            None => step.id.clone(),
        }
    }

    /// The place of a step, behind those of the steps it stands in.
    pub(super) fn path_of(&self, index: u32) -> Vec<u32> {
        self.within.iter().copied().chain([index]).collect()
    }

    /// The steps of the composite action; none for the job's own.
    pub(super) fn steps(&self) -> Option<&[Step]> {
        match &self.composite.as_ref()?.action.manifest.runs.using {
            Using::Composite { steps } => Some(steps),
            _ => None,
        }
    }

    /// What an input depends on. Those of a workflow are given to every run alike.
    pub(super) fn known_input(&self, name: &str) -> Known {
        let composite = self.composite.as_ref();
        let known = composite.and_then(|composite| {
            let mut inputs = composite.known_inputs.iter();
            inputs.find(|(known, _)| known.eq_ignore_ascii_case(name))
        });
        known.map_or_else(|| Bearing::Portable.into(), |(_, known)| known.clone())
    }

    /// What a variable depends on that the step of the composite action sets.
    pub(super) fn known_variable(&self, name: &str) -> Option<Known> {
        self.composite.as_ref()?.known_env.get(name).cloned()
    }
}
