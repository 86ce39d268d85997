//! `uses`: the forms a reference may have. Where it leads is not asked here.

use crate::source::Located;
use crate::workflow::problems::Problems;

/// Checks the `uses` of a step: `./path`, `$/path`, `docker://image` or `{org}/{repo}[/path]@ref`.
pub(super) fn check_action(uses: &Located<String>, problems: &mut Problems) {
    let text = uses.value.as_str();
    if is_local(text) || text.starts_with("docker://") {
        return;
    }
    if let Some(path) = text.strip_prefix("$/") {
        check_own_repository(path, uses, problems);
        return;
    }
    let Some(path) = remote_path(text) else {
        let message = format!("Expected format {{org}}/{{repo}}[/path]@ref. Actual '{text}'");
        problems.add(uses.span, message);
        return;
    };
    if matches!(path[..], [_, _, ".github", "workflows", ..]) {
        problems.add(
            uses.span,
            "reusable workflows should be referenced at the top-level `jobs.*.uses' key, not within steps",
        );
    }
}

/// Checks the `uses` of a job: a file of `.github/workflows`, here or at a ref of another repository.
pub(super) fn check_workflow(uses: &Located<String>, problems: &mut Problems) {
    let text = uses.value.as_str();
    let invalid = |reason: &str| format!("invalid value workflow reference: {reason}");
    let own = text.strip_prefix("./").or_else(|| text.strip_prefix("$/"));
    let rooted = match own {
        Some(path) if path.contains('@') => {
            problems.add(
                uses.span,
                invalid("cannot specify version when calling local workflows"),
            );
            return;
        }
        Some(path) => path.starts_with(".github/workflows/"),
        None if !text.contains('@') => {
            problems.add(uses.span, invalid("no version specified"));
            return;
        }
        None => match remote_path(text) {
            Some(path) => matches!(path[..], [_, _, ".github", "workflows", _]),
            None => {
                let reason = "references to workflows must be prefixed with format 'owner/repository/' or './' for local workflows";
                problems.add(uses.span, invalid(reason));
                return;
            }
        },
    };
    if !rooted {
        let reason = "references to workflows must be rooted in '.github/workflows'";
        problems.add(uses.span, invalid(reason));
    }
}

/// What a step's id is made up from.
pub(super) fn words(uses: &str) -> String {
    if let Some(image) = uses.strip_prefix("docker://") {
        return image.to_owned();
    }
    if is_local(uses) || uses.starts_with("$/") {
        return "self".to_owned();
    }
    remote_path(uses).map_or_else(String::new, |path| format!("{}/{}", path[0], path[1]))
}

fn is_local(uses: &str) -> bool {
    uses.starts_with("./") || uses.starts_with(".\\")
}

fn check_own_repository(path: &str, uses: &Located<String>, problems: &mut Problems) {
    if path.contains('@') {
        let message = format!(
            "Expected format $/path without a ref: it is taken from the commit of this file. Actual '{}'",
            uses.value
        );
        problems.add(uses.span, message);
    }
}

/// The segments of `{org}/{repo}[/path]` when a ref follows.
fn remote_path(uses: &str) -> Option<Vec<&str>> {
    let (path, git_ref) = uses.split_once('@')?;
    let segments: Vec<&str> = path.split(['/', '\\']).collect();
    let named = segments.len() >= 2 && !segments[0].is_empty() && !segments[1].is_empty();
    (named && !git_ref.is_empty() && !git_ref.contains('@')).then_some(segments)
}
