//! What a run is given: `--input`, `--env`, `--secret`, `--var`, their files, `.actrc` and
//! `lrun.toml`.
//!
//! Later goes over earlier: `lrun.toml`, the user's `.actrc` and then the repository's, the files
//! `.secrets`, `.vars` and `.input` of the repository, files that are named, values that are named.
//! `.env` is read only when it is named: it is the application's, and GitHub does not read it.

use std::io;
use std::path::Path;

use indexmap::IndexMap;

use super::args::GivenArguments;
use super::failure::Failure;
use crate::config::{
    Actrc, ActrcOf, Environments, Named, SecretSource, Settings, dotenv, inside, value_name,
};
use crate::exec::GivenEnvironment;

/// Values by their names.
type Values = IndexMap<String, String>;

/// What the user gave a run, as texts. Names of secrets and variables are in upper case, as GitHub
/// keeps them.
#[derive(Debug, Default)]
pub(super) struct GivenTexts {
    pub(super) inputs: Values,
    /// Those that were not named for this run: for workflows that have such inputs.
    pub(super) usual_inputs: Values,
    pub(super) env: Values,
    pub(super) secrets: Values,
    pub(super) vars: Values,
    /// By their names in lower case.
    pub(super) environments: IndexMap<String, GivenEnvironment>,
    /// The file of secrets that was read unasked.
    pub(super) secrets_file: Option<&'static str>,
    /// What was read unasked, and what of it is not taken.
    pub(super) notes: Vec<String>,
}

impl GivenTexts {
    /// Takes all secrets away, as GitHub does in runs that get those of `source` alone. A token
    /// that only reads cannot be made of the user's, so that it goes too.
    pub(super) fn withhold_secrets(&mut self, source: &str) {
        let of_environments = self.environments.values_mut();
        let mut names: Vec<String> = std::mem::take(&mut self.secrets).into_keys().collect();
        for environment in of_environments {
            names.extend(std::mem::take(&mut environment.secrets).into_keys());
        }
        names.sort();
        names.dedup();
        if !names.is_empty() {
            let names = names.join(", ");
            let why = match source {
                "None" => "gives them to no run of a fork".to_owned(),
                source => format!("gives those of {source} alone"),
            };
            self.notes
                .push(format!("the secrets {names} are withheld: GitHub {why}"));
        }
    }
}

/// From where all of it is gathered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) given: &'a GivenArguments,
    /// The folder of the workflows.
    pub(super) root: &'a Path,
    pub(super) settings: &'a Settings,
    pub(super) configured: &'a Environments,
}

/// A file of values, and single ones.
type FileAndValues<'a> = (Option<&'a Path>, &'a [String]);

/// One kind of values.
struct Kind {
    option: &'static str,
    /// The file that is read unasked.
    usual: Option<&'static str>,
    of_actrc: fn(&Actrc) -> FileAndValues<'_>,
    of_arguments: fn(&GivenArguments) -> FileAndValues<'_>,
}

const INPUTS: Kind = Kind {
    option: "--input",
    usual: Some(".input"),
    of_actrc: |actrc| (actrc.input_file.as_deref(), &actrc.inputs),
    of_arguments: |given| (given.input_file.as_deref(), &given.input),
};
const ENV: Kind = Kind {
    option: "--env",
    usual: None,
    of_actrc: |actrc| (actrc.env_file.as_deref(), &actrc.env),
    of_arguments: |given| (given.env_file.as_deref(), &given.env),
};
const SECRETS: Kind = Kind {
    option: "--secret",
    usual: Some(".secrets"),
    of_actrc: |actrc| (actrc.secret_file.as_deref(), &actrc.secrets),
    of_arguments: |given| (given.secret_file.as_deref(), &given.secret),
};
const VARS: Kind = Kind {
    option: "--var",
    usual: Some(".vars"),
    of_actrc: |actrc| (actrc.var_file.as_deref(), &actrc.vars),
    of_arguments: |given| (given.var_file.as_deref(), &given.var),
};

/// Values of one kind.
#[derive(Default)]
struct Gathered {
    /// Of files that were read unasked.
    usual: Values,
    /// Of this command line.
    named: Values,
    /// The file that was read unasked.
    file: Option<&'static str>,
}

impl Gathered {
    /// The names as GitHub keeps those of secrets and variables.
    fn upper(self, kind: &Kind) -> Result<Self, Failure> {
        let option = kind.option;
        let upper = |values: Values| {
            let names = values.into_iter().map(|(name, value)| {
                let wrong = |why| Failure::usage(format!("{option} or its file: {why}"));
                value_name(&name).map_err(wrong)?;
                Ok((name.to_ascii_uppercase(), value))
            });
            names.collect::<Result<Values, Failure>>()
        };
        Ok(Self {
            usual: upper(self.usual)?,
            named: upper(self.named)?,
            file: self.file,
        })
    }

    fn all(self) -> Values {
        let mut all = self.usual;
        all.extend(self.named);
        all
    }
}

/// Reads what was given.
pub(super) fn read(sources: Sources<'_>) -> Result<GivenTexts, Failure> {
    let mut notes = Vec::new();
    let actrcs = actrcs(sources, &mut notes)?;
    let mut gather = |kind: &Kind| gather(kind, sources, &actrcs, &mut notes);
    let inputs = gather(&INPUTS)?;
    let env = gather(&ENV)?.all();
    let named_secrets = gather(&SECRETS)?.upper(&SECRETS)?;
    let named_vars = gather(&VARS)?.upper(&VARS)?;
    let own = &sources.configured.of_repository;
    let is_named = |name: &String| {
        named_secrets.named.contains_key(name) || named_vars.named.contains_key(name)
    };
    let mut environments = IndexMap::new();
    let given = {
        let mut given = named_secrets.usual.clone();
        given.extend(named_secrets.named.clone());
        given
    };
    let mut of_repository = resolved(own, &given, sources.settings);
    notes.append(&mut of_repository.lacking);
    notes.extend(public(own));
    let mut secrets = of_repository.secrets;
    secrets.extend(given);
    for (name, environment) in &sources.configured.by_name {
        notes.extend(public(environment));
        let mut environment = resolved(environment, &secrets, sources.settings);
        // What this command line names is meant, whatever the files say.
        environment.vars.retain(|name, _| !is_named(name));
        environment.secrets.retain(|name, _| !is_named(name));
        environments.insert(name.clone(), environment);
    }
    let mut vars = of_repository.vars;
    vars.extend(named_vars.all());
    Ok(GivenTexts {
        inputs: inputs.named,
        usual_inputs: inputs.usual,
        env,
        secrets,
        vars,
        environments,
        secrets_file: named_secrets.file,
        notes,
    })
}

/// The values of one kind.
fn gather(
    kind: &Kind,
    sources: Sources<'_>,
    actrcs: &[Actrc],
    notes: &mut Vec<String>,
) -> Result<Gathered, Failure> {
    let mut gathered = Gathered::default();
    let pair = |text: &String| pair(kind.option, text, sources.settings);
    let mut file_is_named = false;
    for (file, texts) in actrcs.iter().map(kind.of_actrc) {
        if let Some(file) = file {
            file_is_named = true;
            gathered.usual.extend(of_file(file)?);
        }
        for text in texts {
            gathered.usual.extend([pair(text)?]);
        }
    }
    let (file, texts) = (kind.of_arguments)(sources.given);
    let usual = kind.usual.filter(|_| file.is_none() && !file_is_named);
    if let Some(name) = usual {
        match inside(sources.root, Path::new(name)) {
            // A folder of that name is the application's.
            Ok(path) if !path.is_file() => {}
            Ok(path) => {
                let read = of_file(&path)?;
                let names: Vec<&str> = read.keys().map(String::as_str).collect();
                notes.push(format!("{name} is read: it has {}", names.join(", ")));
                gathered.usual.extend(read);
                gathered.file = Some(name);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::usage(format!("cannot read {name}: {error}"))),
        }
    }
    if let Some(file) = file {
        gathered.named.extend(of_file(file)?);
    }
    for text in texts {
        gathered.named.extend([pair(text)?]);
    }
    Ok(gathered)
}

/// The files of act: the user's and then the repository's.
fn actrcs(sources: Sources<'_>, notes: &mut Vec<String>) -> Result<Vec<Actrc>, Failure> {
    let Sources { root, settings, .. } = sources;
    let of_user = ActrcOf::User(&settings.environment);
    let config = settings.config_home().map(|home| home.join("act/actrc"));
    let home = settings.home.as_ref().map(|home| home.join(".actrc"));
    let users = config.into_iter().chain(home).map(|path| (path, of_user));
    let own = inside(root, Path::new(".actrc")).map(|path| (path, ActrcOf::Repository(root)));
    let mut all = Vec::new();
    for (path, of) in users.chain(own.ok()) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let actrc = Actrc::parse(&text, of);
        for (line, option, why) in &actrc.left_out {
            let path = path.display();
            notes.push(format!("{path}:{line}: {option} is left out: {why}"));
        }
        all.push(actrc);
    }
    Ok(all)
}

/// What `lrun.toml` says of an environment, with the secrets found.
fn resolved(named: &Named, given: &Values, settings: &Settings) -> GivenEnvironment {
    let mut environment = GivenEnvironment::default();
    for (name, setting) in &named.vars {
        environment.vars.insert(name.clone(), setting.value.clone());
    }
    for (name, setting) in &named.secrets {
        let found = match &setting.value {
            SecretSource::Plain { value, .. } => Ok(value.clone()),
            SecretSource::Secret(other) => {
                let value = given.get(other).cloned();
                value.ok_or_else(|| format!("there is no secret {other}"))
            }
            SecretSource::Variable(variable) => {
                let value = settings.environment.get(variable).map(str::to_owned);
                value.ok_or_else(|| format!("{variable} is not set in your environment"))
            }
            SecretSource::File(path) => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\n', '\r']).to_owned())
                .map_err(|error| format!("cannot read {}: {error}", path.display())),
        };
        match found {
            Ok(value) => {
                environment.secrets.insert(name.clone(), value);
            }
            Err(why) => {
                let origin = &setting.origin;
                let why = format!("secret {name} of {origin} has no value: {why}");
                environment.lacking.push(why);
            }
        }
    }
    environment
}

/// That a repository's file shows secrets to everybody.
fn public(named: &Named) -> Vec<String> {
    let secrets = named.secrets.iter();
    let public = secrets.filter_map(|(name, setting)| match setting.value {
        SecretSource::Plain { is_public, .. } if is_public => Some(format!(
            "{}: secret {name} stands there for everybody to read",
            setting.origin
        )),
        _ => None,
    });
    public.collect()
}

/// `NAME=VALUE`; of a secret without `=` the value of the variable of that name, as act takes it.
fn pair(option: &str, text: &str, settings: &Settings) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        None if option == SECRETS.option && !text.is_empty() => {
            let value = settings.environment.get(text).map(str::to_owned);
            let value = value.ok_or_else(|| {
                Failure::usage(format!(
                    "{option} {text} has no value, and {text} is not set in your environment: write {text}=VALUE"
                ))
            });
            Ok((text.to_owned(), value?))
        }
        // A value may be a secret.
        Some(_) => Err(Failure::usage(format!(
            "{option} has nothing before '=': write NAME=VALUE"
        ))),
        None => Err(Failure::usage(format!("{option} {text} is not NAME=VALUE"))),
    }
}

fn of_file(file: &Path) -> Result<Values, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let read = dotenv(&text);
    read.map_err(|error| Failure::usage(format!("{}:{error}", file.display())))
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", file.display()))
}
