//! Whether GitHub would start the workflow at all, and why (docs: workflow syntax, `on`).

use super::github_event::GithubContext;
use super::judged::{JudgedFilter, Question};
use crate::git::{Changes, MOST_COMMITS};
use crate::workflow::{Token, Trigger, Workflow};

/// Files of a diff that `paths` filters look at (docs: workflow syntax, "Git diff comparisons").
const MOST_FILES: usize = 300;

/// What in a message keeps GitHub from starting anything for a push or a pull request (docs:
/// "Skipping workflow runs").
const SKIPPING: [&str; 5] = [
    "[skip ci]",
    "[ci skip]",
    "[no ci]",
    "[skip actions]",
    "[actions skip]",
];

/// The same as the last line of a message.
const SKIPPING_TRAILERS: [&str; 2] = ["skip-checks: true", "skip-checks:true"];

/// Events that start what the default branch has, and nothing that only another has (docs: events,
/// "will only trigger a workflow run if the workflow file exists on the default branch").
const OF_DEFAULT_BRANCH: [&str; 20] = [
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "delete",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "issue_comment",
    "issues",
    "label",
    "milestone",
    "page_build",
    "public",
    "registry_package",
    "repository_dispatch",
    "schedule",
    "watch",
    "workflow_dispatch",
    "workflow_run",
];

/// Whether an event starts only what the default branch has.
pub fn is_of_default_branch(event: &str) -> bool {
    OF_DEFAULT_BRANCH.contains(&event)
}

/// Whether an event runs the default branch alone: of those that start what is there, all but these
/// (docs: events, `GITHUB_REF`).
fn runs_default_branch(event: &str) -> bool {
    const OTHERS: [&str; 3] = ["page_build", "registry_package", "workflow_dispatch"];
    is_of_default_branch(event) && !OTHERS.contains(&event)
}

/// Whether GitHub starts a workflow for an event, and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Whether it does.
    pub starts: bool,
    /// Why, in one clause.
    pub why: String,
    /// Every filter there is for the event, also behind one that keeps it out.
    pub filters: Vec<JudgedFilter>,
    /// How many files the event changes, where a filter asks for that and it can be told.
    pub compared: Option<usize>,
}

/// What is known of that which an event is about.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// What changes; or why that cannot be told, in which case GitHub starts a workflow whatever its
    /// `paths` say. Looked at where [`filters_paths`] alone.
    pub changes: Result<&'a Changes, &'a str>,
    /// What the changes are compared with, in words.
    pub since: &'a str,
    /// The message of the last commit, where that is known.
    pub message: Option<&'a str>,
    /// The paths in which a pull request conflicts with its base.
    pub conflicts: &'a [String],
    /// Whether the file is known to be missing from the default branch. Looked at where
    /// [`is_of_default_branch`] alone.
    pub is_missing_there: bool,
}

/// Whether the paths that the event changes decide about a start.
pub fn filters_paths(on: &[Trigger], event: &str) -> bool {
    let filters = filters(on, event);
    let has = |key| filters.is_some_and(|filters| filters.get(key).is_some());
    has("paths") || has("paths-ignore")
}

fn filters<'w>(on: &'w [Trigger], event: &str) -> Option<&'w Token> {
    let trigger = on.iter().find(|trigger| trigger.name == event)?;
    trigger.configuration.as_ref()
}

impl Start {
    /// Judges a workflow for the event that `github` has.
    pub fn of(workflow: &Workflow, github: &GithubContext, change: Change<'_>) -> Self {
        let event = github.event_name.as_str();
        if !workflow.on.iter().any(|trigger| trigger.name == event) {
            let declared: Vec<&str> = workflow.on.iter().map(|on| on.name.as_str()).collect();
            let why = format!("it does not run on {event}, but on {}", declared.join(", "));
            return Self::no(why, Vec::new());
        }
        if event == "workflow_call" {
            let why = "it is started by the workflows that call it, and by no event";
            return Self::no(why.to_owned(), Vec::new());
        }
        let judge = Judge {
            workflow,
            github,
            change,
        };
        let judged = filters(&workflow.on, event).map(|filters| judge.filters(filters));
        let judged = judged.unwrap_or_default();
        if change.is_missing_there && is_of_default_branch(event) {
            let branch = &github.identity.default_branch;
            let why = format!("{event} starts what {branch} has, and this file is not there");
            return Self::no(why, judged);
        }
        let default = format!("refs/heads/{}", github.identity.default_branch);
        if runs_default_branch(event) && github.git_ref != default {
            let branch = &github.identity.default_branch;
            let why = format!("{event} runs on the default branch, {branch}, and on no other ref");
            return Self::no(why, judged);
        }
        let skips = matches!(event, "push" | "pull_request");
        if let Some(skipping) = change.message.and_then(skipping).filter(|_| skips) {
            let why = format!("the message of the last commit has '{skipping}'");
            return Self::no(why, judged);
        }
        if let ("pull_request", Some(first)) = (event, change.conflicts.first()) {
            let more = match change.conflicts.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            let why = format!(
                "the pull request conflicts with {} in {first}{more}",
                github.base_ref
            );
            return Self::no(why, judged);
        }
        if let Some(why) = judge.unusual_action() {
            return Self::no(why, judged);
        }
        if let Some(failing) = judged.iter().find(|filter| !filter.passes) {
            return Self::no(failing.why.clone(), judged);
        }
        let why = match judged.as_slice() {
            [] => format!("nothing under on.{event} keeps it from starting"),
            [only] => only.why.clone(),
            [several @ .., last] => {
                let keys: Vec<&str> = several.iter().map(|filter| filter.key.as_str()).collect();
                format!("{} and {} let it pass", keys.join(", "), last.key)
            }
        };
        Self {
            starts: true,
            why,
            filters: judged,
            compared: None,
        }
    }

    fn no(why: String, filters: Vec<JudgedFilter>) -> Self {
        Self {
            starts: false,
            why,
            filters,
            compared: None,
        }
    }

    /// The sentence about a run that GitHub would not have started; none where it would.
    pub fn not_started(&self) -> Option<String> {
        let why = &self.why;
        (!self.starts).then(|| format!("GitHub would not start this workflow: {why}"))
    }
}

/// What of a message keeps workflows from starting.
fn skipping(message: &str) -> Option<&'static str> {
    let last = message.trim_end().lines().last().unwrap_or_default();
    let trailer = SKIPPING_TRAILERS
        .into_iter()
        .find(|trailer| last == *trailer);
    let mut words = SKIPPING.into_iter();
    words.find(|words| message.contains(words)).or(trailer)
}

struct Judge<'a> {
    workflow: &'a Workflow,
    github: &'a GithubContext,
    change: Change<'a>,
}

impl Judge<'_> {
    fn filters(&self, filters: &Token) -> Vec<JudgedFilter> {
        let github = self.github;
        let payload = |path: &str| github.event.pointer(path).and_then(|value| value.as_str());
        let action = self.words(filters, "types", payload("/action"));
        let (more, paths) = match github.event_name.as_str() {
            "push" if github.ref_type() == "tag" => {
                (self.refs(filters, "tags", Some(github.ref_name())), true)
            }
            "push" => (
                self.refs(filters, "branches", Some(github.ref_name())),
                true,
            ),
            "pull_request" | "pull_request_target" => {
                (self.refs(filters, "branches", Some(&github.base_ref)), true)
            }
            "workflow_run" => {
                let name = payload("/workflow_run/name");
                let mut judged = self.words(filters, "workflows", name);
                let branch = payload("/workflow_run/head_branch");
                judged.extend(self.refs(filters, "branches", branch));
                (judged, false)
            }
            "merge_group" => {
                let base = payload("/merge_group/base_ref");
                let branch = base.map(|base| base.strip_prefix("refs/heads/").unwrap_or(base));
                (self.refs(filters, "branches", branch), false)
            }
            "schedule" => (vec![self.schedule(filters)], false),
            _ => (Vec::new(), false),
        };
        let mut judged = action;
        judged.extend(more);
        for key in ["paths", "paths-ignore"] {
            if let Some(patterns) = filters.get(key).filter(|_| paths) {
                judged.push(self.paths(key, patterns));
            }
        }
        judged
    }

    /// Why the action of a pull request starts nothing where no types are named.
    fn unusual_action(&self) -> Option<String> {
        const USUAL: [&str; 3] = ["opened", "synchronize", "reopened"];
        let event = self.github.event_name.as_str();
        let filters = filters(&self.workflow.on, event);
        let action = self.github.event.get("action")?.as_str()?;
        let is_usual = !matches!(event, "pull_request" | "pull_request_target")
            || filters.is_some_and(|filters| filters.get("types").is_some())
            || USUAL.contains(&action);
        (!is_usual).then(|| {
            format!(
                "on.{event} has no types, so that opened, synchronize and reopened start it, not {action}"
            )
        })
    }

    fn question<'q>(&'q self, key: &str, patterns: &'q Token) -> Question<'q> {
        Question {
            source: &self.workflow.source,
            key: format!("on.{}.{key}", self.github.event_name),
            patterns,
            names: &[],
            among: "",
        }
    }

    /// The `cron` line that the payload has, among those of the workflow.
    fn schedule(&self, times: &Token) -> JudgedFilter {
        let event = &self.github.event;
        let happened = event.get("schedule").and_then(|cron| cron.as_str());
        let field = |time: &Token, key| Some(time.get(key)?.as_str()?.to_owned());
        let is_it = |time: &&Token| field(time, "cron").as_deref() == happened;
        let found = times.items().iter().find(is_it);
        let question = self.question("cron", times);
        let why = match found {
            Some(time) => {
                let zone = field(time, "timezone").unwrap_or_else(|| "UTC".to_owned());
                let line = self.workflow.source.position(time.span.start).line;
                format!(
                    "is '{}' ({zone}) in line {line}",
                    happened.unwrap_or_default()
                )
            }
            None => format!("is nowhere '{}'", happened.unwrap_or_default()),
        };
        question.aside(found.is_some(), &why)
    }

    /// A list of words, and the one of the event's payload.
    fn words(&self, filters: &Token, key: &str, word: Option<&str>) -> Vec<JudgedFilter> {
        let Some(patterns) = filters.get(key) else {
            return Vec::new();
        };
        let question = self.question(key, patterns);
        vec![match word {
            Some(word) => Question {
                names: &[word],
                ..question
            }
            .words(),
            None => question.aside(true, UNKNOWN),
        }]
    }

    /// The filters of branches or tags. With patterns for branches alone no tag starts a workflow,
    /// and the reverse.
    fn refs(&self, filters: &Token, kind: &str, name: Option<&str>) -> Vec<JudgedFilter> {
        let mut judged = Vec::new();
        for key in [kind, &format!("{kind}-ignore")] {
            let Some(patterns) = filters.get(key) else {
                continue;
            };
            let question = self.question(key, patterns);
            judged.push(match name {
                Some(name) => Question {
                    names: &[name],
                    ..question
                }
                .glob(),
                None => question.aside(true, UNKNOWN),
            });
        }
        if !judged.is_empty() {
            return judged;
        }
        let other = if kind == "tags" { "branches" } else { "tags" };
        for key in [other, &format!("{other}-ignore")] {
            if let Some(patterns) = filters.get(key) {
                let name = name.unwrap_or_default();
                let why = format!(
                    "keeps '{name}' out: without '{kind}' beside it no {} starts the workflow",
                    singular(kind)
                );
                judged.push(self.question(key, patterns).aside(false, &why));
            }
        }
        judged
    }

    fn paths(&self, key: &str, patterns: &Token) -> JudgedFilter {
        let question = self.question(key, patterns);
        if self.github.ref_type() == "tag" && self.github.event_name == "push" {
            return question.aside(true, "is not looked at when a tag is pushed");
        }
        let changes = match self.change.changes {
            Ok(changes) => changes,
            Err(why) => {
                let why = format!("is not looked at: {why}");
                return question.aside(true, &why);
            }
        };
        if changes
            .commits
            .is_some_and(|commits| commits > MOST_COMMITS)
        {
            let why = format!("is not looked at: the push has more than {MOST_COMMITS} commits");
            return question.aside(true, &why);
        }
        let names: Vec<&str> = changes.paths.iter().map(String::as_str).collect();
        let looked_at = &names[..names.len().min(MOST_FILES)];
        let files = match names.len() {
            0 | 1 => "file".to_owned(),
            many if many > MOST_FILES => format!("first {MOST_FILES} of {many} files"),
            many => format!("{many} files"),
        };
        let among = format!("{files} changed since {}", self.change.since);
        Question {
            names: looked_at,
            among: &among,
            ..question
        }
        .glob()
    }
}

const UNKNOWN: &str = "is taken to let it pass: the payload does not say (-e FILE gives one)";

fn singular(kind: &str) -> &'static str {
    match kind {
        "tags" => "tag",
        _ => "branch",
    }
}

#[cfg(test)]
mod tests;
