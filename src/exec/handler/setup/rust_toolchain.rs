//! `dtolnay/rust-toolchain` (its `action.yml`).

use super::bench::{Bench, Stop, fail};

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    let wanted = match (bench.input("toolchain"), bench.action().version.as_str()) {
        ("", "master" | "v1") => return fail("'toolchain' is a required input"),
        ("", of_ref) => of_ref.to_owned(),
        (given, _) => given.to_owned(),
    };
    let listed = bench.demand(&["rustup", "toolchain", "list"]).await?;
    let known: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let is_meant = |name: &&str| {
        let rest = name.strip_prefix(wanted.as_str());
        // `1.95` is its newest release, which only the network knows.
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            && !rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let Some(toolchain) = known.iter().find(|name| is_meant(name)) else {
        let here = match known.is_empty() {
            true => "none".to_owned(),
            false => known.join(", "),
        };
        let there = bench.hosted_tool("Rust").unwrap_or_default();
        return fail(format!(
            "the Rust toolchain {wanted} is not on this machine, which has {here}; GitHub's image has {there} and installs others. Nothing is installed in its place: `rustup toolchain install {wanted}`, or let the action itself run"
        ));
    };
    let toolchain = (*toolchain).to_owned();
    demand_parts(bench, &toolchain).await?;
    bench.demand(&["rustup", "default", &toolchain]).await?;
    if bench.variable("CARGO_HOME").is_none() {
        bench.add_path("/home/runner/.cargo/bin");
    }
    for (name, value) in [("CARGO_INCREMENTAL", "0"), ("CARGO_TERM_COLOR", "always")] {
        if bench.variable(name).is_none() {
            bench.export(name, value);
        }
    }
    let told = bench.demand(&["rustc", "--version", "--verbose"]).await?;
    if wanted == "stable" {
        let hosted = bench.hosted_tool("Rust");
        bench.compare("rustc", field(&told, "release"), hosted.as_deref());
    }
    bench.output("cachekey", cache_key(&told));
    bench.output("name", wanted);
    bench.say(told);
    Ok(())
}

/// Components and targets have to be there: nothing is installed.
async fn demand_parts(bench: &mut Bench<'_, '_>, toolchain: &str) -> Result<(), Stop> {
    for (kind, inputs) in [
        ("component", ["components", "component"]),
        ("target", ["targets", "target"]),
    ] {
        let wanted: Vec<_> = inputs
            .into_iter()
            .flat_map(|name| bench.input(name).split([',', ' ', '\n']))
            .filter(|word| !word.is_empty())
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let list = [
            "rustup",
            kind,
            "list",
            "--installed",
            "--toolchain",
            toolchain,
        ];
        let installed = bench.demand(&list).await?;
        for part in wanted {
            let is_there = installed.lines().any(|line| {
                let rest = line.strip_prefix(part);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            });
            if !is_there {
                return fail(format!(
                    "the {kind} {part} of the Rust toolchain {toolchain} is not on this machine: `rustup {kind} add {part} --toolchain {toolchain}`, or let the action itself run"
                ));
            }
        }
    }
    Ok(())
}

/// The commit's date and the beginning of its id, twelve characters of both.
fn cache_key(told: &str) -> String {
    let date = field(told, "commit-date").replace('-', "");
    let both = format!("{date}{}", field(told, "commit-hash"));
    both.chars().take(12).collect()
}

/// A field of what `rustc -vV` prints.
pub(super) fn field<'t>(told: &'t str, name: &str) -> &'t str {
    let mut values = told.lines().rev().filter_map(|line| {
        let (field, value) = line.split_once(": ")?;
        (field == name).then(|| value.trim())
    });
    values.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_key_is_of_the_commit() {
        let told = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\n\
                    commit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\n\
                    commit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(cache_key(told), "202604145980");
        assert_eq!(field(told, "release"), "1.95.0");
        assert_eq!(field(told, "LLVM version"), "");
    }
}
