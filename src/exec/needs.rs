//! Results of jobs that are done, as the jobs that need them see them.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::json;

use super::called::Called;
use super::job::LegEnd;
use crate::expr::{CallError, Contexts, EvaluationError, Object, Value};
use crate::ids::JobKey;
use crate::outcome::Outcome;
use crate::plan::Facts;
use crate::workflow::Condition;

/// How a job ended, all legs together.
#[derive(Debug, Clone)]
pub(super) struct JobResult {
    conclusion: Outcome,
    outputs: IndexMap<String, String>,
    needs: Vec<String>,
}

impl JobResult {
    pub(super) fn without_outputs(conclusion: Outcome, needs: &[String]) -> Self {
        Self {
            conclusion,
            outputs: IndexMap::new(),
            needs: needs.to_vec(),
        }
    }

    /// The legs of a matrix together: the worst conclusion, and outputs of which the last
    /// that is not empty wins.
    pub(super) fn of_legs(ends: &[LegEnd], needs: &[String]) -> Self {
        let conclusions: Vec<Outcome> = ends.iter().map(|end| end.conclusion).collect();
        let conclusion = Outcome::worst(&conclusions).unwrap_or(Outcome::Skipped);
        let mut outputs = IndexMap::new();
        for (name, value) in ends.iter().flat_map(|end| &end.outputs) {
            if !value.is_empty() || !outputs.contains_key(name) {
                outputs.insert(name.clone(), value.clone());
            }
        }
        Self {
            conclusion,
            outputs,
            needs: needs.to_vec(),
        }
    }
}

/// The jobs that are done.
#[derive(Debug, Default)]
pub(super) struct Needs(IndexMap<String, JobResult>);

impl Needs {
    pub(super) fn done(&mut self, id: &str, result: JobResult) {
        self.0.insert(id.to_owned(), result);
    }

    pub(super) fn all_done(&self, ids: &[String]) -> bool {
        ids.iter().all(|id| self.0.contains_key(id))
    }

    pub(super) fn conclusions(&self) -> Vec<Outcome> {
        self.0.values().map(|job| job.conclusion).collect()
    }

    /// What jobs together count as.
    pub(super) fn worst(&self, ids: &[String]) -> Outcome {
        let conclusions = ids.iter().filter_map(|id| Some(self.0.get(id)?.conclusion));
        let conclusions: Vec<Outcome> = conclusions.collect();
        Outcome::worst(&conclusions).unwrap_or(Outcome::Skipped)
    }

    /// The `needs` context: the jobs needed directly, under the ids of their own workflow; the same
    /// of all its jobs is the `jobs` context.
    pub(super) fn context(&self, ids: &[String]) -> Value {
        let entries = ids.iter().filter_map(|id| {
            let job = self.0.get(id)?;
            let value = json!({ "result": job.conclusion, "outputs": job.outputs });
            let own = JobKey::new(id, 0).local_id().to_owned();
            Some((own, Value::from(value)))
        });
        Value::from(entries.collect::<Object>())
    }

    /// The jobs needed, directly or not.
    pub(super) fn ancestors(&self, ids: &[String]) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&String> = ids.iter().collect();
        while let Some(id) = open.pop() {
            if found.insert(id.clone())
                && let Some(job) = self.0.get(id)
            {
                open.extend(&job.needs);
            }
        }
        found.into_iter().collect()
    }

    /// These jobs, and all that those of them call that call a workflow.
    pub(super) fn with_called(&self, ids: Vec<String>) -> Vec<String> {
        let found: BTreeSet<String> = ids.into_iter().collect();
        // `CALLER/ID` and `CALLER.LEG/ID`, nested too.
        let is_called = |id: &str| {
            let ends = id.match_indices('/');
            let mut callers = ends.map(|(end, _)| &id[..end]);
            callers.any(|caller| {
                let leg = caller.rsplit_once('.');
                let of_leg = leg.filter(|(_, leg)| leg.parse::<u32>().is_ok());
                found.contains(of_leg.map_or(caller, |(id, _)| id))
            })
        };
        let called = self.0.keys().filter(|id| is_called(id)).cloned();
        let called: Vec<String> = called.collect();
        found.into_iter().chain(called).collect()
    }

    /// The first job needed that did not succeed.
    pub(super) fn unsuccessful(&self, ids: &[String]) -> Option<(String, Outcome)> {
        self.ancestors(ids).into_iter().find_map(|id| {
            let conclusion = self.0.get(&id)?.conclusion;
            (conclusion != Outcome::Success).then_some((id, conclusion))
        })
    }

    /// Whether a job's `if` holds.
    ///
    /// # Errors
    /// Why it has no value: the job fails then ("Error when evaluating 'if' for job").
    pub(super) fn condition_holds(
        &self,
        condition: &Condition,
        (of, needs): (&Called, &[String]),
        facts: Facts,
        cancelled: bool,
    ) -> Result<bool, EvaluationError> {
        let contexts = JobCondition {
            all: self,
            of,
            ancestors: self.ancestors(needs),
            facts,
            cancelled,
        };
        condition
            .expression
            .evaluate(&contexts)
            .map(|value| value.is_truthy())
    }
}

/// What a job's `if` sees: status functions look at the jobs it needs, directly or not.
struct JobCondition<'a> {
    all: &'a Needs,
    of: &'a Called,
    ancestors: Vec<String>,
    facts: Facts,
    cancelled: bool,
}

impl JobCondition<'_> {
    /// The jobs a status function is asked about: those named, else all ancestors.
    fn asked(&self, arguments: &[Value]) -> Vec<Outcome> {
        let named: Vec<String> = arguments
            .iter()
            .map(|value| self.of.id_of(&value.to_text()))
            .collect();
        let ids = if named.is_empty() {
            &self.ancestors
        } else {
            &named
        };
        ids.iter()
            .filter_map(|id| {
                let found = self
                    .all
                    .0
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(id));
                found.map(|(_, job)| job.conclusion)
            })
            .collect()
    }
}

impl Contexts for JobCondition<'_> {
    fn context(&self, name: &str) -> Result<Value, CallError> {
        self.facts.context(name)
    }

    fn call(&self, function: &str, arguments: &[Value]) -> Result<Value, CallError> {
        let results = self.asked(arguments);
        Ok(Value::from(match function.to_ascii_lowercase().as_str() {
            "always" => true,
            "cancelled" => self.cancelled,
            "success" => {
                !self.cancelled && results.iter().all(|&result| result == Outcome::Success)
            }
            "failure" => results.contains(&Outcome::Failure),
            other => return Err(CallError::Failed(format!("unknown function {other}"))),
        }))
    }
}
