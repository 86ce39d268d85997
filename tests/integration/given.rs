//! What a run is given beside its command line, and what of the user's it never is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::project::Project;

const WORKFLOW: &str = "\
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - name: Look
        env:
          KEY: ${{ secrets.KEY }}
          FILE: ${{ secrets.FILE }}
          TOKEN: ${{ github.token }}
        run: |
          echo \"lengths ${#KEY} ${#FILE} ${#TOKEN}\"
          echo \"region ${{ vars.REGION }}\"
";

fn lines(project: &Project, environment: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
    let mut lrun = project.lrun().args(&["ci.yml"]).args(arguments);
    for (name, value) in environment {
        lrun = lrun.env(name, value);
    }
    lrun.run().exited(0).output("Look")
}

#[test]
fn secrets_of_the_user_s_file_reach_the_repository_they_are_for_alone() {
    let project = Project::of_workflow(WORKFLOW);
    let config = tempfile::tempdir().expect("a folder");
    fs::create_dir(config.path().join("lrun")).expect("created");
    fs::write(config.path().join("lrun/certificate"), "abcdefg\n").expect("written");
    let toml = |repository: &str| {
        let text = format!(
            "vars.REGION = 'everywhere'\n[repository.'{repository}'.secrets]\nKEY = {{ env = 'OUTSIDE' }}\nFILE = {{ file = 'certificate' }}\n"
        );
        fs::write(config.path().join("lrun/lrun.toml"), text).expect("written");
    };
    let home = config.path().display().to_string();
    let environment = [("XDG_CONFIG_HOME", home.as_str()), ("OUTSIDE", "12345")];
    let name = project.path();
    let name = name.file_name().expect("it has a name").to_string_lossy();
    toml(&format!("local/{name}"));
    let found = lines(&project, &environment, &[]);
    assert!(found.contains(&"lengths 5 7 0".to_owned()), "{found:?}");
    assert!(found.contains(&"region everywhere".to_owned()), "{found:?}");
    toml("octo/other");
    let found = lines(&project, &environment, &["--var", "REGION=named"]);
    assert!(found.contains(&"lengths 0 0 0".to_owned()), "{found:?}");
    assert!(found.contains(&"region named".to_owned()), "{found:?}");
}

#[test]
fn a_repository_s_file_that_reaches_for_what_is_the_user_s_is_refused() {
    let toml = "[secrets]\nKEY = { env = 'OUTSIDE' }\n";
    let project = Project::new(&[(".github/workflows/ci.yml", WORKFLOW), ("lrun.toml", toml)]);
    let report = project
        .lrun()
        .args(&["ci.yml"])
        .env("OUTSIDE", "hidden")
        .plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    let expected =
        "error: lrun.toml:2:7: secret `KEY`: `env` and `file` are only taken from your own file";
    assert!(report.stderr.starts_with(expected), "{}", report.stderr);
}

#[test]
fn the_token_of_gh_is_the_run_s_only_when_asked_for() {
    let project = Project::of_workflow(WORKFLOW);
    let bin = tempfile::tempdir().expect("a folder");
    let gh = bin.path().join("gh");
    fs::write(
        &gh,
        "#!/bin/sh\ntest \"$*\" = 'auth token' && echo token-of-gh\n",
    )
    .expect("written");
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("its own file");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.path().display());
    let environment = [
        ("PATH", path.as_str()),
        ("GITHUB_TOKEN", "of the environment"),
    ];
    let lengths = |arguments: &[&str]| {
        let found = lines(&project, &environment, arguments);
        found.into_iter().find(|line| line.starts_with("lengths"))
    };
    assert_eq!(lengths(&[]).as_deref(), Some("lengths 0 0 0"));
    assert_eq!(lengths(&["--gh-token"]).as_deref(), Some("lengths 0 0 11"));
    assert_eq!(
        lengths(&["--secret", "GITHUB_TOKEN"]).as_deref(),
        Some("lengths 0 0 18")
    );
    fs::write(&gh, "#!/bin/sh\necho not logged in >&2\nexit 1\n").expect("written");
    let report = project
        .lrun()
        .args(&["ci.yml", "--gh-token"])
        .env("PATH", &path)
        .plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    assert!(
        report.stderr.contains("gives none: not logged in"),
        "{}",
        report.stderr
    );
}

#[test]
fn what_is_wrong_with_values_is_told_without_them() {
    let project = Project::of_workflow(WORKFLOW);
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("private"), "KEY=hidden\n").expect("written");
    let said = |arguments: &[&str]| {
        let report = project.lrun().args(&["ci.yml"]).args(arguments).plain();
        assert_eq!(report.code, Some(2), "{arguments:?}: {}", report.stderr);
        assert!(!report.stderr.contains("hidden"), "{}", report.stderr);
        report.stderr
    };
    project.write(".secrets", "A=1\n\nhidden\n");
    assert!(said(&[]).contains(".secrets:3: this is not NAME=VALUE"));
    project.write(".secrets", "A-B=hidden\n");
    assert!(said(&[]).contains("--secret or its file: `A-B` cannot be the name of a secret"));
    fs::remove_file(project.path().join(".secrets")).expect("it is there");
    assert!(said(&["--secret", "=hidden"]).contains("--secret has nothing before '='"));
    assert!(said(&["--secret", "ABSENT"]).contains("ABSENT is not set in your environment"));
    assert!(said(&["--secret-file", "nowhere"]).contains("cannot read nowhere"));
    assert!(said(&["--var", "GITHUB_X=1"]).contains("GitHub keeps names with GITHUB_"));
    std::os::unix::fs::symlink(
        outside.path().join("private"),
        project.path().join(".secrets"),
    )
    .expect("linked");
    assert!(said(&[]).contains("what comes with a repository may not name the user's other files"));
}
