//! The launcher: a program that gives birth to process 1 of a place, and guards it. It has one
//! thread whenever it forks.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;

use nix::fcntl::{OFlag, open};
use nix::sched::CloneFlags;
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, pipe2, setsid};
use serde::{Deserialize, Serialize};

use super::error::{During, Obstacle, SandboxError};
use super::guard;
use super::inhabit::{self, Birth, Ground, Inheritance};
use super::kernel::{self, Fork, fork_into};
use super::recipe::{Recipe, Right};
use super::secrets;
use super::skeleton::{Skeleton, Sought};
use super::system::Processes;
use crate::agent::EnvironmentSpec;
use crate::agent::frame::Frame;
use crate::backend::Shortcoming;

/// What the launcher tells lrun, before the agent's frames.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// Something is being built that takes a while: once for many places. More is said later.
    Preparing,
    /// The last word.
    Hello(Hello),
}

/// The place is ready, or cannot be made.
pub(super) type Hello = Result<Vec<Shortcoming>, SandboxError>;

/// The launcher's program, which is process 1's too. It is to be called before the
/// program starts any thread; standard input and output are lrun's channel, and the first
/// frame is an [`EnvironmentSpec`]. Returns the exit code.
pub fn launcher_main() -> i32 {
    match launch() {
        Ok(code) => code,
        Err(error) => i32::from(!say(&mut io::stdout(), &Word::Hello(Err(error)))),
    }
}

fn launch() -> Result<i32, SandboxError> {
    settle()?;
    let right = Right::of_this_process();
    // An ordinary user's root cannot read them in any case.
    let search = (right.recipe == Recipe::Root).then(|| thread::spawn(secrets::find));
    let spec = read_specification()?;
    // Process 1 inherits it: whichever of the two is killed, the other still holds it.
    let lock = spec.lock.as_deref().map(hold).transpose()?;
    let secrets = match search.map(thread::JoinHandle::join).transpose() {
        Ok(secrets) => secrets.unwrap_or_default(),
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let mut shortcomings = right.shortcomings();
    let sought = seek_skeleton(&spec, right.recipe);
    let recipe = right.exercise()?;
    let skeleton = sought.and_then(|sought| obtain(sought, recipe));
    let skeleton = skeleton.unwrap_or_else(|error| {
        let reason = error.to_string();
        shortcomings.push(Shortcoming::NotPrepared { reason });
        None
    });
    fs::create_dir(&spec.state).during("make", &spec.state)?;
    let state = guard::StateDirectory::new(spec.state.clone());
    let ground = Ground {
        spec: &spec,
        recipe,
        secrets: &secrets,
        skeleton: skeleton.as_ref(),
    };
    let mut birth = give_birth(ground, Processes::Own)?;
    if let Newborn::Parent(_, _, Birth::MaskedProc) = birth {
        birth = give_birth(ground, Processes::Shared)?;
    }
    match birth {
        Newborn::Itself(code) => {
            state.leave_alone();
            Ok(code)
        }
        Newborn::Parent(pid, bond, Birth::Ready(more)) => {
            shortcomings.extend(more);
            say(&mut io::stdout(), &Word::Hello(Ok(shortcomings)));
            guard::watch_over(pid, bond, lock, state);
            Ok(0)
        }
        Newborn::Parent(_, _, Birth::Failed(error)) => Err(error),
        Newborn::Parent(_, _, Birth::MaskedProc) => Err(SandboxError::Stillborn),
    }
}

/// None for the recipe that needs none, and for a place that is to do without.
fn seek_skeleton(spec: &EnvironmentSpec, recipe: Recipe) -> io::Result<Option<Sought>> {
    match &spec.shared {
        Some(shared) if recipe != Recipe::Root => Skeleton::seek(shared, recipe).map(Some),
        _ => Ok(None),
    }
}

fn obtain(sought: Option<Sought>, recipe: Recipe) -> io::Result<Option<Skeleton>> {
    match sought {
        None => Ok(None),
        Some(Sought::Found(skeleton)) => Ok(Some(skeleton)),
        Some(Sought::Missing(missing)) => {
            say(&mut io::stdout(), &Word::Preparing);
            missing.build(recipe).map(Some)
        }
    }
}

/// Nothing of whoever called lrun is to be felt inside: signals of its terminal, its
/// umask, what it ignores.
fn settle() -> Result<(), SandboxError> {
    setsid().during("lead a session of", "the launcher")?;
    kernel::reset_signals();
    kernel::leave_session_keyring();
    umask(Mode::from_bits_truncate(0o022));
    Ok(())
}

fn read_specification() -> Result<EnvironmentSpec, SandboxError> {
    let no = |reason: String| SandboxError::NoSpecification { reason };
    // Unbuffered: what follows is the agent's.
    let mut input = File::from(standard_fd(0)?);
    match Frame::read_blocking(&mut input) {
        Ok(Some(frame)) => frame.message().map_err(|error| no(error.to_string())),
        Ok(None) => Err(no("its input is closed".to_owned())),
        Err(error) => Err(no(error.to_string())),
    }
}

/// Holds a shared lock on a file for as long as the result is open.
fn hold(path: &Path) -> Result<File, SandboxError> {
    let file = File::open(path).during("open", path)?;
    file.try_lock_shared()
        .map_err(io::Error::from)
        .during("lock", path)?;
    Ok(file)
}

/// The launcher's holds on process 1.
pub(super) struct Bond {
    /// Process 1 sees it hang up when the launcher is gone.
    _lifeline: OwnedFd,
    /// Hangs up when process 1 is gone.
    pub(super) sign_of_life: OwnedFd,
    /// Its mounts: they are taken apart by whoever lets go of them last, and that takes long
    /// after a job that looked at many files. So process 1 must not be the last.
    pub(super) mounts: Option<File>,
}

/// Both sides of a birth.
enum Newborn {
    /// This is process 1, and it has come to its end.
    Itself(i32),
    /// This is the launcher.
    Parent(Pid, Bond, Birth),
}

fn give_birth(ground: Ground<'_>, processes: Processes) -> Result<Newborn, SandboxError> {
    let this = "the launcher";
    let (lifeline, lifeline_end) = pipe2(OFlag::O_CLOEXEC).during("make a pipe for", this)?;
    let (sign_of_life, sign) = pipe2(OFlag::O_CLOEXEC).during("make a pipe for", this)?;
    let kinds = match processes {
        Processes::Own => CloneFlags::CLONE_NEWPID,
        Processes::Shared => CloneFlags::empty(),
    };
    let fork =
        fork_into(kinds | CloneFlags::CLONE_NEWNS).map_err(|errno| SandboxError::Forbidden {
            namespace: "process".to_owned(),
            obstacle: Obstacle::of_this_machine(errno),
            errno: errno as i32,
        })?;
    match fork {
        Fork::Child => {
            drop(lifeline_end);
            drop(sign_of_life);
            // Stays open to the end of this process: its sign of life.
            let mut sign = File::from(sign);
            let inheritance = Inheritance {
                ground,
                processes,
                lifeline,
                channel: [standard_fd(0)?, standard_fd(1)?],
            };
            let code = inhabit::live(inheritance, |birth| say(&mut sign, birth));
            Ok(Newborn::Itself(code))
        }
        Fork::Parent(pid) => {
            drop(sign);
            // At once: an agent lets nobody look at it.
            let mounts = File::open(format!("/proc/{pid}/ns/mnt")).ok();
            let mut sign = File::from(sign_of_life);
            let birth = Frame::read_blocking(&mut sign)
                .ok()
                .flatten()
                .and_then(|frame| frame.message().ok())
                .unwrap_or(Birth::Failed(SandboxError::Stillborn));
            if !matches!(birth, Birth::Ready(_)) {
                // It is on its way out.
                let _ = waitpid(pid, None);
            }
            let bond = Bond {
                _lifeline: lifeline_end,
                sign_of_life: sign.into(),
                mounts,
            };
            Ok(Newborn::Parent(pid, bond, birth))
        }
    }
}

fn standard_fd(number: i32) -> Result<OwnedFd, SandboxError> {
    kernel::take_standard_fd(number).during("take over", "a standard descriptor")
}

fn say(to: &mut impl io::Write, message: &impl Serialize) -> bool {
    let Ok(frame) = Frame::control(0, message) else {
        return false;
    };
    to.write_all(&frame.encode())
        .and_then(|()| to.flush())
        .is_ok()
}

/// Points standard output and error at nothing, so that lrun sees the channel end with the
/// agent, and whoever reads lrun's messages sees them end with lrun.
pub(super) fn let_go_of_output() {
    let null = open("/dev/null", OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty());
    if let Ok(null) = null {
        for number in [1, 2] {
            // Failing, it would only delay an end of file.
            let _ = kernel::replace_standard_fd(number, &null);
        }
    }
}
