//! A checkout into a clone of the same repository that is in the workspace already: the action keeps
//! it and fetches into it (`git-directory-helper.ts`).
//!
//! What a job has made of its clone no git of lrun's may run on: its configuration and its hooks can
//! name programs. So the action's own commands run inside the place, as the job's user, and fetch from
//! a repository that stands for GitHub's and is put into the place for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::fetch::{Checkout, Fetch};
use super::log::{beginning, fetch_arguments};
use super::served::{HEADS, PULLS, Served};
use super::stage::{Staging, Wanted, asked_ref};
use super::stand_in::StandIn;
use super::{Source, WorkspaceError, stamp, target};
use crate::event::LogLine;
use crate::exec::spot::Spot;
use crate::git::Git;
use crate::plan::{CheckoutInputs, Submodules};

/// The commands, as shell; what stands before it sets the variables.
const COMMANDS: &str = include_str!("renewal.sh");

/// What begins a line of the commands' output that is a command of the action's.
pub const COMMAND_MARK: char = '\u{1}';
/// What begins and ends a group of lines.
pub const GROUP_MARKS: [char; 2] = ['\u{2}', '\u{3}'];
/// The code by which the commands say that the clone is of no use and is to be made anew.
pub const ANEW: i32 = 99;

/// What is to be done in the place. Dropping it removes what was made for it.
#[derive(Debug)]
pub struct Renewal {
    /// The commit that will be checked out.
    pub commit: String,
    /// The `ref` output.
    pub git_ref: String,
    /// Files in the commit.
    pub files: u64,
    /// How many of them differ from the user's own commit.
    pub changed: u64,
    /// What the action logs before its first command.
    pub log: Vec<(LogLine, String)>,
    /// What a POSIX shell is to run.
    pub script: String,
    dir: PathBuf,
    owner: crate::store::Owner,
    _holder: TempDir,
}

/// The URL that a clone's configuration, given as text, names as its origin's.
pub fn origin_url(directory: &Path, config: &[u8]) -> Result<String, WorkspaceError> {
    let asked = ["config", "--file", "-", "--get", "remote.origin.url"];
    let git = Git::isolated(directory).args(asked).stdin(config);
    // A configuration that git cannot read is none of a clone.
    let (_, url) = git.output_or(&[1, 2, 3, 128])?;
    Ok(String::from_utf8_lossy(&url)
        .trim_end_matches('\n')
        .to_owned())
}

/// The URL that a clone of what the inputs ask for has.
pub fn wanted_url(source: &Source<'_>, inputs: &CheckoutInputs) -> Result<String, WorkspaceError> {
    let own = source.context.identity.repository();
    let other = inputs.other_repository(&own)?;
    Ok(match (other, inputs.is_by_ssh()) {
        (None, false) => source.context.identity.url(),
        (other, _) => inputs.url(&other.unwrap_or(own)),
    })
}

/// Prepares what the inputs ask for, for a clone in the workspace; `stand_in` is the path inside
/// where the repository that stands for GitHub's will be.
pub fn renew(
    source: &Source<'_>,
    inputs: &CheckoutInputs,
    (workspace, stand_in): (&str, &str),
    staging: Staging<'_>,
) -> Result<Renewal, WorkspaceError> {
    let unsupported = match (inputs.lfs, inputs.submodules) {
        (true, _) => Some("checkout with lfs: true"),
        (_, Submodules::No) => None,
        _ => Some("checkout with submodules"),
    };
    if let Some(what) = unsupported {
        return Err(WorkspaceError::NotInPlace { what });
    }
    let path = target(inputs, workspace)?;
    let served = Served::new(source, inputs)?;
    let fetch = Fetch::new(&served, inputs)?;
    let wanted = Wanted::new(&served, &fetch)?;
    let holder = tempfile::Builder::new()
        .prefix("renewal-")
        .tempdir_in(staging.directory)
        .map_err(WorkspaceError::io("make a directory in", staging.directory))?;
    let dir = holder.path().join("repository");
    let refs: BTreeMap<_, _> = fetch
        .refs
        .iter()
        .map(|(name, object)| (on_server(name), object.clone()))
        .collect();
    let repository = StandIn {
        refs: &refs,
        head: &served.default,
        shallow: fetch.shallow.iter().map(String::as_str).collect(),
        objects: Vec::new(),
        object_format: &served.object_format,
    };
    repository.write(&dir)?;
    let tips: String = fetch.tips().iter().map(|id| format!("{id}\n")).collect();
    Git::isolated(&dir)
        .env("GIT_DIR", &dir)
        .alternates(&served.alternates())
        .args(["pack-objects", "--revs", "--quiet", "--window=0"])
        .args(["--compression=1", "objects/pack/pack"])
        .stdin(tips)
        .output()?;
    stamp::give(&dir, staging.owner)?;
    let listed = ["ls-tree", "-r", "-z", "--name-only", &wanted.commit];
    let listed = served.git().args(listed).output()?;
    let run = served.run.filter(|run| run.sha() == wanted.commit);
    Ok(Renewal {
        script: script(&served, inputs, &fetch, (&path, stand_in)),
        git_ref: asked_ref(&served, inputs),
        files: listed.iter().filter(|&&byte| byte == 0).count() as u64,
        changed: run.map_or(0, |run| (run.changed.len() + run.untracked.len()) as u64),
        log: beginning(&served, &path),
        commit: wanted.commit,
        dir,
        owner: staging.owner,
        _holder: holder,
    })
}

impl Renewal {
    /// Puts the repository that stands for GitHub's into the place, at `inside`, a path below the
    /// job's `home` on this machine.
    pub fn put(&self, home: &Path, inside: &Path) -> Result<(), WorkspaceError> {
        let spot = Spot::reach(home, inside, self.owner);
        let put = spot.and_then(|spot| Ok(spot.fill(&self.dir)?));
        put.map_err(|error| {
            let words = std::io::Error::other(format!("{error:?}"));
            WorkspaceError::io("put a repository to fetch from at", inside)(words)
        })
    }
}

/// The name on the server of a ref in the clone.
fn on_server(name: &str) -> String {
    let kept = [
        ("refs/remotes/origin/", HEADS),
        ("refs/remotes/pull/", PULLS),
    ]
    .iter()
    .find_map(|(from, to)| Some(format!("{to}{}", name.strip_prefix(from)?)));
    kept.unwrap_or_else(|| name.to_owned())
}

fn script(
    served: &Served<'_>,
    inputs: &CheckoutInputs,
    fetch: &Fetch,
    (path, stand_in): (&str, &str),
) -> String {
    let (branch, start) = match &fetch.checkout {
        Checkout::Branch(name) => (name.as_str(), format!("refs/remotes/origin/{name}")),
        Checkout::Detached(name) => (name.as_str(), String::new()),
    };
    let sparse = inputs.sparse.as_ref();
    let kind = match sparse {
        None => "none",
        Some(sparse) if sparse.is_cone => "cone",
        Some(_) => "patterns",
    };
    let patterns = sparse.map_or(&[][..], |sparse| &sparse.patterns);
    let wanted = inputs.git_ref.as_ref().unwrap_or(&served.default);
    let variables = [
        ("TARGET", path),
        ("STAND_IN", stand_in),
        ("URL", &served.url),
        ("REF", wanted),
        ("CLEAN", if inputs.clean { "true" } else { "" }),
        ("WHOLE", if inputs.depth.is_none() { "true" } else { "" }),
        ("BRANCH", branch),
        ("START", &start),
        ("SPARSE", kind),
        ("PATTERNS", &patterns.join("\n")),
    ];
    let mut script = String::new();
    for (name, value) in variables {
        script.push_str(&format!("{name}={}\n", quoted(value)));
    }
    let arguments = fetch_arguments(inputs, fetch);
    let arguments: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
    script.push_str(&format!(
        "fetch() {{ action {}; }}\n",
        with_slot(&arguments)
    ));
    let words: Vec<_> = patterns.iter().map(|pattern| quoted(pattern)).collect();
    script.push_str(&format!(
        "sparse() {{ action sparse-checkout set {}; }}\n",
        words.join(" ")
    ));
    script + COMMANDS
}

/// The arguments, with a place for `--unshallow` before the remote's name.
fn with_slot(arguments: &[String]) -> String {
    let arguments = arguments.join(" ");
    arguments.replacen(" 'origin' ", " $UNSHALLOW 'origin' ", 1)
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
