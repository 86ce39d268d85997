//! All actions that a run uses: found before it starts, those of composites too.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::content::{Content, Library, Resolved};
use super::files::Files;
use super::mapping::Mapping;
use super::missing::{Missing, MissingReason};
use super::own::Own;
use super::reference::{ActionReference, Target};
use crate::source::{Located, Source};
use crate::store::Store;
use crate::workflow::{
    self, Action, ActionRef, BuiltIn, DOCKERFILES, Location, Lock, MANIFESTS, Step, StepAction,
    Uses, Using,
};

/// How many repositories are fetched at the same time.
const AT_ONCE: usize = 8;

/// The deepest that composites may use each other, counted from zero (runner
/// `Constants.CompositeActionsMaxDepth`).
const MOST_DEPTH: usize = 9;

/// What actions are found with.
#[derive(Debug, Clone)]
pub struct ActionOptions {
    /// Folders in the place of actions.
    pub mapped: Vec<Mapping>,
    /// Nothing is fetched.
    pub offline: bool,
    /// lrun stands in for the actions that set tools up, with this machine's.
    pub tools_of_host: bool,
    /// What every branch and tag is now is asked.
    pub update: bool,
    /// Told of each fetch before it begins.
    pub tell: fn(&str),
}

/// A `uses:` of a step.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// The file that it stands in.
    pub from: &'w Location,
    /// The text.
    pub uses: &'w str,
}

/// What was found out about a set of `uses:`.
#[derive(Debug, Default)]
pub struct Resolution {
    /// What cannot be had, with the number of what was wanted and needs it.
    pub missing: Vec<(usize, Missing)>,
    /// What refs came to, each repository and ref once.
    pub resolved: Vec<Resolved>,
    /// The versions that the JavaScript actions among them are of: 20 of `node20`.
    pub nodes: Vec<u32>,
    /// Whether there are actions of the workspace of which nothing is known before the run: they may be
    /// JavaScript actions.
    pub unforeseen: bool,
}

/// All actions that a run uses.
#[derive(Debug)]
pub struct Actions {
    library: Option<Library>,
    lock: OnceLock<Arc<Lock>>,
    known: Mutex<Known>,
}

/// A repository, a ref, and the commit that a lock names.
type ContentKey = (String, String, Option<String>);

#[derive(Debug, Default)]
struct Known {
    contents: HashMap<ContentKey, Result<Arc<Content>, MissingReason>>,
    uses: HashMap<(Location, String), Result<Arc<Files>, MissingReason>>,
    /// The commits of called workflows' repositories and refs that a lock names.
    bound: HashMap<(String, String), String>,
    /// Those that cannot be had and that lrun stands in for.
    stand_ins: HashSet<String>,
    /// The repositories and refs whose commits were told.
    told: HashSet<(String, String)>,
}

/// One use on the way from a job's step to an action.
#[derive(Debug, Clone)]
struct Use {
    /// Which of those wanted leads here.
    root: usize,
    from: Location,
    uses: String,
    /// The uses before it, and where each led to.
    through: Vec<String>,
    stack: Vec<Target>,
    /// The pins that hold here; none where no lock binds.
    pins: Option<Vec<Located<String>>>,
}

impl Default for Actions {
    /// None at all.
    fn default() -> Self {
        Self {
            library: None,
            lock: OnceLock::new(),
            known: Mutex::default(),
        }
    }
}

impl Actions {
    /// Nothing is looked for yet.
    pub fn new(store: Store, options: ActionOptions) -> Self {
        Self {
            library: Some(Library {
                store,
                mapped: options.mapped,
                offline: options.offline,
                tools_of_host: options.tools_of_host,
                update: options.update,
                own: OnceLock::new(),
                tell: options.tell,
            }),
            lock: OnceLock::new(),
            known: Mutex::default(),
        }
    }

    /// Now it is known which commit of the user's repository runs, and which lock that has: workflows
    /// that it lists are bound by it. To be said once.
    pub fn run_of(&self, own: Own, lock: Option<Arc<Lock>>) {
        if let Some(library) = &self.library {
            // What was said first stays.
            let _ = library.own.set(own);
        }
        if let Some(lock) = lock {
            let _ = self.lock.set(lock);
        }
    }

    /// The workflows that `caller` calls are at the commits of the lock, if that lists it. To be said before
    /// they are brought.
    pub fn bind_files(&self, lock: &Lock, caller: &Location) {
        let Location::Own { path } = caller else {
            return;
        };
        let pins = lock.workflows.get(path).into_iter().flatten();
        let bound = pins.filter_map(|pin| {
            let reference = ActionReference::parse(&pin.value)?;
            let dependency = lock.dependencies.get(&pin.value)?;
            let (repository, git_ref, _) = key_of(&reference);
            Some(((repository, git_ref), dependency.commit.clone()))
        });
        self.known().bound.extend(bound);
    }

    /// The key of a file's repository.
    fn key_of_file(&self, reference: &ActionReference) -> ContentKey {
        let (repository, git_ref, _) = key_of(reference);
        let of = (repository, git_ref);
        let commit = self.known().bound.get(&of).cloned();
        (of.0, of.1, commit)
    }

    /// Has files of other repositories at hand, several repositories at a time; fetches them unless
    /// offline. Blocks.
    pub fn bring_files(&self, locations: &[&Location]) {
        let Some(library) = &self.library else {
            return;
        };
        let references = locations.iter().filter_map(|location| of_file(location));
        self.bring(
            library,
            references.map(|reference| (self.key_of_file(&reference), reference)),
        );
    }

    /// A workflow of another repository that is at hand; none in place of the text where the repository
    /// has no such file. None at all before it was brought.
    ///
    /// # Errors
    /// Why the repository cannot be had.
    pub fn file(&self, location: &Location) -> Option<Result<Option<String>, MissingReason>> {
        let library = self.library.as_ref()?;
        let reference = of_file(location)?;
        let key = self.key_of_file(&reference);
        let content = self.known().contents.get(&key).cloned()?;
        Some(content.and_then(|content| {
            let is_there = content.kept.files.contains_key(&reference.path);
            let bytes = is_there.then(|| library.file(&content, &reference.path));
            let bytes = bytes.transpose()?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }))
    }

    /// What the refs of files that were brought came to.
    pub fn resolved_files(&self, locations: &[&Location]) -> Vec<Resolved> {
        let mut seen = HashSet::new();
        let keys = locations
            .iter()
            .filter_map(|location| Some(self.key_of_file(&of_file(location)?)));
        let keys: Vec<_> = keys.filter(|key| seen.insert(key.clone())).collect();
        let known = self.known();
        let found = keys.iter().filter_map(|key| known.contents.get(key));
        found
            .filter_map(|content| Some(content.as_ref().ok()?.resolved.clone()))
            .collect()
    }

    /// Whether a folder stands in for the action, also for one that lrun would answer itself.
    pub fn is_mapped(&self, uses: &str) -> bool {
        let reference = ActionReference::parse(uses);
        let library = self.library.as_ref();
        library
            .zip(reference)
            .is_some_and(|(library, reference)| Mapping::of(&library.mapped, &reference).is_some())
    }

    /// The action that `uses` in the file `from` leads to, if it was found already. None for what is in
    /// the workspace (`./`), and for what lrun answers itself.
    pub fn find(&self, from: &Location, uses: &str) -> Option<Arc<Files>> {
        let known = self.known();
        let answer = known.uses.get(&(from.clone(), uses.to_owned()))?;
        answer.clone().ok()
    }

    /// Finds what turned out to be needed during the run, with all that it uses; fetches it unless
    /// offline. Blocks. Gives too what refs came to that nobody was told of yet.
    ///
    /// # Errors
    /// The first that cannot be had.
    pub fn fetch(
        &self,
        from: &Location,
        uses: &str,
    ) -> Result<(Option<Arc<Files>>, Vec<Resolved>), Missing> {
        let mut resolution = self.look(&[Wanted { from, uses }]);
        match resolution.missing.into_iter().next() {
            Some((_, missing)) => Err(missing),
            None => {
                let mut known = self.known();
                let resolved = &mut resolution.resolved;
                resolved.retain(|one| known.told.insert(name_of(one)));
                drop(known);
                Ok((self.find(from, uses), resolution.resolved))
            }
        }
    }

    /// Finds all that these lead to, those of composites too. What lrun answers itself is passed over;
    /// what is expected in the workspace is read for what it uses. Blocks.
    pub fn resolve(&self, wanted: &[Wanted<'_>]) -> Resolution {
        let resolution = self.look(wanted);
        let names = resolution.resolved.iter().map(name_of);
        self.known().told.extend(names);
        resolution
    }

    fn look(&self, wanted: &[Wanted<'_>]) -> Resolution {
        let mut resolution = Resolution::default();
        let Some(library) = &self.library else {
            return resolution;
        };
        let mut level: Vec<_> = wanted
            .iter()
            .enumerate()
            .map(|(root, wanted)| Use {
                root,
                from: wanted.from.clone(),
                uses: wanted.uses.to_owned(),
                through: Vec::new(),
                stack: Vec::new(),
                pins: self.pins_of(wanted.from),
            })
            .collect();
        let mut seen = HashSet::new();
        let mut told = HashSet::new();
        while !level.is_empty() {
            level.retain(|one| {
                let key = (
                    one.root,
                    one.through.len(),
                    one.from.clone(),
                    one.uses.clone(),
                );
                !self.is_built_in(&one.uses) && seen.insert(key)
            });
            self.bring(library, level.iter().filter_map(|one| self.content_of(one)));
            let mut next = Vec::new();
            for one in &level {
                match self.follow(library, one) {
                    Ok(Followed {
                        content,
                        uses,
                        node,
                        unforeseen,
                    }) => {
                        resolution.nodes.extend(node);
                        resolution.unforeseen |= unforeseen;
                        let resolved = content.map(|content| content.resolved.clone());
                        let resolved = resolved.filter(|one| told.insert(name_of(one)));
                        resolution.resolved.extend(resolved);
                        next.extend(uses);
                    }
                    // What is wrong with an action of the workspace is found when its step runs.
                    Err(why) if why.is_mistake() && is_in_workspace(&wanted[one.root]) => {}
                    Err(why) if !why.is_mistake() && BuiltIn::stand_in(&one.uses).is_some() => {
                        self.known().stand_ins.insert(one.uses.clone());
                    }
                    Err(why) => {
                        let missing = Missing {
                            uses: one.uses.clone(),
                            through: one.through.clone(),
                            why,
                        };
                        resolution.missing.push((one.root, missing));
                    }
                }
            }
            level = next;
        }
        resolution
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is in there is whole at any time.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_built_in(&self, uses: &str) -> bool {
        let is_own = matches!(Uses::parse(uses), Uses::BuiltIn(_)) && !self.is_mapped(uses);
        is_own || self.stand_in(uses).is_some()
    }

    /// What lrun answers in place of the action: where the user asks for this machine's tools, or
    /// the action cannot be had here. None where the action itself is to run.
    pub fn stand_in(&self, uses: &str) -> Option<ActionRef> {
        let of_host = self
            .library
            .as_ref()
            .is_some_and(|library| library.tools_of_host);
        let stands_in = || of_host || self.known().stand_ins.contains(uses);
        BuiltIn::stand_in(uses).filter(|_| !self.is_mapped(uses) && stands_in())
    }

    /// The pins that bind a workflow.
    fn pins_of(&self, from: &Location) -> Option<Vec<Located<String>>> {
        let Location::Own { path } = from else {
            return None;
        };
        self.lock.get()?.workflows.get(path).cloned()
    }

    /// The key of what a reference leads to, with the pins that hold there.
    fn key(&self, one: &Use, reference: &ActionReference) -> Result<Pinned, MissingReason> {
        let ActionReference {
            repository,
            git_ref,
            ..
        } = reference;
        let repository = repository.to_ascii_lowercase();
        let library = self.library.as_ref();
        let mapping = library.and_then(|library| Mapping::of(&library.mapped, reference));
        if let Some(mapping) = mapping {
            let key = format!("{repository} {}", mapping.folder.display());
            return Ok(Pinned {
                key: (key, git_ref.clone(), None),
                pins: None,
            });
        }
        let (Some(lock), Some(pins)) = (self.lock.get(), &one.pins) else {
            let key = key_of(reference);
            return Ok(Pinned { key, pins: None });
        };
        let dependency = lock
            .pinned(pins, &one.uses)
            .ok_or(MissingReason::Unpinned)?;
        Ok(Pinned {
            key: (repository, git_ref.clone(), Some(dependency.commit.clone())),
            pins: Some(dependency.uses.clone()),
        })
    }

    /// The content that one use leads to.
    fn content_of(&self, one: &Use) -> Option<(ContentKey, ActionReference)> {
        let Some(Target::Remote(reference)) = Target::of(&one.from, &one.uses) else {
            return None;
        };
        let Pinned { key, .. } = self.key(one, &reference).ok()?;
        Some((key, reference))
    }

    /// Has contents at hand, several at a time.
    fn bring(
        &self,
        library: &Library,
        wanted: impl Iterator<Item = (ContentKey, ActionReference)>,
    ) {
        let mut queue: VecDeque<(ContentKey, ActionReference)> = VecDeque::new();
        for (key, reference) in wanted {
            let is_known = self.known().contents.contains_key(&key);
            if !is_known && !queue.iter().any(|(queued, _)| *queued == key) {
                queue.push_back((key, reference));
            }
        }
        let workers = queue.len().min(AT_ONCE);
        let queue = Mutex::new(queue);
        let work = || {
            let next = || {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.pop_front()
            };
            while let Some((key, reference)) = next() {
                let content = library.content(&reference, key.2.as_deref()).map(Arc::new);
                self.known().contents.insert(key, content);
            }
        };
        match workers {
            0 => {}
            1 => work(),
            _ => std::thread::scope(|scope| {
                for _ in 0..workers {
                    scope.spawn(work);
                }
            }),
        }
    }

    /// What one use leads to, and what that uses in turn.
    fn follow(&self, library: &Library, one: &Use) -> Result<Followed, MissingReason> {
        let target = Target::of(&one.from, &one.uses).ok_or(MissingReason::NoReference)?;
        if one.through.len() > MOST_DEPTH || one.stack.contains(&target) {
            return Err(MissingReason::TooDeep);
        }
        let (content, reference, pins) = match &target {
            Target::Image => return Err(MissingReason::Docker),
            Target::Workspace(path) => return foreseen(library, one, path),
            Target::Own(path) => {
                let content = self.own(library)?;
                let reference = ActionReference {
                    repository: content.resolved.repository.clone(),
                    path: path.clone(),
                    git_ref: content.resolved.git_ref.clone(),
                };
                (content, reference, one.pins.clone())
            }
            Target::Remote(reference) => {
                let Pinned { key, pins } = self.key(one, reference)?;
                let content = self.known().contents.get(&key).cloned();
                (
                    content.ok_or(MissingReason::NoReference)??,
                    reference.clone(),
                    pins,
                )
            }
        };
        let is_own = matches!(target, Target::Own(_));
        let known = (one.from.clone(), one.uses.clone());
        let found = self.known().uses.get(&known).cloned();
        let files = match found {
            Some(found) => found?,
            None => {
                let read = read(library, &content, &reference, is_own).map(Arc::new);
                self.known().uses.insert(known, read.clone());
                read?
            }
        };
        let uses = used_by(&files.manifest, one, &files.location, pins.as_ref());
        Ok(Followed {
            content: (!is_own).then_some(content),
            uses,
            node: files.manifest.node(),
            unforeseen: false,
        })
    }

    fn own(&self, library: &Library) -> Result<Arc<Content>, MissingReason> {
        let key = (String::new(), String::new(), None);
        let found = self.known().contents.get(&key).cloned();
        found.unwrap_or_else(|| {
            let content = library.own_content().map(Arc::new);
            self.known().contents.insert(key, content.clone());
            content
        })
    }
}

fn name_of(resolved: &Resolved) -> (String, String) {
    (resolved.repository.clone(), resolved.git_ref.clone())
}

fn is_in_workspace(wanted: &Wanted<'_>) -> bool {
    let target = Target::of(wanted.from, wanted.uses);
    matches!(target, Some(Target::Workspace(_)))
}

/// Owners and names have no letter case.
fn key_of(reference: &ActionReference) -> ContentKey {
    let repository = reference.repository.to_ascii_lowercase();
    (repository, reference.git_ref.clone(), None)
}

/// A file of another repository.
fn of_file(location: &Location) -> Option<ActionReference> {
    let Location::Remote {
        repository,
        path,
        git_ref,
    } = location
    else {
        return None;
    };
    ActionReference::parse(&format!("{repository}/{path}@{git_ref}"))
}

struct Pinned {
    key: ContentKey,
    pins: Option<Vec<Located<String>>>,
}

struct Followed {
    content: Option<Arc<Content>>,
    uses: Vec<Use>,
    /// Of a JavaScript action, its version.
    node: Option<u32>,
    /// Whether nothing is known of it before the run.
    unforeseen: bool,
}

/// What an action of the workspace uses, if it is as in the run's commit. It may be another by then, or
/// not be there at all: only what it would need is known.
fn foreseen(library: &Library, one: &Use, path: &str) -> Result<Followed, MissingReason> {
    let nothing = || Followed {
        content: None,
        uses: Vec::new(),
        node: None,
        unforeseen: true,
    };
    let Some(own) = library.own.get() else {
        return Ok(nothing());
    };
    let paths = manifests(path);
    let found = own
        .first(&paths)
        .map_err(|error| MissingReason::Git(Arc::new(error)))?;
    let Some((index, bytes)) = found else {
        return Ok(nothing());
    };
    if paths[index].ends_with("ockerfile") {
        return Err(MissingReason::Docker);
    }
    let Some(manifest) = String::from_utf8(bytes)
        .ok()
        .and_then(|text| workflow::read_action(Source::new(&*paths[index], text)).ok())
    else {
        return Ok(nothing());
    };
    match &manifest.runs.using {
        Using::Docker { .. } => Err(MissingReason::Docker),
        _ => Ok(Followed {
            content: None,
            uses: used_by(&manifest, one, &one.from, one.pins.as_ref()),
            node: manifest.node(),
            unforeseen: false,
        }),
    }
}

/// Where a manifest may be, in the runner's order.
fn manifests(path: &str) -> Vec<String> {
    let full = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    };
    MANIFESTS.into_iter().chain(DOCKERFILES).map(full).collect()
}

fn read(
    library: &Library,
    content: &Content,
    reference: &ActionReference,
    is_own: bool,
) -> Result<Files, MissingReason> {
    let ActionReference {
        repository,
        path,
        git_ref,
    } = reference;
    let paths = manifests(path);
    let found = paths
        .iter()
        .find(|path| content.kept.files.contains_key(*path));
    let Some(found) = found else {
        return Err(match content.kept.files.contains_key(path) {
            true => MissingReason::Workflow,
            false => MissingReason::NoManifest,
        });
    };
    if found.ends_with("ockerfile") {
        return Err(MissingReason::Docker);
    }
    let location = match is_own {
        true => Location::own(found),
        false => Location::Remote {
            repository: repository.clone(),
            path: found.clone(),
            git_ref: git_ref.clone(),
        },
    };
    let bytes = library.file(content, found)?;
    let shown = match is_own {
        true => found.clone(),
        false => location.to_string(),
    };
    // The runner, too, reads what is no text as if it were.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let manifest = workflow::read_action(Source::new(shown, text))
        .map_err(|found| MissingReason::Invalid(Arc::new(found)))?;
    match &manifest.runs.using {
        Using::Docker { .. } => return Err(MissingReason::Docker),
        Using::Plugin { .. } => return Err(MissingReason::Plugin),
        Using::Node { .. } | Using::Composite { .. } => {}
    }
    Ok(Files {
        repository: repository.clone(),
        git_ref: git_ref.clone(),
        commit: content.resolved.commit.clone(),
        path: path.clone(),
        manifest: Arc::new(manifest),
        location,
        tree: content.kept.tree,
    })
}

/// What a composite uses, in the place of the use that leads to it.
fn used_by(
    manifest: &Action,
    one: &Use,
    from: &Location,
    pins: Option<&Vec<Located<String>>>,
) -> Vec<Use> {
    let Using::Composite { steps } = &manifest.runs.using else {
        return Vec::new();
    };
    let reference = |step: &Step| match &step.action {
        StepAction::Uses { reference, .. } => Some(reference.value.clone()),
        _ => None,
    };
    let mut through = one.through.clone();
    through.push(one.uses.clone());
    let mut stack = one.stack.clone();
    stack.extend(Target::of(&one.from, &one.uses));
    let uses = steps.iter().filter_map(reference);
    uses.map(|uses| Use {
        root: one.root,
        from: from.clone(),
        uses,
        through: through.clone(),
        stack: stack.clone(),
        pins: pins.cloned(),
    })
    .collect()
}
