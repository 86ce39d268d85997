//! Where in the workspace a checkout goes.

use super::WorkspaceError;
use crate::exec::paths;
use crate::plan::CheckoutInputs;

/// Where the checkout goes: an absolute path inside the place, `workspace` or below it.
pub fn target(inputs: &CheckoutInputs, workspace: &str) -> Result<String, WorkspaceError> {
    let path = paths::resolved(workspace, &inputs.path);
    match path.strip_prefix(workspace) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(path),
        _ => Err(WorkspaceError::OutsideWorkspace {
            path,
            workspace: workspace.to_owned(),
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
}
