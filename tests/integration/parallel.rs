//! Background steps: what runs beside what, and when a job sees what came of it.

use crate::lrun::Run;
use crate::project::Project;

fn run(steps: &str, code: i32) -> Run {
    let project = Project::of_steps(steps);
    project.lrun().args(&["ci.yml"]).run().exited(code)
}

fn says(run: &Run, step: &str, line: &str) {
    let lines = run.output(step);
    assert!(lines.iter().any(|said| said == line), "{lines:?}");
}

#[test]
fn what_a_background_step_did_is_seen_once_it_is_waited_for() {
    let run = run(
        "\
- id: server
  background: true
  run: |
    echo out=made >> $GITHUB_OUTPUT
    echo VARIABLE=set >> $GITHUB_ENV
    mkdir -p $HOME/tools && echo $HOME/tools >> $GITHUB_PATH
    touch $HOME/is-done
- name: Before
  run: |
    until [ -e $HOME/is-done ]; do sleep 0.05; done
    echo \"before '${{ steps.server.outputs.out }}' '$VARIABLE' '${{ steps.server.outcome }}'\"
- wait: server
- name: After
  run: |
    echo \"after '${{ steps.server.outputs.out }}' '$VARIABLE' '${{ steps.server.outcome }}'\"
    echo ${PATH%%:*}",
        0,
    );
    says(&run, "Before", "before '' '' ''");
    says(&run, "After", "after 'made' 'set' 'success'");
    says(&run, "After", "/home/runner/tools");
    assert_eq!(run.conclusions("Wait"), ["success"]);
}

#[test]
fn a_failed_background_step_fails_the_wait_for_it_and_no_step_before() {
    let run = run(
        "\
- { id: bad, name: Bad, background: true, run: exit 3 }
- { id: forgiven, background: true, continue-on-error: true, run: exit 3 }
- { name: Between, run: sleep 0.5 }
- { name: Waiting, wait: [forgiven, bad] }
- { name: Never, run: 'true' }
- name: Always
  if: always()
  run: echo ${{ steps.bad.outcome }} ${{ steps.forgiven.outcome }} ${{ steps.forgiven.conclusion }}",
        1,
    );
    assert_eq!(run.conclusions("Bad"), ["failure"]);
    assert_eq!(run.conclusions("Between"), ["success"]);
    assert_eq!(run.conclusions("Waiting"), ["failure"]);
    assert_eq!(run.conclusions("Never"), ["skipped"]);
    says(&run, "Always", "failure failure success");
}

#[test]
fn steps_of_a_group_run_at_once_and_are_waited_for() {
    let run = run(
        "\
- parallel:
    - { name: One, run: 'touch one; until [ -e two ]; do sleep 0.05; done' }
    - { name: Two, run: 'touch two; until [ -e one ]; do sleep 0.05; done' }
- { name: Next, run: test -e one -a -e two }",
        0,
    );
    assert_eq!(run.conclusions("Parallel group"), ["success"]);
    assert_eq!(run.conclusions("Next"), ["success"]);
}

#[test]
fn a_cancelled_step_is_interrupted_and_harms_nothing() {
    let run = run(
        "\
- id: forever
  name: Forever
  background: true
  run: |
    trap 'echo asked; exit 1' INT
    touch $HOME/is-there
    while true; do sleep 0.05; done
- run: until [ -e $HOME/is-there ]; do sleep 0.05; done
- { name: Stop, cancel: forever }
- { name: After, run: 'echo ${{ steps.forever.outcome }}' }",
        0,
    );
    says(&run, "Forever", "asked");
    assert_eq!(run.conclusions("Forever"), ["cancelled"]);
    assert_eq!(run.conclusions("Stop"), ["success"]);
    says(&run, "After", "cancelled");
}

#[test]
fn a_step_that_had_failed_fails_the_job_although_it_is_cancelled() {
    let run = run(
        "\
- { id: bad, background: true, run: 'echo $$ > $HOME/pid; exit 1' }
- run: until [ -s $HOME/pid ]; do sleep 0.05; done; while kill -0 $(cat $HOME/pid); do sleep 0.05; done; sleep 0.3
- { name: Stop, cancel: bad }
- { name: Never, run: 'true' }",
        1,
    );
    assert_eq!(run.conclusions("Stop"), ["success"]);
    assert_eq!(run.conclusions("Never"), ["skipped"]);
}

#[test]
fn what_nothing_waits_for_is_waited_for_at_the_end() {
    let run = run(
        "\
- { name: Slow, background: true, run: 'sleep 0.5; echo late; exit 1' }
- { name: Last, run: 'true' }",
        1,
    );
    says(&run, "Slow", "late");
    assert_eq!(run.conclusions("Last"), ["success"]);
    assert_eq!(
        run.conclusions("Wait for all background steps"),
        ["failure"]
    );
}

#[test]
fn ten_run_at_once_and_more_wait_for_their_turn() {
    let step = "- { background: true, run: 'touch $HOME/n-$$; n=$(ls $HOME | grep -c ^n-); echo at-once $n; sleep 0.4; rm $HOME/n-$$' }\n";
    let run = run(
        &format!("{}- {{ wait-all: , name: All }}", step.repeat(13)),
        0,
    );
    let transcript = run.transcript();
    let counts = transcript
        .lines()
        .filter_map(|line| line.split("at-once ").nth(1)?.trim().parse::<u32>().ok());
    let most = counts.max().expect("they count");
    assert!((2..=10).contains(&most), "{most} at once");
    assert_eq!(run.conclusions("All"), ["success"]);
}

#[test]
fn a_secret_of_one_step_is_hidden_in_those_beside_it() {
    let run = run(
        "\
- id: tells
  name: Tells
  background: true
  run: |
    until [ -e $HOME/masked ]; do sleep 0.05; done
    echo it is $(cat $HOME/masked)
- run: |
    value=very-$((40 + 2))-secret
    echo ::add-mask::$value
    sleep 0.3
    echo $value > $HOME/new && mv $HOME/new $HOME/masked
- wait-all: true",
        0,
    );
    says(&run, "Tells", "it is ***");
}
