//! A job's place: what it is made of, brought up and taken down.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::json;

use super::contexts::FixedContexts;
use super::entrusted::Entrusted;
use super::environment::JobEnvironment;
use super::job::{LegSpec, Place};
use super::paths::{self, EVENT, EXTERNALS, Paths};
use super::run::Run;
use crate::agent::protocol::{FileSpec, Orphan, ProcessSpec, Signal, User};
use crate::agent::{AgentError, EnvironmentSpec, Mount, Network};
use crate::backend::{self, Backend as _, BackendError, Shortcoming};
use crate::config::network::Carried;
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::digest::Digest;
use crate::event::EventKind;
use crate::expr::Value;
use crate::externals::Externals;
use crate::ids::{JobKey, StepKey};
use crate::inventory::{Finding, Inventory, Toolchains};
use crate::label::Label;
use crate::plan::Placement;
use crate::store::Holder;

/// What a command may take to say its version, and how much it may say.
const ANSWER_TIME: Duration = Duration::from_secs(5);
const ANSWER_BYTES: usize = 64 * 1024;

/// Why a job's place could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceError {
    /// A directory of the run could not be made.
    #[error("cannot make {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The backend could not bring it up or take it down.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The agent inside failed.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// The environment that the job names cannot be told.
    #[error("{0}")]
    Environment(String),
}

/// What every place of a run is made with.
#[derive(Debug, Default)]
pub struct PlaceSettings {
    /// What of the network jobs have.
    pub network: NetworkAccess,
    /// Network settings of this machine.
    pub carried: Carried,
    /// Tools of this machine at the paths where the image keeps them.
    pub toolchains: Toolchains,
    /// What runs JavaScript actions; none where no job has any.
    pub externals: Externals,
    /// Directories of this machine that no job sees: the user's home and the repository.
    pub hidden: Vec<PathBuf>,
    /// How the place is called in the report, such as `host: debian-12`.
    pub name: String,
    /// Which machine this is, and its processors: times of others are not compared with.
    pub machine: String,
}

/// What of the network jobs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NetworkAccess {
    /// This machine's.
    #[default]
    Host,
    /// Loopback only.
    None,
}

/// A place that is up.
pub(super) struct Up {
    pub(super) place: Place,
    pub(super) environment: JobEnvironment,
    pub(super) commands: CommandWatch,
    pub(super) ground: Ground,
}

/// What a place stands on; all that is left of it once its job is done.
pub(super) struct Ground {
    backend: backend::Place,
    holder: Holder,
    directory: PathBuf,
}

/// Watches which commands a job's steps open.
pub(super) struct CommandWatch(Inventory);

/// Makes the job's directories, brings its place up and finds out its environment.
pub(super) async fn bring_up(run: &Run, spec: &LegSpec) -> Result<Up, PlaceError> {
    let leg = &spec.leg;
    let Placement::Here { label } = &leg.placement else {
        // The scheduler starts legs that run here only.
        return Err(PlaceError::Agent(AgentError::Gone));
    };
    run.events.send(EventKind::JobStarted {
        job: leg.key.clone(),
        place: run.place.name.clone(),
    });
    let paths = Paths::new(&run.github.identity.repository());
    let directory = run.directory.join("jobs").join(leg.key.to_string());
    let home = directory.join("home");
    let staging = directory.join("staging");
    make_directories(run, &home, &staging, &paths)?;
    let inventory = {
        let (label, tools) = ((**label).clone(), run.place.toolchains.clone());
        let look = move || Inventory::new(label, Path::new("/"), &tools).with_packages();
        tokio::task::spawn_blocking(look)
    };
    let environment_spec = environment_spec(run, &directory, &home);
    let up = run
        .backend
        .bring_up(&environment_spec, || name_preparation(run, &leg.key))
        .await?;
    name_place_differences(run, &leg.key, label, &up);
    let inventory = match inventory.await {
        Ok(inventory) => inventory,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    let (watched, environment) = tokio::join!(
        up.agent.watch(inventory.watched()),
        job_environment(run, spec, label, &up.agent, &paths)
    );
    watched?;
    let environment = environment?;
    Ok(Up {
        place: Place {
            agent: up.agent.clone(),
            paths,
            home,
            staging,
            key: leg.key.clone(),
            of: Arc::clone(&spec.of),
            needs: spec.all_needs.clone(),
            root_lacks: root_lacks(&up),
        },
        environment,
        commands: CommandWatch(inventory),
        ground: Ground {
            backend: up,
            holder: Holder {
                run: run.id,
                job: leg.key.clone(),
            },
            directory,
        },
    })
}

/// Ends everything in the place. Once its mounts are gone too, its directories are the janitor's;
/// nobody waits for that. Gives the processes that steps had left.
pub(super) async fn take_down(run: &Run, ground: Ground) -> Result<Vec<Orphan>, PlaceError> {
    let mut remains = ground.backend.take_down().await?;
    let orphans = std::mem::take(&mut remains.orphans);
    // From now on others may have its trees; otherwise the janitor puts them back.
    let _ = run.store.end_leases(&ground.holder);
    // Not the run: its report is complete once nobody can send events any more.
    let janitor = Arc::clone(&run.janitor);
    tokio::spawn(async move {
        // What of the place's own could not be removed is in the same directory.
        let _ = remains.gone().await;
        janitor.clear(&ground.directory);
    });
    Ok(orphans)
}

impl CommandWatch {
    /// Names the commands a step used that the label's image lacks or has in another version.
    pub(super) async fn name_used(
        &mut self,
        run: &Run,
        place: &Place,
        environment: &JobEnvironment,
        (step, opened): (&StepKey, &[String]),
    ) -> Result<(), AgentError> {
        for finding in self.0.judge(opened) {
            let kind = match finding {
                Finding::Differs(kind) => Some(kind),
                Finding::Ask(question) => {
                    let output = answer_of(&question.argv, place, environment).await?;
                    question.answer(&output)
                }
                Finding::Unknown { command } => Some(DifferenceKind::Other {
                    text: format!("nothing here knows whether the label's image has `{command}`"),
                }),
            };
            if let Some(kind) = kind {
                run.events.send(EventKind::Differs(Difference {
                    kind,
                    site: Site::Step(step.clone()),
                    effect: Effect::MayFlip,
                }));
            }
        }
        Ok(())
    }
}

/// What a command prints of its version; nothing when it cannot be started.
async fn answer_of(
    argv: &[String],
    place: &Place,
    environment: &JobEnvironment,
) -> Result<String, AgentError> {
    let spec = ProcessSpec {
        argv: argv.to_vec(),
        env: environment.base.clone().into_iter().collect(),
        // Not the workspace: files of the job there may choose what runs.
        cwd: "/".to_owned(),
        user: User::Job,
    };
    let mut process = match place.agent.spawn(spec).await {
        Ok(process) => process,
        Err(AgentError::NotStarted { .. }) => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut output = Vec::new();
    let reading = async {
        while let Some((_, bytes)) = process.output.recv().await {
            output.extend(bytes);
            if output.len() > ANSWER_BYTES {
                break;
            }
        }
    };
    // Out of time or out of bounds: what there is may do for an answer.
    let _ = tokio::time::timeout(ANSWER_TIME, reading).await;
    process.signal(Signal::Kill)?;
    // What the question opened is told with its end, and of no interest.
    process.wait().await?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// The contexts that stay the same for all steps of a leg.
pub(super) fn fixed_contexts(
    run: &Run,
    spec: &LegSpec,
    paths: &Paths,
    entrusted: &Entrusted,
) -> FixedContexts {
    let mut github = run.github.to_value();
    if let Some(github) = github.as_object_mut() {
        github.insert("job".to_owned(), json!(spec.leg.key.local_id()));
        github.insert("workspace".to_owned(), json!(paths.workspace));
        github.insert("event_path".to_owned(), json!(EVENT));
        let token = entrusted.secrets.get("GITHUB_TOKEN");
        let token = token.map(String::as_str).unwrap_or_default();
        github.insert("token".to_owned(), json!(token));
    }
    let mut runner: serde_json::Map<String, serde_json::Value> = label_of(spec)
        .map(|label| label.runner().map(|(k, v)| (k.to_owned(), json!(v))))
        .into_iter()
        .flatten()
        .collect();
    runner.insert("workspace".to_owned(), json!(paths.runner_workspace));
    if run.given.is_debug() {
        runner.insert("debug".to_owned(), json!("1"));
    }
    let file = spec.of.file(run);
    let job = json!({
        "check_run_id": check_run_id(run, spec),
        "workflow_ref": file.reference,
        "workflow_sha": file.sha,
        "workflow_repository": file.repository,
        "workflow_file_path": file.path,
        "container": {},
        "services": {},
    });
    FixedContexts(IndexMap::from([
        ("github", Value::from(github)),
        ("runner", Value::from(serde_json::Value::Object(runner))),
        ("job", Value::from(job)),
        ("strategy", spec.leg.strategy.clone()),
        ("matrix", spec.leg.matrix.clone()),
        ("needs", spec.needs.clone()),
        ("inputs", spec.of.inputs.clone()),
        ("vars", entrusted.vars.clone()),
        ("secrets", Value::from(json!(entrusted.secrets))),
    ]))
}

/// A number like GitHub's of a job of a run; nobody here has the other.
fn check_run_id(run: &Run, spec: &LegSpec) -> u32 {
    let Digest([a, b, c, d, ..]) = Digest::of(format!("{} {}", run.id, spec.leg.key));
    u32::from_be_bytes([a, b, c, d])
}

fn label_of(spec: &LegSpec) -> Option<&Label> {
    match &spec.leg.placement {
        Placement::Here { label } => Some(label),
        Placement::Elsewhere { .. } => None,
    }
}

/// One plain directory for the home, with `work` and the workspace in it, on the store's
/// file system: renames and hard links work across all of it, as on a hosted runner.
fn make_directories(
    run: &Run,
    home: &Path,
    staging: &Path,
    paths: &Paths,
) -> Result<(), PlaceError> {
    make(home, 0o755)?;
    make(staging, 0o700)?;
    let mut owned = vec![
        paths::HOME.to_owned(),
        format!("{}/work", paths::HOME),
        paths.runner_workspace.clone(),
        paths.workspace.clone(),
        paths::TEMP.to_owned(),
        paths::FILE_COMMANDS.to_owned(),
    ];
    owned.extend(run.place.toolchains.directories.iter().cloned());
    for path in &owned {
        let path = below(home, path);
        make(&path, 0o755)?;
        give(run, &path)?;
    }
    for file in &run.place.toolchains.files {
        let path = below(home, &file.path);
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make(parent, 0o755)?;
            give(run, parent)?;
        }
        std::fs::write(&path, &file.content).map_err(at(&path))?;
        give(run, &path)?;
    }
    let event = below(home, EVENT);
    let parent = event.parent().unwrap_or(home);
    make(parent, 0o755)?;
    give(run, parent)?;
    std::fs::write(&event, run.github.event.to_string()).map_err(at(&event))?;
    std::fs::set_permissions(&event, std::fs::Permissions::from_mode(0o644)).map_err(at(&event))?;
    give(run, &event)?;
    for link in &run.place.toolchains.links {
        let path = below(home, &link.at);
        std::os::unix::fs::symlink(&link.target, &path).map_err(at(&path))?;
        give(run, &path)?;
    }
    Ok(())
}

/// Where a path below /home is on this machine.
fn below(home: &Path, inside: &str) -> PathBuf {
    home.join(inside.trim_start_matches("/home/"))
}

fn make(path: &Path, mode: u32) -> Result<(), PlaceError> {
    std::fs::create_dir_all(path).map_err(at(path))?;
    // Whatever the umask of whoever started lrun.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(at(path))
}

/// Gives a path to the job's user. An ordinary user's own files are shown as `runner`'s.
fn give(run: &Run, path: &Path) -> Result<(), PlaceError> {
    let (user, group) = run.backend.owner();
    std::os::unix::fs::lchown(path, Some(user), Some(group)).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> PlaceError + use<> {
    let path = path.to_owned();
    move |source| PlaceError::Directory { path, source }
}

fn environment_spec(run: &Run, directory: &Path, home: &Path) -> EnvironmentSpec {
    let mounts = run.place.toolchains.mounts.iter().map(|mount| Mount {
        source: mount.from.clone(),
        target: PathBuf::from(&mount.at),
    });
    let externals = run.place.externals.all().map(|(name, node)| Mount {
        source: node.from.clone(),
        target: node.mounted_at(&Path::new(EXTERNALS).join(name)),
    });
    let root_file = |path: &str, content: &str| FileSpec {
        path: path.to_owned(),
        content: content.as_bytes().to_vec(),
        mode: 0o644,
    };
    let carried = run.place.carried.files.iter();
    let tools = run.place.toolchains.root_files.iter();
    let files = carried
        .map(|file| root_file(&file.path, &file.content))
        .chain(tools.map(|file| root_file(&file.path, &file.content)));
    EnvironmentSpec {
        state: directory.join("state"),
        shared: Some(run.store.root().join("places")),
        home: home.to_owned(),
        // Five new files a step: on a disk that is the largest part of what a step costs.
        in_memory: vec![paths::FILE_COMMANDS.into()],
        mounts: mounts.chain(externals).collect(),
        files: files.collect(),
        hidden: run
            .place
            .hidden
            .iter()
            .cloned()
            .chain([run.store.root().to_owned()])
            .collect(),
        hostname: "runner".to_owned(),
        network: match run.place.network {
            NetworkAccess::Host => Network::Host,
            NetworkAccess::None => Network::None,
        },
        lock: Some(run.lock.clone()),
    }
}

/// What root of a `sudo` cannot do in a place, as its steps are told once it stopped one.
fn root_lacks(up: &backend::Place) -> Option<String> {
    let limits = |shortcoming: &&Shortcoming| {
        matches!(
            shortcoming,
            Shortcoming::SingleId { .. } | Shortcoming::ForeignFiles
        )
    };
    Some(up.shortcomings.iter().find(limits)?.to_string())
}

/// What a place of an ordinary user waits for once for a state of this machine.
fn name_preparation(run: &Run, job: &JobKey) {
    run.events.send(EventKind::Differs(Difference {
        kind: DifferenceKind::Other {
            text: "this machine has changed or is new to lrun: a layer over its directories is \
                   being built once, for all jobs to come"
                .to_owned(),
        },
        site: Site::Job(job.clone()),
        effect: Effect::None,
    }));
}

fn name_place_differences(run: &Run, job: &JobKey, label: &Label, up: &backend::Place) {
    let differ = |kind, effect| {
        run.events.send(EventKind::Differs(Difference {
            kind,
            site: Site::Job(job.clone()),
            effect,
        }));
    };
    differ(
        DifferenceKind::PlaceStandsIn {
            place: run.place.name.clone(),
            label: label.name.clone(),
        },
        Effect::None,
    );
    for shortcoming in &up.shortcomings {
        let effect = match shortcoming {
            // Shown only where it matters: a step that needs more says so itself.
            Shortcoming::OpenFiles { .. }
            | Shortcoming::SingleId { .. }
            | Shortcoming::ForeignFiles => Effect::None,
            _ => Effect::MayShift,
        };
        let text = shortcoming.to_string();
        differ(DifferenceKind::Other { text }, effect);
    }
}

async fn job_environment(
    run: &Run,
    spec: &LegSpec,
    label: &Label,
    agent: &crate::agent::Agent,
    paths: &Paths,
) -> Result<JobEnvironment, AgentError> {
    let asked = label.paths_asked();
    let answers = agent.exists(asked.clone()).await?;
    let there: Vec<&String> = asked
        .iter()
        .zip(answers)
        .filter(|(_, yes)| *yes)
        .map(|(path, _)| path)
        .collect();
    let mut base: IndexMap<String, String> = label
        .environment(|path| there.iter().any(|there| *there == path))
        .into_iter()
        .collect();
    base.extend(run.place.carried.env.iter().cloned());
    base.extend(run.given.env.clone());
    Ok(JobEnvironment {
        base,
        github: github_variables(run, spec, label, paths),
    })
}

/// `GITHUB_*` and `RUNNER_*` as the runner exports them. Null context values become empty text.
fn github_variables(
    run: &Run,
    spec: &LegSpec,
    label: &Label,
    paths: &Paths,
) -> IndexMap<String, String> {
    const EXPORTED: [&str; 27] = [
        "actor",
        "actor_id",
        "api_url",
        "base_ref",
        "event_name",
        "graphql_url",
        "head_ref",
        "ref",
        "ref_name",
        "ref_protected",
        "ref_type",
        "repository",
        "repository_id",
        "repository_owner",
        "repository_owner_id",
        "retention_days",
        "run_attempt",
        "run_id",
        "run_number",
        "server_url",
        "sha",
        "triggering_actor",
        "workflow",
        "workflow_ref",
        "workflow_sha",
        "action_ref",
        "action_repository",
    ];
    let context = run.github.to_value();
    let text = |name: &str| match context.get(name) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let mut all: IndexMap<String, String> = EXPORTED
        .iter()
        .map(|name| (format!("GITHUB_{}", name.to_uppercase()), text(name)))
        .collect();
    let of_job = [
        ("GITHUB_JOB", spec.leg.key.local_id()),
        ("GITHUB_WORKSPACE", &paths.workspace),
        ("GITHUB_EVENT_PATH", EVENT),
        ("RUNNER_WORKSPACE", &paths.runner_workspace),
    ];
    all.extend(of_job.map(|(k, v)| (k.to_owned(), v.to_owned())));
    let runner = label.runner();
    all.extend(
        runner.map(|(name, value)| (format!("RUNNER_{}", name.to_uppercase()), value.to_owned())),
    );
    if run.given.is_debug() {
        all.insert("RUNNER_DEBUG".to_owned(), "1".to_owned());
    }
    let tracking = format!("github_{}", uuid::Uuid::new_v4());
    all.insert("RUNNER_TRACKING_ID".to_owned(), tracking);
    all
}
