//! What the parts of a key depend on: the bearing of an expression, by what it reads.
//!
//! `env`, `steps` and `needs` are followed to what set them. An output of a script is judged by
//! the words of the statements that make it: the place made it unless they say that it is the
//! date, the commit or the image. A value that nothing sets is empty on GitHub too.

mod script;

use indexmap::IndexMap;

use super::frame::Frame;
use crate::expr::Expression;
use crate::label::Label;
use crate::lookup::{Bearing, Hosted, HostedTool};
use crate::workflow::{BuiltIn, Job, JobBody, Step, StepAction, Token, TokenKind, Uses, Workflow};

/// Variables that make an output of a script one of the run or the commit.
const RUN_WORDS: [&str; 4] = [
    "GITHUB_SHA",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_RUN_ATTEMPT",
];

/// Commands that make it one of the moment.
const RUN_COMMANDS: [&str; 2] = ["date", "uuidgen"];

/// Words with which `date` tells another moment than now.
const OTHER_DATES: [&str; 4] = ["-r", "--reference", "-d", "--date"];

/// Words of a script that asks for nothing but the image, by variables that the label sets.
const LABEL_WORDS: [&str; 4] = ["ImageOS", "ImageVersion", "RUNNER_OS", "RUNNER_ARCH"];

/// Words of a script that asks this machine's system for its version.
const SYSTEM_WORDS: [&str; 2] = ["os-release", "lsb_release"];

/// Keys of the `github` context that are another in each run, or made up here.
const RUN_KEYS: [&str; 8] = [
    "sha",
    "workflow_sha",
    "run_id",
    "run_number",
    "run_attempt",
    "token",
    "event_path",
    "output",
];

/// What the expressions of a step's inputs are judged by.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) job: &'a Job,
    pub(super) step: &'a Step,
    pub(super) label: Option<&'a Label>,
    /// The step that set a variable by `GITHUB_ENV`, by the variable's name.
    pub(super) set_by: &'a IndexMap<String, String>,
    /// Where the step stands: the job's own steps, or those of a composite action.
    pub(super) frame: &'a Frame,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    bearing: Bearing,
    tools: Vec<HostedTool>,
}

impl From<Bearing> for Known {
    fn from(bearing: Bearing) -> Self {
        let tools = Vec::new();
        Self { bearing, tools }
    }
}

impl Known {
    /// What is known of a value that is made of others.
    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::from(Bearing::Portable);
        for part in parts {
            all.bearing = all.bearing.max(part.bearing);
            let is_new = |tool: &HostedTool| !all.tools.contains(tool);
            let new: Vec<_> = part.tools.into_iter().filter(is_new).collect();
            all.tools.extend(new);
        }
        all
    }
}

/// Whose `env` a name is looked up in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The step's own first.
    Step,
    /// What steps before it and the job set.
    Job,
}

impl Sources<'_> {
    /// The bearing of an expression that gave `value`, and what GitHub's value is known to be.
    pub(super) fn of(&self, expression: &Expression, value: &str) -> (Bearing, Option<Hosted>) {
        let known = self.of_expression(expression, Level::Step);
        let hosted = self.label.and_then(|label| match known.bearing {
            // It was taken from the label: GitHub's is the same.
            Bearing::Label if known.tools.is_empty() => Some(Hosted {
                label: label.name.clone(),
                value: Some(value.to_owned()),
                tools: Vec::new(),
            }),
            Bearing::Label | Bearing::Place if !known.tools.is_empty() => Some(Hosted {
                label: label.name.clone(),
                value: None,
                tools: known.tools,
            }),
            _ => None,
        });
        (known.bearing, hosted)
    }

    fn of_expression(&self, expression: &Expression, level: Level) -> Known {
        let references = expression.references();
        Known::all(references.iter().map(|path| self.of_path(path, level)))
    }

    /// What is known of each member of a mapping that a step has.
    pub(super) fn of_members(&self, token: Option<&Token>) -> IndexMap<String, Known> {
        let pairs = token.and_then(Token::as_mapping).unwrap_or_default();
        let known = pairs.iter().filter_map(|pair| {
            let known = self.of_token(&pair.value, Level::Step);
            Some((pair.key.name()?.to_owned(), known))
        });
        known.collect()
    }

    fn find_step(&self, id: &str) -> Option<&Step> {
        let steps = match (self.frame.steps(), &self.job.body) {
            (Some(steps), _) => steps,
            (None, JobBody::Steps(steps)) => steps,
            (None, JobBody::Calls(_)) => return None,
        };
        steps.iter().find(|step| step.id.eq_ignore_ascii_case(id))
    }

    fn of_token(&self, token: &Token, level: Level) -> Known {
        match &token.kind {
            TokenKind::Expression(template) => {
                let expressions = template.expressions();
                Known::all(expressions.map(|expression| self.of_expression(expression, level)))
            }
            TokenKind::Sequence(items) => {
                Known::all(items.iter().map(|item| self.of_token(item, level)))
            }
            TokenKind::Mapping(pairs) => {
                Known::all(pairs.iter().map(|pair| self.of_token(&pair.value, level)))
            }
            _ => Bearing::Portable.into(),
        }
    }

    fn of_path(&self, path: &[String], level: Level) -> Known {
        let name = |index: usize| path.get(index).map(String::as_str);
        let context = name(0).unwrap_or_default().to_ascii_lowercase();
        match (context.as_str(), name(1)) {
            ("github", key) => of_github(key, &path[1.min(path.len())..]).into(),
            ("runner", _) => Bearing::Label.into(),
            // What the job's steps made of it; the rest is of containers.
            ("job", Some(key)) if key.eq_ignore_ascii_case("status") => Bearing::Place.into(),
            ("job", _) => Bearing::Run.into(),
            ("env", Some(variable)) => self.of_variable(variable, level),
            ("inputs", Some(name)) => self.frame.known_input(name),
            ("steps", Some(id)) => match self.find_step(id) {
                Some(step) => self.of_result(step, name(2), name(3)),
                None => Bearing::Portable.into(),
            },
            ("needs", Some(id)) => self.of_needed(id, name(2), name(3)),
            // As a whole, or by a name that is computed.
            ("env" | "steps" | "needs", None) => Bearing::Place.into(),
            _ => Bearing::Portable.into(),
        }
    }

    fn of_variable(&self, name: &str, level: Level) -> Known {
        let own = || self.step.env.as_ref()?.get(name);
        if level == Level::Step
            && let Some(token) = own()
        {
            return self.of_token(token, Level::Job);
        }
        if let Some(known) = self.frame.known_variable(name) {
            return known;
        }
        if let Some(id) = self.set_by.get(name) {
            return match self.find_step(id) {
                Some(step) => self.of_step(step, Some(name)),
                None => Bearing::Place.into(),
            };
        }
        let of_job = self.job.env.as_ref().and_then(|env| env.get(name));
        let of_workflow = || self.workflow.env.as_ref()?.get(name);
        match of_job.or_else(of_workflow) {
            Some(token) => self.of_token(token, Level::Job),
            None => Bearing::Portable.into(),
        }
    }

    /// What `steps.ID.outputs.NAME` depends on, or another member of the step.
    fn of_result(&self, step: &Step, member: Option<&str>, output: Option<&str>) -> Known {
        let StepAction::Uses { reference, with } = &step.action else {
            return match member {
                Some("outputs") => self.of_step(step, output),
                _ => Bearing::Place.into(),
            };
        };
        let Uses::BuiltIn(action) = Uses::parse(&reference.value) else {
            return Bearing::Place.into();
        };
        let input = |name: &str| with.as_ref().and_then(|with| with.get(name));
        match (action.action, output.unwrap_or_default()) {
            (BuiltIn::Checkout, "ref") | (BuiltIn::DownloadArtifact, _) => Bearing::Portable.into(),
            (BuiltIn::Checkout, _) | (BuiltIn::UploadArtifact, _) => Bearing::Run.into(),
            (BuiltIn::CacheRestore, "cache-primary-key") => match input("key") {
                Some(token) => Sources { step, ..*self }.of_token(token, Level::Step),
                None => Bearing::Portable.into(),
            },
            (BuiltIn::Cache | BuiltIn::CacheRestore | BuiltIn::CacheSave, _) => {
                Bearing::Place.into()
            }
        }
    }

    /// What a job that is needed made of its steps.
    fn of_needed(&self, id: &str, member: Option<&str>, output: Option<&str>) -> Known {
        let mut jobs = self.workflow.jobs.iter();
        let job = jobs.find(|(key, _)| key.eq_ignore_ascii_case(id));
        let outputs = job.and_then(|(_, job)| Some((job, job.outputs.as_ref()?)));
        match (member, output, outputs) {
            (Some("outputs"), Some(name), Some((job, outputs))) => {
                // What its steps set by `GITHUB_ENV` is not known any more.
                let set_by = IndexMap::new();
                let there = Sources {
                    job,
                    set_by: &set_by,
                    ..*self
                };
                match outputs.get(name) {
                    Some(token) => there.of_token(token, Level::Job),
                    None => Bearing::Portable.into(),
                }
            }
            _ => Bearing::Place.into(),
        }
    }

    /// What a step's script writes under a name depends on what the statements ask that make
    /// it. Where they are not known, the place made it.
    fn of_step(&self, step: &Step, name: Option<&str>) -> Known {
        let StepAction::Run { script, .. } = &step.action else {
            return Bearing::Place.into();
        };
        let text = script_text(script);
        let Some(made) = name.and_then(|name| script::making(&text, name)) else {
            return Known {
                bearing: Bearing::Place,
                tools: self.tools(&text),
            };
        };
        let given = self.given(script, &made);
        let has = |words: &[&str]| words_of(&made.text).any(|word| words.contains(&word));
        if has(&RUN_WORDS) || is_of_moment(&made.text) || given.bearing == Bearing::Run {
            return Bearing::Run.into();
        }
        let mut tools = given.tools;
        tools.extend(self.tools(&made.text));
        if has(&SYSTEM_WORDS) {
            tools.extend(self.system());
            return Known {
                bearing: Bearing::Label,
                tools,
            };
        }
        if has(&LABEL_WORDS) && tools.is_empty() {
            return Bearing::Label.into();
        }
        Known {
            bearing: Bearing::Place,
            tools,
        }
    }

    /// What is known of the expressions in what makes an output.
    fn given(&self, script: &Token, made: &script::Made) -> Known {
        let TokenKind::Expression(template) = &script.kind else {
            return Bearing::Portable.into();
        };
        let expressions = template.expressions().enumerate();
        let of_output = expressions.filter(|(number, _)| made.expressions.contains(number));
        Known::all(of_output.map(|(_, expression)| self.of_expression(expression, Level::Job)))
    }

    /// The compilers, interpreters and package managers that a script names, as the image has
    /// them.
    fn tools(&self, script: &str) -> Vec<HostedTool> {
        let Some(label) = self.label else {
            return Vec::new();
        };
        let mut tools: Vec<HostedTool> = Vec::new();
        for word in words_of(script).filter(|word| label.version_matters(word)) {
            let versions = label.hosted_versions(word);
            let is_new = tools.iter().all(|tool| tool.command != word);
            if is_new && !versions.is_empty() {
                tools.push(HostedTool {
                    command: word.to_owned(),
                    versions,
                });
            }
        }
        tools
    }

    fn system(&self) -> Option<HostedTool> {
        let label = self.label?;
        Some(HostedTool {
            command: "os-release".to_owned(),
            versions: vec![label.facts.os_version.clone()],
        })
    }
}

/// The bearing of a key of the `github` context.
fn of_github(key: Option<&str>, path: &[String]) -> Bearing {
    let Some(key) = key else {
        return Bearing::Run;
    };
    let is = |name: &str| path.iter().any(|part| part.eq_ignore_ascii_case(name));
    let is_commit = is("event")
        && ["sha", "after", "before", "head_commit"]
            .into_iter()
            .any(is);
    match RUN_KEYS.contains(&key.to_ascii_lowercase().as_str()) || is_commit {
        true => Bearing::Run,
        false => Bearing::Portable,
    }
}

/// A script as it is written, expressions and all.
fn script_text(script: &Token) -> String {
    match &script.kind {
        TokenKind::Expression(template) => template.text().to_owned(),
        TokenKind::String(text) => text.to_string(),
        _ => String::new(),
    }
}

/// Whether statements ask what time it is now.
fn is_of_moment(text: &str) -> bool {
    let is_other = words_of(text).any(|word| OTHER_DATES.contains(&word));
    !is_other && RUN_COMMANDS.iter().any(|name| script::runs(text, name))
}

/// What may be the name of a command or a variable.
fn words_of(script: &str) -> impl Iterator<Item = &str> {
    script
        .split(|character: char| !(character.is_ascii_alphanumeric() || "_+-.".contains(character)))
}

#[cfg(test)]
mod tests;
