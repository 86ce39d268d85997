//! `actions/upload-artifact` (to be joined with the search).
use super::{Inputs, Scope};
use crate::action::ActionRef;
use crate::agent::AgentError;
use crate::exec::effects::Effects;
use crate::outcome::Outcome;
pub(in crate::exec) async fn upload(
    _scope: Scope<'_>,
    _action: &ActionRef,
    _inputs: &Inputs,
) -> Result<Effects, AgentError> {
    Ok(Effects::of(Outcome::Success))
}
