//! pip: `/etc/pip.conf` (pip documentation, "Configuration").

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::carrier::Carrier;
use super::ini;

pub(super) const FILE: &str = "/etc/pip.conf";

const KEYS: [&str; 10] = [
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "cert",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
];

/// Key by section and name, in the order they came.
type Settings = IndexMap<(String, String), String>;

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    let mut settings = of_files(carrier);
    add_variables(&mut settings, carrier);
    let mut kept = Settings::new();
    for ((section, key), value) in settings {
        if let Some(value) = for_the_job(carrier, &key, &value) {
            kept.insert((section, key), value);
        }
    }
    if !kept.is_empty() {
        carrier.file("pip", &[FILE], &render(&kept));
    }
}

fn of_files(carrier: &Carrier<'_>) -> Settings {
    let mut settings = Settings::new();
    for path in files(carrier) {
        let text = carrier.read(path).unwrap_or_default();
        for entry in ini::entries(&text) {
            let key = entry.key.to_ascii_lowercase().replace('_', "-");
            if KEYS.contains(&key.as_str()) {
                settings.insert((entry.section, key), entry.value);
            }
        }
    }
    settings
}

/// The files pip reads, the strongest last.
fn files(carrier: &Carrier<'_>) -> Vec<PathBuf> {
    let own = carrier.environment().get("PIP_CONFIG_FILE");
    if own == Some("/dev/null") {
        return Vec::new();
    }
    [
        Some(PathBuf::from("/etc/xdg/pip/pip.conf")),
        Some(PathBuf::from(FILE)),
        carrier.at_home(".pip/pip.conf"),
        carrier.below("XDG_CONFIG_HOME", ".config", "pip/pip.conf"),
        own.map(PathBuf::from),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `PIP_INDEX_URL` and its like win over every section of every file.
fn add_variables(settings: &mut Settings, carrier: &Carrier<'_>) {
    for key in KEYS {
        let variable = format!("PIP_{}", key.to_ascii_uppercase().replace('-', "_"));
        if let Some(value) = carrier.environment().get(&variable) {
            settings.retain(|(_, known), _| known != key);
            settings.insert(("global".to_owned(), key.to_owned()), value.to_owned());
        }
    }
    // pip's HTTP library obeys these two where pip itself is not told.
    let bundle = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
        .into_iter()
        .find_map(|name| carrier.environment().get(name));
    if let Some(bundle) = bundle {
        settings
            .entry(("global".to_owned(), "cert".to_owned()))
            .or_insert_with(|| bundle.to_owned());
    }
}

fn for_the_job(carrier: &mut Carrier<'_>, key: &str, value: &str) -> Option<String> {
    match key {
        "cert" => carrier.certificate(value),
        "find-links" => {
            let reachable: Vec<_> = value
                .split_whitespace()
                .filter(|place| place.contains("://") || carrier.is_visible(Path::new(place)))
                .collect();
            let reachable = reachable.join("\n");
            (!reachable.is_empty()).then(|| carrier.public("pip find-links", &reachable))
        }
        _ => Some(carrier.public(&format!("pip {key}"), value)),
    }
}

fn render(settings: &Settings) -> String {
    let mut sections: IndexMap<&str, String> = IndexMap::new();
    for ((section, key), value) in settings {
        let value = value.trim().replace('\n', "\n    ");
        // Writing to a string cannot fail.
        let _ = writeln!(sections.entry(section).or_default(), "{key} = {value}");
    }
    sections
        .iter()
        .map(|(section, lines)| format!("[{section}]\n{lines}"))
        .collect()
}
