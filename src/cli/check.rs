//! `lrun check`: what GitHub says of workflows and actions, before they are pushed.
//!
//! Each file is read once, and so is what it uses of its own repository; what is wrong is said once, where it stands.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::actions::Elsewhere;
use super::document::Files;
use super::exit::ExitCode;
use super::failure::{Failure, printed, tell};
use super::find;
use super::names::Names;
use super::read::{self, MOST_BYTES, STDIN};
use super::sought::{self, Kind, LocalAction, Sought};
use super::terminal;
use crate::config::Settings;
use crate::report::diagnostics::{self, Checked, Look};
use crate::source::{Code, Diagnostic, Source, Span};
use crate::workflow::{
    self, Documents, JobBody, LOCK_FILE, Location, Lock, MOST_ERRORS, ReadOptions, Step,
    StepAction, Uses, Using,
};

const AFTER_HELP: &str = "\
What is valid here GitHub accepts, what is not GitHub refuses, with the same words at the same line
and column; of what is no YAML the place is GitHub's, the words are not always. Ten errors of a file
are named, as GitHub does, and perhaps it has more. Workflows and actions that a file uses by ./ or $/ are checked with it; what is wrong
with one is said once, at its own place.

Forms:
  text      each error with its line underlined, then a summary
  json      one object: {\"version\":1,\"files\":2,\"errors\":1,\"diagnostics\":[…]}, of each error
            \"file\", \"line\", \"col\", \"end\":{\"line\",\"col\"}, \"level\", \"code\" and \"message\",
            perhaps \"help\", and \"part\":{\"line\",\"col\"} where it is in a text of several lines;
            \"truncated\":true if a file may have more errors than the ten that are named;
            columns count UTF-16 units, the level is error or note
  sarif     a log of SARIF 2.1.0 for code scanning
  annotate  ::error commands, which a job on GitHub turns into annotations
In the last three files are named from the root of the repository; if they are of several
repositories, from the working directory.

Codes:
  yaml, schema, expression, rule, lock: errors
  missing-action: a note, which leaves the exit code alone

Examples:
  lrun check
  lrun check .github/workflows/ci.yml action.yml
  lrun check --format sarif > lrun.sarif
  git show HEAD:.github/workflows/ci.yml | lrun check -

Exit codes:
  0   nothing is wrong
  1   something is invalid
  2   the command line is not acceptable, or a path is not there or cannot be read; the others are
      checked all the same
  70  lrun's own fault";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct CheckArguments {
    /// Files, repositories, or folders of files; `-` is a workflow on standard input. Default: the
    /// repository of the working directory.
    ///
    /// A repository stands for its .github/workflows and every action.yml and action.yaml that git
    /// does not ignore, outside of node_modules, target, third_party and vendor; another folder for
    /// the YAML files in it and the actions below it.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read standard input, and the files that are named, as actions.
    #[arg(long)]
    action: bool,
    /// Check as if started in this directory.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORM")]
    format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
    Annotate,
}

/// Checks and prints what is wrong.
pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let directory = find::usable(&arguments.directory)?;
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let Asked {
        files: sought,
        has_stdin,
        unreadable,
    } = files(arguments, &directory)?;
    let mut checker = Checker {
        names: Names::from(base(format, &directory, &sought)),
        seen: HashSet::new(),
        open: sought.into(),
        opened: HashSet::new(),
        repositories: HashMap::new(),
        stored: Rc::new(Elsewhere::stored()),
        elsewhere: BTreeSet::new(),
        unreadable,
        checked: Checked::default(),
    };
    if has_stdin {
        checker.stdin(&directory, arguments.action);
    }
    checker.run();
    let (checked, unreadable) = checker.finish();
    // Where nothing could be looked at there is no answer.
    if unreadable.is_empty() || checked.files > 0 {
        printed(print(&mut std::io::stdout().lock(), &checked, format))?;
    }
    for failure in &unreadable {
        tell(&failure.text);
    }
    Ok(match (unreadable.first(), checked.errors()) {
        (Some(failure), _) => failure.code,
        (None, 0) => ExitCode::Success,
        (None, _) => ExitCode::NO,
    })
}

fn print(out: &mut dyn Write, checked: &Checked, format: Format) -> std::io::Result<()> {
    match format {
        Format::Text => {
            // Without a home directory there is no store; nothing is stored here.
            let settings = Settings::of_process().ok();
            let look = Look {
                color: settings.is_some_and(|settings| terminal::has_color(&settings)),
                columns: terminal::size().map(|size| size.columns),
            };
            diagnostics::text(out, checked, look)
        }
        Format::Json => diagnostics::json(out, checked),
        Format::Sarif => diagnostics::sarif(out, checked),
        Format::Annotate => diagnostics::annotations(out, checked),
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    files: Vec<Sought>,
    has_stdin: bool,
    /// Of each path that leads to nothing, why.
    unreadable: Vec<Failure>,
}

fn files(arguments: &CheckArguments, directory: &Path) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    if arguments.paths.is_empty() {
        let root = sought::root_above(directory).ok_or_else(|| {
            let directory = directory.display();
            Failure::usage(format!(
                "there is no repository in {directory} or above it; name files or folders to check"
            ))
        })?;
        asked.files = sought::named(&root)?;
        return Ok(asked);
    }
    for path in &arguments.paths {
        if read::is_standard_input(path) {
            asked.has_stdin = true;
            continue;
        }
        let path = directory.join(path);
        match sought::named(&path).as_deref_mut() {
            Ok([file]) if arguments.action && !path.is_dir() => {
                file.kind = Kind::Action;
                asked.files.push(file.clone());
            }
            Ok(files) => asked.files.extend_from_slice(files),
            Err(failure) => asked.unreadable.push(failure.clone()),
        }
    }
    Ok(asked)
}

/// Where the names of files start: for people where they stand, for programs the root of the repository, if there is one.
fn base(format: Format, directory: &Path, files: &[Sought]) -> PathBuf {
    let of_directory = || sought::root_above(directory);
    let root = files
        .first()
        .map_or_else(of_directory, |file| file.root.clone());
    let is_one = files.iter().all(|file| file.root == root);
    let base = root.filter(|_| is_one && format != Format::Text);
    base.unwrap_or_else(|| directory.to_path_buf())
}

/// What is known of a repository.
struct Repository {
    root: PathBuf,
    /// The workflows that others call.
    files: Files,
    /// Its lock, if it has one that can be read.
    lock: Option<Lock>,
}

struct Checker {
    names: Names,
    /// Files that were read.
    seen: HashSet<PathBuf>,
    open: VecDeque<Sought>,
    /// Called workflows that were put there.
    opened: HashSet<PathBuf>,
    repositories: HashMap<PathBuf, Rc<Repository>>,
    /// What the store has of other repositories.
    stored: Rc<Elsewhere>,
    /// References to workflows of other repositories.
    elsewhere: BTreeSet<String>,
    /// What could not be looked at, and why.
    unreadable: Vec<Failure>,
    checked: Checked,
}

impl Checker {
    fn stdin(&mut self, directory: &Path, is_action: bool) {
        let bytes = read::bytes_within(Path::new("-"), MOST_BYTES);
        let Some(bytes) = self.readable(bytes) else {
            return;
        };
        let root = sought::root_above(directory);
        let repository = self.repository(root.as_deref());
        let kind = if is_action {
            Kind::Action
        } else {
            Kind::Workflow
        };
        self.text(STDIN, bytes, kind, repository.as_deref());
    }

    /// Reads what is open until nothing is.
    fn run(&mut self) {
        while let Some(Sought { path, root, kind }) = self.open.pop_front() {
            let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
            if !self.seen.insert(canonical) {
                continue;
            }
            let repository = self.repository(root.as_deref());
            // A repository's lock was read with it.
            if repository.is_some() && kind == Kind::Lock {
                continue;
            }
            let Some(bytes) = self.read(&path) else {
                continue;
            };
            // References and locks name files from the root.
            let within = root.and_then(|root| Some(path.strip_prefix(root).ok()?.to_path_buf()));
            let path = within.unwrap_or(path);
            self.text(&path.to_string_lossy(), bytes, kind, repository.as_deref());
        }
    }

    /// The bytes of a file; that it cannot be read is noted.
    fn read(&mut self, path: &Path) -> Option<Vec<u8>> {
        let bytes = read::file(path, MOST_BYTES).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", self.names.of(path)))
        });
        self.readable(bytes)
    }

    fn readable<T>(&mut self, read: Result<T, Failure>) -> Option<T> {
        read.map_err(|failure| self.unreadable.push(failure)).ok()
    }

    /// What there is to know of a repository: it is looked at once.
    fn repository(&mut self, root: Option<&Path>) -> Option<Rc<Repository>> {
        let root = root?;
        if let Some(known) = self.repositories.get(root) {
            return Some(Rc::clone(known));
        }
        let mut repository = Repository {
            root: root.to_path_buf(),
            files: Files::of_folder(root, &self.stored),
            lock: None,
        };
        let path = root.join(LOCK_FILE);
        if path.is_file()
            && let Some(bytes) = self.read(&path)
        {
            repository.lock = self
                .source(LOCK_FILE, bytes, Some(&repository))
                .and_then(|source| self.kept(workflow::read_lock(source), Some(&repository)));
        }
        let repository = Rc::new(repository);
        self.repositories
            .insert(root.to_path_buf(), Rc::clone(&repository));
        Some(repository)
    }

    /// The text of a file; none if it is none, which is noted.
    fn source(
        &mut self,
        path: &str,
        bytes: Vec<u8>,
        repository: Option<&Repository>,
    ) -> Option<Arc<Source>> {
        self.checked.files += 1;
        self.kept(read::source(path, bytes), repository)
    }

    /// What was read; what is wrong with it is noted.
    fn kept<T>(
        &mut self,
        read: Result<T, Vec<Diagnostic>>,
        repository: Option<&Repository>,
    ) -> Option<T> {
        read.map_err(|errors| {
            self.checked.truncated |= errors.len() >= MOST_ERRORS;
            self.note(errors, repository);
        })
        .ok()
    }

    /// Keeps what was found, with the names that the answer has for files.
    fn note(&mut self, found: Vec<Diagnostic>, repository: Option<&Repository>) {
        let named = |source: &Arc<Source>| {
            let path = Path::new(&source.path);
            let path = repository.map_or_else(|| path.to_path_buf(), |known| known.root.join(path));
            match self.names.of(&path) {
                _ if source.path == STDIN => Arc::clone(source),
                name if name == source.path => Arc::clone(source),
                name => source.renamed(name),
            }
        };
        // A file is large, and what is wrong with it is often more than one thing.
        let mut known: HashMap<String, Arc<Source>> = HashMap::new();
        let mut named = |source: &Arc<Source>| match known.get(&source.path) {
            Some(known) => Arc::clone(known),
            None => {
                let named = named(source);
                known.insert(source.path.clone(), Arc::clone(&named));
                named
            }
        };
        for mut found in found {
            found.source = named(&found.source);
            if let Some(call) = &mut found.call {
                call.source = named(&call.source);
            }
            self.checked.found.push(found);
        }
    }

    fn text(&mut self, path: &str, bytes: Vec<u8>, kind: Kind, repository: Option<&Repository>) {
        let Some(source) = self.source(path, bytes, repository) else {
            return;
        };
        match kind {
            Kind::Workflow => self.workflow(source, repository),
            Kind::Action => self.action(source, repository),
            // Of a folder that is no repository: nothing is bound by it.
            Kind::Lock => drop(self.kept(workflow::read_lock(source), repository)),
        }
    }

    fn workflow(&mut self, source: Arc<Source>, repository: Option<&Repository>) {
        let options = ReadOptions {
            documents: repository.map(|repository| &repository.files as &dyn Documents),
            ..ReadOptions::default()
        };
        let read = workflow::read_workflow_with(source, &options);
        if let Some(repository) = repository {
            self.called(repository);
        }
        let Some(workflow) = self.kept(read, repository) else {
            return;
        };
        let refused = workflow::refused_by_service(&workflow);
        self.checked.truncated |= refused.len() >= MOST_ERRORS;
        self.note(refused, repository);
        let lock = repository.and_then(|repository| repository.lock.as_ref());
        if let Some(lock) = lock {
            self.note(lock.unpinned(&workflow), repository);
        }
        for job in workflow.jobs.values() {
            match &job.body {
                JobBody::Steps(steps) => self.steps(steps, &workflow.source, repository, true),
                JobBody::Calls(_) => {}
            }
        }
        let missing = workflow.not_followed().into_iter();
        let elsewhere = missing
            .map(|(_, reference)| reference)
            .filter(|reference| matches!(reference.location, Location::Remote { .. }));
        self.elsewhere
            .extend(elsewhere.map(|reference| reference.text.clone()));
    }

    /// Called workflows were checked as far as their caller goes; now for themselves.
    fn called(&mut self, repository: &Repository) {
        let paths = repository.files.called().into_iter();
        let mut files: Vec<Sought> = paths
            .map(|path| Sought {
                path: repository.root.join(path),
                root: Some(repository.root.clone()),
                kind: Kind::Workflow,
            })
            .filter(|file| !self.opened.contains(&file.path))
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        self.opened
            .extend(files.iter().map(|file| file.path.clone()));
        self.open.extend(files);
    }

    fn action(&mut self, source: Arc<Source>, repository: Option<&Repository>) {
        let Some(action) = self.kept(workflow::read_action(source), repository) else {
            return;
        };
        if let Using::Composite { steps } = &action.runs.using {
            self.steps(steps, &action.source, repository, false);
        }
    }

    /// What steps use of the repository is checked too. In the steps of a job one is told of an action that is not there:
    /// what came before an action's own steps is not known.
    fn steps(
        &mut self,
        steps: &[Step],
        source: &Arc<Source>,
        repository: Option<&Repository>,
        of_job: bool,
    ) {
        let Some(root) = repository.map(|repository| &repository.root) else {
            return;
        };
        for (index, step) in steps.iter().enumerate() {
            let StepAction::Uses { reference, .. } = &step.action else {
                continue;
            };
            let Some(path) = local_path(&reference.value) else {
                continue;
            };
            match sought::local_action(root, path) {
                Some(LocalAction::Manifest(manifest)) => self.open.push_back(manifest),
                Some(LocalAction::Dockerfile) => {}
                None if of_job && !may_be_made(path, &steps[..index]) => {
                    self.note(vec![missing(source, reference.span, path)], repository);
                }
                None => {}
            }
        }
    }

    fn finish(mut self) -> (Checked, Vec<Failure>) {
        let key = |found: &Diagnostic| {
            let place = found.position();
            (found.source.path.clone(), place, found.message.clone())
        };
        let found = &mut self.checked.found;
        found.sort_by_cached_key(|found| (key(found), found.call.is_some()));
        found.dedup_by_key(|found| key(found));
        self.checked.elsewhere = self.elsewhere.len();
        (self.checked, self.unreadable)
    }
}

/// The path of an action of this repository; none for `../`, which leaves the workspace.
fn local_path(uses: &str) -> Option<&str> {
    let path = match Uses::parse(uses) {
        Uses::Local => uses.strip_prefix("./")?,
        Uses::SelfRepository => uses.strip_prefix("$/")?,
        _ => return None,
    };
    let leaves = Path::new(path)
        .components()
        .any(|part| part.as_os_str() == "..");
    (!leaves).then_some(path)
}

/// Whether one of these steps may make the action: it checks out something else, or its script names the path.
fn may_be_made(path: &str, earlier: &[Step]) -> bool {
    let path = path.trim_end_matches('/');
    earlier.iter().any(|step| match &step.action {
        StepAction::Run { script, .. } => script.as_str().is_none_or(|text| text.contains(path)),
        StepAction::Uses { reference, with } => {
            let is_checkout = reference.value.to_ascii_lowercase().contains("checkout");
            let keys = ["path", "ref", "repository", "submodules"];
            let with = with.as_ref();
            !is_checkout || with.is_some_and(|with| keys.iter().any(|key| with.get(key).is_some()))
        }
        _ => false,
    })
}

fn missing(source: &Arc<Source>, span: Span, path: &str) -> Diagnostic {
    let message = match path.trim_matches(['/', '.']) {
        "" => "There is no action in the root of this repository".to_owned(),
        _ => format!("There is no action in '{path}' of this repository"),
    };
    let help =
        "the step fails unless an earlier one puts an action.yml, action.yaml or Dockerfile there";
    let found = Diagnostic::new(source, span, Code::MissingAction, message);
    found.with_help(Some(help.to_owned()))
}
