//! Process 1 of a place, from its birth to its end as the agent.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{chdir, pivot_root, sethostname};
use serde::{Deserialize, Serialize};

use super::error::{During, Obstacle, SandboxError};
use super::etc;
use super::kernel;
use super::recipe::Recipe;
use super::rootfs::RootFs;
use super::secrets::Secret;
use super::skeleton::Skeleton;
use super::system::{Processes, proc_is_masked};
use crate::agent::server::{Identity, Service};
use crate::agent::{EnvironmentSpec, Network, sudo};
use crate::backend::Shortcoming;

/// What process 1 tells the launcher once.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Birth {
    /// The place is complete.
    Ready(Vec<Shortcoming>),
    /// It cannot have a /proc of its own: it is to be born without a process namespace.
    MaskedProc,
    /// It cannot be made.
    Failed(SandboxError),
}

/// What a place is made from.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) spec: &'a EnvironmentSpec,
    pub(super) recipe: Recipe,
    /// What of this machine must be empty, for recipes whose root could read it.
    pub(super) secrets: &'a [Secret],
    /// The layer over this machine's directories, for recipes that need one.
    pub(super) skeleton: Option<&'a Skeleton>,
}

/// What process 1 was born with.
pub(super) struct Inheritance<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) processes: Processes,
    /// Hangs up when the launcher is gone.
    pub(super) lifeline: OwnedFd,
    /// lrun's channel.
    pub(super) channel: [OwnedFd; 2],
}

/// Makes the place, says so to `announce`, and serves as its agent until the end.
/// Returns the exit code.
pub(super) fn live(inheritance: Inheritance<'_>, announce: impl FnOnce(&Birth) -> bool) -> i32 {
    let settled = match settle(&inheritance) {
        Ok(settled) => settled,
        Err(birth) => {
            announce(&birth);
            return 1;
        }
    };
    let Inheritance {
        channel, lifeline, ..
    } = inheritance;
    let service = Service::new(channel, Some(lifeline), settled.identity);
    let service = match settled.asks_the_agent {
        true => service.and_then(|service| service.hearing(Path::new(sudo::SOCKET))),
        false => service,
    };
    let Ok(service) = service else {
        return 1;
    };
    if !announce(&Birth::Ready(settled.shortcomings)) {
        return 1;
    }
    match service.run() {
        Ok(_) => 0,
        Err(_) => 1,
    }
}

struct Settled {
    identity: Identity,
    /// `sudo` does.
    asks_the_agent: bool,
    shortcomings: Vec<Shortcoming>,
}

impl From<SandboxError> for Birth {
    fn from(error: SandboxError) -> Self {
        Self::Failed(error)
    }
}

fn settle(inheritance: &Inheritance<'_>) -> Result<Settled, Birth> {
    let Ground { spec, recipe, .. } = inheritance.ground;
    bind_to_launcher(inheritance)?;
    make_namespaces(spec.network)?;
    let rootfs = RootFs::new(inheritance.ground)?;
    let own = inheritance.processes == Processes::Own;
    if own && recipe != Recipe::Root && proc_is_masked(rootfs.root()) {
        return Err(Birth::MaskedProc);
    }
    let (root, mut shortcomings) = rootfs.build(inheritance.processes)?;
    enter(&root)?;
    sethostname(&spec.hostname).during("name", &spec.hostname)?;
    if spec.network == Network::None {
        kernel::bring_loopback_up().during("bring up", "the loopback interface")?;
    }
    shortcomings.extend(raise_limits()?);
    if !own {
        shortcomings.push(Shortcoming::SharedProcesses);
    }
    Ok(Settled {
        identity: recipe.identity()?,
        asks_the_agent: etc::asks_the_agent(recipe),
        shortcomings,
    })
}

/// Dies with the launcher, also if it died before this could be asked for.
fn bind_to_launcher(inheritance: &Inheritance<'_>) -> Result<(), SandboxError> {
    let this = "the first process";
    prctl::set_pdeathsig(Signal::SIGKILL).during("bind to the launcher", this)?;
    let mut lifeline = [PollFd::new(
        inheritance.lifeline.as_fd(),
        PollFlags::empty(),
    )];
    poll(&mut lifeline, PollTimeout::ZERO).during("look for the launcher of", this)?;
    if lifeline[0].any() == Some(true) {
        return Err(SandboxError::Stillborn);
    }
    if inheritance.processes == Processes::Shared {
        prctl::set_child_subreaper(true).during("inherit the orphans of", this)?;
    }
    Ok(())
}

/// All but those that process 1 was born into: of its processes and of its mounts.
fn make_namespaces(network: Network) -> Result<(), SandboxError> {
    let mut kinds = CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    if network == Network::None {
        kinds |= CloneFlags::CLONE_NEWNET;
    }
    unshare(kinds).map_err(|errno| SandboxError::Forbidden {
        namespace: "network".to_owned(),
        obstacle: Obstacle::of_this_machine(errno),
        errno: errno as i32,
    })?;
    // No mount made from here on is seen outside.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    let none: Option<&str> = None;
    mount(none, "/", none, private, none).during("make private", "/")
}

/// Makes `root` the root, and lets go of the old one.
fn enter(root: &Path) -> Result<(), SandboxError> {
    chdir(root).during("enter", root)?;
    pivot_root(".", ".").during("make the root", root)?;
    umount2(".", MntFlags::MNT_DETACH).during("let go of", "the old root")?;
    chdir("/").during("enter", "/")
}

/// Open files as on a hosted runner, as far as this machine allows.
fn raise_limits() -> Result<Option<Shortcoming>, SandboxError> {
    const HOSTED: u64 = 65_536;
    let action = "set the limit of open files of";
    let this = "the place";
    if setrlimit(Resource::RLIMIT_NOFILE, HOSTED, HOSTED).is_ok() {
        return Ok(None);
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).during(action, this)?;
    let limit = hard.min(HOSTED);
    setrlimit(Resource::RLIMIT_NOFILE, limit, hard).during(action, this)?;
    Ok((limit < HOSTED).then_some(Shortcoming::OpenFiles { limit }))
}
