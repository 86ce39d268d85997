//! `.github/workflows/actions.lock`: which commit each dependency of a workflow is.
//!
//! Job: the file with the places of what is wrong with it, and what a workflow uses that it does not pin. Only workflows
//! that it lists are bound by it. Not its job: what a pin's commit holds.
//!
//! The form is that of docs.github.com, "workflow dependency lockfiles", as the crate github-actions-models 1.32 reads it.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::source::{Code, Diagnostic, Located, Source, Span};
use crate::yaml::{self, Entry, Node, NodeKind, Scalar};

use super::location::Location;
use super::model::{JobBody, StepAction, Workflow};
use super::problems::Problems;

/// Where the file is in a repository.
pub const LOCK_FILE: &str = ".github/workflows/actions.lock";

/// The versions of the form that are known.
const VERSIONS: [&str; 2] = ["v0.0.2", "v0.0.3"];

const UPDATE: &str = "run `gh actions-lock` to write it anew";

/// A whole lock file: every pin that a workflow or a dependency names is among the dependencies.
#[derive(Debug)]
pub struct Lock {
    /// The pins of each workflow that is bound, by its path from the repository's root.
    pub workflows: IndexMap<String, Vec<Located<String>>>,
    /// What each pin is.
    pub dependencies: IndexMap<String, Dependency>,
}

/// What one pin stands for.
#[derive(Debug)]
pub struct Dependency {
    /// `ref`: the tag or branch that the commit was taken from.
    pub git_ref: String,
    /// `commit`: forty hexadecimal digits, without the name of the digest.
    pub commit: String,
    /// `owner_id`
    pub owner_id: u64,
    /// `repo_id`
    pub repo_id: u64,
    /// `hostname`: where it comes from, unless from the server the repository is on.
    pub hostname: Option<String>,
    /// `uses`: the pins of what it uses itself.
    pub uses: Vec<Located<String>>,
}

/// Reads a lock file.
///
/// # Errors
/// Everything wrong with the file, at most ten.
pub fn read_lock(source: Arc<Source>) -> Result<Lock, Vec<Diagnostic>> {
    let mut problems = Problems::new(source);
    let limits = yaml::Limits::default();
    let lock = match yaml::read(problems.source(), &limits) {
        Ok(node) => {
            problems.enter(Code::Lock);
            let mut reader = Reader {
                problems: &mut problems,
            };
            reader.lock(&node)
        }
        Err(error) => {
            problems.add(error.span, error.to_string());
            None
        }
    };
    problems.finish(lock)
}

impl Lock {
    /// What one of these pins says of a `uses` that it is of.
    pub fn pinned(&self, pins: &[Located<String>], uses: &str) -> Option<&Dependency> {
        let (repository, path, git_ref) = parts(uses)?;
        let is_of = |path: &str| {
            let mut pins = pins.iter().map(|pin| &pin.value);
            pins.find(|pin| parts(pin) == Some((repository.clone(), path, git_ref)))
        };
        let pin = is_of(path).or_else(|| is_of(""))?;
        self.dependencies.get(pin)
    }

    /// What a workflow uses and the lock does not pin for it: GitHub fails its runs when they start. Nothing, if the lock
    /// does not list the workflow.
    pub fn unpinned(&self, workflow: &Workflow) -> Vec<Diagnostic> {
        let pins = match &workflow.location {
            Location::Own { path } => self.workflows.get(path),
            Location::Remote { .. } => None,
        };
        let Some(pins) = pins else {
            return Vec::new();
        };
        let pinned: HashSet<_> = pins.iter().filter_map(|pin| parts(&pin.value)).collect();
        // A pin is of what is used, or of the repository that it is in: `actions/cache@v4` of `actions/cache/save@v4`.
        let is_pinned = |uses: &str| {
            parts(uses).is_some_and(|(repository, path, git_ref)| {
                pinned.contains(&(repository.clone(), path, git_ref))
                    || pinned.contains(&(repository, "", git_ref))
            })
        };
        let jobs = workflow.jobs.values();
        jobs.flat_map(|job| match &job.body {
            JobBody::Steps(steps) => steps
                .iter()
                .filter_map(|step| reference(&step.action))
                .collect(),
            JobBody::Calls(call) => vec![&call.uses],
        })
        .filter(|uses| is_remote(&uses.value) && !is_pinned(&uses.value))
        .map(|uses| {
            let message = format!(
                "'{}' is not pinned for this workflow in {LOCK_FILE}",
                uses.value
            );
            let found = Diagnostic::new(&workflow.source, uses.span, Code::Lock, message);
            found.with_help(Some(UPDATE.to_owned()))
        })
        .collect()
    }
}

fn reference(action: &StepAction) -> Option<&Located<String>> {
    match action {
        StepAction::Uses { reference, .. } => Some(reference),
        _ => None,
    }
}

fn is_remote(uses: &str) -> bool {
    let own = ["./", "../", "$/", "docker://"];
    !own.iter().any(|prefix| uses.starts_with(prefix))
}

/// The repository, the path in it and the ref of `owner/repository[/path]@ref`. Owners and repositories have no letter
/// case.
fn parts(uses: &str) -> Option<(String, &str, &str)> {
    let (path, git_ref) = uses.rsplit_once('@')?;
    let end = path.match_indices('/').nth(1).map(|(end, _)| end);
    let (repository, path) = path.split_at(end.unwrap_or(path.len()));
    Some((repository.to_ascii_lowercase(), path, git_ref))
}

struct Reader<'p> {
    problems: &'p mut Problems,
}

impl Reader<'_> {
    fn lock(&mut self, root: &Node) -> Option<Lock> {
        let entries = self.mapping(root, "the file")?;
        let version = self.required(entries, "version", root.span);
        if let Some(version) = version.and_then(|node| self.text(node, "version"))
            && !VERSIONS.contains(&&*version.value)
        {
            let known = VERSIONS.join(" and ");
            let message = format!("unknown version '{}'; {known} are known", version.value);
            self.problems.add(version.span, message);
        }
        let workflows = self.required(entries, "workflows", root.span)?;
        let dependencies = self.required(entries, "dependencies", root.span)?;
        let workflows = self.workflows(workflows)?;
        let dependencies = self.dependencies(dependencies)?;
        let named = dependencies
            .values()
            .flat_map(|dependency| &dependency.uses);
        // What could not be read would be missed.
        let is_whole = self.problems.is_empty();
        for pin in workflows.values().flatten().chain(named) {
            if is_whole && !dependencies.contains_key(&pin.value) {
                let message = format!("the pin '{}' is not among the dependencies", pin.value);
                self.stale(pin.span, message);
            }
        }
        Some(Lock {
            workflows,
            dependencies,
        })
    }

    fn workflows(&mut self, node: &Node) -> Option<IndexMap<String, Vec<Located<String>>>> {
        let entries = self.mapping(node, "workflows")?;
        let pairs = entries.iter().filter_map(|entry| {
            let path = self.text_of(&entry.key.value, entry.key.span, "a workflow")?;
            Some((path.value, self.pins(&entry.value)))
        });
        Some(pairs.collect())
    }

    fn dependencies(&mut self, node: &Node) -> Option<IndexMap<String, Dependency>> {
        let entries = self.mapping(node, "dependencies")?;
        let pairs = entries.iter().filter_map(|entry| {
            let pin = self.text_of(&entry.key.value, entry.key.span, "a pin")?;
            self.check_pin(&pin);
            Some((pin.value, self.dependency(&entry.value)?))
        });
        Some(pairs.collect())
    }

    fn dependency(&mut self, node: &Node) -> Option<Dependency> {
        let entries = self.mapping(node, "a dependency")?;
        let git_ref = self.required_text(entries, "ref", node.span);
        let commit = self.required_text(entries, "commit", node.span);
        let commit = commit.and_then(|commit| self.commit(&commit));
        let owner_id = self.required_number(entries, "owner_id", node.span);
        let repo_id = self.required_number(entries, "repo_id", node.span);
        let hostname = optional(entries, "hostname").and_then(|node| self.text(node, "hostname"));
        let uses = optional(entries, "uses").map(|node| self.pins(node));
        Some(Dependency {
            git_ref: git_ref?.value,
            commit: commit?,
            owner_id: owner_id?,
            repo_id: repo_id?,
            hostname: hostname.map(|hostname| hostname.value),
            uses: uses.unwrap_or_default(),
        })
    }

    fn pins(&mut self, node: &Node) -> Vec<Located<String>> {
        let NodeKind::Sequence(items) = &node.kind else {
            self.problems.add(node.span, "a list of pins was expected");
            return Vec::new();
        };
        let pins = items.iter().filter_map(|item| self.text(item, "a pin"));
        let pins: Vec<_> = pins.collect();
        pins.iter().for_each(|pin| self.check_pin(pin));
        pins
    }

    /// A pin is `owner/repository[/path]@ref`.
    fn check_pin(&mut self, pin: &Located<String>) {
        let parts = pin.value.rsplit_once('@');
        let is_pin = parts.is_some_and(|(path, git_ref)| {
            let mut segments = path.split('/');
            segments.clone().count() >= 2
                && segments.all(|part| !part.is_empty())
                && !git_ref.is_empty()
        });
        if !is_pin {
            let message = format!(
                "'{}' is no pin: owner/repository@ref was expected",
                pin.value
            );
            self.stale(pin.span, message);
        }
    }

    fn commit(&mut self, commit: &Located<String>) -> Option<String> {
        let digits = commit.value.strip_prefix("sha1-");
        let is_hex =
            |digits: &&str| digits.len() == 40 && digits.bytes().all(|c| c.is_ascii_hexdigit());
        let digits = digits.filter(is_hex).map(str::to_owned);
        if digits.is_none() {
            let message = format!(
                "'{}' is no commit: sha1- and 40 hexadecimal digits were expected",
                commit.value
            );
            self.stale(commit.span, message);
        }
        digits
    }

    fn stale(&mut self, span: Span, message: String) {
        self.problems
            .add_with_help(span, message, Some(UPDATE.to_owned()));
    }

    fn mapping<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        let NodeKind::Mapping(entries) = &node.kind else {
            self.problems
                .add(node.span, format!("{what} must be a mapping"));
            return None;
        };
        let mut seen = HashSet::new();
        for entry in entries.iter() {
            if let Some(text) = name(entry)
                && !seen.insert(text)
            {
                let message = format!("'{text}' is already defined");
                self.problems.add(entry.key.span, message);
            }
        }
        Some(entries)
    }

    fn required<'n>(&mut self, entries: &'n [Entry], key: &str, owner: Span) -> Option<&'n Node> {
        let found = optional(entries, key);
        if found.is_none() {
            self.problems
                .add(owner, format!("Required property is missing: {key}"));
        }
        found
    }

    fn required_text(
        &mut self,
        entries: &[Entry],
        key: &str,
        owner: Span,
    ) -> Option<Located<String>> {
        self.required(entries, key, owner)
            .and_then(|node| self.text(node, key))
    }

    fn required_number(&mut self, entries: &[Entry], key: &str, owner: Span) -> Option<u64> {
        let node = self.required(entries, key, owner)?;
        let number = match node.kind {
            NodeKind::Scalar(Scalar::Number(number)) if number >= 0.0 && number.fract() == 0.0 => {
                Some(number)
            }
            _ => None,
        };
        if number.is_none() {
            self.problems
                .add(node.span, format!("{key} must be a whole number"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole and not negative"
        )]
        number.map(|number| number as u64)
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
        match &node.kind {
            NodeKind::Scalar(scalar) => self.text_of(scalar, node.span, what),
            _ => {
                self.problems
                    .add(node.span, format!("{what} must be a text"));
                None
            }
        }
    }

    fn text_of(&mut self, scalar: &Scalar, span: Span, what: &str) -> Option<Located<String>> {
        match scalar {
            Scalar::String(text) => Some(Located::new(text.to_string(), span)),
            _ => {
                self.problems.add(span, format!("{what} must be a text"));
                None
            }
        }
    }
}

fn optional<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    let entry = entries.iter().find(|entry| name(entry) == Some(key));
    entry.map(|entry| &entry.value)
}

fn name(entry: &Entry) -> Option<&str> {
    match &entry.key.value {
        Scalar::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::read_workflow;

    const LOCK: &str = "\
version: 'v0.0.2'
workflows:
  '.github/workflows/ci.yml':
    - 'actions/checkout@v4.3.1'
    - 'actions/cache@v4'
    - 'o/r/.github/workflows/w.yml@v1'
dependencies:
  'actions/checkout@v4.3.1':
    ref: 'v4.3.1'
    commit: 'sha1-34e114876b0b11c390a56381ad16ebd13914f8d5'
    owner_id: 44036562
    repo_id: 197814629
  'actions/cache@v4':
    ref: v4
    commit: sha1-44e114876b0b11c390a56381ad16ebd13914f8d5
    owner_id: 44036562
    repo_id: 1
    hostname: github.com
    uses: ['o/r/.github/workflows/w.yml@v1']
  'o/r/.github/workflows/w.yml@v1': {ref: v1, commit: sha1-54e114876b0b11c390a56381ad16ebd13914f8d5, owner_id: 1, repo_id: 2}
";

    fn errors(text: &str) -> Vec<String> {
        let found = read_lock(Source::new("l", text)).expect_err("something is wrong with it");
        let texts = found.iter().map(ToString::to_string);
        texts.map(|text| text.replacen("l ", "", 1)).collect()
    }

    /// The lock with one text for another.
    fn with(this: &str, instead: &str) -> Vec<String> {
        assert!(LOCK.contains(this), "{this}");
        errors(&LOCK.replace(this, instead))
    }

    #[test]
    fn a_lock_is_read_whole() {
        let lock = read_lock(Source::new("l", LOCK)).expect("valid");
        assert_eq!(lock.workflows.len(), 1);
        let cache = &lock.dependencies["actions/cache@v4"];
        assert_eq!(cache.git_ref, "v4");
        assert_eq!(cache.commit, "44e114876b0b11c390a56381ad16ebd13914f8d5");
        assert_eq!((cache.owner_id, cache.repo_id), (44_036_562, 1));
        assert_eq!(cache.hostname.as_deref(), Some("github.com"));
        assert_eq!(cache.uses[0].value, "o/r/.github/workflows/w.yml@v1");
    }

    #[test]
    fn what_is_wrong_is_named_where_it_is() {
        assert_eq!(
            with("'v0.0.2'", "v1"),
            ["(Line: 1, Col: 10): unknown version 'v1'; v0.0.2 and v0.0.3 are known"]
        );
        assert_eq!(
            with("    - 'actions/cache@v4'", "    - actions/cache@v5"),
            ["(Line: 5, Col: 7): the pin 'actions/cache@v5' is not among the dependencies"]
        );
        assert_eq!(
            with("uses: ['o/r/", "uses: ['o/s/"),
            [
                "(Line: 19, Col: 12): the pin 'o/s/.github/workflows/w.yml@v1' is not among the dependencies"
            ]
        );
        assert_eq!(
            with("sha1-44", "sha1-4"),
            [
                "(Line: 15, Col: 13): 'sha1-4e114876b0b11c390a56381ad16ebd13914f8d5' is no commit: sha1- and 40 hexadecimal digits were expected"
            ]
        );
        assert_eq!(
            with("    repo_id: 1\n", ""),
            ["(Line: 14, Col: 5): Required property is missing: repo_id"]
        );
        assert_eq!(
            with("owner_id: 1,", "owner_id: x,"),
            ["(Line: 20, Col: 112): owner_id must be a whole number"]
        );
        assert_eq!(with("'actions/cache@v4':", "'actions/cache':").len(), 1);
        assert_eq!(with("dependencies:", "dependencys:").len(), 1);
        assert_eq!(
            errors("[]"),
            ["(Line: 1, Col: 1): the file must be a mapping"]
        );
        assert_eq!(errors("a: [").len(), 1);
        assert_eq!(
            with("hostname: github.com", "ref: v5"),
            ["(Line: 18, Col: 5): 'ref' is already defined"]
        );
    }

    #[test]
    fn a_workflow_that_is_listed_may_use_what_is_pinned_for_it_alone() {
        let lock = read_lock(Source::new("l", LOCK)).expect("valid");
        let text = "on: push
jobs:
  a:
    runs-on: x
    steps:
      - uses: Actions/Checkout@v4.3.1
      - uses: actions/cache/restore@v4
      - uses: actions/checkout@v4
      - uses: actions/cache/restore@V4
      - uses: ./x
      - uses: $/x
      - uses: docker://alpine
  b: {uses: o/r/.github/workflows/w.yml@v1}
  c: {uses: o/r/.github/workflows/x.yml@v1}
  d: {uses: ./.github/workflows/x.yml}
";
        let unpinned = |path: &str| {
            let workflow = read_workflow(Source::new(path, text)).expect("valid");
            let found = lock.unpinned(&workflow);
            let lines = found.iter().map(|found| found.position().line);
            lines.collect::<Vec<u32>>()
        };
        assert_eq!(unpinned(".github/workflows/ci.yml"), [8, 9, 14]);
        assert!(unpinned(".github/workflows/other.yml").is_empty());
    }
}
