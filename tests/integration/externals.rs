//! Node.js for JavaScript actions, as jobs find it.

use std::process::Command;

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
