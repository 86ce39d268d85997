//! `submodules: true` and `recursive`: what `git submodule update` makes, by git itself, out of what
//! is on this machine.
//!
//! A submodule's commit comes from the user's own clone of it where that has it, else from its server
//! by the user's git. Git is shown neither: it clones from a repository that stands for the one on
//! the server, with its refs and none of the user's.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::others::Kept;
use super::served::{Held, Served, in_module};
use super::stand_in::StandIn;
use super::{Source, WorkspaceError};
use crate::git::{Git, Ref};
use crate::plan::{CheckoutInputs, Submodules};

/// Modules within modules, so many deep: git has no bound, the disk has.
const DEEPEST: usize = 50;

/// Checks the submodules of a clone out. Gives what this machine cannot tell of them, in words.
pub(super) fn check_out(
    source: &Source<'_>,
    inputs: &CheckoutInputs,
    served: &Served<'_>,
    clone: &Path,
) -> Result<Vec<String>, WorkspaceError> {
    let clones = match &served.held {
        Held::User(source) => Clones::of(source),
        Held::Module(_) | Held::Store(_) => Clones::default(),
    };
    let mut work = Work {
        source,
        inputs,
        stand_ins: clone.with_file_name("stand-ins"),
        made: 0,
        doubts: Vec::new(),
    };
    std::fs::create_dir_all(&work.stand_ins)
        .map_err(WorkspaceError::io("create", &work.stand_ins))?;
    work.update(clone, &clones, DEEPEST)?;
    Ok(work.doubts)
}

/// Where the user's clones of a repository's submodules are.
#[derive(Debug, Default)]
struct Clones {
    /// The working tree and the `modules` of its `.git`.
    of: Option<(PathBuf, PathBuf)>,
}

impl Clones {
    fn of(source: &Source<'_>) -> Self {
        let git = source.repository.objects.parent();
        let modules = git.map(|git| git.join("modules"));
        Self {
            of: modules.map(|modules| (source.repository.root.clone(), modules)),
        }
    }

    /// That of a submodule: below `modules`, or in the working tree as git once had it.
    fn find(&self, module: &Module) -> Option<PathBuf> {
        let (root, modules) = self.of.as_ref()?;
        let is_plain = |path: &Path| {
            path.components()
                .all(|part| matches!(part, Component::Normal(_)))
        };
        if !is_plain(Path::new(&module.name)) || !is_plain(Path::new(&module.path)) {
            return None;
        }
        let places = [
            modules.join(&module.name),
            root.join(&module.path).join(".git"),
        ];
        places
            .into_iter()
            .find(|place| place.join("objects").is_dir())
    }

    /// Those of a submodule's own submodules.
    fn below(&self, module: &Module) -> Self {
        let found = self.find(module);
        let of = found.and_then(|git| {
            let (root, _) = self.of.as_ref()?;
            Some((root.join(&module.path), git.join("modules")))
        });
        Self { of }
    }
}

/// A submodule of a clone.
#[derive(Debug)]
struct Module {
    name: String,
    path: String,
    /// Resolved against the clone's own.
    url: String,
    commit: String,
}

struct Work<'a> {
    source: &'a Source<'a>,
    inputs: &'a CheckoutInputs,
    stand_ins: PathBuf,
    made: usize,
    doubts: Vec<String>,
}

impl Work<'_> {
    /// Updates the submodules of one clone.
    fn update(&mut self, clone: &Path, clones: &Clones, deep: usize) -> Result<(), WorkspaceError> {
        Git::isolated(clone).args(["submodule", "init"]).output()?;
        let modules = modules(clone)?;
        if modules.is_empty() {
            return Ok(());
        }
        let mut update = Git::isolated(clone).env("GIT_ALLOW_PROTOCOL", "file");
        for module in &modules {
            let stand_in = self.stand_in(module, clones).map_err(|error| match error {
                error @ WorkspaceError::SubmoduleUrl { .. } => error,
                error => WorkspaceError::Submodule {
                    path: module.path.clone(),
                    source: Box::new(error),
                },
            })?;
            let setting = format!("url.file://{}.insteadOf={}", stand_in.display(), module.url);
            update = update.args(["-c", &setting]);
        }
        update = update.args([
            "-c",
            "protocol.version=2",
            "-c",
            "protocol.file.allow=always",
        ]);
        update = update.args(["submodule", "update", "--init", "--force"]);
        if let Some(depth) = self.inputs.depth {
            update = update.arg(format!("--depth={depth}"));
        }
        update.output()?;
        for module in &modules {
            let directory = clone.join(&module.path);
            let gc = ["config", "--local", "gc.auto", "0"];
            Git::isolated(&directory).args(gc).output()?;
            if self.inputs.submodules == Submodules::Recursive && deep > 0 {
                self.update(&directory, &clones.below(module), deep - 1)?;
            }
        }
        Ok(())
    }

    /// Makes what stands for the submodule's repository.
    fn stand_in(&mut self, module: &Module, clones: &Clones) -> Result<PathBuf, WorkspaceError> {
        let url =
            on_server(&module.url, self.inputs).ok_or_else(|| WorkspaceError::SubmoduleUrl {
                path: module.path.clone(),
                url: module.url.clone(),
            })?;
        let own = clones.find(module).filter(|git| has(git, &module.commit));
        let served = match own {
            Some(git) => {
                if !is_published(&git, &module.commit)? {
                    self.doubts.push(format!(
                        "submodule '{}' is at {}, which no branch of its 'origin' had when last seen: GitHub fails unless it is pushed",
                        module.path, module.commit
                    ));
                }
                of_clone(self.source, git, &url)?
            }
            None => Kept::of_submodule(self.source, &url, &module.commit, self.inputs)?,
        };
        let directory = self.stand_ins.join(self.made.to_string());
        self.made += 1;
        let refs = served.refs.iter();
        let refs = refs.map(|(name, target)| (name.clone(), target.object.clone()));
        let shallow = served.shallow()?;
        let stand_in = StandIn {
            refs: &refs.collect(),
            head: &served.default,
            shallow: shallow.iter().map(String::as_str).collect(),
            objects: served.alternates(),
            object_format: &served.object_format,
        };
        stand_in.write(&directory)?;
        Ok(directory)
    }
}

/// The submodules of a clone that `git submodule init` has made known.
fn modules(clone: &Path) -> Result<Vec<Module>, WorkspaceError> {
    let settings = [
        "config",
        "--local",
        "--null",
        "--get-regexp",
        r"^submodule\..*\.url$",
    ];
    let (_, urls) = Git::isolated(clone).args(settings).output_or(&[1])?;
    let urls = pairs(&urls, ".url");
    let settings = ["config", "--null", "--blob", "HEAD:.gitmodules"];
    let git = Git::isolated(clone).args(settings);
    let (_, paths) = git
        .args(["--get-regexp", r"^submodule\..*\.path$"])
        .output_or(&[1, 128])?;
    let links = links(clone)?;
    let mut modules = Vec::new();
    for (name, path) in pairs(&paths, ".path") {
        if let (Some(url), Some(commit)) = (urls.get(&name), links.get(&path)) {
            modules.push(Module {
                url: url.clone(),
                commit: commit.clone(),
                name,
                path,
            });
        }
    }
    Ok(modules)
}

/// Names between `submodule.` and the ending, with their values.
fn pairs(output: &[u8], ending: &str) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(output);
    let pair = |entry: &str| {
        let (key, value) = entry.split_once('\n')?;
        let name = key.strip_prefix("submodule.")?.strip_suffix(ending)?;
        Some((name.to_owned(), value.to_owned()))
    };
    text.split('\0').filter_map(pair).collect()
}

/// The commits that a clone's index has in the place of directories.
fn links(clone: &Path) -> Result<BTreeMap<String, String>, WorkspaceError> {
    let listed = Git::isolated(clone)
        .args(["ls-files", "-z", "--stage"])
        .output()?;
    let text = String::from_utf8_lossy(&listed);
    let link = |entry: &str| {
        let (about, path) = entry.split_once('\t')?;
        let commit = about.strip_prefix("160000 ")?.split(' ').next()?;
        Some((path.to_owned(), commit.to_owned()))
    };
    Ok(text.split('\0').filter_map(link).collect())
}

/// The URL by which GitHub's runner would fetch: that of a server. Without a key the action has ssh
/// URLs of its own server go by https.
fn on_server(url: &str, inputs: &CheckoutInputs) -> Option<String> {
    if !inputs.is_by_ssh()
        && let Some(path) = url.strip_prefix("git@github.com:")
    {
        return Some(format!("{}/{path}", inputs.server()));
    }
    match url.split_once("://") {
        Some((scheme, _)) => {
            let schemes = ["http", "https", "git", "ssh", "git+ssh", "ssh+git"];
            schemes.contains(&scheme).then(|| url.to_owned())
        }
        // `host:path`, as git tells it from a path.
        None => {
            let (host, _) = url.split_once(':')?;
            (!host.is_empty() && !host.contains('/') && !host.starts_with('-'))
                .then(|| url.to_owned())
        }
    }
}

/// The user's clone of a submodule, as its server was when last seen.
fn of_clone<'a>(
    source: &Source<'a>,
    git: PathBuf,
    url: &str,
) -> Result<Served<'a>, WorkspaceError> {
    let format = "%(objectname) %(refname) %(symref)";
    let listed = in_module(&git)
        .args(["for-each-ref", "--format", format])
        .args(["refs/remotes/origin", "refs/tags"])
        .output()?;
    let listed = String::from_utf8_lossy(&listed);
    let mut refs = BTreeMap::new();
    let mut default = None;
    for line in listed.lines() {
        let mut fields = line.split(' ');
        let mut field = || fields.next().unwrap_or_default();
        let (object, name, symref) = (field(), field(), field());
        let published = |name: &str| {
            Some(format!(
                "refs/heads/{}",
                name.strip_prefix("refs/remotes/origin/")?
            ))
        };
        if name == "refs/remotes/origin/HEAD" {
            default = published(symref);
            continue;
        }
        let target = Ref {
            object: object.to_owned(),
            commit: object.to_owned(),
        };
        refs.insert(published(name).unwrap_or_else(|| name.to_owned()), target);
    }
    let first = || {
        refs.keys()
            .find(|name| name.starts_with("refs/heads/"))
            .cloned()
    };
    let default = default
        .or_else(first)
        .unwrap_or_else(|| "refs/heads/main".to_owned());
    Ok(Served {
        repository: url.to_owned(),
        url: url.to_owned(),
        refs,
        default,
        run: None,
        object_format: source.repository.object_format.clone(),
        git_version: source.repository.git_version.clone(),
        objects: vec![git.join("objects")],
        held: Held::Module(git),
    })
}

/// Whether a clone of the user's has a commit with all its files.
fn has(git: &Path, commit: &str) -> bool {
    let walked = ["rev-list", "--objects", "--no-walk", "--quiet", commit];
    in_module(git).args(walked).output().is_ok()
}

/// Whether a branch of the clone's `origin`, or a tag, has the commit.
fn is_published(git: &Path, commit: &str) -> Result<bool, WorkspaceError> {
    let output = in_module(git)
        .args(["for-each-ref", "--count=1", "--contains", commit])
        .args(["refs/remotes/origin", "refs/tags"])
        .output()?;
    Ok(!output.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_s_url_can_be_cloned_on_github() {
        let (inputs, _) = CheckoutInputs::read([], None);
        let on_server = |url| on_server(url, &inputs);
        let same = [
            "https://example.org/a/b",
            "ssh://git@example.org/a",
            "host:a/b",
        ];
        for url in same {
            assert_eq!(on_server(url).as_deref(), Some(url));
        }
        let https = "https://github.com/octo/library.git";
        assert_eq!(
            on_server("git@github.com:octo/library.git").as_deref(),
            Some(https)
        );
        for url in [
            "/srv/library",
            "../library",
            "file:///srv/library",
            "./a:b",
            "-x:y",
        ] {
            assert_eq!(on_server(url), None, "{url}");
        }
    }
}
