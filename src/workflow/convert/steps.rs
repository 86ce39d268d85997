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
    let drafts = Vec::new();
    let mut reader = StepsReader {
        schema,
        problems,
        drafts,
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
    /// The drafts of the group that it waits for.
    group: Range<usize>,
}

/// What a step does.
struct Found {
    action: StepAction,
    /// What its id is made up from.
    words: String,
    /// The name GitHub gives a step that waits or cancels.
    control: Option<&'static str>,
}

struct StepsReader<'p> {
    schema: &'static Schema,
    problems: &'p mut Problems,
    drafts: Vec<Draft>,
    /// How many `parallel` groups there were.
    groups: usize,
}

impl StepsReader<'_> {
    fn item(&mut self, item: Token) {
        let span = item.span;
        let mut fields = Fields::of(item, self.problems);
        match fields.take("parallel").map(|group| group.kind) {
            None => self.step(fields, span, 0..0),
            Some(TokenKind::Sequence(steps)) => self.group(steps, span),
            Some(_) => {}
        }
    }

    /// `parallel`: each step in the background, then a wait for all of them.
    fn group(&mut self, steps: Vec<Token>, span: Span) {
        let first = self.drafts.len();
        for step in steps {
            if !is_plain(&step) {
                let message = "A 'parallel' group may only contain 'run' and 'uses' steps without 'background'";
                self.problems.add(step.span, message);
                continue;
            }
            let span = step.span;
            let fields = Fields::of(step, self.problems);
            self.step(fields, span, 0..0);
            if let Some(draft) = self.drafts.last_mut() {
                draft.step.background = true;
            }
        }
        self.step(Fields::default(), span, first..self.drafts.len());
        for draft in &mut self.drafts[first..] {
            draft.step.group = Some(self.groups);
        }
        self.groups += 1;
    }

    fn step(&mut self, mut fields: Fields, span: Span, group: Range<usize>) {
        let Some(Found {
            action,
            words,
            control,
        }) = self.action(&mut fields, &group)
        else {
            return;
        };
        let Some(condition) = self.condition(fields.take("if"), span, control.is_some()) else {
            return;
        };
        let id = fields.take_string("id");
        let control = control.map(|name| Token::new(span, TokenKind::String(name.into())));
        let background = fields.take("background").map(|token| token.kind);
        let step = Step {
            id: String::new(),
            explicit_id: id.is_some(),
            span,
            name: fields.take_filled("name").or(control),
            condition,
            env: fields.take("env"),
            continue_on_error: fields.take("continue-on-error"),
            timeout_minutes: fields.take("timeout-minutes"),
            background: background == Some(TokenKind::Bool(true)),
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

    fn action(&mut self, fields: &mut Fields, group: &Range<usize>) -> Option<Found> {
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
                self.problems
                    .add(value.span, "'wait-all' may only be empty or true");
            }
            return control(StepAction::WaitAll, "wait-all", "Wait for all");
        }
        if let Some(target) = fields.take_string("cancel") {
            return control(StepAction::Cancel { target }, "cancel", "Cancel");
        }
        if group.is_empty() {
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

    fn finish(mut self) -> Vec<Step> {
        let mut ids = Ids::default();
        for draft in &self.drafts {
            if let Some(id) = &draft.id
                && let Err(error) = ids.take(&id.value)
            {
                self.problems.add(id.span, error.to_string());
            }
        }
        for draft in &mut self.drafts {
            draft.step.id = match &draft.id {
                Some(id) => id.value.clone(),
                None => ids.make(&draft.words),
            };
        }
        self.check_targets();
        self.fill_groups();
        self.drafts.into_iter().map(|draft| draft.step).collect()
    }

    /// A target is the id of an earlier step, as the file gives it.
    fn check_targets(&mut self) {
        let mut earlier: HashMap<String, &str> = HashMap::new();
        for draft in &self.drafts {
            let targets = match &draft.step.action {
                StepAction::Wait { targets } => targets.as_slice(),
                StepAction::Cancel { target } => std::slice::from_ref(target),
                _ => &[],
            };
            for target in targets {
                if !earlier.contains_key(&target.value.to_uppercase()) {
                    let message = format!(
                        "The step '{}' is not defined before this step. A target must be the 'id' of an earlier step.",
                        target.value
                    );
                    let known = earlier.values().copied();
                    let help = hint::meant(&target.value, known);
                    self.problems.add_with_help(target.span, message, help);
                }
            }
            let id = draft.id.iter();
            earlier.extend(id.map(|id| (id.value.to_uppercase(), id.value.as_str())));
        }
    }

    fn fill_groups(&mut self) {
        for index in 0..self.drafts.len() {
            let members = self.drafts[self.drafts[index].group.clone()].iter();
            let ids: Vec<_> = members
                .map(|member| Located::new(member.step.id.clone(), member.step.span))
                .collect();
            if let StepAction::Wait { targets } = &mut self.drafts[index].step.action {
                targets.extend(ids);
            }
        }
    }
}

fn is_plain(step: &Token) -> bool {
    (step.get("run").is_some() || step.get("uses").is_some()) && step.get("background").is_none()
}
