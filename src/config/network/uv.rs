//! uv: `/etc/uv/uv.toml` (uv documentation, "Settings" and "Environment variables").

use std::path::PathBuf;

use toml::{Table, Value};

use super::carrier::Carrier;

pub(super) const FILE: &str = "/etc/uv/uv.toml";

const KEYS: [&str; 10] = [
    "index",
    "index-url",
    "extra-index-url",
    "no-index",
    "find-links",
    "native-tls",
    "allow-insecure-host",
    "python-install-mirror",
    "pypy-install-mirror",
    "python-downloads-json-url",
];

/// Variables and the keys they stand for; whether a value is a list.
const VARIABLES: [(&str, &str, bool); 10] = [
    ("UV_INDEX_URL", "index-url", false),
    ("UV_DEFAULT_INDEX", "index-url", false),
    ("UV_EXTRA_INDEX_URL", "extra-index-url", true),
    ("UV_INDEX", "extra-index-url", true),
    ("UV_FIND_LINKS", "find-links", true),
    ("UV_INSECURE_HOST", "allow-insecure-host", true),
    ("UV_NATIVE_TLS", "native-tls", false),
    ("UV_PYTHON_INSTALL_MIRROR", "python-install-mirror", false),
    ("UV_PYPY_INSTALL_MIRROR", "pypy-install-mirror", false),
    (
        "UV_PYTHON_DOWNLOADS_JSON_URL",
        "python-downloads-json-url",
        false,
    ),
];

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    let mut settings = Table::new();
    for path in files(carrier) {
        // A file that uv itself would refuse carries nothing.
        let table: Table = carrier
            .read(path)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        settings.extend(
            table
                .into_iter()
                .filter(|(key, _)| KEYS.contains(&key.as_str())),
        );
    }
    for (variable, key, is_list) in VARIABLES {
        if let Some(value) = carrier.environment().get(variable) {
            settings.insert(key.to_owned(), typed(key, value, is_list));
        }
    }
    // Roots of one's own reach uv through the machine's store, which it reads only when told.
    if carrier.environment().get("SSL_CERT_FILE").is_some() {
        settings.entry("native-tls").or_insert(Value::Boolean(true));
    }
    for (key, value) in settings.iter_mut() {
        make_public(carrier, key, value);
    }
    if !settings.is_empty() {
        carrier.file("uv", &[FILE], &settings.to_string());
    }
}

/// The files uv reads, the strongest last.
fn files(carrier: &Carrier<'_>) -> Vec<PathBuf> {
    if let Some(only) = carrier.environment().get("UV_CONFIG_FILE") {
        return vec![PathBuf::from(only)];
    }
    [
        Some(PathBuf::from("/etc/xdg/uv/uv.toml")),
        Some(PathBuf::from(FILE)),
        carrier.below("XDG_CONFIG_HOME", ".config", "uv/uv.toml"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn typed(key: &str, value: &str, is_list: bool) -> Value {
    if key == "native-tls" {
        return Value::Boolean(matches!(value, "1" | "true"));
    }
    // An index of a variable may be written as NAME=URL.
    let url = |item: &str| match item.split_once('=') {
        Some((name, url)) if !name.contains(['/', ':']) => Value::String(url.to_owned()),
        _ => Value::String(item.to_owned()),
    };
    if is_list {
        let items = value.split([' ', ',']).filter(|item| !item.is_empty());
        Value::Array(items.map(url).collect())
    } else {
        url(value)
    }
}

fn make_public(carrier: &mut Carrier<'_>, key: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = carrier.public(&format!("uv {key}"), text),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| make_public(carrier, key, item)),
        Value::Table(table) => table
            .iter_mut()
            .for_each(|(_, item)| make_public(carrier, key, item)),
        _ => {}
    }
}
