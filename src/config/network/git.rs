//! git: `/etc/gitconfig`, with `http.*` and `url.*` lines alone (git-config(1)).

use std::fmt::Write as _;
use std::path::PathBuf;

use super::carrier::Carrier;

pub(super) const FILE: &str = "/etc/gitconfig";

const HTTP: [&str; 8] = [
    "proxy",
    "proxysslcainfo",
    "sslcainfo",
    "sslcapath",
    "sslverify",
    "sslversion",
    "lowspeedlimit",
    "lowspeedtime",
];
const URL: [&str; 2] = ["insteadof", "pushinsteadof"];

/// One line of a git configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    /// In lower case.
    section: String,
    /// What is in quotes behind it.
    subsection: Option<String>,
    /// In lower case.
    key: String,
    value: String,
}

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    let mut kept: Vec<Variable> = Vec::new();
    for path in files(carrier) {
        let text = carrier.read(path).unwrap_or_default();
        kept.extend(
            variables(&text)
                .into_iter()
                .filter_map(|variable| for_the_job(carrier, variable)),
        );
    }
    for (variable, key) in [
        ("GIT_SSL_CAINFO", "sslcainfo"),
        ("GIT_SSL_CAPATH", "sslcapath"),
    ] {
        if let Some(value) = carrier.environment().get(variable) {
            let setting = Variable {
                section: "http".to_owned(),
                subsection: None,
                key: key.to_owned(),
                value: value.to_owned(),
            };
            kept.extend(for_the_job(carrier, setting));
        }
    }
    if !kept.is_empty() {
        carrier.file("git", &[FILE], &render(&kept));
    }
}

/// The files git reads, the strongest last.
fn files(carrier: &Carrier<'_>) -> Vec<PathBuf> {
    let environment = carrier.environment();
    let system = environment.get("GIT_CONFIG_SYSTEM").unwrap_or(FILE);
    let mut files = vec![PathBuf::from(system)];
    match environment.get("GIT_CONFIG_GLOBAL") {
        Some(path) => files.push(PathBuf::from(path)),
        None => {
            files.extend(carrier.below("XDG_CONFIG_HOME", ".config", "git/config"));
            files.extend(carrier.at_home(".gitconfig"));
        }
    }
    files
}

fn for_the_job(carrier: &mut Carrier<'_>, mut variable: Variable) -> Option<Variable> {
    match (variable.section.as_str(), variable.key.as_str()) {
        ("http", "sslcainfo" | "proxysslcainfo") => {
            variable.value = carrier.certificate(&variable.value)?;
        }
        ("http", key) if HTTP.contains(&key) => {
            let setting = format!("git http.{key}");
            variable.value = carrier.public(&setting, &variable.value);
        }
        ("url", key) if URL.contains(&key) => {
            let base = variable.subsection.as_deref()?;
            // Rewriting to a URL with a password, or to ssh, is how a user logs in. Without the
            // login it would only break what works on GitHub.
            if !base.starts_with("http") || carrier.public("git url.insteadOf", base) != base {
                return None;
            }
        }
        _ => return None,
    }
    Some(variable)
}

fn variables(text: &str) -> Vec<Variable> {
    let mut section = (String::new(), None);
    let mut variables = Vec::new();
    for line in text.replace("\\\n", "").lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some((name, rest)) = line.strip_prefix('[').and_then(|l| l.rsplit_once(']')) {
            section = section_of(name);
            if rest.trim().is_empty() {
                continue;
            }
        }
        let (key, value) = line.split_once('=').unwrap_or((line, "true"));
        variables.push(Variable {
            section: section.0.clone(),
            subsection: section.1.clone(),
            key: key.trim().to_ascii_lowercase(),
            value: unquote(value.trim()),
        });
    }
    variables
}

fn section_of(header: &str) -> (String, Option<String>) {
    match header.split_once(char::is_whitespace) {
        Some((name, subsection)) => {
            let subsection = subsection.trim().trim_matches('"').replace("\\\"", "\"");
            (
                name.to_ascii_lowercase(),
                Some(subsection.replace("\\\\", "\\")),
            )
        }
        None => (header.to_ascii_lowercase(), None),
    }
}

/// The value without quotes and without a comment behind it.
fn unquote(value: &str) -> String {
    let mut plain = String::new();
    let mut in_quotes = false;
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\\' => plain.extend(characters.next()),
            '#' | ';' if !in_quotes => break,
            c => plain.push(c),
        }
    }
    plain.trim_end().to_owned()
}

fn render(variables: &[Variable]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = String::new();
    for variable in variables {
        // Writing to a string cannot fail.
        let _ = match &variable.subsection {
            Some(name) => writeln!(text, "[{} \"{}\"]", variable.section, quoted(name)),
            None => writeln!(text, "[{}]", variable.section),
        };
        let _ = writeln!(text, "\t{} = \"{}\"", variable.key, quoted(&variable.value));
    }
    text
}
