//! Ctrl-C ends everything, and steps that always run still do.

use nix::sys::signal::{Signal, kill};

use crate::project::Project;

#[test]
fn an_interrupt_ends_the_step_runs_always_steps_and_exits_130() {
    let project = Project::of_steps(
        "- name: Long\n  run: |\n    echo ready\n    sleep 600\n- name: Next\n  run: echo next\n- name: Always\n  if: always()\n  run: echo status ${{ job.status }}",
    );
    let run = project
        .lrun()
        .args(&["ci.yml"])
        .run_and_when_ready(|lrun| kill(lrun, Signal::SIGINT).expect("it is running"));
    let run = run.exited(130);
    assert_eq!(run.conclusions("Long"), ["cancelled"]);
    assert_eq!(run.conclusions("Next"), ["skipped"]);
    assert!(
        run.output("Always")
            .contains(&"status cancelled".to_owned())
    );
}
