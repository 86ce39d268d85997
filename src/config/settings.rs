//! What lrun itself is set to, and where each value comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::source::Position;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// An environment variable.
    Variable(&'static str),
    /// An argument of this invocation.
    Argument(&'static str),
    /// A place in a file.
    File {
        /// The file, as it is shown.
        path: String,
        /// The place.
        position: Position,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Argument(name) => write!(f, "--{name}"),
            Self::File { path, position } => {
                write!(f, "{path}:{}:{}", position.line, position.column)
            }
        }
    }
}

/// A value that knows where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value and its origin.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// Settings that nobody can be asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no directory the store could go to.
    #[error(
        "no place for the store: HOME is not set; set LRUN_STORE to a directory that lrun may use"
    )]
    NoStore,
    /// A variable has a value that cannot be meant.
    #[error("{variable} is '{value}', which is not an absolute path")]
    NotAbsolute {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
}

/// What lrun is set to. Arguments go over it in `cli`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The store's directory: `LRUN_STORE`, else `XDG_CACHE_HOME/lrun`, else `~/.cache/lrun`.
    /// Absolute; need not exist.
    pub store: Setting<PathBuf>,
    /// Whether output may be coloured at all: no once `NO_COLOR` has any value (no-color.org).
    pub color: Setting<bool>,
    /// The user's home directory, absolute; none when `HOME` does not say.
    pub home: Option<PathBuf>,
    /// The whole environment lrun was started with.
    pub environment: Environment,
}

impl Settings {
    /// The settings of this process.
    pub fn of_process() -> Result<Self, ConfigError> {
        Self::new(Environment::of_process())
    }

    /// Where the user's configuration files are: `XDG_CONFIG_HOME`, else `~/.config`. Absolute;
    /// none where neither is known.
    pub fn config_home(&self) -> Option<PathBuf> {
        let named = absolute(&self.environment, "XDG_CONFIG_HOME");
        named.or_else(|| Some(self.home.as_ref()?.join(".config")))
    }

    /// The settings that follow from an environment.
    pub fn new(environment: Environment) -> Result<Self, ConfigError> {
        let home = absolute(&environment, "HOME");
        let color = match environment.get("NO_COLOR") {
            Some(_) => Setting::new(false, Origin::Variable("NO_COLOR")),
            None => Setting::new(true, Origin::Default),
        };
        Ok(Self {
            store: store(&environment, home.as_deref())?,
            color,
            home,
            environment,
        })
    }
}

fn store(environment: &Environment, home: Option<&Path>) -> Result<Setting<PathBuf>, ConfigError> {
    const STORE: &str = "LRUN_STORE";
    if let Some(value) = environment.get(STORE) {
        return match absolute(environment, STORE) {
            Some(path) => Ok(Setting::new(path, Origin::Variable(STORE))),
            None => Err(ConfigError::NotAbsolute {
                variable: STORE,
                value: value.to_owned(),
            }),
        };
    }
    // XDG Base Directory Specification: a relative path in such a variable is to be ignored.
    if let Some(cache) = absolute(environment, "XDG_CACHE_HOME") {
        return Ok(Setting::new(
            cache.join("lrun"),
            Origin::Variable("XDG_CACHE_HOME"),
        ));
    }
    let home = home.ok_or(ConfigError::NoStore)?;
    Ok(Setting::new(home.join(".cache/lrun"), Origin::Default))
}

fn absolute(environment: &Environment, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(environment.get(name)?);
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_of(variables: &[(&str, &str)]) -> Result<(String, String), ConfigError> {
        let settings = Settings::new(variables.iter().copied().collect())?;
        Ok((
            settings.store.value.display().to_string(),
            settings.store.origin.to_string(),
        ))
    }

    #[test]
    fn the_store_is_where_the_most_special_variable_says() {
        let home = ("HOME", "/h");
        let cache = ("XDG_CACHE_HOME", "/c");
        let own = ("LRUN_STORE", "/s");
        let is = |path: &str, origin: &str| Ok((path.to_owned(), origin.to_owned()));
        assert_eq!(store_of(&[home]), is("/h/.cache/lrun", "default"));
        assert_eq!(store_of(&[home, cache]), is("/c/lrun", "$XDG_CACHE_HOME"));
        assert_eq!(store_of(&[home, cache, own]), is("/s", "$LRUN_STORE"));
    }

    #[test]
    fn relative_cache_homes_are_ignored_and_relative_stores_refused() {
        let home = ("HOME", "/h");
        assert_eq!(
            store_of(&[home, ("XDG_CACHE_HOME", "c")]).map(|(path, _)| path),
            Ok("/h/.cache/lrun".to_owned())
        );
        assert_eq!(
            store_of(&[home, ("LRUN_STORE", "s")]),
            Err(ConfigError::NotAbsolute {
                variable: "LRUN_STORE",
                value: "s".to_owned()
            })
        );
    }

    #[test]
    fn without_a_home_the_store_must_be_named() {
        assert_eq!(store_of(&[("HOME", "")]), Err(ConfigError::NoStore));
        assert!(store_of(&[("LRUN_STORE", "/s")]).is_ok());
    }

    #[test]
    fn colour_is_off_once_no_color_has_a_value() {
        let color = |value| {
            Settings::new([("HOME", "/h"), ("NO_COLOR", value)].into_iter().collect())
                .expect("HOME is set")
                .color
                .value
        };
        assert!(color(""));
        assert!(!color("0"));
    }
}
