//! `actions/checkout` into a clone that is in the workspace already: its own commands, run by the
//! job's user.

use super::Scope;
use super::checkout::{done_with, failed, in_background};
use super::outside::Outside;
use crate::agent::protocol::{ProcessSpec, User};
use crate::agent::{AgentError, Process};
use crate::event::LogLine;
use crate::exec::effects::Effects;
use crate::exec::log::StepLog;
use crate::exec::paths;
use crate::exec::workspace::{
    self, ANEW, COMMAND_MARK, GROUP_MARKS, Renewal, Staging, WorkspaceError,
};
use crate::plan::CheckoutInputs;

/// Where programs are in a place.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Renews the clone at `target`. None where the action would give it up and make a new one.
pub(super) async fn renew(
    scope: &mut Scope<'_>,
    inputs: &CheckoutInputs,
    target: &str,
) -> Result<Option<Effects>, AgentError> {
    let outside = Outside::of(scope);
    let asked = inputs.clone();
    let renewal = match in_background(move || prepare(&outside, &asked)).await {
        Ok(renewal) => renewal,
        // What only a new clone can have, and a new one would be the same but for times.
        Err(WorkspaceError::NotInPlace { .. }) if inputs.clean => return Ok(None),
        Err(error) => return Ok(Some(failed(scope, &error))),
    };
    for (kind, line) in &renewal.log {
        scope.log.line(*kind, line);
    }
    let spec = ProcessSpec {
        argv: ["/bin/sh", "-c", &renewal.script].map(str::to_owned).into(),
        env: [("HOME", paths::HOME), ("PATH", PATH), ("LANG", "C.UTF-8")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        cwd: target.to_owned(),
        user: User::Job,
    };
    let mut process = match scope.place.agent.spawn(spec).await {
        Ok(process) => process,
        Err(error @ AgentError::NotStarted { .. }) => {
            scope.log.error(error.to_string());
            return Ok(Some(Effects::of(crate::outcome::Outcome::Failure)));
        }
        Err(error) => return Err(error),
    };
    log_output(&mut process, scope.log).await;
    let code = process.wait().await?.code;
    Ok(match code {
        0 => Some(done_with(
            scope,
            inputs,
            (renewal.files, renewal.changed),
            (&renewal.commit, &renewal.git_ref),
        )),
        ANEW => None,
        code => Some(failed(scope, &WorkspaceError::ActionGit { code })),
    })
}

/// Puts what the commands fetch from into the place.
fn prepare(outside: &Outside, inputs: &CheckoutInputs) -> Result<Renewal, WorkspaceError> {
    let stand_in = format!("{}/{}", paths::TEMP, uuid::Uuid::new_v4());
    let staging = Staging {
        directory: &outside.staging,
        owner: outside.run.owner(),
        after: None,
        replaces: true,
        shelf: None,
    };
    let places = (outside.workspace.as_str(), stand_in.as_str());
    let renewal = workspace::renew(&outside.run.source(), inputs, places, staging)?;
    let inside = outside.below_home(&stand_in).unwrap_or_default();
    renewal.put(&outside.home, &inside)?;
    Ok(renewal)
}

/// Takes the commands' lines over.
async fn log_output(process: &mut Process, log: &StepLog) {
    let mut pending = Vec::new();
    while let Some((_, bytes)) = process.output.recv().await {
        pending.extend(bytes);
        while let Some(end) = pending.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = pending.drain(..=end).collect();
            log_line(&line[..end], log);
        }
    }
    if !pending.is_empty() {
        log_line(&pending, log);
    }
}

fn log_line(line: &[u8], log: &StepLog) {
    let line = String::from_utf8_lossy(line);
    // Of a line that git writes again and again, what it became.
    let line = line
        .trim_end_matches('\r')
        .rsplit('\r')
        .next()
        .unwrap_or_default();
    let [begin, end] = GROUP_MARKS;
    let (kind, text) = match line.chars().next() {
        Some(mark) if mark == COMMAND_MARK => (LogLine::Command, &line[1..]),
        Some(mark) if mark == begin => (LogLine::Group, &line[1..]),
        Some(mark) if mark == end => (LogLine::EndGroup, ""),
        _ => (LogLine::Output, line),
    };
    log.line(kind, text);
}
