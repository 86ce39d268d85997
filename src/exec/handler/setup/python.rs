//! `actions/setup-python` (its `find-python.ts` and `cache-distributions/`).

use super::bench::{Bench, Cache, Stop, fail};
use super::node::node_architecture;
use super::range::Range;

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    let specs = versions(bench).await?;
    if specs.is_empty() {
        bench.warn("Neither 'python-version' nor 'python-version-file' inputs were supplied. Attempting to find '.python-version' file.");
        return fail(
            "`.python-version` is not there, and the stand-in of actions/setup-python takes no other Python: name a version",
        );
    }
    let mut last = String::new();
    for spec in specs {
        last = install(bench, &spec).await?;
    }
    match bench.input("cache") {
        "" => Ok(()),
        "pip" => restore(bench, &last).await,
        other => fail(format!(
            "`cache: {other}` is not supported by the stand-in of actions/setup-python: let the action itself run"
        )),
    }
}

async fn versions(bench: &Bench<'_, '_>) -> Result<Vec<String>, Stop> {
    let given = bench.input("python-version");
    if !given.is_empty() {
        return Ok(lines(given));
    }
    let named = bench.input("python-version-file");
    let file = match named {
        "" => ".python-version",
        file => file,
    };
    match bench.file(file).await? {
        Some(text) if file.ends_with(".toml") => Ok(of_toml(&text).into_iter().collect()),
        Some(text) => Ok(lines(&text)),
        None if named.is_empty() => Ok(Vec::new()),
        None => fail(format!(
            "The specified python version file at: {file} doesn't exist."
        )),
    }
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// `requires-python` of pyproject.toml, or Poetry's.
fn of_toml(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    let project = || table.get("project")?.get("requires-python")?.as_str();
    let poetry = || {
        let poetry = table.get("tool")?.get("poetry")?;
        poetry.get("dependencies")?.get("python")?.as_str()
    };
    project().or_else(poetry).map(str::to_owned)
}

/// What a version of the input means: commas of PEP 440 are blanks of npm's, and `3.13-dev` is
/// any 3.13, its pre-releases too.
fn range_of(spec: &str) -> Option<Range> {
    let spec = spec.replace(',', " ").replace("==", "=");
    match spec.strip_suffix("-dev") {
        Some(version) => Range::parse(&format!("~{version}.0-0")),
        None => Range::parse(&spec),
    }
}

/// Puts one version in front; gives it.
async fn install(bench: &mut Bench<'_, '_>, spec: &str) -> Result<String, Stop> {
    let Some(range) = range_of(spec) else {
        return fail(format!(
            "Python '{spec}' is no version that the stand-in of actions/setup-python finds: let the action itself run"
        ));
    };
    let (tools, hosted) = (bench.cached("Python"), bench.hosted("Python"));
    let tool = bench.choose(("Python", spec), &range, (tools, &hosted))?;
    let root = tool.directory.unwrap_or_default();
    let bin = format!("{root}/bin");
    let program = format!("{bin}/python");
    if bench.input("update-environment") != "false" {
        bench.export("pythonLocation", &root);
        bench.export("PKG_CONFIG_PATH", format!("{root}/lib/pkgconfig"));
        for name in ["Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"] {
            bench.export(name, &root);
        }
        let library = format!("{root}/lib");
        let known = bench.variable("LD_LIBRARY_PATH").unwrap_or_default();
        let libraries = match known {
            "" => library,
            known => format!("{library}:{known}"),
        };
        bench.export("LD_LIBRARY_PATH", libraries);
        bench.add_path(&root);
        bench.add_path(&bin);
    }
    bench.output("python-version", &tool.version);
    bench.output("python-path", program);
    bench.say(format!("Successfully set up CPython ({})", tool.version));
    Ok(tool.version)
}

async fn restore(bench: &mut Bench<'_, '_>, version: &str) -> Result<(), Stop> {
    let directory = bench.demand(&["pip", "cache", "dir"]).await?;
    let given: Vec<_> = bench.input("cache-dependency-path").lines().collect();
    let hashed = match given.as_slice() {
        [] => match bench.hash(&["**/requirements.txt"]).await? {
            None => bench.hash(&["**/pyproject.toml"]).await?,
            found => found,
        },
        given => bench.hash(given).await?,
    };
    let Some(hashed) = hashed else {
        let patterns = match given.as_slice() {
            [] => "**/requirements.txt or **/pyproject.toml".to_owned(),
            given => given.join(","),
        };
        return fail(format!(
            "No file in {} matched to [{patterns}], make sure you have checked out the target repository",
            bench.workspace()
        ));
    };
    let image = bench.variable("ImageOS").unwrap_or_default();
    let system = image.trim_start_matches("ubuntu");
    let architecture = node_architecture(bench);
    let of_version =
        format!("setup-python-Linux-{architecture}-{system}.04-Ubuntu-python-{version}-pip");
    let restored = bench
        .restore(Cache {
            prefix: format!("{of_version}-"),
            hashed,
            restore_keys: vec![of_version],
            paths: vec![directory],
        })
        .await?;
    bench.output("cache-hit", restored.is_exact().to_string());
    if restored.matched.is_none() {
        bench.say("pip cache is not found");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_meant_as_the_action_means_them() {
        let known = ["3.9.18", "3.11.7", "3.12.1", "3.13.0"];
        for (spec, version) in [
            ("3.11", Some("3.11.7")),
            ("3.x", Some("3.13.0")),
            ("3.13-dev", Some("3.13.0")),
            (">=3.9,<3.12", Some("3.11.7")),
            ("==3.12.1", Some("3.12.1")),
            ("3.14", None),
        ] {
            let range = range_of(spec).expect(spec);
            assert_eq!(range.newest(known), version, "{spec}");
        }
        assert_eq!(range_of("pypy3.11"), None);
    }

    #[test]
    fn a_project_says_what_python_it_requires() {
        let project = "[project]\nrequires-python = '>=3.10'\n";
        assert_eq!(of_toml(project).as_deref(), Some(">=3.10"));
        let poetry = "[tool.poetry.dependencies]\npython = '^3.9'\n";
        assert_eq!(of_toml(poetry).as_deref(), Some("^3.9"));
    }
}
