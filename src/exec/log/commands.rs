//! What the workflow commands of a step do (runner `ActionCommandManager`).

use indexmap::IndexMap;

use super::StepLog;
use super::annotations::Place;
use crate::agent::protocol::User;
use crate::event::{Level, LogLine};
use crate::exec::command::{Command, CommandName};
use crate::exec::{file_command, matcher, paths};

/// A longer token is hidden from where it was given on: it must not be guessed from the log.
const SHORT_TOKEN: usize = 6;

/// Commands that are not safe, and that the environment may allow all the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allowed {
    /// `set-env` and `add-path`.
    commands: bool,
    /// Any token of `stop-commands`.
    tokens: bool,
}

impl Allowed {
    pub(super) fn by(&mut self, environment: &IndexMap<String, String>) {
        let is_true = |name: &str| {
            let value = environment.get(name);
            value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
        };
        self.commands |= is_true("ACTIONS_ALLOW_UNSECURE_COMMANDS");
        self.tokens |= is_true("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS");
    }
}

/// Why a command is not carried out.
type Refused = String;

impl StepLog {
    /// Carries out the command on a line.
    pub(super) async fn carry_out(&mut self, command: &Command, line: &str) {
        let data = &*command.data;
        match command.name {
            CommandName::StopCommands => return self.stop_commands(data, line),
            CommandName::ResumeCommands => {
                self.stop_token = None;
                self.line(LogLine::Output, line);
                return self.debug("Resume processing commands");
            }
            _ => {}
        }
        let echoed = echoes(command.name);
        if self.echo && echoed {
            self.line(LogLine::Output, line);
        }
        let done = match command.name {
            CommandName::Error => self.issue(Level::Error, command),
            CommandName::Warning => self.issue(Level::Warning, command),
            CommandName::Notice => self.issue(Level::Notice, command),
            CommandName::Debug => {
                self.debug(data);
                Ok(())
            }
            CommandName::Group => {
                self.line(LogLine::Group, data);
                Ok(())
            }
            CommandName::EndGroup => {
                self.line(LogLine::EndGroup, "");
                Ok(())
            }
            CommandName::AddMask => self.add_mask(data),
            CommandName::Echo => self.set_echo(data),
            CommandName::SetOutput => self.set_output(command),
            CommandName::SaveState => self.save_state(command),
            CommandName::SetEnv => self.set_env(command),
            CommandName::AddPath => self.add_path(data),
            CommandName::AddMatcher => self.add_matchers(data).await,
            CommandName::RemoveMatcher => self.remove_matchers(command).await,
            CommandName::StopCommands | CommandName::ResumeCommands => Ok(()),
        };
        if let Err(why) = done {
            let shown = if echoed { line } else { name_of(command.name) };
            self.error(format!("Unable to process command '{shown}' successfully."));
            self.refuse(&why);
        }
    }

    /// A command that cannot be carried out fails the step once it has ended.
    fn refuse(&mut self, why: &str) {
        self.said.failed = true;
        self.error(why);
    }

    fn issue(&mut self, level: Level, command: &Command) -> Result<(), Refused> {
        let place = Place::of(command, &self.job.workspace);
        self.annotate(level, &command.data, place);
        Ok(())
    }

    fn add_mask(&mut self, value: &str) -> Result<(), Refused> {
        if value.trim().is_empty() {
            self.warning("Can't add secret mask for empty string in ##[add-mask] command.");
            return Ok(());
        }
        if self.echo {
            self.line(LogLine::Output, "::add-mask::***");
        }
        self.job.masker.add([value]);
        Ok(())
    }

    fn stop_commands(&mut self, token: &str, line: &str) {
        let is_command = CommandName::from_name(token).is_some();
        let is_unsafe =
            is_command || token.is_empty() || token.eq_ignore_ascii_case("pause-logging");
        if is_unsafe && !self.allowed.tokens {
            return self.refuse(
                "You cannot use a endToken that is an empty string, the string 'pause-logging', or another \
                 workflow command. For more information see: https://docs.github.com/actions/learn-github-actions/workflow-commands-for-github-actions#example-stopping-and-starting-workflow-commands \
                 or opt into insecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` \
                 environment variable to `true`.",
            );
        }
        self.stop_token = Some(token.to_owned());
        if token.chars().count() > SHORT_TOKEN {
            self.job.masker.add([token]);
        }
        self.line(LogLine::Output, line);
        self.debug("Paused processing commands until the token you added is received");
    }

    fn set_echo(&mut self, data: &str) -> Result<(), Refused> {
        match &*data.trim().to_ascii_uppercase() {
            "ON" => self.echo = true,
            "OFF" => self.echo = false,
            _ => {
                return Err(format!(
                    "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{data}'."
                ));
            }
        }
        Ok(())
    }

    fn set_output(&mut self, command: &Command) -> Result<(), Refused> {
        self.deprecated("set-output");
        let name = required_name(command, "set-output")?;
        self.debug(format!("{name}='{}'", command.data));
        self.said.outputs.insert(name, command.data.clone());
        Ok(())
    }

    fn save_state(&mut self, command: &Command) -> Result<(), Refused> {
        self.deprecated("save-state");
        let name = required_name(command, "save-state")?;
        self.debug(format!("Save intra-action state {name} = {}", command.data));
        self.said.state.insert(name, command.data.clone());
        Ok(())
    }

    fn deprecated(&mut self, name: &str) {
        self.warning(format!(
            "The `{name}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files. \
             For more information see: https://github.blog/changelog/2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/"
        ));
    }

    fn set_env(&mut self, command: &Command) -> Result<(), Refused> {
        self.needs_permission("set-env")?;
        let name = required_name(command, "set-env")?;
        if file_command::blocked_variable(&name).is_some() {
            let name = name.to_uppercase();
            self.error(format!(
                "Can't update {name} environment variable using ::set-env:: command."
            ));
            return Ok(());
        }
        self.debug(format!("{name}='{}'", command.data));
        self.said.env.push((name, command.data.clone()));
        Ok(())
    }

    fn add_path(&mut self, directory: &str) -> Result<(), Refused> {
        self.needs_permission("add-path")?;
        if directory.is_empty() {
            return Err("Value cannot be null. (Parameter 'path')".to_owned());
        }
        self.said.path.push(directory.to_owned());
        Ok(())
    }

    fn needs_permission(&self, name: &str) -> Result<(), Refused> {
        if self.allowed.commands {
            return Ok(());
        }
        Err(format!(
            "The `{name}` command is disabled. Please upgrade to using Environment Files or opt into unsecure command \
             execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`. \
             For more information see: https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/"
        ))
    }

    async fn add_matchers(&mut self, file: &str) -> Result<(), Refused> {
        if file.is_empty() {
            self.warning("File path must be specified.");
            return Ok(());
        }
        for definition in self.read_matchers(file).await? {
            let owner = definition.owner.clone();
            self.job.matchers.add(definition);
            self.debug(format!("Added matchers: '{owner}'. Problem matchers scan action output for known warning or error strings and report these inline."));
        }
        Ok(())
    }

    async fn remove_matchers(&mut self, command: &Command) -> Result<(), Refused> {
        let owner = command.property("owner").unwrap_or_default();
        let owners = match (owner, &*command.data) {
            ("", "") => {
                self.warning("Either an owner name or a file path must be specified in ##[remove-matcher] command.");
                return Ok(());
            }
            (owner, "") => vec![owner.to_owned()],
            ("", file) => {
                let definitions = self.read_matchers(file).await?;
                definitions.into_iter().map(|read| read.owner).collect()
            }
            _ => {
                self.warning(
                    "Either specify an owner name or a file path in ##[remove-matcher] command. Both values cannot be set.",
                );
                return Ok(());
            }
        };
        self.job.matchers.remove(&owners);
        self.debug(format!("Removed matchers: '{}'", owners.join("', '")));
        Ok(())
    }

    /// The matchers of a file, which is named from the workspace and read as the job's user.
    async fn read_matchers(&self, file: &str) -> Result<Vec<matcher::Definition>, Refused> {
        let path = paths::resolved(&self.job.workspace, file);
        let read = self.job.agent.read_files(User::Job, vec![path.clone()]);
        let files = read.await.map_err(|error| error.to_string())?;
        let Some(content) = files.into_iter().flatten().next() else {
            return Err(format!("Could not find file '{path}'."));
        };
        let text = file_command::text(&content);
        matcher::parse(&text).map_err(|error| format!("{path}: {error}"))
    }
}

/// Whether `echo` shows a command: not where it shows itself.
fn echoes(name: CommandName) -> bool {
    !matches!(
        name,
        CommandName::AddMask
            | CommandName::Debug
            | CommandName::Error
            | CommandName::Warning
            | CommandName::Notice
    )
}

/// What is said of a command that is not shown whole.
fn name_of(name: CommandName) -> &'static str {
    match name {
        CommandName::AddMask => "add-mask",
        CommandName::Debug => "debug",
        CommandName::Error => "error",
        CommandName::Warning => "warning",
        _ => "notice",
    }
}

fn required_name(command: &Command, of: &str) -> Result<String, Refused> {
    match command.property("name").filter(|name| !name.is_empty()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(format!(
            "Required field 'name' is missing in ##[{of}] command."
        )),
    }
}
