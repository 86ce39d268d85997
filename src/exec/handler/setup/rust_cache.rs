//! `Swatinem/rust-cache`: which parts its key has in which order (its README and the log of its
//! runs). What it hashes of lock files and manifests is not known byte by byte: of the same
//! files lrun makes a hash of its own.

use sha1::{Digest as _, Sha1};

use super::bench::{Bench, Cache, Hashed, Stop};
use super::node::node_architecture;
use super::rust_toolchain::field;
use crate::difference::Effect;

/// Variables that begin so are part of the key.
const PREFIXES: [&str; 6] = ["CARGO", "CC", "CFLAGS", "CXX", "CMAKE", "RUST"];

/// How many digits of a hash are in the key.
const DIGITS: usize = 8;

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    bench.export("CACHE_ON_FAILURE", or(bench.input("cache-on-failure"), "false"));
    bench.export("CARGO_INCREMENTAL", "0");
    bench.differ(
        "the hashes in rust-cache's key are made by lrun of the same files and variables: they are not GitHub's. What rust-cache removes before it saves is kept".to_owned(),
        Effect::MayShift,
    );
    let of_place = prefix(bench).await?;
    let files = files(bench).await?;
    let workspaces = workspaces(bench.input("workspaces"));
    let home = bench
        .variable("CARGO_HOME")
        .unwrap_or("/home/runner/.cargo")
        .to_owned();
    let mut paths: Vec<_> = ["registry", "git"].map(|name| format!("{home}/{name}")).into();
    if bench.input("cache-bin") != "false" {
        let names = ["bin", ".crates.toml", ".crates2.json"];
        paths.extend(names.map(|name| format!("{home}/{name}")));
    }
    if bench.input("cache-targets") != "false" {
        let root = bench.workspace();
        paths.extend(workspaces.into_iter().map(|(folder, target)| match folder.as_str() {
            "." => format!("{root}/{target}"),
            folder => format!("{root}/{folder}/{target}"),
        }));
    }
    paths.extend(bench.input("cache-directories").split_whitespace().map(str::to_owned));
    let restored = bench
        .restore(Cache {
            prefix: format!("{of_place}-"),
            hashed: files,
            restore_keys: vec![of_place],
            paths,
        })
        .await?;
    bench.output("cache-hit", restored.is_exact().to_string());
    if restored.matched.is_none() {
        bench.say("No cache found.");
    }
    let saves = !matches!(bench.input("save-if"), "false") && bench.input("lookup-only") != "true";
    bench.when_saved(saves, bench.input("cache-on-failure") == "true");
    Ok(())
}

/// The key up to the hash of the lock files; what is restored where that is another.
async fn prefix(bench: &Bench<'_, '_>) -> Result<String, Stop> {
    let mut key = or(bench.input("prefix-key"), "v0-rust").to_owned();
    match (bench.input("shared-key"), bench.input("key")) {
        ("", own) => {
            for part in [own, job_of(bench)] {
                if !part.is_empty() {
                    key = format!("{key}-{part}");
                }
            }
        }
        (shared, _) => key = format!("{key}-{shared}"),
    }
    let told = bench.demand(&["rustc", "-vV"]).await?;
    let mut hasher = Sha1::new();
    for name in ["release", "host", "commit-hash"] {
        hasher.update(field(&told, name));
    }
    let own: Vec<_> = bench.input("env-vars").split_whitespace().collect();
    for (name, value) in covered(bench.variables(), &own) {
        hasher.update(format!("{name}={value}"));
    }
    let architecture = node_architecture(bench);
    Ok(format!("{key}-Linux-{architecture}-{}", short(hasher)))
}

fn job_of<'b>(bench: &'b Bench<'_, '_>) -> &'b str {
    match bench.input("add-job-id-key") {
        "false" => "",
        _ => bench.variable("GITHUB_JOB").unwrap_or_default(),
    }
}

/// The variables that are part of the key, by their names; of several values the last.
fn covered<'e>(env: &'e [(String, String)], own: &[&str]) -> Vec<(&'e str, &'e str)> {
    let begins = |name: &str| {
        let mut prefixes = PREFIXES.iter().chain(own);
        prefixes.any(|prefix| name.starts_with(prefix))
    };
    let all = env.iter().filter(|(name, value)| begins(name) && !value.is_empty());
    let last: std::collections::BTreeMap<_, _> = all
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    last.into_iter().collect()
}

async fn files(bench: &Bench<'_, '_>) -> Result<Hashed, Stop> {
    let known = [
        "**/.cargo/config.toml",
        "**/rust-toolchain",
        "**/rust-toolchain.toml",
        "**/Cargo.toml",
        "**/Cargo.lock",
    ];
    let hashed = bench.hash(&known).await?.unwrap_or(Hashed {
        digest: String::new(),
        files: Vec::new(),
    });
    let mut hasher = Sha1::new();
    hasher.update(&hashed.digest);
    Ok(Hashed {
        digest: short(hasher),
        files: hashed.files,
    })
}

/// `folder -> target` lines.
fn workspaces(text: &str) -> Vec<(String, String)> {
    let lines = or(text, ".").lines().map(str::trim).filter(|line| !line.is_empty());
    let both = lines.map(|line| match line.split_once("->") {
        Some((folder, target)) => (folder.trim(), target.trim()),
        None => (line, "target"),
    });
    both.map(|(folder, target)| (folder.to_owned(), target.to_owned()))
        .collect()
}

fn short(hasher: Sha1) -> String {
    hex::encode(hasher.finalize()).chars().take(DIGITS).collect()
}

fn or<'t>(text: &'t str, default: &'t str) -> &'t str {
    match text {
        "" => default,
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_begin_like_a_tool_s_are_part_of_the_key() {
        let pairs = [
            ("RUST_CHANNEL", "stable"),
            ("PATH", "/bin"),
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_TERM_COLOR", "always"),
            ("CC", ""),
            ("MINE", "1"),
        ];
        let env = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            covered(&env, &["MI"]),
            [("CARGO_TERM_COLOR", "always"), ("MINE", "1"), ("RUST_CHANNEL", "stable")]
        );
    }

    #[test]
    fn a_workspace_has_its_own_target() {
        let is = |folder: &str, target: &str| (folder.to_owned(), target.to_owned());
        assert_eq!(workspaces(""), [is(".", "target")]);
        assert_eq!(
            workspaces("a -> ../target\n b\n"),
            [is("a", "../target"), is("b", "target")]
        );
    }
}
