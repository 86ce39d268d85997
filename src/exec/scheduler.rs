//! The scheduler: jobs start as soon as what they need is done, as many at once as asked for.
//!
//! Jobs of called workflows are jobs like others, with ids of the whole run (`CALLER/ID`); what they
//! need is in their own workflow. A job that calls is done once all that it calls is.

mod calls;
mod cancelling;
mod gates;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::task::JoinSet;

use self::calls::OpenCall;
use self::gates::{Held, Passed};
use super::called::Called;
use super::cancel::{Cancellation, Canceller};
use super::groups::Wanted;
use super::job::{self, LegEnd, LegSpec};
use super::needs::{JobResult, Needs};
use super::run::{Ended, Run};
use super::summaries;
use crate::clock::Moment;
use crate::difference::{Difference, DifferenceKind, Effect, Site, Verdict};
use crate::event::EventKind;
use crate::expr::EvaluationError;
use crate::ids::JobKey;
use crate::outcome::{Outcome, SkipReason, Timing};
use crate::plan::{self, Facts, JobFailure, Placement, Plan, PlannedJob, PlannedLeg, Selection};
use crate::workflow::{Job, JobBody};

/// Carries a plan out and returns once every job is done and no process of any is left.
///
/// `jobs_at_once` legs run at the same time. Cancelling ends the running steps as the runner
/// does; `always()` steps and post steps still run. Where the workflow has a concurrency group the
/// run waits for it first.
pub async fn execute(
    run: Arc<Run>,
    plan: Plan,
    jobs_at_once: usize,
    mut cancellation: Cancellation,
) -> Ended {
    let start = Moment::now();
    let mut scheduler = Scheduler::new(run, &plan, jobs_at_once);
    scheduler.begin(plan, &cancellation).await;
    loop {
        scheduler.go_on();
        if scheduler.running.is_empty() && scheduler.gates.is_empty() {
            break;
        }
        let cancelled = scheduler.cancelled.is_some();
        tokio::select! {
            Some(ended) = scheduler.running.join_next() => scheduler.leg_ended(ended),
            Some(passed) = scheduler.gates.join_next() => scheduler.passed(passed),
            Some(asked) = scheduler.watches.join_next() => scheduler.asked_to_leave(asked),
            () = cancellation.cancelled(), if !cancelled => scheduler.cancel(),
        }
    }
    scheduler.release(None);
    let may_flip = scheduler.run.events.may_flip();
    Ended {
        verdict: match scheduler.cancelled {
            Some(_) => Verdict::Cancelled,
            None => Verdict::new(&scheduler.needs.conclusions(), scheduler.ran, may_flip),
        },
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
    concurrency: Arc<str>,
    /// Jobs whose needs are not all done.
    pending: Vec<Pending>,
    /// Jobs that are done.
    needs: Needs,
    /// Jobs with legs that are not done.
    open: IndexMap<String, OpenJob>,
    /// Legs that call a workflow whose jobs are not all done.
    calls: IndexMap<JobKey, OpenCall>,
    /// Legs that may start, in GitHub's order.
    queue: VecDeque<Queued>,
    running: JoinSet<LegEnd>,
    /// Legs that run, or wait for a concurrency group.
    active: HashMap<JobKey, Active>,
    /// Those who wait for a concurrency group.
    gates: JoinSet<Passed>,
    /// The groups that are held; the run's own under no job.
    held: HashMap<Option<JobKey>, Vec<Held>>,
    /// Each ends once a group has to be left.
    watches: JoinSet<(Option<JobKey>, String)>,
    /// Legs that the reports know.
    known: HashSet<JobKey>,
    jobs_at_once: usize,
    /// Since when the run is being cancelled.
    cancelled: Option<Moment>,
    ran: bool,
}

/// A job that is not open yet.
struct Pending {
    of: Arc<Called>,
    planned: PlannedJob,
    /// Its id, and those it needs, in the whole run.
    id: String,
    needs: Vec<String>,
}

/// A job some of whose legs are not done.
struct OpenJob {
    needs: Vec<String>,
    /// What of the workflow that it calls was asked for.
    selection: Selection,
    left: usize,
    started: HashSet<u32>,
    ends: Vec<LegEnd>,
}

/// A leg that may start.
struct Queued {
    of: Arc<Called>,
    leg: PlannedLeg,
}

/// A leg that can be ended.
struct Active {
    of: Arc<Called>,
    canceller: Canceller,
}

impl Pending {
    fn new(of: &Arc<Called>, planned: PlannedJob) -> Self {
        Self {
            id: of.id_of(&planned.id),
            needs: planned.needs.iter().map(|need| of.id_of(need)).collect(),
            of: Arc::clone(of),
            planned,
        }
    }
}

impl Scheduler {
    fn new(run: Arc<Run>, plan: &Plan, jobs_at_once: usize) -> Self {
        let known = summaries::job_summaries(plan);
        Self {
            concurrency: concurrency(plan, jobs_at_once),
            pending: Vec::new(),
            needs: Needs::default(),
            open: IndexMap::new(),
            calls: IndexMap::new(),
            queue: VecDeque::new(),
            running: JoinSet::new(),
            active: HashMap::new(),
            gates: JoinSet::new(),
            held: HashMap::new(),
            watches: JoinSet::new(),
            known: known.into_iter().map(|job| job.job).collect(),
            jobs_at_once: jobs_at_once.max(1),
            cancelled: None,
            ran: false,
            run,
        }
    }

    /// Does all that can be done without waiting.
    fn go_on(&mut self) {
        loop {
            self.open_ready_jobs();
            let has_started = self.start_legs();
            if !self.close_calls() && !has_started {
                return;
            }
        }
    }

    /// Opens every job whose needs are done; closing a skipped one may make others ready.
    fn open_ready_jobs(&mut self) {
        while let Some(index) = self
            .pending
            .iter()
            .position(|job| self.needs.all_done(&job.needs))
        {
            let pending = self.pending.remove(index);
            self.open_job(&pending);
        }
    }

    fn open_job(&mut self, pending: &Pending) {
        let of = Arc::clone(&pending.of);
        let Some(job) = of.workflow.jobs.get(&pending.planned.id) else {
            return;
        };
        match self.skip_reason(pending, job) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.skip(pending, &reason),
            Err(error) => {
                let id = &pending.planned.id;
                return self.fail(
                    pending,
                    format!("Error when evaluating 'if' for job '{id}': {error}"),
                );
            }
        }
        if let Some(failure @ JobFailure::Key { .. }) = &pending.planned.fails {
            return self.fail(pending, failure.message());
        }
        let legs = match &pending.planned.legs {
            Some(legs) => Ok(legs.clone()),
            None => self.expand(pending, job),
        };
        match legs {
            Ok(legs) => self.queue_legs(pending, job, legs),
            Err(error) => self.fail(pending, error.to_string()),
        }
    }

    /// The legs of a job that were not known before the run.
    fn expand(&self, pending: &Pending, job: &Job) -> Result<Vec<PlannedLeg>, plan::ExpandError> {
        let of = &pending.of;
        let mut legs = plan::expand(&of.workflow, job, &self.facts(of, &pending.needs))?;
        let caller = of.caller.as_ref().and_then(|caller| self.calls.get(caller));
        for leg in &mut legs {
            leg.key.id.clone_from(&pending.id);
            if let Some(caller) = caller {
                leg.name = format!("{} / {}", caller.leg.name, leg.name);
            }
        }
        Ok(legs)
    }

    /// What the keys of a job whose needs are done may use.
    fn facts(&self, of: &Called, needs: &[String]) -> Facts {
        of.facts(&self.run).with("needs", self.needs.context(needs))
    }

    fn skip_reason(
        &self,
        pending: &Pending,
        job: &Job,
    ) -> Result<Option<SkipReason>, EvaluationError> {
        if let Some(reason) = &pending.planned.skip {
            return Ok(Some(reason.clone()));
        }
        let cancelled = self.is_cancelled(&pending.of);
        if self.condition_holds(&pending.of, job, &pending.needs, cancelled)? {
            return Ok(None);
        }
        if cancelled {
            return Ok(Some(SkipReason::Cancelled));
        }
        Ok(Some(match self.needs.unsuccessful(&pending.needs) {
            Some((job, result)) => SkipReason::Needs { job, result },
            None => SkipReason::Condition {
                condition: job.condition.text.clone(),
            },
        }))
    }

    fn condition_holds(
        &self,
        of: &Called,
        job: &Job,
        needs: &[String],
        cancelled: bool,
    ) -> Result<bool, EvaluationError> {
        let facts = self.facts(of, needs);
        self.needs
            .condition_holds(&job.condition, (of, needs), facts, cancelled)
    }

    fn skip(&mut self, pending: &Pending, reason: &SkipReason) {
        let job = JobKey::new(&pending.id, 0);
        match reason {
            SkipReason::NotRunHere { obstacle } => self.not_run(&job, obstacle),
            reason => self.run.events.send(EventKind::JobSkipped {
                job,
                reason: reason.clone(),
            }),
        }
        let result = match reason {
            SkipReason::Cancelled => Outcome::Cancelled,
            _ => Outcome::Skipped,
        };
        self.done(&pending.id, result, &pending.needs);
    }

    /// A matrix or a condition that turned out wrong fails its job, as on GitHub.
    fn fail(&mut self, pending: &Pending, message: String) {
        let job = JobKey::new(&pending.id, 0);
        self.run.events.send(EventKind::JobFailed { job, message });
        self.ran = true;
        self.done(&pending.id, Outcome::Failure, &pending.needs);
    }

    fn done(&mut self, id: &str, result: Outcome, needs: &[String]) {
        let result = JobResult::without_outputs(result, needs);
        self.needs.done(id, result);
    }

    fn queue_legs(&mut self, pending: &Pending, job: &Job, legs: Vec<PlannedLeg>) {
        self.tell_found(pending, &legs);
        let calls = matches!(job.body, JobBody::Calls(_));
        let mut here = Vec::new();
        for leg in legs {
            match &leg.placement {
                Placement::Elsewhere { obstacle } if !calls => self.not_run(&leg.key, obstacle),
                _ => here.push(leg),
            }
        }
        if here.is_empty() {
            return self.done(&pending.id, Outcome::Skipped, &pending.needs);
        }
        let open = OpenJob {
            needs: pending.needs.clone(),
            selection: pending.planned.selection.clone(),
            left: here.len(),
            started: HashSet::new(),
            ends: Vec::new(),
        };
        self.open.insert(pending.id.clone(), open);
        for leg in here {
            let of = Arc::clone(&pending.of);
            self.admit(job, Queued { of, leg });
        }
    }

    /// Tells of legs that nobody knew of.
    fn tell_found(&mut self, pending: &Pending, legs: &[PlannedLeg]) {
        let before = pending.of.id_of("");
        let mut jobs = summaries::of_legs(&pending.planned, legs, &before);
        jobs.retain(|job| self.known.insert(job.job.clone()));
        if !jobs.is_empty() {
            self.run.events.send(EventKind::JobsFound { jobs });
        }
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

    /// Lets a leg wait for its concurrency group, or start.
    fn admit(&mut self, job: &Job, queued: Queued) {
        let Some(token) = &job.concurrency else {
            return self.queue.push_back(queued);
        };
        let needs = self.needs_of(&queued.leg.key);
        let facts = queued.leg.facts(&self.facts(&queued.of, &needs));
        match Wanted::of(token, &facts) {
            Ok(None) => self.queue.push_back(queued),
            Ok(Some(wanted)) => self.wait_for_group(queued, wanted),
            Err(message) => {
                let id = &job.id.value;
                let message =
                    format!("Error when evaluating 'concurrency' for job '{id}': {message}");
                self.fail_leg(&queued.leg, message);
            }
        }
    }

    /// What the job of an open leg needs.
    fn needs_of(&self, leg: &JobKey) -> Vec<String> {
        let open = self.open.get(&leg.id);
        open.map(|open| open.needs.clone()).unwrap_or_default()
    }

    /// Starts queued legs while there is room for them. A leg that calls takes no room. Whether
    /// there was any.
    fn start_legs(&mut self) -> bool {
        let (mut index, mut any) = (0, false);
        while index < self.queue.len() {
            let Queued { of, leg } = &self.queue[index];
            let calls = matches!(
                of.job(&leg.key).map(|job| &job.body),
                Some(JobBody::Calls(_))
            );
            let has_room = calls || self.running.len() < self.jobs_at_once;
            let may_start = has_room
                && self.open.get(&leg.key.id).is_some_and(|open| {
                    leg.max_parallel
                        .is_none_or(|most| open.started.len() < most.max(1))
                });
            if !may_start {
                index += 1;
                continue;
            }
            if let Some(queued) = self.queue.remove(index) {
                any = true;
                if let Some(open) = self.open.get_mut(&queued.leg.key.id) {
                    open.started.insert(queued.leg.key.leg);
                }
                match calls {
                    true => self.open_call(queued),
                    false => self.start_leg(queued),
                }
            }
        }
        any
    }

    fn start_leg(&mut self, Queued { of, leg }: Queued) {
        let (canceller, cancellation) = Canceller::new();
        if let Some(since) = self.cancelled {
            cancelling::end_later(canceller.clone(), since);
        }
        let needs = self.needs_of(&leg.key);
        let active = Active {
            of: Arc::clone(&of),
            canceller,
        };
        self.active.insert(leg.key.clone(), active);
        let spec = LegSpec {
            needs: self.needs.context(&needs),
            all_needs: self.visible(&of, &needs),
            concurrency: Arc::clone(&self.concurrency),
            of,
            leg,
        };
        let run = self.run.clone();
        self.running
            .spawn(async move { job::run(run, spec, cancellation).await });
    }

    fn leg_ended(&mut self, ended: Result<LegEnd, tokio::task::JoinError>) {
        // A leg that panicked is lrun's own fault: let the panic go on where it is reported.
        match ended {
            Ok(end) => self.leg_done(end),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    /// A leg is done, however.
    fn leg_done(&mut self, end: LegEnd) {
        self.release(Some(&end.key));
        self.active.remove(&end.key);
        self.ran |= end.placed;
        let Some(open) = self.open.get_mut(&end.key.id) else {
            return;
        };
        open.started.remove(&end.key.leg);
        open.left -= 1;
        let id = end.key.id.clone();
        let stop_others = end.fail_fast && end.conclusion == Outcome::Failure;
        open.ends.push(end);
        if stop_others {
            self.cancel_legs(&id);
        }
        if self.open.get(&id).is_some_and(|open| open.left == 0)
            && let Some(open) = self.open.shift_remove(&id)
        {
            let result = JobResult::of_legs(&open.ends, &open.needs);
            self.needs.done(&id, result);
        }
    }

    /// A leg cannot be started.
    fn fail_leg(&mut self, leg: &PlannedLeg, message: String) {
        let job = leg.key.clone();
        self.run.events.send(EventKind::JobFailed { job, message });
        self.leg_done(LegEnd {
            conclusion: Outcome::Failure,
            fail_fast: leg.fail_fast,
            placed: true,
            ..LegEnd::cancelled(leg.key.clone())
        });
    }

    fn drop_leg(&mut self, key: JobKey) {
        self.run.events.send(EventKind::JobSkipped {
            job: key.clone(),
            reason: SkipReason::Cancelled,
        });
        self.leg_done(LegEnd::cancelled(key));
    }
}
