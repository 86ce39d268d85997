//! Where in the workspace a checkout goes.

use super::WorkspaceError;
use crate::plan::CheckoutInputs;

/// Where the checkout goes: an absolute path inside the place, `workspace` or below it.
pub fn target(inputs: &CheckoutInputs, workspace: &str) -> Result<String, WorkspaceError> {
    let start = match inputs.path.starts_with('/') {
        true => "",
        false => workspace,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(inputs.path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = format!("/{}", parts.join("/"));
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
