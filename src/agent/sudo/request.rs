//! Asking the agent, and living as the command does.

use std::io::{self, IoSlice, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::command_line::{Asked, Run, parse};
use super::{SECURE_PATH, SOCKET};
use crate::agent::frame::Frame;
use crate::agent::message::Reply;
use crate::agent::protocol::{Exit, ProcessSpec};
use crate::config::Environment;

/// Signals that a command gets through its `sudo`.
const HANDED_ON: [Signal; 8] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGCONT,
];

/// Why a command was not run, in sudo's words.
struct Refusal(String);

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self(format!("cannot ask the agent at {SOCKET}: {error}"))
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        io::Error::from(errno).into()
    }
}

/// The program. Takes the arguments of `sudo`; returns the exit code, or ends by the signal
/// that ended the command.
pub fn sudo_main(arguments: impl Iterator<Item = std::ffi::OsString>) -> i32 {
    let arguments: Result<Vec<String>, _> = arguments.map(|word| word.into_string()).collect();
    let asked = arguments
        .map_err(|_| "arguments must be UTF-8 text here".to_owned())
        .and_then(parse);
    let ended = match asked {
        Ok(Asked::Say(text)) => {
            let end = if text.is_empty() { "" } else { "\n" };
            // A closed output is no failure of sudo's.
            let _ = write!(io::stdout(), "{text}{end}");
            return 0;
        }
        Ok(Asked::Run(run)) => request(&run),
        Err(text) => Err(Refusal(text)),
    };
    match ended {
        Ok(Exit {
            signal: Some(number),
            code,
            ..
        }) => {
            die_by(number);
            code
        }
        Ok(exit) => exit.code,
        Err(Refusal(text)) => {
            // Nobody is left to tell otherwise.
            let _ = writeln!(io::stderr(), "sudo: {text}");
            1
        }
    }
}

fn request(run: &Run) -> Result<Exit, Refusal> {
    let spec = specification(run)?;
    let mut handed_on = SigSet::empty();
    for signal in HANDED_ON {
        handed_on.add(signal);
    }
    handed_on.thread_block()?;
    let signals = SignalFd::with_flags(&handed_on, SfdFlags::SFD_CLOEXEC)?;
    let mut agent = UnixStream::connect(SOCKET)?;
    send(&mut agent, &spec)?;
    loop {
        let mut fds = [
            PollFd::new(agent.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            other => other?,
        };
        let [answered, signalled] = fds.map(|fd| fd.any() == Some(true));
        if signalled && let Some(signal) = signals.read_signal()? {
            agent.write_all(&Frame::control(0, &signal.ssi_signo)?.encode())?;
        }
        if answered {
            return answer(&mut agent, &spec.argv[0]);
        }
    }
}

fn answer(agent: &mut UnixStream, program: &str) -> Result<Exit, Refusal> {
    let frame =
        Frame::read_blocking(agent)?.ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
    match frame.message()? {
        Reply::Exited(exit) => Ok(exit),
        Reply::NotStarted { errno } => {
            let error = io::Error::from_raw_os_error(errno);
            Err(Refusal(format!("unable to execute {program}: {error}")))
        }
        _ => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
    }
}

fn specification(run: &Run) -> Result<ProcessSpec, Refusal> {
    let environment = Environment::of_process();
    let callers_directory = std::env::current_dir()?.to_string_lossy().into_owned();
    let mut argv = run.argv.clone();
    be_there(&argv[0])?;
    if run.in_background {
        let started = ["/bin/sh", "-c", "\"$@\" &", "sh"].map(str::to_owned);
        argv.splice(0..0, started);
    }
    Ok(ProcessSpec {
        argv,
        env: run.environment(environment.iter()).into_iter().collect(),
        cwd: run.start().map_or(callers_directory, str::to_owned),
        user: run.user,
    })
}

/// Finds out whether there is a program of that name in sudo's own path, where the agent will
/// look for it: what is not there is told in sudo's words.
fn be_there(name: &str) -> Result<(), Refusal> {
    if name.contains('/') {
        return Ok(());
    }
    let is_program = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let mut paths = SECURE_PATH
        .split(':')
        .map(|place| Path::new(place).join(name));
    match paths.any(|path| is_program(&path)) {
        true => Ok(()),
        false => Err(Refusal(format!("{name}: command not found"))),
    }
}

/// The specification, and with its first bytes the standard descriptors.
fn send(agent: &mut UnixStream, spec: &ProcessSpec) -> Result<(), Refusal> {
    let bytes = Frame::control(0, spec)?.encode();
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let fds = [stdin.as_raw_fd(), stdout.as_raw_fd(), stderr.as_raw_fd()];
    let sent = sendmsg::<()>(
        agent.as_raw_fd(),
        &[IoSlice::new(&bytes)],
        &[ControlMessage::ScmRights(&fds)],
        MsgFlags::MSG_NOSIGNAL,
        None,
    )?;
    Ok(agent.write_all(&bytes[sent..])?)
}

/// Ends as the command did, if the signal is one that ends.
fn die_by(number: i32) {
    if let Ok(signal) = Signal::try_from(number) {
        let mut set = SigSet::empty();
        set.add(signal);
        // What is left is the exit code.
        let _ = set.thread_unblock();
        let _ = raise(signal);
    }
}
