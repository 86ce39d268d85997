//! Searching for files by `@actions/glob` patterns: what `hashFiles`, the paths of
//! `actions/cache` and those of `upload-artifact` are written in.
//!
//! A list of patterns is read in order: each adds what it matches, one that begins with `!`
//! takes away. The search starts at the literal beginnings of the patterns, goes depth first
//! and takes names in the order of their bytes.

use std::collections::HashSet;
use std::io;

use super::files::{FileKind, Files, Links};
use super::pattern::Pattern;

/// What relative patterns and `~` are relative to; absolute paths.
#[derive(Debug, Clone, Copy)]
pub struct Roots<'a> {
    /// `GITHUB_WORKSPACE`.
    pub workspace: &'a str,
    /// `HOME`.
    pub home: &'a str,
}

/// How a search goes; each use of the dialect has its own setting.
#[derive(Debug, Clone, Copy)]
pub struct GlobOptions {
    /// Whether a pattern that matches a directory stands for all below it, too.
    pub implicit_descendants: bool,
    /// Whether links are followed; dangling ones are left out then.
    pub links: Links,
    /// Whether names that begin with a dot are left out, with all below them.
    pub exclude_hidden: bool,
}

/// Why a search failed. The texts on patterns are the original's.
#[derive(Debug, thiserror::Error)]
pub enum GlobError {
    /// A line has nothing after its `!`.
    #[error("pattern cannot be empty")]
    EmptyPattern,
    /// A segment is `..`, or `.` and not the first.
    #[error("Invalid pattern '{pattern}'. Relative pathing '.' and '..' is not allowed.")]
    RelativePathing {
        /// The pattern, without its `!`.
        pattern: String,
    },
    /// Something on the way could not be read.
    #[error("cannot search '{path}': {source}")]
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// A list of patterns, ready to search with.
#[derive(Debug)]
pub struct Glob {
    /// With the number of the line each was made from.
    patterns: Vec<(usize, Pattern)>,
    options: GlobOptions,
}

/// A path the patterns matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute.
    pub path: Vec<u8>,
    /// What stands there, links followed or not as the options say.
    pub kind: FileKind,
}

impl Glob {
    /// Reads patterns, one a line; empty lines and those that begin with `#` say nothing.
    pub fn new<S: AsRef<str>>(
        lines: &[S],
        roots: Roots<'_>,
        options: GlobOptions,
    ) -> Result<Self, GlobError> {
        let mut patterns = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            // An argument may itself be several lines.
            for line in line.as_ref().lines().map(str::trim) {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let pattern = Pattern::new(line, &roots)?;
                let descendants = match options.implicit_descendants {
                    true => pattern.descendants(),
                    false => None,
                };
                patterns.push((number, pattern));
                patterns.extend(descendants.map(|below| (number, below)));
            }
        }
        Ok(Self { patterns, options })
    }

    /// Where the search starts: the literal beginnings of the patterns in their order, without
    /// those below another one. Patterns with `!` have none.
    pub fn search_paths(&self) -> Vec<&[u8]> {
        let candidates: Vec<&[u8]> = self
            .positive()
            .map(|(_, pattern)| pattern.search_path.as_slice())
            .collect();
        let all: HashSet<&[u8]> = candidates.iter().copied().collect();
        let mut taken = HashSet::new();
        candidates
            .into_iter()
            .filter(|path| {
                let below_another = ancestors(path).any(|ancestor| all.contains(ancestor));
                !below_another && taken.insert(*path)
            })
            .collect()
    }

    /// Everything that matches, directories too, in the order of the search.
    pub fn find(&self, files: &dyn Files) -> Result<Vec<Found>, GlobError> {
        let mut search = Search {
            glob: self,
            files,
            above: Vec::new(),
            found: Vec::new(),
        };
        for start in self.search_paths() {
            match files.kind(start, Links::Keep) {
                Ok(_) => search.visit(start)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(start, error)),
            }
        }
        Ok(search.found)
    }

    /// The numbers of the lines that match a path, those with `!` left out.
    pub fn lines_matching(&self, path: &[u8]) -> impl Iterator<Item = usize> {
        let segments = segments(path);
        self.positive()
            .filter(move |(_, pattern)| pattern.matches(&segments))
            .map(|(number, _)| *number)
    }

    fn positive(&self) -> impl Iterator<Item = &(usize, Pattern)> {
        self.patterns.iter().filter(|(_, pattern)| !pattern.negate)
    }

    fn matches(&self, segments: &[&[u8]]) -> Match {
        let mut result = Match::default();
        for (_, pattern) in &self.patterns {
            if pattern.matches(segments) {
                result.directory = !pattern.negate;
                if !pattern.directories_only {
                    result.file = !pattern.negate;
                }
            }
        }
        result
    }
}

/// As what a path matches.
#[derive(Debug, Default, Clone, Copy)]
struct Match {
    directory: bool,
    file: bool,
}

struct Search<'a> {
    glob: &'a Glob,
    files: &'a dyn Files,
    /// Real paths of the directories above, to notice links that lead back into one of them.
    above: Vec<Vec<u8>>,
    found: Vec<Found>,
}

impl Search<'_> {
    fn visit(&mut self, path: &[u8]) -> Result<(), GlobError> {
        let names = segments(path);
        let matched = self.glob.matches(&names);
        let on_the_way = || {
            let mut positive = self.glob.positive();
            positive.any(|(_, pattern)| pattern.may_match_below(&names))
        };
        if !matched.directory && !matched.file && !on_the_way() {
            return Ok(());
        }
        let Some(kind) = self.kind(path)? else {
            return Ok(());
        };
        let hidden = names.last().is_some_and(|name| name.starts_with(b"."));
        if self.glob.options.exclude_hidden && hidden {
            return Ok(());
        }
        if kind == FileKind::Directory {
            return self.visit_directory(path, matched);
        }
        if matched.file {
            self.report(path, kind);
        }
        Ok(())
    }

    fn visit_directory(&mut self, path: &[u8], matched: Match) -> Result<(), GlobError> {
        let follow = self.glob.options.links == Links::Follow;
        if follow {
            let real = self
                .files
                .real_path(path)
                .map_err(|e| unreadable(path, e))?;
            if self.above.contains(&real) {
                return Ok(());
            }
            self.above.push(real);
        }
        if matched.directory {
            self.report(path, FileKind::Directory);
        }
        let names = self.files.names(path).map_err(|e| unreadable(path, e))?;
        for name in names {
            self.visit(&join(path, &name))?;
        }
        if follow {
            self.above.pop();
        }
        Ok(())
    }

    /// What stands at the path; none for a dangling link where links are followed.
    fn kind(&self, path: &[u8]) -> Result<Option<FileKind>, GlobError> {
        let links = self.glob.options.links;
        match self.files.kind(path, links) {
            Ok(kind) => Ok(Some(kind)),
            Err(error) if links == Links::Follow && error.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(unreadable(path, error)),
        }
    }

    fn report(&mut self, path: &[u8], kind: FileKind) {
        self.found.push(Found {
            path: path.to_vec(),
            kind,
        });
    }
}

fn unreadable(path: &[u8], source: io::Error) -> GlobError {
    GlobError::Unreadable {
        path: String::from_utf8_lossy(path).into_owned(),
        source,
    }
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let directory = directory.strip_suffix(b"/").unwrap_or(directory);
    [directory, b"/", name].concat()
}

/// The names in an absolute path.
fn segments(path: &[u8]) -> Vec<&[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
        .collect()
}

/// The directories above an absolute path, nearest first.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(parent(path), |path| parent(path))
}

fn parent(path: &[u8]) -> Option<&[u8]> {
    let at = path.iter().rposition(|&byte| byte == b'/')?;
    let parent = &path[..at.max(1)];
    (parent != path).then_some(parent)
}

#[cfg(test)]
#[path = "glob_tests.rs"]
mod tests;
