//! `actions/setup-node` (its `main.ts`, `cache-restore.ts` and `distributions/`).

use serde_json::Value;

use super::bench::{Bench, Cache, Stop, Tool, fail};
use super::range::{Range, release};

/// Code names of long-term support, with their majors (Node.js's release schedule).
const LTS: [(&str, u64); 11] = [
    ("argon", 4),
    ("boron", 6),
    ("carbon", 8),
    ("dubnium", 10),
    ("erbium", 12),
    ("fermium", 14),
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
];

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    if let Some(spec) = version(bench).await? {
        let hosted = bench.hosted("Node.js");
        let range = range_of(&spec, &hosted)?;
        let mut tools = bench.cached("node");
        let system = bench.ask(&["node", "--version"]).await?;
        if system.succeeded && release(&system.output).is_some() {
            tools.push(Tool {
                version: system.output.trim_start_matches('v').to_owned(),
                directory: None,
            });
        }
        let tool = bench.choose(("node", &spec), &range, (tools, &hosted))?;
        if let Some(directory) = tool.directory {
            bench.add_path(&format!("{directory}/bin"));
        }
    }
    let version = bench.demand(&["node", "--version"]).await?;
    bench.output("node-version", version);
    if !bench.input("registry-url").is_empty() {
        return fail(
            "`registry-url` is not supported by the stand-in of actions/setup-node: let the action itself run",
        );
    }
    match bench.input("cache") {
        "" => Ok(()),
        manager @ ("npm" | "yarn" | "pnpm") => restore(bench, manager).await,
        other => fail(format!("Caching for '{other}' is not supported")),
    }
}

/// What is asked for; none where the node of PATH will do.
async fn version(bench: &mut Bench<'_, '_>) -> Result<Option<String>, Stop> {
    let (version, file) = (
        bench.input("node-version"),
        bench.input("node-version-file"),
    );
    match (version, file) {
        ("", "") => Ok(None),
        ("", file) => {
            let Some(text) = bench.file(file).await? else {
                return fail(format!(
                    "The specified node version file at: {file} does not exist"
                ));
            };
            let found = of_file(&text);
            bench.say(format!(
                "Resolved {file} as {}",
                found.as_deref().unwrap_or("")
            ));
            Ok(found)
        }
        (_, file) => {
            if !file.is_empty() {
                bench.warn("Both node-version and node-version-file inputs are specified, only node-version will be used");
            }
            Ok(Some(version.to_owned()))
        }
    }
}

/// Of package.json its pinned or wanted version, of others the line that names node, or all.
fn of_file(text: &str) -> Option<String> {
    if let Ok(manifest) = serde_json::from_str::<Value>(text) {
        let known = [
            "/volta/node",
            "/devEngines/runtime/version",
            "/engines/node",
        ];
        let found = known.into_iter().find_map(|path| manifest.pointer(path));
        if let Some(Value::String(version)) = found {
            return Some(version.clone());
        }
        if manifest.is_object() {
            return None;
        }
    }
    let line = text.lines().map(str::trim).find_map(|line| {
        let line = line.strip_prefix("nodejs").or(line.strip_prefix("node"));
        let version = line?.trim().trim_start_matches('v');
        let word = version.split_whitespace().next()?;
        word.starts_with(|c: char| c.is_ascii_digit())
            .then_some(word)
    });
    let whole = text.trim();
    let found = line.unwrap_or(whole);
    (!found.is_empty()).then(|| found.to_owned())
}

/// What a version of the input means. Which releases are the latest, or of long-term support,
/// the action asks the network; here the image's newest even major is the latest of the latter.
fn range_of(spec: &str, hosted: &[String]) -> Result<Range, Stop> {
    let major = |major: u64| Range::parse(&major.to_string());
    let newest = hosted
        .iter()
        .filter_map(|version| Some(release(version)?.0))
        .filter(|major| major % 2 == 0)
        .max();
    let found = match spec.to_ascii_lowercase().strip_prefix("lts/") {
        Some("*") => newest.and_then(major),
        Some(back) if back.starts_with('-') => back[1..]
            .parse()
            .ok()
            .and_then(|back: u64| newest?.checked_sub(2 * back))
            .and_then(major),
        Some(name) => {
            let known = LTS.iter().find(|(known, _)| *known == name);
            known.and_then(|(_, of_name)| major(*of_name))
        }
        None => Range::parse(spec.trim()),
    };
    found.ok_or_else(|| {
        Stop::Failed(format!(
            "which node '{spec}' is cannot be told without the network: name a version"
        ))
    })
}

async fn restore(bench: &mut Bench<'_, '_>, manager: &str) -> Result<(), Stop> {
    let (files, asked): (&[&str], &[&str]) = match manager {
        "npm" => (
            &["package-lock.json", "npm-shrinkwrap.json", "yarn.lock"],
            &["npm", "config", "get", "cache"],
        ),
        "pnpm" => (&["pnpm-lock.yaml"], &["pnpm", "store", "path", "--silent"]),
        _ => (&["yarn.lock"], &["yarn", "cache", "dir"]),
    };
    let directory = bench.demand(asked).await?;
    let given = bench.input("cache-dependency-path");
    let hashed = match given {
        "" => {
            let mut found = None;
            for file in files {
                if found.is_none() && bench.exists(file).await? {
                    found = Some(*file);
                }
            }
            let Some(found) = found else {
                return fail(format!(
                    "Dependencies lock file is not found in {}. Supported file patterns: {}",
                    bench.workspace(),
                    files.join(",")
                ));
            };
            bench.hash(&[found]).await?
        }
        given => bench.hash(&given.lines().collect::<Vec<_>>()).await?,
    };
    let Some(hashed) = hashed else {
        return fail("Some specified paths were not resolved, unable to cache dependencies.");
    };
    let architecture = node_architecture(bench);
    let restored = bench
        .restore(Cache {
            prefix: format!("node-cache-Linux-{architecture}-{manager}-"),
            hashed,
            restore_keys: Vec::new(),
            paths: vec![directory],
        })
        .await?;
    bench.output("cache-primary-key", restored.key);
    // A key that was found at all.
    bench.output("cache-hit", restored.matched.is_some().to_string());
    match restored.matched {
        Some(matched) => bench.output("cache-matched-key", matched),
        None => bench.say(format!("{manager} cache is not found")),
    }
    Ok(())
}

/// `os.arch()`
pub(super) fn node_architecture(bench: &Bench<'_, '_>) -> String {
    bench
        .variable("RUNNER_ARCH")
        .unwrap_or("X64")
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_files_are_read_as_the_action_reads_them() {
        for (text, version) in [
            ("v20.1.0\n", Some("v20.1.0")),
            ("lts/iron", Some("lts/iron")),
            ("python 3.11\nnodejs 18.2.0\n", Some("18.2.0")),
            ("{\"engines\": {\"node\": \">=18\"}}", Some(">=18")),
            (
                "{\"volta\": {\"node\": \"20.0.0\"}, \"engines\": {\"node\": \"18\"}}",
                Some("20.0.0"),
            ),
            ("{\"name\": \"x\"}", None),
            ("", None),
        ] {
            assert_eq!(of_file(text).as_deref(), version, "{text}");
        }
    }

    #[test]
    fn long_term_support_is_told_by_name_and_by_the_image() {
        let hosted = ["22.23.2".to_owned(), "24.19.0".to_owned()];
        let newest = |spec: &str| {
            let range = range_of(spec, &hosted).ok()?;
            range.newest(["20.1.0", "22.1.0", "24.2.0", "25.0.0"])
        };
        assert_eq!(newest("lts/*"), Some("24.2.0"));
        assert_eq!(newest("lts/-1"), Some("22.1.0"));
        assert_eq!(newest("lts/Iron"), Some("20.1.0"));
        assert_eq!(newest(">=22"), Some("25.0.0"));
        assert_eq!(newest("latest"), None);
    }
}
