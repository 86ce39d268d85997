//! `[environments.NAME]` with `vars` and `secrets`, and both at the top for every job.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::table::{Owner, Table, Value};
use crate::config::settings::Setting;
use crate::config::value_name::value_name;

/// Variables and secrets, of every job and of those of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environments {
    /// Of every job: the repository's.
    pub of_repository: Named,
    /// By the environment's name in lower case: GitHub's are the same in any case.
    pub by_name: IndexMap<String, Named>,
}

/// Variables and secrets by their names in upper case, as GitHub keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Configuration variables.
    pub vars: IndexMap<String, Setting<String>>,
    /// Where secrets are found.
    pub secrets: IndexMap<String, Setting<SecretSource>>,
}

/// Where the value of a secret is.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the file itself. Never printed.
    Plain {
        /// The value.
        value: String,
        /// Whether the file is the repository's, for all to read.
        is_public: bool,
    },
    /// In a variable of the user's environment.
    Variable(String),
    /// In a file of the user's, named from the folder of `lrun.toml`; the line end at its end is no
    /// part of it.
    File(PathBuf),
    /// In another secret that the run is given.
    Secret(String),
}

impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain { .. } => f.write_str("Plain"),
            Self::Variable(name) => write!(f, "Variable({name})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Secret(name) => write!(f, "Secret({name})"),
        }
    }
}

const SOURCES: &str = r#"a string, { env = "VARIABLE" }, { file = "PATH" } or { secret = "NAME" }"#;

impl Environments {
    /// The environment's, if any file has it.
    pub fn named(&self, name: &str) -> Option<&Named> {
        self.by_name.get(&name.to_lowercase())
    }

    pub(super) fn take(&mut self, whole: &mut Table<'_>) {
        self.of_repository.take(whole);
        whole.tables("environments", |name, table| {
            self.by_name
                .entry(name.to_lowercase())
                .or_default()
                .take(table);
        });
    }
}

impl Named {
    fn take(&mut self, table: &mut Table<'_>) {
        let vars = table.values("vars", |name, value| {
            value_name(name)?;
            let text = value.text().map(str::to_owned);
            text.ok_or_else(|| format!("variable `{name}` has to be a string"))
        });
        let upper = |(name, value): (String, _)| (name.to_uppercase(), value);
        self.vars.extend(vars.into_iter().map(upper));
        let owner = table.owner();
        let folder = table.folder().to_owned();
        let secrets = table.values("secrets", |name, value| secret(owner, &folder, name, value));
        let upper = |(name, value): (String, _)| (name.to_uppercase(), value);
        self.secrets.extend(secrets.into_iter().map(upper));
    }
}

fn secret(
    owner: Owner,
    folder: &Path,
    name: &str,
    value: Value<'_>,
) -> Result<SecretSource, String> {
    value_name(name)?;
    if owner == Owner::User {
        return Err(format!(
            "secret `{name}` would reach the jobs of every repository that you run; write it under [repository.\"OWNER/NAME\".secrets] or [repository.\"OWNER/NAME\".environments.ENVIRONMENT.secrets]"
        ));
    }
    let source = match (value.text(), value.only()) {
        (Some(text), _) => SecretSource::Plain {
            value: text.to_owned(),
            is_public: owner == Owner::Repository,
        },
        (None, Some(("secret", name))) => SecretSource::Secret(name.to_uppercase()),
        (None, Some(("env", name))) => SecretSource::Variable(name.to_owned()),
        (None, Some(("file", path))) => SecretSource::File(folder.join(path)),
        _ => return Err(format!("secret `{name}` has to be {SOURCES}")),
    };
    let is_of_user = matches!(source, SecretSource::Variable(_) | SecretSource::File(_));
    match is_of_user && owner == Owner::Repository {
        true => Err(format!(
            "secret `{name}`: `env` and `file` are only taken from your own file (lrun/lrun.toml in XDG_CONFIG_HOME or ~/.config, under [repository.\"OWNER/NAME\"]), not from a repository's: they could hand what is yours to its jobs; {{ secret = \"NAME\" }} names one that you give with --secret"
        )),
        false => Ok(source),
    }
}
