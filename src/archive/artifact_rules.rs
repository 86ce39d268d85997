//! What upload-artifact makes of its inputs, which names it allows and what it says, in its
//! own words (upload-artifact v3 to v7; toolkit `path-and-artifact-name-validation.ts`,
//! `retention.ts`). Reads and writes nothing.

use std::collections::HashSet;

use super::artifact::FoundFiles;
use super::boolean::{NotABoolean, boolean};
use super::zip::CompressionLevel;

/// What becomes of a step that finds no files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfNoFilesFound {
    /// It warns.
    Warn,
    /// It fails.
    Error,
    /// It mentions it.
    Ignore,
}

/// The inputs of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInputs {
    /// As given; the artifact's own name is [`artifact_name`]'s to say.
    pub name: String,
    /// The search patterns as given, one a line.
    pub path: String,
    /// What to do without files.
    pub if_no_files_found: IfNoFilesFound,
    /// Days asked for; none also for 0: the repository's default.
    pub retention_days: Option<i64>,
    /// How the archive is compressed; the default before v4.
    pub compression_level: CompressionLevel,
    /// Whether an artifact of the same name is deleted first; never before v4.
    pub overwrite: bool,
    /// Whether hidden files are taken.
    pub include_hidden_files: bool,
    /// Whether a zip file is made of the files; always before v7.
    pub archive: bool,
}

/// Why a step fails, in the action's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactRefusal {
    /// A required input is missing or empty.
    #[error("Input required and not supplied: path")]
    PathMissing,
    /// An input is no boolean.
    #[error(transparent)]
    NotABoolean(#[from] NotABoolean),
    /// `if-no-files-found` is something else.
    #[error(
        "Unrecognized if-no-files-found input. Provided: {given}. Available options: warn,error,ignore"
    )]
    IfNoFilesFound {
        /// What was given.
        given: String,
    },
    /// `retention-days` does not begin with a number.
    #[error("Invalid retention-days")]
    RetentionDays,
    /// `compression-level` does not begin with a number.
    #[error("Invalid compression-level")]
    CompressionLevel,
    /// `compression-level` is too low or too high.
    #[error("Invalid compression-level. Valid values are 0-9")]
    CompressionLevelRange,
    /// The name is empty.
    #[error("Provided artifact name input during validation is empty")]
    NameEmpty,
    /// The name has a character that some file systems do not allow.
    #[error(
        "The artifact name is not valid: {name}. Contains the following character: {character}\n          \nInvalid characters include: {}\n          \nThese characters are not allowed in the artifact name due to limitations with certain file systems such as NTFS. To maintain file system agnostic behavior, these characters are intentionally not allowed to prevent potential problems with downloads on different file systems.",
        all_of(&FORBIDDEN)
    )]
    Name {
        /// The name.
        name: String,
        /// The toolkit's words for the character.
        character: &'static str,
    },
    /// A file's name has a character that some file systems do not allow.
    #[error(
        "The path for one of the files in artifact is not valid: {path}. Contains the following character: {character}\n          \nInvalid characters include: {}\n          \nThe following characters are not allowed in files that are uploaded due to limitations with certain file systems such as NTFS. To maintain file system agnostic behavior, these characters are intentionally not allowed to prevent potential problems with downloads on different file systems.\n          ",
        all_of(forbidden_in_paths())
    )]
    Path {
        /// The file's name in the artifact, with a slash before it.
        path: String,
        /// The toolkit's words for the character.
        character: &'static str,
    },
    /// Without an archive there must be one file.
    #[error(
        "When 'archive' is set to false, only a single file can be uploaded. Found {found} files to upload."
    )]
    SeveralFiles {
        /// How many there are.
        found: usize,
    },
}

impl ArtifactInputs {
    /// Reads the inputs of `actions/upload-artifact@v{major}`, looked up by their lower-case
    /// names: none where a step does not give one. An input that the version does not have is
    /// not looked at.
    ///
    /// GitHub's action goes on to upload after some of these refusals; it has failed by then.
    pub fn new(
        major: u32,
        given: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ArtifactRefusal> {
        let input = |name: &str, default: &str| {
            given(name).map_or_else(|| default.to_owned(), |value| value.trim().to_owned())
        };
        let boolean = |since: u32, name: &'static str, default: &str| match major >= since {
            true => boolean(name, &input(name, default)),
            false => Ok(default == "true"),
        };
        let path = input("path", "");
        if path.is_empty() {
            return Err(ArtifactRefusal::PathMissing);
        }
        Ok(Self {
            name: input("name", "artifact"),
            path,
            overwrite: boolean(4, "overwrite", "false")?,
            include_hidden_files: boolean(3, "include-hidden-files", "false")?,
            archive: boolean(7, "archive", "true")?,
            if_no_files_found: if_no_files_found(input("if-no-files-found", "warn"))?,
            retention_days: retention_days(&input("retention-days", ""))?,
            compression_level: match major >= 4 {
                true => compression_level(&input("compression-level", ""))?,
                false => CompressionLevel::default(),
            },
        })
    }
}

fn if_no_files_found(given: String) -> Result<IfNoFilesFound, ArtifactRefusal> {
    match given.as_str() {
        "warn" => Ok(IfNoFilesFound::Warn),
        "error" => Ok(IfNoFilesFound::Error),
        "ignore" => Ok(IfNoFilesFound::Ignore),
        _ => Err(ArtifactRefusal::IfNoFilesFound { given }),
    }
}

fn retention_days(given: &str) -> Result<Option<i64>, ArtifactRefusal> {
    if given.is_empty() {
        return Ok(None);
    }
    let days = leading_number(given).ok_or(ArtifactRefusal::RetentionDays)?;
    Ok((days != 0).then_some(days))
}

fn compression_level(given: &str) -> Result<CompressionLevel, ArtifactRefusal> {
    if given.is_empty() {
        return Ok(CompressionLevel::default());
    }
    let level = leading_number(given).ok_or(ArtifactRefusal::CompressionLevel)?;
    CompressionLevel::new(level).ok_or(ArtifactRefusal::CompressionLevelRange)
}

/// JavaScript's `parseInt` of decimal text: what follows the digits does not matter.
fn leading_number(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    text[..text.len() - unsigned.len() + digits].parse().ok()
}

/// The days that GitHub would keep the artifact for (none: its default), with the warning where
/// the repository allows fewer (`GITHUB_RETENTION_DAYS`) than the step asks for.
pub fn retention(asked: Option<i64>, allowed: Option<i64>) -> (Option<i64>, Option<String>) {
    match (asked, allowed) {
        (Some(asked), Some(allowed)) if allowed != 0 && allowed < asked => (
            Some(allowed),
            Some(format!(
                "Retention days cannot be greater than the maximum allowed retention set within the repository. Using {allowed} instead."
            )),
        ),
        _ => (asked, None),
    }
}

/// Characters with the toolkit's words for them; the last two are forbidden in names only.
const FORBIDDEN: [(char, &str); 11] = [
    ('"', " Double quote \""),
    (':', " Colon :"),
    ('<', " Less than <"),
    ('>', " Greater than >"),
    ('|', " Vertical bar |"),
    ('*', " Asterisk *"),
    ('?', " Question mark ?"),
    ('\r', " Carriage return \\r"),
    ('\n', " Line feed \\n"),
    ('\\', " Backslash \\"),
    ('/', " Forward slash /"),
];

fn forbidden_in_paths() -> &'static [(char, &'static str)] {
    &FORBIDDEN[..FORBIDDEN.len() - 2]
}

fn all_of(forbidden: &[(char, &str)]) -> String {
    let words: Vec<&str> = forbidden.iter().map(|(_, words)| *words).collect();
    words.join(",")
}

/// The first of the forbidden characters, in the toolkit's order, that the text has.
fn forbidden_in(text: &str, forbidden: &[(char, &'static str)]) -> Option<&'static str> {
    let mut found = forbidden.iter().filter(|(c, _)| text.contains(*c));
    found.next().map(|(_, words)| *words)
}

/// The name of the artifact: the step's, or without an archive that of its only file. Fails as
/// the toolkit does where that or a file's name is not allowed; there are files.
pub fn artifact_name(
    inputs: &ArtifactInputs,
    found: &FoundFiles,
) -> Result<String, ArtifactRefusal> {
    if inputs.archive {
        check_name(&inputs.name)?;
        found.files.iter().try_for_each(|f| check_path(&f.name))?;
        return Ok(inputs.name.clone());
    }
    let [file] = found.files.as_slice() else {
        let found = found.files.len();
        return Err(ArtifactRefusal::SeveralFiles { found });
    };
    let name = file.path.rsplit('/').next().unwrap_or_default();
    check_name(name)?;
    Ok(name.to_owned())
}

fn check_name(name: &str) -> Result<(), ArtifactRefusal> {
    if name.is_empty() {
        return Err(ArtifactRefusal::NameEmpty);
    }
    match forbidden_in(name, &FORBIDDEN) {
        None => Ok(()),
        Some(character) => Err(ArtifactRefusal::Name {
            name: name.to_owned(),
            character,
        }),
    }
}

fn check_path(name: &str) -> Result<(), ArtifactRefusal> {
    match forbidden_in(name, forbidden_in_paths()) {
        None => Ok(()),
        Some(character) => Err(ArtifactRefusal::Path {
            path: format!("/{name}"),
            character,
        }),
    }
}

/// What the action says of a search. Files whose paths differ in case only are taken both.
pub fn search_lines(found: &FoundFiles) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut lines: Vec<String> = found
        .files
        .iter()
        .filter(|file| !seen.insert(file.path.to_lowercase()))
        .map(|file| {
            format!(
                "Uploads are case insensitive: {} was detected that it will be overwritten by another file with the same path",
                file.path
            )
        })
        .collect();
    if found.several_search_paths {
        lines.push(
            "Multiple search paths detected. Calculating the least common ancestor of all paths"
                .to_owned(),
        );
        lines.push(format!(
            "The least common ancestor is {}. This will be the root directory of the artifact",
            found.root
        ));
    }
    lines
}

/// What the action says, in a way that [`IfNoFilesFound`] decides, when there are no files.
pub fn no_files_line(path: &str) -> String {
    format!("No files were found with the provided path: {path}. No artifacts will be uploaded.")
}

/// How many files there are.
pub fn count_line(files: usize) -> String {
    let s = if files == 1 { "" } else { "s" };
    format!("With the provided path, there will be {files} file{s} uploaded")
}

/// Said once [`artifact_name`] has found nothing to object to.
pub const VALID_LINES: [&str; 2] = ["Artifact name is valid!", "Root directory input is valid!"];

/// An upload that is done, of v4 and later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded<'a> {
    /// The action's major version.
    pub major: u32,
    /// The inputs of the step.
    pub inputs: &'a ArtifactInputs,
    /// The artifact's name, from [`artifact_name`].
    pub name: &'a str,
    /// Bytes uploaded.
    pub size: u64,
    /// Their digest, as text.
    pub digest: &'a str,
    /// The artifact's id.
    pub id: u64,
    /// Where GitHub would offer it.
    pub url: &'a str,
}

/// What the action says from the beginning of the upload to its end.
pub fn upload_lines(uploaded: &Uploaded<'_>) -> Vec<String> {
    let Uploaded {
        major,
        inputs,
        name,
        size,
        digest,
        id,
        url,
    } = uploaded;
    // v7 came with the toolkit's artifact client 6, which is not always about zip files.
    let client_6 = *major >= 7;
    let file = match inputs.archive {
        true => format!("{name}.zip"),
        false => (*name).to_owned(),
    };
    let mut lines = Vec::new();
    if client_6 {
        lines.push(format!("Uploading artifact: {file}"));
    }
    let zip = if client_6 { "" } else { " zip" };
    let finalized = if client_6 { name } else { file.as_str() };
    lines.extend([
        "Beginning upload of artifact content to blob storage".to_owned(),
        format!("Uploaded bytes {size}"),
        "Finished uploading artifact content to blob storage!".to_owned(),
        format!("SHA256 digest of uploaded artifact{zip} is {digest}"),
        "Finalizing artifact upload".to_owned(),
        format!("Artifact {finalized} successfully finalized. Artifact ID {id}"),
        // The name that was asked for, whatever the artifact is called.
        format!(
            "Artifact {} has been successfully uploaded! Final size is {size} bytes. Artifact ID is {id}",
            inputs.name
        ),
        format!("Artifact download URL: {url}"),
    ]);
    lines
}

#[cfg(test)]
#[path = "artifact_rules_tests.rs"]
mod tests;
