//! `.actrc`: one argument of act a line, `--name value` or `--name=value`.
//!
//! Only what names values for jobs means the same here. A repository's file may not reach what is the
//! user's: a secret without a value, which would come from the environment, and files outside of the
//! repository are left out. The user's file gives no secrets: they would reach the jobs of every
//! repository.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::inside::inside;

/// What a file says, in act's words; files are absolute or from the folder lrun was started in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actrc {
    /// `-s NAME=VALUE`
    pub secrets: Vec<String>,
    /// `--var NAME=VALUE`
    pub vars: Vec<String>,
    /// `--env NAME=VALUE`
    pub env: Vec<String>,
    /// `--input NAME=VALUE`
    pub inputs: Vec<String>,
    /// `--secret-file`
    pub secret_file: Option<PathBuf>,
    /// `--var-file`
    pub var_file: Option<PathBuf>,
    /// `--env-file`
    pub env_file: Option<PathBuf>,
    /// `--input-file`
    pub input_file: Option<PathBuf>,
    /// What is not taken: its line, its option without a value, and why.
    pub left_out: Vec<(usize, String, String)>,
}

/// Who wrote such a file.
#[derive(Debug, Clone, Copy)]
pub enum ActrcOf<'a> {
    /// The user: variables of the environment are put in, as act does.
    User(&'a Environment),
    /// A repository with this root.
    Repository(&'a Path),
}

impl Actrc {
    /// Reads such a file.
    pub fn parse(text: &str, of: ActrcOf<'_>) -> Self {
        let mut all = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (option, value) = match line.split_once([' ', '\t', '=']) {
                Some((option, value)) => (option, value.trim()),
                None => (line, ""),
            };
            if let Err(why) = all.take(option, value, of) {
                all.left_out.push((index + 1, option.to_owned(), why));
            }
        }
        all
    }

    fn take(&mut self, option: &str, value: &str, of: ActrcOf<'_>) -> Result<(), String> {
        let value = match of {
            ActrcOf::User(environment) => expanded(value, environment),
            ActrcOf::Repository(_) => value.to_owned(),
        };
        match option {
            "-s" | "--secret" => self.secrets.push(secret(value, of)?),
            "--var" => self.vars.push(value),
            "--env" => self.env.push(value),
            "--input" => self.inputs.push(value),
            "--secret-file" => self.secret_file = Some(of_secrets(file(&value, of)?, of)?),
            "--var-file" => self.var_file = Some(file(&value, of)?),
            "--env-file" => self.env_file = Some(file(&value, of)?),
            "--input-file" => self.input_file = Some(file(&value, of)?),
            _ => return Err("it means nothing to lrun".to_owned()),
        }
        Ok(())
    }
}

fn secret(value: String, of: ActrcOf<'_>) -> Result<String, String> {
    match (of, value.contains('=')) {
        (ActrcOf::Repository(_), false) => Err(
            "a repository may not take a secret from your environment: name it with --secret"
                .to_owned(),
        ),
        _ => of_secrets(value, of),
    }
}

fn of_secrets<T>(value: T, of: ActrcOf<'_>) -> Result<T, String> {
    match of {
        ActrcOf::Repository(_) => Ok(value),
        ActrcOf::User(_) => Err(
            "a secret there would reach the jobs of every repository: name it with --secret, or \
             in lrun.toml for one repository"
                .to_owned(),
        ),
    }
}

fn file(value: &str, of: ActrcOf<'_>) -> Result<PathBuf, String> {
    match of {
        ActrcOf::User(_) => Ok(PathBuf::from(value)),
        ActrcOf::Repository(root) => {
            inside(root, Path::new(value)).map_err(|error| format!("cannot use the file: {error}"))
        }
    }
}

/// `$NAME` and `${NAME}` of the environment, empty where it has none (os.ExpandEnv, as act does).
fn expanded(text: &str, environment: &Environment) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, behind) = match after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some(braced) => braced,
            None => after.split_at(after.find(|c| !is_part(c)).unwrap_or(after.len())),
        };
        out.push_str(environment.get(name).unwrap_or_default());
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# act's
-P ubuntu-latest=image
-s TOKEN
--secret KEY=a b
--var=REGION=$PLACE
--env ONE=${PLACE}-1
--input dry=true
--var-file ../vars
--secret-file .secrets
";

    fn left_out(all: &Actrc) -> Vec<(usize, &str)> {
        let left_out = all.left_out.iter();
        left_out
            .map(|(line, option, _)| (*line, option.as_str()))
            .collect()
    }

    #[test]
    fn a_repository_reaches_nothing_of_the_user_s() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder
            .path()
            .canonicalize()
            .expect("it is there")
            .join("root");
        std::fs::create_dir(&root).expect("created");
        std::fs::write(root.join("../vars"), "").expect("written");
        std::fs::write(root.join(".secrets"), "").expect("written");
        let all = Actrc::parse(TEXT, ActrcOf::Repository(&root));
        assert_eq!(all.secrets, ["KEY=a b"]);
        assert_eq!(all.vars, ["REGION=$PLACE"]);
        assert_eq!(all.inputs, ["dry=true"]);
        assert_eq!(
            (all.var_file.as_ref(), all.secret_file.as_ref()),
            (None, Some(&root.join(".secrets")))
        );
        assert_eq!(left_out(&all), [(2, "-P"), (3, "-s"), (8, "--var-file")]);
    }

    #[test]
    fn the_user_s_gives_no_secret_to_every_repository() {
        let environment = [("PLACE", "here")].into_iter().collect();
        let all = Actrc::parse(TEXT, ActrcOf::User(&environment));
        assert_eq!(all.vars, ["REGION=here"]);
        assert_eq!(all.env, ["ONE=here-1"]);
        assert_eq!(all.var_file, Some(PathBuf::from("../vars")));
        assert_eq!((all.secrets.len(), all.secret_file.is_none()), (0, true));
        assert_eq!(
            left_out(&all),
            [(2, "-P"), (3, "-s"), (4, "--secret"), (9, "--secret-file")]
        );
    }
}
