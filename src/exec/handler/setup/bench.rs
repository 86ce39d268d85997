//! What all stand-ins work with: the step's inputs and environment, the machine's tools as the
//! place has them, the cache, and the effects that come of it.

use super::SetUp;
use super::range::{Range, Release, release};
use crate::agent::AgentError;
use crate::agent::protocol::{HashSpec, ProcessSpec, Stream, User};
use crate::difference::{Difference, DifferenceKind, Effect, Site};
use crate::event::EventKind;
use crate::exec::effects::{Effects, Post};
use crate::exec::handler::{Inputs, Scope, cache, input};
use crate::exec::paths;
use crate::exec::step::ActionInputs;
use crate::label::{TOOL_CACHE, major_minor};
use crate::lookup::{Bearing, HashedFile, KeyOrigin, KeyPart};
use crate::outcome::Outcome;
use crate::workflow::{ActionRef, BuiltIn};

/// No answer of a tool is longer.
const ANSWER_BYTES: usize = 1 << 20;

/// Why a stand-in does not go on.
pub(super) enum Stop {
    /// The agent cannot be spoken to.
    Agent(AgentError),
    /// The step fails, as the action would fail it or because this machine lacks something.
    Failed(String),
}

impl From<AgentError> for Stop {
    fn from(error: AgentError) -> Self {
        Self::Agent(error)
    }
}

/// The step fails.
pub(super) fn fail<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(message.into()))
}

/// A tool of one version.
pub(super) struct Tool {
    pub(super) version: String,
    /// The directory that has `bin`; none of one that is on PATH already.
    pub(super) directory: Option<String>,
}

/// What a process said.
pub(super) struct Answer {
    pub(super) succeeded: bool,
    /// Standard output, trimmed.
    pub(super) output: String,
    /// Standard error, trimmed.
    pub(super) errors: String,
}

/// What the files behind a key's last part came to.
pub(super) struct Hashed {
    pub(super) digest: String,
    pub(super) files: Vec<HashedFile>,
}

/// A cache that an action asks for.
pub(super) struct Cache {
    /// What stands before the part that is made of files.
    pub(super) prefix: String,
    pub(super) hashed: Hashed,
    pub(super) restore_keys: Vec<String>,
    pub(super) paths: Vec<String>,
}

pub(super) struct Bench<'b, 's> {
    scope: &'b mut Scope<'s>,
    set_up: &'b SetUp,
    env: Vec<(String, String)>,
    pub(super) effects: Effects,
}

impl<'b, 's> Bench<'b, 's> {
    pub(super) fn new(scope: &'b mut Scope<'s>, set_up: &'b SetUp) -> Self {
        Self {
            scope,
            set_up,
            env: set_up.env.clone(),
            effects: Effects::of(Outcome::Success),
        }
    }

    /// An input, trimmed; empty when it is not given.
    pub(super) fn input(&self, name: &str) -> &'b str {
        input(&self.set_up.inputs.values, name)
    }

    /// The ref that the action is used at.
    pub(super) fn action(&self) -> &'b ActionRef {
        &self.set_up.action
    }

    /// A variable of the step's environment, with what was exported since.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn variables(&self) -> &[(String, String)] {
        &self.env
    }

    pub(super) fn workspace(&self) -> &str {
        &self.scope.place.paths.workspace
    }

    /// A line of the log.
    pub(super) fn say(&mut self, line: impl AsRef<str>) {
        self.scope.log.runner(line);
    }

    pub(super) fn warn(&mut self, line: impl AsRef<str>) {
        self.scope.log.warning(line);
    }

    pub(super) fn output(&mut self, name: &str, value: impl Into<String>) {
        self.effects.outputs.insert(name.to_owned(), value.into());
    }

    /// `core.exportVariable`
    pub(super) fn export(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        self.env.push((name.to_owned(), value.clone()));
        self.effects.env.push((name.to_owned(), value));
    }

    /// `core.addPath`
    pub(super) fn add_path(&mut self, directory: &str) {
        self.effects.path.push_str(directory);
        self.effects.path.push('\n');
        let rest = self.variable("PATH").unwrap_or_default();
        let path = format!("{directory}:{rest}");
        self.env.push(("PATH".to_owned(), path));
    }

    pub(super) fn differ(&self, text: String, effect: Effect) {
        self.scope.log.send(EventKind::Differs(Difference {
            kind: DifferenceKind::Other { text },
            site: Site::Step(self.scope.log.step().clone()),
            effect,
        }));
    }

    /// Says how the version that was taken is to the one that GitHub's image would give.
    pub(super) fn compare(&self, tool: &str, version: &str, hosted: Option<&str>) {
        let Some(hosted) = hosted.filter(|hosted| *hosted != version) else {
            return;
        };
        let effect = match major_minor(hosted) == major_minor(version) {
            true => Effect::None,
            false => Effect::MayFlip,
        };
        let text = format!("{tool} is {version} here; GitHub's image has {hosted}");
        self.differ(text, effect);
    }

    /// The versions of a tool in the image's tool cache, by GitHub's name of the tool there.
    pub(super) fn hosted(&self, name: &str) -> Vec<String> {
        let label = self.set_up.label.as_ref();
        let versions = label.and_then(|label| label.facts.tool_cache.get(name));
        versions.cloned().unwrap_or_default()
    }

    /// The version of one of the image's tools.
    pub(super) fn hosted_tool(&self, name: &str) -> Option<String> {
        let label = self.set_up.label.as_ref();
        label?.facts.tools.get(name).cloned()
    }

    /// The image's Java of a major version.
    pub(super) fn hosted_java(&self, major: &str) -> Option<String> {
        let facts = &self.set_up.label.as_ref()?.facts;
        let value = facts.environment.get(&format!("JAVA_HOME_{major}_X64"))?;
        value.split(' ').nth(1).map(str::to_owned)
    }

    /// This machine's versions of a tool that stand in the place's tool cache.
    pub(super) fn cached(&self, tool: &str) -> Vec<Tool> {
        let mounts = &self.scope.run.place.toolchains.mounts;
        let found = mounts.iter().filter_map(|mount| {
            let below = mount.at.strip_prefix(&format!("{TOOL_CACHE}/{tool}/"))?;
            Some(Tool {
                version: below.split('/').next()?.to_owned(),
                directory: Some(mount.at.clone()),
            })
        });
        found.collect()
    }

    /// The newest that a range means; an error that names what there is where there is none.
    /// Says too how it is to the newest of the image's.
    pub(super) fn choose(
        &self,
        (name, spec): (&str, &str),
        range: &Range,
        (tools, hosted): (Vec<Tool>, &[String]),
    ) -> Result<Tool, Stop> {
        let has = |versions: Vec<&str>| match versions.is_empty() {
            true => "none".to_owned(),
            false => versions.join(", "),
        };
        let newest = range.newest(tools.iter().map(|tool| tool.version.as_str()));
        let of_image = range.newest(hosted.iter().map(String::as_str));
        let Some(newest) = newest.map(str::to_owned) else {
            let mut here: Vec<(Option<Release>, &str)> = tools
                .iter()
                .map(|tool| (release(&tool.version), tool.version.as_str()))
                .collect();
            here.sort_unstable();
            let here = has(here.into_iter().map(|(_, version)| version).collect());
            let there = has(hosted.iter().map(String::as_str).collect());
            return fail(format!(
                "{name} {spec} is not on this machine, which has {here}; GitHub's image has {there}. Nothing is installed in its place: install it, or let the action itself run"
            ));
        };
        self.compare(name, &newest, of_image);
        let chosen = tools.into_iter().find(|tool| tool.version == newest);
        chosen.ok_or_else(|| Stop::Failed(format!("{name} {newest} is gone")))
    }

    /// Runs a program of the place as the job's user, in the workspace.
    pub(super) async fn ask(&self, argv: &[&str]) -> Result<Answer, Stop> {
        // Later ones count.
        let env: indexmap::IndexMap<_, _> = self.env.iter().cloned().collect();
        let spec = ProcessSpec {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            env: env.into_iter().collect(),
            cwd: self.workspace().to_owned(),
            user: User::Job,
        };
        let mut process = match self.scope.place.agent.spawn(spec).await {
            Ok(process) => process,
            Err(AgentError::NotStarted { .. }) => {
                return Ok(Answer {
                    succeeded: false,
                    output: String::new(),
                    errors: format!("there is no {}", argv[0]),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        while let Some((stream, bytes)) = process.output.recv().await {
            let into = match stream {
                Stream::Out => &mut output,
                Stream::Err => &mut errors,
            };
            if into.len() < ANSWER_BYTES {
                into.extend(bytes);
            }
        }
        let exit = process.wait().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Answer {
            succeeded: exit.success(),
            output: text(output),
            errors: text(errors),
        })
    }

    /// The same for what has to succeed.
    pub(super) async fn demand(&self, argv: &[&str]) -> Result<String, Stop> {
        let answer = self.ask(argv).await?;
        match answer.succeeded {
            true => Ok(answer.output),
            false => fail(format!("`{}` failed: {}", argv.join(" "), answer.errors)),
        }
    }

    /// A text file of the workspace, as the job sees it; none where there is none.
    pub(super) async fn file(&self, path: &str) -> Result<Option<String>, Stop> {
        let path = paths::resolved(self.workspace(), path);
        let agent = &self.scope.place.agent;
        let read = agent.read_files(User::Job, vec![path]).await?;
        let content = read.into_iter().next().flatten();
        Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(super) async fn exists(&self, path: &str) -> Result<bool, Stop> {
        let path = paths::resolved(self.workspace(), path);
        let answers = self.scope.place.agent.exists(vec![path]).await?;
        Ok(answers.first() == Some(&true))
    }

    /// `glob.hashFiles`; none where nothing matches.
    pub(super) async fn hash(&self, patterns: &[&str]) -> Result<Option<Hashed>, Stop> {
        let spec = HashSpec {
            patterns: patterns.iter().map(|one| (*one).to_owned()).collect(),
            workspace: self.workspace().to_owned(),
            home: paths::HOME.to_owned(),
            follow_links: false,
        };
        match self.scope.place.agent.hash_files(spec).await {
            Ok(report) => Ok(report.digest.map(|digest| Hashed {
                digest: digest.to_string(),
                files: report.files,
            })),
            Err(AgentError::Refused { message }) => fail(message),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the post part saves at all, and in a job that failed too.
    pub(super) fn when_saved(&mut self, saves: bool, on_failure: bool) {
        self.effects.post = self.effects.post.take().filter(|_| saves);
        if let Some(Post::SaveCache(state)) = &mut self.effects.post {
            state.on_failure = on_failure;
        }
    }

    /// Restores a cache as the toolkit does, and has the post part save it. True: the key
    /// itself was found.
    pub(super) async fn restore(&mut self, wanted: Cache) -> Result<Restored, Stop> {
        let key = format!("{}{}", wanted.prefix, wanted.hashed.digest);
        let part = |expression: Option<&str>, value: &str, bearing, files| KeyPart {
            expression: expression.map(str::to_owned),
            value: value.to_owned(),
            bearing: Some(bearing),
            hosted: None,
            files,
            made: Vec::new(),
        };
        let origin = KeyOrigin {
            parts: vec![
                part(None, &wanted.prefix, Bearing::Place, Vec::new()),
                part(
                    Some("the action's own hash"),
                    &wanted.hashed.digest,
                    Bearing::Portable,
                    wanted.hashed.files,
                ),
            ],
        };
        let paths = wanted.paths.join("\n");
        let values = [
            ("path", paths.clone()),
            ("key", key.clone()),
            ("restore-keys", wanted.restore_keys.join("\n")),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let inputs = ActionInputs {
            values: Inputs::from_iter(values),
            key_origin: origin,
            asked_by: None,
        };
        let action = ActionRef {
            action: BuiltIn::Cache,
            version: "v5".to_owned(),
        };
        let restored = cache::restore(self.scope, &action, &inputs).await?;
        if restored.outcome != Outcome::Success {
            return fail("the cache could not be asked for");
        }
        self.effects.looked = restored.looked;
        let mut matched = None;
        if let Some(Post::SaveCache(mut state)) = restored.post {
            matched.clone_from(&state.matched);
            state.paths = Some(paths);
            self.effects.post = Some(Post::SaveCache(state));
        }
        Ok(Restored { key, matched })
    }
}

/// What became of a restore.
pub(super) struct Restored {
    pub(super) key: String,
    /// The key that was found.
    pub(super) matched: Option<String>,
}

impl Restored {
    pub(super) fn is_exact(&self) -> bool {
        self.matched.as_deref() == Some(&self.key)
    }
}
