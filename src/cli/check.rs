//! `lrun check`: what GitHub says of workflows and actions, before they are pushed.
//!
//! Each file is read once, and so is what it uses of its own repository; what is wrong is said once, where it stands.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::exit::ExitCode;
use super::failure::{Failure, printed};
use super::sought::{self, Kind, LocalAction, Sought};
use super::terminal;
use crate::config::Settings;
use crate::report::diagnostics::{self, Checked, Look};
use crate::source::{Code, Diagnostic, Source, Span};
use crate::workflow::{self, JobBody, LOCK_FILE, Lock, Step, StepAction, Uses, Using};

const AFTER_HELP: &str = "\
What is valid here GitHub accepts, what is not GitHub refuses, with the same words at the same line and column. Workflows \
and actions that a file uses by ./ or $/ are checked with it; what is wrong with one is said once, at its own place.

Forms:
  text      each error with its line underlined, then a summary
  json      {\"version\":1,\"files\":2,\"errors\":1,\"diagnostics\":[{\"file\",\"line\",\"col\",\"end\":{\"line\",\"col\"},
            \"part\":{\"line\",\"col\"},\"level\":\"error\" or \"note\",\"code\",\"message\",\"help\"}]}; columns count UTF-16
            units; part is where in a long text it is, if not on that line; part and help may be missing
  sarif     a log of SARIF 2.1.0 for code scanning
  annotate  ::error commands, which a job on GitHub turns into annotations

In the last three, files are named from the root of the repository; of several repositories, from the working directory.
Codes: yaml, schema, expression, rule, lock; and missing-action, a note that leaves the exit code alone.

Exit codes:
  0   nothing is wrong
  1   something is invalid
  2   the command line is not acceptable, or there is no such path
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

/// As many bytes no valid file has: 1 Mi characters of four bytes, and a mark before them.
const MOST_BYTES: u64 = 4 * 1024 * 1024 + 8;

/// Checks and prints what is wrong.
pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let directory = arguments.directory.canonicalize().map_err(|error| {
        let directory = arguments.directory.display();
        Failure::usage(format!("cannot use the directory {directory}: {error}"))
    })?;
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let (sought, has_stdin) = files(arguments, &directory)?;
    let mut checker = Checker {
        names: Names::new(format, directory.clone(), &sought),
        seen: HashSet::new(),
        open: sought.into(),
        locks: HashMap::new(),
        elsewhere: BTreeSet::new(),
        checked: Checked::default(),
    };
    if has_stdin {
        checker.stdin(&directory, arguments.action)?;
    }
    checker.run()?;
    let checked = checker.finish();
    printed(print(&mut std::io::stdout().lock(), &checked, format))?;
    Ok(match checked.errors() {
        0 => ExitCode::Success,
        _ => ExitCode::JobFailed,
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

/// The files that are named, and whether standard input is.
fn files(arguments: &CheckArguments, directory: &Path) -> Result<(Vec<Sought>, bool), Failure> {
    if arguments.paths.is_empty() {
        let root = sought::root_above(directory).ok_or_else(|| {
            let directory = directory.display();
            Failure::usage(format!(
                "there is no repository in {directory} or above it; name files or folders to check"
            ))
        })?;
        return Ok((sought::named(&root)?, false));
    }
    let mut found = Vec::new();
    let mut has_stdin = false;
    for path in &arguments.paths {
        if path.as_os_str() == "-" {
            has_stdin = true;
            continue;
        }
        let path = directory.join(path);
        match sought::named(&path)?.as_mut_slice() {
            [file] if arguments.action && !path.is_dir() => {
                file.kind = Kind::Action;
                found.push(file.clone());
            }
            files => found.extend_from_slice(files),
        }
    }
    Ok((found, has_stdin))
}

/// What files are called in the answer.
struct Names {
    /// Where names start; other files have names with `..`, or whole paths.
    base: PathBuf,
}

impl Names {
    /// For people, from where they stand; for programs from the root of the repository.
    fn new(format: Format, directory: PathBuf, files: &[Sought]) -> Self {
        let root = files.first().map(|file| file.root.clone());
        let is_one = |root: &PathBuf| files.iter().all(|file| file.root == *root);
        let base = match root.filter(is_one) {
            Some(root) if format != Format::Text => root,
            None if format != Format::Text => sought::root_above(&directory)
                .filter(|_| files.is_empty())
                .unwrap_or(directory),
            _ => directory,
        };
        Self { base }
    }

    fn of(&self, path: &Path) -> String {
        let shared = self
            .base
            .ancestors()
            .find(|folder| path.starts_with(folder));
        // Nothing in common but the root of the file system is nothing in common.
        let shared = shared.filter(|folder| folder.parent().is_some());
        let name = shared.and_then(|shared| {
            let up = self.base.strip_prefix(shared).ok()?.iter().map(|_| "..");
            Some(
                up.collect::<PathBuf>()
                    .join(path.strip_prefix(shared).ok()?),
            )
        });
        name.as_deref()
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }
}

struct Checker {
    names: Names,
    /// Files that were read, or are about to be.
    seen: HashSet<PathBuf>,
    open: VecDeque<Sought>,
    /// The lock of each repository that has one that can be read.
    locks: HashMap<PathBuf, Option<Lock>>,
    /// References to workflows of other repositories.
    elsewhere: BTreeSet<String>,
    checked: Checked,
}

impl Checker {
    fn stdin(&mut self, directory: &Path, is_action: bool) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let stdin = std::io::stdin().lock();
        stdin
            .take(MOST_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::usage(format!("cannot read standard input: {error}")))?;
        let root = sought::root_above(directory);
        let kind = if is_action {
            Kind::Action
        } else {
            Kind::Workflow
        };
        let root = root.as_deref().unwrap_or(directory);
        let Some(source) = self.text("<stdin>".to_owned(), bytes) else {
            return Ok(());
        };
        match kind {
            Kind::Workflow => self.workflow(source, root, None),
            Kind::Action => self.action(source, root),
        }
        Ok(())
    }

    /// Reads what is open until nothing is.
    fn run(&mut self) -> Result<(), Failure> {
        while let Some(Sought { path, root, kind }) = self.open.pop_front() {
            let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
            if !self.seen.insert(canonical) {
                continue;
            }
            let source = self.read(&path)?;
            self.lock(&root)?;
            let Some(source) = source else {
                continue;
            };
            match kind {
                Kind::Workflow => {
                    let path = path.strip_prefix(&root).ok();
                    self.workflow(source, &root, path.and_then(Path::to_str));
                }
                Kind::Action => self.action(source, &root),
            }
        }
        Ok(())
    }

    /// The text of a file; none if it is none, which is noted.
    fn read(&mut self, path: &Path) -> Result<Option<Arc<Source>>, Failure> {
        let name = self.names.of(path);
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
            .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        Ok(self.text(name, bytes))
    }

    fn text(&mut self, name: String, bytes: Vec<u8>) -> Option<Arc<Source>> {
        self.checked.files += 1;
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Some(Source::new(name, text)),
            Err(error) => error,
        };
        let start = error.utf8_error().valid_up_to();
        let source = Source::new(name, String::from_utf8_lossy(error.as_bytes()));
        let span = Span { start, end: start };
        let found = Diagnostic::new(&source, span, Code::Yaml, "The file is not UTF-8 text");
        let help = "save it as UTF-8".to_owned();
        self.checked.found.push(found.with_help(Some(help)));
        None
    }

    /// Reads the lock of a repository, once.
    fn lock(&mut self, root: &Path) -> Result<(), Failure> {
        let path = root.join(LOCK_FILE);
        if self.locks.contains_key(root) || !path.is_file() {
            return Ok(());
        }
        let read = self.read(&path)?.map(workflow::read_lock);
        let lock = self.kept(read);
        self.locks.insert(root.to_path_buf(), lock);
        Ok(())
    }

    /// What was read; what is wrong with it is noted.
    fn kept<T>(&mut self, read: Option<Result<T, Vec<Diagnostic>>>) -> Option<T> {
        match read? {
            Ok(read) => Some(read),
            Err(errors) => {
                self.checked.found.extend(errors);
                None
            }
        }
    }

    /// Checks a workflow; a lock binds it by its path from the repository's root.
    fn workflow(&mut self, source: Arc<Source>, root: &Path, path: Option<&str>) {
        let Some(workflow) = self.kept(Some(workflow::read_workflow(source))) else {
            return;
        };
        let refused = workflow::refused_by_service(&workflow);
        self.checked.found.extend(refused);
        let lock = self.locks.get(root).and_then(Option::as_ref);
        let unpinned = lock
            .zip(path)
            .map(|(lock, path)| lock.unpinned(path, &workflow));
        self.checked.found.extend(unpinned.unwrap_or_default());
        for job in workflow.jobs.values() {
            match &job.body {
                JobBody::Steps(steps) => self.steps(steps, &workflow.source, root, true),
                JobBody::Calls(call) if is_own(&call.uses.value) => {}
                JobBody::Calls(call) => {
                    self.elsewhere.insert(call.uses.value.clone());
                }
            }
        }
    }

    fn action(&mut self, source: Arc<Source>, root: &Path) {
        let Some(action) = self.kept(Some(workflow::read_action(source))) else {
            return;
        };
        if let Using::Composite { steps } = &action.runs.using {
            self.steps(steps, &action.source, root, false);
        }
    }

    /// What steps use of the repository is checked too. In the steps of a job one is told of an action that is not there:
    /// what came before an action's own steps is not known.
    fn steps(&mut self, steps: &[Step], source: &Arc<Source>, root: &Path, of_job: bool) {
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
                    let found = missing(source, reference.span, path);
                    self.checked.found.push(found);
                }
                None => {}
            }
        }
    }

    fn finish(mut self) -> Checked {
        let key = |found: &Diagnostic| {
            let place = found.position();
            (found.source.path.clone(), place, found.message.clone())
        };
        self.checked.found.sort_by_cached_key(key);
        self.checked.found.dedup_by_key(|found| key(found));
        self.checked.elsewhere = self.elsewhere.len();
        self.checked
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

/// Whether a reference leads into the repository it stands in.
fn is_own(uses: &str) -> bool {
    uses.starts_with("./") || uses.starts_with("$/")
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
    let message = format!("There is no action in '{path}' of this repository");
    let help =
        "the step fails unless an earlier one puts an action.yml, action.yaml or Dockerfile there";
    let found = Diagnostic::new(source, span, Code::MissingAction, message);
    found.with_help(Some(help.to_owned()))
}
