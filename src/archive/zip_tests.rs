use std::fs;
use std::io::{Cursor, Read as _};
use std::process::Command;

use super::*;

/// 2026-11-21 12:30:14.5 UTC
const MTIME_NS: i64 = 1_795_264_214_500_000_000;

fn file(path: &str, mode: u32, size: u64) -> TreeItem {
    TreeItem::Member(Member {
        path: path.as_bytes().to_vec(),
        kind: Kind::File { size, content: () },
        mode,
        mtime_ns: MTIME_NS,
    })
}

/// A tool, a text in two pieces, an empty file, a name that is no ASCII.
fn items() -> Vec<TreeItem> {
    vec![
        file("bin/tool", 0o755, 4),
        TreeItem::Content(b"\x7fELF".to_vec()),
        file("text", 0o640, 20_000),
        TreeItem::Content(b"a".repeat(10_000)),
        TreeItem::Content(b"b".repeat(10_000)),
        file("empty", 0o644, 0),
        file("é.txt", 0o4755, 1),
        TreeItem::Content(b"e".to_vec()),
    ]
}

fn zip(items: &[TreeItem], level: i64) -> (Vec<u8>, Zipped) {
    let mut bytes = Vec::new();
    let mut writer = ZipWriter::new(&mut bytes, CompressionLevel::new(level).unwrap());
    for item in items {
        writer.take(item).unwrap();
    }
    let zipped = writer.finish().unwrap();
    (bytes, zipped)
}

fn python(program: &str, archive: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("artifact.zip");
    fs::write(&path, archive).unwrap();
    let output = Command::new("python3")
        .args(["-c", program])
        .arg(&path)
        .output()
        .expect("python3 is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_zip_crate_reads_back_what_was_written() {
    let (bytes, zipped) = zip(&items(), 6);
    assert_eq!(zipped.files, 4);
    assert_eq!(zipped.size, bytes.len() as u64);
    assert_eq!(zipped.digest, Digest::of(&bytes));
    let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut read = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let time = entry.last_modified().unwrap();
        assert_eq!(time.to_string(), "2026-11-21 12:30:14");
        let name = entry.name().unwrap().into_owned();
        read.push((name, entry.unix_mode().unwrap(), Digest::of(content)));
    }
    let text = "a".repeat(10_000) + &"b".repeat(10_000);
    let entry = |name: &str, mode, content: &str| (name.to_owned(), mode, Digest::of(content));
    assert_eq!(
        read,
        [
            entry("bin/tool", 0o100_755, "\x7fELF"),
            entry("text", 0o100_640, &text),
            entry("empty", 0o100_644, ""),
            // The crate hides the bit that python shows.
            entry("é.txt", 0o100_755, "e"),
        ]
    );
}

#[test]
fn python_reads_every_level_with_modes_and_times() {
    let program = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    print(archive.testzip())
    for entry in archive.infolist():
        print(entry.filename.encode(), oct(entry.external_attr >> 16), entry.file_size,
              entry.date_time, len(archive.read(entry)), entry.compress_type)
";
    for level in 0..=9 {
        let method = if level == 0 { 0 } else { 8 };
        let expected = format!(
            "None
b'bin/tool' 0o100755 4 (2026, 11, 21, 12, 30, 14) 4 {method}
b'text' 0o100640 20000 (2026, 11, 21, 12, 30, 14) 20000 {method}
b'empty' 0o100644 0 (2026, 11, 21, 12, 30, 14) 0 {method}
b'\\xc3\\xa9.txt' 0o104755 1 (2026, 11, 21, 12, 30, 14) 1 {method}
"
        );
        assert_eq!(python(program, &zip(&items(), level).0), expected);
    }
}

#[test]
fn equal_items_give_equal_bytes_and_levels_differ() {
    assert_eq!(zip(&items(), 6), zip(&items(), 6));
    let [stored, deflated] = [0, 9].map(|level| zip(&items(), level).1.size);
    assert!(stored > 20_000 && deflated < 2_000, "{stored} {deflated}");
}

#[test]
fn an_archive_may_be_empty() {
    let (bytes, zipped) = zip(&[], 6);
    assert_eq!((zipped.files, zipped.size), (0, 22));
    let program = "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).namelist())";
    assert_eq!(python(program, &bytes), "[]\n");
}

#[test]
fn more_entries_than_plain_zip_can_count_are_counted_by_zip64() {
    let items: Vec<TreeItem> = (0..65_600)
        .map(|number| file(&number.to_string(), 0o644, 0))
        .collect();
    let program = "import sys, zipfile; print(len(zipfile.ZipFile(sys.argv[1]).namelist()))";
    assert_eq!(python(program, &zip(&items, 0).0), "65600\n");
}

#[test]
fn files_that_may_pass_four_gibibytes_are_written_with_zip64_fields() {
    // The announced length decides; that of the content is the sender's duty.
    let item = [
        file("large", 0o644, LARGE),
        TreeItem::Content(b"x".to_vec()),
    ];
    let program = "import sys, zipfile
entry = zipfile.ZipFile(sys.argv[1]).infolist()[0]
print(entry.file_size, entry.extract_version)";
    assert_eq!(python(program, &zip(&item, 1).0), "1 45\n");
}

#[test]
fn times_that_zip_does_not_have_become_its_first() {
    assert_eq!(zip_time(-1).to_string(), "1980-01-01 00:00:00");
    assert_eq!(zip_time(i64::MAX).to_string(), "1980-01-01 00:00:00");
}

#[test]
fn directories_and_second_files_of_a_name_are_refused() {
    let mut bytes = Vec::new();
    let mut writer = ZipWriter::new(&mut bytes, CompressionLevel::default());
    let directory = TreeItem::Member(Member {
        path: b"d".to_vec(),
        kind: Kind::Directory,
        mode: 0o755,
        mtime_ns: 0,
    });
    assert!(matches!(
        writer.take(&directory),
        Err(ZipError::NotAFile { .. })
    ));
    writer.take(&file("a", 0o644, 0)).unwrap();
    let twice = writer.take(&file("a", 0o644, 0)).unwrap_err();
    assert!(twice.to_string().starts_with("cannot add 'a'"), "{twice}");
}

#[test]
fn a_full_disk_is_an_error_and_stays_one() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut writer = ZipWriter::new(Full(100), CompressionLevel::new(0).unwrap());
    writer.take(&file("a", 0o644, 200)).unwrap();
    let content = TreeItem::Content(vec![0; 200]);
    assert!(matches!(writer.take(&content), Err(ZipError::Content(_))));
    assert!(writer.finish().is_err());
}
