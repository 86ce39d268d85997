//! The actions of a run: found before it starts, or why it does not start.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{ActionArguments, ToolsArgument};
use super::document::NOT_FOUND;
use super::failure::{Failure, tell};
use crate::action::{
    ActionOptions, Actions, Mapping, Missing, MissingReason, Own, Resolution, Resolved, Wanted,
};
use crate::config::Settings;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::{EventKind, Events};
use crate::plan::{InContainers, Obstacle, ObstacleKind, Plan, Used};
use crate::source::Source;
use crate::store::Store;
use crate::workflow::{Called, Document, JobBody, LOCK_FILE, Location, Lock, Workflow, read_lock};

/// What became of the actions that a plan uses.
pub(super) struct Found {
    /// What refs came to.
    resolved: Vec<Resolved>,
    /// What is not had, and need not be had here.
    passed_over: Vec<String>,
    /// The versions of its JavaScript actions.
    nodes: Vec<u32>,
    /// Whether there may be others.
    unforeseen: bool,
    /// Everything that is in the way of the run, what the plan knows of too.
    in_the_way: Vec<Obstacle>,
}

/// Other repositories, as far as a command may look at them. The store is opened when one is asked for.
#[derive(Debug)]
pub(super) struct Elsewhere {
    directory: PathBuf,
    options: ActionOptions,
    opened: OnceCell<Result<(Store, Arc<Actions>), Failure>>,
}

impl Elsewhere {
    /// For commands that run nothing: what the store has already.
    pub(super) fn stored() -> Self {
        // Without a store nothing is there.
        let settings = Settings::of_process().ok();
        Self {
            directory: settings
                .map(|settings| settings.store.value)
                .unwrap_or_default(),
            options: ActionOptions {
                mapped: Vec::new(),
                offline: true,
                tools_of_host: false,
                update: false,
                tell: |_| (),
            },
            opened: OnceCell::new(),
        }
    }

    /// For a run, which fetches what it lacks.
    pub(super) fn of_run(
        arguments: &ActionArguments,
        directory: &Path,
        store: &Path,
    ) -> Result<Self, Failure> {
        Ok(Self {
            directory: store.to_owned(),
            options: ActionOptions {
                mapped: mapped(arguments, directory)?,
                offline: arguments.offline,
                tools_of_host: arguments.tools == ToolsArgument::Host,
                update: arguments.update,
                tell: |text| tell(text),
            },
            opened: OnceCell::new(),
        })
    }

    /// Whether nothing is fetched.
    pub(super) fn is_offline(&self) -> bool {
        self.options.offline
    }

    /// The store, and all that is known of other repositories.
    pub(super) fn open(&self) -> Result<&(Store, Arc<Actions>), Failure> {
        let opened = self.opened.get_or_init(|| {
            let store = Store::open(&self.directory).map_err(Failure::cannot_run)?;
            let actions = Actions::new(store.clone(), self.options.clone());
            Ok((store, Arc::new(actions)))
        });
        opened.as_ref().map_err(Clone::clone)
    }

    /// Has workflows of other repositories at hand, or why they are not.
    pub(super) fn bring(&self, locations: &[&Location]) {
        // A command that only looks makes no store.
        if self.is_offline() && !self.directory.join("actions").is_dir() {
            return;
        }
        if let Ok((_, actions)) = self.open() {
            actions.bring_files(locations);
        }
    }

    /// Workflows that this one calls have the commits of the lock, if that lists it.
    pub(super) fn bind(&self, lock: &Lock, workflow: &Location) {
        if let Ok((_, actions)) = self.open() {
            actions.bind_files(lock, workflow);
        }
    }

    /// A workflow of another repository.
    pub(super) fn document(&self, location: &Location) -> Document {
        let opened = self.opened.get();
        let found = match opened {
            Some(Ok((_, actions))) => actions.file(location),
            Some(Err(failure)) => {
                let why = failure.text.clone();
                return Document::NotHere { why };
            }
            None => None,
        };
        match found {
            Some(Ok(Some(text))) => Document::Found(Source::new(location.to_string(), text)),
            Some(Ok(None)) => Document::Missing {
                why: NOT_FOUND.to_owned(),
            },
            Some(Err(MissingReason::Remote(error))) if error.is_not_there() => Document::Missing {
                why: format!("{NOT_FOUND}: {error}"),
            },
            Some(Err(MissingReason::Remote(error))) => Document::NotHere {
                why: error.to_string(),
            },
            Some(Err(MissingReason::Offline)) | None => Document::NotHere {
                why: "it is in another repository and not in the store; `lrun vendor` gets it"
                    .to_owned(),
            },
            Some(Err(why)) => Document::NotHere {
                why: why.to_string(),
            },
        }
    }
}

/// The folders that `--action` names.
pub(super) fn mapped(
    arguments: &ActionArguments,
    directory: &Path,
) -> Result<Vec<Mapping>, Failure> {
    let options = arguments.action.iter();
    options
        .map(|option| Mapping::parse(option, directory).map_err(Failure::usage))
        .collect()
}

/// The actions that a run of this commit may use, under the lock that it has.
pub(super) fn of_commit(
    elsewhere: &Elsewhere,
    own: Own,
    workflow: &Workflow,
) -> Result<Arc<Actions>, Failure> {
    let lock = lock(&own, workflow)?;
    let actions = Arc::clone(&elsewhere.open()?.1);
    actions.run_of(own, lock);
    Ok(actions)
}

/// The lock file of the run's commit, where there is one and the workflow, or one that it calls, is bound
/// by it.
fn lock(own: &Own, workflow: &Workflow) -> Result<Option<Arc<Lock>>, Failure> {
    let Some(text) = own.file(LOCK_FILE).map_err(Failure::cannot_run)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let lock = read_lock(Source::new(LOCK_FILE, text)).map_err(|found| Failure::invalid(&found))?;
    let mut unpinned = Vec::new();
    each_workflow(workflow, &mut |workflow| {
        unpinned.extend(lock.unpinned(workflow));
    });
    match unpinned.is_empty() {
        true => Ok(Some(Arc::new(lock))),
        false => Err(Failure::invalid(&unpinned)),
    }
}

/// Shows a workflow and all that it calls.
pub(super) fn each_workflow(workflow: &Workflow, see: &mut impl FnMut(&Workflow)) {
    see(workflow);
    for job in workflow.jobs.values() {
        if let JobBody::Calls(call) = &job.body
            && let Called::Workflow(called) = &call.called
        {
            each_workflow(called, see);
        }
    }
}

/// Looks for all actions that a plan uses.
pub(super) fn look(actions: &Actions, plan: &Plan) -> Resolution {
    let used = plan.uses();
    let wanted: Vec<_> = used
        .iter()
        .map(|used| Wanted {
            from: &used.location,
            uses: &used.uses,
        })
        .collect();
    actions.resolve(&wanted)
}

/// Those of them that run in containers and whose steps may run.
pub(super) fn in_containers(plan: &Plan, looked: &Resolution) -> InContainers {
    let used = plan.uses();
    let mut found = InContainers::default();
    for (index, missing) in &looked.missing {
        let used = used[*index];
        if matches!(missing.why, MissingReason::Docker) && !used.excluded {
            let through = missing.through.iter().chain([&missing.uses]);
            let through: Vec<_> = through.map(String::as_str).collect();
            found.add(&used.location, &used.uses, through.join(" uses "));
        }
    }
    found
}

/// Says what became of all actions that a plan uses and that were looked for.
///
/// # Errors
/// What the user has written and GitHub would not run, where nothing else is in the way.
pub(super) fn find(
    actions: &Actions,
    workflow: &Workflow,
    plan: &Plan,
    resolution: Resolution,
) -> Result<Found, Failure> {
    let mut called = Vec::new();
    each_workflow(workflow, &mut |workflow| {
        called.push(workflow.location.clone())
    });
    let mut resolved = actions.resolved_files(&called.iter().collect::<Vec<_>>());
    let used = plan.uses();
    let (mut obstacles, mut mistakes, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
    for (index, missing) in &resolution.missing {
        let used = used[*index];
        if used.excluded && !missing.why.fails_on_github() {
            passed_over.push(format!(
                "action '{}' of job '{}' cannot be had: {missing}; its step is skipped, but GitHub sets it up",
                used.uses, used.job
            ));
        } else if missing.why.is_mistake() {
            mistakes.push((obstacle(used, missing), missing.clone()));
        } else {
            obstacles.push(obstacle(used, missing));
        }
    }
    let in_the_way = plan.refusals.iter().filter(|refusal| match &refusal.kind {
        ObstacleKind::Action { reference, .. } => !actions.is_mapped(reference),
        _ => true,
    });
    let mut all: Vec<Obstacle> = in_the_way.cloned().collect();
    all.extend(obstacles);
    if all.is_empty() && !mistakes.is_empty() {
        return Err(mistaken(&mistakes));
    }
    all.extend(mistakes.into_iter().map(|(obstacle, _)| obstacle));
    let new = resolution.resolved.into_iter();
    let new: Vec<_> = new.filter(|one| !resolved.contains(one)).collect();
    resolved.extend(new);
    Ok(Found {
        resolved,
        passed_over,
        nodes: resolution.nodes,
        unforeseen: resolution.unforeseen,
        in_the_way: all,
    })
}

fn obstacle(used: &Used, missing: &Missing) -> Obstacle {
    let why = match missing.why.is_mistake() {
        true => format!("GitHub fails the job in 'Set up job': {missing}"),
        false => missing.to_string(),
    };
    Obstacle {
        source: Arc::clone(&used.source),
        span: used.span,
        job: used.job.clone(),
        kind: ObstacleKind::Action {
            reference: used.uses.clone(),
            why,
        },
    }
}

/// What the user has written and GitHub would not run.
fn mistaken(mistakes: &[(Obstacle, Missing)]) -> Failure {
    let manifests = mistakes.iter().flat_map(|(_, missing)| match &missing.why {
        MissingReason::Invalid(found) => found.to_vec(),
        _ => Vec::new(),
    });
    let obstacles: Vec<_> = mistakes
        .iter()
        .map(|(obstacle, _)| obstacle.clone())
        .collect();
    Failure::set_up(&obstacles, &manifests.collect::<Vec<_>>())
}

impl Found {
    /// Everything that is in the way of the run.
    pub(super) fn in_the_way(&self) -> &[Obstacle] {
        &self.in_the_way
    }

    /// Whether the run may come to JavaScript actions that nobody knows of before.
    pub(super) fn is_unforeseen(&self) -> bool {
        self.unforeseen
    }

    /// The versions that its JavaScript actions are of, 20 of `node20`.
    pub(super) fn nodes(&self) -> &[u32] {
        &self.nodes
    }

    /// Tells what refs came to.
    pub(super) fn send(&self, events: &Events) {
        for resolved in &self.resolved {
            events.send(EventKind::ActionResolved(resolved.fact()));
        }
    }

    /// What of it may be otherwise than on GitHub.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let passed_over = self.passed_over.iter();
        let passed_over = passed_over.map(|text| (text.clone(), Effect::MayFlip));
        let resolved = self.resolved.iter().flat_map(unlike);
        passed_over
            .chain(resolved)
            .map(|(text, effect)| Difference {
                kind: DifferenceKind::Other { text },
                site: Site::Run,
                effect,
            })
            .collect()
    }
}

fn unlike(resolved: &Resolved) -> Vec<(String, Effect)> {
    let Resolved {
        repository,
        git_ref,
        commit,
        folder,
        before,
        unasked,
    } = resolved;
    let mut all = Vec::new();
    if let Some(folder) = folder {
        let text = format!(
            "{repository}@{git_ref} is taken from {}, not from GitHub",
            folder.display()
        );
        all.push((text, Effect::MayFlip));
    }
    if let Some(before) = before {
        let text = format!("{repository}@{git_ref} has moved from {before} to {commit}");
        all.push((text, Effect::MayShift));
    }
    if let Some(why) = unasked {
        let text = format!(
            "{repository}@{git_ref} is taken at {commit}, which it was more than a day ago; it was not asked again: {why}"
        );
        all.push((text, Effect::MayShift));
    }
    all
}
