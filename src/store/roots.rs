//! The directories that a tree consists of: what can be put in place, or away, by one rename.

use std::collections::HashSet;
use std::ops::Range;

use crate::tree::{Kind, Tree};

/// A directory of a tree with all that is in it and nothing else of the tree beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its path in the tree.
    pub path: Vec<u8>,
    /// Which members of the tree it consists of; it is the first itself.
    pub members: Range<usize>,
}

/// The directories of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    /// In the tree's order.
    pub roots: Vec<Root>,
    /// Whether the tree consists of nothing else.
    pub are_all: bool,
}

/// The members of each directory of the tree that stands for itself. None at all where paths
/// stand in the tree twice or a name is linked to one in another directory: such a tree means
/// what tar makes of it.
pub(super) fn roots(tree: &Tree) -> Vec<Range<usize>> {
    let entries = &tree.entries;
    let mut roots = Vec::new();
    let mut loose = Vec::new();
    let mut first = 0;
    while let Some(entry) = entries.get(first) {
        let below = entries[first + 1..]
            .iter()
            .take_while(|other| is_below(&entry.path, &other.path))
            .count();
        if entry.kind == Kind::Directory {
            roots.push(first..first + 1 + below);
        } else {
            loose.push(first);
        }
        first += 1 + below;
    }
    let mut seen = HashSet::new();
    let is_plain = entries.iter().all(|entry| seen.insert(&entry.path[..]))
        && roots.iter().all(|root| links_stay_inside(tree, root))
        && !is_nested(tree, &roots, &loose);
    match is_plain {
        true => roots,
        false => Vec::new(),
    }
}

/// Whether every other name in the directory is one of a file that stands earlier in it.
fn links_stay_inside(tree: &Tree, root: &Range<usize>) -> bool {
    let members = &tree.entries[root.clone()];
    let mut files = HashSet::new();
    members.iter().all(|entry| match &entry.kind {
        Kind::Hardlink { target } => files.contains(&target[..]),
        _ => {
            files.insert(&entry.path[..]);
            true
        }
    })
}

/// Whether a directory or a file that stands alone is below another directory.
fn is_nested(tree: &Tree, roots: &[Range<usize>], loose: &[usize]) -> bool {
    let path = |at: usize| &tree.entries[at].path[..];
    let directories: HashSet<_> = roots.iter().map(|root| path(root.start)).collect();
    let alone = roots
        .iter()
        .map(|root| root.start)
        .chain(loose.iter().copied());
    alone.map(path).any(|path| {
        let ends = (0..path.len()).filter(|&at| path[at] == b'/');
        ends.map(|end| &path[..end])
            .any(|above| directories.contains(above))
    })
}

fn is_below(directory: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Entry;

    fn entry(path: &str) -> Entry {
        let (path, kind) = match (path.strip_suffix('/'), path.split_once("=")) {
            (Some(path), _) => (path, Kind::Directory),
            (_, Some((path, target))) => {
                let target = target.into();
                (path, Kind::Hardlink { target })
            }
            _ => {
                let target = b"anywhere".to_vec();
                (path, Kind::Symlink { target })
            }
        };
        Entry {
            path: path.into(),
            kind,
            mode: 0o755,
            mtime_ns: 0,
        }
    }

    fn roots_of(paths: &[&str]) -> Vec<Range<usize>> {
        let entries = paths.iter().map(|path| entry(path)).collect();
        roots(&Tree { entries })
    }

    #[test]
    fn each_directory_stands_with_what_is_in_it() {
        assert_eq!(
            roots_of(&["../a/", "../a/x", "../a/y=../a/x", "../ab/", "f", "../c/d/"]),
            [0..3, 3..4, 5..6]
        );
        assert!(roots_of(&["f", "g"]).is_empty());
    }

    #[test]
    fn what_tar_would_put_together_in_its_own_way_has_none() {
        for paths in [
            &["a/", "a/b/", "a/b/c", "a/b/", "a/b/c"][..],
            &["a/b/", "a/"],
            &["a/b/", "x", "a/"],
            &["a/", "x", "a/b/"],
            &["a/", "x", "a/f"],
            &["a/", "a/f", "b/", "b/f=a/f"],
        ] {
            assert!(roots_of(paths).is_empty(), "{paths:?}");
        }
    }
}
