//! Everything between arguments and the first job: the repository's state, the event, the
//! store, the plan, and what stands in the way. Nothing has been started when this fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::actions;
use super::args::{NetworkArgument, RunArguments};
use super::checkouts;
use super::failure::Failure;
use super::find::Found;
use super::inputs;
use super::subject::{Asked, Declared, Ground, Subject, summary, workflow_name};
use crate::action::Own;
use crate::backend::sandbox::Sandbox;
use crate::config::Settings;
use crate::config::network::{self, Machine};
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::{Events, RunSummary};
use crate::exec::workspace::Others;
use crate::exec::{self, Content, Given, Janitor, NetworkAccess, PlaceSettings, Run};
use crate::expr::Value;
use crate::externals::{self, Externals};
use crate::git::{GitError, Repository};
use crate::inventory::{ToolSource, Toolchains};
use crate::label::Architecture;
use crate::plan::github_event::{GithubContext, Identity, RunIdentity, Trigger, dispatch_inputs};
use crate::plan::{self, Plan, Selection, Start};
use crate::store::{self, NewRun, Store};
use crate::workflow::Workflow;

/// A run that may start.
pub(super) struct Prepared {
    pub(super) run: Arc<Run>,
    pub(super) plan: Plan,
    /// Where the run's record goes.
    pub(super) record: PathBuf,
    /// Held until the run is over.
    pub(super) alive: File,
    pub(super) summary: RunSummary,
    /// The actions that it uses.
    pub(super) actions: actions::Found,
    /// What is known to differ before anything runs.
    pub(super) differences: Vec<Difference>,
}

/// What a run is connected to.
pub(super) struct Wiring {
    /// Where its facts go.
    pub(super) events: Events,
    /// What makes its places.
    pub(super) backend: Sandbox,
}

/// Finds out all that a run needs to know, and refuses it if it cannot be carried out here.
pub(super) fn prepare(
    arguments: &RunArguments,
    settings: &Settings,
    found: &Found,
    workflow: Arc<Workflow>,
    wiring: Wiring,
) -> Result<Prepared, Failure> {
    let ground = Ground::look(&found.root, settings)?;
    let asked = Asked {
        pretend: &arguments.pretend,
        given: &arguments.given,
        declared: Declared::Only,
        tells_missing: false,
    };
    let subject = Subject::find(asked, found, workflow, &ground)?;
    let store = Store::open(&settings.store.value).map_err(Failure::cannot_run)?;
    let repository = Identity::of(ground.facts()).repository();
    let record = store
        .next_run(&repository, &subject.workflow.source.path)
        .map_err(Failure::cannot_run)?;
    let directory = record.directory.clone();
    let beginning = Beginning {
        subject,
        store,
        record,
        wiring,
    };
    beginning.prepare(arguments, settings).inspect_err(|_| {
        // Nothing was started: nothing is left of the attempt.
        let _ = store::remove_tree(&directory);
    })
}

/// A run that has its place in the store and nothing else.
struct Beginning<'g> {
    subject: Subject<'g>,
    store: Store,
    record: NewRun,
    wiring: Wiring,
}

impl Beginning<'_> {
    fn prepare(self, arguments: &RunArguments, settings: &Settings) -> Result<Prepared, Failure> {
        let Self {
            subject,
            store,
            record,
            wiring: Wiring { events, backend },
        } = self;
        let snapshot = subject
            .snapshot(&record.work.join("objects"))
            .map_err(of_git)?;
        let identity = RunIdentity {
            run: record.id,
            number: record.number,
            workflow: workflow_name(&subject.workflow),
            workflow_path: subject.workflow.source.path.clone(),
        };
        let facts = subject.ground.facts();
        let github = GithubContext::new(
            &subject.trigger,
            &subject.options,
            facts,
            &snapshot,
            identity,
        );
        // With conflicts there would be no commit to run.
        let start = subject.start(&github, &[]);
        let Subject {
            ground,
            workflow,
            trigger,
            given,
            ..
        } = subject;
        let given = Given {
            inputs: dispatch_inputs(&workflow, &trigger.event, &given.inputs)
                .map_err(Failure::usage)?,
            vars: Value::from(serde_json::json!(given.vars)),
            secrets: given.secrets,
            env: given.env,
        };
        let place = place_settings(arguments, settings, &ground.repository)?;
        let own = Own {
            repository: ground.repository.clone(),
            objects: snapshot.objects.clone(),
            name: github.identity.repository(),
            commit: snapshot.sha().to_owned(),
        };
        let lock = actions::lock(&own, &workflow)?;
        let actions = actions::of_run(&arguments.actions, &arguments.directory, &store, own, lock)?;
        let janitor = Janitor::start(store.root(), record.id).map_err(|error| {
            Failure::cannot_run(format!("cannot start the janitor of the run: {error}"))
        })?;
        // The janitor's work: nobody waits for it.
        store.leave_log().map_err(Failure::cannot_run)?;
        let run = Arc::new(Run {
            id: record.id,
            github,
            given,
            content: Content {
                repository: ground.repository.clone(),
                facts: ground.facts().clone(),
                snapshot,
            },
            others: Others {
                kept: store.root().join("repositories"),
                offline: arguments.actions.offline,
                update: arguments.actions.update,
            },
            store_position: store.position().map_err(Failure::cannot_run)?,
            backend,
            place,
            events,
            directory: record.work,
            lock: record.lock,
            janitor: Arc::new(janitor),
            store,
            workflow,
            actions: Arc::new(actions),
        });
        let plan = make_plan(arguments, &run)?;
        let found = actions::find(&run.actions, &plan)?;
        checkouts::fetch(&run, &plan)?;
        let mut differences = differences(&run, &plan, &trigger, &start);
        differences.extend(found.differences());
        Ok(Prepared {
            record: run.store.record(run.id),
            alive: record.alive,
            summary: summary(
                &run.github,
                &run.content.snapshot,
                exec::job_summaries(&plan),
            ),
            actions: found,
            differences,
            plan,
            run,
        })
    }
}

fn place_settings(
    arguments: &RunArguments,
    settings: &Settings,
    repository: &Repository,
) -> Result<PlaceSettings, Failure> {
    let machine = Machine {
        root: Path::new("/"),
        home: settings.home.as_deref(),
        environment: &settings.environment,
    };
    let carried = match arguments.place.no_network_config {
        true => network::nothing_carried(&machine),
        false => network::carried(&machine),
    };
    let toolchains = match (&settings.home, Architecture::here()) {
        (Some(home), Some(architecture)) => Toolchains::find(&ToolSource {
            home,
            environment: &settings.environment,
            store: &settings.store.value.join("tools"),
            architecture,
        })
        .map_err(Failure::cannot_run)?,
        _ => Toolchains::default(),
    };
    Ok(PlaceSettings {
        network: match arguments.place.network {
            NetworkArgument::Host => NetworkAccess::Host,
            NetworkArgument::None => NetworkAccess::None,
        },
        carried,
        toolchains,
        externals: externals(arguments)?,
        hidden: hidden(settings, repository),
        name: format!("host: {}", system_name()),
        machine: this_machine(),
    })
}

/// What runs JavaScript actions.
fn externals(arguments: &RunArguments) -> Result<Externals, Failure> {
    let given = arguments.place.node.as_deref().map(externals::given);
    Ok(Externals {
        node24: given
            .transpose()
            .map_err(|error| match error.is_mistake() {
                true => Failure::usage(error),
                false => Failure::cannot_run(error),
            })?,
        ..Externals::default()
    })
}

/// What of the user's a job must not see. A home or a repository at the root of the file
/// system cannot be hidden without hiding everything.
fn hidden(settings: &Settings, repository: &Repository) -> Vec<PathBuf> {
    let git = repository.objects.parent().map(Path::to_owned);
    let directories = settings.home.iter().chain([&repository.root]).chain(&git);
    directories
        .filter(|path| path.parent().is_some())
        .cloned()
        .collect()
}

/// The machine's id (machine-id(5)), or its name where it has none, and its processors.
fn this_machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let name = || {
        let name = nix::unistd::gethostname().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let id = match id.trim() {
        "" => name(),
        id => id.to_owned(),
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{id} {processors}")
}

/// `debian-12`, from os-release(5).
fn system_name() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    match (field("ID="), field("VERSION_ID=")) {
        (Some(id), Some(version)) => format!("{id}-{version}"),
        (Some(id), None) => id,
        _ => "this machine".to_owned(),
    }
}

fn make_plan(arguments: &RunArguments, run: &Run) -> Result<Plan, Failure> {
    let selection = Selection {
        jobs: arguments.job.clone(),
    };
    let plan = plan::plan(&run.workflow, &selection, &run.facts()).map_err(Failure::unplanned)?;
    if let Some(error) = plan.unstartable() {
        return Err(Failure::invalid(std::slice::from_ref(error)));
    }
    Ok(plan)
}

fn differences(run: &Run, plan: &Plan, trigger: &Trigger, start: &Start) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut add = |kind, effect| {
        all.push(Difference {
            kind,
            site: Site::Run,
            effect,
        });
    };
    let untracked = &run.content.snapshot.untracked;
    if !untracked.is_empty() {
        let paths = untracked.clone();
        add(DifferenceKind::UntrackedFiles { paths }, Effect::MayFlip);
    }
    if !run.place.carried.tools.is_empty() {
        let tools = run
            .place
            .carried
            .tools
            .iter()
            .map(|tool| (*tool).to_owned());
        let tools = tools.collect();
        add(DifferenceKind::NetworkConfig { tools }, Effect::None);
    }
    if let Some(text) = start.not_started() {
        add(DifferenceKind::Other { text }, Effect::MayShift);
    }
    for setting in &run.place.carried.without_credentials {
        let text = format!("{setting} was carried into the jobs without the credentials in it");
        add(DifferenceKind::Other { text }, Effect::MayShift);
    }
    for text in &trigger.assumptions {
        let text = text.clone();
        add(DifferenceKind::Other { text }, Effect::None);
    }
    for (secret, steps) in inputs::missing_secrets(run, plan) {
        let text = format!("secret {secret} has no value here and is empty in {steps}");
        add(DifferenceKind::Other { text }, Effect::MayFlip);
    }
    all
}

fn of_git(error: GitError) -> Failure {
    Failure::cannot_run(error)
}
