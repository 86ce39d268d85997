//! Concurrency groups of a repository: who runs in one, and who waits.
//!
//! One row for each that runs or waits. A row counts as long as its run is alive: what a killed run
//! leaves is removed by the next one that asks. Nobody is told of a change; whoever waits asks again.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::error::StoreError;
use super::root::Store;
use crate::ids::{JobKey, RunId};

/// As many may wait in a group where all that come do (docs: `concurrency.queue`).
const MOST_WAITING: i64 = 100;

/// Who may wait in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Queue {
    /// The last to come; whoever waited before is cancelled.
    #[default]
    Single,
    /// Up to a hundred, in the order they came.
    Max,
}

/// A run or a job that wants to be alone in a group.
#[derive(Debug, Clone)]
pub struct GroupRequest {
    /// `owner/name`
    pub repository: String,
    /// The group's name as written; letter case does not count.
    pub group: String,
    /// The run.
    pub run: RunId,
    /// The job; none for the whole run.
    pub job: Option<JobKey>,
    /// Whether whoever is in the group is cancelled.
    pub cancel_in_progress: bool,
    /// Who may wait.
    pub queue: Queue,
}

/// A place in a group, held or waited for, until [`Store::leave_group`] or the end of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(i64);

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupHolder {
    /// The run.
    pub run: RunId,
    /// The job; none for the whole run.
    pub job: Option<JobKey>,
}

/// What has become of a place in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Whoever has it may run.
    Mine,
    /// Somebody else is in the group, or was there before.
    Waits(GroupHolder),
    /// Another one that came later takes its place: it has to end, or never starts.
    Cancelled,
}

impl Store {
    /// Asks for a group: from then on others wait, or are cancelled, for it.
    pub fn enter_group(&self, request: &GroupRequest) -> Result<Ticket, StoreError> {
        self.index().write(|index| {
            let group = (&request.repository, folded(&request.group));
            self.forget_dead(index, (group.0, &group.1), request.run)?;
            let (running, waiting) = (request.cancel_in_progress, request.queue == Queue::Single);
            // Jobs of the same run that hold a group for calling another are never in the way: the
            // scheduler refuses those.
            index.execute(
                "UPDATE concurrency SET cancelled = 1 WHERE repository = ?1 AND folded = ?2
                 AND ((running = 1 AND ?3) OR (running = 0 AND ?4))",
                (group.0, &group.1, running, running || waiting),
            )?;
            let waiting: i64 = index.query_row(
                "SELECT count(*) FROM concurrency
                 WHERE repository = ?1 AND folded = ?2 AND running = 0 AND cancelled = 0",
                (group.0, &group.1),
                |row| row.get(0),
            )?;
            let job = request.job.as_ref();
            index.execute(
                "INSERT INTO concurrency (repository, folded, run, job, leg, running, cancelled)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
                (
                    group.0,
                    &group.1,
                    request.run.0 as i64,
                    job.map(|job| &job.id),
                    job.map(|job| job.leg),
                    waiting >= MOST_WAITING,
                ),
            )?;
            let ticket = Ticket(index.last_insert_rowid());
            grant(index, ticket, (group.0, &group.1))?;
            Ok(ticket)
        })
    }

    /// Whether its turn has come. The first of those who wait gets the group as soon as it is free.
    pub fn group_turn(&self, ticket: Ticket) -> Result<Turn, StoreError> {
        let now = self.index().read(|index| turn(index, ticket))?;
        if let Turn::Mine | Turn::Cancelled = now {
            return Ok(now);
        }
        self.index().write(|index| {
            let (repository, group, run): (String, String, i64) = index.query_row(
                "SELECT repository, folded, run FROM concurrency WHERE id = ?1",
                [ticket.0],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            self.forget_dead(index, (&repository, &group), RunId(run as u64))?;
            grant(index, ticket, (&repository, &group))?;
            turn(index, ticket)
        })
    }

    /// Whether whoever holds it has to end for another one.
    pub fn is_group_cancelled(&self, ticket: Ticket) -> Result<bool, StoreError> {
        let turn = self.index().read(|index| turn(index, ticket))?;
        Ok(turn == Turn::Cancelled)
    }

    /// Gives it back. The next one may run.
    pub fn leave_group(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.index()
            .write(|index| index.execute("DELETE FROM concurrency WHERE id = ?1", [ticket.0]))?;
        Ok(())
    }

    /// Removes what runs that are over have left in a group.
    fn forget_dead(
        &self,
        index: &Transaction<'_>,
        (repository, group): (&str, &str),
        but: RunId,
    ) -> rusqlite::Result<()> {
        let mut runs = index.prepare_cached(
            "SELECT DISTINCT run FROM concurrency WHERE repository = ?1 AND folded = ?2 AND run <> ?3",
        )?;
        let runs = runs.query_map((repository, group, but.0 as i64), |row| row.get(0))?;
        let runs: Vec<i64> = runs.collect::<rusqlite::Result<_>>()?;
        for run in runs {
            if !self.is_alive(RunId(run as u64)) {
                index.execute("DELETE FROM concurrency WHERE run = ?1", [run])?;
            }
        }
        Ok(())
    }
}

/// Gives a group to who waits, if nobody is in it or waits for longer.
fn grant(
    index: &Transaction<'_>,
    ticket: Ticket,
    (repository, group): (&str, &str),
) -> rusqlite::Result<usize> {
    index.execute(
        "UPDATE concurrency SET running = 1 WHERE id = ?1 AND cancelled = 0 AND NOT EXISTS (
             SELECT 1 FROM concurrency AS other
             WHERE other.repository = ?2 AND other.folded = ?3 AND other.id <> ?1
             AND (other.running = 1 OR (other.id < ?1 AND other.cancelled = 0)))",
        (ticket.0, repository, group),
    )
}

/// A group as it is compared.
fn folded(group: &str) -> String {
    group.to_lowercase()
}

fn turn(index: &Connection, ticket: Ticket) -> rusqlite::Result<Turn> {
    let own = index
        .prepare_cached("SELECT running, cancelled FROM concurrency WHERE id = ?1")?
        .query_row([ticket.0], |row| {
            Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?;
    match own {
        // Only the end of its run removes it.
        None | Some((_, true)) => return Ok(Turn::Cancelled),
        Some((true, false)) => return Ok(Turn::Mine),
        Some((false, false)) => {}
    }
    let before = index
        .prepare_cached(
            "SELECT other.run, other.job, other.leg FROM concurrency AS own JOIN concurrency AS other
             ON other.repository = own.repository AND other.folded = own.folded
             WHERE own.id = ?1 AND other.id <> own.id
             AND (other.running = 1 OR (other.id < own.id AND other.cancelled = 0))
             ORDER BY other.running DESC, other.id DESC LIMIT 1",
        )?
        .query_row([ticket.0], holder)
        .optional()?;
    match before {
        Some(before) => Ok(Turn::Waits(before)),
        // It is free, and will be given with the next transaction.
        None => index
            .prepare_cached("SELECT run, job, leg FROM concurrency WHERE id = ?1")?
            .query_row([ticket.0], holder)
            .map(Turn::Waits),
    }
}

fn holder(row: &Row<'_>) -> rusqlite::Result<GroupHolder> {
    let (job, leg) = (
        row.get::<_, Option<String>>(1)?,
        row.get::<_, Option<u32>>(2)?,
    );
    Ok(GroupHolder {
        run: RunId(row.get::<_, i64>(0)? as u64),
        job: job.map(|id| JobKey::new(id, leg.unwrap_or(0))),
    })
}
