//! A release from the store, else from the first source that has it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use super::error::{FetchError, SourceError};
use super::http::Http;
use super::kept::Kept;
use super::release::Release;
use super::unpack::{Expected, unpack, verify};
use super::{Node, Origin, npm};
use crate::config::Environment;

/// Node.js's own distribution.
const DISTRIBUTION: &str = "https://nodejs.org/dist";

/// Where releases may come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The store's directory.
    pub store: &'a Path,
    /// The URL of a copy of Node.js's distribution, in its place.
    pub mirror: Option<&'a str>,
    /// Nothing is fetched.
    pub offline: bool,
    /// The environment lrun was started with.
    pub environment: &'a Environment,
}

/// A release that was asked for.
#[derive(Debug)]
pub struct Fetched {
    /// It.
    pub node: Node,
    /// Sources that failed before one did not.
    pub failed: Vec<(Origin, SourceError)>,
}

impl Sources<'_> {
    /// A release that is in the store.
    pub fn kept(&self, release: &Release) -> Option<Node> {
        let from = Kept::new(self.store).find(release)?;
        Some(node(release, from, Origin::Store))
    }

    /// Why a release cannot be had without fetching it, if it cannot.
    pub fn lacks(&self, release: &Release) -> Option<FetchError> {
        let lacking = || FetchError::Offline {
            version: release.version.to_owned(),
        };
        self.kept(release).is_none().then(lacking)
    }

    /// A release; fetched if it is not in the store, once for all processes. `before` is told
    /// when there is something to fetch.
    ///
    /// # Errors
    /// When it is not there and nothing may be fetched, or when no source has it.
    pub fn ensure(&self, release: &Release, before: impl FnOnce()) -> Result<Fetched, FetchError> {
        let had = |node| Fetched {
            node,
            failed: Vec::new(),
        };
        if let Some(node) = self.kept(release) {
            return Ok(had(node));
        }
        if let Some(lacking) = self.lacks(release).filter(|_| self.offline) {
            return Err(lacking);
        }
        before();
        let gate = Kept::new(self.store).enter(release)?;
        // By another process, which this one waited for.
        if let Some(node) = self.kept(release) {
            return Ok(had(node));
        }
        let mut failed = Vec::new();
        for origin in self.origins() {
            match self.fill(release, origin, gate.empty()?) {
                Ok(()) => {
                    let node = node(release, gate.keep()?, origin);
                    return Ok(Fetched { node, failed });
                }
                Err(error) => failed.push((origin, error)),
            }
        }
        gate.discard();
        Err(FetchError::NoSource {
            version: release.version.to_owned(),
            tried: failed,
        })
    }

    fn origins(&self) -> [Origin; 2] {
        let distribution = match self.mirror {
            Some(_) => Origin::Mirror,
            None => Origin::Distribution,
        };
        [distribution, Origin::Npm]
    }

    fn fill(&self, release: &Release, origin: Origin, to: &Path) -> Result<(), SourceError> {
        let downloads = tempfile::tempdir_in(to).map_err(|source| SourceError::Unpack {
            file: release.file(),
            source,
        })?;
        let (archive, expected) = match origin {
            Origin::Npm => {
                let archive = npm::pack(release, downloads.path())?;
                (archive, Expected::Sha512(release.package_sha512))
            }
            _ => self.download(release, downloads.path())?,
        };
        verify(&archive, &expected)?;
        unpack(&archive, to)?;
        try_out(release, &to.join("bin/node"))
    }

    fn download(&self, release: &Release, to: &Path) -> Result<(PathBuf, Expected), SourceError> {
        let root = self.mirror.unwrap_or(DISTRIBUTION).trim_end_matches('/');
        let http = Http::new(self.environment);
        let list = format!("{root}/{}", release.checksums());
        let file = release.file();
        let expected =
            digest_of(&http.text(&list)?, &file).ok_or_else(|| SourceError::NotListed {
                url: list,
                file: file.clone(),
            })?;
        let path = to.join(&file);
        let archive = File::create(&path).map_err(|source| SourceError::Unpack { file, source })?;
        http.save(&format!("{root}/{}", release.archive()), archive)?;
        Ok((path, Expected::Sha256(expected)))
    }
}

/// The digest of a file in a list as sha256sum(1) writes it.
fn digest_of(list: &str, file: &str) -> Option<String> {
    list.lines().find_map(|line| {
        let (digest, name) = line.split_once(char::is_whitespace)?;
        let name = name.trim_start().trim_start_matches('*');
        (name == file).then(|| digest.to_ascii_lowercase())
    })
}

/// Fails unless it starts and says the release's version.
fn try_out(release: &Release, program: &Path) -> Result<(), SourceError> {
    let start = || Command::new(program).arg("--version").env_clear().output();
    let busy = |output: &io::Result<Output>| matches!(output, Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy);
    let mut output = start();
    // A process that this one is starting at the moment has the file open for as long as that
    // takes.
    for _ in 0..100 {
        if !busy(&output) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        output = start();
    }
    let answer = match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let answer = answer.trim();
    if answer.strip_prefix('v') == Some(release.version) {
        return Ok(());
    }
    Err(SourceError::Wrong {
        version: release.version.to_owned(),
        answer: answer.to_owned(),
    })
}

fn node(release: &Release, from: PathBuf, origin: Origin) -> Node {
    Node {
        from,
        version: release.version.to_owned(),
        origin,
    }
}

#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
