//! `run:` steps (runner `ScriptHandler`).

use super::process::{self, Command};
use super::{ProcessContext, Scope};
use crate::agent::AgentError;
use crate::agent::protocol::FileSpec;
use crate::event::LogLine;
use crate::exec::effects::Effects;
use crate::exec::paths;
use crate::outcome::Outcome;

/// A `run:` step with everything evaluated.
#[derive(Debug)]
pub(in crate::exec) struct Script {
    /// The script's text.
    pub(in crate::exec) text: String,
    /// `shell:`, from the step or from `defaults`.
    pub(in crate::exec) shell: Option<String>,
    /// Working directory, a path inside the place.
    pub(in crate::exec) directory: String,
    /// The lines in which the log shows its `env` context.
    pub(in crate::exec) env: Vec<String>,
}

/// A shell as a command line: the script's path stands where `{0}` is.
#[derive(Clone)]
struct Shell {
    command: Vec<String>,
    extension: &'static str,
    /// What the log calls it.
    shown: String,
    /// What runs instead where this is not there.
    or: Option<&'static str>,
}

/// What was found of a shell on PATH.
struct FoundShell {
    /// It, or what runs instead; none if nothing is there.
    shell: Option<Shell>,
    /// What the log calls it.
    shown: String,
}

/// Runs a script and reads what it wrote to its command files.
///
/// # Errors
/// When the agent cannot be spoken to. A script that fails is no error but an outcome.
pub(in crate::exec) async fn run(
    scope: Scope<'_>,
    script: &Script,
    process: ProcessContext,
    unique: &str,
) -> Result<Effects, AgentError> {
    let Some(shell) = Shell::parse(script.shell.as_deref()) else {
        scope.log.error(
            "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) \
             or a format string containing '{0}'",
        );
        return Ok(Effects::of(Outcome::Failure));
    };
    let found = shell.find(&scope, &process).await?;
    announce(&scope, script, &found);
    let Some(shell) = found.shell else {
        scope
            .log
            .error(format!("{}: command not found", shell.program()));
        return Ok(Effects::of(Outcome::Failure));
    };
    let path = format!("{}/{unique}{}", paths::TEMP, shell.extension);
    let command = Command {
        needs: Vec::new(),
        argv: shell.argv(&path),
        directory: script.directory.clone(),
        files: vec![FileSpec {
            path,
            content: shell.wrap(&script.text).into_bytes(),
            mode: 0o644,
        }],
        says_exit: true,
    };
    process::run(scope, command, process).await
}

/// The runner's own lines before a script's output.
fn announce(scope: &Scope<'_>, script: &Script, shell: &FoundShell) {
    let log = &scope.log;
    let text = script.text.replace("\r\n", "\n");
    let begun = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let first = begun.split(['\r', '\n']).next().unwrap_or_default();
    log.line(LogLine::Group, &format!("Run {first}"));
    for line in text.trim_end_matches('\n').split('\n') {
        log.line(LogLine::Script, line);
    }
    log.runner(format!("shell: {}", shell.shown));
    for line in &script.env {
        log.runner_lines(line);
    }
    log.line(LogLine::EndGroup, "");
}

impl Shell {
    /// None for an option that is neither built in nor has a place for the script.
    fn parse(option: Option<&str>) -> Option<Self> {
        let built_in = |command: &str, extension| {
            Some(Self {
                command: words(command),
                extension,
                shown: command.to_owned(),
                or: None,
            })
        };
        match option.map(str::trim) {
            // A hosted image always has bash; without pipefail (ScriptHandlerHelpers).
            None | Some("") => Some(Self {
                or: Some("sh"),
                ..built_in("bash -e {0}", ".sh")?
            }),
            Some("bash") => built_in("bash --noprofile --norc -e -o pipefail {0}", ".sh"),
            Some("sh") => built_in("sh -e {0}", ".sh"),
            Some("python") => built_in("python {0}", ".py"),
            Some(shell @ ("pwsh" | "powershell")) => Some(Self {
                command: vec![
                    shell.to_owned(),
                    "-command".to_owned(),
                    ". '{0}'".to_owned(),
                ],
                extension: ".ps1",
                shown: format!("{shell} -command \". '{{0}}'\""),
                or: None,
            }),
            Some(format) if format.contains("{0}") => {
                let (program, _) = format.split_once(' ').unwrap_or((format, ""));
                Some(Self {
                    extension: extension(program),
                    command: words(format),
                    shown: format.to_owned(),
                    or: None,
                })
            }
            Some(_) => None,
        }
    }

    fn program(&self) -> &str {
        self.command.first().map_or("", String::as_str)
    }

    /// Looks for it on the PATH of a step's process.
    async fn find(
        &self,
        scope: &Scope<'_>,
        process: &ProcessContext,
    ) -> Result<FoundShell, AgentError> {
        let path = process.env.iter().find(|(name, _)| name == "PATH");
        let directories: Vec<&str> = path.map_or("", |(_, path)| path).split(':').collect();
        let programs: Vec<&str> = std::iter::once(self.program()).chain(self.or).collect();
        let candidates: Vec<(&str, String)> = programs
            .iter()
            .flat_map(|program| {
                let places = directories.iter().filter(|place| place.starts_with('/'));
                let at = |place: &&str| format!("{}/{program}", place.trim_end_matches('/'));
                let paths: Vec<String> = match program.contains('/') {
                    // Named by its path, from the working directory: whoever starts it knows.
                    true => Vec::new(),
                    false => places.map(at).collect(),
                };
                paths.into_iter().map(move |path| (*program, path))
            })
            .collect();
        if self.program().contains('/') {
            return Ok(FoundShell {
                shell: Some(self.clone()),
                shown: self.shown.clone(),
            });
        }
        let paths = candidates.iter().map(|(_, path)| path.clone()).collect();
        let answers = scope.place.agent.exists(paths).await?;
        let mut found = candidates.iter().zip(answers);
        let Some(((program, path), _)) = found.find(|(_, is_there)| *is_there) else {
            return Ok(FoundShell {
                shell: None,
                shown: self.shown.clone(),
            });
        };
        let mut shell = self.clone();
        shell.command[0] = (*program).to_owned();
        let arguments = self.shown.strip_prefix(self.program()).unwrap_or_default();
        Ok(FoundShell {
            shown: format!("{path}{arguments}"),
            shell: Some(shell),
        })
    }

    fn argv(&self, script: &str) -> Vec<String> {
        let place = |part: &String| part.replace("{0}", script);
        self.command.iter().map(place).collect()
    }

    /// PowerShell needs to be told to stop at errors and to hand on the last exit code.
    fn wrap(&self, text: &str) -> String {
        if self.extension != ".ps1" {
            return text.to_owned();
        }
        format!(
            "$ErrorActionPreference = 'stop'\n{text}\n\
             if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) {{ exit $LASTEXITCODE }}"
        )
    }
}

/// The words of a command line: blanks part them, double quotes keep them together and are
/// taken away (.NET's `ProcessStartInfo.Arguments`).
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut begun) = (false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, begun) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if std::mem::take(&mut begun) {
                    words.push(String::new());
                }
            }
            c => {
                begun = true;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    if !begun {
        words.pop();
    }
    words
}

fn extension(program: &str) -> &'static str {
    match program {
        "bash" | "sh" => ".sh",
        "python" => ".py",
        "pwsh" | "powershell" => ".ps1",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(option: Option<&str>) -> Vec<String> {
        Shell::parse(option).expect("a shell").argv("/t/x")
    }

    #[test]
    fn only_an_explicit_bash_has_pipefail() {
        assert_eq!(argv(None), ["bash", "-e", "/t/x"]);
        assert_eq!(
            argv(Some("bash")),
            [
                "bash",
                "--noprofile",
                "--norc",
                "-e",
                "-o",
                "pipefail",
                "/t/x"
            ]
        );
    }

    #[test]
    fn a_format_string_is_split_and_filled() {
        assert_eq!(argv(Some("bash -l {0}")), ["bash", "-l", "/t/x"]);
        assert_eq!(argv(Some("perl {0}")), ["perl", "/t/x"]);
        assert!(Shell::parse(Some("perl")).is_none());
        assert_eq!(
            argv(Some("script -q  -c \"bash -e {0}\" ")),
            ["script", "-q", "-c", "bash -e /t/x"]
        );
    }
}
