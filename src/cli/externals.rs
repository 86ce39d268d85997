//! Node.js for the JavaScript actions of a run: had before anything starts.

use std::path::Path;

use super::failure::{Failure, tell};
use crate::config::{NodeSource, Settings};
use crate::externals::{self, Externals, Fetched, Node, Release, Sources};
use crate::label::Architecture;
use crate::workflow::Workflow;

/// What a run's actions need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needed {
    /// Whether there is a JavaScript action at all.
    pub(super) node24: bool,
    /// Whether one of `node20` or older is to run on what it was written for.
    pub(super) node20: bool,
    /// Whether there may be a JavaScript action that nobody knows of yet: node is had if that is
    /// possible, and its lack is the step's to tell.
    pub(super) maybe: bool,
}

/// How it may be had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways<'a> {
    /// `--node`
    pub(super) given: Option<&'a Path>,
    /// `[node]` of `lrun.toml`.
    pub(super) source: &'a NodeSource,
    /// `--offline`
    pub(super) offline: bool,
}

impl Needed {
    /// What JavaScript actions of these versions (20 of `node20`) need. `node20` itself is
    /// needed only where the environment of the run asks for it
    /// (`ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION`; runner `NodeUtil`).
    pub(super) fn of(versions: &[u32], maybe: bool, insists_on_node20: bool) -> Self {
        Self {
            maybe,
            node24: !versions.is_empty(),
            node20: insists_on_node20 && versions.iter().any(|version| *version <= 20),
        }
    }
}

/// The variable that has old actions run on the node that they were written for (runner `NodeUtil`).
pub(super) const INSISTS: &str = "ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION";

/// Whether a workflow sets it for a whole job.
pub(super) fn insists_on_node20(workflow: &Workflow) -> bool {
    let jobs = workflow.jobs.values().map(|job| &job.env);
    let mut environments = jobs.chain([&workflow.env]).flatten();
    environments.any(|env| env.get(INSISTS).is_some())
}

/// Has what is needed in hand; one that the user names is tried in any case. What is fetched,
/// and from where, is told.
///
/// # Errors
/// When it is not there and cannot be fetched, or what was named is no node.
pub(super) fn ensure(
    needed: Needed,
    ways: Ways<'_>,
    settings: &Settings,
) -> Result<Externals, Failure> {
    if let Some(path) = ways.given {
        let node = externals::given(path).map_err(|error| match error.is_mistake() {
            true => Failure::usage(error),
            false => Failure::cannot_run(error),
        })?;
        // It stands in for whatever an action asks for.
        return Ok(Externals {
            node20: needed.node20.then(|| node.clone()),
            node24: Some(node),
        });
    }
    let Some(architecture) = Architecture::here() else {
        return Ok(Externals::default());
    };
    let had = |is_needed: bool, release: Release| -> Result<Option<Node>, Failure> {
        match is_needed {
            true => fetch(&release, ways, settings).map(Some),
            false => Ok(None),
        }
    };
    let node24 = Release::node24(architecture);
    if needed.maybe && !needed.node24 {
        return Ok(Externals {
            node24: fetch(&node24, ways, settings).ok(),
            node20: None,
        });
    }
    Ok(Externals {
        node24: had(needed.node24, node24)?,
        node20: had(needed.node20, Release::node20(architecture))?,
    })
}

/// What of it is not in the store where nothing is fetched: to be told with all that is missing.
pub(super) fn missing(needed: Needed, ways: Ways<'_>, settings: &Settings) -> Vec<String> {
    let Some(architecture) = Architecture::here() else {
        return Vec::new();
    };
    if !ways.offline || ways.given.is_some() {
        return Vec::new();
    }
    let sources = sources(ways, settings);
    let releases = [
        (needed.node24, Release::node24(architecture)),
        (needed.node20, Release::node20(architecture)),
    ];
    let needed = releases.iter().filter(|(is_needed, _)| *is_needed);
    needed
        .filter_map(|(_, release)| sources.lacks(release))
        .map(|lacking| lacking.to_string())
        .collect()
}

fn sources<'a>(ways: Ways<'a>, settings: &'a Settings) -> Sources<'a> {
    let mirror = ways.source.mirror.as_ref();
    Sources {
        store: &settings.store.value,
        mirror: mirror.map(|mirror| mirror.value.as_str()),
        offline: ways.offline,
        environment: &settings.environment,
    }
}

fn fetch(release: &Release, ways: Ways<'_>, settings: &Settings) -> Result<Node, Failure> {
    let sources = sources(ways, settings);
    let mut is_new = false;
    let before = || {
        is_new = true;
        tell(format!(
            "node {} for JavaScript actions is fetched, once for all runs (about 50 MB)",
            release.version
        ));
    };
    let Fetched { node, failed } = sources
        .ensure(release, before)
        .map_err(Failure::cannot_run)?;
    for (origin, error) in failed {
        tell(format!("warning: {origin} does not have it: {error}"));
    }
    if is_new {
        tell(format!("node {} came from {}", node.version, node.origin));
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node20_is_needed_where_an_action_is_of_it_and_the_user_insists() {
        let is = |node24, node20| Needed {
            node24,
            node20,
            maybe: false,
        };
        assert_eq!(Needed::of(&[], false, true), is(false, false));
        assert_eq!(Needed::of(&[20, 24], false, false), is(true, false));
        assert_eq!(Needed::of(&[16, 24], false, true), is(true, true));
        assert_eq!(Needed::of(&[24], false, true), is(true, false));
    }
}
