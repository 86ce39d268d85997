//! `jobs.<id>`

use crate::expr::{Available, Expression};
use crate::source::Located;

use super::condition::{Place, condition};
use super::fields::{Fields, located};
use super::{containers, matrix, names, references, steps};
use crate::workflow::call::{Call, Called};
use crate::workflow::documents::Reference;
use crate::workflow::location::Location;
use crate::workflow::model::{Defaults, Job, JobBody, Strategy};
use crate::workflow::permissions::Permissions;
use crate::workflow::problems::Problems;
use crate::workflow::schema::Schema;
use crate::workflow::token::{Token, TokenKind};

/// Converts one job; none when its `if` cannot be compiled, which is reported.
///
/// Its permissions are its own yet: what it has of its workflow and its caller is added in `calls`.
pub(super) fn job(
    id: Located<String>,
    token: Token,
    from: &Location,
    problems: &mut Problems,
) -> Option<Job> {
    let mut fields = Fields::of(token, problems);
    let needs = fields.take("needs");
    let needs = needs
        .iter()
        .flat_map(Token::items)
        .filter_map(located)
        .collect();
    let place = Place {
        schema: Schema::workflow(),
        definition: "job-if",
        owner: id.span,
    };
    let condition = condition(fields.take("if").as_ref(), place, problems);
    let strategy = fields
        .take("strategy")
        .map(|token| strategy(token, problems));
    let runs_on = fields.take("runs-on");
    if let Some(group) = runs_on.as_ref().and_then(|token| token.get("group")) {
        check_runner_group(group, problems);
    }
    let snapshot = fields.take("snapshot");
    if let Some(snapshot) = &snapshot {
        check_snapshot(snapshot, problems);
    }
    let defaults = Defaults {
        written: fields.take("defaults"),
    };
    let body = body(&mut fields, from, problems);
    let (container, services) = (fields.take("container"), fields.take("services"));
    containers::check(container.as_ref(), services.as_ref(), problems);
    let (environment, concurrency) = (fields.take("environment"), fields.take("concurrency"));
    names::check(runs_on.as_ref(), "job runs-on property name", problems);
    names::check(environment.as_ref(), "job environment key", problems);
    names::check(concurrency.as_ref(), "concurrency group key", problems);
    Some(Job {
        condition: condition?,
        id,
        name: fields.take_filled("name"),
        needs,
        strategy,
        runs_on,
        env: fields.take("env"),
        defaults,
        timeout_minutes: fields.take("timeout-minutes"),
        cancel_timeout_minutes: fields.take("cancel-timeout-minutes"),
        continue_on_error: fields.take("continue-on-error"),
        container,
        services,
        outputs: fields.take("outputs"),
        environment,
        concurrency,
        permissions: fields.take("permissions").as_ref().map(Permissions::read),
        cache_mode: fields.take_string("cache-mode"),
        snapshot,
        body,
    })
}

fn body(fields: &mut Fields, from: &Location, problems: &mut Problems) -> JobBody {
    let Some(uses) = fields.take_string("uses") else {
        let items = match fields.take("steps").map(|steps| steps.kind) {
            Some(TokenKind::Sequence(items)) => items,
            _ => Vec::new(),
        };
        return JobBody::Steps(steps::steps(items, Schema::workflow(), problems));
    };
    references::check_workflow(&uses, problems);
    // One that leads nowhere was reported.
    let location = from.resolve(&uses.value).unwrap_or(Location::own(""));
    let text = uses.value.clone();
    JobBody::Calls(Box::new(Call {
        uses,
        with: fields.take("with"),
        secrets: fields.take("secrets"),
        called: Called::NotFollowed {
            reference: Reference { text, location },
            why: "called workflows were not looked for".to_owned(),
        },
    }))
}

fn strategy(token: Token, problems: &mut Problems) -> Strategy {
    let strategy = Strategy { written: token };
    if let Some(matrix) = strategy.matrix() {
        matrix::check(matrix, problems);
    }
    strategy
}

/// A group may say whose it is: `organization/x`, `enterprise/x`, or short.
fn check_runner_group(group: &Token, problems: &mut Problems) {
    let Some((owner, name)) = group.as_str().and_then(|text| text.split_once('/')) else {
        return;
    };
    let text = group.as_str().unwrap_or_default();
    let known = matches!(owner, "org" | "organization" | "ent" | "enterprise");
    if !known || name.contains('/') {
        let message = format!(
            "Invalid runs-on group name '{text}'. Please use 'organization/' or 'enterprise/' prefix to target a single runner group."
        );
        problems.add(group.span, message);
    } else if name.is_empty() {
        problems.add(group.span, format!("Invalid runs-on group name '{text}'."));
    }
}

/// The condition is an expression without status functions; the version names a major version only.
fn check_snapshot(snapshot: &Token, problems: &mut Problems) {
    let condition = snapshot.get("if").and_then(located);
    if let Some(condition) = condition.filter(|text| !text.value.trim().is_empty()) {
        let context = &Schema::workflow().get("snapshot-if").context;
        let available = Available::from_schema(context);
        if let Err(error) = Expression::parse(&condition.value, &available) {
            let context = context.iter().copied();
            problems.add_expression(condition.span, &condition.value, error, context);
        }
    }
    let Some(version) = snapshot.get("version").and_then(located) else {
        return;
    };
    let major = version.value.strip_suffix(".*");
    if !major.is_some_and(|major| !major.is_empty() && major.bytes().all(|c| c.is_ascii_digit())) {
        let message = format!(
            "Expected format '{{major-version}}.*' Actual '{}'",
            version.value
        );
        problems.add(version.span, message);
    }
}
