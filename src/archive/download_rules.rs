//! What download-artifact makes of its inputs, which artifacts it takes and where it puts them, in
//! its own words (download-artifact v4 to v8). Reads and writes nothing.

use super::boolean::{NotABoolean, boolean};
use crate::tree::{NamePattern, UnknownPattern};

/// The first major whose client tells files from archives (toolkit's artifact client 6).
const FIRST_WITH_FILES: u32 = 8;
/// The first major that puts a single artifact into `path` itself, however it was chosen.
const FIRST_WITHOUT_LONE_DIRECTORY: u32 = 5;

/// The inputs of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadInputs {
    /// The action's major version.
    major: u32,
    /// `name`; empty: not by name.
    pub name: String,
    /// `artifact-ids`; empty: not by id.
    ids: String,
    /// `pattern`; empty: all.
    pattern: String,
    /// `path`, as given; empty: the workspace.
    pub path: String,
    /// `merge-multiple`
    merge: bool,
    /// `skip-decompress`
    pub keep_archive: bool,
}

/// An artifact there is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its id.
    pub id: u64,
}

/// What a step takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Positions in the list that was offered, in the action's order: newest first.
    pub chosen: Vec<usize>,
    /// Whether each gets a directory of its own name.
    pub own_directories: bool,
    /// What the action says of it.
    pub lines: Vec<String>,
    /// What it warns of.
    pub warning: Option<String>,
}

/// Why a step fails, in the action's words behind `Unable to download artifact(s): `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadRefusal {
    /// An input is no boolean.
    #[error(transparent)]
    NotABoolean(#[from] NotABoolean),
    /// `digest-mismatch` is something else.
    #[error(
        "Invalid value for 'digest-mismatch': '{given}'. Valid options are: ignore, info, warn, error"
    )]
    DigestMismatch {
        /// What was given.
        given: String,
    },
    /// Both ways to say which.
    #[error("Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.")]
    NameAndIds,
    /// `artifact-ids` of commas only.
    #[error("No valid artifact IDs provided in 'artifact-ids' input")]
    NoIds,
    /// An id that does not begin with a number.
    #[error("Invalid artifact ID: '{id}'. Must be a number.")]
    NotAnId {
        /// As given.
        id: String,
    },
    /// None of the ids is there.
    #[error("None of the provided artifact IDs were found")]
    UnknownIds,
    /// No artifact has the name.
    #[error(
        "Artifact not found for name: {name}\n        Please ensure that your artifact is not expired and the artifact was uploaded using a compatible version of toolkit/upload-artifact.\n        For more information, visit the GitHub Artifacts FAQ: https://github.com/actions/toolkit/blob/main/packages/artifact/docs/faq.md"
    )]
    NotFound {
        /// The name.
        name: String,
    },
    /// A pattern that is beyond lrun.
    #[error(transparent)]
    Pattern(#[from] UnknownPattern),
}

impl DownloadInputs {
    /// Reads the inputs of `actions/download-artifact@v{major}`, looked up by their lower-case
    /// names and trimmed; empty where a step does not give one.
    ///
    /// # Errors
    /// In the order the action finds them.
    pub fn new<'i>(major: u32, given: impl Fn(&str) -> &'i str) -> Result<Self, DownloadRefusal> {
        let boolean = |input: &'static str| match given(input) {
            "" => Ok(false),
            value => boolean(input, value),
        };
        let inputs = Self {
            major,
            name: given("name").to_owned(),
            ids: given("artifact-ids").to_owned(),
            pattern: given("pattern").to_owned(),
            path: given("path").to_owned(),
            merge: boolean("merge-multiple")?,
            keep_archive: major >= FIRST_WITH_FILES && boolean("skip-decompress")?,
        };
        let mismatch = given("digest-mismatch");
        let known = ["", "ignore", "info", "warn", "error"];
        if major >= FIRST_WITH_FILES && !known.contains(&mismatch) {
            let given = mismatch.to_owned();
            return Err(DownloadRefusal::DigestMismatch { given });
        }
        match inputs.name.is_empty() || inputs.ids.is_empty() {
            true => Ok(inputs),
            false => Err(DownloadRefusal::NameAndIds),
        }
    }

    /// Whether the client can take an artifact that is no archive.
    pub fn knows_files(&self) -> bool {
        self.major >= FIRST_WITH_FILES
    }

    /// Chooses among the artifacts of the run, listed in the order they were made.
    ///
    /// # Errors
    /// When what is asked for is not there. Without a name and ids nothing is fine, too.
    pub fn choose(&self, offered: &[Offered<'_>]) -> Result<Choice, DownloadRefusal> {
        let newest_first = (0..offered.len()).rev();
        let mut choice = Choice::default();
        if !self.name.is_empty() {
            choice.lines.push("Downloading single artifact".to_owned());
            let mut named = newest_first.filter(|&at| offered[at].name == self.name);
            let found = named.next().ok_or_else(|| DownloadRefusal::NotFound {
                name: self.name.clone(),
            })?;
            choice.chosen.push(found);
            return Ok(choice);
        }
        if self.ids.is_empty() {
            choice.chosen = self.by_pattern(newest_first, offered, &mut choice.lines)?;
        } else {
            let ids = self.ids()?;
            let line = "Downloading artifacts by ID".to_owned();
            choice.lines.extend([line, found_line(offered)]);
            choice.chosen = newest_first
                .filter(|&at| ids.contains(&offered[at].id))
                .collect();
            choice.warning = missing(&ids, &choice.chosen, offered)?;
        }
        let lone = choice.chosen.len() == 1 && self.major >= FIRST_WITHOUT_LONE_DIRECTORY;
        choice.own_directories = !self.merge && !lone;
        Ok(choice)
    }

    fn by_pattern(
        &self,
        candidates: impl Iterator<Item = usize>,
        offered: &[Offered<'_>],
        lines: &mut Vec<String>,
    ) -> Result<Vec<usize>, DownloadRefusal> {
        lines.push(found_line(offered));
        if !self.pattern.is_empty() {
            lines.push(format!("Filtering artifacts by pattern '{}'", self.pattern));
            let pattern = NamePattern::new(&self.pattern)?;
            return Ok(candidates
                .filter(|&at| pattern.matches(offered[at].name))
                .collect());
        }
        lines.push(
            "No input name, artifact-ids or pattern filtered specified, downloading all artifacts"
                .to_owned(),
        );
        if !self.merge {
            lines.push(
                "An extra directory with the artifact name will be created for each download"
                    .to_owned(),
            );
        }
        Ok(candidates.collect())
    }

    fn ids(&self) -> Result<Vec<u64>, DownloadRefusal> {
        let ids = self.ids.split(',').map(str::trim);
        let ids: Vec<&str> = ids.filter(|id| !id.is_empty()).collect();
        if ids.is_empty() {
            return Err(DownloadRefusal::NoIds);
        }
        ids.into_iter()
            .map(|id| {
                // JavaScript's `parseInt`: what follows the digits does not matter.
                let digits = id.bytes().take_while(u8::is_ascii_digit).count();
                id[..digits]
                    .parse()
                    .map_err(|_| DownloadRefusal::NotAnId { id: id.to_owned() })
            })
            .collect()
    }
}

fn found_line(offered: &[Offered<'_>]) -> String {
    format!("Found {} artifact(s)", offered.len())
}

/// The warning about ids that are not there.
fn missing(
    ids: &[u64],
    chosen: &[usize],
    offered: &[Offered<'_>],
) -> Result<Option<String>, DownloadRefusal> {
    if chosen.is_empty() {
        return Err(DownloadRefusal::UnknownIds);
    }
    if chosen.len() >= ids.len() {
        return Ok(None);
    }
    let found = |id: &u64| chosen.iter().any(|&at| offered[at].id == *id);
    let missing: Vec<String> = ids
        .iter()
        .filter(|id| !found(id))
        .map(u64::to_string)
        .collect();
    Ok(Some(format!(
        "Could not find the following artifact IDs: {}",
        missing.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [Offered<'static>; 3] = [
        Offered {
            name: "wheels-a",
            id: 4,
        },
        Offered {
            name: "docs",
            id: 7,
        },
        Offered {
            name: "wheels-b",
            id: 9,
        },
    ];

    fn choose(major: u32, given: &[(&str, &'static str)]) -> Result<Choice, DownloadRefusal> {
        let input = |name: &str| {
            let mut found = given.iter().filter(|(key, _)| *key == name);
            found.next().map_or("", |(_, value)| *value)
        };
        DownloadInputs::new(major, input)?.choose(&OFFERED)
    }

    #[test]
    fn a_name_takes_one_into_the_path_itself() {
        let choice = choose(4, &[("name", "docs")]).expect("it is there");
        assert_eq!((choice.chosen, choice.own_directories), (vec![1], false));
        let missing = choose(4, &[("name", "doc")]).expect_err("there is none");
        assert!(
            missing
                .to_string()
                .starts_with("Artifact not found for name: doc\n")
        );
    }

    #[test]
    fn a_pattern_takes_what_matches_into_directories_unless_it_merges() {
        let choice = choose(4, &[("pattern", "wheels-*")]).expect("fine");
        assert_eq!((choice.chosen, choice.own_directories), (vec![2, 0], true));
        let merged = [("pattern", "wheels-*"), ("merge-multiple", "true")];
        assert!(!choose(4, &merged).expect("fine").own_directories);
        let none = choose(4, &[("pattern", "x*")]).expect("nothing is fine");
        assert_eq!(none.chosen, Vec::<usize>::new());
    }

    #[test]
    fn a_lone_artifact_needs_no_directory_since_v5() {
        let lone = [("pattern", "d*")];
        assert!(choose(4, &lone).expect("fine").own_directories);
        assert!(!choose(5, &lone).expect("fine").own_directories);
    }

    #[test]
    fn ids_are_numbers_that_are_there() {
        let choice = choose(5, &[("artifact-ids", "9, 4x,,8")]).expect("two are there");
        assert_eq!(choice.chosen, [2, 0]);
        let warning = "Could not find the following artifact IDs: 8";
        assert_eq!(choice.warning.as_deref(), Some(warning));
        let refused = |ids| choose(5, &[("artifact-ids", ids)]).expect_err(ids);
        assert_eq!(refused(","), DownloadRefusal::NoIds);
        assert_eq!(refused("1"), DownloadRefusal::UnknownIds);
        assert_eq!(
            refused("x"),
            DownloadRefusal::NotAnId { id: "x".to_owned() }
        );
        let both = choose(5, &[("artifact-ids", "4"), ("name", "docs")]);
        assert_eq!(both, Err(DownloadRefusal::NameAndIds));
    }

    #[test]
    fn inputs_that_make_no_sense_are_refused() {
        assert!(choose(4, &[("merge-multiple", "yes")]).is_err());
        assert!(choose(8, &[("digest-mismatch", "maybe")]).is_err());
        assert!(choose(7, &[("digest-mismatch", "maybe")]).is_ok());
    }
}
