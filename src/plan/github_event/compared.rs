//! What an event's changed paths are the difference of (docs: workflow syntax, "Git diff
//! comparisons").

use super::identity::Identity;
use super::trigger::{Base, EventOptions};
use crate::git::{Content, Facts, Range, RangeStart};

/// A range of commits, and its beginning in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The range.
    pub range: Range,
    /// What the end is compared with: `origin/main`.
    pub since: String,
}

/// A revision that the user names with `--since`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// As it was named.
    pub revision: String,
    /// The id of its commit.
    pub commit: String,
}

/// What is compared with `end`, and its name.
fn compared(end: &Content, (start, since): (RangeStart, String)) -> Compared {
    Compared {
        range: Range {
            start,
            end: end.clone(),
        },
        since,
    }
}

fn given(since: &Since) -> (RangeStart, String) {
    (
        RangeStart::Commit(since.commit.clone()),
        since.revision.clone(),
    )
}

/// The range of a pull request.
pub(super) fn of_pull_request(options: &EventOptions, base: &Base, head: &Content) -> Compared {
    let start = match &options.since {
        Some(since) => given(since),
        None => (
            RangeStart::MergeBase(base.commit.clone()),
            format!("it left {}", base.branch),
        ),
    };
    compared(head, start)
}

/// The range of a push to a branch; nothing is compared when a tag is pushed.
pub(super) fn of_push(
    options: &EventOptions,
    git_ref: &str,
    end: &Content,
    facts: &Facts,
) -> Option<Compared> {
    let branch = git_ref.strip_prefix("refs/heads/")?;
    let start = match &options.since {
        Some(since) => given(since),
        None => pushed(branch, end, facts),
    };
    Some(compared(end, start))
}

/// What a push of a branch is compared with.
fn pushed(branch: &str, end: &Content, facts: &Facts) -> (RangeStart, String) {
    let Some(known) = facts.refs.get(&format!("refs/remotes/origin/{branch}")) else {
        return new_branch(branch, facts);
    };
    let (commit, is_whole) = match end {
        Content::Commit(id) => (id, true),
        Content::Folder => (&facts.commit, facts.is_clean()),
    };
    if *commit != known.commit || !is_whole {
        let start = RangeStart::Commit(known.commit.clone());
        return (start, format!("origin/{branch}"));
    }
    // What is pushed already is taken for the last push again.
    let parents = facts.head_commit.as_ref().filter(|head| head.id == *commit);
    match parents.map(|head| head.parents.first()) {
        Some(None) => (RangeStart::Nothing, "the beginning".to_owned()),
        Some(Some(parent)) => (RangeStart::Commit(parent.clone()), before(commit)),
        None => (RangeStart::Commit(format!("{commit}^")), before(commit)),
    }
}

fn before(commit: &str) -> String {
    format!("the commit before {}", commit.get(..7).unwrap_or(commit))
}

/// A branch that GitHub does not have.
fn new_branch(branch: &str, facts: &Facts) -> (RangeStart, String) {
    let default = Identity::of(facts).default_branch;
    let known = facts.refs.branch(&default).filter(|_| default != branch);
    let has_origin = facts.refs.below("refs/remotes/origin/").next().is_some();
    match known {
        Some(known) => (
            RangeStart::NewBranch {
                known: vec![known.to_owned()],
            },
            format!("{branch} left {default}"),
        ),
        None if has_origin => (
            RangeStart::NewBranch { known: Vec::new() },
            "the branches of origin".to_owned(),
        ),
        None => (RangeStart::Nothing, "the beginning".to_owned()),
    }
}
