//! Steps that GitHub would run and lrun does not: they do something beyond this machine, or read what
//! such a step gives.

use std::sync::Arc;

use indexmap::IndexMap;

use super::calls::CalledJobs;
use super::decided::Facts;
use super::expand::PlannedLeg;
use super::make::{PlannedJob, step_name};
use super::permitted::Permitted;
use super::reads;
use super::side_effect::{self, Circumstances, Input, Judged, UNKNOWN};
use crate::source::{Source, Span};
use crate::workflow::{Call, Called, Job, Step, StepAction, Token, TokenKind, Workflow};

/// A step that is not run here although GitHub would run it.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// Counted from zero.
    pub index: usize,
    /// Its name, or what it does.
    pub name: String,
    /// The file.
    pub source: Arc<Source>,
    /// The step in it.
    pub span: Span,
    /// Why.
    pub why: String,
}

/// What of a job is not run here, as far as that is known before it runs.
#[derive(Debug, Default)]
pub(super) struct NotHere {
    /// Its steps.
    pub(super) steps: Vec<LeftOut>,
    /// The outputs it has not for that reason, each with the reason.
    pub(super) outputs: IndexMap<String, String>,
}

/// Why a step is not run that reads a step which is not.
pub fn why_reader(id: &str, why: &str) -> String {
    const LINK: &str = ", which is not run here: ";
    // However long the chain of readers is, its first step has the reason.
    let cause = why.rsplit(LINK).next().unwrap_or(why);
    format!("it reads step '{id}'{LINK}{cause}")
}

/// Finds what of a job is not run here. Steps that do not run anyway are no matter.
pub(super) fn of_steps(
    workflow: &Workflow,
    (job, steps): (&Job, &[Step]),
    skipped: impl Fn(usize) -> bool,
    facts: &Facts,
) -> NotHere {
    let mut found = NotHere::default();
    let judge = Judge::new(workflow, job, facts);
    // By the ids of the steps, each with the first reason.
    let mut without: Vec<(&str, String)> = Vec::new();
    for (index, step) in steps
        .iter()
        .enumerate()
        .filter(|(index, _)| !skipped(*index))
    {
        let reads = match without.is_empty() {
            true => Vec::new(),
            false => reads::of_step(step),
        };
        let read = without
            .iter()
            .find(|(id, _)| reads::read_member(&reads, "steps", id));
        let (cause, why) = match (read, judge.step(step)) {
            (Some((id, why)), _) => (why.clone(), why_reader(id, why)),
            (None, Judged::Does(effect)) => (effect.to_string(), effect.to_string()),
            (None, Judged::Harmless | Judged::Open) => continue,
        };
        without.push((&step.id, cause));
        found.steps.push(LeftOut {
            index,
            name: step_name(step, facts),
            source: Arc::clone(&workflow.source),
            span: step.span,
            why,
        });
    }
    let outputs = job.outputs.as_ref().and_then(Token::as_mapping);
    for output in outputs.unwrap_or_default() {
        let references = reads::of_token(&output.value);
        let mut missing = without.iter();
        let read = missing.find(|(id, _)| reads::read_member(&references, "steps", id));
        if let (Some((_, why)), Some(name)) = (read, output.key.name()) {
            found.outputs.insert(name.to_owned(), why.clone());
        }
    }
    found
}

/// Finds what a called workflow does not give because of what is not run of it.
pub(super) fn of_call<'l>(call: &Call, legs: impl Iterator<Item = &'l PlannedLeg>) -> NotHere {
    let mut found = NotHere::default();
    let Called::Workflow(workflow) = &call.called else {
        return found;
    };
    let outputs = workflow.interface().unwrap_or_default().outputs;
    let calls = legs.filter_map(|leg| match &leg.call.as_deref()?.called {
        CalledJobs::Planned(plan) => Some(&plan.jobs),
        CalledJobs::NotFollowed { .. } => None,
    });
    for planned in calls.flatten().filter(|planned| !planned.gives_all()) {
        for (name, value) in &outputs {
            let references = reads::of_token(value);
            if let Some(why) = why_of(planned, &references, "jobs") {
                found.outputs.entry(name.value.clone()).or_insert(why);
            }
        }
    }
    found
}

/// Why a job is not run that needs `planned`: it reads what that has not here.
pub(super) fn why_needing(planned: &PlannedJob, references: &[Vec<String>]) -> Option<String> {
    why_of(planned, references, "needs")
}

/// `context` is the one by which the job is read.
fn why_of(planned: &PlannedJob, references: &[Vec<String>], context: &str) -> Option<String> {
    let id = &planned.id;
    if planned.is_not_here() {
        let reads = reads::read_member(references, context, id);
        return reads.then(|| format!("it reads what {id} gives, which does not run here"));
    }
    let mut missing = planned.missing_outputs.iter();
    let (name, why) =
        missing.find(|(name, _)| reads::read_output(references, context, id, name))?;
    Some(format!(
        "it reads the output {name} of {id}, which it has not here: {why}"
    ))
}

/// Judges the steps of a job.
struct Judge<'a> {
    workflow: &'a Workflow,
    job: &'a Job,
    permitted: Permitted,
    /// With the secrets of the job.
    facts: Facts,
    event: String,
}

impl<'a> Judge<'a> {
    fn new(workflow: &'a Workflow, job: &'a Job, facts: &Facts) -> Self {
        let permitted = facts.permitted.of_job(job, facts);
        let github = facts.contexts.get("github");
        let event = github
            .and_then(|github| github.as_object()?.get("event_name"))
            .map(|name| name.to_text().to_string());
        Self {
            workflow,
            job,
            facts: facts.judging(&permitted),
            permitted,
            event: event.unwrap_or_default(),
        }
    }

    fn step(&self, step: &Step) -> Judged {
        match &step.action {
            StepAction::Uses { reference, with } => {
                let input = |name: &str| self.input(with.as_ref(), name);
                let circumstances = Circumstances {
                    event: &self.event,
                    has_token: self.permitted.has("GITHUB_TOKEN"),
                    allowed: self.permitted.publish,
                };
                side_effect::of_action(&reference.value, &input, circumstances)
            }
            StepAction::Run { script, shell, .. } => {
                let of_job = self.job.defaults.shell();
                let of_workflow = self.workflow.defaults.shell();
                let shell = shell.as_ref().or(of_job).or(of_workflow);
                let shell = shell.map(|token| self.known_text(token));
                if !side_effect::is_read(shell.as_deref()) {
                    return Judged::Harmless;
                }
                let script = self.known_text(script);
                let reads_empty = self.reads_empty(step);
                match side_effect::of_script(&script, reads_empty, self.permitted.publish) {
                    Some(effect) => Judged::Does(effect),
                    None => Judged::Harmless,
                }
            }
            StepAction::Wait { .. } | StepAction::WaitAll | StepAction::Cancel { .. } => {
                Judged::Harmless
            }
        }
    }

    fn input(&self, with: Option<&Token>, name: &str) -> Input {
        let pairs = with.and_then(Token::as_mapping).unwrap_or_default();
        let mut named = pairs.iter();
        let given = named.find(|pair| {
            let key = pair.key.name();
            key.is_some_and(|key| key.eq_ignore_ascii_case(name))
        });
        match given.map(|pair| pair.value.evaluate_string(&self.facts)) {
            Some(Ok(text)) => Input::Known(text),
            Some(Err(_)) => Input::Unknown,
            // Keys that an expression gives may be this one.
            None if pairs.iter().any(|pair| pair.key.name().is_none()) => Input::Unknown,
            None => Input::Absent,
        }
    }

    fn known_text(&self, token: &Token) -> String {
        match &token.kind {
            TokenKind::Expression(template) => template.evaluate_known(&self.facts, UNKNOWN),
            _ => token.as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Whether a secret that the step reads, itself or by the environment, has no value.
    fn reads_empty(&self, step: &Step) -> bool {
        let around = self.workflow.env.iter().chain(&self.job.env);
        let mut references = reads::of_step(step);
        references.extend(around.flat_map(reads::of_token));
        let mut secrets = references.iter().filter_map(|one| reads::secret(one));
        secrets.any(|secret| !self.permitted.has(secret))
    }
}
