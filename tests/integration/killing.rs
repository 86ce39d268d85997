//! `kill -9` at any moment: nothing of a job survives, nothing stays behind, and the store is as
//! good as before. And: several lrun processes on one store, and a clock that is set back.

use std::fs;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use lrun::clock::Moment;

use crate::project::{Project, soon};

/// Every job checks what it restores, and fills what it does not; it leaves a daemon.
const STEPS: &str = r#"
- uses: actions/checkout@v5
- uses: actions/cache@v4
  id: cache
  with:
    path: |
      cached
      ~/more
    key: k-${{ hashFiles('key.txt') }}
- name: Work
  env:
    HIT: ${{ steps.cache.outputs.cache-hit }}
  run: |
    setsid sleep 86400 > /dev/null 2>&1 &
    if [ "$HIT" = true ]; then
      test "$(cat cached/[0-9]* ~/more/[0-9]*)" = "$(seq 1 60; seq 1 60)"
      test "$(cat cached/key)" = "$(cat key.txt)"
    fi
    mkdir -p cached ~/more
    for i in $(seq 1 60); do printf '%s\n' $i > cached/$(printf %02d $i); done
    cp cached/[0-9]* ~/more
    cp key.txt cached/key
"#;

/// A project whose jobs have a mark of their own in their environment.
fn marked(mark: &str) -> Project {
    let steps = STEPS.trim_matches('\n').replace('\n', "\n      ");
    let text = format!(
        "on: push\nenv:\n  MARK: {mark}\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      {steps}\n"
    );
    let mut files = vec![
        (".github/workflows/ci.yml".to_owned(), text),
        ("key.txt".to_owned(), "0\n".to_owned()),
    ];
    files.extend((0..60).map(|number| (format!("src/{number}.txt"), "text\n".repeat(number))));
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    Project::new(&files)
}

fn mark(name: &str) -> String {
    format!("lrun-test-{name}-{}", std::process::id())
}

/// How many processes of this machine have the mark in their environment.
fn processes_with(mark: &str) -> usize {
    let wanted = format!("MARK={mark}");
    let processes = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let environments = processes.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    environments
        .filter(|environment| {
            let mut variables = environment.split(|&byte| byte == 0);
            variables.any(|variable| variable == wanted.as_bytes())
        })
        .count()
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").expect("/proc is mounted")
}

/// Directories of runs that are to be gone after them.
fn works(project: &Project) -> usize {
    let runs = fs::read_dir(project.store().join("runs"));
    let runs = runs.into_iter().flatten().flatten();
    runs.filter(|run| run.path().join("work").exists()).count()
}

fn start(project: &Project) -> Child {
    let mut command: Command = project.lrun().args(&["ci.yml"]).into();
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("lrun can be started")
}

/// Numbers that look random and are the same every time.
fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23) % 1000
}

/// Kills so many runs at moments spread over all of their length, every third of them cold.
fn kill_runs(name: &str, kills: u64) {
    let mark = mark(name);
    let project = marked(&mark);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let before = mounts();
    let began = Moment::now();
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let length = began.elapsed();
    let mut slowest = Duration::ZERO;
    let mut ended = 0;
    for number in 0..kills {
        if number % 3 == 0 {
            project.write("key.txt", &format!("{number}\n"));
        }
        let mut run = start(&project);
        sleep(length.mul_f64(scattered(number + 1) as f64 / 900.0));
        run.kill().expect("it may be signalled");
        let status = run.wait().expect("it was started");
        let killed = Moment::now();
        ended += u64::from(status.code().is_some());
        assert!(matches!(status.code(), None | Some(0)), "{status}");
        assert!(soon(|| processes_with(&mark) == 0), "kill {number}");
        slowest = slowest.max(killed.elapsed());
        assert_eq!(mounts(), before);
    }
    for number in (0..kills).step_by(12) {
        project.write("key.txt", &format!("{number}\n"));
        project.lrun().args(&["ci.yml"]).run().exited(0);
    }
    assert!(
        soon(|| works(&project) == 0),
        "{} are left",
        works(&project)
    );
    assert_eq!(mounts(), before);
    assert_eq!(processes_with(&mark), 0);
    let milliseconds = slowest.as_millis();
    let figures = format!(
        "{kills} kills, {ended} of them too late; the last process was gone {milliseconds} ms after a kill at the latest"
    );
    writeln!(io::stderr(), "{figures}").expect("stderr is open");
}

#[test]
fn a_hundred_killed_runs_leave_nothing_and_harm_nothing() {
    kill_runs("hundred", 100);
}

#[test]
#[ignore = "the longer form of the test above, for `just kills`"]
fn two_hundred_killed_runs_leave_nothing_and_harm_nothing() {
    kill_runs("two-hundred", 200);
}

#[test]
fn two_and_eight_runs_at_once_share_a_store_and_a_repository() {
    let mark = mark("at-once");
    let project = marked(&mark);
    for (round, number) in [2, 8].into_iter().enumerate() {
        project.write("key.txt", &format!("round {round}\n"));
        let runs: Vec<_> = (0..number).map(|_| start(&project)).collect();
        for mut run in runs {
            assert_eq!(run.wait().expect("it was started").code(), Some(0));
        }
        let after = project.lrun().args(&["ci.yml"]).run().exited(0);
        assert_eq!(after.lookups(), ["hit"]);
    }
    assert!(soon(|| works(&project) == 0));
    assert_eq!(processes_with(&mark), 0);
}

#[test]
fn a_clock_that_is_set_back_changes_nothing() {
    let project = marked(&mark("clock"));
    project.lrun().args(&["ci.yml"]).run().exited(0);
    assert!(soon(|| works(&project) == 0));
    // As if all there is had been made in ten days from now.
    let script = "
import os, sqlite3, sys, time
store = sys.argv[1]
index = sqlite3.connect(store + '/index.db')
for table in ['runs', 'entries']:
    index.execute(f'UPDATE {table} SET created_ms = created_ms + 864000000')
index.commit()
index.close()
late = time.time() + 864000
for directory, _, names in os.walk(store):
    for name in names:
        os.utime(os.path.join(directory, name), (late, late), follow_symlinks=False)
";
    let store = project.store();
    let status = Command::new("python3")
        .args(["-c", script])
        .arg(store)
        .status();
    assert!(status.expect("python3 is installed").success());
    let again = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(again.lookups(), ["hit"]);
    project.write("key.txt", "another\n");
    let miss = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!((miss.lookups(), miss.saves()), (vec!["miss".to_owned()], 1));
    let hit = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(hit.lookups(), ["hit"]);
    assert!(soon(|| works(&project) == 0));
}
