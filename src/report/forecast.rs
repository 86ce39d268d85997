//! What GitHub and lrun would do of a workflow, told before anything runs: for people in lines, for
//! programs as one JSON object a workflow.

mod wire;

use std::io::{self, Write};

use super::layout::{self, Paint, Room, Style};
use crate::event::RunSummary;
use crate::expr::Value;
use crate::outcome::{Outcome, SkipReason};
use crate::plan::{
    CalledJobs, JudgedFilter, MissingSecret, Obstacle, Placement, Plan, PlannedCall, PlannedJob,
    PlannedLeg, Start,
};
use crate::source::Diagnostic;

/// A workflow, and what would become of it.
#[derive(Debug)]
pub struct Forecast {
    /// What it would be as a run; the jobs are in the plan.
    pub run: RunSummary,
    /// Whether GitHub would start it.
    pub start: Start,
    /// What its changed paths are counted from, for events that have some.
    pub since: Option<String>,
    /// What would run; none where the event is not among those of the workflow.
    pub plan: Option<Plan>,
    /// Secrets that are empty here where something reads them.
    pub missing_secrets: Vec<MissingSecret>,
    /// What had to be assumed, in words.
    pub assumptions: Vec<String>,
    /// What of that decides about the verdict: told in any case.
    pub decisive: Vec<String>,
}

/// A workflow of a repository: what would become of it, or what is wrong with its file.
#[derive(Debug)]
pub enum Forecasted {
    /// It can be read.
    Valid(Box<Forecast>),
    /// It cannot.
    Invalid {
        /// Its path from the root.
        path: String,
        /// What is wrong with it.
        errors: Vec<Diagnostic>,
    },
}

/// How it is to look.
#[derive(Debug, Clone, Copy)]
pub struct ForecastOptions {
    /// Every file of a filter, and what was assumed.
    pub verbose: bool,
    /// Colours.
    pub color: bool,
    /// What lines are written for.
    pub room: Room,
}

/// Files of a filter that are told unless everything is asked for.
const MOST_NAMES: usize = 10;

/// Prints one workflow for people.
///
/// # Errors
/// When `out` cannot be written.
pub fn forecast(
    out: &mut dyn Write,
    forecast: &Forecast,
    options: ForecastOptions,
) -> io::Result<()> {
    let mut page = Page::new(out, options);
    let title = layout::title(&forecast.run);
    page.line(0, Style::Strong, &title)?;
    let start = &forecast.start;
    let (word, style) = start_word(start);
    let word = page.paint.text(style, word);
    page.wrapped(0, 2, &format!("{word}: {}", start.why))?;
    for filter in &start.filters {
        // What is said above is not said again.
        if start.filters.len() > 1 {
            page.wrapped(2, 4, &filter.why)?;
        }
        page.filter(filter)?;
    }
    if let Some(plan) = &forecast.plan {
        writeln!(page.out)?;
        page.jobs(plan)?;
    }
    for secret in &forecast.missing_secrets {
        page.wrapped(0, 9, &format!("differs  {secret}"))?;
    }
    let assumed = match options.verbose {
        true => &forecast.assumptions,
        false => &forecast.decisive,
    };
    page.assumed(assumed)
}

/// Prints the workflows of a repository for people, a line each.
///
/// # Errors
/// When `out` cannot be written.
pub fn forecasts(
    out: &mut dyn Write,
    all: &[Forecasted],
    options: ForecastOptions,
) -> io::Result<()> {
    let mut page = Page::new(out, options);
    let read = |one: &Forecasted| match one {
        Forecasted::Valid(forecast) => Some(layout::state(&forecast.run)),
        Forecasted::Invalid { .. } => None,
    };
    if let Some(state) = all.iter().find_map(read) {
        page.line(0, Style::Strong, &state)?;
    }
    let width = all
        .iter()
        .map(|one| layout::columns(one.file()))
        .max()
        .unwrap_or(0);
    for one in all {
        let (mark, style, text) = match one {
            Forecasted::Valid(forecast) if forecast.start.starts => {
                ("✓", Style::Good, started(forecast))
            }
            Forecasted::Valid(forecast) => (
                "-",
                Style::Faint,
                format!("not started: {}", forecast.start.why),
            ),
            Forecasted::Invalid { errors, .. } => ("✗", Style::Bad, invalid(errors)),
        };
        let gap = " ".repeat(width - layout::columns(one.file()));
        let mark = page.paint.text(style, mark);
        let name = page.paint.text(Style::Strong, one.file());
        page.wrapped(2, width + 6, &format!("{mark} {name}{gap}  {text}"))?;
    }
    let decisive = all.iter().filter_map(|one| match one {
        Forecasted::Valid(forecast) if forecast.plan.is_some() => Some(&forecast.decisive),
        _ => None,
    });
    let mut decisive: Vec<String> = decisive.flatten().cloned().collect();
    decisive.sort();
    decisive.dedup();
    page.assumed(&decisive)
}

/// Prints workflows for programs: a JSON object a line, of the version of [`super::Json`].
///
/// # Errors
/// When `out` cannot be written.
pub fn forecasts_json(out: &mut dyn Write, all: &[Forecasted]) -> io::Result<()> {
    for one in all {
        serde_json::to_writer(&mut *out, &wire::Line::from(one))?;
        writeln!(out)?;
    }
    Ok(())
}

impl Forecasted {
    fn path(&self) -> &str {
        match self {
            Self::Valid(forecast) => &forecast.run.workflow_path,
            Self::Invalid { path, .. } => path,
        }
    }

    fn file(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or_default()
    }
}

fn start_word(start: &Start) -> (&'static str, Style) {
    match start.starts {
        true => ("GitHub starts it", Style::Good),
        false => ("GitHub does not start it", Style::Poor),
    }
}

/// `lint, build ×4, deploy (skipped)`
fn started(forecast: &Forecast) -> String {
    let jobs = forecast.plan.iter().flat_map(|plan| &plan.jobs);
    let job = |job: &PlannedJob| match (&job.skip, &job.legs) {
        _ if job.fails.is_some() => format!("{} (fails)", job.id),
        (Some(SkipReason::NotRunHere { .. }), _) => format!("{} (not here)", job.id),
        (Some(_), _) => format!("{} (skipped)", job.id),
        (None, Some(legs)) if legs.len() != 1 => format!("{} ×{}", job.id, legs.len()),
        _ => job.id.clone(),
    };
    jobs.map(job).collect::<Vec<_>>().join(", ")
}

fn invalid(errors: &[Diagnostic]) -> String {
    let first = errors.first().map(|error| {
        let place = error.position();
        format!(" in line {}: {}", place.line, error.message)
    });
    let more = match errors.len() {
        0 | 1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    format!("not valid{}{more}", first.unwrap_or_default())
}

/// Where lines go, and how they look.
struct Page<'o> {
    out: &'o mut dyn Write,
    options: ForecastOptions,
    paint: Paint,
}

impl<'o> Page<'o> {
    fn new(out: &'o mut dyn Write, options: ForecastOptions) -> Self {
        Self {
            out,
            options,
            paint: Paint(options.color),
        }
    }

    fn line(&mut self, indent: usize, style: Style, text: &str) -> io::Result<()> {
        let text = self.paint.text(style, text);
        self.wrapped(indent, indent + 2, &text)
    }

    /// A text, its later lines further in. Names of a workflow and of files cannot talk to the
    /// terminal, and make no lines of their own.
    fn wrapped(&mut self, indent: usize, hanging: usize, text: &str) -> io::Result<()> {
        let text = self.paint.harmless(text);
        for line in layout::wrap(&text, indent, hanging, self.options.room) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    fn assumed(&mut self, assumptions: &[String]) -> io::Result<()> {
        for assumption in assumptions {
            self.wrapped(0, 9, &format!("assumed  {assumption}"))?;
        }
        Ok(())
    }

    /// The names a filter looked at, each with the pattern that decides, and the patterns that
    /// decide nothing.
    fn filter(&mut self, filter: &JudgedFilter) -> io::Result<()> {
        if !filter.key.contains("paths") || filter.names.is_empty() {
            return Ok(());
        }
        self.names(filter)?;
        let idle: Vec<String> = filter
            .patterns
            .iter()
            .filter(|pattern| pattern.decides == 0)
            .map(|pattern| format!("'{}' (line {})", pattern.text, pattern.position.line))
            .collect();
        match idle.as_slice() {
            [] => Ok(()),
            idle => {
                let idle = format!("no file for {}", idle.join(", "));
                self.line(4, Style::Faint, &idle)
            }
        }
    }

    fn names(&mut self, filter: &JudgedFilter) -> io::Result<()> {
        let most = match self.options.verbose {
            true => filter.names.len(),
            false => MOST_NAMES,
        };
        // Those that decide come first.
        let decides = |selected: bool| selected != filter.key.ends_with("-ignore");
        let mut names: Vec<_> = filter.names.iter().collect();
        names.sort_by_key(|name| !decides(name.selected));
        let shown = &names[..names.len().min(most)];
        let widths = shown.iter().map(|name| layout::columns(&name.name));
        let width = widths.max().unwrap_or(0).min(40);
        for name in shown {
            let (mark, style) = match decides(name.selected) {
                true => ("+", Style::Good),
                false => ("-", Style::Faint),
            };
            let by = name.pattern.and_then(|index| filter.patterns.get(index));
            let by = by.map_or("no pattern".to_owned(), |pattern| {
                format!("'{}' in line {}", pattern.text, pattern.position.line)
            });
            let gap = " ".repeat(width.saturating_sub(layout::columns(&name.name)));
            let mark = self.paint.text(style, mark);
            let by = self.paint.text(Style::Faint, &by);
            self.wrapped(4, 8, &format!("{mark} {}{gap}  {by}", name.name))?;
        }
        match names.len() - shown.len() {
            0 => Ok(()),
            more => self.line(4, Style::Faint, &format!("and {more} more (--verbose)")),
        }
    }

    fn jobs(&mut self, plan: &Plan) -> io::Result<()> {
        let mut rows = Vec::new();
        add_rows(plan, 0, "", &mut rows);
        rows.sort_by_key(|row| row.wave);
        let names = rows.iter().flat_map(Row::names);
        let width = names
            .map(|name| layout::columns(&name))
            .max()
            .unwrap_or(0)
            .min(40);
        let mut wave = None;
        for row in &rows {
            let number = match wave == Some(row.wave) {
                true => "   ".to_owned(),
                false => format!("{:<3}", row.wave + 1),
            };
            wave = Some(row.wave);
            self.job(row, &number, width)?;
        }
        if plan.cannot_run() || !plan.refusals.is_empty() {
            let marked: usize = rows.iter().map(|row| row.job.obstacles.len()).sum();
            let many = layout::count(marked as u64, "thing");
            let text = format!("lrun cannot run this here: {many} marked ✗ above");
            self.line(0, Style::Poor, &text)?;
        }
        Ok(())
    }

    fn job(&mut self, row: &Row<'_>, number: &str, width: usize) -> io::Result<()> {
        let job = row.job;
        let needs = match job.needs.as_slice() {
            _ if job.skip.is_some() => String::new(),
            [] => String::new(),
            needs => format!("   needs {}", needs.join(", ")),
        };
        // Under the second column, where that leaves room.
        let hanging = match self.options.room {
            Room::Terminal(most) if usize::from(most) < 2 * (width + 5) => 7,
            _ => width + 5,
        };
        let mut number = number;
        for (name, about) in row.names().into_iter().zip(abouts(job)) {
            let gap = " ".repeat(width.saturating_sub(layout::columns(&name)));
            let name = self.paint.text(Style::Strong, &name);
            let needs = self.paint.text(Style::Faint, &needs);
            let about = match about {
                About::Runs(text) => text,
                About::Not(text) => self.paint.text(Style::Poor, &text),
            };
            self.wrapped(0, hanging, &format!("{number}{name}{gap}  {about}{needs}"))?;
            number = "   ";
        }
        for step in &job.skipped_steps {
            let number = step.index + 1;
            let text = format!(
                "step {number} is skipped: {}: if: {} is false",
                step.name, step.condition
            );
            self.line(5, Style::Faint, &text)?;
        }
        for step in &job.left_out {
            let mark = self.paint.text(Style::Poor, "-");
            let (number, name, why) = (step.index + 1, &step.name, &step.why);
            let text = format!("{mark} step {number} is not run here: {name}: {why}");
            self.wrapped(5, 7, &text)?;
        }
        if let Some(failure) = &job.fails {
            let line = failure.error().position().line;
            let mark = self.paint.text(Style::Bad, "✗");
            let text = failure.message();
            self.wrapped(5, 7, &format!("{mark} line {line}: {text}"))?;
        }
        let refused = job.obstacles.iter();
        for Obstacle {
            source, span, kind, ..
        } in refused
        {
            let place = source.position(span.start);
            let mark = self.paint.text(Style::Bad, "✗");
            self.wrapped(5, 7, &format!("{mark} line {}: {kind}", place.line))?;
        }
        Ok(())
    }
}

/// A job, of the workflow or of one that it calls.
struct Row<'p> {
    /// Counted from the start of the run.
    wave: usize,
    /// What stands before its names.
    caller: String,
    job: &'p PlannedJob,
}

fn add_rows<'p>(plan: &'p Plan, wave: usize, caller: &str, rows: &mut Vec<Row<'p>>) {
    for job in &plan.jobs {
        let wave = wave + job.wave;
        rows.push(Row {
            wave,
            caller: caller.to_owned(),
            job,
        });
        for leg in job.legs.iter().flatten() {
            if let Some(CalledJobs::Planned(called)) = leg.call.as_ref().map(|call| &call.called) {
                add_rows(called, wave, &format!("{} / ", leg.name), rows);
            }
        }
    }
}

impl Row<'_> {
    /// The names of the legs, or of the job itself where it has none.
    fn names(&self) -> Vec<String> {
        match &self.job.legs {
            Some(legs) if !legs.is_empty() && self.job.fails.is_none() => {
                legs.iter().map(|leg| leg.name.clone()).collect()
            }
            _ => vec![format!("{}{}", self.caller, self.job.id)],
        }
    }
}

enum About {
    Runs(String),
    Not(String),
}

fn abouts(job: &PlannedJob) -> Vec<About> {
    let about = match (&job.skip, &job.legs) {
        _ if job.fails.is_some() => About::Not("fails before it runs".to_owned()),
        (Some(SkipReason::Needs { job, result }), _) => {
            let end = match result {
                Outcome::Failure => "fails",
                _ => "is skipped",
            };
            About::Not(format!("skipped: needs {job}, which {end}"))
        }
        (Some(reason @ SkipReason::NotRunHere { .. }), _) => About::Not(reason.to_string()),
        (Some(reason), _) => About::Not(format!("skipped: {reason}")),
        (None, None) => About::Runs("legs follow from the outputs of what it needs".to_owned()),
        (None, Some(legs)) if legs.is_empty() => {
            About::Not("no legs: all of its matrix is excluded".to_owned())
        }
        (None, Some(legs)) => return legs.iter().map(of_leg).collect(),
    };
    vec![about]
}

fn of_leg(leg: &PlannedLeg) -> About {
    if let Some(call) = &leg.call {
        return About::Runs(of_call(call));
    }
    match &leg.placement {
        Placement::Here { .. } => About::Runs(leg.labels.join(", ")),
        Placement::Elsewhere { obstacle } => About::Not(format!("not run here: {obstacle}")),
    }
}

/// `calls ./x.yml with level = 3`
fn of_call(call: &PlannedCall) -> String {
    let input = |(name, value): &(String, Option<Value>)| match value {
        Some(value) => format!("{name} = {}", value.to_json()),
        None => format!("{name} (not known yet)"),
    };
    let inputs: Vec<String> = call.inputs.iter().map(input).collect();
    let with = match inputs.as_slice() {
        [] => String::new(),
        inputs => format!(" with {}", inputs.join(", ")),
    };
    let why = match &call.called {
        CalledJobs::Planned(_) => String::new(),
        CalledJobs::NotFollowed { why } => format!(", which is not followed: {why}"),
    };
    format!("calls {}{with}{why}", call.uses)
}
