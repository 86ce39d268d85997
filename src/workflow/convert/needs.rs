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
    let mut waits_for: Vec<BTreeSet<Need>> = Vec::new();
    for job in jobs.values_mut() {
        let mut needed = BTreeSet::new();
        for need in &mut job.needs {
            let index = ids.get(&need.value.to_uppercase()).copied();
            if let Some(index) = index {
                need.value.clone_from(&spellings[index]);
            }
            needed.insert(index);
        }
        waits_for.push(needed);
    }
    finish_ready_jobs(&mut waits_for);
    for (job, waits_for) in jobs.values().zip(&waits_for) {
        let id = &job.id.value;
        for need in &job.needs {
            let index = ids.get(&need.value.to_uppercase()).copied();
            if !waits_for.contains(&index) {
                continue;
            }
            let needed = &need.value;
            if index.is_some() {
                let message = format!(
                    "Job '{id}' depends on job '{needed}' which creates a cycle in the dependency graph."
                );
                problems.add(need.span, message);
            } else {
                let message = format!("Job '{id}' depends on unknown job '{needed}'.");
                let known = spellings.iter().map(String::as_str);
                let is_told = !problems.is_full();
                let help = is_told.then(|| hint::meant(needed, known)).flatten();
                problems.add_with_help(need.span, message, help);
            }
        }
    }
}

/// The index of a needed job; none of one that is unknown, which is never finished.
type Need = Option<usize>;

/// Takes away what can be finished, job by job; what is left waits for a cycle, or for a job that waits
/// for what is not there: GitHub calls both a cycle.
fn finish_ready_jobs(waits_for: &mut [BTreeSet<Need>]) {
    let mut unblocks = vec![Vec::new(); waits_for.len()];
    for (job, needed) in waits_for.iter().enumerate() {
        let known = needed.iter().flatten();
        known.for_each(|&need| unblocks[need].push(job));
    }
    let mut ready: Vec<usize> = (0..waits_for.len())
        .filter(|&job| waits_for[job].is_empty())
        .collect();
    while let Some(finished) = ready.pop() {
        for &job in &unblocks[finished] {
            waits_for[job].remove(&Some(finished));
            if waits_for[job].is_empty() {
                ready.push(job);
            }
        }
    }
}
