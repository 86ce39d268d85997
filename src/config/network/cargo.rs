//! cargo: `/.cargo/config.toml`, which cargo finds as a parent of every working directory
//! (The Cargo Book, "Configuration").

use toml::{Table, Value};

use super::carrier::Carrier;

pub(super) const FILE: &str = "/.cargo/config.toml";

const HTTP: [&str; 8] = [
    "proxy",
    "cainfo",
    "proxy-cainfo",
    "timeout",
    "check-revoke",
    "ssl-version",
    "low-speed-limit",
    "multiplexing",
];
const NET: [&str; 2] = ["retry", "git-fetch-with-cli"];
const REGISTRY: [&str; 2] = ["index", "protocol"];
const SOURCE: [&str; 8] = [
    "replace-with",
    "registry",
    "local-registry",
    "directory",
    "git",
    "branch",
    "tag",
    "rev",
];

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    let mut network = Table::new();
    let files = [
        Some(FILE.into()),
        carrier.below("CARGO_HOME", ".cargo", "config"),
        carrier.below("CARGO_HOME", ".cargo", "config.toml"),
    ];
    for path in files.into_iter().flatten() {
        // A file that cargo itself would refuse carries nothing.
        let table: Table = carrier
            .read(path)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        merge(&mut network, &of_network(carrier, &table));
    }
    add_variables(carrier, &mut network);
    if !network.is_empty() {
        carrier.file("cargo", &[FILE], &network.to_string());
    }
}

fn of_network(carrier: &mut Carrier<'_>, config: &Table) -> Table {
    let mut network = Table::new();
    for (name, keys) in [("http", &HTTP[..]), ("net", &NET), ("registry", &REGISTRY)] {
        if let Some(Value::Table(table)) = config.get(name) {
            insert(&mut network, name, chosen(carrier, name, table, keys));
        }
    }
    for (name, keys) in [("registries", &REGISTRY[..]), ("source", &SOURCE)] {
        let Some(Value::Table(tables)) = config.get(name) else {
            continue;
        };
        let mut kept = Table::new();
        for (inner, table) in tables {
            if let Value::Table(table) = table {
                let path = format!("{name}.{inner}");
                insert(&mut kept, inner, chosen(carrier, &path, table, keys));
            }
        }
        insert(&mut network, name, kept);
    }
    network
}

fn insert(into: &mut Table, name: &str, table: Table) {
    if !table.is_empty() {
        into.insert(name.to_owned(), Value::Table(table));
    }
}

fn chosen(carrier: &mut Carrier<'_>, path: &str, table: &Table, keys: &[&str]) -> Table {
    table
        .iter()
        .filter(|(key, _)| keys.contains(&key.as_str()))
        .filter_map(|(key, value)| {
            let value = for_the_job(carrier, path, key, value)?;
            Some((key.clone(), value))
        })
        .collect()
}

fn for_the_job(carrier: &mut Carrier<'_>, path: &str, key: &str, value: &Value) -> Option<Value> {
    let Value::String(text) = value else {
        return Some(value.clone());
    };
    let text = match key {
        "cainfo" | "proxy-cainfo" => carrier.certificate(text)?,
        _ => carrier.public(&format!("cargo {path}.{key}"), text),
    };
    Some(Value::String(text))
}

fn merge(into: &mut Table, stronger: &Table) {
    for (key, value) in stronger {
        match (into.get_mut(key), value) {
            (Some(Value::Table(known)), Value::Table(table)) => merge(known, table),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

/// `CARGO_HTTP_PROXY`, `CARGO_NET_RETRY`, `CARGO_REGISTRIES_NAME_INDEX`. A registry's name is
/// taken to be in lower case with dashes, as the variable does not tell them from underscores.
fn add_variables(carrier: &mut Carrier<'_>, network: &mut Table) {
    for (name, value) in carrier.environment().iter() {
        let Some((table, inner, key)) = place_of_variable(name) else {
            continue;
        };
        let mut setting = Table::new();
        setting.insert(key, typed(value));
        if let Some(inner) = inner {
            setting = Table::from_iter([(inner, Value::Table(setting))]);
        }
        let config = Table::from_iter([(table.to_owned(), Value::Table(setting))]);
        merge(network, &of_network(carrier, &config));
    }
}

fn place_of_variable(name: &str) -> Option<(&'static str, Option<String>, String)> {
    let name = name.strip_prefix("CARGO_")?;
    let as_key = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    if let Some(key) = name.strip_prefix("HTTP_") {
        return Some(("http", None, as_key(key)));
    }
    if let Some(key) = name.strip_prefix("NET_") {
        return Some(("net", None, as_key(key)));
    }
    let (registry, key) = name.strip_prefix("REGISTRIES_")?.rsplit_once('_')?;
    Some(("registries", Some(as_key(registry)), as_key(key)))
}

fn typed(text: &str) -> Value {
    if let Ok(number) = text.parse() {
        Value::Integer(number)
    } else if let Ok(truth) = text.parse() {
        Value::Boolean(truth)
    } else {
        Value::String(text.to_owned())
    }
}
