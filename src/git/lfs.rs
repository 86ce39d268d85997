//! Git LFS pointers, made without git-lfs: its filter would write into the user's LFS store.
//!
//! The format is the specification's, version 1
//! (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::GitError;
use crate::digest::Hasher;

/// Pointers are shorter than this.
const POINTER_LIMIT: usize = 1024;
const VERSION_LINE: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// What git stores for the file under `filter=lfs`: its pointer. A file that is a pointer already
/// stays as it is, and so does an empty one.
pub(super) fn pointer(path: &Path) -> Result<Vec<u8>, GitError> {
    let file = File::open(path).map_err(GitError::io("read", path))?;
    read_pointer(BufReader::new(file)).map_err(GitError::io("read", path))
}

/// What git has for a file under LFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LfsPointer {
    /// The SHA-256 of the content, in hexadecimal digits.
    pub id: String,
    /// The size of the content in bytes.
    pub size: u64,
}

impl LfsPointer {
    /// Pointers are shorter than so many bytes.
    pub const LIMIT: u64 = POINTER_LIMIT as u64;

    /// Reads a pointer; none for what is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let lines = std::str::from_utf8(bytes.strip_prefix(VERSION_LINE)?).ok()?;
        let value = |key: &str| {
            let mut lines = lines.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
        };
        let id = value("oid")?.strip_prefix("sha256:")?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (id.len() == 64 && id.bytes().all(is_digit)).then_some(())?;
        Some(Self {
            id: id.to_owned(),
            size: value("size")?.parse().ok()?,
        })
    }

    /// Where an LFS store has the content, from its `objects` on.
    pub fn place(&self) -> PathBuf {
        let (one, two) = (&self.id[..2], &self.id[2..4]);
        Path::new(one).join(two).join(&self.id)
    }
}

fn read_pointer(mut content: impl Read) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    content
        .by_ref()
        .take(POINTER_LIMIT as u64)
        .read_to_end(&mut start)?;
    let is_pointer = start.len() < POINTER_LIMIT && start.starts_with(VERSION_LINE);
    if is_pointer || start.is_empty() {
        return Ok(start);
    }
    let mut hasher = Hasher::default();
    hasher.update(&start);
    let mut size = start.len() as u64;
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match content.read(&mut chunk)? {
            0 => break,
            read => {
                hasher.update(&chunk[..read]);
                size += read as u64;
            }
        }
    }
    let mut pointer = VERSION_LINE.to_vec();
    pointer.extend(format!("oid sha256:{}\nsize {size}\n", hasher.finish()).bytes());
    Ok(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_becomes_its_pointer_and_pointers_stay() {
        let pointer = read_pointer(&b"abc"[..]).unwrap();
        // FIPS 180-2, appendix B.1: the digest of "abc".
        let expected = "version https://git-lfs.github.com/spec/v1\n\
            oid sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n\
            size 3\n";
        assert_eq!(String::from_utf8_lossy(&pointer), expected);
        assert_eq!(read_pointer(&pointer[..]).unwrap(), pointer);
        assert_eq!(read_pointer(&b""[..]).unwrap(), b"");
    }

    #[test]
    fn only_a_pointer_is_read_as_one() {
        let id = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = |id: &str| {
            let version = String::from_utf8_lossy(VERSION_LINE).into_owned();
            format!("{version}oid sha256:{id}\nsize 12345\n")
        };
        let pointer = LfsPointer::parse(text(id).as_bytes()).unwrap();
        assert_eq!((pointer.id.as_str(), pointer.size), (id, 12345));
        assert_eq!(pointer.place(), Path::new("4d/7a").join(id));
        for id in ["../../../../etc/passwd", "4d7a", &"G".repeat(64)] {
            assert_eq!(LfsPointer::parse(text(id).as_bytes()), None, "{id}");
        }
        assert_eq!(LfsPointer::parse(b"some text"), None);
    }

    #[test]
    fn large_content_is_hashed_whole() {
        let content = vec![b'x'; 600_001];
        let pointer = read_pointer(&content[..]).unwrap();
        let digest = crate::digest::Digest::of(&content);
        let text = String::from_utf8(pointer).unwrap();
        assert!(text.contains(&digest.to_string()), "{text}");
        assert!(text.ends_with("size 600001\n"), "{text}");
    }
}
