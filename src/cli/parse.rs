//! `lrun parse`: what a workflow or action file says, as GitHub's own readers write it.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::actions::Elsewhere;
use super::document::Files;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use super::names::Names;
use super::read;
use super::sought::{self, Kind};
use crate::report;
use crate::source::{Diagnostic, Source};
use crate::workflow::{
    self, Document, Documents, Limits, Location, PermissionsPolicy, ReadOptions, Reference,
};

const AFTER_HELP: &str = "\
A workflow is read with the workflows it calls. One that is called by ./ or $/ is taken from the
repository that FILE stands in, one of another repository from --ref; a call that leads to neither
is not followed, which is no error: its job has no jobs then. What GitHub would not find is one.

With --json one line is printed. Of a file that is not valid:
  {\"errors\":[{\"message\":\"…\",\"line\":7,\"col\":9,\"file\":\"…\"}]}
Line and column count from one, columns in UTF-16 units; both are null where GitHub names no place.
What is wrong with a called file has the place of the call where GitHub names that, and its own in
\"called\". Of a valid file it is the template:
  {\"events\":{…},\"jobs\":[{\"type\":\"job\",\"id\":\"build\",\"if\":{\"type\":3,\"expr\":\"success()\"},…}]}
Literals stand for themselves, {\"type\":3,\"expr\"} is an expression, {\"type\":2,\"map\":[{\"Key\",\"Value\"}]}
a mapping, {\"type\":1,\"seq\":[…]} a sequence, {\"type\":4,…} an insert directive.

Limits: max-depth (levels of collections), max-file-size (characters), max-result-size (bytes of the
tokens of all files), max-job-limit (jobs, called ones too), max-nested-reusable-workflows-depth.

Exit codes: 0 the file is valid, 1 it is not, 2 wrong usage or no such file.

Examples:
  lrun parse .github/workflows/ci.yml
  lrun parse --json --ref octo/ci/.github/workflows/build.yml@v1=build.yml ci.yml
  lrun parse --json --action action.yml";

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ParseArguments {
    /// The file; - is standard input.
    file: PathBuf,
    /// One line of JSON: the template, or the errors.
    #[arg(long)]
    json: bool,
    /// FILE is an action whatever it is called; action.yml and action.yaml are without this.
    #[arg(long, conflicts_with_all = ["limit", "reference", "permissions_policy", "include_source"])]
    action: bool,
    /// Read under another limit than GitHub's; see below for the names.
    #[arg(long, value_name = "NAME=N")]
    limit: Vec<Limit>,
    /// The file that a `uses` of a job leads to, as the job has it.
    #[arg(long = "ref", value_name = "REF=FILE")]
    reference: Vec<Given>,
    /// What a job's token may do where no file says it. Write, if not given, so that no file is
    /// refused that is valid in its own repository.
    #[arg(long, value_name = "POLICY", ignore_case = true)]
    permissions_policy: Option<Policy>,
    /// Add file, line and column to every token of the JSON.
    #[arg(long, requires = "json")]
    include_source: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Policy {
    /// Contents and packages are read.
    #[value(name = "LimitedRead")]
    LimitedRead,
    /// Everything is written.
    #[value(name = "Write")]
    Write,
}

/// A limit by the name that GitHub's readers have for it.
#[derive(Debug, Clone)]
struct Limit {
    name: LimitName,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
enum LimitName {
    Depth,
    FileSize,
    ResultSize,
    Jobs,
    NestedCalls,
}

/// Levels beyond which neither collections nor calls are followed, whatever is asked for: reading goes as deep as they do.
const DEEPEST: usize = 200;

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once('=').ok_or("it is not NAME=N")?;
        let name = match name {
            "max-depth" => LimitName::Depth,
            "max-file-size" => LimitName::FileSize,
            "max-result-size" => LimitName::ResultSize,
            "max-job-limit" => LimitName::Jobs,
            "max-nested-reusable-workflows-depth" => LimitName::NestedCalls,
            _ => {
                return Err(format!(
                    "there is no limit {name}; see --help for those there are"
                ));
            }
        };
        let most = number
            .parse()
            .map_err(|error| format!("'{number}' is no number: {error}"))?;
        let is_deep = matches!(name, LimitName::Depth | LimitName::NestedCalls);
        match is_deep && most > DEEPEST {
            true => Err(format!("it may be {DEEPEST} at most")),
            false => Ok(Self { name, most }),
        }
    }
}

/// A reference and the file it leads to.
#[derive(Debug, Clone)]
struct Given {
    reference: String,
    file: PathBuf,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A branch may have a `=` in its name, and so may a folder: the file is there.
        let mut places = text.match_indices('=').map(|(at, _)| at);
        let is_there = |at: &usize| Path::new(&text[at + 1..]).exists();
        let at = places.find(is_there).or_else(|| text.rfind('='));
        let at = at.ok_or("it is not REF=FILE")?;
        let (reference, file) = (&text[..at], &text[at + 1..]);
        Ok(Self {
            reference: reference.to_owned(),
            file: PathBuf::from(file),
        })
    }
}

/// Runs the subcommand.
pub(super) fn parse(arguments: &ParseArguments) -> Result<ExitCode, Failure> {
    let limits = limits(&arguments.limit);
    let origin = Origin::of(&arguments.file);
    let source = match text(&arguments.file, &origin.name(), &limits)? {
        Ok(source) => source,
        Err(errors) => return invalid(arguments, &origin, errors),
    };
    if is_action(arguments) {
        return match workflow::read_action(source) {
            Ok(action) if arguments.json => print(&report::action_template(&action)),
            Ok(action) => printed(report::action_outline(&action, &mut io::stdout().lock())),
            Err(errors) => invalid(arguments, &origin, errors),
        };
    }
    let called = CalledFiles::read(&arguments.reference, origin.root.as_deref(), &limits)?;
    let options = ReadOptions {
        limits,
        policy: match arguments.permissions_policy {
            Some(Policy::LimitedRead) => PermissionsPolicy::LimitedRead,
            Some(Policy::Write) | None => PermissionsPolicy::Write,
        },
        documents: Some(&called),
    };
    match workflow::read_workflow_with(source, &options) {
        Ok(workflow) if arguments.json => {
            let template = report::workflow_template(&workflow, arguments.include_source);
            print(&template)
        }
        Ok(workflow) => printed(report::outline(&workflow, &mut io::stdout().lock())),
        Err(errors) => invalid(arguments, &origin, errors),
    }
}

/// As `check` goes by the name. Only workflows have what the other options are about.
fn is_action(arguments: &ParseArguments) -> bool {
    let is_workflow = !arguments.limit.is_empty()
        || !arguments.reference.is_empty()
        || arguments.permissions_policy.is_some()
        || arguments.include_source;
    arguments.action || (!is_workflow && Kind::of(&arguments.file) == Kind::Action)
}

fn print(answer: &Value) -> Result<ExitCode, Failure> {
    printed(writeln!(io::stdout().lock(), "{answer}"))
}

fn invalid(
    arguments: &ParseArguments,
    origin: &Origin,
    mut errors: Vec<Diagnostic>,
) -> Result<ExitCode, Failure> {
    if arguments.json {
        return print(&report::errors_template(&errors)).map(|_| ExitCode::NO);
    }
    for error in &mut errors {
        error.source = origin.openable(&error.source);
        if let Some(call) = &mut error.call {
            call.source = origin.openable(&call.source);
        }
    }
    Err(Failure {
        code: ExitCode::NO,
        ..Failure::invalid(&errors)
    })
}

fn limits(given: &[Limit]) -> Limits {
    let mut limits = Limits::default();
    for &Limit { name, most } in given {
        match name {
            LimitName::Depth => limits.file.depth = most,
            LimitName::FileSize => limits.file.characters = most,
            LimitName::ResultSize => limits.result_size = most,
            LimitName::Jobs => limits.jobs = Some(most),
            LimitName::NestedCalls => limits.nested_calls = most,
        }
    }
    limits
}

/// The file to parse, and the repository it stands in.
struct Origin {
    file: PathBuf,
    root: Option<PathBuf>,
}

impl Origin {
    fn of(file: &Path) -> Self {
        let there = file
            .canonicalize()
            .ok()
            .filter(|_| !read::is_standard_input(file));
        let root = there
            .as_deref()
            .and_then(|there| sought::file(there, Kind::Workflow).root);
        Self {
            file: there.unwrap_or_else(|| file.to_owned()),
            root,
        }
    }

    /// The file of an error with a name that people can open from where they stand.
    fn openable(&self, source: &Arc<Source>) -> Arc<Source> {
        let path = match &self.root {
            Some(root) => root.join(&source.path),
            None => PathBuf::from(&source.path),
        };
        match std::env::current_dir() {
            // What came with --ref is called as the job calls it.
            Ok(directory) if path.is_file() => source.renamed(Names::from(directory).of(&path)),
            _ => Arc::clone(source),
        }
    }

    /// As programs are told of it: from the root of its repository.
    fn name(&self) -> String {
        let root = self.root.as_deref();
        let within = root.and_then(|root| self.file.strip_prefix(root).ok());
        match read::is_standard_input(&self.file) {
            true => read::STDIN.to_owned(),
            false => within.unwrap_or(&self.file).to_string_lossy().into_owned(),
        }
    }
}

/// The text of a file; or what is wrong with it if it is none.
fn text(
    file: &Path,
    name: &str,
    limits: &Limits,
) -> Result<Result<Arc<Source>, Vec<Diagnostic>>, Failure> {
    // More bytes no valid file has: four a character, and a mark before them.
    let most = limits.file.characters.saturating_mul(4).saturating_add(8);
    let bytes = read::bytes_within(file, most as u64)?;
    Ok(read::source(name, bytes))
}

/// What is called: what was given on the command line, then the repository's own files.
struct CalledFiles {
    given: HashMap<String, Arc<Source>>,
    own: Option<Files>,
}

impl CalledFiles {
    fn read(given: &[Given], root: Option<&Path>, limits: &Limits) -> Result<Self, Failure> {
        let mut sources = HashMap::new();
        for Given { reference, file } in given {
            let source = text(file, reference, limits)?;
            let source = source.map_err(|errors| Failure::invalid(&errors))?;
            sources.insert(known_as(reference), source);
        }
        Ok(Self {
            given: sources,
            own: root.map(|root| Files::of_folder(root, &Rc::new(Elsewhere::stored()))),
        })
    }
}

/// `./` and `$/` lead to the same.
fn known_as(reference: &str) -> String {
    match reference.strip_prefix("$/") {
        Some(path) => format!("./{path}"),
        None => reference.to_owned(),
    }
}

impl Documents for CalledFiles {
    fn find(&self, reference: &Reference) -> Document {
        let meant = reference.location.to_string();
        let given = self.given.get(&meant);
        if let Some(source) = given.or_else(|| self.given.get(&known_as(&reference.text))) {
            return Document::Found(Arc::clone(source));
        }
        match (&self.own, &reference.location) {
            (Some(own), Location::Own { .. }) => own.find(reference),
            (_, location) => Document::NotHere {
                why: format!("give the file with --ref {location}=FILE"),
            },
        }
    }
}
