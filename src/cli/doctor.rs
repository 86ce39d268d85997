//! `lrun doctor`: what this machine gives to jobs, found out by trying, and what would give more.
//!
//! Nothing of the user's is written: the place that is tried stands in a temporary directory.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::statfs;
use serde::Serialize;

use super::args::DoctorArguments;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use crate::agent::{EnvironmentSpec, Network};
use crate::backend::sandbox::{Powers, Sandbox};
use crate::backend::{Backend as _, BackendError, Shortcoming};
use crate::config::network::{self, Machine};
use crate::config::{Environment, Settings};
use crate::externals::{Release, Sources};
use crate::label::{Architecture, Label};
use crate::store::Store;

/// What was found out about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    text: String,
    /// What would make it better, as a command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    /// Jobs run, and fall short of GitHub's in something.
    Limited,
    /// Jobs cannot run.
    Missing,
}

/// What the whole says, in a form that is kept.
#[derive(Debug, Serialize)]
struct Diagnosis {
    version: u32,
    can_run: bool,
    powers: Powers,
    findings: Vec<Finding>,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Limited => "limited",
            Self::Missing => "MISSING",
        })
    }
}

fn finding(about: &'static str, state: State, text: impl Into<String>) -> Finding {
    Finding {
        about,
        state,
        text: text.into(),
        remedy: None,
    }
}

/// Finds everything out and prints it.
pub(super) fn doctor(arguments: &DoctorArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let powers = Powers::of_this_process();
    let mut findings = vec![of_powers(powers)];
    findings.extend(of_place()?);
    findings.push(of_git(&settings.environment));
    findings.extend(of_store(&settings));
    findings.push(of_network(&settings));
    findings.push(finding(
        "labels",
        State::Ok,
        format!("known: {}", Label::known().join(", ")),
    ));
    findings.push(of_node(&settings));
    findings.push(of_programs(&settings.environment));
    let diagnosis = Diagnosis {
        version: 1,
        can_run: findings.iter().all(|found| found.state != State::Missing),
        powers,
        findings,
    };
    let printed = printed(print(&diagnosis, arguments.json))?;
    Ok(match diagnosis.can_run {
        true => printed,
        false => ExitCode::CannotRun,
    })
}

fn print(diagnosis: &Diagnosis, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{}", serde_json::to_string_pretty(diagnosis)?);
    }
    for found in &diagnosis.findings {
        writeln!(out, "{:<9}{:<9}{}", found.about, found.state, found.text)?;
        if let Some(remedy) = &found.remedy {
            writeln!(out, "{:<18}→ {remedy}", "")?;
        }
    }
    writeln!(
        out,
        "{}",
        match diagnosis.can_run {
            true => "jobs can run here",
            false => "jobs cannot run here",
        }
    )
}

fn of_powers(powers: Powers) -> Finding {
    match powers {
        Powers::Root => finding("user", State::Ok, "root: jobs have sudo as on GitHub"),
        Powers::SubordinateIds => finding(
            "user",
            State::Ok,
            "an ordinary user with subordinate ids: jobs have sudo, packages can be installed",
        ),
        Powers::SingleId => finding(
            "user",
            State::Ok,
            "an ordinary user with a single id: jobs have a sudo that knows root and runner",
        ),
    }
}

/// Makes a place and takes it down again.
fn of_place() -> Result<Vec<Finding>, Failure> {
    let directory = tempfile::Builder::new()
        .prefix("lrun-doctor-")
        .tempdir()
        .map_err(Failure::cannot_run)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let spec = EnvironmentSpec {
        state: directory.path().join("state"),
        shared: None,
        home: directory.path().join("home"),
        mounts: Vec::new(),
        files: Vec::new(),
        in_memory: Vec::new(),
        hidden: Vec::new(),
        hostname: "runner".to_owned(),
        network: Network::Host,
        lock: None,
    };
    std::fs::create_dir(&spec.home).map_err(Failure::cannot_run)?;
    let tried: Result<_, BackendError> = runtime.block_on(async {
        let place = Sandbox::default().bring_up(&spec, || {}).await?;
        let shortcomings = place.shortcomings.clone();
        place.take_down().await?.gone().await?;
        Ok(shortcomings)
    });
    Ok(match tried {
        Err(error) => vec![finding("place", State::Missing, error.to_string())],
        Ok(shortcomings) => {
            let works = finding("place", State::Ok, "a place was made and taken down again");
            let short = shortcomings.iter().filter_map(of_shortcoming);
            [works].into_iter().chain(short).collect()
        }
    })
}

/// None for what is told elsewhere, or holds for the temporary directory alone.
fn of_shortcoming(shortcoming: &Shortcoming) -> Option<Finding> {
    let (about, remedy) = match shortcoming {
        Shortcoming::InMemory | Shortcoming::NotPlaced { .. } => return None,
        Shortcoming::SingleId { reason, remedy } => {
            let text = format!(
                "single user id ({reason}): owners cannot be changed, packages with users of their own fail"
            );
            return Some(Finding {
                remedy: Some(remedy.clone()),
                ..finding("ids", State::Limited, text)
            });
        }
        Shortcoming::ForeignFiles => ("ids", Some("run lrun as root")),
        Shortcoming::ReadOnly { .. } | Shortcoming::NotPrepared { .. } => (
            "overlay",
            Some("a kernel of 5.11 or later, or lrun as root"),
        ),
        Shortcoming::SharedProcesses => (
            "proc",
            Some("run the container with `--security-opt systempaths=unconfined`"),
        ),
        Shortcoming::OpenFiles { .. } => ("limits", Some("ulimit -Hn 65536, as root")),
    };
    Some(Finding {
        remedy: remedy.map(str::to_owned),
        ..finding(about, State::Limited, shortcoming.to_string())
    })
}

fn of_git(environment: &Environment) -> Finding {
    let version = program("git", environment).and_then(|git| {
        let output = Command::new(git)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    });
    match version {
        Some(version) => finding("git", State::Ok, version),
        None => Finding {
            remedy: Some("sudo apt-get install git".to_owned()),
            ..finding("git", State::Missing, "there is no git in PATH")
        },
    }
}

/// What runs JavaScript actions, which the first run that has one fetches.
fn of_node(settings: &Settings) -> Finding {
    let Some(architecture) = Architecture::here() else {
        let text = "there is no node for this processor; name one with --node";
        return finding("node", State::Limited, text);
    };
    let sources = Sources {
        store: &settings.store.value,
        mirror: None,
        offline: true,
        environment: &settings.environment,
    };
    let release = Release::node24(architecture);
    let version = release.version;
    let text = match sources.kept(&release) {
        Some(node) => format!(
            "{version} in the store, for JavaScript actions: {}",
            node.from.display()
        ),
        None => format!("{version} is fetched by the first run with a JavaScript action"),
    };
    finding("node", State::Ok, text)
}

/// With fewer bytes free than this hardly any job has room.
const LITTLE: u64 = 1 << 30;

fn of_store(settings: &Settings) -> Vec<Finding> {
    let store = &settings.store;
    let path = store.value.display();
    let there = store.value.ancestors().find(|path| path.exists());
    let Some(found) = there.and_then(|path| statfs::statfs(path).ok()) else {
        let text = format!("{path} ({}) is on no file system", store.origin);
        return vec![finding("store", State::Missing, text)];
    };
    let name = file_system(found.filesystem_type());
    let free = found
        .blocks_available()
        .saturating_mul(u64::try_from(found.block_size()).unwrap_or(0));
    let reflinks = match name {
        "btrfs" | "bcachefs" => "; shares extents between files (reflink)",
        "xfs" => "; shares extents between files (reflink) unless made without",
        _ => "",
    };
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let gibibytes = free as f64 / f64::from(1 << 30);
    let text = format!(
        "{path} ({}), on {name}, {gibibytes:.1} GiB free{reflinks}",
        store.origin
    );
    // A store that is there is opened, as every command would.
    if store.value.exists()
        && let Err(error) = Store::open(&store.value)
    {
        return vec![finding("store", State::Missing, format!("{text}: {error}"))];
    }
    vec![match name {
        _ if free < LITTLE => Finding {
            remedy: Some("free some, or set LRUN_STORE to a directory on another disk".to_owned()),
            ..finding(
                "store",
                State::Limited,
                format!("{text}: jobs' homes are there too"),
            )
        },
        "an overlay" => Finding {
            remedy: Some("set LRUN_STORE to a directory on a volume".to_owned()),
            ..finding(
                "store",
                State::Limited,
                format!("{text}: what jobs change outside their home is kept in memory"),
            )
        },
        _ => finding("store", State::Ok, text),
    }]
}

fn file_system(kind: statfs::FsType) -> &'static str {
    const KNOWN: [(statfs::FsType, &str); 7] = [
        (statfs::BTRFS_SUPER_MAGIC, "btrfs"),
        (statfs::EXT4_SUPER_MAGIC, "ext4"),
        (statfs::FUSE_SUPER_MAGIC, "fuse"),
        (statfs::NFS_SUPER_MAGIC, "nfs"),
        (statfs::OVERLAYFS_SUPER_MAGIC, "an overlay"),
        (statfs::TMPFS_MAGIC, "tmpfs"),
        (statfs::XFS_SUPER_MAGIC, "xfs"),
    ];
    let known = KNOWN.iter().find(|(known, _)| *known == kind);
    known.map_or("another file system", |(_, name)| name)
}

fn of_network(settings: &Settings) -> Finding {
    let carried = network::carried(&Machine {
        root: Path::new("/"),
        home: settings.home.as_deref(),
        environment: &settings.environment,
    });
    let text = match carried.tools.as_slice() {
        [] => "no settings to carry into jobs".to_owned(),
        tools => format!("settings carried into jobs: {}", tools.join(", ")),
    };
    finding("network", State::Ok, text)
}

/// What steps may use and jobs run without.
fn of_programs(environment: &Environment) -> Finding {
    let text = ["node", "docker"].map(|name| match program(name, environment) {
        Some(path) => format!("{name}: {}", path.display()),
        None => format!("{name}: not there"),
    });
    finding("programs", State::Ok, text.join(", "))
}

fn program(name: &str, environment: &Environment) -> Option<PathBuf> {
    let mut places = std::env::split_paths(environment.get("PATH")?).map(|place| place.join(name));
    places.find(|path| path.is_file())
}
