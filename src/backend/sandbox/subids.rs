//! The subordinate ids of an ordinary user: the ranges of /etc/subuid and /etc/subgid that
//! `newuidmap` and `newgidmap` map into a user namespace of that user's.

use std::fmt;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::{getegid, geteuid};

use super::recipe::{Extent, JOB};

/// Ids inside a place: those of root and of the system, the job's user, `nobody`.
const WANTED: u32 = 65_536;

/// With fewer there is none between the job's user and root.
const NEEDED: u32 = JOB + 1;

/// Where distributions keep the two programs; a place is made without a PATH.
const DIRECTORIES: [&str; 4] = ["/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin"];

/// What of `newuidmap`'s there is for this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubIds {
    users: Range,
    groups: Range,
    /// The user's own, which become the job's.
    own: (u32, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u32,
    count: u32,
}

/// Why an ordinary user has but one id in a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// The programs are not there.
    Program(&'static str),
    /// The file has no range for the user that is large enough.
    Range(&'static str),
    /// The ranges and programs are there and the kernel or the programs refuse.
    Refused,
}

impl Lack {
    /// What gives the user ids, as a command where there is one.
    pub(super) fn remedy(&self) -> String {
        let user = name_of(geteuid().as_raw()).unwrap_or_else(|| geteuid().to_string());
        let ranges = || {
            let first = first_free();
            let last = first + WANTED - 1;
            format!("sudo usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {user}")
        };
        match self {
            Self::Program(_) if SubIds::ranges().is_err() => {
                format!("sudo apt-get install uidmap && {}", ranges())
            }
            Self::Program(_) => "sudo apt-get install uidmap".to_owned(),
            Self::Range(_) => ranges(),
            Self::Refused => "let newuidmap work: it must be setuid root (or have cap_setuid) \
                              on a file system that is not mounted nosuid"
                .to_owned(),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program(name) => write!(f, "there is no {name} (package uidmap)"),
            Self::Range(file) => write!(f, "{file} has no {NEEDED} ids for this user"),
            Self::Refused => f.write_str("newuidmap or newgidmap refuses"),
        }
    }
}

impl SubIds {
    /// What this user may map, if it is enough.
    pub(super) fn of_this_user() -> Result<Self, Lack> {
        for name in ["newuidmap", "newgidmap"] {
            program(name).ok_or(Lack::Program(name))?;
        }
        Self::ranges()
    }

    fn ranges() -> Result<Self, Lack> {
        let id = geteuid().as_raw();
        let name = name_of(id);
        let range = |file| {
            let text = fs::read_to_string(file).unwrap_or_default();
            largest(&text, name.as_deref(), id).ok_or(Lack::Range(file))
        };
        Ok(Self {
            users: range("/etc/subuid")?,
            groups: range("/etc/subgid")?,
            own: (id, getegid().as_raw()),
        })
    }

    /// Maps them into the user namespace of `process`, a child of this one.
    pub(super) fn map(self, process: &Path) -> Result<(), Lack> {
        let pid = process.file_name().unwrap_or_default();
        let start = |name, range: Range, own: u32| -> Option<Child> {
            let mut command = Command::new(program(name)?);
            command.arg(pid);
            for (inside, outside, count) in range.extents(own) {
                command.args([inside, outside, count].map(|number| number.to_string()));
            }
            let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
            quiet.stderr(Stdio::null()).process_group(0).spawn().ok()
        };
        let both = [
            start("newuidmap", self.users, self.own.0),
            start("newgidmap", self.groups, self.own.1),
        ];
        let succeeded = both.map(|child| {
            child.is_some_and(|mut child| child.wait().is_ok_and(|status| status.success()))
        });
        match succeeded {
            [true, true] => Ok(()),
            _ => Err(Lack::Refused),
        }
    }

    /// The map of users, and that of groups, that leaves every id of a place as it is.
    pub(super) fn identity(self) -> [Vec<Extent>; 2] {
        [self.users, self.groups].map(|range| {
            let extents = range.extents(JOB).into_iter();
            extents
                .map(|(inside, _, count)| (inside, inside, count))
                .collect()
        })
    }

    /// An id of this machine's system as it is inside: root's where it has none there.
    pub(super) fn inside(self, user: u32, group: u32) -> (u32, u32) {
        let of = |id: u32, own: u32, range: Range| match id {
            _ if id == own => JOB,
            JOB => 0,
            _ if id <= range.usable() => id,
            _ => 0,
        };
        (
            of(user, self.own.0, self.users),
            of(group, self.own.1, self.groups),
        )
    }

    /// A text that differs where the maps do.
    pub(super) fn fingerprint(self) -> String {
        format!("{self:?}")
    }
}

impl Range {
    fn usable(self) -> u32 {
        self.count.min(WANTED - 1)
    }

    /// First id inside, first outside, how many; `own` is the id that becomes the job's user.
    fn extents(self, own: u32) -> [Extent; 3] {
        [
            (0, self.first, JOB),
            (JOB, own, 1),
            (JOB + 1, self.first + JOB, self.usable() - JOB),
        ]
    }
}

/// The largest range of a file in the format of subuid(5): `name-or-id:first:count`.
fn largest(text: &str, name: Option<&str>, id: u32) -> Option<Range> {
    let id = id.to_string();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let (first, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            let is_mine = Some(owner) == name || owner == id;
            let range = Range { first, count };
            (is_mine && count >= NEEDED && first.checked_add(count).is_some()).then_some(range)
        })
        .max_by_key(|range| range.count)
}

/// The first id above all ranges that are given away, as `useradd` counts.
fn first_free() -> u32 {
    const LOWEST: u32 = 100_000;
    let ends = ["/etc/subuid", "/etc/subgid"].map(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let ends = text.lines().filter_map(|line| {
            let mut fields = line.trim().split(':').skip(1);
            let first: u32 = fields.next()?.parse().ok()?;
            first.checked_add(fields.next()?.parse().ok()?)
        });
        ends.max().unwrap_or(LOWEST)
    });
    ends.into_iter().max().unwrap_or(LOWEST).max(LOWEST)
}

/// The name of a user in /etc/passwd.
fn name_of(id: u32) -> Option<String> {
    let id = id.to_string();
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(id.as_str())).then(|| name.to_owned())
    })
}

fn program(name: &str) -> Option<PathBuf> {
    let mut places = DIRECTORIES.iter().map(|place| Path::new(place).join(name));
    places.find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_range_of_a_user_by_name_or_id_is_taken() {
        let text = "ana:100000:65536\nbo:165536:65536\n7:300000:2000\nbo:400000:100000\nbo:x:1\n";
        let range = |first, count| Some(Range { first, count });
        assert_eq!(largest(text, Some("ana"), 5), range(100_000, 65_536));
        assert_eq!(largest(text, Some("bo"), 5), range(400_000, 100_000));
        assert_eq!(largest(text, None, 7), range(300_000, 2000));
        assert_eq!(largest(text, Some("eve"), 8), None);
        assert_eq!(largest("bo:1:1001\n", Some("bo"), 5), None);
    }

    #[test]
    fn the_job_is_between_the_ids_of_the_range() {
        let range = Range {
            first: 100_000,
            count: 65_536,
        };
        assert_eq!(
            range.extents(4000),
            [
                (0, 100_000, 1001),
                (1001, 4000, 1),
                (1002, 101_001, 65_534 - 1000)
            ]
        );
    }
}
