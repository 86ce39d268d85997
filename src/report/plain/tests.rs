use super::*;
use crate::difference::DifferenceKind;
use crate::ids::Phase;
use crate::lookup::MatchedBy;
use crate::report::fixture::{
    compared, differs, entry, events, every_reason, job_started, looked_up, output, run_finished,
    started, step, step_finished, step_started,
};

const QUIET: PlainOptions = PlainOptions {
    verbose: false,
    summaries: false,
    color: false,
    room: Room::Unbounded,
};

fn print(kinds: impl IntoIterator<Item = EventKind>, options: PlainOptions) -> String {
    let mut out = Vec::new();
    let mut plain = Plain::new(&mut out, options);
    for event in events(kinds) {
        plain.event(&event).expect("memory can be written");
    }
    plain.finish().expect("memory can be written");
    String::from_utf8(out).expect("it is text")
}

fn key(digest: &str) -> String {
    format!("cargo-Linux-{}", digest.repeat(16))
}

#[test]
fn a_warm_run_with_one_dependency_updated() {
    let main = |index| step("build", index, Phase::Main);
    let post = step("build", 1, Phase::Post);
    let partial = Lookup::Partial {
        entry: entry(&key("9f3c"), 71_000_000),
        by: MatchedBy::RestoreKey(0),
        reasons: every_reason()[1..2].to_vec(),
    };
    let build_timing = Timing {
        wall_us: 4_310_000,
        user_us: 8_000_000,
        system_us: 200_000,
        max_rss_kib: 0,
    };
    let printed = print(
        [
            started(&["build"]),
            job_started("build"),
            step_started(&main(0), "actions/checkout@v5"),
            EventKind::CheckedOut {
                step: main(0),
                files: 1_204,
                changed: 1,
            },
            step_finished(&main(0), Outcome::Success, 11_000),
            step_started(&main(1), "Cache registry"),
            looked_up(&main(1), &key("41fe"), partial),
            step_finished(&main(1), Outcome::Success, 6_000),
            step_started(&main(2), "cargo build --locked"),
            output(&main(2), LogLine::Group, "Run cargo build --locked"),
            output(&main(2), LogLine::Runner, "shell: bash"),
            output(&main(2), LogLine::EndGroup, ""),
            output(&main(2), LogLine::Group, "Workspace"),
            output(&main(2), LogLine::Output, "   Compiling app v0.1.0"),
            compared(Site::Step(main(2)), 38_200_000),
            EventKind::StepFinished {
                step: main(2),
                end: End {
                    outcome: Outcome::Success,
                    conclusion: Outcome::Success,
                    timing: build_timing,
                },
            },
            step_started(&post, "Post Cache registry"),
            EventKind::CacheSaved {
                step: post.clone(),
                key: key("41fe"),
                size: 71_000_000,
                new_bytes: 400_000,
                files: 3_121,
            },
            step_finished(&post, Outcome::Success, 31_000),
            differs(
                DifferenceKind::CommandVersion {
                    command: "rustc".to_owned(),
                    here: "1.95.0".to_owned(),
                    hosted: "1.97.1".to_owned(),
                    label: "ubuntu-24.04".to_owned(),
                },
                Site::Step(main(2)),
                Effect::MayFlip,
            ),
            compared(Site::Job(JobKey::new("build", 0)), 39_000_000),
            run_finished(Verdict::Passed { differences: 1 }),
        ],
        QUIET,
    );
    insta::assert_snapshot!(printed, @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
    build · host: debian-12 standing in for ubuntu-24.04
      ✓ actions/checkout@v5  1,204 files, 1 changed                                                11 ms
      ✓ Cache registry       PARTIAL  cargo-Linux-9f3c… by restore-keys 1 (run 12, dirty)    71 MB      6 ms
          not exact: hashFiles('**/Cargo.lock') changed since run 12
            Cargo.lock:41   regex 1.11.1 → 1.11.2
            Cargo.lock   and 2 more
            a/Cargo.lock added
            b/Cargo.lock removed
      ✓ cargo build --locked                                                                      4.31 s   cpu 8.20 s   cold 38.2 s
      ✓ Post Cache registry  saved    cargo-Linux-41fe…, 400 kB new                      71 MB     31 ms

    cache    0 hits · 1 partial · 0 misses
    time     4.60 s here (cold 39.0 s)
    differs  cargo build --locked: used rustc 1.95.0; ubuntu-24.04 has 1.97.1
    passed with 1 difference
    ");
}

#[test]
fn a_miss_says_why_whatever_the_reason() {
    let main = step("build", 0, Phase::Main);
    let miss = Lookup::Miss {
        reasons: every_reason(),
    };
    let printed = print(
        [
            started(&["build"]),
            job_started("build"),
            step_started(&main, "Cache"),
            looked_up(&main, &key("41fe"), miss),
            step_finished(&main, Outcome::Success, 1_000),
        ],
        QUIET,
    );
    insta::assert_snapshot!(printed, @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
    build · host: debian-12 standing in for ubuntu-24.04
      ✓ Cache                MISS     cargo-Linux-41fe…                                             1 ms
          missed: this step never saved an entry
          missed: hashFiles('**/Cargo.lock') changed since run 12
            Cargo.lock:41   regex 1.11.1 → 1.11.2
            Cargo.lock   and 2 more
            a/Cargo.lock added
            b/Cargo.lock removed
          missed: steps.rust.outputs.version changed since run 12
            was '1.94.0', is '1.95.0'
            a tool of this machine reported it; ubuntu-24.04 has rustc 1.97.1
          missed: the template of the key changed since run 12
            was 'v1-${{ runner.os }}'
            is  'v2-${{ runner.os }}'
          missed: this step never saved an entry: run 12 reached the save, but nothing matched its paths
          missed: cache-mode 'write-only' does not permit reads
          missed: the entry was found but could not be restored: tar: x: Cannot open: Permission denied
          missed: run 11 saved the key with other paths: another version
            path added: ~/.cargo/registry
            path removed: ~/.cargo
          missed: run 10 saved the key in refs/heads/feature, which this run cannot read
          missed: job test.2 saved the key during this run; on GitHub that is a race
          missed: the entry that run 9 saved is damaged: blob 9f3c is gone
    ");
}

#[test]
fn lines_of_parallel_jobs_stand_under_their_names() {
    let (one, two) = (step("one", 0, Phase::Main), step("two", 0, Phase::Main));
    let mut kinds = vec![
        started(&["one", "two"]),
        job_started("one"),
        job_started("two"),
    ];
    kinds.extend([step_started(&one, "make"), step_started(&two, "test")]);
    kinds.push(output(&one, LogLine::Error, "early"));
    kinds.extend((0..25).map(|number| output(&one, LogLine::Output, &format!("line {number}"))));
    kinds.extend([
        output(&two, LogLine::Output, "not shown"),
        step_finished(&two, Outcome::Success, 200_000),
        step_finished(&one, Outcome::Failure, 300_000),
        EventKind::JobFinished {
            job: JobKey::new("two", 0),
            end: End {
                outcome: Outcome::Success,
                conclusion: Outcome::Success,
                timing: Timing {
                    wall_us: 250_000,
                    ..Timing::default()
                },
            },
        },
        run_finished(Verdict::Failed),
    ]);
    insta::assert_snapshot!(print(kinds, QUIET), @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
    two · host: debian-12 standing in for ubuntu-24.04
      ✓ test                                                                                      200 ms
    one · host: debian-12 standing in for ubuntu-24.04
      ✗ make                                                                                      300 ms
          Error: early
          … 5 lines before
          line 5
          line 6
          line 7
          line 8
          line 9
          line 10
          line 11
          line 12
          line 13
          line 14
          line 15
          line 16
          line 17
          line 18
          line 19
          line 20
          line 21
          line 22
          line 23
          line 24
    two
      ✓ job: success                                                                              250 ms

    cache    0 hits · 0 partial · 0 misses
    time     4.60 s here
    failed
    ");
}

#[test]
fn colours_change_no_text() {
    let kinds = || {
        crate::report::fixture::every_kind()
            .into_iter()
            .map(|event| event.kind)
    };
    let coloured = print(
        kinds(),
        PlainOptions {
            color: true,
            ..QUIET
        },
    );
    assert!(coloured.contains("\x1b[31m✗\x1b[0m"));
    let escape = regex::Regex::new("\x1b\\[[0-9]+m").expect("it is a pattern");
    assert_eq!(escape.replace_all(&coloured, ""), print(kinds(), QUIET));
}

#[test]
fn differences_without_effect_are_for_the_verbose() {
    let kinds = || {
        let kind = DifferenceKind::NetworkConfig {
            tools: vec!["pip".to_owned()],
        };
        [
            differs(kind.clone(), Site::Run, Effect::None),
            differs(kind, Site::Run, Effect::None),
        ]
    };
    let finished = || std::iter::once(run_finished(Verdict::Passed { differences: 0 }));
    let quiet = print(kinds().into_iter().chain(finished()), QUIET);
    assert!(!quiet.contains("differs"));
    let verbose = PlainOptions {
        verbose: true,
        ..QUIET
    };
    let printed = print(kinds().into_iter().chain(finished()), verbose);
    assert_eq!(printed.matches("differs").count(), 1);
}

#[test]
fn a_long_name_does_not_push_the_columns() {
    let main = step("build", 0, Phase::Main);
    let name = "cargo build --locked --all-targets && ".repeat(5);
    let kind = DifferenceKind::NetworkConfig {
        tools: vec!["pip".to_owned()],
    };
    let printed = print(
        [
            started(&["build"]),
            job_started("build"),
            step_started(&main, &name),
            looked_up(
                &main,
                &"a-key-of-many-words-".repeat(9),
                Lookup::Miss {
                    reasons: Vec::new(),
                },
            ),
            step_finished(&main, Outcome::Success, 4_000),
            differs(kind, Site::Step(main), Effect::MayFlip),
            run_finished(Verdict::Passed { differences: 1 }),
        ],
        QUIET,
    );
    insta::assert_snapshot!(printed, @r"
    ci.yml · push · main@3f2c1ab + 1 changed file
    build · host: debian-12 standing in for ubuntu-24.04
      ✓ cargo build --locke… MISS     a-key-of-many-words-a-key-of-many-words-a…ords-               4 ms

    cache    0 hits · 0 partial · 1 miss
    time     4.60 s here
    differs  cargo build --locked --all-targets && c…: network settings of this machine are in force for pip
    passed with 1 difference
    ");
}
