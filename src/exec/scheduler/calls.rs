//! Jobs that call a workflow: what the called one is given, and what it gives back.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{Pending, Queued, Scheduler};
use crate::exec::called::{Called, HeldGroup};
use crate::exec::groups::Wanted;
use crate::exec::job::LegEnd;
use crate::expr::Object;
use crate::ids::JobKey;
use crate::plan::{CalledJobs, Facts, Plan, PlannedLeg, plan_call_of};
use crate::workflow::{self, Call, JobBody, Token, TokenError};

/// A leg that calls a workflow whose jobs are not all done.
pub(super) struct OpenCall {
    /// The leg, as its own workflow has it.
    pub(super) leg: PlannedLeg,
    /// The workflow that calls.
    pub(super) caller: Arc<Called>,
    /// The one that is called.
    pub(super) called: Arc<Called>,
    /// Ids of its jobs.
    pub(super) jobs: Vec<String>,
    /// Whether its jobs are being cancelled, without the run.
    pub(super) cancelled: bool,
}

/// A call with everything evaluated, which may wait for the called workflow's group.
pub(super) struct Ready {
    pub(super) queued: Queued,
    pub(super) called: Called,
    plan: Plan,
}

impl Scheduler {
    /// Evaluates what a leg gives to what it calls, and starts that.
    pub(super) fn open_call(&mut self, queued: Queued) {
        let ready = match self.ready(&queued) {
            Ok((called, plan)) => Ready {
                queued,
                called,
                plan,
            },
            Err(message) => return self.fail_leg(&queued.leg, message),
        };
        let Some(token) = &ready.called.workflow.concurrency else {
            return self.start_call(ready);
        };
        match Wanted::of(token, &ready.called.facts(&self.run)) {
            Ok(None) => self.start_call(ready),
            Ok(Some(wanted)) => self.call_waits_for_group(ready, wanted),
            Err(message) => {
                let uses = &ready.called.workflow.location;
                let message = format!("Error when evaluating 'concurrency' of '{uses}': {message}");
                self.fail_leg(&ready.queued.leg, message);
            }
        }
    }

    /// The called workflow with what it is given, and its jobs; else why the calling job fails.
    fn ready(&self, Queued { of, leg }: &Queued) -> Result<(Called, Plan), String> {
        let job = of.job(&leg.key);
        let Some((job, JobBody::Calls(call))) = job.map(|job| (job, &job.body)) else {
            return Err("this job calls no workflow".to_owned());
        };
        let fails = |key: &str, error: &dyn std::fmt::Display| {
            let id = &job.id.value;
            format!("Error when evaluating '{key}' for job '{id}': {error}")
        };
        let facts = self.facts(of, &self.needs_of(&leg.key));
        let open = self.open.get(&leg.key.id);
        let selection = open.map(|open| open.selection.clone()).unwrap_or_default();
        let planned = plan_call_of(&of.workflow, call, leg, &facts, &selection)
            .map_err(|error| fails("with", &error))?;
        let workflow::Called::Workflow(workflow) = &call.called else {
            return Err(format!("'{}' cannot be had", call.uses.value));
        };
        let plan = match planned.called {
            CalledJobs::Planned(plan) => plan,
            CalledJobs::NotFollowed { why } => return Err(why),
        };
        // What nobody could know before the run.
        if let Some(refusal) = plan.refusals.first() {
            return Err(refusal.to_string());
        }
        let secrets = secrets(call, of, &leg.facts(&facts));
        let inputs = planned.inputs.into_iter();
        let inputs: Object = inputs
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect();
        let mode = of.cache_mode(job).map(str::to_owned);
        let modes = of.cache_modes.iter().cloned();
        let called = Called {
            workflow: Arc::clone(workflow),
            inputs: inputs.into(),
            secrets: secrets.map_err(|error| fails("secrets", &error))?,
            caller: Some(leg.key.clone()),
            cache_modes: modes.chain(mode).collect(),
            groups: self.groups_in(of, &leg.key),
        };
        Ok((called, plan))
    }

    /// Lets the jobs of a called workflow run.
    pub(super) fn start_call(&mut self, ready: Ready) {
        let Ready {
            queued: Queued { of, leg },
            called,
            plan,
        } = ready;
        let called = Arc::new(called);
        let jobs = plan.jobs.into_iter();
        let jobs: Vec<Pending> = jobs.map(|job| Pending::new(&called, job)).collect();
        let call = OpenCall {
            caller: of,
            called,
            jobs: jobs.iter().map(|job| job.id.clone()).collect(),
            cancelled: false,
            leg,
        };
        self.calls.insert(call.leg.key.clone(), call);
        self.pending.extend(jobs);
    }

    /// Ends the calls all of whose jobs are done. Whether there was one.
    pub(super) fn close_calls(&mut self) -> bool {
        let done = |call: &OpenCall| self.needs.all_done(&call.jobs);
        let done = self.calls.values().find(|call| done(call));
        let Some(key) = done.map(|call| call.leg.key.clone()) else {
            return false;
        };
        if let Some(call) = self.calls.shift_remove(&key) {
            match self.outputs(&call) {
                Ok(outputs) => self.leg_done(LegEnd {
                    conclusion: self.needs.worst(&call.jobs),
                    outputs,
                    fail_fast: call.leg.fail_fast,
                    ..LegEnd::cancelled(key)
                }),
                Err(error) => {
                    let uses = &call.called.workflow.location;
                    let message = format!("Error when evaluating 'outputs' of '{uses}': {error}");
                    self.fail_leg(&call.leg, message);
                }
            }
        }
        true
    }

    /// What the called workflow's `outputs` come to; one that comes to nothing is not set.
    fn outputs(&self, call: &OpenCall) -> Result<IndexMap<String, String>, TokenError> {
        let Some(interface) = call.called.workflow.interface() else {
            return Ok(IndexMap::new());
        };
        let facts = call.called.facts(&self.run);
        let facts = facts.with("jobs", self.needs.context(&call.jobs));
        let mut outputs = IndexMap::new();
        for (name, token) in interface.outputs {
            let value = token.evaluate_string(&facts)?;
            if !value.is_empty() {
                outputs.insert(name.value, value);
            }
        }
        Ok(outputs)
    }

    /// The groups that what a leg calls runs in.
    pub(super) fn groups_in(&self, of: &Called, leg: &JobKey) -> Vec<HeldGroup> {
        let held = self.held.get(&Some(leg.clone()));
        let own = held.into_iter().flatten().map(|held| HeldGroup {
            folded: held.folded.clone(),
            by: leg.local_id().to_owned(),
        });
        of.groups.iter().cloned().chain(own).collect()
    }

    /// The jobs whose saves a job sees that needs these: all that they need in turn, all that those
    /// call, and the same of its callers.
    pub(super) fn visible(&self, of: &Called, needs: &[String]) -> Vec<String> {
        let mut found = self.needs.ancestors(needs);
        let mut caller = of.caller.as_ref();
        while let Some(call) = caller.and_then(|key| self.calls.get(key)) {
            found.extend(self.needs.ancestors(&self.needs_of(&call.leg.key)));
            caller = call.caller.caller.as_ref();
        }
        self.needs.with_called(found)
    }
}

/// The secrets that a called workflow sees: all, or those that it is given and the token, which every
/// job has.
fn secrets(
    call: &Call,
    of: &Called,
    facts: &Facts,
) -> Result<IndexMap<String, String>, TokenError> {
    if call.inherits_secrets() {
        return Ok(of.secrets.clone());
    }
    let token = of.secrets.iter().filter(|(name, _)| is_token(name));
    let mut given: IndexMap<String, String> = token
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let secrets: Object = of
        .secrets
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let facts = facts.with("secrets", secrets.into());
    let pairs = call.secrets.as_ref().and_then(Token::as_mapping);
    for pair in pairs.unwrap_or_default() {
        if let Some(name) = pair.key.name() {
            given.insert(name.to_owned(), pair.value.evaluate_string(&facts)?);
        }
    }
    Ok(given)
}

fn is_token(name: &str) -> bool {
    name.eq_ignore_ascii_case("GITHUB_TOKEN")
}
