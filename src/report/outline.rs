//! What a workflow or an action is made of, for people.

use std::io::{self, Write};

use super::diagnostics::harmless;
use super::layout::count;
use crate::workflow::{Action, Called, Job, JobBody, Token, Using, Workflow};

/// Writes the events and the jobs of a workflow, with the jobs of what they call.
///
/// # Errors
/// When it cannot be written.
pub fn outline(workflow: &Workflow, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    write_workflow(workflow, &mut text)?;
    out.write_all(harmless(&String::from_utf8_lossy(&text)).as_bytes())
}

fn write_workflow(workflow: &Workflow, out: &mut dyn Write) -> io::Result<()> {
    let name = workflow.name.as_ref().map(|name| &*name.value);
    let path = &workflow.source.path;
    match name {
        Some(name) => writeln!(out, "{path}: {name}")?,
        None => writeln!(out, "{path}")?,
    }
    let events: Vec<&str> = workflow.on.iter().map(|event| &*event.name).collect();
    writeln!(out, "on {}", events.join(", "))?;
    jobs(workflow, 0, out)
}

/// Writes what an action takes, gives and runs.
///
/// # Errors
/// When it cannot be written.
pub fn action_outline(action: &Action, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    write_action(action, &mut text)?;
    out.write_all(harmless(&String::from_utf8_lossy(&text)).as_bytes())
}

fn write_action(action: &Action, out: &mut dyn Write) -> io::Result<()> {
    let path = &action.source.path;
    match &action.name {
        Some(name) => writeln!(out, "{path}: {}", name.value)?,
        None => writeln!(out, "{path}")?,
    }
    match &action.runs.using {
        Using::Node { version, main, .. } => writeln!(out, "runs {main} with node{version}")?,
        Using::Docker { image, .. } => writeln!(out, "runs in a container of {image}")?,
        Using::Plugin { plugin } => writeln!(out, "runs the plugin {plugin}")?,
        Using::Composite { steps } => writeln!(out, "runs {}", count(steps.len() as u64, "step"))?,
    }
    for input in &action.inputs {
        let required = if input.required { "  required" } else { "" };
        let default = input.default.as_ref().and_then(Token::as_str);
        let default = default.filter(|text| !text.is_empty());
        let default = default.map_or(String::new(), |text| format!("  default {text}"));
        writeln!(out, "input {}{required}{default}", input.name.value)?;
    }
    let mut outputs = action.outputs.iter();
    outputs.try_for_each(|output| writeln!(out, "output {}", output.name.value))
}

fn jobs(workflow: &Workflow, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    for job in workflow.jobs.values() {
        self::job(job, depth, out)?;
    }
    Ok(())
}

fn job(job: &Job, depth: usize, out: &mut dyn Write) -> io::Result<()> {
    let id = &job.id.value;
    let needs: Vec<&str> = job.needs.iter().map(|need| &*need.value).collect();
    let needs = match needs.as_slice() {
        [] => String::new(),
        needs => format!("  needs {}", needs.join(", ")),
    };
    write!(out, "{:indent$}job {id}{needs}", "", indent = 2 * depth)?;
    match &job.body {
        JobBody::Steps(steps) => writeln!(out, "  {}", count(steps.len() as u64, "step")),
        JobBody::Calls(call) => {
            write!(out, "  calls {}", call.uses.value)?;
            match &call.called {
                Called::NotFollowed { why, .. } => writeln!(out, " (not followed: {why})"),
                Called::Workflow(workflow) => {
                    writeln!(out)?;
                    jobs(workflow, depth + 1, out)
                }
            }
        }
    }
}
