//! Runs to report on, for tests.

use crate::difference::{Difference, DifferenceKind, Effect, Site, Verdict};
use crate::digest::Digest;
use crate::event::{
    Annotation, End, Event, EventKind, JobSummary, Level, LogLine, MovedArtifact, RunSummary,
};
use crate::ids::{JobKey, Phase, RunId, StepKey};
use crate::lookup::{
    Attempt, Bearing, CacheRequest, Change, EntrySummary, FileChange, HashedFile, Hosted,
    HostedTool, KeyOrigin, KeyPart, LineChange, Lookup, MatchedBy, MissReason, NotSaved, Scope,
};
use crate::outcome::{Outcome, SkipReason, Timing};

/// These facts as events, a second apart.
pub(super) fn events(kinds: impl IntoIterator<Item = EventKind>) -> Vec<Event> {
    let stamped = (0..).zip(kinds).map(|(sequence, kind)| Event {
        sequence,
        at_ms: 1_763_726_400_000 + sequence * 1_000,
        elapsed_us: sequence * 1_000_000,
        kind,
    });
    stamped.collect()
}

pub(super) fn step(job: &str, index: u32, phase: Phase) -> StepKey {
    StepKey {
        job: JobKey::new(job, 0),
        within: Vec::new(),
        index,
        phase,
    }
}

fn logs() -> MovedArtifact {
    MovedArtifact {
        name: "logs".to_owned(),
        files: 2,
        size: 1_500,
    }
}

pub(super) fn started(jobs: &[&str]) -> EventKind {
    EventKind::RunStarted(Box::new(RunSummary {
        run: RunId(13),
        workflow_path: ".github/workflows/ci.yml".to_owned(),
        workflow_name: "CI".to_owned(),
        repository: "octo/app".to_owned(),
        event_name: "push".to_owned(),
        git_ref: "refs/heads/main".to_owned(),
        sha: "77".repeat(20),
        head_sha: "3f2c1ab".repeat(6),
        changed_files: 1,
        jobs: jobs
            .iter()
            .map(|id| JobSummary {
                job: JobKey::new(*id, 0),
                name: (*id).to_owned(),
                label: "ubuntu-24.04".to_owned(),
                needs: Vec::new(),
            })
            .collect(),
    }))
}

pub(super) fn job_started(job: &str) -> EventKind {
    EventKind::JobStarted {
        job: JobKey::new(job, 0),
        place: "host: debian-12".to_owned(),
    }
}

pub(super) fn step_started(step: &StepKey, name: &str) -> EventKind {
    EventKind::StepStarted {
        step: step.clone(),
        name: name.to_owned(),
        named: true,
        id: None,
    }
}

pub(super) fn output(step: &StepKey, line: LogLine, text: &str) -> EventKind {
    EventKind::StepOutput {
        step: step.clone(),
        line,
        text: text.to_owned(),
    }
}

pub(super) fn step_finished(step: &StepKey, outcome: Outcome, wall_us: u64) -> EventKind {
    EventKind::StepFinished {
        step: step.clone(),
        end: End {
            outcome,
            conclusion: outcome,
            timing: Timing {
                wall_us,
                ..Timing::default()
            },
        },
    }
}

pub(super) fn looked_up(step: &StepKey, key: &str, lookup: Lookup) -> EventKind {
    EventKind::CacheLookedUp {
        step: step.clone(),
        request: CacheRequest {
            key: key.to_owned(),
            restore_keys: vec!["cargo-Linux-".to_owned()],
            paths: vec!["~/.cargo/registry".to_owned()],
            version: Digest::of("version"),
        },
        origin: KeyOrigin {
            parts: vec![KeyPart {
                made: Vec::new(),
                expression: Some("hashFiles('**/Cargo.lock')".to_owned()),
                value: "41fe".repeat(16),
                bearing: Some(Bearing::Portable),
                hosted: None,
                files: vec![HashedFile {
                    path: "Cargo.lock".to_owned(),
                    digest: Digest::of("lock"),
                }],
            }],
        },
        lookup,
    }
}

pub(super) fn entry(key: &str, size: u64) -> EntrySummary {
    EntrySummary {
        id: 7,
        key: key.to_owned(),
        scope: Scope("refs/heads/main".to_owned()),
        run: RunId(12),
        dirty: true,
        size,
        files: 3_120,
        archive_size: Some(size / 4),
    }
}

/// One reason of each kind.
pub(super) fn every_reason() -> Vec<MissReason> {
    let changed = |files| MissReason::KeyPartChanged {
        expression: "hashFiles('**/Cargo.lock')".to_owned(),
        was: "9f3c".repeat(16),
        is: "41fe".repeat(16),
        run: RunId(12),
        bearing: Some(Bearing::Portable),
        hosted: None,
        files,
    };
    let file = |path: &str, change| FileChange {
        path: path.to_owned(),
        change,
        before: (change != Change::Added).then(|| Digest::of("before")),
        after: (change != Change::Removed).then(|| Digest::of("after")),
        lines: Vec::new(),
        more: 0,
    };
    let lock = FileChange {
        lines: vec![LineChange {
            line: 41,
            entry: Some("regex".to_owned()),
            was: Some("1.11.1".to_owned()),
            is: Some("1.11.2".to_owned()),
        }],
        more: 2,
        ..file("Cargo.lock", Change::Changed)
    };
    vec![
        MissReason::NeverSaved { attempt: None },
        changed(vec![
            lock,
            file("a/Cargo.lock", Change::Added),
            file("b/Cargo.lock", Change::Removed),
        ]),
        MissReason::KeyPartChanged {
            expression: "steps.rust.outputs.version".to_owned(),
            was: "1.94.0".to_owned(),
            is: "1.95.0".to_owned(),
            run: RunId(12),
            bearing: Some(Bearing::Place),
            hosted: Some(Hosted {
                label: "ubuntu-24.04".to_owned(),
                value: None,
                tools: vec![HostedTool {
                    command: "rustc".to_owned(),
                    versions: vec!["1.97.1".to_owned()],
                }],
            }),
            files: Vec::new(),
        },
        MissReason::TemplateChanged {
            was: "v1-${{ runner.os }}".to_owned(),
            is: "v2-${{ runner.os }}".to_owned(),
            run: RunId(12),
        },
        MissReason::NeverSaved {
            attempt: Some(Attempt {
                run: RunId(12),
                key: "cargo".to_owned(),
                why: NotSaved::NothingMatched,
            }),
        },
        MissReason::NotPermitted {
            mode: "write-only".to_owned(),
        },
        MissReason::NotRestored {
            problem: "tar: x: Cannot open: Permission denied".to_owned(),
        },
        MissReason::OtherVersion {
            run: RunId(11),
            paths: vec!["~/.cargo".to_owned()],
        },
        MissReason::OtherScope {
            scope: Scope("refs/heads/feature".to_owned()),
            run: Some(RunId(10)),
        },
        MissReason::Concurrent {
            job: JobKey::new("test", 2),
        },
        MissReason::Damaged {
            problem: "blob 9f3c is gone".to_owned(),
            run: Some(RunId(9)),
        },
    ]
}

pub(super) fn differs(kind: DifferenceKind, site: Site, effect: Effect) -> EventKind {
    EventKind::Differs(Difference { kind, site, effect })
}

pub(super) fn compared(site: Site, cold_us: u64) -> EventKind {
    EventKind::Compared {
        site,
        run: RunId(12),
        cold_us,
    }
}

pub(super) fn run_finished(verdict: Verdict) -> EventKind {
    EventKind::RunFinished {
        verdict,
        timing: Timing {
            wall_us: 4_600_000,
            ..Timing::default()
        },
    }
}

/// A run with at least one event of each kind.
pub(super) fn every_kind() -> Vec<Event> {
    let main = |index| step("build", index, Phase::Main);
    let post = |index| step("build", index, Phase::Post);
    let failure = Annotation {
        level: Level::Error,
        message: "no such thing".to_owned(),
        title: None,
        file: Some("src/a.rs".to_owned()),
        line: Some(3),
        end_line: None,
        column: Some(7),
        end_column: None,
    };
    let partial = Lookup::Partial {
        entry: entry(&format!("cargo-Linux-{}", "9f3c".repeat(16)), 71_000_000),
        by: MatchedBy::RestoreKey(0),
        reasons: every_reason(),
    };
    let key = format!("cargo-Linux-{}", "41fe".repeat(16));
    events([
        started(&["build", "deploy"]),
        job_started("build"),
        step_started(&main(0), "actions/checkout@v5"),
        EventKind::CheckedOut {
            step: main(0),
            files: 1_204,
            changed: 1,
        },
        step_finished(&main(0), Outcome::Success, 11_000),
        step_started(&main(1), "Cache registry"),
        looked_up(&main(1), &key, partial),
        step_finished(&main(1), Outcome::Success, 6_000),
        step_started(&main(2), "cargo build"),
        output(&main(2), LogLine::Group, "Run cargo build"),
        output(&main(2), LogLine::Error, "no such thing"),
        EventKind::Annotated {
            step: main(2),
            annotation: failure,
        },
        EventKind::StepSummary {
            step: main(2),
            text: "## Build".to_owned(),
        },
        compared(Site::Step(main(2)), 38_200_000),
        step_finished(&main(2), Outcome::Failure, 4_310_000),
        EventKind::StepSkipped {
            step: main(3),
            name: "Upload".to_owned(),
            reason: SkipReason::Condition {
                condition: "success()".to_owned(),
            },
        },
        EventKind::ArtifactUploaded {
            step: main(4),
            artifact: logs(),
        },
        EventKind::ArtifactDownloaded {
            step: main(4),
            artifact: logs(),
        },
        EventKind::CacheSaved {
            step: post(1),
            key: key.clone(),
            size: 71_000_000,
            new_bytes: 400_000,
            files: 3_121,
        },
        EventKind::CacheNotSaved {
            step: post(4),
            key,
            reason: NotSaved::Reserved {
                by: Some(JobKey::new("test", 2)),
            },
        },
        differs(
            DifferenceKind::NetworkConfig {
                tools: vec!["cargo".to_owned()],
            },
            Site::Run,
            Effect::None,
        ),
        compared(Site::Job(JobKey::new("build", 0)), 39_000_000),
        EventKind::JobFinished {
            job: JobKey::new("build", 0),
            end: End {
                outcome: Outcome::Failure,
                conclusion: Outcome::Failure,
                timing: Timing::default(),
            },
        },
        EventKind::JobSkipped {
            job: JobKey::new("deploy", 0),
            reason: SkipReason::Needs {
                job: "build".to_owned(),
                result: Outcome::Failure,
            },
        },
        run_finished(Verdict::Failed),
    ])
}
