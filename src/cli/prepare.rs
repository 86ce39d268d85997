//! Everything between arguments and the first job: the repository's state, the event, the
//! store, the plan, and what stands in the way. Nothing has been started when this fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;

use super::actions::{self, Elsewhere};
use super::args::{NetworkArgument, RunArguments};
use super::checkouts;
use super::externals::{self, Needed, Ways};
use super::failure::Failure;
use super::find::Found;
use super::given::GivenTexts;
use super::subject::{Asked, Declared, Ground, Subject, summary, workflow_name};
use crate::action::Own;
use crate::backend::sandbox::Sandbox;
use crate::config::network::{self, Machine};
use crate::config::{NodeSource, Settings};
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::{Events, RunSummary};
use crate::exec::workspace::Others;
use crate::exec::{self, Content, Given, Janitor, NetworkAccess, PlaceSettings, Run};
use crate::expr::Value;
use crate::externals::Externals;
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
    /// What there is of other repositories.
    pub(super) elsewhere: Rc<Elsewhere>,
}

/// Finds out all that a run needs to know, and refuses it if it cannot be carried out here.
pub(super) fn prepare(
    arguments: &RunArguments,
    settings: &Settings,
    found: &Found,
    workflow: Arc<Workflow>,
    wiring: Wiring,
) -> Result<Prepared, Failure> {
    let elsewhere = &wiring.elsewhere;
    let ground = Ground::look(&found.root, settings)?;
    let asked = Asked {
        pretend: &arguments.pretend,
        given: &arguments.given,
        settings,
        declared: Declared::Only,
        elsewhere,
        tells_missing: false,
    };
    let subject = Subject::find(asked, found, workflow, &ground)?;
    let store = elsewhere.open()?.0.clone();
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
            wiring:
                Wiring {
                    events,
                    backend,
                    elsewhere,
                },
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
        let inputs =
            dispatch_inputs(&workflow, &trigger.event, &given.inputs).map_err(Failure::usage)?;
        let (given, notes) = entrust(arguments, given, inputs, &github)?;
        let place = place_settings(arguments, settings, &ground.repository)?;
        let own = Own {
            repository: ground.repository.clone(),
            objects: snapshot.objects.clone(),
            name: github.identity.repository(),
            commit: snapshot.sha().to_owned(),
        };
        let actions = actions::of_commit(&elsewhere, own, &workflow)?;
        let janitor = Janitor::start(store.root(), record.id).map_err(|error| {
            Failure::cannot_run(format!("cannot start the janitor of the run: {error}"))
        })?;
        // The janitor's work: nobody waits for it.
        store.leave_log().map_err(Failure::cannot_run)?;
        let mut run = Run {
            id: record.id,
            github,
            given,
            content: Content {
                repository: ground.repository.clone(),
                facts: ground.facts().clone(),
                snapshot,
            },
            others: others(arguments, &store),
            store_position: store.position().map_err(Failure::cannot_run)?,
            backend,
            place,
            events,
            directory: record.work,
            lock: record.lock,
            janitor: Arc::new(janitor),
            store,
            workflow,
            actions,
            in_containers: Arc::default(),
        };
        let (plan, found) = bring_all(arguments, settings, &ground.toml.node, &mut run)?;
        let run = Arc::new(run);
        let mut differences = differences((&run, &plan), &trigger, &start, notes);
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

/// The run's plan, with all that it uses at hand; or everything that is in the way.
fn bring_all(
    arguments: &RunArguments,
    settings: &Settings,
    source: &NodeSource,
    run: &mut Run,
) -> Result<(Plan, actions::Found), Failure> {
    let (plan, found) = plan_with_actions(arguments, run)?;
    let ways = Ways {
        given: arguments.place.node.as_deref(),
        source,
        offline: arguments.actions.offline,
    };
    let needed = Needed::of(found.nodes(), found.is_unforeseen(), insists_on_node20(run));
    let lacking = externals::missing(needed, ways, settings);
    let mut in_the_way = found.in_the_way().to_vec();
    // For a run that is refused nothing more is fetched.
    if in_the_way.is_empty() || ways.offline {
        in_the_way.extend(checkouts::fetch(run, &plan));
    }
    if !in_the_way.is_empty() || !lacking.is_empty() {
        return Err(Failure::refused_lacking(&in_the_way, &lacking));
    }
    run.place.externals = externals::ensure(needed, ways, settings)?;
    Ok((plan, found))
}

/// What the run is given of what the user gave, and what is to be said of it.
fn entrust(
    arguments: &RunArguments,
    mut given: GivenTexts,
    inputs: Value,
    github: &GithubContext,
) -> Result<(Given, Vec<String>), Failure> {
    let wants_token = arguments.given.gh_token && !given.secrets.contains_key(GITHUB_TOKEN);
    if !trusts(github) {
        given.withhold_secrets(github.secret_source());
    } else if wants_token {
        given.secrets.insert(GITHUB_TOKEN.to_owned(), gh_token()?);
    }
    let entrusted = Given {
        inputs,
        vars: Value::from(serde_json::json!(given.vars)),
        secrets: given.secrets,
        environments: given.environments,
        publish: arguments.allow.publish,
        env: given.env,
        debug: arguments.given.debug,
    };
    Ok((entrusted, given.notes))
}

/// Whether GitHub gives the repository's secrets to a run.
fn trusts(github: &GithubContext) -> bool {
    github.secret_source() == "Actions"
}

/// The secret that GitHub gives every job.
const GITHUB_TOKEN: &str = "GITHUB_TOKEN";

/// What `gh auth token` prints, which the user asked for.
fn gh_token() -> Result<String, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        Failure::cannot_run(format!(
            "--gh-token: `gh auth token` gives none: {why}; `gh auth login` makes one"
        ))
    };
    let output = Command::new("gh").args(["auth", "token"]).output();
    let output = output.map_err(|error| failed(&error))?;
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.success() && !token.is_empty() {
        true => Ok(token),
        false => Err(failed(&String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// How other repositories are had that steps check out.
fn others(arguments: &RunArguments, store: &Store) -> Others {
    Others {
        kept: store.root().join("repositories"),
        offline: arguments.actions.offline,
        update: arguments.actions.update,
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
        externals: Externals::default(),
        hidden: hidden(settings, repository),
        name: format!("host: {}", system_name()),
        machine: this_machine(),
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

/// Whether the run's own environment asks for the node that an old action was written for.
fn insists_on_node20(run: &Run) -> bool {
    run.given.env.contains_key(externals::INSISTS) || externals::insists_on_node20(&run.workflow)
}

/// Plans again where the manifests of actions say that their jobs do not run here.
fn plan_with_actions(
    arguments: &RunArguments,
    run: &mut Run,
) -> Result<(Plan, actions::Found), Failure> {
    let mut plan = make_plan(arguments, run)?;
    let mut looked = actions::look(&run.actions, &plan);
    let in_containers = actions::in_containers(&plan, &looked);
    if !in_containers.is_empty() {
        run.in_containers = Arc::new(in_containers);
        plan = make_plan(arguments, run)?;
        looked = actions::look(&run.actions, &plan);
    }
    let found = actions::find(&run.actions, &run.workflow, &plan, looked)?;
    Ok((plan, found))
}

fn make_plan(arguments: &RunArguments, run: &Run) -> Result<Plan, Failure> {
    let selection = Selection {
        jobs: arguments.job.clone(),
    };
    let plan = plan::plan(&run.workflow, &selection, &run.facts()).map_err(Failure::unplanned)?;
    if let Some(error) = plan.unstartable() {
        return Err(Failure::invalid(std::slice::from_ref(error)));
    }
    let in_the_way = plan.in_the_way(&run.workflow);
    if arguments.allow.refuse_any {
        let missing = plan::missing_secrets(&run.workflow, &plan, &run.facts());
        if !in_the_way.is_empty() || !missing.is_empty() {
            return Err(Failure::refused_any(&in_the_way, &missing));
        }
    }
    // What cannot be had is told together with what turns out to be missing.
    if plan.cannot_run() && plan.refusals.is_empty() {
        return Err(Failure::refused(&in_the_way));
    }
    Ok(plan)
}

fn differences(
    (run, plan): (&Run, &Plan),
    trigger: &Trigger,
    start: &Start,
    notes: Vec<String>,
) -> Vec<Difference> {
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
    for text in notes {
        add(DifferenceKind::Other { text }, Effect::None);
    }
    if !run.given.env.is_empty() {
        let names: Vec<_> = run.given.env.keys().map(String::as_str).collect();
        let names = names.join(", ");
        let text = format!("every step has {names} of --env, which no job has on GitHub");
        add(DifferenceKind::Other { text }, Effect::MayFlip);
    }
    if let Some(node) = run.place.externals.of_another_major() {
        let text = format!(
            "JavaScript actions run with node {} of --node; GitHub runs them with node 24",
            node.version
        );
        add(DifferenceKind::Other { text }, Effect::MayShift);
    }
    for secret in plan::missing_secrets(&run.workflow, plan, &run.facts()) {
        let (text, effect) = match trusts(&run.github) {
            true => (secret.to_string(), Effect::MayFlip),
            false => (
                format!("{secret}, as on GitHub in such a run"),
                Effect::None,
            ),
        };
        add(DifferenceKind::Other { text }, effect);
    }
    if run.given.publish {
        let text = "steps that deploy, publish or talk to GitHub's API are run: --allow-publish";
        let text = text.to_owned();
        add(DifferenceKind::Other { text }, Effect::None);
    }
    all
}

fn of_git(error: GitError) -> Failure {
    Failure::cannot_run(error)
}
