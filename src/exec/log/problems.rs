//! Lines that problem matchers take, as annotations (runner `OutputManager`).

use std::collections::HashMap;

use super::StepLog;
use super::annotations::Place;
use super::shared::Matchers;
use crate::agent::protocol::User;
use crate::event::Level;
use crate::exec::matcher::{Match, Running, TooSlow, without_colours};
use crate::exec::paths;

/// Answers about directories that are remembered at most.
const REMEMBERED: usize = 100;
/// Directories above a file that are searched for a checkout.
const DEEPEST: usize = 50;

/// The problem matchers of a job as they stand in one step.
#[derive(Debug, Default)]
pub(super) struct Problems {
    /// The version of the job's list that this is.
    version: u64,
    running: Vec<Running>,
    /// Directories of files, and the checkout of the workflow's repository that each is in.
    checkouts: HashMap<String, Option<String>>,
}

impl Problems {
    /// Whether any matcher may have to see a line.
    pub(super) fn are_any(&self, matchers: &Matchers) -> bool {
        !self.running.is_empty() || self.version != matchers.version()
    }
}

impl StepLog {
    /// Whether a line is a problem's: then it is told as its annotation.
    pub(super) async fn find_problem(&mut self, line: &str) -> bool {
        self.take_over_matchers();
        if self.problems.running.is_empty() {
            return false;
        }
        let plain = without_colours(line);
        let mut index = 0;
        while index < self.problems.running.len() {
            let matcher = &mut self.problems.running[index];
            match matcher.take(&plain) {
                Ok(None) => {}
                Ok(Some(found)) => {
                    self.forget_all_but(index);
                    if let Some(level) = self.level_of(&found) {
                        self.send_output();
                        self.tell_problem(level, &plain, found).await;
                        return true;
                    }
                }
                Err(TooSlow) => {
                    let owner = matcher.definition.owner.clone();
                    self.problems.running.remove(index);
                    self.job.matchers.remove(std::slice::from_ref(&owner));
                    self.send_output();
                    // A runner tries three times, each for a second; here all would end alike.
                    self.warning(format!(
                        "Removing issue matcher '{owner}'. Matcher failed 3 times. Error: its regular expression takes too long on a line of {} bytes.",
                        plain.len()
                    ));
                    continue;
                }
            }
            index += 1;
        }
        false
    }

    /// Takes over what steps added or removed since the last line. Matchers that stay go on.
    fn take_over_matchers(&mut self) {
        let version = self.job.matchers.version();
        if self.problems.version == version {
            return;
        }
        self.problems.version = version;
        let mut before = std::mem::take(&mut self.problems.running);
        for definition in self.job.matchers.all() {
            let same = |running: &Running| std::sync::Arc::ptr_eq(&running.definition, &definition);
            let running = match before.iter().position(same) {
                Some(at) => before.swap_remove(at),
                None => Running::new(definition),
            };
            self.problems.running.push(running);
        }
    }

    fn forget_all_but(&mut self, index: usize) {
        let others = self.problems.running.iter_mut().enumerate();
        for (_, matcher) in others.filter(|(other, _)| *other != index) {
            matcher.reset();
        }
    }

    /// None: what matched is no problem after all.
    fn level_of(&self, found: &Match) -> Option<Level> {
        if found.message.trim().is_empty() {
            self.debug(
                "Skipping logging an issue for the matched line because the message is empty.",
            );
            return None;
        }
        match &*found.severity.to_ascii_lowercase() {
            "" | "error" => Some(Level::Error),
            "warning" => Some(Level::Warning),
            "notice" => Some(Level::Notice),
            _ => {
                self.debug(format!(
                    "Skipped logging an issue for the matched line because the severity '{}' is not supported.",
                    found.severity
                ));
                None
            }
        }
    }

    async fn tell_problem(&mut self, level: Level, line: &str, found: Match) {
        let mut place = Place {
            line: self.number(&found.line, "line"),
            column: self.number(&found.column, "column"),
            ..Place::default()
        };
        if self.takes_annotation(level) {
            place.file = self.file_of(&found).await;
        }
        self.annotate_line(level, line, &found.message, place);
    }

    fn number(&self, text: &str, what: &str) -> Option<u32> {
        let number = text.parse().ok();
        if number.is_none() && !text.is_empty() {
            self.debug(format!("Unable to parse {what} number '{text}'"));
        }
        number
    }

    /// The file of a match, from the root of the checkout of the workflow's repository that it is
    /// in; none when it is in none, or is not there.
    async fn file_of(&mut self, found: &Match) -> Option<String> {
        let file = &*found.file;
        if file.trim().is_empty() {
            return None;
        }
        let workspace = self.job.workspace.clone();
        let from = match found.from_path.rsplit_once('/') {
            Some((directory, _)) => paths::resolved(&workspace, &format!("{directory}/")),
            None => workspace,
        };
        let file = paths::resolved(&from, file);
        // With a dot behind it a path leads to directories alone.
        let asked = vec![file.clone(), format!("{file}/.")];
        if self.job.agent.exists(asked).await.ok()? != [true, false] {
            self.debug(format!("Dropping file value '{file}'. Path does not exist"));
            return None;
        }
        let Some(root) = self.checkout_of(&file).await else {
            self.debug(format!(
                "Dropping file value '{file}'. Path is not under the workflow repo."
            ));
            return None;
        };
        let below = file.strip_prefix(&root)?;
        Some(below.trim_start_matches('/').to_owned())
    }

    /// The checkout that a file is in, if it is one of the workflow's repository.
    async fn checkout_of(&mut self, file: &str) -> Option<String> {
        let (directory, _) = file.rsplit_once('/')?;
        if let Some(known) = self.problems.checkouts.get(directory) {
            return known.clone();
        }
        let mut above: Vec<&str> = vec![directory];
        while let Some((parent, _)) = above[above.len() - 1].rsplit_once('/')
            && above.len() < DEEPEST
        {
            above.push(parent);
        }
        let configs = above
            .iter()
            .map(|directory| format!("{directory}/.git/config"));
        let read = self.job.agent.read_files(User::Job, configs.collect());
        let configs = read.await.unwrap_or_default();
        let nearest = above.iter().zip(configs).find_map(|(directory, config)| {
            let config = config?;
            let is_workflow_s = self.is_workflow_s(&String::from_utf8_lossy(&config));
            Some(is_workflow_s.then(|| (*directory).to_owned()))
        });
        let root = nearest.flatten();
        let checkouts = &mut self.problems.checkouts;
        if checkouts.len() >= REMEMBERED {
            checkouts.clear();
        }
        checkouts.insert(directory.to_owned(), root.clone());
        root
    }

    /// Whether a repository's configuration is that of a checkout of the workflow's repository.
    fn is_workflow_s(&self, config: &str) -> bool {
        let (server, repository) = (&self.job.server_url, &self.job.repository);
        let host = server.split("//").nth(1).unwrap_or(server);
        let urls = [
            format!("url = {server}/{repository}"),
            format!("url = git@{host}:{repository}.git"),
        ];
        let mut lines = config.lines().map(str::trim);
        lines.any(|line| urls.iter().any(|url| url.eq_ignore_ascii_case(line)))
    }
}
