//! JavaScript actions (runner `NodeScriptActionHandler`).

use std::sync::Arc;

use super::process::{self, Command};
use super::{Inputs, ProcessContext, Scope};
use crate::agent::AgentError;
use crate::exec::effects::Effects;
use crate::exec::loaded::Loaded;

/// A part of a JavaScript action with everything evaluated.
pub(in crate::exec) struct JavaScript {
    /// Node.js, and the script of this part.
    pub(in crate::exec) argv: [String; 2],
    /// Its environment and the files it may write to.
    pub(in crate::exec) process: ProcessContext,
    /// What the log shows first; nothing of it for a post part.
    pub(in crate::exec) header: Option<Vec<String>>,
    /// Its inputs.
    pub(in crate::exec) inputs: Inputs,
    /// The action.
    pub(in crate::exec) action: Arc<Loaded>,
}

/// Runs a part of an action. One that fails says itself why.
///
/// # Errors
/// When the agent cannot be spoken to.
pub(in crate::exec) async fn run(
    scope: Scope<'_>,
    script: JavaScript,
) -> Result<Effects, AgentError> {
    match script.header {
        Some(lines) => scope
            .log
            .group(&format!("Run {}", script.action.shown), lines),
        None => scope.log.runner("Post job cleanup."),
    }
    let [node, file] = script.argv;
    let command = Command {
        needs: vec![file.clone()],
        argv: vec![node, file],
        directory: scope.place.paths.workspace.clone(),
        files: Vec::new(),
        says_exit: false,
    };
    process::run(scope, command, script.process).await
}
