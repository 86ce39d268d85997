//! From what the user typed to a workflow file and the repository it belongs to.

use std::path::{Path, PathBuf};

use super::failure::Failure;

/// Where the workflows of a repository are.
pub(super) const WORKFLOWS: &str = ".github/workflows";

/// A workflow file and the folder it is the workflow of.
#[derive(Debug)]
pub(super) struct Found {
    /// The file.
    pub(super) file: PathBuf,
    /// The folder that has `.github/workflows`, or the working directory for a file elsewhere.
    pub(super) root: PathBuf,
}

/// Finds a workflow: a path from `directory`, else a file or its stem under
/// `.github/workflows` of `directory` or of a folder above it; with no name, the only one.
pub(super) fn workflow(directory: &Path, name: Option<&str>) -> Result<Found, Failure> {
    let directory = usable(directory)?;
    if let Some(name) = name {
        let path = directory.join(name);
        if path.is_file() {
            return Ok(Found {
                root: root_of(&path).unwrap_or_else(|| directory.clone()),
                file: path,
            });
        }
    }
    let folder = folder_of(&directory, name)?;
    let known = list(&folder)?;
    let file = pick(&folder, &known, name)?;
    Ok(Found {
        root: root_of(&file).unwrap_or(directory),
        file,
    })
}

/// All workflows under `.github/workflows` of `directory` or of a folder above it, by name.
pub(super) fn workflows(directory: &Path) -> Result<Vec<Found>, Failure> {
    let folder = folder_of(&usable(directory)?, None)?;
    let found = |name: String| {
        let file = folder.join(name);
        Found {
            root: root_of(&file).unwrap_or_else(|| folder.clone()),
            file,
        }
    };
    Ok(list(&folder)?.into_iter().map(found).collect())
}

/// A directory to start in, without links on the way to it.
pub(super) fn usable(directory: &Path) -> Result<PathBuf, Failure> {
    directory.canonicalize().map_err(|error| {
        Failure::usage(format!(
            "cannot use the directory {}: {error}",
            directory.display()
        ))
    })
}

/// The folder of workflows in `directory` or nearest above it.
fn folder_of(directory: &Path, name: Option<&str>) -> Result<PathBuf, Failure> {
    directory
        .ancestors()
        .map(|ancestor| ancestor.join(WORKFLOWS))
        .find(|folder| folder.is_dir())
        .ok_or_else(|| match name {
            Some(name) => Failure::usage(format!(
                "there is no workflow '{name}': neither a file {} nor a folder {WORKFLOWS} in {} or above it",
                directory.join(name).display(),
                directory.display()
            )),
            None => Failure::usage(format!(
                "there is no folder {WORKFLOWS} in {} or above it; name a workflow file",
                directory.display()
            )),
        })
}

fn pick(folder: &Path, known: &[String], name: Option<&str>) -> Result<PathBuf, Failure> {
    let found = match name {
        None if known.len() == 1 => known.first(),
        None => None,
        Some(name) => known
            .iter()
            .find(|file| *file == name)
            .or_else(|| known.iter().find(|file| stem(file) == name)),
    };
    if let Some(file) = found {
        return Ok(folder.join(file));
    }
    let have = match known {
        [] => "it has none".to_owned(),
        known => format!("it has {}", known.join(", ")),
    };
    Err(Failure::usage(match name {
        Some(name) => format!(
            "there is no workflow '{name}' in {}; {have}",
            folder.display()
        ),
        None => format!("name a workflow of {}; {have}", folder.display()),
    }))
}

fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The names of the YAML files in a folder, sorted.
pub(super) fn list(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("cannot read {}: {error}", folder.display()))
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        if is_yaml && folder.join(&*name).is_file() {
            names.push(name.into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The folder whose `.github/workflows` the file stands in.
pub(super) fn root_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    folder
        .ends_with(WORKFLOWS)
        .then(|| folder.parent()?.parent().map(Path::to_path_buf))?
}
