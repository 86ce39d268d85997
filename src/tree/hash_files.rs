//! `hashFiles(…)`: one digest over the files that patterns match (runner
//! `Misc/layoutbin/hashFiles`, protocol facts 5.7).

use std::io;
use std::path::Path;

use super::files::{FileKind, Files, HostFiles, Links};
use super::glob::{Glob, GlobError, GlobOptions, Roots};
use crate::digest::{Digest, Hasher};

/// What `hashFiles` read and what it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedFiles {
    /// The digest over the files' digests; none, an empty text on GitHub, when nothing matched.
    pub digest: Option<Digest>,
    /// The files, by their path from the workspace, in the order they were hashed.
    pub files: Vec<(String, Digest)>,
}

/// Why `hashFiles` failed; GitHub fails the step then.
#[derive(Debug, thiserror::Error)]
pub enum HashFilesError {
    /// A pattern is not acceptable, or a directory cannot be searched.
    #[error(transparent)]
    Glob(#[from] GlobError),
    /// A file that matched cannot be read: a dangling link, or no permission.
    #[error("cannot hash '{path}': {source}")]
    Unreadable {
        /// Its path from the workspace.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that matched has no content: a pipe, a socket, a device.
    #[error("cannot hash '{path}': it is neither a file nor a directory")]
    NoContent {
        /// Its path from the workspace.
        path: String,
    },
}

/// The first argument that is no pattern.
const FOLLOW: &str = "--follow-symbolic-links";

/// A first argument that looks like an option and is none.
#[derive(Debug, thiserror::Error)]
#[error("Invalid glob option {option}, available option: '{FOLLOW}'.")]
pub struct InvalidHashOption {
    /// The argument.
    option: String,
}

/// The arguments of `hashFiles` as what to do with links, and the patterns
/// (`HashFilesFunction.cs` of the runner).
///
/// # Errors
/// When the first argument begins with `--` and is not the option.
pub fn hash_files_arguments(arguments: &[String]) -> Result<(Links, &[String]), InvalidHashOption> {
    match arguments {
        [first, patterns @ ..] if first.eq_ignore_ascii_case(FOLLOW) => {
            Ok((Links::Follow, patterns))
        }
        [first, ..] if first.starts_with("--") => Err(InvalidHashOption {
            option: first.clone(),
        }),
        patterns => Ok((Links::Keep, patterns)),
    }
}

/// Hashes what the patterns match in the workspace, a real directory, as the calling user.
///
/// Patterns are `hashFiles`' arguments without the option; `links` is [`Links::Follow`] under
/// `--follow-symbolic-links`. Files outside the workspace are left out.
pub fn hash_files(
    patterns: &[String],
    workspace: &Path,
    home: &Path,
    links: Links,
) -> Result<HashedFiles, HashFilesError> {
    let roots = Roots {
        workspace: &workspace.to_string_lossy(),
        home: &home.to_string_lossy(),
    };
    hash_files_in(&HostFiles, patterns, roots, links)
}

/// As [`hash_files`], over any files.
pub fn hash_files_in(
    files: &dyn Files,
    patterns: &[String],
    roots: Roots<'_>,
    links: Links,
) -> Result<HashedFiles, HashFilesError> {
    let options = GlobOptions {
        implicit_descendants: true,
        links,
        exclude_hidden: false,
    };
    let found = Glob::new(patterns, roots, options)?.find(files)?;
    let inside = format!("{}/", roots.workspace.trim_end_matches('/')).into_bytes();
    let mut hashed = Vec::new();
    let mut all = Hasher::default();
    for found in &found {
        let Some(name) = found.path.strip_prefix(inside.as_slice()) else {
            continue;
        };
        let name = String::from_utf8_lossy(name).into_owned();
        if let Some(digest) = hash_one(files, &found.path, &name)? {
            all.update(digest.0);
            hashed.push((name, digest));
        }
    }
    Ok(HashedFiles {
        digest: (!hashed.is_empty()).then(|| all.finish()),
        files: hashed,
    })
}

/// The digest of a file or of what a link points to; none for directories.
fn hash_one(files: &dyn Files, path: &[u8], name: &str) -> Result<Option<Digest>, HashFilesError> {
    let unreadable = |source| HashFilesError::Unreadable {
        path: name.to_owned(),
        source,
    };
    match files.kind(path, Links::Follow).map_err(unreadable)? {
        FileKind::Directory => Ok(None),
        FileKind::File => {
            let mut content = files.open(path).map_err(unreadable)?;
            Digest::of_reader(&mut content)
                .map(Some)
                .map_err(unreadable)
        }
        // Opening a pipe would wait for its other end; GitHub waits 120 s and then fails.
        FileKind::Symlink | FileKind::Other => Err(HashFilesError::NoContent {
            path: name.to_owned(),
        }),
    }
}
