//! The templates of workflows that are valid for both: what GitHub's parser makes of a whole file, and what `lrun parse
//! --json` writes.

use lrun::report::workflow_template;
use lrun::workflow::Workflow;
use serde_json::{Map, Value as Json};

/// What the package's converter leaves out, and lrun has of GitHub's other readers.
const OF_WORKFLOW: [&str; 3] = ["input-types", "permissions", "defaults"];
const OF_JOB: [&str; 6] = [
    "permissions",
    "continue-on-error",
    "timeout-minutes",
    "cancel-timeout-minutes",
    "defaults",
    "embedded-concurrency",
];
const OF_CALL: [&str; 1] = ["env"];
const OF_STEP: [&str; 4] = ["with", "shell", "working-directory", "timeout-minutes"];

/// Why two values at a path are the same all the same; what is not there is null.
type Reason = fn(&str, &Json, &Json) -> bool;
const REASONS: [(&str, Reason); 7] = [
    (
        // `skip-reusable-workflows.yml`
        "a call that was not followed has no jobs",
        |path, ours, theirs| path.ends_with(".jobs.jobs") && is_empty(ours) && theirs.is_null(),
    ),
    (
        // `concurrency.yml`
        "a job without steps has no list of them",
        |path, ours, theirs| path.ends_with(".jobs.steps") && ours.is_null() && is_empty(theirs),
    ),
    (
        // `insert.yml`
        "the package names the word of a directive otherwise",
        |path, ours, theirs| {
            let word = match path.rsplit_once(".Key.") {
                Some((_, "directive")) if theirs.is_null() => ours,
                Some((_, "expr")) if ours.is_null() => theirs,
                _ => return false,
            };
            word == "insert"
        },
    ),
    (
        // `yaml-schema-float.yml`
        "numbers that JSON has not",
        |_, ours, theirs| {
            theirs.is_null()
                && ["Infinity", "-Infinity", "NaN"]
                    .iter()
                    .any(|name| ours == name)
        },
    ),
    (
        // .NET's G15 for numbers.
        "the runner writes numbers as .NET does",
        |_, ours, _| ours.as_str().is_some_and(|text| text.contains("E+")),
    ),
    (
        // Indentation, and the last line's end though the header strips it.
        "the package takes the text of a block as it is written",
        |path, _, theirs| {
            let text = theirs.as_str().unwrap_or_default();
            path.ends_with(".expr") && (text.contains("format('  ") || text.contains('\n'))
        },
    ),
    (
        // Its list of types is that of `workflow_dispatch`.
        "the package knows no type `number`",
        |path, ours, theirs| {
            let is_number = path.ends_with(".type") && ours == "number";
            theirs.is_null() && (is_number || path.ends_with(".default") && ours.is_number())
        },
    ),
];

fn is_empty(list: &Json) -> bool {
    list.as_array().is_some_and(Vec::is_empty)
}

/// Where the templates differ beyond the rules; none if they do not.
pub(crate) fn difference(
    workflow: &Workflow,
    theirs: &Json,
    meet: &mut dyn FnMut(&'static str),
) -> Option<String> {
    let mut ours = workflow_template(workflow, false);
    without(&mut ours, &OF_WORKFLOW);
    strip_jobs(&mut ours);
    compare(&ours, theirs, "", meet)
}

fn without(value: &mut Json, keys: &[&str]) {
    if let Json::Object(members) = value {
        keys.iter().for_each(|key| drop(members.shift_remove(*key)));
    }
}

fn each(value: &mut Json, key: &str, strip: fn(&mut Json)) {
    let items = value.get_mut(key).and_then(Json::as_array_mut);
    items.into_iter().flatten().for_each(strip);
}

fn strip_jobs(value: &mut Json) {
    each(value, "jobs", |job| {
        without(job, &OF_JOB);
        if !job["ref"].is_null() {
            without(job, &OF_CALL);
        }
        each(job, "steps", strip_step);
        strip_jobs(job);
    });
}

fn strip_step(step: &mut Json) {
    without(step, &OF_STEP);
    each(step, "parallel", strip_step);
}

fn compare(
    ours: &Json,
    theirs: &Json,
    path: &str,
    meet: &mut dyn FnMut(&'static str),
) -> Option<String> {
    if ours == theirs {
        return None;
    }
    match (ours, theirs) {
        (Json::Object(ours), Json::Object(theirs)) => {
            return members(ours, theirs, path, meet);
        }
        (Json::Array(ours), Json::Array(theirs)) if ours.len() == theirs.len() => {
            let mut pairs = ours.iter().zip(theirs);
            return pairs.find_map(|(ours, theirs)| compare(ours, theirs, path, meet));
        }
        (Json::Number(ours), Json::Number(theirs)) if ours.as_f64() == theirs.as_f64() => {
            return None;
        }
        _ => {}
    }
    judge(ours, theirs, path, meet).then(|| format!("template{path}: {ours} // {theirs}"))
}

fn members(
    ours: &Map<String, Json>,
    theirs: &Map<String, Json>,
    path: &str,
    meet: &mut dyn FnMut(&'static str),
) -> Option<String> {
    let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter().find_map(|key| {
        let path = format!("{path}.{key}");
        match (ours.get(key), theirs.get(key)) {
            (Some(ours), Some(theirs)) => compare(ours, theirs, &path, meet),
            (ours, theirs) => {
                let whose = if ours.is_some() { "ours" } else { "theirs" };
                let (ours, theirs) = (ours.unwrap_or(&Json::Null), theirs.unwrap_or(&Json::Null));
                judge(ours, theirs, &path, meet).then(|| format!("template{path}: only {whose}"))
            }
        }
    })
}

/// Whether two values differ beyond the rules.
fn judge(ours: &Json, theirs: &Json, path: &str, meet: &mut dyn FnMut(&'static str)) -> bool {
    let mut reasons = REASONS.iter();
    let reason = reasons.find(|(_, reason)| reason(path, ours, theirs));
    reason.inspect(|(name, _)| meet(name)).is_none()
}
