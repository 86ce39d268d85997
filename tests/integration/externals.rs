//! Node.js for JavaScript actions, as jobs find it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use lrun::config::Environment;
use lrun::externals::{Origin, Release, Sources};
use lrun::label::Architecture;

use crate::project::Project;

/// The node of this machine.
fn node() -> String {
    let output = Command::new("node")
        .args(["-p", "process.execPath"])
        .output()
        .expect("node is installed");
    String::from_utf8(output.stdout)
        .expect("a path in UTF-8")
        .trim()
        .to_owned()
}

#[test]
fn a_node_that_is_named_stands_where_the_runner_has_its_own() {
    let project = Project::of_steps(
        r"
- name: uses it
  run: |
    node=/home/runner/actions-runner/externals/node24/bin/node
    $node -p '`answer ${6 * 7}`'
    if touch $node; then exit 1; fi
",
    );
    let run = project.lrun().args(&["--node", &node()]).run().exited(0);
    assert!(run.output("uses it").contains(&"answer 42".to_owned()));
}

#[test]
fn a_node_of_another_major_version_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::of_steps("- run: 'true'\n");
    let words = "GitHub runs them with node 24";
    for (version, differences) in [("22.1.0", 1), ("24.1.0", 0)] {
        let program = directory.path().join(version);
        let script = format!("printf '#!/bin/sh\\necho v{version}\\n' > $0 && chmod +x $0");
        // By another process: nobody inherits the file while it is open for writing.
        let written = Command::new("sh")
            .args(["-c", &script])
            .arg(&program)
            .status();
        assert!(written.expect("there is sh").success());
        let program = program.to_str().expect("in UTF-8");
        let run = project.lrun().args(&["--node", program]).run().exited(0);
        assert_eq!(run.differences(words).len(), differences, "{version}");
    }
}

#[test]
fn what_is_no_node_is_refused_before_the_start() {
    let project = Project::of_steps("- run: 'true'\n");
    for (path, words) in [
        ("/bin/true", "answers no version"),
        ("/nowhere", "there is no node"),
    ] {
        let report = project.lrun().args(&["--node", path]).plain();
        assert_eq!(report.code, Some(2), "{}", report.stderr);
        assert!(report.stderr.contains(words), "{}", report.stderr);
        assert_eq!(report.stdout, "", "nothing was started");
    }
}

#[test]
fn without_a_distribution_the_user_s_npm_client_has_it() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("bound")
    };
    let mirror = format!("http://{closed}/dist");
    let environment = Environment::of_process();
    let store = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("writable");
    let sources = Sources {
        store: store.path(),
        mirror: Some(&mirror),
        offline: false,
        environment: &environment,
    };
    let release = Release::node24(Architecture::here().expect("of a label"));
    let fetched = sources.ensure(&release, || ()).expect("npm has it");
    assert_eq!(fetched.node.origin, Origin::Npm);
    let (origin, error) = &fetched.failed[0];
    assert_eq!(*origin, Origin::Mirror);
    assert!(error.to_string().starts_with(&mirror), "{error}");
    let output = Command::new(fetched.node.from.join("bin/node"))
        .args(["-p", "process.version"])
        .output();
    let output = output.expect("it starts");
    let version = String::from_utf8_lossy(&output.stdout);
    assert_eq!(version.trim(), format!("v{}", release.version));
}
