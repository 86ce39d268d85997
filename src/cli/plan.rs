//! `lrun plan`: what GitHub and lrun would do, told without doing it.

use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use clap::Args;

use super::actions::Elsewhere;
use super::args::{AllowArguments, GivenArguments, PretendArguments};
use super::document;
use super::exit::ExitCode;
use super::failure::{Failure, printed};
use super::find::{self, Found};
use super::subject::{Asked, Declared, Ground, Subject, summary, workflow_name};
use super::terminal;
use crate::config::Settings;
use crate::exec::environment_secrets;
use crate::expr::Value;
use crate::git::Snapshot;
use crate::ids::RunId;
use crate::plan::github_event::{
    GithubContext, Identity, InputError, RunIdentity, dispatch_inputs,
};
use crate::plan::{self, ExpandError, Facts, MissingSecret, Permitted, Plan, PlanError, Selection};
use crate::report::{self, Forecast, ForecastOptions, Forecasted, Room};
use crate::source::Diagnostic;
use crate::workflow::{self, Workflow};

const HELP: &str = "\
What is told of a workflow: whether GitHub would start it, and why, by pattern and file; the jobs in \
the order they can start (a number is a wave: all of it may run at once); their legs; what is skipped \
and why, as far as that is decided; what cannot run here. Without a workflow: all of the repository, a \
line each, for the event of --event or a push.

`paths` filters look at what a push would bring: origin/BRANCH against HEAD and what is not committed; \
of a new branch what it has beyond the others; of a pull request what it has beyond its base. --since \
and --committed change that.

With --json one object a workflow and a line:
  {\"version\":1,\"type\":\"plan\",\"workflow\":PATH,\"name\",\"repository\",\"event\",\"ref\",\"head_sha\",
   \"changed_files\",\"compared_files\",\"since\",\"starts\":bool,\"why\",\"assumptions\":[…],
   \"missing_secrets\":[{\"name\",\"readers\":[…],\"withheld\"}],
   \"filters\":[{\"key\":\"on.push.paths\",\"passes\":bool,\"why\",
     \"patterns\":[{\"pattern\",\"line\",\"column\",\"decides\":how many names}],
     \"names\":[{\"name\",\"selected\":bool,\"pattern\"}]}],
   \"jobs\":[{\"job\",\"wave\",\"needs\":[…],\"reason\"+\"text\" where it is skipped,
     \"fails\":{\"text\",\"line\",\"column\"} where it fails before it runs,
     \"legs\":[{\"leg\",\"name\",\"matrix\",\"labels\":[…],\"here\":bool,\"obstacle\",
       \"calls\":{\"uses\",\"inputs\":{…},\"unknown_inputs\":[…],\"jobs\":[…],\"why\"} of a called workflow}],
     \"skipped_steps\":[{\"step\",\"name\",\"condition\"}],\"left_out\":[{\"step\",\"name\",\"why\"}],
     \"obstacles\":[{\"text\",\"line\",\"column\"}]}]}
  {\"version\":1,\"type\":\"plan\",\"workflow\":PATH,\"errors\":[{\"message\",\"line\",\"column\"}]}
Within a version fields are only added. `changed_files` counts what is not committed, `compared_files` \
what differs from `since`; null where no `paths` filter asks. `jobs` is null where the workflow has no such event or lacks an \
input, or is called and not at hand; `legs` where they depend on other jobs. Waves of called jobs are counted from their \
caller's.

Exit codes: 0 it is told, also that GitHub would start nothing; 2 the command line or a workflow is not \
acceptable; 4 there is no git repository, or \
--refuse-any refuses the run; 70 lrun's own fault.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct PlanArguments {
    /// The workflow: a path, or a name under .github/workflows; default: all of them.
    workflow: Option<String>,
    /// This job and those it needs; may be given several times.
    #[arg(short, long = "job", value_name = "ID", requires = "workflow")]
    job: Vec<String>,
    /// As if started in this directory.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    pretend: PretendArguments,
    #[command(flatten)]
    given: GivenArguments,
    #[command(flatten)]
    allow: AllowArguments,
    /// One JSON object a workflow instead of the report.
    #[arg(long, help_heading = "What is printed")]
    json: bool,
    /// Every file that a filter looks at, and all that is assumed.
    #[arg(short, long, help_heading = "What is printed")]
    verbose: bool,
}

/// Tells what would become of one workflow, or of all.
pub(super) fn plan(arguments: &PlanArguments) -> Result<ExitCode, Failure> {
    let settings = Settings::of_process().map_err(Failure::usage)?;
    let options = ForecastOptions {
        verbose: arguments.verbose,
        color: terminal::has_color(&settings),
        room: terminal::size().map_or(Room::Unbounded, |size| Room::Terminal(size.columns)),
    };
    match &arguments.workflow {
        Some(name) => one(arguments, name, &settings, options),
        None => all(arguments, &settings, options),
    }
}

fn one(
    arguments: &PlanArguments,
    name: &str,
    settings: &Settings,
    options: ForecastOptions,
) -> Result<ExitCode, Failure> {
    let found = find::workflow(&arguments.directory, Some(name))?;
    let elsewhere = Rc::new(Elsewhere::stored());
    // Git takes longer than the file.
    let (ground, workflow) = std::thread::scope(|scope| {
        let ground = scope.spawn(|| Ground::look(&found.root, settings));
        let workflow = document::read(&found, &elsewhere);
        let ground = ground
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (ground, workflow)
    });
    let told = match workflow? {
        Ok(workflow) => forecast(
            arguments,
            (None, &elsewhere),
            &found,
            workflow,
            (&ground?, settings),
        )?,
        Err(errors) => Forecasted::Invalid {
            path: document::shown(&found),
            errors,
        },
    };
    let mut out = io::stdout().lock();
    match (told, arguments.json) {
        (told, true) => {
            let code = code_of(&told);
            printed(report::forecasts_json(&mut out, &[told])).map(|_| code)
        }
        (Forecasted::Valid(forecast), false) => {
            printed(report::forecast(&mut out, &forecast, options))
        }
        (Forecasted::Invalid { errors, .. }, false) => Err(Failure::invalid(&errors)),
    }
}

fn code_of(told: &Forecasted) -> ExitCode {
    match told {
        Forecasted::Valid(_) => ExitCode::Success,
        Forecasted::Invalid { .. } => ExitCode::Usage,
    }
}

fn all(
    arguments: &PlanArguments,
    settings: &Settings,
    options: ForecastOptions,
) -> Result<ExitCode, Failure> {
    let all = find::workflows(&arguments.directory)?;
    let Some(first) = all.first() else {
        return Ok(ExitCode::Success);
    };
    let ground = Ground::look(&first.root, settings)?;
    let event = arguments.pretend.event.as_deref().unwrap_or("push");
    workflow::known_event(event).map_err(Failure::usage)?;
    let takes_inputs = matches!(event, "workflow_dispatch" | "workflow_call");
    if !arguments.given.input.is_empty() && !takes_inputs {
        return Err(Failure::usage(format!(
            "{event} has no inputs: --input is for workflow_dispatch"
        )));
    }
    let elsewhere = Rc::new(Elsewhere::stored());
    let mut told = Vec::new();
    for found in &all {
        let read = document::read(found, &elsewhere)?;
        told.push(match read {
            Ok(workflow) => forecast(
                arguments,
                (Some(event), &elsewhere),
                found,
                workflow,
                (&ground, settings),
            )?,
            Err(errors) => Forecasted::Invalid {
                path: document::shown(found),
                errors,
            },
        });
    }
    let mut codes = told.iter().map(code_of);
    let code = codes.find(|code| *code != ExitCode::Success);
    let mut out = io::stdout().lock();
    let ended = printed(match arguments.json {
        true => report::forecasts_json(&mut out, &told),
        false => report::forecasts(&mut out, &told, options),
    });
    ended.map(|success| code.unwrap_or(success))
}

/// What would become of a workflow for an event; none stands for the one a run would choose.
fn forecast(
    arguments: &PlanArguments,
    (event, elsewhere): (Option<&str>, &Rc<Elsewhere>),
    found: &Found,
    workflow: Arc<Workflow>,
    (ground, settings): (&Ground, &Settings),
) -> Result<Forecasted, Failure> {
    let is_one_of_all = event.is_some();
    let event = event.or(arguments.pretend.event.as_deref());
    let asked = Asked {
        pretend: &arguments.pretend,
        given: &arguments.given,
        settings,
        declared: event.map_or(Declared::Only, Declared::Or),
        elsewhere,
        tells_missing: true,
    };
    let subject = Subject::find(asked, found, workflow, ground)?;
    let (facts, trigger) = (ground.facts(), &subject.trigger);
    let snapshot = Snapshot::outlined(facts, &trigger.content).map_err(Failure::cannot_run)?;
    let identity = RunIdentity {
        run: RunId(0),
        number: 0,
        workflow: workflow_name(&subject.workflow),
        workflow_path: subject.workflow.source.path.clone(),
    };
    let github = GithubContext::new(trigger, &subject.options, facts, &snapshot, identity);
    let mut start = subject.start(&github, &subject.conflicts());
    let run = summary(&github, &snapshot, Vec::new());
    let given = &subject.given.inputs;
    let mut missing_secrets = Vec::new();
    let plan = match dispatch_inputs(&subject.workflow, &trigger.event, given) {
        _ if subject.missing.is_some() => None,
        _ if !subject.is_declared() && (is_one_of_all || given.is_empty()) => None,
        Ok(inputs) => match planned(arguments, &subject, &github, inputs)? {
            Ok((plan, missing)) => {
                missing_secrets = missing;
                Some(plan)
            }
            Err(error) => {
                return Ok(Forecasted::Invalid {
                    path: github.run.workflow_path,
                    errors: vec![*error],
                });
            }
        },
        Err(error @ InputError::Unknown { .. }) if !is_one_of_all => {
            return Err(Failure::usage(error));
        }
        Err(error) => {
            if start.starts {
                start.starts = false;
                start.why = error.to_string();
            }
            None
        }
    };
    let usual = Identity::of(facts).assumptions;
    let assumptions = trigger.assumptions.clone();
    let decisive = assumptions.iter().filter(|one| !usual.contains(one));
    Ok(Forecasted::Valid(Box::new(Forecast {
        decisive: decisive.cloned().collect(),
        run,
        start,
        since: trigger
            .compared
            .as_ref()
            .map(|compared| compared.since.clone()),
        plan,
        missing_secrets,
        assumptions,
    })))
}

/// A plan and the secrets it lacks, or why GitHub makes none.
type Planned = Result<(Plan, Vec<MissingSecret>), Box<Diagnostic>>;

fn planned(
    arguments: &PlanArguments,
    subject: &Subject<'_>,
    github: &GithubContext,
    inputs: Value,
) -> Result<Planned, Failure> {
    let workflow = &subject.workflow;
    let vars = Value::from(serde_json::json!(subject.given.vars));
    let selection = Selection {
        jobs: arguments.job.clone(),
    };
    let facts = Facts::of_run(github, inputs, vars).permitting(Permitted {
        secrets: subject.given.secrets.clone(),
        environments: environment_secrets(&subject.given.environments),
        publish: arguments.allow.publish,
    });
    match plan::plan(workflow, &selection, &facts) {
        Ok(plan) => {
            let missing = plan::missing_secrets(workflow, &plan, &facts);
            if arguments.allow.refuse_any {
                let in_the_way = plan.in_the_way(workflow);
                if !in_the_way.is_empty() || !missing.is_empty() {
                    return Err(Failure::refused_any(&in_the_way, &missing));
                }
            }
            Ok(Ok((plan, missing)))
        }
        Err(PlanError::Expand(ExpandError::Refused(diagnostic))) => Ok(Err(diagnostic)),
        Err(other) => Err(Failure::unplanned(other)),
    }
}
