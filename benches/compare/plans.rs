//! What it costs to be told of workflows without running them.

use std::io;
use std::path::Path;

use super::Line;
use super::measure::{Lrun, median};
use super::projects;

/// Plans of one workflow: of one job, of one that git has to be asked about what changed, of many
/// legs.
pub(crate) fn plans(root: &Path) -> io::Result<Vec<Line>> {
    let project = projects::of_plans(&root.join("plans"))?;
    let lrun = Lrun::new(&project, &root.join("store-plans"));
    let works = [
        ("plan of one workflow", "one.yml"),
        ("the same with a filter of paths", "paths.yml"),
        ("plan of 256 legs", "matrix.yml"),
    ];
    let line = |(work, workflow): (&'static str, &str)| {
        Ok(Line {
            work,
            time: median(|| lrun.ask(&["plan", workflow]))?,
            peers: Vec::new(),
            target: "≤ 15 ms",
        })
    };
    works.into_iter().map(line).collect()
}
