//! The graph of `needs`: everything in it exists, and it has no cycle.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use crate::source::Span;

use crate::workflow::hint;
use crate::workflow::model::Job;
use crate::workflow::problems::Problems;

/// Checks the graph and spells each need as the job it means: ids match in any letter case.
pub(super) fn check(jobs: &mut IndexMap<String, Job>, jobs_span: Span, problems: &mut Problems) {
    let ids: HashMap<String, usize> = jobs
        .keys()
        .enumerate()
        .map(|(index, id)| (id.to_uppercase(), index))
        .collect();
    if !jobs.values().any(|job| job.needs.is_empty()) {
        let message = "The workflow must contain at least one job with no dependencies.";
        problems.add(jobs_span, message);
        return;
    }
    let spellings: Vec<String> = jobs.keys().cloned().collect();
    let mut waits_for: Vec<BTreeSet<usize>> = Vec::new();
    for job in jobs.values_mut() {
        let mut needed = BTreeSet::new();
        for need in &mut job.needs {
            if let Some(&index) = ids.get(&need.value.to_uppercase()) {
                need.value.clone_from(&spellings[index]);
                needed.insert(index);
            } else {
                let message = format!(
                    "Job '{}' depends on unknown job '{}'.",
                    job.id.value, need.value
                );
                let help = hint::meant(&need.value, spellings.iter().map(String::as_str));
                problems.add_with_help(need.span, message, help);
            }
        }
        waits_for.push(needed);
    }
    finish_ready_jobs(&mut waits_for);
    for (job, waits_for) in jobs.values().zip(&waits_for) {
        let index = |need: &str| ids.get(&need.to_uppercase());
        let in_cycle = |need: &str| index(need).is_some_and(|index| waits_for.contains(index));
        for need in job.needs.iter().filter(|need| in_cycle(&need.value)) {
            let message = format!(
                "Job '{}' depends on job '{}' which creates a cycle in the dependency graph.",
                job.id.value, need.value
            );
            problems.add(need.span, message);
        }
    }
}

/// Takes away what can be finished, job by job; what is left waits for a cycle.
fn finish_ready_jobs(waits_for: &mut [BTreeSet<usize>]) {
    let mut unblocks = vec![Vec::new(); waits_for.len()];
    for (job, needed) in waits_for.iter().enumerate() {
        needed.iter().for_each(|&need| unblocks[need].push(job));
    }
    let mut ready: Vec<usize> = (0..waits_for.len())
        .filter(|&job| waits_for[job].is_empty())
        .collect();
    while let Some(finished) = ready.pop() {
        for &job in &unblocks[finished] {
            waits_for[job].remove(&finished);
            if waits_for[job].is_empty() {
                ready.push(job);
            }
        }
    }
}
