//! Where settings are read, and what is gathered of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Environment;

/// The machine whose settings are read.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'a> {
    /// `/`; another directory in tests.
    pub root: &'a Path,
    /// The user's home directory; none when it is not known.
    pub home: Option<&'a Path>,
    /// The environment lrun was started with.
    pub environment: &'a Environment,
}

/// A file to place into a job's root before its first step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedFile {
    /// Absolute path inside the place.
    pub path: String,
    /// Its content. Mode 0644, owned by root.
    pub content: String,
}

/// What goes into a job's place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// The tools that are set up by it, for the difference that names them; empty: none is.
    pub tools: Vec<&'static str>,
    /// The files, at most one for each path.
    pub files: Vec<CarriedFile>,
    /// Variables for what has no file form.
    pub env: Vec<(String, String)>,
    /// Settings that were carried without the credentials in them.
    pub without_credentials: Vec<String>,
}

/// Files whose settings are replaced by what is carried: all that the tools read for the
/// whole machine. npm reads `PREFIX/etc/npmrc` of the node it belongs to; Debian's, `/etc/npmrc`.
const REPLACED: [&str; 9] = [
    super::pip::FILE,
    "/etc/xdg/pip/pip.conf",
    super::uv::FILE,
    "/etc/xdg/uv/uv.toml",
    super::npm::FILES[0],
    super::npm::FILES[1],
    super::npm::FILES[2],
    super::cargo::FILE,
    super::git::FILE,
];

/// Directories of this machine that a job does not see.
const HIDDEN: [&str; 7] = [
    "/home", "/root", "/srv", "/snap", "/tmp", "/run", "/var/tmp",
];

/// Where certificates go whose own place a job does not see.
const CERTIFICATES: &str = "/etc/ssl/lrun";

/// Gathers what is carried.
pub(super) struct Carrier<'a> {
    machine: &'a Machine<'a>,
    carried: Carried,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(machine: &'a Machine<'a>) -> Self {
        Self {
            machine,
            carried: Carried::default(),
        }
    }

    pub(super) fn environment(&self) -> &'a Environment {
        self.machine.environment
    }

    /// The text of a file of the machine, by its absolute path.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Option<String> {
        fs::read_to_string(self.on_host(path.as_ref())).ok()
    }

    /// A path below the user's home.
    pub(super) fn at_home(&self, path: &str) -> Option<PathBuf> {
        Some(self.machine.home?.join(path))
    }

    /// A path below the directory a variable names, else below the home.
    pub(super) fn below(&self, variable: &str, or_home: &str, path: &str) -> Option<PathBuf> {
        match self.environment().get(variable) {
            Some(directory) => Some(Path::new(directory).join(path)),
            None => Some(self.at_home(or_home)?.join(path)),
        }
    }

    /// Notes that a tool is set up by these files, all with one content.
    pub(super) fn file(&mut self, tool: &'static str, paths: &[&str], content: &str) {
        self.tool(tool);
        for path in paths {
            self.carried.files.push(CarriedFile {
                path: (*path).to_owned(),
                content: content.to_owned(),
            });
        }
    }

    /// Notes that a tool is set up by a variable.
    pub(super) fn variable(&mut self, tool: &'static str, name: &str, value: String) {
        self.tool(tool);
        self.carried.env.push((name.to_owned(), value));
    }

    /// The value without user names and passwords in its URLs.
    pub(super) fn public(&mut self, setting: &str, value: &str) -> String {
        let public = without_credentials(value);
        if public != value {
            self.carried.without_credentials.push(setting.to_owned());
        }
        public
    }

    /// A certificate file as the job can name it: its own path, or that of a copy where the job
    /// does not see its own. None when it cannot be read.
    pub(super) fn certificate(&mut self, path: &str) -> Option<String> {
        let path = match path.strip_prefix("~/") {
            Some(rest) => self.at_home(rest)?,
            None => PathBuf::from(path),
        };
        if self.is_visible(&path) {
            return Some(path.to_str()?.to_owned());
        }
        let content = self.read(&path)?;
        let name: String = path
            .to_str()?
            .trim_start_matches('/')
            .replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
        let copy = format!("{CERTIFICATES}/{name}");
        if !self.carried.files.iter().any(|file| file.path == copy) {
            self.carried.files.push(CarriedFile {
                path: copy.clone(),
                content,
            });
        }
        Some(copy)
    }

    /// Whether a job sees the file or directory that is at this path of the machine.
    pub(super) fn is_visible(&self, path: &Path) -> bool {
        path.is_absolute()
            && !HIDDEN.iter().any(|hidden| path.starts_with(hidden))
            && self.on_host(path).exists()
    }

    /// The path as this process reaches it, all symbolic links resolved.
    pub(super) fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.on_host(path).canonicalize().ok()
    }

    /// What was gathered; files of the machine that nothing replaced are emptied.
    pub(super) fn finish(mut self) -> Carried {
        for path in REPLACED {
            let is_replaced = self.carried.files.iter().any(|file| file.path == path);
            if !is_replaced && self.on_host(Path::new(path)).exists() {
                self.carried.files.push(CarriedFile {
                    path: path.to_owned(),
                    content: String::new(),
                });
            }
        }
        self.carried
    }

    fn tool(&mut self, tool: &'static str) {
        if !self.carried.tools.contains(&tool) {
            self.carried.tools.push(tool);
        }
    }

    fn on_host(&self, path: &Path) -> PathBuf {
        match path.strip_prefix("/") {
            Ok(relative) => self.machine.root.join(relative),
            Err(_) => self.machine.root.join(path),
        }
    }
}

/// The text with nothing before the `@` of its URLs. Proxies may be written without a scheme.
fn without_credentials(text: &str) -> String {
    if !text.contains("://") {
        return host_of(text).to_owned();
    }
    let mut public = String::new();
    let mut rest = text;
    while let Some((scheme, after)) = rest.split_once("://") {
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace())
            .unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        public.push_str(scheme);
        public.push_str("://");
        public.push_str(host_of(authority));
        rest = tail;
    }
    public.push_str(rest);
    public
}

fn host_of(authority: &str) -> &str {
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}
