//! What lrun answers in place of the actions that set tools up, from this machine's tools.

use std::process::Command;

use tempfile::TempDir;

use crate::lrun::Run;
use crate::project::Project;

/// What a program of this machine says, started without a place.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// With this machine's tools; nothing is fetched for it.
fn of_host(project: &Project) -> Run {
    project.lrun().args(&["--tools", "host"]).run()
}

/// What a script printed, without the head of its log.
fn printed(run: &Run, step: &str) -> Vec<String> {
    let lines = run.output(step);
    let head = lines.iter().position(String::is_empty);
    let start = head.map_or(0, |index| index + 1);
    lines[start..].to_vec()
}

#[test]
fn node_is_found_by_its_range_and_told_as_the_action_tells_it() {
    let version = said("node", &["--version"]);
    let major = version[1..].split('.').next().expect("a major").to_owned();
    let steps = format!(
        r"
- uses: actions/setup-node@v4
  id: node
  with:
    node-version: {major}.x
- name: told
  run: |
    echo ${{{{ steps.node.outputs.node-version }}}}
    node --version
"
    );
    let project = Project::of_steps(&steps);
    let run = of_host(&project).exited(0);
    assert_eq!(printed(&run, "told"), [version.clone(), version]);
    assert_eq!(
        run.differences("answered from this machine's tools").len(),
        1
    );
}

#[test]
fn a_version_that_is_not_here_is_an_error_that_names_what_is() {
    let project = Project::of_steps(
        r#"
- uses: actions/setup-node@v4
  with:
    node-version: 5.0.1
"#,
    );
    let run = of_host(&project).exited(1);
    let text = run.output("Run actions/setup-node@v4").join("\n");
    assert!(
        text.contains("node 5.0.1 is not on this machine, which has"),
        "{text}"
    );
    assert!(
        text.contains("GitHub's image has 22.23.2, 24.19.0"),
        "{text}"
    );
}

#[test]
fn offline_a_stand_in_runs_where_the_action_cannot_be_had() {
    let project = Project::of_steps(
        r#"
- uses: actions/setup-node@v4
- uses: Somebody/Other@v1
"#,
    );
    let report = project.lrun().args(&["--offline"]).plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    assert!(
        report.stderr.contains("Somebody/Other"),
        "{}",
        report.stderr
    );
    assert!(!report.stderr.contains("setup-node"), "{}", report.stderr);
    let project = Project::of_steps("- uses: actions/setup-node@v4\n");
    project.lrun().args(&["--offline"]).run().exited(0);
}

#[test]
fn the_cache_of_a_package_manager_is_saved_and_restored_by_its_own_key() {
    let project = Project::of_steps_and(
        r"
- uses: actions/checkout@v5
- uses: actions/setup-node@v4
  id: node
  with:
    cache: npm
- name: told
  run: |
    echo ${{ steps.node.outputs.cache-hit }}
    echo ${{ steps.node.outputs.cache-primary-key == format('node-cache-Linux-{0}-npm-{1}', runner.arch == 'X64' && 'x64' || 'arm64', hashFiles('package-lock.json')) }}
- run: mkdir -p ~/.npm && echo content > ~/.npm/file
",
        &[("package-lock.json", "{}\n")],
    );
    let first = of_host(&project).exited(0);
    assert_eq!(printed(&first, "told"), ["false", "true"]);
    assert_eq!(
        (first.lookups(), first.saves()),
        (vec!["miss".to_owned()], 1)
    );
    let second = of_host(&project).exited(0);
    assert_eq!(printed(&second, "told"), ["true", "true"]);
    assert_eq!(
        (second.lookups(), second.saves()),
        (vec!["hit".to_owned()], 0)
    );
}

#[test]
fn rust_is_the_toolchain_that_is_named_and_the_cache_s_key_has_its_parts() {
    let listed = said("rustup", &["toolchain", "list"]);
    let first = listed.split_whitespace().next().expect("a toolchain");
    let name = first.split("-x86_64").next().expect("a name");
    let steps = format!(
        r#"
- uses: actions/checkout@v5
- uses: dtolnay/rust-toolchain@master
  id: rust
  with:
    toolchain: "{name}"
- uses: Swatinem/rust-cache@v2
  id: cache
  with:
    shared-key: mine
- name: told
  run: |
    echo ${{{{ steps.cache.outputs.cache-hit }}}} $CARGO_INCREMENTAL
    test -n "${{{{ steps.rust.outputs.cachekey }}}}"
    mkdir -p target && echo x > target/file
"#
    );
    let project = Project::of_steps_and(&steps, &[("Cargo.lock", "version = 4\n")]);
    let first = of_host(&project).exited(0);
    assert_eq!(printed(&first, "told"), ["false 0"]);
    let key = first.of_type("cache-saved").next().expect("it was saved")["key"].clone();
    let key = key.as_str().expect("a text").to_owned();
    let parts: Vec<_> = key.split('-').collect();
    assert_eq!(
        parts[..5],
        ["v0", "rust", "mine", "Linux", parts[4]],
        "{key}"
    );
    assert_eq!(
        (parts.len(), parts[5].len(), parts[6].len()),
        (7, 8, 8),
        "{key}"
    );
    let second = of_host(&project).exited(0);
    assert_eq!(printed(&second, "told"), ["true 0"]);
    project.write("Cargo.lock", "version = 4\n\n");
    let third = of_host(&project).exited(0);
    assert_eq!(printed(&third, "told"), ["false 0"]);
    assert_eq!(third.lookups(), ["partial"]);
}

#[test]
fn a_toolchain_that_is_not_here_is_not_replaced() {
    let project = Project::of_steps("- uses: dtolnay/rust-toolchain@1.0.0\n");
    let run = of_host(&project).exited(1);
    let text = run.output("Run dtolnay/rust-toolchain@1.0.0").join("\n");
    assert!(
        text.contains("the Rust toolchain 1.0.0 is not on this machine"),
        "{text}"
    );
}

#[test]
fn python_stands_in_front_with_its_pip_and_its_variables() {
    // A home with one Python of a version manager: this machine's own, in a directory of its own.
    let home = TempDir::new().expect("a folder");
    let version = &said(
        "/usr/bin/python3",
        &["-c", "import platform; print(platform.python_version())"],
    );
    let pyenv = home.path().join(".pyenv/versions").join(version);
    said(
        "/usr/bin/python3",
        &["-m", "venv", pyenv.to_str().expect("UTF-8")],
    );
    let steps = format!(
        r#"
- uses: actions/checkout@v5
- uses: actions/setup-python@v6
  id: python
  with:
    python-version: "{version}"
    cache: pip
- name: told
  run: |
    python -c 'import sys; print(sys.prefix, "%d.%d.%d" % sys.version_info[:3])'
    echo $pythonLocation ${{{{ steps.python.outputs.python-version }}}}
    pip --version >/dev/null
    echo ${{{{ steps.python.outputs.cache-hit }}}}
"#
    );
    let project = Project::of_steps_and(&steps, &[("requirements.txt", "x\n")]);
    let run = project
        .lrun()
        .env("HOME", home.path())
        .args(&["--tools", "host"])
        .run()
        .exited(0);
    let told = printed(&run, "told");
    assert_eq!(told[0], told[1]);
    assert!(told[0].ends_with(version), "{told:?}");
    assert_eq!(told[2], "false");
    let key = format!("-24.04-Ubuntu-python-{version}-pip-");
    let log = run.output("Run actions/setup-python@v6").join("\n");
    assert!(log.contains(&key), "{log}");
}

#[test]
fn uv_is_what_the_job_has_and_no_other_version_is_put_in_its_place() {
    let steps = r#"
- uses: actions/checkout@v5
- run: |
    mkdir ~/of-uv
    cat > ~/of-uv/uv <<'end'
    #!/bin/sh
    case "$*" in
      --version) echo "uv 0.8.3 (7e78f54e7 2025-07-24)" ;;
      "python find") echo /bin/echo ;;
    esac
    end
    chmod +x ~/of-uv/uv
    echo ~/of-uv >> $GITHUB_PATH
- uses: astral-sh/setup-uv@v6
  id: uv
  with:
    version: ">=0.8,<0.9"
    python-version: "3.12"
- name: told
  run: |
    echo ${{ steps.uv.outputs.uv-version }} ${{ steps.uv.outputs.cache-hit }}
    echo ${{ steps.uv.outputs.uv-path }} ${{ steps.uv.outputs.uvx-path }}
    echo ${{ steps.uv.outputs.python-version }} $UV_PYTHON
    mkdir -p $UV_CACHE_DIR && echo content > $UV_CACHE_DIR/file
- uses: astral-sh/setup-uv@v6
  name: another
  continue-on-error: true
  with:
    version: 0.7.1
"#;
    let project = Project::of_steps_and(steps, &[("uv.lock", "version = 1\n")]);
    let first = of_host(&project).exited(0);
    let expected = |hit: &str| {
        let directory = "/home/runner/of-uv";
        [
            format!("0.8.3 {hit}"),
            format!("{directory}/uv {directory}/uvx"),
            "3.12 3.12".to_owned(),
        ]
    };
    assert_eq!(printed(&first, "told"), expected("false"));
    let text = first.output("another").join("\n");
    let words = "uv 0.7.1 is not on this machine, which has 0.8.3";
    assert!(text.contains(words), "{text}");
    let key = first.of_type("cache-saved").next().expect("it was saved")["key"].clone();
    let key = key.as_str().expect("a text");
    assert!(key.contains("-unknown-linux-gnu-3.12-pruned-"), "{key}");
    let second = of_host(&project).exited(0);
    assert_eq!(printed(&second, "told"), expected("true"));
    project.write("uv.lock", "version = 2\n");
    let third = of_host(&project).exited(0);
    assert_eq!(printed(&third, "told"), expected("false"));
}

#[test]
fn uv_that_is_not_here_is_an_error() {
    let project = Project::of_steps("- {uses: astral-sh/setup-uv@v6, with: {version: 0.0.9}}\n");
    let run = of_host(&project).exited(1);
    let text = run.output("Run astral-sh/setup-uv@v6").join("\n");
    let words = "uv 0.0.9 is not on this machine, which has ";
    assert!(text.contains(words), "{text}");
}
