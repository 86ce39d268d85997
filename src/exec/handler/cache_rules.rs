//! The rules of `actions/cache` that need no store and no place: inputs, validation, the
//! result table and its quirks by version, log lines (actions/cache v3 to
//! v6 and the toolkit's `cache.ts`).

use super::{Inputs, input};
use crate::lookup::{CacheRequest, Compression, Lookup, version};
use crate::workflow::ActionRef;

/// What a cache step was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CacheInputs {
    /// `path`: lines trimmed, empty ones dropped.
    pub(super) paths: Vec<String>,
    /// `key`
    pub(super) key: String,
    /// `restore-keys`
    pub(super) restore_keys: Vec<String>,
    /// `fail-on-cache-miss`
    pub(super) fail_on_miss: bool,
    /// `lookup-only`
    pub(super) lookup_only: bool,
    /// `save-always`: deprecated, and without effect.
    pub(super) save_always: bool,
}

impl CacheInputs {
    /// Reads the inputs.
    ///
    /// # Errors
    /// GitHub's message for a required input that is missing.
    pub(super) fn read(inputs: &Inputs) -> Result<Self, String> {
        let flag = |name| input(inputs, name).eq_ignore_ascii_case("true");
        let required = |name: &str| match input(inputs, name) {
            "" => Err(format!("Input required and not supplied: {name}")),
            value => Ok(value.to_owned()),
        };
        Ok(Self {
            key: required("key")?,
            paths: lines(&required("path")?),
            restore_keys: lines(input(inputs, "restore-keys")),
            fail_on_miss: flag("fail-on-cache-miss"),
            lookup_only: flag("lookup-only"),
            save_always: flag("save-always"),
        })
    }

    /// What the action would send.
    pub(super) fn request(&self) -> CacheRequest {
        CacheRequest {
            key: self.key.clone(),
            restore_keys: self.restore_keys.clone(),
            version: version(&self.paths, Compression::Zstd),
            paths: self.paths.clone(),
        }
    }
}

/// Lines, trimmed, without empty ones; blanks behind a leading `!` are dropped too.
fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .map(|line| match line.strip_prefix('!') {
            Some(rest) => format!("!{}", rest.trim_start()),
            None => line.to_owned(),
        })
        .filter(|line| !line.is_empty())
        .collect()
}

/// What the toolkit checks before it asks the service for anything.
///
/// # Errors
/// The toolkit's `ValidationError` message.
pub(super) fn validate_restore(request: &CacheRequest) -> Result<(), String> {
    validate_paths(request)?;
    if request.restore_keys.len() + 1 > 10 {
        return Err("Key Validation Error: Keys are limited to a maximum of 10.".to_owned());
    }
    let mut keys = std::iter::once(&request.key).chain(&request.restore_keys);
    keys.try_for_each(|key| validate_key(key))
}

/// The same for a save: only the paths and the key.
///
/// # Errors
/// As [`validate_restore`].
pub(super) fn validate_save(request: &CacheRequest) -> Result<(), String> {
    validate_paths(request)?;
    validate_key(&request.key)
}

fn validate_paths(request: &CacheRequest) -> Result<(), String> {
    match request.paths.is_empty() {
        true => {
            Err("Path Validation Error: At least one directory or file path is required".to_owned())
        }
        false => Ok(()),
    }
}

/// A key's length counts UTF-16 units, as JavaScript does.
fn validate_key(key: &str) -> Result<(), String> {
    if key.encode_utf16().count() > 512 {
        return Err(format!(
            "Key Validation Error: {key} cannot be larger than 512 characters."
        ));
    }
    if key.contains(',') {
        return Err(format!(
            "Key Validation Error: {key} cannot contain commas."
        ));
    }
    Ok(())
}

/// `actions/cache` v3.3.2–v3.5.0 and v4.0.0–v4.0.1 say that they fail on a miss and then exit 0.
pub(super) fn fails_on_miss(action: &ActionRef) -> bool {
    !matches!(
        action.numbers(),
        Some((3, Some(3), Some(2..)) | (3, Some(4 | 5), _) | (4, Some(0), Some(0 | 1)))
    )
}

/// The value of `cache-hit` after a miss; none where the output is not written at all.
pub(super) fn hit_after_miss(action: &ActionRef) -> Option<&'static str> {
    match action.numbers() {
        Some((4, Some(1), Some(0))) => Some("false"),
        _ => None,
    }
}

/// The line of the toolkit that names what was found.
pub(super) fn found_line(lookup: &Lookup) -> Option<String> {
    match lookup {
        Lookup::Hit { entry } => Some(format!("Cache hit for: {}", entry.key)),
        Lookup::Partial { entry, .. } => Some(format!("Cache hit for restore-key: {}", entry.key)),
        Lookup::Miss { .. } => None,
    }
}

/// The action's line after a miss.
pub(super) fn miss_line(request: &CacheRequest) -> String {
    let mut keys = vec![request.key.as_str()];
    keys.extend(request.restore_keys.iter().map(String::as_str));
    format!("Cache not found for input keys: {}", keys.join(", "))
}

/// `~3 MB (3000822 B)`
pub(super) fn size_line(bytes: u64) -> String {
    let megabytes = (bytes as f64 / 1_048_576.0).round();
    format!("Cache Size: ~{megabytes} MB ({bytes} B)")
}

/// Whether two keys are one: letter case does not count, accents do.
pub(super) fn same_key(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Uses;

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn action(text: &str) -> ActionRef {
        match Uses::parse(text) {
            Uses::BuiltIn(action) => action,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn paths_and_keys_are_read_line_by_line() {
        let read = CacheInputs::read(&inputs(&[
            ("path", "  a \n\n!  b/c\n"),
            ("key", " k "),
            ("restore-keys", "x-\n y-"),
            ("fail-on-cache-miss", "TRUE"),
        ]))
        .expect("valid inputs");
        assert_eq!(read.paths, ["a", "!b/c"]);
        assert_eq!(read.key, "k");
        assert_eq!(read.restore_keys, ["x-", "y-"]);
        assert!(read.fail_on_miss);
        assert!(!read.lookup_only);
    }

    #[test]
    fn a_missing_input_is_named() {
        let message = CacheInputs::read(&inputs(&[("path", "a")])).unwrap_err();
        assert_eq!(message, "Input required and not supplied: key");
    }

    #[test]
    fn keys_are_limited_as_the_toolkit_limits_them() {
        let request = |key: &str, restore: usize| {
            CacheInputs {
                paths: vec!["a".to_owned()],
                key: key.to_owned(),
                restore_keys: vec!["r".to_owned(); restore],
                fail_on_miss: false,
                lookup_only: false,
                save_always: false,
            }
            .request()
        };
        assert!(validate_restore(&request("k", 9)).is_ok());
        assert!(validate_restore(&request("k", 10)).is_err());
        assert!(validate_save(&request("k", 10)).is_ok());
        assert!(validate_save(&request("a,b", 0)).is_err());
        assert!(validate_save(&request(&"é".repeat(512), 0)).is_ok());
        assert!(validate_save(&request(&"𝄞".repeat(257), 0)).is_err());
    }

    #[test]
    fn versions_with_a_forced_exit_do_not_fail_on_a_miss() {
        for (reference, fails) in [
            ("actions/cache@v3", true),
            ("actions/cache@v3.3.1", true),
            ("actions/cache@v3.3.2", false),
            ("actions/cache@v3.5.0", false),
            ("actions/cache@v4.0.1", false),
            ("actions/cache@v4.0.2", true),
            ("actions/cache@v4", true),
            ("actions/cache@main", true),
        ] {
            assert_eq!(fails_on_miss(&action(reference)), fails, "{reference}");
        }
        assert_eq!(
            hit_after_miss(&action("actions/cache@v4.1.0")),
            Some("false")
        );
        assert_eq!(hit_after_miss(&action("actions/cache@v4")), None);
    }
}
