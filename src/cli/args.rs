//! The command line as it was typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::check::CheckArguments;
use super::env_file::EnvFileArguments;
use super::exit;
use super::expr::ExprArguments;
use super::filter::FilterArguments;
use super::hash_files::HashFilesArguments;
use super::matrix::MatrixArguments;
use super::parse::ParseArguments;
use super::plan::PlanArguments;
use super::recorded::RunName;
use super::vendor::VendorArguments;

/// Runs GitHub Actions workflows locally and tells the truth about their caches.
#[derive(Debug, Parser)]
#[command(name = "lrun", version, args_conflicts_with_subcommands = true, after_help = exit::HELP)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a workflow; `lrun FILE` is short for it.
    Run(Box<RunArguments>),
    /// Say what GitHub would say of workflows and actions, before they are pushed.
    Check(CheckArguments),
    /// Say what GitHub would start, and what a run would do, without running anything.
    Plan(Box<PlanArguments>),
    /// Print what a workflow or action file says, as GitHub's own readers write it.
    Parse(ParseArguments),
    /// Print a recorded run again, byte for byte.
    Replay(ReplayArguments),
    /// List recorded runs, the last one first.
    Runs(RunsArguments),
    /// Say why the caches of a recorded run hit, missed or were not saved.
    Explain(ExplainArguments),
    /// Say what this machine gives to jobs, what is missing, and what would give it. Exits 4
    /// where jobs cannot run.
    Doctor(DoctorArguments),
    /// Evaluate an expression of `${{ }}` outside a run.
    Expr(ExprArguments),
    /// Say what hashFiles gives for a directory, and of which files.
    HashFiles(HashFilesArguments),
    /// Say whether patterns of branches, tags or paths take names.
    Filter(FilterArguments),
    /// Read a file of variables or outputs as the runner does.
    EnvFile(EnvFileArguments),
    /// Fetch everything that workflows need from elsewhere, so that they run offline.
    Vendor(Box<VendorArguments>),
    /// Print the jobs that a `strategy.matrix` makes.
    Matrix(MatrixArguments),
}

#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// One JSON object instead of the report.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunsArguments {
    /// How many at most.
    #[arg(short = 'L', long, value_name = "N", default_value_t = 20)]
    pub(super) limit: usize,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The number of the run, or `last`.
    pub(super) run: RunName,
    /// One of its steps: a name, an id or a number, or a job and one of these, as JOB/STEP.
    pub(super) step: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArguments {
    /// The number of the run, or `last`.
    pub(super) run: RunName,
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The workflow: a path, or a name under .github/workflows.
    pub(super) workflow: Option<String>,
    /// A workflow by path; the same as the plain argument.
    #[arg(
        short = 'W',
        long = "workflows",
        value_name = "FILE",
        conflicts_with = "workflow"
    )]
    pub(super) workflows: Option<String>,
    /// Run this job and those it needs; may be given several times.
    #[arg(short, long = "job", value_name = "ID")]
    pub(super) job: Vec<String>,
    /// Run as if started in this directory.
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    pub(super) directory: PathBuf,
    /// List the workflow's jobs and stop.
    #[arg(short, long)]
    pub(super) list: bool,
    /// How many jobs run at once; default: one for each processor.
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(super) pretend: PretendArguments,
    #[command(flatten)]
    pub(super) given: GivenArguments,
    #[command(flatten)]
    pub(super) allow: AllowArguments,
    #[command(flatten)]
    pub(super) actions: ActionArguments,
    #[command(flatten)]
    pub(super) place: PlaceArguments,
    #[command(flatten)]
    pub(super) output: OutputArguments,
}

/// What the run pretends to be.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the run pretends to be")]
pub(super) struct PretendArguments {
    /// The event's name; default: push if the workflow declares it, else the first it declares.
    #[arg(long, value_name = "NAME")]
    pub(super) event: Option<String>,
    /// A file with the event's payload.
    #[arg(short = 'e', long = "eventpath", value_name = "FILE")]
    pub(super) event_path: Option<PathBuf>,
    /// The branch or tag.
    #[arg(long = "ref", value_name = "REF")]
    pub(super) git_ref: Option<String>,
    /// The branch a pull request comes from.
    #[arg(long, value_name = "BRANCH")]
    pub(super) head: Option<String>,
    /// The branch a pull request goes to.
    #[arg(long, value_name = "BRANCH")]
    pub(super) base: Option<String>,
    /// The number of the pull request.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) pr: Option<u64>,
    /// Run as GitHub does for those it trusts less: without the repository's secrets.
    #[arg(long = "as", value_name = "WHO", value_enum)]
    pub(super) outsider: Option<OutsiderArgument>,
    /// Run HEAD, without uncommitted changes.
    #[arg(long)]
    pub(super) committed: bool,
    /// The commit, branch or tag that `paths` filters count changes from; default: what a push
    /// would bring, or what a pull request has beyond its base.
    #[arg(long, value_name = "REF")]
    pub(super) since: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum OutsiderArgument {
    /// A pull request of a fork.
    Fork,
    /// A push or a pull request of Dependabot.
    Dependabot,
}

/// What the run is given.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the run is given")]
pub(super) struct GivenArguments {
    /// An input of workflow_dispatch.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) input: Vec<String>,
    /// A file of inputs; default: `.input`, if it is there.
    #[arg(long, value_name = "FILE")]
    pub(super) input_file: Option<PathBuf>,
    /// A variable of every job's environment.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) env: Vec<String>,
    /// A file of such variables.
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,
    /// A secret; without a value that of the environment variable NAME.
    #[arg(short, long, value_name = "NAME[=VALUE]")]
    pub(super) secret: Vec<String>,
    /// A file of secrets; default: `.secrets`, if it is there.
    #[arg(long, value_name = "FILE")]
    pub(super) secret_file: Option<PathBuf>,
    /// Debug steps, as where ACTIONS_STEP_DEBUG is true: their debug lines are shown, and
    /// RUNNER_DEBUG is 1.
    #[arg(long)]
    pub(super) debug: bool,
    /// What `gh auth token` prints as the secret GITHUB_TOKEN.
    #[arg(long)]
    pub(super) gh_token: bool,
    /// A configuration variable, for the `vars` context.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) var: Vec<String>,
    /// A file of configuration variables; default: `.vars`, if it is there.
    #[arg(long, value_name = "FILE")]
    pub(super) var_file: Option<PathBuf>,
}

/// What the run may do.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the run may do")]
pub(super) struct AllowArguments {
    /// Run steps that deploy, publish, log in or talk to GitHub's API too, and give real secrets to jobs
    /// whose token may write or that have an environment.
    #[arg(long = "allow-publish")]
    pub(super) publish: bool,
    /// Refuse the run before it starts if anything of it would not run here as on GitHub: a step left
    /// out, a job for another system, a secret without a value.
    #[arg(long)]
    pub(super) refuse_any: bool,
}

/// Where actions and called workflows of other repositories come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Actions of other repositories")]
pub(super) struct ActionArguments {
    /// Take an action, or one folder of its repository, from a folder here; may be given several times.
    #[arg(long, value_name = "OWNER/REPO[/PATH][@REF]=DIR")]
    pub(super) action: Vec<String>,
    /// Fetch nothing: what is not in the store is named, and nothing is started.
    #[arg(long)]
    pub(super) offline: bool,
    /// Which tools the actions that set tools up give: those of the actions, or, by lrun in their
    /// place, this machine's (setup-go, setup-java, setup-node, setup-python, setup-uv,
    /// rust-toolchain, rust-cache).
    #[arg(long, value_enum, default_value_t = ToolsArgument::Actions)]
    pub(super) tools: ToolsArgument,
    /// Ask for every branch and tag again which commit it is; else once a day.
    #[arg(long, conflicts_with = "offline")]
    pub(super) update: bool,
}

/// Where the jobs run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where the jobs run")]
pub(super) struct PlaceArguments {
    /// What of the network jobs have.
    #[arg(long, value_enum, default_value_t = NetworkArgument::Host)]
    pub(super) network: NetworkArgument,
    /// Carry no network settings of this machine into the jobs.
    #[arg(long)]
    pub(super) no_network_config: bool,
    /// What runs JavaScript actions: a node of version 20 or newer, or a directory with
    /// bin/node in it.
    #[arg(long, value_name = "PATH")]
    pub(super) node: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ToolsArgument {
    /// What the actions themselves install.
    Actions,
    /// This machine's.
    Host,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum NetworkArgument {
    /// This machine's.
    Host,
    /// Loopback only.
    None,
}

/// What is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is printed")]
pub(super) struct OutputArguments {
    /// One JSON object a line instead of the report.
    #[arg(long)]
    pub(super) json: bool,
    /// Every line of every step, summaries, and differences of no effect.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// What steps wrote to GITHUB_STEP_SUMMARY, at the end.
    #[arg(long)]
    pub(super) summary: bool,
    /// Exit 3 when something could flip the verdict.
    #[arg(long)]
    pub(super) strict: bool,
}
