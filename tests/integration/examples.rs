//! The repositories in `examples/`, run as their users would: cold, warm, and with a change.
//! They load packages from the network.

use std::process::Command;

use crate::lrun::Run;
use crate::project::Project;

fn run(project: &Project, workflow: &str) -> Run {
    project
        .lrun()
        .args(&[workflow])
        .with_network()
        .run()
        .exited(0)
}

fn has_line(run: &Run, step: &str, start: &str) -> bool {
    let lines = run.output(step);
    lines
        .iter()
        .any(|line| line.trim_start().starts_with(start))
}

#[test]
fn a_cargo_workspace_is_cold_warm_and_updated() {
    const BUILD: &str = "cargo build --locked";
    let project = Project::of_example("cargo-workspace");
    let before = project.state();

    let cold = run(&project, "ci.yml");
    assert_eq!(cold.lookups(), ["miss", "miss"]);
    assert_eq!(cold.saves(), 2);
    assert!(has_line(&cold, BUILD, "Compiling itoa"));
    assert_eq!(cold.conclusions("Fetch dependencies"), ["success"]);
    assert!(has_line(&cold, "Greet", "Hello, build of 2 vowels!"));
    assert_eq!(cold.of_type("artifact-uploaded").count(), 1);
    assert!(
        project.state() == before,
        "lrun wrote into the user's folder"
    );

    let warm = run(&project, "ci.yml");
    assert_eq!(warm.lookups(), ["hit", "hit"]);
    assert_eq!(warm.not_saved(), ["exact-hit", "exact-hit"]);
    assert_eq!(warm.conclusions("Fetch dependencies"), ["skipped"]);
    // A checkout has new modification times: the workspace's own crates are built again.
    assert!(has_line(&warm, BUILD, "Compiling greeting"));
    assert!(!has_line(&warm, BUILD, "Compiling itoa"));

    update(&project, "itoa", "1.0.17");
    let updated = run(&project, "ci.yml");
    assert_eq!(updated.lookups(), ["partial", "partial"]);
    assert_eq!(updated.saves(), 2);
    assert!(has_line(&updated, BUILD, "Compiling itoa v1.0.17"));
    assert!(!has_line(&updated, BUILD, "Compiling hex"));
    let reasons = updated
        .of_type("cache-looked-up")
        .map(|event| event["reasons"].to_string());
    assert!(
        reasons
            .into_iter()
            .all(|reasons| reasons.contains("Cargo.lock"))
    );
}

fn update(project: &Project, package: &str, version: &str) {
    let output = Command::new("cargo")
        .args([
            "update",
            "--quiet",
            "--package",
            package,
            "--precise",
            version,
        ])
        .current_dir(project.path())
        .output()
        .expect("cargo runs these tests");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_venv_is_filled_once_and_its_wheels_are_kept_over_a_change() {
    const FILL: &str = "Fill the venv";
    let project = Project::of_example("python-venv");

    let cold = run(&project, "render.yml");
    assert_eq!(cold.lookups(), ["miss", "miss"]);
    assert!(has_line(&cold, "Render", "bytes"));
    let uploaded: Vec<_> = cold.of_type("artifact-uploaded").collect();
    assert_eq!(uploaded[0]["files"], 2);

    let warm = run(&project, "render.yml");
    assert_eq!(warm.lookups(), ["hit", "hit"]);
    assert_eq!(warm.conclusions(FILL), ["skipped"]);
    assert!(has_line(&warm, "Render", "bytes"));

    let requirements = "humanize==4.9.0\nsix==1.17.0\ntabulate==0.9.0\n";
    project.write("requirements.txt", requirements);
    let changed = run(&project, "render.yml");
    assert_eq!(changed.lookups(), ["partial", "miss"]);
    assert_eq!(changed.conclusions(FILL), ["success"]);
    assert!(has_line(&changed, FILL, "Successfully installed"));
}

#[test]
fn inputs_of_a_dispatch_reach_the_steps() {
    let project = Project::of_example("python-venv");
    let run = project
        .lrun()
        .args(&[
            "render.yml",
            "--event",
            "workflow_dispatch",
            "--input",
            "title=By hand",
        ])
        .with_network()
        .run()
        .exited(0);
    assert_eq!(run.conclusions("Render"), ["success"]);
    assert!(
        run.of_type("run-started")
            .all(|event| event["event"] == "workflow_dispatch")
    );
}
