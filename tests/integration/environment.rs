//! A job's environment is the label's and GitHub's, whatever lrun was started with.

use std::collections::BTreeMap;

use crate::project::Project;

/// What every job has and every run has the same, apart from the label's own entries.
const FIXED: [(&str, &str); 27] = [
    ("AGENT_TOOLSDIRECTORY", "/opt/hostedtoolcache"),
    ("CI", "true"),
    ("GITHUB_ACTION", "__run"),
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_JOB", "build"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REF_NAME", "main"),
    ("GITHUB_REF_TYPE", "branch"),
    ("GITHUB_RUN_ATTEMPT", "1"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("HOME", "/home/runner"),
    ("ImageOS", "ubuntu24"),
    ("LANG", "C.UTF-8"),
    ("LOGNAME", "runner"),
    ("NVM_DIR", "/home/runner/.nvm"),
    ("RUNNER_ARCH", ARCHITECTURE),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
    ("RUNNER_OS", "Linux"),
    ("RUNNER_TEMP", "/home/runner/work/_temp"),
    ("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache"),
    ("SHELL", "/bin/bash"),
    ("USER", "runner"),
    ("XDG_CONFIG_HOME", "/home/runner/.config"),
    ("ACCEPT_EULA", "Y"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    ("GHCUP_INSTALL_BASE_PREFIX", "/usr/local"),
];

/// Names that are there with a value of the run's.
const OF_THE_RUN: [&str; 16] = [
    "GITHUB_ENV",
    "GITHUB_EVENT_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SHA",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKFLOW",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_WORKSPACE",
    "ImageVersion",
    "PATH",
    "RUNNER_NAME",
];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: &str = "X64";
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: &str = "ARM64";

fn environment_of(project: &Project) -> BTreeMap<String, String> {
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .env("RUSTFLAGS", "x")
        .env("TZ", "Asia/Tokyo")
        .env("LC_ALL", "de_DE.UTF-8")
        .env("VIRTUAL_ENV", "/x")
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("CARGO_TERM_COLOR", "always")
        .env("GITHUB_TOKEN", "x")
        .umask("077")
        .run()
        .exited(0);
    run.output("Environment")
        .iter()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The label's own entries by the rule: a path outside the home that does not exist is left out.
fn of_the_label() -> Vec<String> {
    let label = include_str!("../../runner-images/ubuntu-24.04.json");
    let label: serde_json::Value = serde_json::from_str(label).expect("JSON");
    let entries = label["environment"].as_object().expect("entries");
    let is_there = |value: &str| {
        !value.starts_with('/')
            || value.starts_with("/home/runner")
            || value == "/opt/hostedtoolcache"
            || std::path::Path::new(value).exists()
    };
    entries
        .iter()
        .filter(|(name, _)| !name.starts_with("JAVA_HOME_"))
        .filter(|(_, value)| is_there(value.as_str().expect("text")))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn variables_of_the_user_do_not_reach_a_job() {
    let project = Project::of_steps("- name: Environment\n  run: env");
    let environment = environment_of(&project);
    for (name, value) in FIXED {
        assert_eq!(
            environment.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    // What bash adds to every environment.
    let of_bash = ["PWD", "SHLVL", "_", "OLDPWD"];
    let mut expected: Vec<String> = FIXED.iter().map(|(name, _)| (*name).to_owned()).collect();
    expected.extend(OF_THE_RUN.map(str::to_owned));
    expected.extend(of_the_label());
    for name in &expected {
        assert!(environment.contains_key(name), "{name} is missing");
    }
    for name in environment.keys() {
        let is_known = expected.contains(name)
            || of_bash.contains(&name.as_str())
            || name.starts_with("GITHUB_")
            || name.starts_with("RUNNER_")
            || name.starts_with("ACTIONS_")
            || name.starts_with("JAVA_HOME_");
        assert!(is_known, "{name} is in the job's environment");
    }
    assert!(!environment.contains_key("GITHUB_TOKEN"));
}

#[test]
fn path_is_the_label_s() {
    let project = Project::of_steps("- name: Environment\n  run: env");
    let path = &environment_of(&project)["PATH"];
    assert!(
        path.starts_with("/snap/bin:/home/runner/.local/bin:/opt/pipx_bin:"),
        "{path}"
    );
    assert!(path.contains("/usr/local/bin:/usr/sbin:/usr/bin"), "{path}");
}

#[test]
fn files_have_github_s_modes_under_any_umask() {
    let project = Project::of_steps(
        "- uses: actions/checkout@v5\n- name: Modes\n  run: |\n    stat -c '%a %n' .github/workflows/ci.yml\n    touch made\n    stat -c '%a %n' made\n    umask",
    );
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .umask("077")
        .run()
        .exited(0);
    let lines = run.output("Modes");
    assert!(
        lines.contains(&"644 .github/workflows/ci.yml".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"644 made".to_owned()), "{lines:?}");
    assert!(lines.contains(&"0022".to_owned()), "{lines:?}");
}

#[test]
fn the_user_is_runner_and_the_clock_is_utc() {
    let project =
        Project::of_steps("- name: Who\n  run: |\n    id -un\n    id -u\n    date +%Z\n    pwd");
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .env("TZ", "Asia/Tokyo")
        .run()
        .exited(0);
    let lines = run.output("Who");
    for expected in ["runner", "1001", "UTC", "/home/runner/work/project/project"] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {lines:?}"
        );
    }
}

#[test]
fn network_settings_are_carried_as_files_and_named() {
    let project = Project::of_steps(
        "- name: Settings\n  run: |\n    cat /etc/pip.conf\n    env | grep -c ^PIP_ || true",
    );
    let run = |option: &[&str]| {
        project
            .lrun()
            .args(&["ci.yml"])
            .args(option)
            .env("PIP_INDEX_URL", "https://mirror.example.org/simple")
            .run()
            .exited(0)
    };
    let with = run(&[]);
    let lines = with.output("Settings");
    let setting = "index-url = https://mirror.example.org/simple";
    assert!(lines.contains(&setting.to_owned()), "{lines:?}");
    assert!(lines.contains(&"0".to_owned()), "{lines:?}");
    assert_eq!(with.differences("network settings").len(), 1);
    let project_without = Project::of_steps("- name: Settings\n  run: cat /etc/pip.conf || true");
    let without = project_without
        .lrun()
        .args(&["ci.yml", "--no-network-config"])
        .env("PIP_INDEX_URL", "https://mirror.example.org/simple")
        .run()
        .exited(0);
    assert!(!without.output("Settings").contains(&setting.to_owned()));
    assert_eq!(without.differences("network settings").len(), 0);
}

#[test]
fn the_place_that_stands_in_is_named() {
    let project = Project::of_steps("- run: true");
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.differences("standing in for ubuntu-24.04").len(), 1);
}

#[test]
fn commands_of_the_base_system_are_no_difference() {
    let project = Project::of_steps("- run: ls | sort | tr a b");
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.differences("is on this machine, not on").len(), 0);
}
