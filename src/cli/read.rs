//! Reading what a command is to look into: a file, or standard input for `-`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::Failure;
use crate::source::{Code, Diagnostic, Source, Span};

/// As many bytes no valid workflow or action has: 1 Mi characters of four bytes, and a mark before them.
pub(super) const MOST_BYTES: u64 = 4 * 1024 * 1024 + 8;

/// What standard input is called where files have paths.
pub(super) const STDIN: &str = "<stdin>";

/// What there is to read, and no more than so many bytes of it.
pub(super) fn some(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes).map(|_| bytes)
}

/// A file that is to be checked; or what is wrong with it if it is no text.
pub(super) fn source(path: &str, bytes: Vec<u8>) -> Result<Arc<Source>, Vec<Diagnostic>> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(Source::new(path, text)),
        Err(error) => error,
    };
    let start = error.utf8_error().valid_up_to();
    let source = Source::new(path, String::from_utf8_lossy(error.as_bytes()));
    let span = Span { start, end: start };
    let found = Diagnostic::new(&source, span, Code::Yaml, "The file is not UTF-8 text");
    Err(vec![found.with_help(Some("save it as UTF-8".to_owned()))])
}

/// The bytes of a file, or of standard input.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    bytes_within(path, u64::MAX)
}

/// The same, and no more than so many.
pub(super) fn bytes_within(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let read = match is_standard_input(path) {
        true => some(io::stdin().lock(), most),
        false => file(path, most),
    };
    read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", name(path))))
}

/// The bytes of a file, and no more than so many. Nobody waits for a named pipe that no one writes to, nor reads a device:
/// such are refused, unless they are what a shell gives for `<(…)`.
pub(super) fn file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    // Of a folder the system's own words are best.
    let is_usual = kind.is_file() || kind.is_dir() || path == Path::new("/dev/null");
    if !is_usual && !is_descriptor(path) {
        return Err(io::Error::other("it is neither a file nor a directory"));
    }
    some(std::fs::File::open(path)?, most)
}

/// Whether a path is that of something this process was given open: `/dev/fd/63`, `/dev/stdin`.
fn is_descriptor(path: &Path) -> bool {
    let own = Path::new("/proc/self/fd").canonicalize().ok();
    let is_own = |path: &Path| own.is_some() && folder(path) == own;
    is_own(path) || path.read_link().is_ok_and(|target| is_own(&target))
}

fn folder(path: &Path) -> Option<PathBuf> {
    path.parent()?.canonicalize().ok()
}

/// The same as text.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", name(path))))
}

/// What a file is called in messages.
pub(super) fn name(path: &Path) -> String {
    match is_standard_input(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// Whether it stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
