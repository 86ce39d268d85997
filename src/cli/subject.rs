//! What of which repository is to run or to be planned, and as what.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::actions::Elsewhere;
use super::args::{GivenArguments, OutsiderArgument, PretendArguments};
use super::document::{self, InCommit};
use super::failure::Failure;
use super::find::Found;
use super::given::{self, GivenTexts, Sources};
use crate::config::{LrunToml, Settings};
use crate::event::{JobSummary, RunSummary};
use crate::exec::workspace;
use crate::git::{self, Changes, Content, Facts, GitError, Head, Repository, Snapshot};
use crate::plan::github_event::{
    Compared, EventOptions, GithubContext, Identity, Outsider, Since, Trigger, dispatch_texts,
    has_input, told_inputs,
};
use crate::plan::{self, Change, Start};
use crate::workflow::{self, Workflow};

/// The repository as it was found.
pub(super) struct Ground {
    pub(super) repository: Repository,
    /// What it is like.
    whole: Facts,
    /// What its `lrun.toml` and the user's say.
    pub(super) toml: LrunToml,
    /// The folder that is taken for a repository, if that is not the repository itself, and what it
    /// is like then.
    folder: Option<(PathBuf, Facts)>,
    changes: Answers<Compared, Arc<Result<Changes, String>>>,
    conflicts: Answers<[String; 2], Vec<String>>,
}

/// What git has answered: of many workflows it is asked each question once.
struct Answers<Q, A>(RefCell<Vec<(Q, A)>>);

impl<Q: Clone + PartialEq, A: Clone> Answers<Q, A> {
    fn of(&self, question: &Q, ask: impl FnOnce() -> A) -> A {
        let mut known = self.0.borrow_mut();
        if let Some((_, answer)) = known.iter().find(|(asked, _)| asked == question) {
            return answer.clone();
        }
        let answer = ask();
        known.push((question.clone(), answer.clone()));
        answer
    }
}

impl<Q, A> Default for Answers<Q, A> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl Ground {
    /// Looks at the repository of `root`, the folder that has the workflows.
    pub(super) fn look(root: &Path, settings: &Settings) -> Result<Self, Failure> {
        let (repository, whole) = Facts::discover(root).map_err(Failure::cannot_run)?;
        let folder = root.strip_prefix(&repository.root).ok();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map(|folder| (folder.to_owned(), whole.of_folder(folder)));
        let facts = folder.as_ref().map_or(&whole, |(_, facts)| facts);
        let name = Identity::of(facts).repository();
        Ok(Self {
            toml: LrunToml::read(root, &name, settings).map_err(Failure::usage)?,
            folder,
            repository,
            whole,
            changes: Answers::default(),
            conflicts: Answers::default(),
        })
    }

    /// What the repository is like, or the folder that is taken for one.
    pub(super) fn facts(&self) -> &Facts {
        self.folder.as_ref().map_or(&self.whole, |(_, facts)| facts)
    }

    /// What an event changes; or why GitHub could not tell either.
    fn changes(&self, compared: &Compared) -> Arc<Result<Changes, String>> {
        let since = &compared.since;
        let ask = || match compared.range.changes(&self.repository, self.facts()) {
            Ok(Some(changes)) => Ok(changes),
            Ok(None) => Err(format!("nothing is common with {since}")),
            Err(error) => Err(error.to_string()),
        };
        self.changes.of(compared, || Arc::new(ask()))
    }

    /// The paths in which two commits conflict. Where git cannot tell, a run says so.
    fn conflicts(&self, base: &str, head: &str) -> Vec<String> {
        let ask = || self.repository.conflicts(base, head).unwrap_or_default();
        self.conflicts.of(&[base.to_owned(), head.to_owned()], ask)
    }

    /// That everybody who has the repository has its file of secrets.
    fn shown_secrets(&self, given: &GivenTexts) -> Option<String> {
        let name = given.secrets_file?;
        let folder = self.folder.as_ref().map(|(folder, _)| folder.join(name));
        let path = folder.unwrap_or_else(|| PathBuf::from(name));
        let is_there = self
            .repository
            .has_file(&self.whole.commit, &path.to_string_lossy());
        let shown = matches!(is_there, Ok(true));
        shown.then(|| format!("{name} is committed: whoever has the repository has these secrets"))
    }

    /// The message of the commit that runs, where it is at hand and the commit is the user's.
    fn message(&self, content: &Content) -> Option<&str> {
        let head = self.facts().head_commit.as_ref()?;
        let is_head = match content {
            Content::Folder => self.facts().is_clean(),
            Content::Commit(id) => head.id == *id,
        };
        is_head.then_some(head.message.as_str())
    }
}

/// Which events a workflow is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Declared<'e> {
    /// Those that it has under `on:`; the options choose among them.
    Only,
    /// This one, whether it has it or not.
    Or(&'e str),
}

/// What the user asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) pretend: &'a PretendArguments,
    pub(super) given: &'a GivenArguments,
    pub(super) settings: &'a Settings,
    pub(super) declared: Declared<'a>,
    pub(super) elsewhere: &'a Rc<Elsewhere>,
    /// That a commit lacks the workflow is an answer, not a mistake.
    pub(super) tells_missing: bool,
}

/// A workflow of a repository and what it is to run as.
pub(super) struct Subject<'g> {
    pub(super) ground: &'g Ground,
    pub(super) workflow: Arc<Workflow>,
    pub(super) options: EventOptions,
    pub(super) trigger: Trigger,
    pub(super) given: GivenTexts,
    /// That the commit which runs does not have the workflow, in words.
    pub(super) missing: Option<String>,
}

impl<'g> Subject<'g> {
    /// `workflow` is the folder's; a run of a commit is of the commit's own.
    pub(super) fn find(
        asked: Asked<'_>,
        found: &Found,
        workflow: Arc<Workflow>,
        ground: &'g Ground,
    ) -> Result<Self, Failure> {
        let Asked {
            pretend, declared, ..
        } = asked;
        let mut given = given::read(Sources {
            given: asked.given,
            root: &found.root,
            settings: asked.settings,
            configured: &ground.toml.environments,
        })?;
        given.notes.extend(ground.shown_secrets(&given));
        let mut options = event_options(pretend, &found.root)?;
        options.reads_commits = workflow.source.text.contains("event.commits");
        if let Declared::Or(event) = declared {
            options.event = Some(event.to_owned());
        }
        let choose = |workflow: &Workflow| {
            let facts = ground.facts();
            let chosen = match declared {
                Declared::Or(event) if workflow.on.iter().all(|on| on.name != event) => {
                    workflow::known_event(event).map_err(Failure::usage)?;
                    Trigger::of_event(event, &options, facts)
                }
                _ => Trigger::choose(&workflow.on, &options, facts),
            };
            chosen.map_err(Failure::usage)
        };
        let of_folder = choose(&workflow)?;
        let of_commit = match &of_folder.content {
            Content::Commit(commit) => document::in_commit(found, commit, asked.elsewhere)?,
            Content::Folder => InCommit::Elsewhere,
        };
        let (workflow, trigger, missing) = match of_commit {
            InCommit::There(workflow) => {
                let trigger = choose(&workflow)?;
                (workflow, trigger, None)
            }
            InCommit::Missing(why) if asked.tells_missing => (workflow, of_folder, Some(why)),
            InCommit::Missing(why) => {
                let why = format!("{why}: GitHub would start nothing");
                return Err(Failure::usage(why));
            }
            InCommit::Elsewhere => (workflow, of_folder, None),
        };
        let told = told_inputs(&options).into_iter();
        for (name, value) in told.filter(|_| trigger.event == "workflow_dispatch") {
            given.inputs.entry(name).or_insert(value);
        }
        for (name, value) in std::mem::take(&mut given.usual_inputs) {
            if has_input(&workflow, &trigger.event, &name) {
                given.inputs.entry(name).or_insert(value);
            }
        }
        // GitHub's payload has the defaults too.
        options.inputs = dispatch_texts(&workflow, &trigger.event, &given.inputs);
        Ok(Self {
            ground,
            workflow,
            options,
            trigger,
            given,
            missing,
        })
    }

    /// The commit that runs. Takes lrun's own objects to `objects`.
    pub(super) fn snapshot(&self, objects: &Path) -> Result<Snapshot, GitError> {
        let Ground {
            repository,
            whole,
            folder,
            ..
        } = self.ground;
        let snapshot = workspace::take_snapshot(repository, whole, &self.trigger, objects)?;
        match folder {
            Some((folder, _)) => snapshot.of_folder(repository, folder),
            None => Ok(snapshot),
        }
    }

    /// Whether the event is among those of the workflow.
    pub(super) fn is_declared(&self) -> bool {
        let mut declared = self.workflow.on.iter();
        declared.any(|on| on.name == self.trigger.event)
    }

    /// Where a pull request cannot be merged, by what is committed of its head.
    pub(super) fn conflicts(&self) -> Vec<String> {
        let Trigger { base, content, .. } = &self.trigger;
        let merged = base.as_ref().filter(|_| self.trigger.runs_merge());
        let head = match content {
            Content::Commit(id) => id,
            Content::Folder => &self.ground.facts().commit,
        };
        let conflicts = merged.map(|base| self.ground.conflicts(&base.commit, head));
        conflicts.unwrap_or_default()
    }

    /// Whether the file is known not to be on the default branch, for events that start what is
    /// there. On that branch itself a push would bring it.
    fn is_missing_there(&self, github: &GithubContext) -> bool {
        let facts = self.ground.facts();
        let default = &github.identity.default_branch;
        if self.ground.folder.is_some()
            || !plan::is_of_default_branch(&self.trigger.event)
            || facts.head == Head::Branch(default.clone())
        {
            return false;
        }
        let path = &self.workflow.source.path;
        let there = facts.refs.branch(default);
        let there = there.map(|commit| self.ground.repository.has_file(commit, path));
        matches!(there, Some(Ok(false)))
    }

    /// Whether GitHub would start it. Git is asked for what changes where a filter is about that.
    pub(super) fn start(&self, github: &GithubContext, conflicts: &[String]) -> Start {
        let Trigger {
            event,
            compared,
            content,
            ..
        } = &self.trigger;
        if let Some(why) = &self.missing {
            return Start {
                starts: false,
                why: why.clone(),
                filters: Vec::new(),
                compared: None,
            };
        }
        let compared = compared.as_ref();
        let asked = compared.filter(|_| plan::filters_paths(&self.workflow.on, event));
        let changes = asked.map(|compared| self.ground.changes(compared));
        let change = Change {
            changes: match changes.as_deref() {
                Some(Ok(changes)) => Ok(changes),
                Some(Err(why)) => Err(why),
                None => Err("nothing is compared"),
            },
            since: compared.map_or("", |compared| &compared.since),
            message: self.ground.message(content),
            conflicts,
            is_missing_there: self.is_missing_there(github),
        };
        let compared = change.changes.ok().map(|changes| changes.paths.len());
        Start {
            compared,
            ..Start::of(&self.workflow, github, change)
        }
    }
}

/// What GitHub calls a workflow: its name, or its path where it has none.
pub(super) fn workflow_name(workflow: &Workflow) -> String {
    match &workflow.name {
        Some(name) => name.value.clone(),
        None => workflow.source.path.clone(),
    }
}

/// What is said of a run before its first job.
pub(super) fn summary(
    github: &GithubContext,
    snapshot: &Snapshot,
    jobs: Vec<JobSummary>,
) -> RunSummary {
    RunSummary {
        run: github.run.run,
        workflow_path: github.run.workflow_path.clone(),
        workflow_name: github.run.workflow.clone(),
        repository: github.identity.repository(),
        event_name: github.event_name.clone(),
        git_ref: github.git_ref.clone(),
        sha: github.sha.clone(),
        head_sha: snapshot.head_sha.clone(),
        changed_files: (snapshot.changed.len() + snapshot.untracked.len()) as u64,
        jobs,
    }
}

fn find_since(root: &Path, revision: &str) -> Result<Since, Failure> {
    let commit = git::commit_named(root, revision).map_err(Failure::cannot_run)?;
    match commit {
        Some(commit) => Ok(Since {
            revision: revision.to_owned(),
            commit,
        }),
        None => Err(Failure::usage(format!(
            "--since {revision}: there is no such commit, branch or tag"
        ))),
    }
}

/// The options as they were given. The inputs are a workflow's, so that they are not among them.
fn event_options(pretend: &PretendArguments, root: &Path) -> Result<EventOptions, Failure> {
    let payload = match &pretend.event_path {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::usage(format!(
                    "cannot read the payload {}: {error}",
                    path.display()
                ))
            })?;
            let wrong =
                |what: String| Failure::usage(format!("the payload {} is {what}", path.display()));
            let payload: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| wrong(format!("no JSON: {error}")))?;
            if !payload.is_object() {
                return Err(wrong("no JSON object".to_owned()));
            }
            Some(payload)
        }
    };
    Ok(EventOptions {
        event: pretend.event.clone(),
        payload,
        git_ref: pretend.git_ref.clone(),
        head: pretend.head.clone(),
        base: pretend.base.clone(),
        number: pretend.pr,
        committed: pretend.committed,
        outsider: pretend.outsider.map(|outsider| match outsider {
            OutsiderArgument::Fork => Outsider::Fork,
            OutsiderArgument::Dependabot => Outsider::Dependabot,
        }),
        inputs: Vec::new(),
        since: pretend
            .since
            .as_deref()
            .map(|since| find_since(root, since))
            .transpose()?,
        reads_commits: false,
    })
}
