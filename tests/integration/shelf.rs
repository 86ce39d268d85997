//! Restores and checkouts from the shelf, as jobs see them.

use crate::project::Project;

/// A job with a cache that its third step fills, looks at, and spoils after the hit.
const SPOILED: &str = "\
- uses: actions/checkout@v5
- id: cache
  uses: actions/cache@v4
  with:
    path: |
      cached
      ~/.tool/data
    key: k-1
- if: steps.cache.outputs.cache-hit != 'true'
  run: |
    mkdir -p cached/sub ~/.tool/data
    echo made > cached/sub/file
    ln cached/sub/file cached/sub/other
    ln -s file cached/sub/link
    echo tool > ~/.tool/data/file
- name: Look
  run: |
    find cached ~/.tool README -printf '%P %y %n %l %u %g\\n' | sort
    cat cached/sub/file ~/.tool/data/file README
    stat --format %i cached/sub
- name: Spoil
  if: steps.cache.outputs.cache-hit == 'true'
  run: |
    echo spoiled > cached/sub/file
    echo more > cached/more
    rm -r ~/.tool/data
    sudo chgrp 33 cached/sub || true
    chmod 000 cached/sub
    echo spoiled > README
    (cd cached; exec 3>late; sleep 100; echo late >&3) > /dev/null 2>&1 &";

#[test]
fn nothing_of_a_job_comes_to_the_next_by_the_shelf() {
    let project = Project::of_steps_and(SPOILED, &[("README", "read me\n")]);
    let look = |expected: &str| {
        let run = project.lrun().args(&["ci.yml"]).run().exited(0);
        assert_eq!(run.lookups(), [expected]);
        let mut lines = run.output("Look");
        let inode = lines.pop().expect("an inode");
        (lines, inode)
    };
    let (made, _) = look("miss");
    assert!(
        made.contains(&"sub/other f 2  runner runner".to_owned()),
        "{made:?}"
    );
    let (restored, inode) = look("hit");
    assert_eq!(restored, made);
    for _ in 0..2 {
        assert_eq!(look("hit"), (restored.clone(), inode.clone()));
    }
}

#[test]
fn what_is_there_already_is_merged_with() {
    let steps = "\
- name: Prepare
  run: |
    mkdir -p cached/sub
    echo theirs > cached/kept
    echo theirs > cached/sub/file
- uses: actions/cache/restore@v4
  id: cache
  with:
    path: cached
    key: k-1
- name: Look
  run: cat cached/kept cached/sub/file
- if: steps.cache.outputs.cache-hit != 'true'
  run: rm cached/kept; echo ours > cached/sub/file; chmod 700 cached/sub
- if: steps.cache.outputs.cache-hit != 'true'
  uses: actions/cache/save@v4
  with:
    path: cached
    key: k-1
- name: Mode
  run: stat --format %a cached/sub";
    let project = Project::of_steps(steps);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.lookups(), ["hit"]);
    let lines = run.output("Look");
    assert!(lines.contains(&"theirs".to_owned()), "{lines:?}");
    assert!(lines.contains(&"ours".to_owned()), "{lines:?}");
    assert_eq!(run.output("Mode").last().map(String::as_str), Some("700"));
}

#[test]
fn where_the_job_may_not_write_a_restore_fails_as_tar_does() {
    let steps = "\
- id: cache
  uses: actions/cache/restore@v4
  with:
    path: locked/cached
    key: k-1
- name: Look
  run: |
    echo \"there: $(ls -A locked 2> /dev/null)\"
    mkdir -p locked
    chmod 755 locked
    mkdir -p locked/cached
- if: steps.cache.outputs.cache-hit != 'true'
  run: echo x > locked/cached/file
- if: steps.cache.outputs.cache-hit != 'true'
  uses: actions/cache/save@v4
  with:
    path: locked/cached
    key: k-1";
    let project = Project::of_steps(steps);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let closed = format!("- run: mkdir locked; chmod 555 locked\n{steps}");
    project.write(
        ".github/workflows/ci.yml",
        &crate::project::workflow_of(&closed),
    );
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.lookups(), ["miss"], "{}", run.transcript());
    assert!(run.transcript().contains("Permission denied"));
    let lines = run.output("Look");
    assert!(lines.contains(&"there: ".to_owned()), "{lines:?}");
}

#[test]
fn a_directory_of_root_is_not_replaced_by_a_restore() {
    let steps = "\
- uses: actions/cache/restore@v4
  id: cache
  with:
    path: cached
    key: k-1
- name: Look
  run: echo \"there $(ls -A cached)\"
- if: steps.cache.outputs.cache-hit != 'true'
  run: mkdir cached; echo x > cached/file
- if: steps.cache.outputs.cache-hit != 'true'
  uses: actions/cache/save@v4
  with:
    path: cached
    key: k-1";
    let project = Project::of_steps(steps);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let closed = format!("- run: sudo mkdir cached\n{steps}");
    project.write(
        ".github/workflows/ci.yml",
        &crate::project::workflow_of(&closed),
    );
    let run = project.lrun().args(&["ci.yml"]).run();
    assert_eq!(run.lookups(), ["miss"], "{}", run.transcript());
    assert!(run.transcript().contains("Permission denied"));
    assert!(run.output("Look").contains(&"there ".to_owned()));
}

/// A job that fills two directories, and looks at them after a hit.
fn of_two(fill: &str, look: &str, end: &str) -> String {
    format!(
        "\
- id: cache
  uses: actions/cache/restore@v4
  with:
    path: one
    key: k-1
- uses: actions/cache/restore@v4
  with:
    path: two
    key: k-2
- name: Look
  if: steps.cache.outputs.cache-hit == 'true'
  run: {look}
- if: steps.cache.outputs.cache-hit != 'true'
  run: |
    mkdir one two
    {fill}
- if: steps.cache.outputs.cache-hit != 'true'
  uses: actions/cache/save@v4
  with:
    path: one
    key: k-1
- if: steps.cache.outputs.cache-hit != 'true'
  uses: actions/cache/save@v4
  with:
    path: two
    key: k-2
- run: {end}"
    )
}

/// Fills a cache and looks at it; what the look gave.
fn filled_and_looked_at(steps: &str) -> String {
    let project = Project::of_steps(steps);
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let run = project.lrun().args(&["ci.yml"]).run().exited(0);
    assert_eq!(run.lookups(), ["hit", "hit"], "{}", run.transcript());
    run.output("Look").pop().expect("a line")
}

#[test]
fn two_trees_share_no_file() {
    let steps = of_two(
        "echo old > one/file; ln one/file two/file",
        "echo new > one/file; cat two/file",
        "true",
    );
    assert_eq!(filled_and_looked_at(&steps), "old");
}

#[test]
fn what_an_archive_does_not_keep_does_not_come_back() {
    let set = "import os; os.setxattr('one/file', 'user.mine', b'x')";
    let steps = of_two(
        &format!("echo x > one/file; /usr/bin/python3 -c \"{set}\""),
        "/usr/bin/python3 -c \"import os; print(os.listxattr('one/file'))\"",
        "true",
    );
    assert_eq!(filled_and_looked_at(&steps), "[]");
}

#[test]
fn what_is_written_through_a_mapping_after_the_save_is_not_restored() {
    let fill = "echo file > one/file
    cat > ../map.py <<'END'
    import mmap, os, time
    file = open('one/file', 'r+b')
    mapped = mmap.mmap(file.fileno(), 0)
    mapped[0:4] = b'safe'
    open('../mapped', 'w')
    while not os.path.exists('../saved'): time.sleep(0.01)
    mapped[0:4] = b'evil'
    open('../written', 'w')
    time.sleep(100)
    END
    /usr/bin/python3 ../map.py > /dev/null 2>&1 &
    until test -e ../mapped; do sleep 0.01; done";
    let steps = of_two(
        fill,
        "cat one/file",
        "touch ../saved; while test -e ../mapped -a ! -e ../written; do sleep 0.01; done",
    );
    assert_eq!(filled_and_looked_at(&steps), "safe");
}

#[test]
fn legs_that_run_at_once_have_a_copy_each() {
    let text = "\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        leg: [1, 2]
    steps:
      - uses: actions/checkout@v5
      - uses: actions/cache@v4
        with:
          path: cached
          key: k-1
      - name: Look ${{ matrix.leg }}
        run: |
          mkdir -p cached
          echo \"before: $(head -n 1 cached/file) $(cat README)\"
          sleep 0.3
          echo ${{ matrix.leg }} >> README
          test -e cached/file || echo shared > cached/file
          echo ${{ matrix.leg }} >> cached/file
          echo \"after: $(tail -n 1 README)\"
";
    let project = Project::of_workflow(text);
    project.write("README", "read me\n");
    let run = || {
        project
            .lrun()
            .args(&["ci.yml", "--jobs", "2"])
            .run()
            .exited(0)
    };
    assert_eq!(run().saves(), 1);
    for _ in 0..2 {
        let again = run();
        assert_eq!(again.lookups(), ["hit", "hit"]);
        for leg in ["1", "2"] {
            let lines = again.output(&format!("Look {leg}"));
            for line in ["before: shared read me", &format!("after: {leg}")] {
                assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
            }
        }
    }
}
