//! Twelve shapes that workflows have: planned, none of them refused, each Linux job run at least in part.
//! They are run by `tests/fixtures.rs`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::project::Project;

/// The shapes, each with the steps that are left out, as `job/step`, and the legs that run elsewhere.
const SHAPES: [(&str, &[&str], usize); 12] = [
    ("codecov", &["test/4"], 0),
    (
        "docker",
        &[
            "build/2",
            "publish/2",
            "publish/3",
            "publish/4",
            "publish/5",
        ],
        0,
    ),
    ("go", &[], 0),
    ("java", &[], 0),
    ("labeler", &["label/1"], 0),
    ("make", &[], 0),
    ("node", &[], 0),
    ("pages", &["deploy/2", "deploy/4"], 0),
    ("python", &[], 0),
    ("release", &["release/3", "release/4"], 0),
    ("rust", &[], 0),
    ("systems", &[], 2),
];

#[test]
fn no_shape_is_refused_and_what_is_left_out_is_told_before_the_run() {
    let shapes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shapes");
    for (name, left_out, elsewhere) in SHAPES {
        let text = fs::read_to_string(shapes.join(format!("{name}.yml"))).expect("a shape");
        let project = Project::of_workflow(&text);
        let event = match name {
            "labeler" => "pull_request_target",
            _ => "push",
        };
        let report = project
            .lrun()
            .args(&["plan", "ci.yml", "--json", "--event", event])
            .plain();
        assert_eq!(report.code, Some(0), "{name}: {}", report.stderr);
        let plan: Value = serde_json::from_str(&report.stdout).expect("one line of JSON");
        let jobs = plan["jobs"].as_array().expect("jobs");
        let mut found = Vec::new();
        let mut legs_elsewhere = 0;
        for job in jobs {
            assert_eq!(job["obstacles"], serde_json::json!([]), "{name}: {job}");
            let id = job["job"].as_str().expect("an id");
            for step in job["left_out"].as_array().expect("a list") {
                found.push(format!("{id}/{}", step["step"]));
            }
            let legs = job["legs"].as_array().expect("legs");
            let not_here = legs.iter().filter(|leg| leg["here"] == false);
            legs_elsewhere += not_here.count();
        }
        assert_eq!(found, left_out, "{name}");
        assert_eq!(legs_elsewhere, elsewhere, "{name}");
    }
}
