//! The scheduler: jobs start as soon as what they need is done, as many at once as asked for.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::task::JoinSet;

use super::called::Called;
use super::cancel::{Cancellation, Canceller};
use super::janitor::Janitor;
use super::job::{self, LegEnd, LegSpec};
use super::needs::{JobResult, Needs};
use super::place::PlaceSettings;
use super::workspace;
use crate::backend::sandbox::Sandbox;
use crate::clock::Moment;
use crate::difference::{Difference, DifferenceKind, Effect, Site, Verdict};
use crate::event::{EventKind, Events};
use crate::expr::{EvaluationError, Value};
use crate::git::{self, Repository, Snapshot};
use crate::ids::{JobKey, RunId};
use crate::outcome::{Outcome, SkipReason, Timing};
use crate::plan::github_event::GithubContext;
use crate::plan::{self, Facts, Placement, Plan, PlannedJob, PlannedLeg};
use crate::store::{Owner, Store};
use crate::workflow::{Job, Workflow};

/// All that a run is made of; the same for every job.
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What it runs.
    pub workflow: Arc<Workflow>,
    /// The `github` context, before any job.
    pub github: GithubContext,
    /// What the user gave it.
    pub given: Given,
    /// The content the jobs check out.
    pub content: Content,
    /// How they have other repositories.
    pub others: workspace::Others,
    /// Where caches and artifacts are kept.
    pub store: Store,
    /// [`Store::position`] when the run started: what lookups see of other runs.
    pub store_position: i64,
    /// What brings places up.
    pub backend: Sandbox,
    /// What every place is made with.
    pub place: PlaceSettings,
    /// Where facts go.
    pub events: Events,
    /// A directory of the run's own on the store's file system; gone after the run.
    pub directory: PathBuf,
    /// What every place of the run holds a shared lock on.
    pub lock: PathBuf,
    /// Who clears up after jobs and the run.
    pub janitor: Arc<Janitor>,
}

/// The content a run is of, as it was when the run began.
#[derive(Debug)]
pub struct Content {
    /// The user's repository; only ever read.
    pub repository: Repository,
    /// What it was like.
    pub facts: git::Facts,
    /// The commit that runs.
    pub snapshot: Snapshot,
}

impl Content {
    /// Whether it is not the user's own commit.
    pub fn is_dirty(&self) -> bool {
        !self.snapshot.changed.is_empty() || !self.snapshot.untracked.is_empty()
    }
}

/// What the user gave a run beside its workflow.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The `inputs` context.
    pub inputs: Value,
    /// The `vars` context.
    pub vars: Value,
    /// The secrets that have a value.
    pub secrets: IndexMap<String, String>,
    /// Variables for every job's environment.
    pub env: IndexMap<String, String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The verdict.
    pub verdict: Verdict,
    /// What it cost.
    pub timing: Timing,
}

impl Run {
    /// Who the files of a job belong to on this machine.
    pub(super) fn owner(&self) -> Owner {
        let (uid, gid) = self.backend.owner();
        Owner { uid, gid }
    }

    /// What checkouts are made from.
    pub(super) fn source(&self) -> workspace::Source<'_> {
        workspace::Source {
            repository: &self.content.repository,
            facts: &self.content.facts,
            snapshot: &self.content.snapshot,
            context: &self.github,
            others: &self.others,
        }
    }

    /// The contexts a job's own keys may use: `github`, `inputs`, `vars` and `needs`.
    pub fn facts(&self) -> Facts {
        Facts::of_run(
            &self.github,
            self.given.inputs.clone(),
            self.given.vars.clone(),
        )
    }
}

/// Carries a plan out and returns once every job is done and no process of any is left.
///
/// `jobs_at_once` legs run at the same time. Cancelling ends the running steps as the runner
/// does; `always()` steps and post steps still run.
pub async fn execute(
    run: Arc<Run>,
    plan: Plan,
    jobs_at_once: usize,
    mut cancellation: Cancellation,
) -> Ended {
    let start = Moment::now();
    let mut scheduler = Scheduler {
        of: Called::of_run(&run),
        concurrency: concurrency(&plan, jobs_at_once),
        pending: plan.jobs,
        needs: Needs::default(),
        open: IndexMap::new(),
        queue: VecDeque::new(),
        running: JoinSet::new(),
        cancellers: HashMap::new(),
        jobs_at_once: jobs_at_once.max(1),
        cancelled: false,
        ran: false,
        run,
    };
    loop {
        scheduler.open_ready_jobs();
        scheduler.start_legs();
        if scheduler.running.is_empty() {
            break;
        }
        let cancelled = scheduler.cancelled;
        tokio::select! {
            Some(ended) = scheduler.running.join_next() => scheduler.leg_ended(ended),
            () = cancellation.cancelled(), if !cancelled => scheduler.cancel(),
        }
    }
    let may_flip = scheduler.run.events.may_flip();
    Ended {
        verdict: Verdict::new(&scheduler.needs.conclusions(), scheduler.ran, may_flip),
        timing: Timing::wall(start.elapsed()),
    }
}

/// What may run at the same time: how many, and of which jobs where that is more than one.
fn concurrency(plan: &Plan, jobs_at_once: usize) -> Arc<str> {
    let jobs = plan.jobs.iter().map(|job| job.id.as_str());
    match jobs_at_once {
        0 | 1 => "1".into(),
        several => {
            let jobs: Vec<_> = jobs.collect();
            format!("{several} of {}", jobs.join(", ")).into()
        }
    }
}

struct Scheduler {
    run: Arc<Run>,
    of: Arc<Called>,
    concurrency: Arc<str>,
    /// Jobs whose needs are not all done.
    pending: Vec<PlannedJob>,
    /// Jobs that are done.
    needs: Needs,
    /// Jobs with legs queued or running.
    open: IndexMap<String, OpenJob>,
    /// Legs that may start, in GitHub's order.
    queue: VecDeque<PlannedLeg>,
    running: JoinSet<LegEnd>,
    cancellers: HashMap<JobKey, Canceller>,
    jobs_at_once: usize,
    cancelled: bool,
    ran: bool,
}

/// A job some of whose legs are not done.
struct OpenJob {
    needs: Vec<String>,
    left: usize,
    running: usize,
    ends: Vec<LegEnd>,
}

impl Scheduler {
    /// Opens every job whose needs are done; closing a skipped one may make others ready.
    fn open_ready_jobs(&mut self) {
        while let Some(index) = self
            .pending
            .iter()
            .position(|job| self.needs.all_done(&job.needs))
        {
            let planned = self.pending.remove(index);
            self.open_job(&planned);
        }
    }

    fn open_job(&mut self, planned: &PlannedJob) {
        let run = self.run.clone();
        let Some(job) = run.workflow.jobs.get(&planned.id) else {
            return;
        };
        match self.skip_reason(planned, job) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.skip(planned, &reason),
            Err(error) => {
                let id = &planned.id;
                return self.fail(
                    planned,
                    format!("Error when evaluating 'if' for job '{id}': {error}"),
                );
            }
        }
        let legs = match planned.legs {
            Some(ref legs) => Ok(legs.clone()),
            None => plan::expand(&run.workflow, job, &self.facts(planned)),
        };
        match legs {
            Ok(legs) => self.queue_legs(planned, legs),
            Err(error) => self.fail(planned, error.to_string()),
        }
    }

    /// What the keys of a job whose needs are done may use.
    fn facts(&self, planned: &PlannedJob) -> Facts {
        self.run
            .facts()
            .with("needs", self.needs.context(&planned.needs))
    }

    fn skip_reason(
        &self,
        planned: &PlannedJob,
        job: &Job,
    ) -> Result<Option<SkipReason>, EvaluationError> {
        if let Some(reason) = &planned.skip {
            return Ok(Some(reason.clone()));
        }
        let holds = self.needs.condition_holds(
            &job.condition,
            &planned.needs,
            self.facts(planned),
            self.cancelled,
        )?;
        if holds {
            return Ok(None);
        }
        if self.cancelled {
            return Ok(Some(SkipReason::Cancelled));
        }
        Ok(Some(match self.needs.unsuccessful(&planned.needs) {
            Some((job, result)) => SkipReason::Needs { job, result },
            None => SkipReason::Condition {
                condition: job.condition.text.clone(),
            },
        }))
    }

    fn skip(&mut self, planned: &PlannedJob, reason: &SkipReason) {
        self.run.events.send(EventKind::JobSkipped {
            job: JobKey::new(&planned.id, 0),
            reason: reason.clone(),
        });
        let result = match reason {
            SkipReason::Cancelled => Outcome::Cancelled,
            _ => Outcome::Skipped,
        };
        self.needs.done(
            &planned.id,
            JobResult::without_outputs(result, &planned.needs),
        );
    }

    /// A matrix or a condition that turned out wrong fails its job, as on GitHub.
    fn fail(&mut self, planned: &PlannedJob, message: String) {
        let job = JobKey::new(&planned.id, 0);
        self.run.events.send(EventKind::JobFailed { job, message });
        self.ran = true;
        self.needs.done(
            &planned.id,
            JobResult::without_outputs(Outcome::Failure, &planned.needs),
        );
    }

    fn queue_legs(&mut self, planned: &PlannedJob, legs: Vec<PlannedLeg>) {
        let mut left = 0;
        for leg in legs {
            match &leg.placement {
                Placement::Here { .. } => {
                    left += 1;
                    self.queue.push_back(leg);
                }
                Placement::Elsewhere { obstacle } => self.not_run(&leg.key, obstacle),
            }
        }
        if left == 0 {
            let result = JobResult::without_outputs(Outcome::Skipped, &planned.needs);
            self.needs.done(&planned.id, result);
            return;
        }
        let open = OpenJob {
            needs: planned.needs.clone(),
            left,
            running: 0,
            ends: Vec::new(),
        };
        self.open.insert(planned.id.clone(), open);
    }

    fn not_run(&self, job: &JobKey, obstacle: &str) {
        self.run.events.send(EventKind::JobSkipped {
            job: job.clone(),
            reason: SkipReason::NotRunHere {
                obstacle: obstacle.to_owned(),
            },
        });
        self.run.events.send(EventKind::Differs(Difference {
            kind: DifferenceKind::NotRun {
                obstacle: obstacle.to_owned(),
            },
            site: Site::Job(job.clone()),
            effect: Effect::MayFlip,
        }));
    }

    /// Starts queued legs while there is room for them.
    fn start_legs(&mut self) {
        let mut index = 0;
        while self.running.len() < self.jobs_at_once && index < self.queue.len() {
            let leg = &self.queue[index];
            let may_start = self.open.get(&leg.key.id).is_some_and(|open| {
                leg.max_parallel
                    .is_none_or(|most| open.running < most.max(1))
            });
            if !may_start {
                index += 1;
                continue;
            }
            if let Some(leg) = self.queue.remove(index) {
                self.start_leg(leg);
            }
        }
    }

    fn start_leg(&mut self, leg: PlannedLeg) {
        let (canceller, cancellation) = Canceller::new();
        self.cancellers.insert(leg.key.clone(), canceller);
        let Some(open) = self.open.get_mut(&leg.key.id) else {
            return;
        };
        open.running += 1;
        let spec = LegSpec {
            of: Arc::clone(&self.of),
            needs: self.needs.context(&open.needs),
            all_needs: self.needs.ancestors(&open.needs),
            concurrency: Arc::clone(&self.concurrency),
            leg,
        };
        let run = self.run.clone();
        self.running
            .spawn(async move { job::run(run, spec, cancellation).await });
    }

    fn leg_ended(&mut self, ended: Result<LegEnd, tokio::task::JoinError>) {
        // A leg that panicked is lrun's own fault: let the panic go on where it is reported.
        let end = match ended {
            Ok(end) => end,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        self.cancellers.remove(&end.key);
        self.ran |= end.placed;
        let Some(open) = self.open.get_mut(&end.key.id) else {
            return;
        };
        open.running -= 1;
        open.left -= 1;
        let id = end.key.id.clone();
        let stop_others = end.fail_fast && end.conclusion == Outcome::Failure;
        open.ends.push(end);
        if stop_others {
            self.cancel_legs(&id);
        }
        self.close_if_done(&id);
    }

    fn close_if_done(&mut self, id: &str) {
        if self.open.get(id).is_none_or(|open| open.left > 0) {
            return;
        }
        if let Some(open) = self.open.shift_remove(id) {
            self.needs
                .done(id, JobResult::of_legs(&open.ends, &open.needs));
        }
    }

    /// A failed leg of a fail-fast matrix ends the others.
    fn cancel_legs(&mut self, id: &str) {
        for (key, canceller) in &self.cancellers {
            if key.id == id {
                canceller.cancel();
            }
        }
        let queued: Vec<JobKey> = self
            .queue
            .iter()
            .filter(|leg| leg.key.id == id)
            .map(|leg| leg.key.clone())
            .collect();
        self.queue.retain(|leg| leg.key.id != id);
        for key in queued {
            self.drop_queued(key);
        }
    }

    fn drop_queued(&mut self, key: JobKey) {
        self.run.events.send(EventKind::JobSkipped {
            job: key.clone(),
            reason: SkipReason::Cancelled,
        });
        if let Some(open) = self.open.get_mut(&key.id) {
            open.left -= 1;
            open.ends.push(LegEnd::cancelled(key));
        }
    }

    fn cancel(&mut self) {
        self.cancelled = true;
        for canceller in self.cancellers.values() {
            canceller.cancel();
        }
        let queued: Vec<JobKey> = self.queue.drain(..).map(|leg| leg.key).collect();
        for key in queued {
            let id = key.id.clone();
            self.drop_queued(key);
            self.close_if_done(&id);
        }
    }
}
