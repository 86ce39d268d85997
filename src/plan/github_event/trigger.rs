//! Which event, on which ref, with which content.

use serde_json::Value;

use super::compared::{self, Compared, Since};
use super::identity::{Identity, stable_id};
use super::outsider::Outsider;
use super::told;
use crate::git::{Content, Facts, Head};
use crate::workflow::{self, Token};

/// What the user asks a run to pretend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventOptions {
    /// `--event NAME`
    pub event: Option<String>,
    /// `-e FILE`, read: laid over the payload that lrun makes, key by key.
    pub payload: Option<Value>,
    /// `--ref REF`: a branch or tag. One that does not exist yet has to be written in full
    /// (`refs/tags/v2.0`): the folder then runs as if it were pushed under that name.
    pub git_ref: Option<String>,
    /// `--head BRANCH` of a pull request; the current branch unless given.
    pub head: Option<String>,
    /// `--base BRANCH` of a pull request; the default branch unless given.
    pub base: Option<String>,
    /// `--pr N`; a stable number per head branch unless given.
    pub number: Option<u64>,
    /// `--committed`: HEAD without what is not committed.
    pub committed: bool,
    /// `--input K=V` of `workflow_dispatch`.
    pub inputs: Vec<(String, String)>,
    /// `--as NAME`
    pub outsider: Option<Outsider>,
    /// `--since REF`: what the changed paths are counted from.
    pub since: Option<Since>,
    /// Whether the workflow asks for the commits of a push.
    pub reads_commits: bool,
}

/// Why no event can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// GitHub would start nothing.
    #[error("the workflow does not run on '{event}'; its events are: {}", declared.join(", "))]
    NotDeclared {
        /// What was asked for.
        event: String,
        /// What the workflow has under `on:`.
        declared: Vec<String>,
    },
    /// The workflow has no event.
    #[error("the workflow has no event under 'on:'")]
    NoEvents,
    /// A branch or tag that is not there.
    #[error(
        "there is no branch or tag '{name}'; write it in full (refs/heads/{name} or refs/tags/{name}) to run as if it were pushed"
    )]
    NoSuchRef {
        /// The name.
        name: String,
    },
    /// What no ref can be called.
    #[error("'{name}' is no name that git gives a ref (git check-ref-format)")]
    InvalidRef {
        /// The name.
        name: String,
    },
    /// An event that nobody else than members can start.
    #[error("--as {who}: {event} is no event of such a run; those are {}", events.join(", "))]
    NotByOutsider {
        /// Who.
        who: &'static str,
        /// The event.
        event: String,
        /// The events.
        events: &'static [&'static str],
    },
    /// A branch of a pull request that is not there.
    #[error("the pull request's {side} branch '{name}' is not there: name another with --{side}")]
    NoSuchBranch {
        /// `base` or `head`.
        side: &'static str,
        /// The name.
        name: String,
    },
}

/// The base of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The branch.
    pub branch: String,
    /// Its commit.
    pub commit: String,
}

/// An event with the ref it is on and the content it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// GitHub's name of the event.
    pub event: String,
    /// `GITHUB_REF`, in full.
    pub git_ref: String,
    /// What runs; for a pull request its head, before the merge.
    pub content: Content,
    /// The head branch and the number of a pull request.
    pub pull_request: Option<(String, u64)>,
    /// The base of a pull request.
    pub base: Option<Base>,
    /// What a merge group is to be merged into.
    pub queue: Option<Base>,
    /// What its changed paths are the difference of; none of an event that has none.
    pub compared: Option<Compared>,
    /// `github.event.action`, where the event has types.
    pub action: Option<String>,
    /// The `cron` line of `schedule`.
    pub cron: Option<String>,
    /// What had to be assumed, in words.
    pub assumptions: Vec<String>,
}

impl Trigger {
    /// Chooses among the events that the workflow declares: the one asked for, else push,
    /// pull_request, workflow_dispatch, schedule, else the first.
    pub fn choose(
        on: &[workflow::Trigger],
        options: &EventOptions,
        facts: &Facts,
    ) -> Result<Self, EventError> {
        let declared: Vec<&str> = on.iter().map(|on| on.name.as_str()).collect();
        let event = choose_event(&declared, options)?;
        let mut trigger = Self::of_event(event, options, facts)?;
        let declared = on.iter().find(|on| on.name == event);
        let configuration = declared.and_then(|on| on.configuration.as_ref());
        trigger.be_configured(configuration, options);
        Ok(trigger)
    }

    /// An event, whatever workflows declare.
    pub fn of_event(
        event: &str,
        options: &EventOptions,
        facts: &Facts,
    ) -> Result<Self, EventError> {
        if let Some(outsider) = options.outsider
            && !outsider.events().contains(&event)
        {
            return Err(EventError::NotByOutsider {
                who: outsider.name(),
                event: event.to_owned(),
                events: outsider.events(),
            });
        }
        let identity = Identity::of(facts);
        let options = &told::options(event, options, facts);
        let mut trigger = Self {
            event: event.to_owned(),
            git_ref: String::new(),
            content: current(options, facts),
            pull_request: None,
            base: None,
            queue: None,
            compared: None,
            action: told::usual_action(event).map(str::to_owned),
            cron: None,
            assumptions: Vec::new(),
        };
        match (event, &options.git_ref) {
            ("pull_request" | "pull_request_target", _) => {
                trigger.be_pull_request(options, facts, &identity)?;
            }
            ("merge_group", _) => trigger.be_queued(options, facts, &identity)?,
            (_, Some(name)) => trigger.be_on(name, facts)?,
            ("release", None) => trigger.git_ref = trigger.released(facts),
            // The ref that GitHub lets the user choose, or that was pushed.
            ("push" | "workflow_dispatch" | "create", None) => {
                trigger.git_ref = trigger.current_ref(facts, &identity);
            }
            // All others run on the default branch only (docs: events that trigger workflows).
            _ => trigger.git_ref = format!("refs/heads/{}", identity.default_branch),
        }
        if event == "push" {
            let (git_ref, content) = (&trigger.git_ref, &trigger.content);
            trigger.compared = compared::of_push(options, git_ref, content, facts);
        }
        let told = told::assumptions(&trigger, options, facts);
        trigger.assumptions.extend(told);
        trigger.assumptions.extend(identity.assumptions);
        Ok(trigger)
    }

    /// Takes what the workflow says of the event for what happened: one of its types, one of its
    /// times.
    fn be_configured(&mut self, configuration: Option<&Token>, options: &EventOptions) {
        if let Some(action) = told::action(options) {
            self.action = Some(action.to_owned());
            return;
        }
        if self.event == "schedule" {
            let times = configuration.map(Token::items).unwrap_or_default();
            let cron = |time: &Token| Some(time.get("cron")?.as_str()?.to_owned());
            if let Some(given) = told::schedule(options) {
                self.cron = Some(given.to_owned());
                return;
            }
            self.cron = times.first().and_then(cron);
            if let (Some(cron), true) = (&self.cron, times.len() > 1) {
                self.assumptions.push(format!(
                    "the run is taken for that of cron '{cron}', the first of {}",
                    times.len()
                ));
            }
            return;
        }
        let types = configuration.and_then(|filters| filters.get("types"));
        let types = types.map(Token::items).unwrap_or_default();
        let types: Vec<&str> = types.iter().filter_map(Token::as_str).collect();
        let usual = self.action.as_deref();
        if let Some(first) = types
            .first()
            .filter(|_| !types.iter().any(|&is| Some(is) == usual))
        {
            self.assumptions.push(format!(
                "the event's action is taken for '{first}', the first of on.{}.types",
                self.event
            ));
            self.action = Some((*first).to_owned());
        }
    }

    /// Whether the merge of the head into the base runs, not one of the two.
    pub fn runs_merge(&self) -> bool {
        self.git_ref.starts_with("refs/pull/")
    }

    fn be_on(&mut self, name: &str, facts: &Facts) -> Result<(), EventError> {
        let candidates = [
            name.to_owned(),
            format!("refs/heads/{name}"),
            format!("refs/tags/{name}"),
        ];
        let found = candidates
            .iter()
            .find_map(|full| Some((full, facts.refs.get(full)?)));
        match found {
            Some((full, _)) if Some(full) == head_ref(facts).as_ref() => {
                self.git_ref.clone_from(full);
            }
            Some((full, target)) => {
                self.git_ref.clone_from(full);
                self.content = Content::Commit(target.commit.clone());
            }
            None if !is_ref_name(name) => {
                return Err(EventError::InvalidRef {
                    name: name.to_owned(),
                });
            }
            None if name.starts_with("refs/") => name.clone_into(&mut self.git_ref),
            None => {
                return Err(EventError::NoSuchRef {
                    name: name.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn be_pull_request(
        &mut self,
        options: &EventOptions,
        facts: &Facts,
        identity: &Identity,
    ) -> Result<(), EventError> {
        let current = match &facts.head {
            Head::Branch(branch) => Some(branch.as_str()),
            _ => None,
        };
        let head = options.head.as_deref().or(current).unwrap_or("HEAD");
        if options.head.is_some() && options.head.as_deref() != current {
            let commit = facts
                .refs
                .get(&format!("refs/heads/{head}"))
                .map(|target| target.commit.as_str())
                .or_else(|| facts.refs.branch(head))
                .ok_or_else(|| no_branch("head", head))?;
            self.content = Content::Commit(commit.to_owned());
        }
        let base = options.base.as_ref().unwrap_or(&identity.default_branch);
        let commit = facts
            .refs
            .branch(base)
            .ok_or_else(|| no_branch("base", base))?
            .to_owned();
        let number = options.number.unwrap_or_else(|| number_of(head));
        let base = Base {
            branch: base.clone(),
            commit,
        };
        self.compared = Some(compared::of_pull_request(options, &base, &self.content));
        if self.event == "pull_request_target" {
            self.git_ref = format!("refs/heads/{}", base.branch);
            self.content = Content::Commit(base.commit.clone());
        } else {
            self.git_ref = format!("refs/pull/{number}/merge");
        }
        let head = told::head(options).unwrap_or(head);
        self.pull_request = Some((head.to_owned(), number));
        self.base = Some(base);
        Ok(())
    }

    /// Takes the folder for what the queue is about to merge into the base.
    fn be_queued(
        &mut self,
        options: &EventOptions,
        facts: &Facts,
        identity: &Identity,
    ) -> Result<(), EventError> {
        let branch = options.base.as_ref().unwrap_or(&identity.default_branch);
        let commit = facts.refs.branch(branch);
        let commit = commit.ok_or_else(|| no_branch("base", branch))?.to_owned();
        let number = options.number.unwrap_or_else(|| number_of(&facts.commit));
        // As GitHub names the branches of a queue (docs: "Managing a merge queue").
        self.git_ref = format!("refs/heads/gh-readonly-queue/{branch}/pr-{number}-{commit}");
        self.queue = Some(Base {
            branch: branch.clone(),
            commit,
        });
        Ok(())
    }

    /// The tag of a release: one that is on HEAD.
    fn released(&mut self, facts: &Facts) -> String {
        let mut tags = facts.refs.below("refs/tags/");
        let of_head = match &facts.head {
            Head::Tag(tag) => Some(format!("refs/tags/{tag}")),
            _ => tags
                .find(|(_, tag)| tag.commit == facts.commit)
                .map(|(name, _)| name.to_owned()),
        };
        of_head.unwrap_or_else(|| {
            let assumed = "no tag is on HEAD: the release is taken for one of the tag v0.0.0 (--ref refs/tags/NAME)";
            self.assumptions.push(assumed.to_owned());
            "refs/tags/v0.0.0".to_owned()
        })
    }

    fn current_ref(&mut self, facts: &Facts, identity: &Identity) -> String {
        head_ref(facts).unwrap_or_else(|| {
            let branch = &identity.default_branch;
            self.assumptions.push(format!(
                "HEAD is on no branch and no tag: the run is taken for one of {branch}"
            ));
            format!("refs/heads/{branch}")
        })
    }
}

fn choose_event<'a>(
    declared: &[&'a str],
    options: &'a EventOptions,
) -> Result<&'a str, EventError> {
    const PREFERRED: [&str; 4] = ["push", "pull_request", "workflow_dispatch", "schedule"];
    match &options.event {
        Some(event) if declared.contains(&event.as_str()) => Ok(event),
        Some(event) => Err(EventError::NotDeclared {
            event: event.clone(),
            declared: declared.iter().map(|&name| name.to_owned()).collect(),
        }),
        None => PREFERRED
            .into_iter()
            .find(|event| declared.contains(event))
            .or_else(|| declared.first().copied())
            .ok_or(EventError::NoEvents),
    }
}

fn current(options: &EventOptions, facts: &Facts) -> Content {
    match options.committed {
        true => Content::Commit(facts.commit.clone()),
        false => Content::Folder,
    }
}

/// Whether git lets a ref have this name (git-check-ref-format(1)); a short one is taken for part of
/// a longer.
fn is_ref_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let has_lock = part.len() > 5 && part.ends_with(".lock");
        !part.is_empty() && !part.starts_with('.') && !has_lock && part != ".lock"
    };
    let is_bad = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    name.split('/').all(is_part)
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains(is_bad)
}

/// The ref HEAD stands for.
fn head_ref(facts: &Facts) -> Option<String> {
    match &facts.head {
        Head::Branch(branch) => Some(format!("refs/heads/{branch}")),
        Head::Tag(tag) => Some(format!("refs/tags/{tag}")),
        Head::Detached => None,
    }
}

/// A number for what has none here, the same for the same name.
fn number_of(name: &str) -> u64 {
    u64::from(stable_id(name) % 100_000) + 1
}

fn no_branch(side: &'static str, name: &str) -> EventError {
    EventError::NoSuchBranch {
        side,
        name: name.to_owned(),
    }
}
