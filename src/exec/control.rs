//! `wait`, `wait-all` and `cancel`: the steps at which a job takes in what background steps did.
//! They have no condition and always run (runner `JobExtension`).

use indexmap::IndexMap;

use super::background::{Background, Opened};
use super::job::Leading;
use crate::agent::AgentError;
use crate::clock::Moment;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::ids::Phase;
use crate::outcome::Outcome;
use crate::source::Located;
use crate::workflow::{Step, StepAction};

/// The step that GitHub adds where steps are left that nothing waits for.
const AT_END: &str = "Wait for all background steps";

/// What such a step asks for.
pub(super) struct Control<'a> {
    /// The step; none for the one that GitHub adds.
    step: Option<&'a Step>,
    /// Places of the steps it is about, in the order their effects are taken.
    targets: Vec<usize>,
    /// Whether they are to be ended.
    cancels: bool,
}

impl<'a> Control<'a> {
    /// What the step asks for; none for one that does something itself.
    pub(super) fn of(step: &'a Step, steps: &[Step], background: &Background<'_>) -> Option<Self> {
        let found = |target: &Located<String>| {
            let mut all = steps.iter();
            all.position(|step| step.id.eq_ignore_ascii_case(&target.value))
        };
        let (targets, cancels) = match &step.action {
            StepAction::Wait { targets } => (targets.iter().filter_map(found).collect(), false),
            StepAction::WaitAll => (background.all(), false),
            StepAction::Cancel { target } => (found(target).into_iter().collect(), true),
            StepAction::Run { .. } | StepAction::Uses { .. } => return None,
        };
        Some(Self {
            step: Some(step),
            targets,
            cancels,
        })
    }

    /// What GitHub adds behind the last step; none where nothing is left.
    pub(super) fn at_end(background: &Background<'_>) -> Option<Self> {
        let targets = background.all();
        (!targets.is_empty()).then_some(Self {
            step: None,
            targets,
            cancels: false,
        })
    }
}

impl<'a> Leading<'a> {
    /// Waits, and takes in what the steps did. The result of a wait is the worst of its steps';
    /// a cancel succeeds, and only a step that had failed before fails the job.
    pub(super) async fn run_control(
        &mut self,
        index: usize,
        control: &Control<'_>,
        (steps, background): (&'a [Step], &mut Background<'a>),
    ) -> Result<Vec<Opened>, AgentError> {
        let start = Moment::now();
        let key = self.step_key(index, Phase::Main);
        let name = match control.step.and_then(|step| step.name.as_ref()) {
            None => AT_END.to_owned(),
            Some(token) => {
                let name =
                    self.evaluate(&self.state.env, |contexts| token.evaluate_string(contexts));
                background.beside(name).await?.unwrap_or_default()
            }
        };
        self.send(EventKind::StepStarted {
            step: key.clone(),
            name,
            named: true,
            id: control
                .step
                .filter(|step| step.explicit_id)
                .map(|step| step.id.clone()),
        });
        if control.cancels {
            control
                .targets
                .iter()
                .for_each(|&target| background.cancel(target));
        }
        let mut results = Vec::new();
        let mut opened = Vec::new();
        for ended in background.wait_for(&control.targets).await? {
            results.push(ended.conclusion);
            opened.extend(self.apply(&steps[ended.index], ended));
        }
        let result = Outcome::worst(&results).unwrap_or(Outcome::Success);
        let outcome = match control.cancels {
            true => Outcome::Success,
            false => result,
        };
        if result == Outcome::Failure {
            self.step_failed();
            self.name_unforgiven(control, index);
        }
        self.step_ended(key, outcome, start);
        if let Some(step) = control.step {
            self.remember(step, IndexMap::new(), outcome, outcome);
        }
        Ok(opened)
    }

    /// GitHub's documentation and its runner differ here; the runner is what decides.
    fn name_unforgiven(&self, control: &Control<'_>, index: usize) {
        if control
            .step
            .is_some_and(|step| step.continue_on_error.is_some())
        {
            self.send(EventKind::Differs(Difference {
                kind: DifferenceKind::Other {
                    text: "GitHub's runner does not look at continue-on-error of a step that waits, though its documentation says so: the job fails".to_owned(),
                },
                site: Site::Step(self.step_key(index, Phase::Main)),
                effect: Effect::MayFlip,
            }));
        }
    }
}
