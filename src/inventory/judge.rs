//! Which opened files make a run here differ from one on the image.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::commands::{Commands, Name};
use super::packages::Packages;
use super::toolchains::Toolchains;
use super::version;
use crate::difference::DifferenceKind;
use crate::label::{Label, TOOL_CACHE, major_minor};

/// The commands of a place that stands on this machine, judged against a label's image.
#[derive(Debug)]
pub struct Inventory {
    label: Label,
    root: PathBuf,
    commands: Commands,
    /// Read when the first command is met that the label's facts do not name.
    packages: OnceCell<Option<Packages>>,
    judged: HashSet<String>,
}

/// Something about a command that a step used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The image lacks it or has another major.minor: a difference that may flip the verdict.
    Differs(DifferenceKind),
    /// Its version decides and only the command itself knows it.
    Ask(VersionQuestion),
    /// Neither the label's facts nor a package database know it.
    Unknown {
        /// The command.
        command: String,
    },
}

/// A question for a command's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionQuestion {
    /// The command.
    pub command: String,
    /// What to run in the place, as the job's user, in the step's directory and environment.
    pub argv: Vec<String>,
    hosted: Vec<String>,
    label: String,
}

impl VersionQuestion {
    /// The difference that follows from what the command printed, on either stream. None when
    /// major.minor is the image's, or no version can be read from the answer.
    pub fn answer(&self, output: &str) -> Option<DifferenceKind> {
        let here = version::parse(output)?;
        compare(&self.command, &here, &self.hosted, &self.label)
    }
}

impl Inventory {
    /// Reads the PATH directories of a place on the machine whose root is `root`.
    pub fn new(label: Label, root: &Path, tools: &Toolchains) -> Self {
        let mut directories = label.facts.path.clone();
        directories.extend(tools.bins.iter().cloned());
        Self {
            commands: Commands::scan(root, tools, &directories),
            label,
            root: root.to_owned(),
            packages: OnceCell::new(),
            judged: HashSet::new(),
        }
    }

    /// Reads the packages of this machine, which takes a moment, before they are asked for.
    pub fn with_packages(mut self) -> Self {
        self.packages();
        self
    }

    /// The directories and single files to watch for openings, absolute paths in the place.
    pub fn watched(&self) -> Vec<String> {
        self.commands
            .watched()
            .filter_map(|path| path.to_str().map(str::to_owned))
            .collect()
    }

    /// What is to be said of the opened files, each command once in an inventory's life: where
    /// it was used first. What the job itself installed is no difference.
    pub fn judge(&mut self, opened: &[String]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for file in opened {
            let names = self.commands.names(file);
            let known = names
                .iter()
                .find(|name| self.label.has_command(name.command()));
            let Some(name) = known.or(names.first()).cloned() else {
                continue;
            };
            if self.judged.insert(name.command().to_owned()) {
                findings.extend(self.judge_command(file, &name));
            }
        }
        findings
    }

    fn judge_command(&mut self, file: &str, name: &Name) -> Option<Finding> {
        let command = name.command();
        if let Some((tool, here)) = in_tool_cache(file) {
            let hosted = self.label.facts.tool_cache.get(tool)?;
            return compare(command, here, hosted, &self.label.name).map(Finding::Differs);
        }
        if self.label.version_matters(command) {
            return self.judge_version(file, name);
        }
        if self.label.has_command(command) {
            return None;
        }
        let label = self.label.name.clone();
        let command = command.to_owned();
        let Some(packages) = self.packages() else {
            return Some(Finding::Unknown { command });
        };
        let package = packages.owner(file);
        if package
            .as_deref()
            .is_some_and(|owner| packages.is_on_image(owner))
        {
            return None;
        }
        Some(Finding::Differs(DifferenceKind::CommandNotOnImage {
            command,
            package,
            label,
        }))
    }

    fn judge_version(&mut self, file: &str, name: &Name) -> Option<Finding> {
        let command = name.command().to_owned();
        let hosted = self.label.hosted_versions(&command);
        if hosted.is_empty() {
            return None;
        }
        let label = self.label.name.clone();
        if let Some(here) = self.packaged_version(file, &command) {
            return compare(&command, &here, &hosted, &label).map(Finding::Differs);
        }
        Some(Finding::Ask(VersionQuestion {
            argv: vec![
                name.path.to_str()?.to_owned(),
                version::question(&command).to_owned(),
            ],
            command,
            hosted,
            label,
        }))
    }

    /// The version of the package a command comes from, where it has the command's name, as
    /// `python3.11` and `gcc-12` do: it is the command's own, and reading it starts nothing.
    fn packaged_version(&mut self, file: &str, command: &str) -> Option<String> {
        let named_after = match command {
            "pip" | "pip3" => "python3-pip",
            other => other,
        };
        let packages = self.packages()?;
        let owner = packages.owner(file)?;
        if !owner.starts_with(named_after) {
            return None;
        }
        packages.upstream_version(&owner).map(str::to_owned)
    }

    fn packages(&mut self) -> Option<&mut Packages> {
        self.packages.get_or_init(|| {
            let facts = &self.label.facts;
            let named = facts.apt_packages.keys().chain(facts.commands.keys());
            Packages::read(&self.root, named.map(String::as_str))
        });
        self.packages.get_mut()?.as_mut()
    }
}

/// Tool and version of a file below the tool cache, `TOOL/VERSION/ARCH/…`.
fn in_tool_cache(file: &str) -> Option<(&str, &str)> {
    let path = file.strip_prefix(TOOL_CACHE)?.strip_prefix('/')?;
    let (tool, rest) = path.split_once('/')?;
    let (version, _) = rest.split_once('/')?;
    let tool = match tool {
        "node" => "Node.js",
        "go" => "Go",
        other => other,
    };
    Some((tool, version))
}

fn compare(command: &str, here: &str, hosted: &[String], label: &str) -> Option<DifferenceKind> {
    let number = major_minor(here)?;
    let is_same = |version: &String| match (major_minor(version), number) {
        (Some((major, Some(minor))), (here, Some(here_minor))) => {
            (major, minor) == (here, here_minor)
        }
        (Some((major, _)), (here, _)) => major == here,
        (None, _) => false,
    };
    if hosted.iter().any(is_same) {
        return None;
    }
    Some(DifferenceKind::CommandVersion {
        command: command.to_owned(),
        here: here.to_owned(),
        hosted: hosted.join(", "),
        label: label.to_owned(),
    })
}

#[cfg(test)]
mod tests;
