//! `actions/setup-java` (its `setup-java.ts` and `cache.ts`): of distributions Temurin alone,
//! where its packages put it, as on the image.

use super::bench::{Bench, Cache, Stop, fail};
use super::node::node_architecture;

pub(super) async fn set_up(bench: &mut Bench<'_, '_>) -> Result<(), Stop> {
    let distribution = bench.input("distribution");
    if !matches!(distribution, "temurin" | "adopt" | "adopt-hotspot") {
        return fail(format!(
            "the distribution '{distribution}' of Java is not known to be on this machine: the stand-in of actions/setup-java knows temurin alone"
        ));
    }
    if bench.input("java-package") == "jre" {
        return fail("`java-package: jre` is not supported by the stand-in of actions/setup-java");
    }
    let versions: Vec<_> = bench.input("java-version").lines().map(str::trim).collect();
    let versions: Vec<_> = versions.into_iter().filter(|line| !line.is_empty()).collect();
    if versions.is_empty() {
        return fail("java-version or java-version-file input expected");
    }
    for spec in versions {
        install(bench, spec).await?;
    }
    bench.output("distribution", "Temurin-Hotspot");
    match bench.input("cache") {
        "" => Ok(()),
        manager => restore(bench, manager).await,
    }
}

async fn install(bench: &mut Bench<'_, '_>, spec: &str) -> Result<(), Stop> {
    let (major, is_exact) = match spec.trim_end_matches(".x").split_once(['.', '+']) {
        Some((major, _)) => (major, true),
        None => (spec.trim_end_matches(".x"), false),
    };
    let architecture = match node_architecture(bench).as_str() {
        "arm64" => "arm64",
        _ => "amd64",
    };
    let home = format!("/usr/lib/jvm/temurin-{major}-jdk-{architecture}");
    let hosted = bench.hosted_java(major);
    let there = hosted.as_deref().unwrap_or("no such version");
    let Some(told) = bench.file(&format!("{home}/release")).await? else {
        return fail(format!(
            "Temurin {spec} is not on this machine, where it would be {home}; GitHub's image has {there}. Nothing is installed in its place: install temurin-{major}-jdk, or let the action itself run"
        ));
    };
    let version = version_of(&told);
    if is_exact && !version.starts_with(spec) {
        return fail(format!(
            "Temurin {spec} is not on this machine, which has {version}; GitHub's image has {there}"
        ));
    }
    bench.compare("java", &version, hosted.as_deref());
    bench.export("JAVA_HOME", &home);
    let upper = node_architecture(bench).to_ascii_uppercase();
    bench.export(&format!("JAVA_HOME_{major}_{upper}"), &home);
    bench.add_path(&format!("{home}/bin"));
    bench.output("path", home);
    bench.output("version", version);
    Ok(())
}

/// `JAVA_RUNTIME_VERSION` of a JDK's `release` file, without what the vendor adds.
fn version_of(told: &str) -> String {
    let value = |name: &str| {
        let mut lines = told.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(line.trim_matches('"').to_owned())
    };
    let full = value("JAVA_RUNTIME_VERSION").or_else(|| value("JAVA_VERSION"));
    let full = full.unwrap_or_default();
    full.split('-').next().unwrap_or_default().to_owned()
}

async fn restore(bench: &mut Bench<'_, '_>, manager: &str) -> Result<(), Stop> {
    let (patterns, paths): (&[&str], &[&str]) = match manager {
        "maven" => (&["**/pom.xml"], &["/home/runner/.m2/repository"]),
        "gradle" => (
            &[
                "**/*.gradle*",
                "**/gradle-wrapper.properties",
                "buildSrc/**/Versions.kt",
                "buildSrc/**/Dependencies.kt",
                "gradle/*.versions.toml",
                "**/versions.properties",
            ],
            &["/home/runner/.gradle/caches", "/home/runner/.gradle/wrapper"],
        ),
        other => return fail(format!("unknown package manager specified: {other}")),
    };
    let given: Vec<_> = bench.input("cache-dependency-path").lines().collect();
    let hashed = match given.as_slice() {
        [] => bench.hash(patterns).await?,
        given => bench.hash(given).await?,
    };
    let Some(hashed) = hashed else {
        return fail(format!(
            "No file in {} matched to [{}], make sure you have checked out the target repository",
            bench.workspace(),
            patterns.join(",")
        ));
    };
    let architecture = node_architecture(bench);
    let restored = bench
        .restore(Cache {
            prefix: format!("setup-java-Linux-{architecture}-{manager}-"),
            hashed,
            restore_keys: Vec::new(),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        })
        .await?;
    bench.output("cache-hit", restored.is_exact().to_string());
    if restored.matched.is_none() {
        bench.say(format!("{manager} cache is not found"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jdk_says_its_version() {
        let told = "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_RUNTIME_VERSION=\"25.0.4+7-LTS\"\nJAVA_VERSION=\"25.0.4\"\n";
        assert_eq!(version_of(told), "25.0.4+7");
        assert_eq!(version_of("JAVA_VERSION=\"17.0.2\"\n"), "17.0.2");
    }
}
