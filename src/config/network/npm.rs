//! npm: the global `npmrc` (npm documentation, "npmrc" and "config").

use std::fmt::Write as _;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::carrier::Carrier;
use super::ini;

/// npm's global file is `PREFIX/etc/npmrc`; Debian's npm reads the last of these.
pub(super) const FILES: [&str; 3] = ["/usr/etc/npmrc", "/usr/local/etc/npmrc", "/etc/npmrc"];

const KEYS: [&str; 13] = [
    "registry",
    "proxy",
    "http-proxy",
    "https-proxy",
    "noproxy",
    "cafile",
    "ca",
    "strict-ssl",
    "fetch-retries",
    "fetch-retry-factor",
    "fetch-retry-mintimeout",
    "fetch-retry-maxtimeout",
    "fetch-timeout",
];

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    let mut settings: IndexMap<String, Vec<String>> = IndexMap::new();
    for path in files(carrier) {
        let text = carrier.read(path).unwrap_or_default();
        let mut of_this_file: IndexMap<String, Vec<String>> = IndexMap::new();
        for entry in ini::entries(&text) {
            if is_network(entry.key.trim_end_matches("[]")) {
                of_this_file.entry(entry.key).or_default().push(entry.value);
            }
        }
        settings.extend(of_this_file);
    }
    for (name, value) in carrier.environment().iter() {
        if let Some(key) = key_of_variable(name)
            && is_network(&key)
        {
            settings.insert(key, vec![value.to_owned()]);
        }
    }
    let mut content = String::new();
    for (key, values) in settings {
        for value in values {
            if let Some(value) = for_the_job(carrier, &key, &value) {
                // Writing to a string cannot fail.
                let _ = writeln!(content, "{key}={value}");
            }
        }
    }
    if !content.is_empty() {
        carrier.file("npm", &FILES, &content);
    }
}

/// The files npm reads, the strongest last. Which of the global ones it reads depends on the
/// node it belongs to; they hardly ever exist side by side.
fn files(carrier: &Carrier<'_>) -> Vec<PathBuf> {
    let user = match carrier.environment().get("NPM_CONFIG_USERCONFIG") {
        Some(path) => Some(PathBuf::from(path)),
        None => carrier.at_home(".npmrc"),
    };
    FILES.iter().map(PathBuf::from).chain(user).collect()
}

/// `npm_config_https_proxy`, in any letter case, is `https-proxy`.
fn key_of_variable(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    Some(name.strip_prefix("npm_config_")?.replace('_', "-"))
}

fn is_network(key: &str) -> bool {
    KEYS.contains(&key) || (key.starts_with('@') && key.ends_with(":registry"))
}

fn for_the_job(carrier: &mut Carrier<'_>, key: &str, value: &str) -> Option<String> {
    let value = expand(carrier, value)?;
    match key {
        "cafile" => carrier.certificate(value.trim_matches('"')),
        _ => Some(carrier.public(&format!("npm {key}"), &value)),
    }
}

/// `${NAME}` in a value is a variable; a value that names one which is not set is not used.
fn expand(carrier: &Carrier<'_>, value: &str) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}')?;
        expanded.push_str(before);
        expanded.push_str(carrier.environment().get(name)?);
        rest = after;
    }
    expanded.push_str(rest);
    Some(expanded)
}
