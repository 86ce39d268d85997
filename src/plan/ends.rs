//! How jobs are certain to end before anything runs, and what follows from that for those that need
//! them, directly or not.

use serde_json::json;

use super::decided::{Facts, is_false};
use super::make::PlannedJob;
use crate::expr::{CallError, Contexts, EvaluationError, Expression, Object, Value};
use crate::outcome::Outcome;

/// What is known of a job's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing.
    Open,
    /// This one.
    Certain(Outcome),
    /// No success, whichever else.
    Unsuccessful,
}

impl End {
    /// What to call it where it is no success.
    pub(super) fn unsuccessful(self) -> Option<Outcome> {
        match self {
            Self::Open => None,
            Self::Certain(outcome) => Some(outcome),
            Self::Unsuccessful => Some(Outcome::Failure),
        }
    }
}

/// A job that another one needs, and what is known of its end.
pub(super) type Needed<'p> = (&'p PlannedJob, End);

/// What is known of a job's condition.
#[derive(Debug)]
pub(super) enum Decision {
    /// Nothing, or that it may hold.
    Open,
    /// It is false however those that it needs end.
    False,
    /// It has no value where all that it needs ends well. That it has none in any case is `always`.
    Fails {
        error: EvaluationError,
        always: bool,
    },
}

/// The jobs that a job needs, directly or not, the nearest first; `planned` has all of them.
pub(super) fn ancestors<'p>(
    needs: &[String],
    planned: &'p [PlannedJob],
    end: impl Fn(&PlannedJob) -> End,
) -> Vec<Needed<'p>> {
    let mut found: Vec<Needed<'p>> = Vec::new();
    let mut open: Vec<&String> = needs.iter().collect();
    while !open.is_empty() {
        let mut next = Vec::new();
        for id in open {
            let is_new = found.iter().all(|(job, _)| job.id != *id);
            let job = planned.iter().find(|job| is_new && job.id == *id);
            if let Some(job) = job {
                found.push((job, end(job)));
                next.push(job);
            }
        }
        open = next.into_iter().flat_map(|job| &job.needs).collect();
    }
    found
}

/// Decides a job's condition: status functions look at all that it needs, directly or not, and
/// `needs` has those that it names itself.
pub(super) fn decide(
    condition: &Expression,
    needs: &[String],
    ancestors: &[Needed<'_>],
    facts: &Facts,
) -> Decision {
    let facts = with_needs(facts, needs, ancestors);
    let facts = facts.seen_by(&[condition]);
    let evaluated: Vec<_> = worlds(ancestors)
        .into_iter()
        .map(|world| {
            let assumed = Assumed {
                facts: &facts,
                ancestors,
                world,
            };
            (world.cancelled, condition.evaluate(&assumed))
        })
        .collect();
    if evaluated.iter().all(|(_, value)| is_false(value)) {
        return Decision::False;
    }
    let fails = |value: &Result<Value, EvaluationError>| match value {
        Err(error) if !matches!(error, EvaluationError::Pending { .. }) => Some(error.clone()),
        _ => None,
    };
    let always = || {
        let mut ordinary = evaluated.iter().filter(|(cancelled, _)| !cancelled);
        ordinary.all(|(_, value)| fails(value).is_some())
    };
    match evaluated.first().and_then(|(_, value)| fails(value)) {
        Some(error) => Decision::Fails {
            error,
            always: always(),
        },
        None => Decision::Open,
    }
}

/// The facts with what `needs` is certain to have.
fn with_needs(facts: &Facts, needs: &[String], ancestors: &[Needed<'_>]) -> Facts {
    let direct = ancestors.iter().filter(|(job, _)| needs.contains(&job.id));
    let known: Object = direct
        .filter_map(|(job, end)| match end {
            End::Certain(outcome) => {
                let value = json!({ "result": outcome, "outputs": {} });
                Some((job.id.clone(), Value::from(value)))
            }
            _ => None,
        })
        .collect();
    match known.len() == needs.len() {
        true => facts.with("needs", known.into()),
        false => facts.with_part("needs", known),
    }
}

/// One way in which all may end that a job needs.
#[derive(Debug, Clone, Copy)]
struct World {
    success: bool,
    failure: bool,
    cancelled: bool,
}

/// Every way that is possible, the best first.
fn worlds(ancestors: &[Needed<'_>]) -> Vec<World> {
    let any = |wanted: End| ancestors.iter().any(|(_, end)| *end == wanted);
    let failed = any(End::Certain(Outcome::Failure));
    let all_certain = ancestors
        .iter()
        .all(|(_, end)| matches!(end, End::Certain(_)));
    let may_succeed = ancestors.iter().all(|(_, end)| *end == End::Open);
    let mut worlds = Vec::new();
    let mut add = |success, failure, cancelled| {
        worlds.push(World {
            success,
            failure,
            cancelled,
        });
    };
    if may_succeed {
        add(true, false, false);
    }
    if !failed && !ancestors.is_empty() {
        add(false, false, false);
    }
    if failed || !all_certain {
        add(false, true, false);
        add(false, true, true);
    }
    add(false, false, true);
    worlds
}

struct Assumed<'a> {
    facts: &'a Facts,
    ancestors: &'a [Needed<'a>],
    world: World,
}

impl Assumed<'_> {
    /// A status function about these jobs alone; none where their ends are open.
    fn of_named(&self, function: &str, named: &[Value]) -> Option<bool> {
        let end = |name: &Value| {
            let name = name.to_text();
            let mut ancestors = self.ancestors.iter();
            let found = ancestors.find(|(job, _)| job.id.eq_ignore_ascii_case(&name));
            found.map(|(_, end)| *end)
        };
        let ends: Vec<End> = named.iter().filter_map(end).collect();
        let failed = ends.contains(&End::Certain(Outcome::Failure));
        let all_certain = ends.iter().all(|end| matches!(end, End::Certain(_)));
        match function {
            "success" if ends.iter().any(|end| *end != End::Open) => Some(false),
            "failure" if failed => Some(true),
            "failure" if all_certain => Some(false),
            _ => None,
        }
    }
}

impl Contexts for Assumed<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        self.facts.context(name)
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let function = function.to_ascii_lowercase();
        let answer = match function.as_str() {
            "always" => Some(true),
            "cancelled" => Some(self.world.cancelled),
            _ if !arguments.is_empty() => self.of_named(&function, arguments),
            "success" => Some(self.world.success),
            "failure" => Some(self.world.failure),
            _ => None,
        };
        answer.map(Value::Bool).ok_or(CallError::Pending)
    }
}
