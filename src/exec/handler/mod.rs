//! One file per kind of step. A handler is given what it needs, already evaluated, and
//! returns effects; it changes nothing of the job.

mod action_files;
mod batches;
mod cache;
mod cache_rules;
mod checkout;
mod download_artifact;
mod interrupt;
mod javascript;
mod outside;
mod process;
mod restore;
mod results;
mod script;
mod upload_artifact;

pub(in crate::exec) use action_files::lay_out_action;
pub(super) use cache::{
    cannot_save as cannot_save_cache, restore as restore_cache, save as save_cache,
};
pub(super) use checkout::checkout;
pub(super) use download_artifact::download as download_artifact;
pub(super) use interrupt::{Interrupt, Interruption};
pub(super) use javascript::{JavaScript, run as run_javascript};
pub(super) use script::{Script, run as run_script};
pub(super) use upload_artifact::upload as upload_artifact;

use std::sync::Arc;

use indexmap::IndexMap;

use super::environment::FileCommandPaths;
use super::job::Place;
use super::log::StepLog;
use super::run::Run;
use crate::store::{Saver, Store};

/// What a handler is given.
pub(super) struct Scope<'a> {
    /// The run it belongs to.
    pub(super) run: &'a Arc<Run>,
    /// The job's place.
    pub(super) place: &'a Place,
    /// What the store knows the step by: its id, behind those of the composite steps it stands in.
    pub(super) address: String,
    /// Its name as GitHub shows it.
    pub(super) name: &'a str,
    /// The step's log.
    pub(super) log: &'a mut StepLog,
    /// What may end it early.
    pub(super) interrupt: Interrupt,
}

impl Scope<'_> {
    /// Who saves what this step saves.
    fn saver(&self) -> Saver {
        Saver {
            run: self.run.id,
            job: self.place.key.clone(),
        }
    }
}

/// Inputs of an action: names as the workflow spells them, values as text.
pub(super) type Inputs = IndexMap<String, String>;

/// An input, trimmed as `core.getInput` does; empty when it is not given.
pub(super) fn input<'i>(inputs: &'i Inputs, name: &str) -> &'i str {
    inputs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

/// The process of a step: its environment and the files it may write to.
pub(super) struct ProcessContext {
    /// The whole environment.
    pub(super) env: Vec<(String, String)>,
    /// The files behind `GITHUB_ENV` and the like.
    pub(super) files: FileCommandPaths,
}

/// Runs something on the store without holding up other jobs.
async fn in_store<T: Send + 'static, E: Send + 'static>(
    scope: &Scope<'_>,
    work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let store = scope.run.store.clone();
    match tokio::task::spawn_blocking(move || work(&store)).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
