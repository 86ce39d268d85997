//! A package's archive by the user's own npm client, with whatever registry, proxy and
//! credentials it is set to. Nothing in the package is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::error::SourceError;
use super::release::Release;

/// npm itself gives up earlier, unless it is told otherwise.
const LIMIT: Duration = Duration::from_secs(15 * 60);
const PAUSE: Duration = Duration::from_millis(20);

/// Has npm put the archive into an empty directory; gives its path there.
pub(super) fn pack(release: &Release, directory: &Path) -> Result<PathBuf, SourceError> {
    let words = directory.join("npm.log");
    let log = fs::File::create(&words).map_err(|error| failed(error.to_string()))?;
    // In a directory of lrun's own: no project's settings, and the archive goes there.
    let child = Command::new("npm")
        .args(["pack", "--ignore-scripts", "--loglevel=error"])
        .arg(format!("{}@{}", release.package, release.version))
        .current_dir(directory)
        .env("npm_config_update_notifier", "false")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    let child = child.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed("there is no npm in PATH"),
        _ => failed(format!("cannot be started: {error}")),
    })?;
    if !ended_well(child)? {
        let said = fs::read_to_string(&words).unwrap_or_default();
        return Err(failed(reason(&said)));
    }
    archive(directory).ok_or_else(|| failed("made no archive"))
}

fn ended_well(mut child: Child) -> Result<bool, SourceError> {
    let pauses = LIMIT.as_millis() / PAUSE.as_millis();
    for _ in 0..pauses {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) => thread::sleep(PAUSE),
            Err(error) => return Err(failed(error.to_string())),
        }
    }
    // Nobody waits for it any longer; it may have ended just now.
    let _ = child.kill();
    let _ = child.wait();
    Err(failed("took longer than 15 minutes"))
}

fn archive(directory: &Path) -> Option<PathBuf> {
    let mut entries = fs::read_dir(directory).ok()?.flatten();
    let found = entries.find(|entry| entry.path().extension().is_some_and(|e| e == "tgz"))?;
    Some(found.path())
}

/// The last thing it said that is not where its log is.
fn reason(said: &str) -> String {
    let lines = said.lines().map(|line| {
        line.trim_start_matches("npm error")
            .trim_start_matches("npm ERR!")
            .trim()
    });
    let mut told = lines.filter(|line| {
        !line.is_empty() && !line.starts_with("A complete log") && !line.starts_with("code ")
    });
    told.next().unwrap_or("failed without a word").to_owned()
}

fn failed(reason: impl Into<String>) -> SourceError {
    SourceError::Npm {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_npm_says_the_reason_is_taken() {
        let said = "npm error code E404\nnpm error 404 Not Found - GET it\nnpm error A complete log of this run: /x\n";
        assert_eq!(reason(said), "404 Not Found - GET it");
        assert_eq!(reason(""), "failed without a word");
    }
}
