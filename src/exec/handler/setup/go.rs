//! `actions/setup-go` (its `main.ts`, `installer.ts` and `cache-restore.ts`).

use super::bench::{Bench, Cache, Stop, Tool, fail};
use super::node::node_architecture;
use super::range::{Range, release};

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    let spec = version(bench).await?;
    let hosted = bench.hosted("Go");
    if !spec.is_empty() {
        let Some(range) = range_of(&spec) else {
            return fail(format!(
                "which go '{spec}' is cannot be told without the network: name a version"
            ));
        };
        let mut tools = bench.cached("go");
        let system = bench.ask(&["go", "env", "GOVERSION"]).await?;
        let system = whole(system.output.trim_start_matches("go"));
        if release(&system).is_some() {
            tools.push(Tool {
                version: system,
                directory: None,
            });
        }
        let tool = bench.choose(("go", &spec), &range, (tools, &hosted))?;
        if let Some(directory) = tool.directory {
            bench.add_path(&format!("{directory}/bin"));
        }
    }
    let version = bench.demand(&["go", "env", "GOVERSION"]).await?;
    let version = version.trim_start_matches("go").to_owned();
    let path = bench.demand(&["go", "env", "GOPATH"]).await?;
    bench.add_path(&format!("{path}/bin"));
    bench.output("go-version", &version);
    match bench.input("cache") {
        "false" => Ok(()),
        _ => restore(bench, &version).await,
    }
}

async fn version(bench: &Bench<'_, '_>) -> Result<String, Stop> {
    let (version, file) = (bench.input("go-version"), bench.input("go-version-file"));
    if !version.is_empty() || file.is_empty() {
        return Ok(version.to_owned());
    }
    match bench.file(file).await? {
        Some(text) => Ok(of_file(&text)),
        None => fail(format!(
            "The specified go version file at: {file} does not exist"
        )),
    }
}

/// Of go.mod and go.work the toolchain, else the language; of others all.
fn of_file(text: &str) -> String {
    let word = |directive: &str| {
        let mut lines = text.lines().map(str::trim);
        let line = lines.find_map(|line| line.strip_prefix(directive))?;
        line.split_whitespace().next().map(str::to_owned)
    };
    word("toolchain go")
        .or_else(|| word("go "))
        .or_else(|| word("golang "))
        .unwrap_or_else(|| text.trim().trim_start_matches("go").to_owned())
}

fn range_of(spec: &str) -> Option<Range> {
    Range::parse(spec)
}

/// `1.21` was the name of 1.21.0 until go 1.21.
fn whole(version: &str) -> String {
    match version.split('.').count() {
        2 => format!("{version}.0"),
        _ => version.to_owned(),
    }
}

/// Without files to hash, or when asked without need, a warning is all there is to it.
async fn restore(bench: &mut Bench<'_, '_>, version: &str) -> Result<(), Stop> {
    let default = match bench.action().major() {
        Some(..=5) => "go.sum",
        _ => "go.mod",
    };
    let given: Vec<_> = bench.input("cache-dependency-path").lines().collect();
    let hashed = match given.as_slice() {
        [] if bench.exists(default).await? => bench.hash(&[default]).await?,
        [] => None,
        given => bench.hash(given).await?,
    };
    let Some(hashed) = hashed else {
        let workspace = bench.workspace().to_owned();
        bench.warn(format!(
            "Restore cache failed: Dependencies file is not found in {workspace}. Supported file pattern: {default}"
        ));
        return Ok(());
    };
    let modules = bench.demand(&["go", "env", "GOMODCACHE"]).await?;
    let builds = bench.demand(&["go", "env", "GOCACHE"]).await?;
    let image = bench.variable("ImageOS").unwrap_or_default().to_owned();
    let architecture = node_architecture(bench);
    let restored = bench
        .restore(Cache {
            prefix: format!("setup-go-Linux-{architecture}-{image}-go-{version}-"),
            hashed,
            restore_keys: Vec::new(),
            paths: vec![modules, builds],
        })
        .await?;
    bench.output("cache-hit", restored.matched.is_some().to_string());
    if restored.matched.is_none() {
        bench.say("Cache is not found");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_its_go() {
        let module = "module x\n\ngo 1.22\n\ntoolchain go1.24.3\n";
        assert_eq!(of_file(module), "1.24.3");
        assert_eq!(of_file("module x\n\ngo 1.22.1 // why\n"), "1.22.1");
        assert_eq!(of_file("1.23\n"), "1.23");
        assert_eq!(of_file("golang 1.21.5\nnodejs 20\n"), "1.21.5");
    }

    #[test]
    fn what_is_asked_of_the_network_is_no_range() {
        assert_eq!(range_of("stable"), None);
        let range = range_of("^1.21.1").expect("a range");
        assert_eq!(range.newest(["1.20.9", "1.24.3"]), Some("1.24.3"));
    }
}
