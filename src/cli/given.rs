//! `--input`, `--env`, `--secret`, `--var` and their files.

use std::path::Path;

use indexmap::IndexMap;

use super::args::GivenArguments;
use super::failure::Failure;
use crate::config::Named;

/// What the user gave a run, as texts.
#[derive(Debug, Default)]
pub(super) struct GivenTexts {
    pub(super) inputs: IndexMap<String, String>,
    pub(super) env: IndexMap<String, String>,
    pub(super) secrets: IndexMap<String, String>,
    pub(super) vars: IndexMap<String, String>,
}

impl GivenTexts {
    /// Takes what `lrun.toml` says and nobody gave.
    pub(super) fn be_over(&mut self, configured: &Named) {
        for (name, setting) in &configured.vars {
            let given = self.vars.entry(name.clone());
            given.or_insert_with(|| setting.value.clone());
        }
    }
}

/// Reads what was given; what is named on the command line goes over what a file says.
pub(super) fn read(given: &GivenArguments) -> Result<GivenTexts, Failure> {
    Ok(GivenTexts {
        inputs: pairs("--input", &given.input)?,
        env: merged("--env", given.env_file.as_deref(), &given.env)?,
        secrets: merged("--secret", given.secret_file.as_deref(), &given.secret)?,
        vars: merged("--var", given.var_file.as_deref(), &given.var)?,
    })
}

fn merged(
    option: &str,
    file: Option<&Path>,
    named: &[String],
) -> Result<IndexMap<String, String>, Failure> {
    let mut all = match file {
        Some(file) => dotenv(file)?,
        None => IndexMap::new(),
    };
    all.extend(pairs(option, named)?);
    Ok(all)
}

fn pairs(option: &str, texts: &[String]) -> Result<IndexMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::usage(format!("{option} {text} is not NAME=VALUE"))),
    };
    texts.iter().map(pair).collect()
}

/// `NAME=VALUE` lines; empty lines and lines that start with `#` are passed over, and one pair
/// of quotes around a value is taken off.
fn dotenv(file: &Path) -> Result<IndexMap<String, String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    let lines = text.lines().map(str::trim).enumerate();
    let wanted = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    wanted
        .map(|(index, line)| {
            let line = line.strip_prefix("export ").unwrap_or(line);
            let (name, value) = line.split_once('=').ok_or_else(|| {
                Failure::usage(format!(
                    "{}:{}: '{line}' is not NAME=VALUE",
                    file.display(),
                    index + 1
                ))
            })?;
            Ok((name.trim().to_owned(), unquoted(value.trim()).to_owned()))
        })
        .collect()
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}
