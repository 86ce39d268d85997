//! lrun's readers beside GitHub's own, on generated inputs: what the official npm packages say
//! of them, and what lrun says.
//!
//! Inputs are the same in every run. Where two implementations of GitHub's differ the runner's
//! counts (`src/` of actions/runner); those differences are rules with names, their effects are
//! counted, and everything else that differs fails. Needs Node.js 20 and npm.

#[path = "../support/npm.rs"]
mod npm;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/workflow_texts.rs"]
mod workflow_texts;

mod calls;
mod expressions;
mod filters;
mod globs;
mod grammar;
mod minimatch;
mod packages;
mod templates;
mod workflows;

/// Fails and shows the first of what differs, if anything does.
fn assert_same(wrong: &[String]) {
    const SHOWN: usize = 20;
    let shown = wrong.iter().take(SHOWN).map(String::as_str);
    let shown = shown.collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differ:\n{shown}", wrong.len());
}
