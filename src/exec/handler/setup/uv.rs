//! `astral-sh/setup-uv` (its `action.yml`, `setup-uv.ts`, `utils/inputs.ts` and
//! `cache/restore-cache.ts`). Of the parts of its key the order is known, of what it hashes the
//! files: lrun makes a hash of its own.

use super::bench::{Bench, Cache, Hashed, Stop, Tool, fail};
use super::range::{Range, release};
use crate::difference::Effect;
use crate::exec::paths;
use crate::label::TEMP;

/// The files behind the key where `cache-dependency-glob` names none.
const FILES: &str = "\
**/*requirements*.txt
**/*requirements*.in
**/*constraints*.txt
**/*constraints*.in
**/pyproject.toml
**/uv.lock
**/*.py.lock";

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    if bench.input("activate-environment") == "true" {
        return fail(
            "`activate-environment` is not supported by the stand-in of astral-sh/setup-uv: let the action itself run",
        );
    }
    let version = choose(bench).await?;
    let path = bench.demand(&["sh", "-c", "command -v uv"]).await?;
    tool_directories(bench);
    let python = bench.input("python-version");
    if !python.is_empty() {
        bench.export("UV_PYTHON", python);
        bench.say(format!("Set UV_PYTHON to {python}"));
    }
    let python = python_version(bench).await?;
    bench.output("uv-version", &version);
    bench.output("uvx-path", format!("{path}x"));
    bench.output("uv-path", path);
    bench.output("python-version", &python);
    // `auto` is true on GitHub's own runners.
    match bench.input("enable-cache") {
        "false" => Ok(()),
        _ => restore(bench, &python).await,
    }
}

/// The uv of PATH, if it is what is asked for; gives its version.
async fn choose(bench: &mut Bench<'_, '_>) -> Result<String, Stop> {
    let spec = asked_for(bench).await?;
    let answer = bench.ask(&["uv", "--version"]).await?;
    // `uv 0.8.3 (7e78f54e7 2025-07-24)`
    let version = answer.output.split_whitespace().nth(1);
    let version = version.filter(|version| answer.succeeded && release(version).is_some());
    let tools: Vec<Tool> = version
        .map(|version| Tool {
            version: version.to_owned(),
            directory: None,
        })
        .into_iter()
        .collect();
    let is_any = matches!(spec.as_str(), "" | "latest");
    let range = match is_any {
        true => Range::parse("*"),
        false => range_of(&spec),
    };
    let Some(range) = range else {
        return fail(format!(
            "which uv '{spec}' is cannot be told without the network: name a version"
        ));
    };
    let shown = match is_any {
        true => "latest",
        false => &spec,
    };
    let tool = bench.choose(("uv", shown), &range, (tools, &[]))?;
    if is_any {
        bench.differ(
            format!(
                "uv is {} here; GitHub gets the newest, which the network alone knows",
                tool.version
            ),
            Effect::MayShift,
        );
    }
    Ok(tool.version)
}

/// `version`, else what `version-file`, uv.toml or pyproject.toml say.
async fn asked_for(bench: &Bench<'_, '_>) -> Result<String, Stop> {
    let (version, file) = (bench.input("version"), bench.input("version-file"));
    match (version, file) {
        ("", "") => {}
        ("", file) => {
            let Some(text) = bench.file(file).await? else {
                return fail(format!("Could not determine uv version from file: {file}"));
            };
            return match required(&text) {
                Some(version) => Ok(version),
                None => fail(format!(
                    "`version-file: {file}` names no uv that the stand-in of astral-sh/setup-uv understands: let the action itself run"
                )),
            };
        }
        (version, _) => return Ok(version.to_owned()),
    }
    let folder = match bench.input("working-directory") {
        "" => bench.workspace(),
        folder => folder,
    };
    let folder = paths::resolved(bench.workspace(), folder);
    for name in ["uv.toml", "pyproject.toml"] {
        let text = bench.file(&format!("{folder}/{name}")).await?;
        if let Some(version) = text.as_deref().and_then(required) {
            return Ok(version);
        }
    }
    Ok(String::new())
}

/// `required-version` of uv.toml, or of pyproject.toml under `[tool.uv]`.
fn required(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let of_tool = || table.get("tool")?.get("uv")?.get("required-version");
    let found = table.get("required-version").or_else(of_tool)?;
    found.as_str().map(str::to_owned)
}

/// What a version of the input means: commas of PEP 440 are blanks of npm's, and its `~=` leaves the
/// last number open.
fn range_of(spec: &str) -> Option<Range> {
    let spec = spec.replace(',', " ").replace("==", "=");
    let words = spec.split_whitespace().map(|word| {
        let Some(version) = word.strip_prefix("~=") else {
            return Some(word.to_owned());
        };
        match version.split('.').collect::<Vec<_>>()[..] {
            [major, _] => {
                let next = major.parse::<u64>().ok()? + 1;
                Some(format!(">={version} <{next}"))
            }
            [_, _, _] => Some(format!("~{version}")),
            _ => None,
        }
    });
    Range::parse(&words.collect::<Option<Vec<_>>>()?.join(" "))
}

/// Where uv puts tools and their programs.
fn tool_directories(bench: &mut Bench<'_, '_>) {
    let (tools, programs) = (bench.input("tool-dir"), bench.input("tool-bin-dir"));
    if !tools.is_empty() {
        bench.export("UV_TOOL_DIR", tools);
    }
    if programs.is_empty() {
        let named = bench.variable("XDG_BIN_HOME").map(str::to_owned);
        bench.add_path(&named.unwrap_or_else(|| format!("{}/.local/bin", paths::HOME)));
    } else {
        bench.export("UV_TOOL_BIN_DIR", programs);
        bench.add_path(programs);
    }
}

/// The Python that uv would take; `unknown` where it finds none.
async fn python_version(bench: &Bench<'_, '_>) -> Result<String, Stop> {
    let given = bench.input("python-version");
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    let found = bench.ask(&["uv", "python", "find"]).await?;
    let mut version = None;
    if found.succeeded {
        let said = bench.ask(&[&found.output, "--version"]).await?;
        version = said.output.strip_prefix("Python ").map(str::to_owned);
    }
    Ok(version.unwrap_or_else(|| "unknown".to_owned()))
}

async fn restore(bench: &mut Bench<'_, '_>, python: &str) -> Result<(), Stop> {
    let directory = match bench.input("cache-local-path") {
        "" => format!("{TEMP}/setup-uv-cache"),
        given => given.to_owned(),
    };
    bench.export("UV_CACHE_DIR", &directory);
    bench.differ(
        "setup-uv's key is made by lrun of the same files: it is not GitHub's. What `uv cache prune --ci` removes before it saves is kept".to_owned(),
        Effect::MayShift,
    );
    let files = match bench.input("cache-dependency-glob") {
        "" => FILES,
        given => given,
    };
    let found = bench.hash(&files.lines().collect::<Vec<_>>()).await?;
    let hashed = found.unwrap_or_else(|| Hashed {
        digest: "no-dependency-glob".to_owned(),
        files: Vec::new(),
    });
    let processor = match bench.variable("RUNNER_ARCH") {
        Some("ARM64") => "aarch64",
        _ => "x86_64",
    };
    let pruned = match bench.input("prune-cache") {
        "false" => "",
        _ => "-pruned",
    };
    let suffix = match bench.input("cache-suffix") {
        "" => String::new(),
        suffix => format!("-{suffix}"),
    };
    let hashed = Hashed {
        digest: format!("{}{suffix}", hashed.digest),
        ..hashed
    };
    let restored = bench
        .restore(Cache {
            prefix: format!("setup-uv-1-{processor}-unknown-linux-gnu-{python}{pruned}-"),
            hashed,
            restore_keys: Vec::new(),
            paths: vec![directory],
        })
        .await?;
    bench.output("cache-hit", restored.is_exact().to_string());
    bench.output("cache-key", &restored.key);
    if restored.matched.is_none() {
        bench.say(format!("No cache found for key: {}", restored.key));
    }
    let saves = bench.input("save-cache") != "false";
    bench.when_saved(saves, false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_say_which_uv_they_require() {
        let required = |text| required(text);
        assert_eq!(
            required("required-version = \">=0.5\"\n").as_deref(),
            Some(">=0.5")
        );
        let project = "[project]\nname = \"x\"\n[tool.uv]\nrequired-version = \"==0.5.1\"\n";
        assert_eq!(required(project).as_deref(), Some("==0.5.1"));
        assert_eq!(required("[project]\nname = \"x\"\n"), None);
        assert_eq!(required("no table"), None);
    }

    #[test]
    fn versions_are_npm_s_or_python_s() {
        let known = ["0.4.30", "0.5.1", "0.5.14", "0.8.3"];
        let newest = |spec: &str| range_of(spec)?.newest(known);
        assert_eq!(newest("0.5.x"), Some("0.5.14"));
        assert_eq!(newest(">=0.4,<0.5"), Some("0.4.30"));
        assert_eq!(newest("==0.5.1"), Some("0.5.1"));
        assert_eq!(newest("~=0.5.0"), Some("0.5.14"));
        assert_eq!(newest("~=0.5"), Some("0.8.3"));
        assert_eq!(newest("0.9.0"), None);
    }
}
