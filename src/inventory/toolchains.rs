//! Tools of this machine at the paths where the label's image keeps them: rustup's toolchains,
//! Python and Node.js installations of version managers.
//!
//! Plain data for whoever brings a place up; the tools themselves are mounted read-only, while
//! the directories around them are the job's own, so that it can install further ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::proxies;
use crate::config::Environment;
use crate::label::{Architecture, HOME, TOOL_CACHE};

/// A directory of this machine to mount into a place, read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The directory here; absolute, without symbolic links.
    pub from: PathBuf,
    /// Absolute path inside the place.
    pub at: String,
}

/// A symbolic link to make in a place, owned by the job's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Absolute path inside the place.
    pub at: String,
    /// What it points to.
    pub target: String,
}

/// A file to write in a place, mode 0644.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFile {
    /// Absolute path inside the place.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// What a place needs so that a job finds this machine's tools. To be made in the order of
/// the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toolchains {
    /// Directories below the home to make, owned by the job's user, parents first.
    pub directories: Vec<String>,
    /// Files to write into them, owned by the job's user.
    pub files: Vec<PlacedFile>,
    /// Links to make in them.
    pub links: Vec<Link>,
    /// Files outside the home, owned by root.
    pub root_files: Vec<PlacedFile>,
    /// What to mount, at home and elsewhere.
    pub mounts: Vec<Mount>,
    /// Directories with commands besides those on the label's PATH. None that this machine's own
    /// processes use too: what they open there would be taken for the job's.
    pub bins: Vec<String>,
}

/// Where this machine's tools are looked for.
#[derive(Debug, Clone, Copy)]
pub struct ToolSource<'a> {
    /// The user's home directory.
    pub home: &'a Path,
    /// The environment lrun was started with.
    pub environment: &'a Environment,
    /// A directory of lrun's own store for what must be prepared; need not exist.
    pub store: &'a Path,
    /// The architecture as the tool cache spells it.
    pub architecture: Architecture,
}

/// The tools of this machine cannot be made ready.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare the proxies of '{}' in '{}': {source}", rustup.display(), store.display())]
pub struct ToolchainError {
    /// The program.
    pub rustup: PathBuf,
    /// Where they would go.
    pub store: PathBuf,
    /// What went wrong.
    pub source: io::Error,
}

/// Where the proxies' directory is mounted: `~/.cargo/bin` itself is the job's to write to.
const PROXIES: &str = "/run/lrun/rustup";

impl Toolchains {
    /// The tools of this machine. Directories that cannot be read have none.
    pub fn find(source: &ToolSource<'_>) -> Result<Self, ToolchainError> {
        let mut tools = Self::default();
        tools.add_rust(source)?;
        for (version, from) in pythons(source) {
            tools.add_cached("Python", &version, from, source.architecture);
        }
        for (version, from) in nodes(source) {
            tools.add_cached("node", &version, from, source.architecture);
        }
        Ok(tools)
    }

    fn add_rust(&mut self, source: &ToolSource<'_>) -> Result<(), ToolchainError> {
        let rustup_home = source.directory("RUSTUP_HOME", ".rustup");
        let toolchains = subdirectories(&rustup_home.join("toolchains"));
        if toolchains.is_empty() {
            return Ok(());
        }
        let place = |path: &str| format!("{HOME}/{path}");
        self.directories
            .extend([".cargo", ".cargo/bin", ".rustup", ".rustup/toolchains"].map(place));
        self.files.push(PlacedFile {
            path: place(".rustup/settings.toml"),
            content: rustup_settings(&rustup_home, &toolchains),
        });
        self.add_update_hashes(&rustup_home);
        for (name, from) in toolchains {
            let at = place(&format!(".rustup/toolchains/{name}"));
            self.directories.push(at.clone());
            self.mounts.push(Mount { from, at });
        }
        let rustup = source.directory("CARGO_HOME", ".cargo").join("bin/rustup");
        if rustup.exists() {
            self.add_proxies(&rustup, source.store)?;
        }
        Ok(())
    }

    /// What `rustup update` compares with, so that it finds these toolchains up to date.
    fn add_update_hashes(&mut self, rustup_home: &Path) {
        let hashes = fs::read_dir(rustup_home.join("update-hashes"));
        for entry in hashes.into_iter().flatten().flatten() {
            if let (Ok(name), Ok(content)) = (
                entry.file_name().into_string(),
                fs::read_to_string(entry.path()),
            ) {
                let path = format!("{HOME}/.rustup/update-hashes/{name}");
                self.files.push(PlacedFile { path, content });
            }
        }
    }

    fn add_proxies(&mut self, rustup: &Path, store: &Path) -> Result<(), ToolchainError> {
        let from = proxies::directory(rustup, store).map_err(|source| ToolchainError {
            rustup: rustup.to_owned(),
            store: store.to_owned(),
            source,
        })?;
        self.mounts.push(Mount {
            from,
            at: PROXIES.to_owned(),
        });
        self.bins.push(PROXIES.to_owned());
        for name in proxies::NAMES {
            self.links.push(Link {
                at: format!("{HOME}/.cargo/bin/{name}"),
                target: format!("{PROXIES}/{name}"),
            });
        }
        Ok(())
    }

    /// A tool as `@actions/tool-cache` finds it: `TOOL/VERSION/ARCH`, and a file beside it that
    /// says it is complete.
    fn add_cached(&mut self, tool: &str, version: &str, from: PathBuf, architecture: Architecture) {
        let architecture = architecture.as_str().to_ascii_lowercase();
        let at = format!("{TOOL_CACHE}/{tool}/{version}/{architecture}");
        if self.mounts.iter().any(|mount| mount.at == at) {
            return;
        }
        self.root_files.push(PlacedFile {
            path: format!("{at}.complete"),
            content: String::new(),
        });
        self.mounts.push(Mount { from, at });
    }
}

impl ToolSource<'_> {
    /// The directory a variable names, else the one below the home.
    fn directory(&self, variable: &str, below_home: &str) -> PathBuf {
        match self.environment.get(variable) {
            Some(directory) => PathBuf::from(directory),
            None => self.home.join(below_home),
        }
    }
}

/// Directories and links to directories, by name, in the order of their names.
fn subdirectories(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let path = entry.path().canonicalize().ok()?;
            let name = entry.file_name().into_string().ok()?;
            path.is_dir().then_some((name, path))
        })
        .collect();
    found.sort();
    found
}

/// rustup's settings without what belongs to this machine's directories. The default is
/// `stable` as on the image, where that is installed.
fn rustup_settings(rustup_home: &Path, toolchains: &[(String, PathBuf)]) -> String {
    let stable = toolchains
        .iter()
        .map(|(name, _)| name)
        .find(|name| name.starts_with("stable-"));
    let own = || {
        let settings = fs::read_to_string(rustup_home.join("settings.toml")).ok()?;
        let settings: toml::Table = settings.parse().ok()?;
        Some(settings.get("default_toolchain")?.as_str()?.to_owned())
    };
    let mut settings = toml::Table::new();
    settings.insert("version".to_owned(), "12".into());
    settings.insert("profile".to_owned(), "minimal".into());
    if let Some(default) = stable.cloned().or_else(own) {
        settings.insert("default_toolchain".to_owned(), default.into());
    }
    settings.to_string()
}

/// CPython installations of pyenv and uv, by version.
fn pythons(source: &ToolSource<'_>) -> Vec<(String, PathBuf)> {
    let pyenv = source.directory("PYENV_ROOT", ".pyenv").join("versions");
    let uv = match source.environment.get("UV_PYTHON_INSTALL_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => source
            .directory("XDG_DATA_HOME", ".local/share")
            .join("uv/python"),
    };
    let of_uv = subdirectories(&uv).into_iter().filter_map(|(name, path)| {
        // cpython-3.12.1-linux-x86_64-gnu
        let mut parts = name.split('-');
        let version = (parts.next() == Some("cpython")).then(|| parts.next())??;
        Some((version.to_owned(), path))
    });
    let versions = subdirectories(&pyenv).into_iter().chain(of_uv);
    versions
        .filter(|(version, _)| is_release(version))
        .collect()
}

/// Node.js installations of nvm, fnm and volta, by version.
fn nodes(source: &ToolSource<'_>) -> Vec<(String, PathBuf)> {
    let nvm = source.directory("NVM_DIR", ".nvm").join("versions/node");
    let fnm = source
        .directory("FNM_DIR", ".local/share/fnm")
        .join("node-versions");
    let volta = source
        .directory("VOLTA_HOME", ".volta")
        .join("tools/image/node");
    let of_fnm = subdirectories(&fnm)
        .into_iter()
        .map(|(name, path)| (name, path.join("installation")));
    subdirectories(&nvm)
        .into_iter()
        .chain(of_fnm)
        .chain(subdirectories(&volta))
        .map(|(name, path)| (name.trim_start_matches('v').to_owned(), path))
        .filter(|(version, path)| is_release(version) && path.join("bin").is_dir())
        .collect()
}

/// Whether it is three numbers: other names are aliases, or kinds the image does not have.
fn is_release(version: &str) -> bool {
    let numbers: Vec<_> = version.split('.').collect();
    numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(home: &Path) -> Toolchains {
        Toolchains::find(&ToolSource {
            home,
            environment: &Environment::default(),
            store: &home.join("store"),
            architecture: Architecture::X64,
        })
        .expect("the store is writable")
    }

    fn home_with(directories: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().expect("a temporary directory");
        for directory in directories {
            fs::create_dir_all(home.path().join(directory)).expect("writable");
        }
        home
    }

    #[test]
    fn a_home_without_tools_brings_none() {
        assert_eq!(found(home_with(&[]).path()), Toolchains::default());
    }

    #[test]
    fn toolchains_are_mounted_and_stable_is_the_default() {
        let home = home_with(&[
            ".rustup/toolchains/1.95.0-x86_64-unknown-linux-gnu",
            ".rustup/toolchains/stable-x86_64-unknown-linux-gnu",
            ".cargo/bin",
        ]);
        let settings =
            "default_toolchain = '1.95.0-x86_64-unknown-linux-gnu'\n[overrides]\n'/me' = 'x'\n";
        fs::write(home.path().join(".rustup/settings.toml"), settings).expect("writable");
        fs::write(home.path().join(".cargo/bin/rustup"), "rustup").expect("writable");
        let tools = found(home.path());
        let at: Vec<_> = tools.mounts.iter().map(|mount| mount.at.as_str()).collect();
        assert_eq!(
            at,
            [
                "/home/runner/.rustup/toolchains/1.95.0-x86_64-unknown-linux-gnu",
                "/home/runner/.rustup/toolchains/stable-x86_64-unknown-linux-gnu",
                "/run/lrun/rustup",
            ]
        );
        assert_eq!(tools.files[0].path, "/home/runner/.rustup/settings.toml");
        let written: toml::Table = tools.files[0].content.parse().expect("TOML");
        assert_eq!(
            written["default_toolchain"].as_str(),
            Some("stable-x86_64-unknown-linux-gnu")
        );
        assert!(!written.contains_key("overrides"));
        assert!(tools.links.contains(&Link {
            at: "/home/runner/.cargo/bin/rustc".to_owned(),
            target: "/run/lrun/rustup/rustc".to_owned(),
        }));
    }

    #[test]
    fn without_stable_the_default_is_the_user_s() {
        let home = home_with(&[".rustup/toolchains/beta-x86_64-unknown-linux-gnu"]);
        let settings = "default_toolchain = 'beta-x86_64-unknown-linux-gnu'\n";
        fs::write(home.path().join(".rustup/settings.toml"), settings).expect("writable");
        let tools = found(home.path());
        assert!(tools.files[0].content.contains("beta-x86_64"));
        assert!(tools.links.is_empty(), "there is no rustup to link to");
    }

    #[test]
    fn interpreters_stand_in_the_tool_cache_once_for_each_version() {
        let home = home_with(&[
            ".pyenv/versions/3.11.7/bin",
            ".pyenv/versions/pypy3.9-7.3.16/bin",
            ".pyenv/versions/my-venv/bin",
            ".local/share/uv/python/cpython-3.11.7-linux-x86_64-gnu/bin",
            ".local/share/uv/python/cpython-3.13.0-linux-x86_64-gnu/bin",
            ".nvm/versions/node/v22.1.0/bin",
        ]);
        let tools = found(home.path());
        let at: Vec<_> = tools.mounts.iter().map(|mount| mount.at.as_str()).collect();
        assert_eq!(
            at,
            [
                "/opt/hostedtoolcache/Python/3.11.7/x64",
                "/opt/hostedtoolcache/Python/3.13.0/x64",
                "/opt/hostedtoolcache/node/22.1.0/x64",
            ]
        );
        assert!(tools.mounts[0].from.ends_with(".pyenv/versions/3.11.7"));
        assert!(
            tools
                .root_files
                .iter()
                .any(|file| file.path == "/opt/hostedtoolcache/Python/3.11.7/x64.complete")
        );
        assert!(tools.directories.is_empty() && tools.files.is_empty());
        assert!(tools.bins.is_empty(), "{:?}", tools.bins);
    }
}
