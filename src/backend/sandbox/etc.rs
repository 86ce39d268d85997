//! What every place has of its own in its root file system: accounts, names, time zone,
//! the right to `sudo`, modes of a hosted image; and what it must not have of this
//! machine's.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::SandboxError;
use super::layers::Uppers;
use super::recipe::{JOB, Recipe};
use super::secrets::Secret;
use crate::agent::protocol::FileSpec;
use crate::agent::sudo;

const RUNNER: &str = "runner";

/// The files of a place, before those that its specification adds.
pub(super) fn files(recipe: Recipe, hostname: &str) -> Vec<FileSpec> {
    let mut files = vec![
        file("/etc/passwd", 0o644, accounts()),
        file("/etc/group", 0o644, groups()),
        file("/etc/hostname", 0o644, format!("{hostname}\n")),
        file("/etc/hosts", 0o644, hosts(hostname)),
        file("/etc/timezone", 0o644, "Etc/UTC\n".to_owned()),
    ];
    // A link into /run would lead nowhere.
    if let Ok(resolver) = fs::read_to_string("/etc/resolv.conf") {
        files.push(file("/etc/resolv.conf", 0o644, resolver));
    }
    let shadow = format!("root:*:19000:0:99999:7:::\n{RUNNER}:*:19000:0:99999:7:::\n");
    files.push(file("/etc/shadow", 0o640, shadow));
    if asks_the_agent(recipe) {
        let script = format!("#!{PROGRAM} {}\n", sudo::SUDO);
        files.push(file("/usr/bin/sudo", 0o755, script));
    } else if has_sudo() {
        files.push(file("/etc/sudoers", 0o440, sudoers()));
        let rule = format!("{RUNNER} ALL=(ALL) NOPASSWD:ALL\n");
        files.push(file("/etc/sudoers.d/runner", 0o440, rule));
    }
    if recipe != Recipe::Root {
        let hook = format!("pre-invoke={PROGRAM} {OWN}\n");
        files.push(file("/etc/dpkg/dpkg.cfg.d/lrun", 0o644, hook));
    }
    if !recipe.has_ids() {
        // It cannot become the user that it downloads as.
        let setting = "APT::Sandbox::User \"root\";\n".to_owned();
        files.push(file("/etc/apt/apt.conf.d/99lrun", 0o644, setting));
    }
    files
}

/// Where lrun's program is in the places of ordinary users.
pub(super) const PROGRAM: &str = "/run/lrun/lrun";

/// The argument that makes lrun the program that dpkg calls before it does anything.
pub const OWN: &str = "__own";

/// `sudo` in the place cannot be a program that becomes root: there is no such program, or it
/// would be the same user still.
pub(super) fn asks_the_agent(recipe: Recipe) -> bool {
    recipe != Recipe::Root && !(recipe.has_ids() && has_sudo())
}

/// This machine has a `sudo` that a place with ids of its own can use.
pub(super) fn has_sudo() -> bool {
    Path::new("/usr/bin/sudo").exists()
}

fn sudoers() -> String {
    let path = sudo::SECURE_PATH;
    format!(
        "Defaults env_reset\nDefaults secure_path=\"{path}\"\nroot ALL=(ALL:ALL) ALL\n\
         @includedir /etc/sudoers.d\n"
    )
}

/// Links and directories of a place (`/opt` is writable for everybody on hosted images).
pub(super) fn furnish(uppers: &Uppers<'_>) -> Result<(), SandboxError> {
    uppers.put_link(Path::new("/etc/localtime"), "/usr/share/zoneinfo/Etc/UTC")?;
    uppers.put_directory(Path::new("/opt"), Some(0o777))?;
    let tool_cache = Path::new("/opt/hostedtoolcache");
    uppers.empty_directory(tool_cache)?;
    uppers.put_directory(tool_cache, Some(0o777))?;
    Ok(())
}

/// Empties what no ordinary user of this machine can read. Needed where the place's root
/// has the id of this machine's. What is `hidden` as a whole is passed over.
pub(super) fn empty_secrets(
    uppers: &Uppers<'_>,
    secrets: &[Secret],
    hidden: &[PathBuf],
) -> Result<(), SandboxError> {
    for Secret { path, metadata } in secrets {
        if hidden.iter().any(|hidden| path.starts_with(hidden)) {
            continue;
        }
        match metadata.is_dir() {
            true => uppers.empty_directory(path)?,
            false => uppers.empty_file(path, metadata)?,
        }
    }
    Ok(())
}

fn file(path: &str, mode: u32, content: String) -> FileSpec {
    FileSpec {
        path: path.to_owned(),
        content: content.into_bytes(),
        mode,
    }
}

fn accounts() -> String {
    let here = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let runner = format!("{RUNNER}:x:{JOB}:{JOB}:,,,:/home/{RUNNER}:/bin/bash\n");
    without_runner(&here) + &runner
}

fn groups() -> String {
    let here = fs::read_to_string("/etc/group").unwrap_or_default();
    without_runner(&here) + &format!("{RUNNER}:x:{JOB}:\n")
}

/// The lines of a passwd or group file that speak of neither the name nor the id.
fn without_runner(text: &str) -> String {
    let id = JOB.to_string();
    text.lines()
        .filter(|line| {
            let mut fields = line.split(':');
            fields.next() != Some(RUNNER) && fields.nth(1) != Some(id.as_str())
        })
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The place's own name first, then what this machine knows: a company's mirror may be
/// known by this file alone.
fn hosts(hostname: &str) -> String {
    let here = fs::read_to_string("/etc/hosts").unwrap_or_default();
    format!("127.0.0.1 localhost {hostname}\n{here}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_runners_name_or_id_gives_way() {
        let text = "root:x:0:0::/root:/bin/sh\nana:x:1001:1001::/home/ana:/bin/sh\nrunner:x:7:7::/:/bin/sh\n";
        assert_eq!(without_runner(text), "root:x:0:0::/root:/bin/sh\n");
    }
}
