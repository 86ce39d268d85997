//! Which names `actions/cache` hands to tar (toolkit `cacheUtils.resolvePaths`).
//!
//! Patterns match without implied descendants; tar then takes all that is below each name.
//! So an exclusion has an effect only where no directory above it is a match itself.

use crate::tree::{Glob, GlobError, GlobOptions, HostFiles, Links, Roots};

/// The list that tar reads its names from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Paths from the workspace, `.` for the workspace itself.
    pub names: Vec<Vec<u8>>,
    /// For each `path:` line, how many of the names it matches; zero for exclusions.
    pub matched: Vec<u64>,
}

impl Manifest {
    /// Finds what the `path:` lines name now, as the calling user sees it. What does not exist
    /// is not in the list: a manifest without names means that nothing can be saved.
    pub fn new(paths: &[String], roots: Roots<'_>) -> Result<Self, GlobError> {
        let options = GlobOptions {
            implicit_descendants: false,
            links: Links::Follow,
            exclude_hidden: false,
        };
        let glob = Glob::new(paths, roots, options)?;
        let mut matched = vec![0; paths.len()];
        let mut names = Vec::new();
        for found in glob.find(&HostFiles)? {
            for line in glob.lines_matching(&found.path) {
                matched[line] += 1;
            }
            names.push(relative(roots.workspace.as_bytes(), &found.path));
        }
        Ok(Self { names, matched })
    }
}

/// Node's `path.relative` between two absolute paths, with `.` instead of nothing.
fn relative(from: &[u8], to: &[u8]) -> Vec<u8> {
    let names = |path| <[u8]>::split(path, |&byte| byte == b'/').filter(|name| !name.is_empty());
    let common = names(from)
        .zip(names(to))
        .take_while(|(one, other)| one == other)
        .count();
    let up = names(from).skip(common).map(|_| &b".."[..]);
    let path: Vec<&[u8]> = up.chain(names(to).skip(common)).collect();
    match path.is_empty() {
        true => b".".to_vec(),
        false => path.join(&b'/'),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn paths_are_relative_to_the_workspace_also_outside_of_it() {
        let from = b"/home/runner/work/r/r";
        assert_eq!(relative(from, b"/home/runner/work/r/r"), b".");
        assert_eq!(relative(from, b"/home/runner/work/r/r/a/b"), b"a/b");
        assert_eq!(relative(from, b"/home/runner/.cargo"), b"../../../.cargo");
        assert_eq!(relative(from, b"/"), b"../../../../..");
        assert_eq!(relative(from, b"/home/runner/work/r/rr"), b"../rr");
    }

    #[test]
    fn exclusions_leave_directories_whose_content_tar_will_take() {
        let root = tempfile::tempdir().unwrap();
        let workspace = root.path().to_str().unwrap();
        fs::create_dir_all(root.path().join("data/sub")).unwrap();
        fs::write(root.path().join("data/x.log"), "").unwrap();
        fs::write(root.path().join("data/sub/y"), "").unwrap();
        let roots = Roots {
            workspace,
            home: workspace,
        };
        let lines = ["data/**", "!data/**/*.log", "# remark", "gone", "data/sub/"]
            .map(str::to_owned)
            .to_vec();
        let manifest = Manifest::new(&lines, roots).unwrap();
        let names: Vec<_> = manifest
            .names
            .iter()
            .map(|name| std::str::from_utf8(name).unwrap())
            .collect();
        assert_eq!(names, ["data", "data/sub", "data/sub/y"]);
        assert_eq!(manifest.matched, [3, 0, 0, 0, 1]);
    }
}
