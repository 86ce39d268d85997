//! Where in the workspace a checkout goes.

use super::WorkspaceError;
use crate::exec::paths;
use crate::plan::CheckoutInputs;

/// Where the checkout goes: an absolute path inside the place, `workspace` or below it.
pub fn target(inputs: &CheckoutInputs, workspace: &str) -> Result<String, WorkspaceError> {
    if inputs.is_from_parent() {
        return from_parent(inputs, workspace);
    }
    let path = paths::resolved(workspace, &inputs.path);
    match path.strip_prefix(workspace) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(path),
        _ => Err(WorkspaceError::OutsideWorkspace {
            path,
            workspace: workspace.to_owned(),
        }),
    }
}

/// The first major takes `path` from the workspace's parent (runner `RepositoryPlugin`).
fn from_parent(inputs: &CheckoutInputs, workspace: &str) -> Result<String, WorkspaceError> {
    let parent = paths::resolved(workspace, "..");
    let resolved = paths::resolved(&parent, &inputs.path);
    match resolved.strip_prefix(&parent) {
        Some(rest) if rest.starts_with('/') => Ok(resolved),
        _ => Err(WorkspaceError::OutsideRunnerWorkspace {
            path: inputs.path.clone(),
            workspace: parent,
            resolved,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_workspace() {
        let target = |path| target(&CheckoutInputs::read([("path", path)], None).0, "/w/hello");
        assert_eq!(target("").unwrap(), "/w/hello");
        assert_eq!(target("./a//b/../c").unwrap(), "/w/hello/a/c");
        assert_eq!(target("/w/hello/x").unwrap(), "/w/hello/x");
        for outside in ["..", "../hello2", "/w/hello2", "a/../../x"] {
            let error = target(outside).unwrap_err().to_string();
            assert!(error.ends_with("is not under '/w/hello'"), "{error}");
        }
    }

    #[test]
    fn the_first_major_starts_at_the_workspace_s_parent() {
        let with = |path| CheckoutInputs::read([("path", path)], Some(1)).0;
        assert_eq!(target(&with("x"), "/w/hello/hello").unwrap(), "/w/hello/x");
        let error = target(&with("../x"), "/w/hello/hello").unwrap_err();
        let words = "Input path '../x' should resolve to a directory under '/w/hello', current resolved path '/w/x'.";
        assert_eq!(error.to_string(), words);
    }
}
