//! `lrun vendor`: everything that workflows need from elsewhere, into the store.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;

use super::actions::{self, Elsewhere};
use super::args::ActionArguments;
use super::document;
use super::exit::ExitCode;
use super::externals::{self, Needed, Ways};
use super::failure::{Failure, printed, tell};
use super::find::{self, Found};
use crate::action::{Actions, Own, Resolved, Wanted};
use crate::config::{LrunToml, NodeSource, Settings};
use crate::git::{Content, Facts, Snapshot};
use crate::plan::github_event::Identity;
use crate::workflow::{Job, JobBody, Location, StepAction, Workflow};

const HELP: &str = "\
Fetches every action and called workflow that the workflows name, whatever their conditions say, and \
what those use in turn; prints each with the commit that its ref stands for. Node for JavaScript actions \
is fetched too. Afterwards `lrun --offline` \
needs no network. Private repositories are fetched by your own git with your own credentials.

Exit codes: 0 all is there; 2 something does not exist, or a workflow is not acceptable; 4 something \
cannot be had here.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct VendorArguments {
    /// The workflows: paths, or names under .github/workflows; default: all of them.
    workflow: Vec<String>,
    /// As if started in this directory.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    actions: ActionArguments,
}

/// Fetches what workflows need.
pub(super) fn vendor(arguments: &VendorArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let directory = &arguments.directory;
    let all: Vec<Found> = match arguments.workflow.is_empty() {
        true => find::workflows(directory)?,
        false => {
            let names = arguments.workflow.iter();
            names
                .map(|name| find::workflow(directory, Some(name)))
                .collect::<Result<_, _>>()?
        }
    };
    let elsewhere = Elsewhere::of_run(&arguments.actions, directory, &settings.store.value)?;
    let elsewhere = Rc::new(elsewhere);
    let actions = &elsewhere.open()?.1;
    let mut fetched = Fetched::default();
    let mut source = NodeSource::default();
    let mut worst = ExitCode::Success;
    let scratch = tempfile::tempdir().map_err(Failure::cannot_run)?;
    let mut is_first = true;
    for found in &all {
        let workflow = document::in_folder(found, &elsewhere)?;
        if is_first {
            let own = own(found, scratch.path())?;
            let toml = LrunToml::read(&found.root, &own.name, &settings);
            source = toml.map_err(Failure::usage)?.node;
            actions::of_commit(&elsewhere, own, &workflow)?;
            is_first = false;
        }
        for (job, reference) in workflow.not_followed() {
            let why = "the workflow that it calls cannot be had";
            tell(format!(
                "error: job '{}': {}: {why}",
                job.id.value, reference.text
            ));
            worst = ExitCode::CannotRun;
        }
        worst = later(worst, fetch(actions, &workflow, &mut fetched));
    }
    let ways = Ways {
        given: None,
        source: &source,
        offline: arguments.actions.offline,
    };
    if let Err(failure) = externals::ensure(fetched.needed(), ways, &settings) {
        tell(failure.text);
        worst = later(worst, failure.code);
    }
    let mut out = io::stdout().lock();
    let written = fetched
        .resolved
        .iter()
        .try_for_each(|(name, commit)| writeln!(out, "{name} {commit}"));
    printed(written).map(|_| worst)
}

/// What was fetched of all workflows.
#[derive(Debug, Default)]
struct Fetched {
    /// `owner/repo@ref`, and what it came to.
    resolved: BTreeSet<(String, String)>,
    /// The versions of the JavaScript actions.
    nodes: Vec<u32>,
    insists_on_node20: bool,
}

impl Fetched {
    fn needed(&self) -> Needed {
        Needed::of(&self.nodes, false, self.insists_on_node20)
    }
}

/// Fetches what one workflow uses, with those that it calls.
fn fetch(actions: &Actions, workflow: &Workflow, fetched: &mut Fetched) -> ExitCode {
    let mut uses: Vec<(Location, String)> = Vec::new();
    let mut locations = Vec::new();
    actions::each_workflow(workflow, &mut |workflow| {
        locations.push(workflow.location.clone());
        let used = workflow.jobs.values().flat_map(used_by);
        uses.extend(used.map(|uses| (workflow.location.clone(), uses)));
    });
    let wanted: Vec<_> = uses
        .iter()
        .map(|(from, uses)| Wanted { from, uses })
        .collect();
    let resolution = actions.resolve(&wanted);
    let of_workflows = actions.resolved_files(&locations.iter().collect::<Vec<_>>());
    let all = of_workflows.iter().chain(&resolution.resolved);
    fetched.resolved.extend(all.map(named));
    fetched.nodes.extend(resolution.nodes);
    fetched.insists_on_node20 |= externals::insists_on_node20(workflow);
    let mut worst = ExitCode::Success;
    for (index, missing) in resolution.missing {
        tell(format!(
            "error: {}: action '{}' cannot be had: {missing}",
            workflow.source.path, uses[index].1
        ));
        worst = later(
            worst,
            match missing.why.is_mistake() {
                true => ExitCode::Usage,
                false => ExitCode::CannotRun,
            },
        );
    }
    worst
}

fn used_by(job: &Job) -> Vec<String> {
    let JobBody::Steps(steps) = &job.body else {
        return Vec::new();
    };
    let uses = steps.iter().filter_map(|step| match &step.action {
        StepAction::Uses { reference, .. } => Some(reference.value.clone()),
        _ => None,
    });
    uses.collect()
}

fn named(resolved: &Resolved) -> (String, String) {
    let name = format!("{}@{}", resolved.repository, resolved.git_ref);
    let is = match &resolved.folder {
        Some(folder) => folder.display().to_string(),
        None => resolved.commit.clone(),
    };
    (name, is)
}

/// What this machine cannot do is worth more than the user's mistakes: those are mended in the file.
fn later(one: ExitCode, other: ExitCode) -> ExitCode {
    match (one, other) {
        (ExitCode::Success, other) => other,
        (one, ExitCode::Success) => one,
        (ExitCode::CannotRun, _) | (_, ExitCode::CannotRun) => ExitCode::CannotRun,
        (one, _) => one,
    }
}

/// The commit that a run of the folder would be of.
fn own(found: &Found, objects: &std::path::Path) -> Result<Own, Failure> {
    let (repository, facts) = Facts::discover(&found.root).map_err(Failure::cannot_run)?;
    let snapshot = Snapshot::take(&repository, &facts, &Content::Folder, objects)
        .map_err(Failure::cannot_run)?;
    Ok(Own {
        objects: snapshot.objects.clone(),
        name: Identity::of(&facts).repository(),
        commit: snapshot.sha().to_owned(),
        repository,
    })
}
