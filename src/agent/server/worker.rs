//! Work on files that may take long: a forked child that took the user's identity as a
//! step does, reading its input and writing what it finds as frames.
#![expect(
    unsafe_code,
    reason = "a worker is a fork without an exec: fork, dup2 and _exit have no safe form"
)]

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, kill, sigprocmask};
use nix::unistd::{ForkResult, Pid, fork, pipe2, setsid};

use super::child::{Child, Pipes};
use super::files;
use super::identity::Identity;
use crate::agent::frame::{CHUNK, Frame};
use crate::agent::message::{Complaint, Piece, REPORT, Removal, Work};
use crate::agent::protocol::{
    ArtifactSpec, HashReport, HashSpec, PackReport, PackSpec, UnpackReport, User,
};
use crate::archive::{self, FoundFiles, PackRequest, Unpacker};
use crate::clock::Moment;
use crate::lookup::HashedFile;
use crate::tree::{self, Links, Roots};

/// Starts a worker.
pub(super) fn start(stream: u32, user: User, work: Work, identity: &Identity) -> io::Result<Child> {
    let (input, feed) = pipe2(OFlag::O_CLOEXEC)?;
    let pipes = Pipes::new()?;
    let started = Moment::now();
    // SAFETY: this program has one thread, so the child may do whatever the parent might.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => pipes.into_child(stream, child, started).fed_by(feed),
        ForkResult::Child => {
            let [out, err] = &pipes.theirs;
            let done = catch_unwind(AssertUnwindSafe(|| {
                settle(&input, [out, err], user, identity)?;
                perform(work)
            }));
            let code = match done {
                Ok(Ok(())) => 0,
                Ok(Err(_)) => 1,
                Err(_) => 101,
            };
            // SAFETY: ends this process without running the parent's destructors.
            unsafe { libc::_exit(code) }
        }
    }
}

/// Makes the pipes standard input, output and error, lets go of all else that the agent
/// holds, and becomes the user.
fn settle(
    input: &OwnedFd,
    [out, err]: [&OwnedFd; 2],
    user: User,
    identity: &Identity,
) -> io::Result<()> {
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
    setsid()?;
    for (fd, number) in [(input, 0), (out, 1), (err, 2)] {
        // SAFETY: replaces a descriptor that nothing in this process uses from here on:
        // the loop that owned it is never returned to.
        Errno::result(unsafe { libc::dup2(fd.as_raw_fd(), number) })?;
    }
    identity.assume(user)?;
    // SAFETY: as above; a kernel without the call leaves them open, which only delays
    // an end of file.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    Ok(())
}

/// The pipe that became standard input or output.
fn standard(number: i32) -> File {
    // SAFETY: `settle` put a pipe there that nothing else in this process owns; each number
    // is taken once.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(number) }
}

fn perform(work: Work) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(CHUNK, standard(1));
    match work {
        Work::Remove { path, removal } => {
            let target = Path::new(&path);
            let done = match removal {
                Removal::Whole => files::remove(target),
                Removal::Contents => files::remove_contents(target),
            };
            let complain = |error| Complaint::File(files::problem("remove", &path, &error));
            report(&mut output, &done.map_err(complain))
        }
        Work::HashFiles(spec) => report(&mut output, &hash(&spec)),
        Work::Pack(spec) => {
            let packed = pack(&spec, &mut output);
            report(&mut output, &packed)
        }
        Work::Unpack { workspace } => {
            let unpacked = unpack(
                &workspace,
                &mut BufReader::with_capacity(CHUNK, standard(0)),
            );
            report(&mut output, &unpacked)
        }
        Work::FindArtifact(spec) => report(&mut output, &find_artifact(&spec)),
        Work::SendArtifact(found) => {
            let mut send = |item| output.write_all(&Piece::Item(item).into_frame()?.encode());
            let sent = archive::send_artifact(&found, &mut send)?;
            report(&mut output, &Ok::<_, Complaint>(sent))
        }
    }?;
    output.flush()
}

/// The last thing a worker says.
fn report(
    output: &mut impl io::Write,
    result: &Result<impl serde::Serialize, Complaint>,
) -> io::Result<()> {
    output.write_all(&Frame::control(REPORT, result)?.encode())
}

fn refused(error: &impl std::error::Error) -> Complaint {
    Complaint::Refused {
        message: error.to_string(),
    }
}

fn hash(spec: &HashSpec) -> Result<HashReport, Complaint> {
    let links = match spec.follow_links {
        true => Links::Follow,
        false => Links::Keep,
    };
    let (workspace, home) = (Path::new(&spec.workspace), Path::new(&spec.home));
    let hashed = tree::hash_files(&spec.patterns, workspace, home, links);
    let hashed = hashed.map_err(|error| refused(&error))?;
    Ok(HashReport {
        digest: hashed.digest,
        files: hashed
            .files
            .into_iter()
            .map(|(path, digest)| HashedFile { path, digest })
            .collect(),
    })
}

fn pack(spec: &PackSpec, output: &mut impl io::Write) -> Result<PackReport, Complaint> {
    let request = PackRequest {
        paths: &spec.paths,
        roots: Roots {
            workspace: &spec.workspace,
            home: &spec.home,
        },
        known: &spec.known,
    };
    // Neither process 1 nor this one counts. Where there is no process namespace, all others do.
    let was_alone = kill(Pid::from_raw(-1), None) == Err(Errno::ESRCH);
    let mut send = |item| output.write_all(&Piece::Item(item).into_frame()?.encode());
    let packed = archive::pack(&request, &mut send).map_err(|error| refused(&error))?;
    Ok(PackReport {
        matched: packed.matched,
        problems: packed.problems,
        was_alone,
    })
}

fn find_artifact(spec: &ArtifactSpec) -> Result<FoundFiles, Complaint> {
    let roots = Roots {
        workspace: &spec.workspace,
        home: &spec.home,
    };
    let paths = std::slice::from_ref(&spec.path);
    archive::find_artifact(paths, roots, spec.include_hidden).map_err(|error| refused(&error))
}

fn unpack(workspace: &str, input: &mut impl io::Read) -> Result<UnpackReport, Complaint> {
    let complain = |error| Complaint::File(files::problem("unpack into", workspace, &error));
    let mut unpacker = Unpacker::new(Path::new(workspace)).map_err(complain)?;
    while let Some(frame) = Frame::read_blocking(input).map_err(complain)? {
        if let Piece::Item(item) = Piece::from_frame(frame).map_err(complain)? {
            unpacker.take(item);
        }
    }
    Ok(UnpackReport {
        problems: unpacker.finish(),
    })
}
