//! Stand-ins for actions that set tools up, for when they cannot be fetched or the tools of this
//! machine are asked for: answered from what the machine has, with the outputs, the environment
//! and the caches of the originals. A version that is not here is an error, never another one.
//!
//! One action a file. What is behind a hash that the originals make of more than is known here
//! is made of the same files by lrun's own recipe, and said to be.

mod bench;
mod go;
mod java;
mod node;
mod python;
mod range;
mod rust_cache;
mod rust_toolchain;
mod uv;

use super::Scope;
use bench::{Bench, Stop};

use crate::agent::AgentError;
use crate::difference::Effect;
use crate::exec::effects::Effects;
use crate::exec::step::ActionInputs;
use crate::label::Label;
use crate::outcome::Outcome;
use crate::workflow::{ActionRef, BuiltIn};

/// What a stand-in is told besides its scope.
pub(in crate::exec) struct SetUp {
    /// The action it stands in for.
    pub(in crate::exec) action: ActionRef,
    /// Its inputs.
    pub(in crate::exec) inputs: ActionInputs,
    /// The environment of the step.
    pub(in crate::exec) env: Vec<(String, String)>,
    /// The label that the job runs on.
    pub(in crate::exec) label: Option<Label>,
}

/// Answers in the action's place.
pub(in crate::exec) async fn set_up(
    scope: &mut Scope<'_>,
    set_up: &SetUp,
) -> Result<Effects, AgentError> {
    let mut bench = Bench::new(scope, set_up);
    bench.differ(
        format!(
            "{} is answered from this machine's tools, not by the action itself; its problem matchers are left out",
            set_up.action.action.stands_in_for()
        ),
        Effect::MayShift,
    );
    let done = match set_up.action.action {
        BuiltIn::SetupGo => go::set_up(&mut bench).await,
        BuiltIn::SetupJava => java::set_up(&mut bench).await,
        BuiltIn::SetupNode => node::set_up(&mut bench).await,
        BuiltIn::SetupPython => python::set_up(&mut bench).await,
        BuiltIn::SetupUv => uv::set_up(&mut bench).await,
        BuiltIn::RustCache => rust_cache::set_up(&mut bench).await,
        BuiltIn::RustToolchain => rust_toolchain::set_up(&mut bench).await,
        // These are answered by handlers of their own.
        _ => Ok(()),
    };
    match done {
        Ok(()) => Ok(bench.effects),
        Err(Stop::Failed(message)) => {
            let mut effects = bench.effects;
            scope.log.error(message);
            effects.outcome = Outcome::Failure;
            Ok(effects)
        }
        Err(Stop::Agent(error)) => Err(error),
    }
}
