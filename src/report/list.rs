//! The jobs of a workflow, listed.

use std::io::{self, Write};

use crate::workflow::Workflow;

/// Writes a line a job: its key and what it needs.
///
/// # Errors
/// When it cannot be written.
pub fn list(workflow: &Workflow, out: &mut dyn Write) -> io::Result<()> {
    let width = workflow.jobs.keys().map(String::len).max().unwrap_or(0);
    for job in workflow.jobs.values() {
        let needs: Vec<&str> = job.needs.iter().map(|need| need.value.as_str()).collect();
        match needs.as_slice() {
            [] => writeln!(out, "{}", job.id.value)?,
            needs => writeln!(out, "{:width$}  needs {}", job.id.value, needs.join(", "))?,
        }
    }
    Ok(())
}
