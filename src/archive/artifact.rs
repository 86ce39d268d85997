//! Which files upload-artifact takes, under which names, and their way out of a place
//! (upload-artifact `src/shared/search.ts`, toolkit `upload-zip-specification.ts`, `zip.ts`).
//!
//! Directories are not kept, so empty ones are lost; links are replaced by what they point to.
//! What names are allowed in an artifact is for the rules beside this module, not decided here.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use serde::{Deserialize, Serialize};

use super::content::{Ending, Sink, member, send_content};
use super::problem::reason;
use crate::tree::{
    FileKind, Glob, GlobError, GlobOptions, HostFiles, Kind, Links, Roots, TreeItem,
};

/// The files of an artifact, and the directory that their names are relative to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundFiles {
    /// An absolute path; empty when the step's `path` names nothing to search.
    pub root: String,
    /// Whether the search started at several places: `root` is their least common ancestor then.
    pub several_search_paths: bool,
    /// In the order of the search.
    pub files: Vec<FoundFile>,
    /// How many more there would be with `include-hidden-files: true`.
    pub hidden_left_out: u64,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundFile {
    /// Where it is; absolute.
    pub path: String,
    /// Its name in the artifact: `path` from the root, without a slash before it.
    pub name: String,
}

/// What became of sending an artifact's files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sent {
    /// Files that could not be read. Not empty: the toolkit's upload would have failed.
    pub problems: Vec<String>,
    /// Sockets, pipes and devices: the toolkit warns of each and goes on without it.
    pub left_out: Vec<String>,
}

/// Searches as the calling user. `paths` are the lines of the step's `path` (one text with
/// several lines will do); links are followed, those that lead nowhere are left out.
pub fn find_artifact(
    paths: &[String],
    roots: Roots<'_>,
    include_hidden: bool,
) -> Result<FoundFiles, GlobError> {
    let glob = glob(paths, roots, include_hidden)?;
    let paths_found = find_files(&glob)?;
    // A second search, and one whose failures the original would not have met.
    let hidden_left_out = match include_hidden {
        true => 0,
        false => find_files(&self::glob(paths, roots, true)?)
            .map_or(0, |all| all.len().saturating_sub(paths_found.len()) as u64),
    };
    let search_paths = glob.search_paths();
    let root = root(&search_paths, &paths_found);
    let files = paths_found
        .into_iter()
        .map(|path| FoundFile {
            name: name_below(&root, &path),
            path,
        })
        .collect();
    Ok(FoundFiles {
        root,
        several_search_paths: search_paths.len() > 1,
        files,
        hidden_left_out,
    })
}

fn glob(paths: &[String], roots: Roots<'_>, include_hidden: bool) -> Result<Glob, GlobError> {
    let options = GlobOptions {
        implicit_descendants: true,
        links: Links::Follow,
        exclude_hidden: !include_hidden,
    };
    Glob::new(paths, roots, options)
}

/// Everything but directories. A path that is no UTF-8 is left out: Node.js reads another one
/// in its place, which does not exist and so is taken for a dangling link.
fn find_files(glob: &Glob) -> Result<Vec<String>, GlobError> {
    let found = glob.find(&HostFiles)?.into_iter();
    Ok(found
        .filter(|found| found.kind != FileKind::Directory)
        .filter_map(|found| String::from_utf8(found.path).ok())
        .collect())
}

/// The directory that names in the artifact are relative to.
fn root(search_paths: &[&[u8]], files: &[String]) -> String {
    let root = match (search_paths, files) {
        ([], _) => return String::new(),
        // Named without a wildcard, a file is alone in its artifact.
        ([only], [file]) if *only == file.as_bytes() => {
            let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
            return absolute(parent);
        }
        ([only], _) => only.to_vec(),
        (several, _) => least_common_ancestor(several),
    };
    String::from_utf8_lossy(&root).into_owned()
}

/// `/` for the empty path.
fn absolute(path: &str) -> String {
    match path {
        "" => "/".to_owned(),
        _ => path.to_owned(),
    }
}

fn least_common_ancestor(paths: &[&[u8]]) -> Vec<u8> {
    let mut names = paths.iter().map(|path| segments(path));
    let mut common = names.next().unwrap_or_default();
    for names in names {
        let shared = common.iter().zip(&names).take_while(|(a, b)| a == b);
        let length = shared.count();
        common.truncate(length);
    }
    [b"/", common.join(&b'/').as_slice()].concat()
}

fn segments(path: &[u8]) -> Vec<&[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
        .collect()
}

fn name_below(root: &str, path: &str) -> String {
    let name = path.strip_prefix(root).unwrap_or(path);
    name.trim_start_matches('/').to_owned()
}

/// Sends the files in their order, as the calling user. The error is the sink's.
pub fn send_artifact(
    found: &FoundFiles,
    sink: &mut dyn FnMut(TreeItem) -> io::Result<()>,
) -> io::Result<Sent> {
    let mut sent = Sent::default();
    for file in &found.files {
        match open(&file.path) {
            Ok((content, metadata)) => {
                sent.problems
                    .extend(send_file(file, content, &metadata, sink)?);
            }
            Err(Unsent::Problem(problem)) => sent.problems.push(problem),
            Err(Unsent::LeftOut) => sent.left_out.push(file.path.clone()),
        }
    }
    Ok(sent)
}

/// Why nothing of a file was sent.
enum Unsent {
    Problem(String),
    LeftOut,
}

fn open(path: &str) -> Result<(File, Metadata), Unsent> {
    // A socket cannot be opened, so it is looked at first.
    let metadata = fs::metadata(path).map_err(|error| unsent(path, &error))?;
    if !metadata.is_file() {
        return Err(Unsent::LeftOut);
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)
        .map_err(|error| unsent(path, &error))?;
    let metadata = file.metadata().map_err(|error| unsent(path, &error))?;
    Ok((file, metadata))
}

fn unsent(path: &str, error: &io::Error) -> Unsent {
    Unsent::Problem(match error.kind() {
        io::ErrorKind::NotFound => format!("File {path} does not exist"),
        _ => format!("cannot open '{path}': {}", reason(error)),
    })
}

/// What went wrong with the content, if anything did.
fn send_file(
    file: &FoundFile,
    mut content: File,
    metadata: &Metadata,
    sink: Sink<'_>,
) -> io::Result<Option<String>> {
    let size = metadata.len();
    let kind = Kind::File { size, content: () };
    sink(TreeItem::Member(member(
        file.name.as_bytes(),
        kind,
        metadata,
    )))?;
    let path = &file.path;
    Ok(match send_content(&mut content, size, sink)? {
        Ending::Whole => None,
        Ending::Short(missing) => Some(format!(
            "'{path}' shrank by {missing} bytes while it was read"
        )),
        Ending::Unreadable(error) => Some(format!("cannot read '{path}': {}", reason(&error))),
    })
}

#[cfg(test)]
#[path = "artifact_tests.rs"]
mod tests;
