//! `steps`: of jobs and of composite actions.

use std::collections::HashMap;
use std::ops::Range;

use crate::source::{Located, Span};

use super::condition::{Place, condition};
use super::fields::{Fields, located};
use super::ids::Ids;
use super::references;
use crate::workflow::hint;
use crate::workflow::model::{Condition, Step, StepAction};
use crate::workflow::problems::Problems;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Token, TokenKind};

/// Converts the items of `steps`; groups become their steps and a wait for exactly those.
pub(super) fn steps(
    items: Vec<Token>,
    schema: &'static Schema,
    problems: &mut Problems,
) -> Vec<Step> {
    let mut reader = StepsReader {
        schema,
        problems,
        drafts: Vec::new(),
        ids: Ids::default(),
        known: HashMap::new(),
        groups: 0,
    };
    for item in items {
        reader.item(item);
    }
    reader.finish()
}

/// A step whose id is not known yet: the file's ids come first, whatever their order.
struct Draft {
    step: Step,
    id: Option<Located<String>>,
    /// What the id is made up from otherwise.
    words: String,
    /// The drafts of the group that it closes.
    group: Option<Range<usize>>,
}

impl Draft {
    /// The group in whose list it stands; none for the job's own list.
    fn list(&self) -> Option<usize> {
        self.step.group.filter(|_| self.group.is_none())
    }
}

/// What a step does.
struct Found {
    action: StepAction,
    /// What its id is made up from.
    words: String,
    /// The name GitHub gives a step that waits or cancels.
    control: Option<&'static str>,
}

const EARLIER: &str = "a target is the 'id' of an earlier step of the job";

struct StepsReader<'p> {
    schema: &'static Schema,
    problems: &'p mut Problems,
    drafts: Vec<Draft>,
    ids: Ids,
    /// The ids that a step may wait for or cancel, by the upper-cased: of earlier steps, as the file gives them. A group has
    /// its own.
    known: HashMap<String, String>,
    /// How many `parallel` groups there were.
    groups: usize,
}

impl StepsReader<'_> {
    fn item(&mut self, item: Token) {
        let span = item.span;
        let (found, keys) = (self.problems.len(), item.key_starts());
        let mut fields = Fields::of(item, self.problems);
        match fields.take("parallel").map(|group| group.kind) {
            None => self.step(fields, span, None),
            Some(TokenKind::Sequence(steps)) => self.group(steps, span),
            Some(_) => {}
        }
        self.problems.order_by_key(found, &keys);
    }

    /// `parallel`: each step in the background, then a wait for all of them.
    fn group(&mut self, steps: Vec<Token>, span: Span) {
        let first = self.drafts.len();
        let outside = std::mem::take(&mut self.known);
        let refused: Vec<&str> = steps.iter().filter_map(refused_in_group).collect();
        for step in steps {
            self.item(step);
        }
        self.known = outside;
        // GitHub names the group, not the step in it.
        for message in refused {
            self.problems.add(span, message);
        }
        for draft in &mut self.drafts[first..] {
            draft.step.background = Some(true);
        }
        self.step(Fields::default(), span, Some(first..self.drafts.len()));
        for draft in &mut self.drafts[first..] {
            draft.step.group = Some(self.groups);
        }
        self.groups += 1;
    }

    fn step(&mut self, mut fields: Fields, span: Span, group: Option<Range<usize>>) {
        let Some(Found {
            action,
            words,
            control,
        }) = self.action(&mut fields, group.is_some())
        else {
            return;
        };
        let id = fields.take_string("id");
        self.check_targets(&action, id.as_ref());
        if let Some(id) = &id {
            self.take_id(id);
        }
        let Some(condition) = self.condition(fields.take("if"), span, control.is_some()) else {
            return;
        };
        let control = control.map(|name| Token::new(span, TokenKind::String(name.into())));
        let background = fields.take("background");
        let step = Step {
            id: String::new(),
            listed_id: String::new(),
            explicit_id: id.is_some(),
            span,
            name: match control {
                None => fields.take("name"),
                // Its name is never made up from what it does.
                Some(name) => fields.take_filled("name").or(Some(name)),
            },
            condition,
            env: fields.take("env"),
            continue_on_error: fields.take("continue-on-error"),
            timeout_minutes: fields.take("timeout-minutes"),
            background: background.map(|token| token.kind == TokenKind::Bool(true)),
            group: None,
            action,
        };
        self.drafts.push(Draft {
            step,
            id,
            words,
            group,
        });
    }

    fn action(&mut self, fields: &mut Fields, is_group: bool) -> Option<Found> {
        if let Some(script) = fields.take("run") {
            let action = StepAction::Run {
                script,
                shell: fields.take("shell"),
                working_directory: fields.take("working-directory"),
            };
            let words = "run".to_owned();
            return Some(Found {
                action,
                words,
                control: None,
            });
        }
        if let Some(reference) = fields.take_string("uses") {
            references::check_action(&reference, self.problems);
            let words = references::words(&reference.value);
            let with = fields.take("with");
            let action = StepAction::Uses { reference, with };
            return Some(Found {
                action,
                words,
                control: None,
            });
        }
        let control = |action, words: &str, name| {
            let words = words.to_owned();
            Some(Found {
                action,
                words,
                control: Some(name),
            })
        };
        if let Some(targets) = fields.take("wait") {
            let targets = targets.items().iter().filter_map(located).collect();
            return control(StepAction::Wait { targets }, "wait", "Wait");
        }
        if let Some(value) = fields.take("wait-all") {
            if value.kind == TokenKind::Bool(false) {
                let message = "The value of 'wait-all' must be true or omitted";
                self.problems.add(value.span, message);
            }
            return control(StepAction::WaitAll, "wait-all", "Wait for all");
        }
        if let Some(target) = fields.take_string("cancel") {
            return control(StepAction::Cancel { target }, "cancel", "Cancel");
        }
        if !is_group {
            return None;
        }
        let targets = Vec::new();
        control(StepAction::Wait { targets }, "parallel", "Parallel group")
    }

    /// Steps that wait or cancel always run (`JobExtension.cs` of the runner).
    fn condition(
        &mut self,
        token: Option<Token>,
        span: Span,
        is_control: bool,
    ) -> Option<Condition> {
        let always = is_control.then(|| Token::new(span, TokenKind::String("always()".into())));
        let token = always.or(token);
        let (schema, definition) = (self.schema, "step-if");
        let place = Place {
            schema,
            definition,
            owner: span,
        };
        condition(token.as_ref(), place, self.problems)
    }

    fn take_id(&mut self, id: &Located<String>) {
        match self.ids.take(&id.value) {
            Ok(()) => drop(self.known.insert(id.value.to_uppercase(), id.value.clone())),
            Err(error) => self.problems.add(id.span, error.to_string()),
        }
    }

    /// A target is the id of an earlier step, as the file gives it.
    fn check_targets(&mut self, action: &StepAction, own: Option<&Located<String>>) {
        let targets = match action {
            StepAction::Wait { targets } => targets.as_slice(),
            StepAction::Cancel { target } => std::slice::from_ref(target),
            _ => &[],
        };
        for target in targets {
            let id = target.value.as_str();
            // GitHub takes the keys one by one: an id that comes later is not known yet.
            let own = own.filter(|own| own.span.start < target.span.start);
            let own = own.filter(|own| own.value.to_uppercase() == id.to_uppercase());
            let message = if id.starts_with("__") {
                format!("The identifier '{id}' is invalid. IDs starting with '__' are reserved.")
            } else if let Some(own) = own {
                format!("Step '{}' cannot reference itself", own.value)
            } else if self.known.contains_key(&id.to_uppercase()) {
                continue;
            } else {
                format!("Step references unknown step ID '{id}'")
            };
            let known = self.known.values().map(String::as_str);
            let is_told = !self.problems.is_full();
            let help = is_told.then(|| hint::meant(id, known)).flatten();
            let help = help.or(Some(EARLIER.to_owned()));
            self.problems.add_with_help(target.span, message, help);
        }
    }

    fn finish(mut self) -> Vec<Step> {
        let mut lists: HashMap<Option<usize>, Ids> = HashMap::new();
        for draft in &self.drafts {
            let list = lists.entry(draft.list()).or_default();
            // What is wrong with it has been told.
            draft.id.iter().for_each(|id| drop(list.take(&id.value)));
        }
        for draft in &mut self.drafts {
            let list = lists.entry(draft.list()).or_default();
            (draft.step.id, draft.step.listed_id) = match &draft.id {
                Some(id) => (id.value.clone(), id.value.clone()),
                None => (self.ids.make(&draft.words), list.make(&draft.words)),
            };
        }
        self.fill_groups();
        self.drafts.into_iter().map(|draft| draft.step).collect()
    }

    fn fill_groups(&mut self) {
        for index in 0..self.drafts.len() {
            let Some(group) = self.drafts[index].group.clone() else {
                continue;
            };
            let members = self.drafts[group].iter();
            let ids: Vec<_> = members
                .map(|member| Located::new(member.step.id.clone(), member.step.span))
                .collect();
            if let StepAction::Wait { targets } = &mut self.drafts[index].step.action {
                targets.extend(ids);
            }
        }
    }
}

/// Why a step cannot stand in a `parallel` group: there are only `run` and `uses` in it.
fn refused_in_group(step: &Token) -> Option<&'static str> {
    const REFUSED: [(&str, &str); 5] = [
        (
            "background",
            "'background' is not allowed inside a parallel block. Steps in a parallel block are automatically run as background steps.",
        ),
        ("wait", "'wait' is not allowed inside a parallel block."),
        (
            "wait-all",
            "'wait-all' is not allowed inside a parallel block.",
        ),
        ("cancel", "'cancel' is not allowed inside a parallel block."),
        ("parallel", "Nested 'parallel' blocks are not allowed."),
    ];
    let refused = |(key, _): &&(&str, &str)| step.get(key).is_some();
    REFUSED.iter().find(refused).map(|(_, message)| *message)
}
