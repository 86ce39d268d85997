//! Why a key missed: what the report says, and that `lrun explain` says it after the fact, from
//! the record alone.

use std::fs;

use crate::project::{Project, soon, workflow_of};

/// A job with one cache step of this key, which fills what it caches.
fn cached(key: &str) -> String {
    let steps = "\
- uses: actions/checkout@v5
- id: cache
  name: Deps
  uses: actions/cache@v4
  with:
    path: cached
    key: KEY
- run: mkdir -p cached && date > cached/made";
    workflow_of(&steps.replace("KEY", key))
}

fn project(key: &str, files: &[(&str, &str)]) -> Project {
    let text = cached(key);
    Project::new(&[&[(".github/workflows/ci.yml", text.as_str())], files].concat())
}

/// Runs the workflow; the lines of the report that say why something missed, each without its
/// indent. Fails unless `lrun explain` says the same of the run.
fn why(project: &Project, arguments: &[&str]) -> Vec<String> {
    let report = project
        .lrun()
        .args(&[&["ci.yml"], arguments].concat())
        .plain();
    let lines = reasons(&report.stdout, "      ");
    let explained = project.lrun().args(&["explain", "last"]).plain();
    assert_eq!(explained.code, Some(0), "{}", explained.stderr);
    assert_eq!(
        reasons(&explained.stdout, "    "),
        lines,
        "{}\n{}",
        report.stdout,
        explained.stdout
    );
    lines
}

/// The lines at this indent that begin a reason, and what stands deeper below them.
fn reasons(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(indent) else {
            inside = false;
            continue;
        };
        inside = rest.starts_with("missed: ")
            || rest.starts_with("not exact: ")
            || (inside && rest.starts_with("  "));
        if inside {
            lines.push(rest.trim().to_owned());
        }
    }
    lines
}

#[test]
fn a_step_that_never_saved_says_so_and_why_it_could_not() {
    let project = project("one", &[]);
    let text = cached("one");
    let with_last = |last: &str| {
        let text = text.replace("mkdir -p cached && date > cached/made", last);
        project.write(".github/workflows/ci.yml", &text);
    };
    with_last("exit 1");
    assert_eq!(
        why(&project, &[]),
        ["missed: this step never saved an entry"]
    );
    with_last("x=1");
    assert_eq!(
        why(&project, &[]),
        [
            "missed: this step never saved an entry: run 1 did not reach the save, because the job failed"
        ]
    );
    with_last("x=2");
    assert_eq!(
        why(&project, &[]),
        [
            "missed: this step never saved an entry: run 2 reached the save, but nothing matched its paths"
        ]
    );
}

#[test]
fn a_changed_file_is_told_with_its_line() {
    let key = "k-${{ hashFiles('**/deps.lock') }}";
    let project = project(key, &[("deps.lock", "one\ntwo\n")]);
    why(&project, &[]);
    let changed = |run: u32, line: &str| {
        [
            format!("missed: hashFiles('**/deps.lock') changed since run {run}"),
            line.to_owned(),
        ]
    };
    // Against a commit, then against what never was in one.
    project.write("deps.lock", "one\n2\n");
    assert_eq!(why(&project, &[]), changed(1, "deps.lock:2   two → 2"));
    project.write("deps.lock", "one\n2\nthree\n");
    assert_eq!(why(&project, &[]), changed(2, "deps.lock:3   + three"));
    project.write("deps.lock", "2\nthree\n");
    project.commit("second");
    assert_eq!(why(&project, &[]), changed(3, "deps.lock:1   - one"));
}

#[test]
fn a_changed_lock_file_is_told_by_its_entry() {
    let lock = |version: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"regex\"\nversion = \"{version}\"\nchecksum = \"{version}\"\n"
        )
    };
    let key = "k-${{ runner.os }}-${{ hashFiles('Cargo.lock') }}\n    restore-keys: k-";
    let project = project(key, &[("Cargo.lock", &lock("1.11.1"))]);
    why(&project, &[]);
    project.write("Cargo.lock", &lock("1.11.2"));
    assert_eq!(
        why(&project, &[]),
        [
            "not exact: hashFiles('Cargo.lock') changed since run 1",
            "Cargo.lock:5   regex 1.11.1 → 1.11.2"
        ]
    );
}

#[test]
fn a_restore_is_compared_with_what_a_step_of_its_own_saved() {
    let steps = "\
- uses: actions/checkout@v5
- id: restore
  uses: actions/cache/restore@v4
  with:
    path: cached
    key: k-${{ hashFiles('a') }}
- run: mkdir -p CACHED && date > CACHED/made
- uses: actions/cache/save@v4
  with:
    path: cached
    key: ${{ steps.restore.outputs.cache-primary-key }}";
    let text = workflow_of(steps);
    let project = Project::new(&[(".github/workflows/ci.yml", &text), ("a", "1\n")]);
    let never = "missed: this step never saved an entry";
    assert_eq!(why(&project, &[]), [never]);
    let fills = text.replace("CACHED", "cached");
    project.write(".github/workflows/ci.yml", &fills);
    let tried = format!("{never}: run 1 reached the save, but nothing matched its paths");
    assert_eq!(why(&project, &[]), [tried]);
    project.write("a", "2\n");
    let changed = ["missed: hashFiles('a') changed since run 2", "a:1   1 → 2"];
    assert_eq!(why(&project, &[]), changed);
}

#[test]
fn files_that_come_and_go_are_told() {
    let project = project("k-${{ hashFiles('*.lock') }}", &[("a.lock", "a\n")]);
    why(&project, &[]);
    project.write("b.lock", "b\n");
    let first = "missed: hashFiles('*.lock') changed since run";
    assert_eq!(why(&project, &[]), [&format!("{first} 1"), "b.lock added"]);
    fs::remove_file(project.path().join("a.lock")).expect("it is there");
    assert_eq!(
        why(&project, &[]),
        [&format!("{first} 2"), "a.lock removed"]
    );
}

#[test]
fn another_template_is_told_beside_what_moved() {
    let project = project("v1-${{ hashFiles('a') }}", &[("a", "1\n")]);
    why(&project, &[]);
    let text = cached("v2-${{ hashFiles('a') }}");
    project.write(".github/workflows/ci.yml", &text);
    let template = [
        "missed: the template of the key changed since run 1",
        "was 'v1-${{ hashFiles('a') }}'",
        "is  'v2-${{ hashFiles('a') }}'",
    ];
    project.write("a", "2\n");
    let parts = ["missed: hashFiles('a') changed since run 1", "a:1   1 → 2"];
    assert_eq!(why(&project, &[]), [&template[..], &parts].concat());
}

#[test]
fn the_same_key_of_another_version_is_told_in_words() {
    let project = project("one", &[]);
    let text = cached("one");
    let with_paths = |paths: &str| {
        let text = text.replace("path: cached", &format!("path: |\n            {paths}"));
        project.write(".github/workflows/ci.yml", &text);
    };
    with_paths("cached\n            other");
    why(&project, &[]);
    with_paths("other\n            cached");
    assert_eq!(
        why(&project, &[]),
        [
            "missed: run 1 saved the key with the same paths in another order: another version",
            "path was 'cached, other', is 'other, cached'"
        ]
    );
    with_paths("./other\n            cached");
    assert_eq!(
        why(&project, &[]),
        [
            "missed: run 2 saved the key with the same paths spelled otherwise: another version",
            "path was 'other', is './other'"
        ]
    );
    with_paths("cached\n            third");
    let lines = why(&project, &[]);
    assert_eq!(
        lines[0],
        "missed: run 3 saved the key with other paths: another version"
    );
    assert_eq!(lines[1..], ["path added: third", "path removed: ./other"]);
}

#[test]
fn a_key_of_another_branch_is_told_with_it() {
    let project = project("one", &[]);
    project.git(&["branch", "feature"]);
    why(&project, &["--ref", "feature"]);
    assert_eq!(
        why(&project, &[]),
        ["missed: run 1 saved the key in refs/heads/feature, which this run cannot read"]
    );
}

#[test]
fn a_leg_is_told_of_the_one_beside_it_and_compared_with_itself() {
    let text = cached("k-${{ matrix.n }}-${{ hashFiles('a') }}");
    let matrix = "runs-on: ubuntu-24.04\n    strategy: { matrix: { n: [1, 2] } }";
    let text = text.replace("runs-on: ubuntu-24.04", matrix);
    let project = Project::new(&[(".github/workflows/ci.yml", &text), ("a", "1\n")]);
    let never = "missed: this step never saved an entry";
    assert_eq!(why(&project, &["--jobs", "1"]), [never, never]);
    project.write("a", "2\n");
    let own = ["missed: hashFiles('a') changed since run 1", "a:1   1 → 2"];
    assert_eq!(why(&project, &["--jobs", "1"]), [own, own].concat());

    project.write(
        ".github/workflows/ci.yml",
        &text.replace("k-${{ matrix.n }}-${{ hashFiles('a') }}", "shared"),
    );
    let lines = why(&project, &["--jobs", "1"]);
    let race = "missed: job build saved the key during this run; on GitHub that is a race";
    assert_eq!(lines.last().map(String::as_str), Some(race), "{lines:?}");
}

#[test]
fn a_damaged_entry_is_told() {
    // A file alone: a directory would be restored from the shelf, damaged or not.
    let text = cached("one").replace("path: cached", "path: cached/made");
    let project = Project::of_workflow(&text);
    why(&project, &[]);
    let blobs = project.store().join("blobs");
    for shard in fs::read_dir(blobs).expect("a store") {
        for blob in fs::read_dir(shard.expect("an entry").path()).expect("a shard") {
            let blob = blob.expect("an entry").path();
            // The file that was cached holds a date; the list of the tree's members is longer.
            if fs::metadata(&blob).expect("it is there").len() < 60 {
                fs::remove_file(&blob).expect("damage");
            }
        }
    }
    let lines = why(&project, &[]);
    let damaged = "missed: the entry that run 1 saved is damaged: blob ";
    assert!(
        lines[0].starts_with(damaged) && lines[0].ends_with("missing"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_mode_that_forbids_reading_is_told() {
    let text = cached("one").replace("runs-on", "cache-mode: write-only\n    runs-on");
    let project = Project::of_workflow(&text);
    assert_eq!(
        why(&project, &[]),
        ["missed: cache-mode 'write-only' does not permit reads"]
    );
}

#[test]
fn a_part_that_a_tool_reported_is_told_beside_the_image_s_version() {
    let text = cached("k-${{ runner.os }}-${{ steps.python.outputs.v }}-${{ github.sha }}")
        .replace(
            "- id: cache",
            "- { id: python, run: 'echo v=$(python3 -V) >> $GITHUB_OUTPUT' }\n      - id: cache",
        );
    let project = Project::of_workflow(&text);
    why(&project, &[]);
    let explained = project
        .lrun()
        .args(&["explain", "last", "build/cache"])
        .plain();
    let lines: Vec<_> = explained.stdout.lines().map(str::trim).collect();
    let has = |start: &str, end: &str| {
        let is_it = |line: &&str| line.starts_with(start) && line.ends_with(end);
        assert!(
            lines.iter().any(is_it),
            "{start}…{end}:\n{}",
            explained.stdout
        );
    };
    has("part     'k-'", "· portable");
    has(
        "part     runner.os = 'Linux'",
        "· label · the same on ubuntu-24.04",
    );
    has(
        "part     steps.python.outputs.v = 'Python 3.",
        "· ubuntu-24.04 has python3 3.12.3",
    );
    has(
        "part     github.sha = '",
        "· run: of the run, the commit or the moment",
    );
    has("saved k-Linux-Python 3.", "new");
}

#[test]
fn a_part_of_files_that_the_job_made_names_them() {
    let text = cached("k-${{ hashFiles('*.txt') }}-${{ hashFiles('deps.lock') }}")
        .replace("- id: cache", "- run: echo 3 > made.txt\n      - id: cache");
    let files = [
        (".github/workflows/ci.yml", text.as_str()),
        ("deps.lock", "one\n"),
        ("committed.txt", "one\n"),
    ];
    let project = Project::new(&files);
    why(&project, &[]);
    let explained = project.lrun().args(&["explain", "last"]).plain().stdout;
    let part = |expression: &str| {
        let mut lines = explained.lines();
        let line = lines.find(|line| line.contains(&format!("part     {expression}")));
        line.unwrap_or_else(|| panic!("{expression}: {explained}"))
    };
    let made = part("hashFiles('*.txt')");
    let expected = "· place: of files that the job made: made.txt";
    assert!(made.ends_with(expected), "{made}");
    let committed = part("hashFiles('deps.lock')");
    assert!(committed.ends_with("· portable"), "{committed}");
}

#[test]
fn runs_and_steps_that_are_not_there_are_refused_with_those_that_are() {
    let project = project("one", &[]);
    let refused = |arguments: &[&str], words: &str| {
        let ended = project.lrun().args(arguments).plain();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(words),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    };
    refused(&["explain", "last"], "no run is recorded yet");
    why(&project, &[]);
    refused(&["explain", "7"], "there is no run 7; the last ones are 1");
    refused(&["explain", "first"], "neither a number nor `last`");
    refused(
        &["explain", "1", "python"],
        "those that did: build/2 (Deps)",
    );

    // Its record cut in the middle, and then no record at all.
    let record = project.store().join("runs/1/events.jsonl");
    let whole = fs::read_to_string(&record).expect("the run has a record");
    fs::write(&record, &whole[..whole.len() - 20]).expect("it can be written");
    // Whoever clears up after the run is alive a little longer than it.
    let listed = || project.lrun().args(&["runs"]).plain().stdout;
    assert!(soon(|| listed().contains("· killed")), "{}", listed());
    let cut = project.lrun().args(&["explain", "1"]).plain();
    assert_eq!(cut.code, Some(0), "{}", cut.stderr);
    assert!(cut.stderr.contains("ends early"), "{}", cut.stderr);
    assert!(cut.stdout.contains("· killed"), "{}", cut.stdout);
    fs::write(&record, "garbage\n").expect("it can be written");
    refused(&["explain", "1"], "to forget this one");
    fs::write(&record, whole).expect("it can be written");

    let runs = project.lrun().args(&["runs"]).plain();
    assert!(runs.stdout.starts_with("1  20"), "{}", runs.stdout);
    assert!(
        runs.stdout.contains("ci.yml · push · main@") && runs.stdout.contains("passed"),
        "{}",
        runs.stdout
    );
    let json = project
        .lrun()
        .args(&["explain", "1", "cache", "--json"])
        .plain();
    let line: serde_json::Value = serde_json::from_str(&json.stdout).expect("one object");
    assert_eq!(line["result"], "miss");
    assert_eq!(line["why"][0], "missed: this step never saved an entry");
    assert_eq!(line["saved"]["key"], "one");
}
