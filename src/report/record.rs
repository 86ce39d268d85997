//! The record of a run on disk: its events as lines of JSON behind a line that says so.
//!
//! The first line names the format and its version. A reader takes its own version only, and
//! drops a last line that was cut short, as that of a run that was killed may be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Reporter;
use crate::event::Event;

const FORMAT: &str = "lrun-events";

/// The version of the format; another meaning of a line is another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct FormatVersion(u32);

const VERSION: FormatVersion = FormatVersion(1);

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: FormatVersion,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("cannot read the record {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The first line is not that of a record.
    #[error("{path} is not a record of a run", path = path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another lrun.
    #[error(
        "{path} has format version {found}, and this lrun reads version {}; read it with the lrun that wrote it",
        VERSION.0,
        path = path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A line is no event.
    #[error("line {line} of {path} is not an event: {source}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from one.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Writes the record of a run.
#[derive(Debug)]
pub struct Record<W: Write> {
    out: BufWriter<W>,
}

impl Record<File> {
    /// A new record; a file that is there is replaced.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::new(File::create(path)?)
    }
}

impl<W: Write> Record<W> {
    /// A record written to `out`, with its first line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W) -> io::Result<Self> {
        let mut record = Self {
            out: BufWriter::new(out),
        };
        record.line(&Header {
            format: FORMAT.to_owned(),
            version: VERSION,
        })?;
        record.out.flush()?;
        Ok(record)
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> Reporter for Record<W> {
    fn name(&self) -> &'static str {
        "the record"
    }

    fn is_waited_for(&self) -> bool {
        true
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.line(event)
    }

    /// A run that is killed shall leave what it did.
    fn rest(&mut self) -> io::Result<Option<Duration>> {
        self.out.flush()?;
        Ok(None)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A record, behind its first line.
fn open(path: &Path) -> Result<BufReader<File>, RecordError> {
    let unreadable = |source| unreadable(path, source);
    let mut reader = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut header = String::new();
    reader.read_line(&mut header).map_err(unreadable)?;
    check_header(path, &header)?;
    Ok(reader)
}

fn unreadable(path: &Path, source: io::Error) -> RecordError {
    RecordError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// The events of a record, in order.
///
/// # Errors
/// See [`RecordError`]. A last line without a line end is not read.
pub fn read_record(path: &Path) -> Result<Vec<Event>, RecordError> {
    let unreadable = |source| unreadable(path, source);
    let mut reader = open(path)?;
    let mut text = String::new();
    let mut events = Vec::new();
    for line in 2.. {
        text.clear();
        reader.read_line(&mut text).map_err(unreadable)?;
        if !text.ends_with('\n') {
            break;
        }
        let event = serde_json::from_str(&text).map_err(|source| RecordError::Damaged {
            path: path.to_owned(),
            line,
            source,
        })?;
        events.push(event);
    }
    Ok(events)
}

/// The first event of a record, and the last one where it is no line of output, without
/// reading what is between.
///
/// # Errors
/// See [`RecordError`]; a record without any event is [`RecordError::NotARecord`].
pub fn read_ends(path: &Path) -> Result<(Event, Option<Event>), RecordError> {
    /// The events that end a run are far shorter.
    const TAIL: u64 = 16 * 1024;
    let unreadable = |source| unreadable(path, source);
    let mut reader = open(path)?;
    let mut text = String::new();
    reader.read_line(&mut text).map_err(unreadable)?;
    let first = serde_json::from_str(&text).map_err(|_| RecordError::NotARecord {
        path: path.to_owned(),
    })?;
    let length = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
    let start = SeekFrom::Start(length.saturating_sub(TAIL));
    reader.seek(start).map_err(unreadable)?;
    let mut tail = Vec::new();
    reader.read_to_end(&mut tail).map_err(unreadable)?;
    let last = tail.strip_suffix(b"\n").and_then(|tail| {
        let line = tail.rsplit(|&byte| byte == b'\n').next()?;
        serde_json::from_slice(line).ok()
    });
    Ok((first, last))
}

fn check_header(path: &Path, line: &str) -> Result<(), RecordError> {
    let path = path.to_owned();
    match serde_json::from_str::<Header>(line) {
        Ok(header) if header.format != FORMAT => Err(RecordError::NotARecord { path }),
        Ok(header) if header.version != VERSION => Err(RecordError::Version {
            path,
            found: header.version.0,
        }),
        Ok(_) => Ok(()),
        Err(_) => Err(RecordError::NotARecord { path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use crate::report::plain::{Plain, PlainOptions};

    fn printed(events: &[Event]) -> String {
        let mut out = Vec::new();
        let options = PlainOptions {
            verbose: true,
            summaries: true,
            color: true,
            room: crate::report::Room::Terminal(80),
        };
        let mut plain = Plain::new(&mut out, options);
        for event in events {
            plain.event(event).expect("memory can be written");
        }
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn a_record_gives_back_every_event() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let events = fixture::every_kind();
        let mut record = Record::create(&path).expect("the record is made");
        for event in &events {
            record.event(event).expect("the record is written");
        }
        record.finish().expect("the record is written");
        let read = read_record(&path).expect("the record is read");
        let (first, last) = read_ends(&path).expect("the record is read");
        assert_eq!(
            (Some(&first), last.as_ref()),
            (events.first(), events.last())
        );
        assert_eq!(read, events);
        assert_eq!(printed(&read), printed(&events));
    }

    #[test]
    fn what_an_older_lrun_recorded_is_read() {
        let step = r#""step":{"job":{"id":"build","leg":0},"index":1,"phase":"main"}"#;
        let stamp = r#""sequence":0,"at_ms":1,"elapsed_us":1"#;
        let request =
            r#""request":{"key":"k-2","restore_keys":[],"paths":["x"],"version":"DIGEST"}"#;
        let origin = r#""origin":{"parts":[{"expression":null,"value":"k-"},{"expression":"h","value":"2"}]}"#;
        let part = r#"{"reason":"key-part-changed","expression":"h","was":"1","is":"2","run":3,"files":[{"path":"a","change":"changed"}]}"#;
        let others = r#"{"reason":"never-saved"},{"reason":"other-scope","scope":"refs/heads/x"},{"reason":"damaged","problem":"p"}"#;
        let lookup = format!(r#""lookup":{{"result":"miss","reasons":[{part},{others}]}}"#);
        let lines = [
            r#"{"format":"lrun-events","version":1}"#.to_owned(),
            format!(r#"{{{stamp},"event":"step-started",{step},"name":"Cache","named":true}}"#),
            format!(r#"{{{stamp},"event":"cache-looked-up",{step},{request},{origin},{lookup}}}"#),
        ];
        let digest = crate::digest::Digest::of("version").to_string();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let text = lines.join("\n").replace("DIGEST", &digest) + "\n";
        std::fs::write(&path, text).expect("the file is written");
        let events = read_record(&path).expect("it is read");
        let run = crate::explain::RecordedRun::new(&events, false);
        let steps: Vec<_> = run.cached().collect();
        let mut out = Vec::new();
        crate::report::explained(&mut out, &run, &steps, false).expect("memory can be written");
        let printed = String::from_utf8(out).expect("it is text");
        let why = &printed[printed.find("    missed").expect("it has reasons")..];
        insta::assert_snapshot!(why, @r"
            missed: h changed since run 3
              a changed
            missed: this step never saved an entry
            missed: the key exists in refs/heads/x, which this run cannot read
            missed: the entry is damaged: p
        ");
    }

    #[test]
    fn what_is_no_record_of_this_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let header = r#"{"format":"lrun-events","version":1}"#;
        let event = serde_json::to_string(&fixture::every_kind()[0]).expect("it is JSON");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("the file is written");
            read_record(&path)
        };
        let cut = format!("{header}\n{event}\n{}", &event[..20]);
        assert_eq!(read(&cut).expect("it is read").len(), 1);
        let damaged = format!("{header}\n{}\n", &event[..20]);
        assert!(matches!(
            read(&damaged),
            Err(RecordError::Damaged { line: 2, .. })
        ));
        let newer = header.replace('1', "2");
        assert!(matches!(
            read(&newer),
            Err(RecordError::Version { found: 2, .. })
        ));
        for text in ["", "{}", "PNG", r#"{"format":"x","version":1}"#] {
            assert!(
                matches!(read(text), Err(RecordError::NotARecord { .. })),
                "{text}"
            );
        }
    }
}
