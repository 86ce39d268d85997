//! What download-artifact makes of a zip file: plain files, whatever their modes and times were
//! (the toolkit's `unzip-stream` looks at neither).

use std::io::{self, Read, Seek};

use ::zip::result::ZipError as FormatError;

use super::content::{CHUNK, Sink};
use crate::tree::{Kind, Member, TreeItem};

/// The mode of every file, under the runner's umask.
pub(super) const MODE: u32 = 0o644;

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnzipError {
    /// It is no zip file, or a broken one.
    #[error("not a zip file: {0}")]
    Format(#[from] FormatError),
    /// Reading it failed, or nobody takes what is in it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Hands on the files of an archive in its order, with paths below where it is unpacked; gives
/// their number. `now_ns` is the time they get.
///
/// # Errors
/// Also when a name would lead out of the directory it is unpacked in.
pub fn unzip(archive: impl Read + Seek, now_ns: i64, sink: Sink<'_>) -> Result<u64, UnzipError> {
    let mut archive = ::zip::ZipArchive::new(archive)?;
    let mut files = 0;
    for index in 0..archive.len() {
        let mut file = archive.by_index(index)?;
        let Some(path) = file.enclosed_name() else {
            let message = format!("file {index} has a path that leads out of the archive");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
        };
        if file.is_dir() {
            continue;
        }
        let path = path.into_os_string().into_encoded_bytes();
        send_file(path, file.size(), &mut file, now_ns, sink)?;
        files += 1;
    }
    Ok(files)
}

/// Hands on one file, whose content is read to its end.
///
/// # Errors
/// Those of reading and of `sink`.
pub fn send_file(
    path: Vec<u8>,
    size: u64,
    content: &mut impl Read,
    now_ns: i64,
    sink: Sink<'_>,
) -> io::Result<()> {
    sink(TreeItem::Member(Member {
        path,
        kind: Kind::File { size, content: () },
        mode: MODE,
        mtime_ns: now_ns,
    }))?;
    loop {
        let mut bytes = Vec::with_capacity(CHUNK);
        content
            .by_ref()
            .take(CHUNK as u64)
            .read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(());
        }
        sink(TreeItem::Content(bytes))?;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;

    /// A zip file of these.
    fn zipped(files: &[(&str, &[u8])]) -> Cursor<Vec<u8>> {
        let mut zip = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            let options = ::zip::write::SimpleFileOptions::default().unix_permissions(0o755);
            zip.start_file(*name, options).expect("a file");
            zip.write_all(content).expect("memory takes it");
        }
        zip.finish().expect("an archive")
    }

    fn items(archive: Cursor<Vec<u8>>) -> Result<Vec<TreeItem>, UnzipError> {
        let mut items = Vec::new();
        unzip(archive, 7, &mut |item| {
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }

    #[test]
    fn files_come_with_the_mode_and_time_that_all_get() {
        let items = items(zipped(&[("bin/tool", b"#!"), ("empty", b"")])).expect("it is one");
        let member = |path: &str, size| {
            TreeItem::Member(Member {
                path: path.into(),
                kind: Kind::File { size, content: () },
                mode: MODE,
                mtime_ns: 7,
            })
        };
        let content = TreeItem::Content(b"#!".to_vec());
        assert_eq!(items, [member("bin/tool", 2), content, member("empty", 0)]);
    }

    #[test]
    fn a_name_that_leads_out_and_what_is_no_archive_are_refused() {
        assert!(items(zipped(&[("../x", b"")])).is_err());
        assert!(items(Cursor::new(b"not a zip file".to_vec())).is_err());
    }
}
