use super::*;
use crate::ids::{JobKey, RunId};
use crate::lookup::{CacheRequest, Compression, NotSaved, Scope, version};
use crate::store::StepAddress;

fn part(expression: Option<&str>, value: &str) -> KeyPart {
    KeyPart {
        made: Vec::new(),
        expression: expression.map(str::to_owned),
        value: value.to_owned(),
        bearing: None,
        hosted: None,
        files: Vec::new(),
    }
}

/// The origin of a key from texts, of which `name=value` is an expression.
fn origin(parts: &[&str]) -> KeyOrigin {
    let parts = parts.iter().map(|text| match text.split_once('=') {
        Some((expression, value)) => part(Some(expression), value),
        None => part(None, text),
    });
    KeyOrigin {
        parts: parts.collect(),
    }
}

fn step() -> StepAddress {
    StepAddress {
        workflow: "ci.yml".to_owned(),
        job: "build".to_owned(),
        step: "cache".to_owned(),
    }
}

fn key(origin: &KeyOrigin) -> String {
    origin.parts.iter().map(|part| &*part.value).collect()
}

/// An entry on main of this leg.
fn record(id: i64, leg: u32, parts: &[&str]) -> Record {
    let origin = origin(parts);
    let key = key(&origin);
    let paths = vec!["data".to_owned()];
    Record {
        id,
        scope: Scope("main".to_owned()),
        folded: folded(&key),
        key,
        version: version(&paths, Compression::Zstd),
        tree: Digest::of("tree"),
        size: 0,
        files: 0,
        paths,
        origin,
        run: RunId(id as u64),
        job: JobKey::new("build", leg),
        step: step(),
        dirty: false,
        archive_size: None,
        commit: Some(format!("commit {id}")),
    }
}

/// Why leg 0 does not find the key, and the entry compared with.
fn why(
    parts: &[&str],
    of_key: Vec<Record>,
    of_step: Vec<Record>,
) -> (Vec<MissReason>, Option<i64>) {
    let view = View {
        repository: "octo/app".to_owned(),
        scopes: vec![Scope("main".to_owned())],
        position: 100,
        run: RunId(99),
        job: JobKey::new("build", 0),
        needs: Vec::new(),
    };
    let origin = origin(parts);
    let paths = vec!["data".to_owned()];
    let request = CacheRequest {
        key: key(&origin),
        restore_keys: Vec::new(),
        version: version(&paths, Compression::Zstd),
        paths,
    };
    let known = Known {
        of_key,
        of_step,
        damaged: None,
        attempt: Some(Attempt {
            run: RunId(7),
            key: "k".to_owned(),
            why: NotSaved::NothingMatched,
        }),
    };
    let query = CacheQuery {
        request: &request,
        origin: &origin,
        step: &step(),
    };
    let (reasons, compared) = reasons(&view, &query, &known, None);
    (reasons, compared.map(|record| record.id))
}

/// The expressions of the parts that changed, `template` for that, and the run compared with.
fn changes(reasons: &[MissReason]) -> Vec<(&str, u64)> {
    let change = |reason| match reason {
        &MissReason::KeyPartChanged {
            ref expression,
            run,
            ..
        } => (&**expression, run.0),
        &MissReason::TemplateChanged { run, .. } => ("template", run.0),
        other => panic!("{other:?}"),
    };
    reasons.iter().map(change).collect()
}

#[test]
fn files_are_compared_by_path_and_content() {
    let files = |files: &[(&str, &str)]| -> Vec<HashedFile> {
        let file = |(path, content): &(&str, &str)| HashedFile {
            path: (*path).to_owned(),
            digest: Digest::of(content),
        };
        files.iter().map(file).collect()
    };
    let was = files(&[("b", "1"), ("gone", "1"), ("same", "1")]);
    let is = files(&[("same", "1"), ("b", "2"), ("a", "1")]);
    let changes: Vec<_> = changed_files(&was, &is)
        .into_iter()
        .map(|file| {
            (
                file.path,
                file.change,
                file.before.is_some(),
                file.after.is_some(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            ("a".to_owned(), Change::Added, false, true),
            ("b".to_owned(), Change::Changed, true, true),
            ("gone".to_owned(), Change::Removed, true, false)
        ]
    );
}

#[test]
fn the_entry_with_most_in_common_is_compared_with_and_of_several_the_newest() {
    let of_step = vec![
        record(3, 0, &["k-", "os=Windows", "h=2"]),
        record(2, 0, &["k-", "os=Linux", "h=2"]),
        record(1, 0, &["k-", "os=Linux", "h=1"]),
    ];
    let (reasons, compared) = why(&["k-", "os=Linux", "h=9"], Vec::new(), of_step);
    assert_eq!(changes(&reasons), [("h", 2)]);
    assert_eq!(compared, Some(2));
}

#[test]
fn a_leg_is_compared_with_its_own_entries() {
    let ours = || record(1, 0, &["k-", "matrix.n=1", "h=1"]);
    let other = || record(2, 1, &["k-", "matrix.n=2", "h=9"]);
    let parts = ["k-", "matrix.n=1", "h=9"];
    let (reasons, _) = why(&parts, Vec::new(), vec![other(), ours()]);
    assert_eq!(changes(&reasons), [("h", 1)]);
    let (reasons, _) = why(&parts, Vec::new(), vec![other()]);
    assert!(
        matches!(reasons[..], [MissReason::NeverSaved { .. }]),
        "{reasons:?}"
    );
    // The matrix itself was edited: the same leg has another value.
    let (reasons, _) = why(
        &["k-", "matrix.n=3", "h=1"],
        Vec::new(),
        vec![other(), ours()],
    );
    assert_eq!(changes(&reasons), [("matrix.n", 1)]);
}

#[test]
fn what_another_step_made_of_the_same_template_and_paths_is_compared_with_for_want_of_own() {
    let other = |id, parts: &[&str]| Record {
        step: StepAddress {
            job: "fill".to_owned(),
            ..step()
        },
        ..record(id, 0, parts)
    };
    let parts = ["k-", "h=9"];
    let (reasons, _) = why(&parts, Vec::new(), vec![other(2, &["k-", "h=1"])]);
    assert_eq!(changes(&reasons), [("h", 2)]);
    let both = vec![other(2, &["k-", "h=1"]), record(1, 0, &["k-", "h=2"])];
    assert_eq!(changes(&why(&parts, Vec::new(), both).0), [("h", 1)]);
    let unlike = other(2, &["x-", "h=1"]);
    let paths = vec!["elsewhere".to_owned()];
    let version = version(&paths, Compression::Zstd);
    let elsewhere = Record {
        version,
        paths,
        ..other(3, &["k-", "h=1"])
    };
    let (reasons, _) = why(&parts, Vec::new(), vec![elsewhere, unlike]);
    assert!(
        matches!(reasons[..], [MissReason::NeverSaved { .. }]),
        "{reasons:?}"
    );
}

#[test]
fn another_template_is_told_beside_the_parts_that_moved() {
    let of_step = || vec![record(1, 0, &["v1-", "h=1"])];
    let (reasons, _) = why(&["v2-", "h=1"], Vec::new(), of_step());
    let expected = MissReason::TemplateChanged {
        was: "v1-${{ h }}".to_owned(),
        is: "v2-${{ h }}".to_owned(),
        run: RunId(1),
    };
    assert_eq!(reasons, [expected]);
    let (reasons, _) = why(&["v2-", "h=2"], Vec::new(), of_step());
    assert_eq!(changes(&reasons), [("template", 1), ("h", 1)]);
    // One with today's template is nearer, though another is newer.
    let both = vec![record(2, 0, &["v1-", "h=1"]), record(1, 0, &["v2-", "h=2"])];
    let (reasons, _) = why(&["v2-", "h=1"], Vec::new(), both);
    assert_eq!(changes(&reasons), [("h", 1)]);
}

#[test]
fn what_another_step_made_of_another_template_is_no_change_of_this_one() {
    let origin = origin(&["v2-", "h=1"]);
    let paths = vec!["data".to_owned()];
    let request = CacheRequest {
        key: key(&origin),
        restore_keys: vec!["v".to_owned()],
        version: version(&paths, Compression::Zstd),
        paths,
    };
    let query = CacheQuery {
        request: &request,
        origin: &origin,
        step: &step(),
    };
    let other = Record {
        step: StepAddress {
            step: "other".to_owned(),
            ..step()
        },
        ..record(5, 0, &["v1-", "h=1"])
    };
    let expected = MissReason::OfAnotherStep {
        key: "v1-1".to_owned(),
        run: RunId(5),
        job: JobKey::new("build", 0),
        step: "other".to_owned(),
    };
    assert_eq!(changed_parts(&other, &query), [expected]);
}

#[test]
fn the_same_key_elsewhere_comes_before_any_comparison() {
    let parts = ["k-", "h=1"];
    let elsewhere = || Record {
        scope: Scope("feature".to_owned()),
        ..record(5, 0, &parts)
    };
    let of_step = || vec![record(1, 0, &["k-", "h=0"])];
    let scope = MissReason::OtherScope {
        scope: Scope("feature".to_owned()),
        run: Some(RunId(5)),
    };
    let (reasons, _) = why(&parts, vec![elsewhere()], of_step());
    assert_eq!(reasons, std::slice::from_ref(&scope));
    let paths = vec!["other".to_owned()];
    let both = Record {
        version: version(&paths, Compression::Zstd),
        paths: paths.clone(),
        ..elsewhere()
    };
    let (reasons, _) = why(&parts, vec![both], of_step());
    let run = RunId(5);
    assert_eq!(reasons, [scope, MissReason::OtherVersion { run, paths }]);
}

#[test]
fn a_step_that_never_saved_tells_its_last_attempt() {
    let (reasons, _) = why(&["k"], Vec::new(), Vec::new());
    let [
        MissReason::NeverSaved {
            attempt: Some(attempt),
        },
    ] = &reasons[..]
    else {
        panic!("{reasons:?}");
    };
    assert_eq!(
        (attempt.run, &attempt.why),
        (RunId(7), &NotSaved::NothingMatched)
    );
}
