//! What the action logs (`git-source-provider.ts`), without what it logs about credentials and
//! about its own temporary configuration: there are none here.

use super::fetch::{Checkout, Fetch};
use super::served::Served;
use crate::event::LogLine;
use crate::plan::{CheckoutInputs, Submodules};

type Line = (LogLine, String);

/// Where a checkout goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// A path inside the place.
    pub(super) path: &'a str,
    /// Whether there is a directory.
    pub(super) exists: bool,
}

/// The lines of a checkout that gave `commit`.
pub(super) fn lines(
    served: &Served<'_>,
    inputs: &CheckoutInputs,
    fetch: &Fetch,
    (target, commit): (Target<'_>, &str),
) -> Vec<Line> {
    let url = &served.url;
    let path = target.path;
    let mut lines = beginning(served, path);
    if target.exists {
        lines.push(output(format!("Deleting the contents of '{path}'")));
    }
    group(
        &mut lines,
        "Initializing the repository",
        [
            command(&format!("init {path}")),
            output(format!("Initialized empty Git repository in {path}/.git/")),
            command(&format!("remote add origin {url}")),
        ],
    );
    group(
        &mut lines,
        "Disabling automatic garbage collection",
        [command("config --local gc.auto 0")],
    );
    if served.run.is_none() && inputs.git_ref.is_none() {
        let default = output(format!("Default branch '{}'", served.default));
        group(&mut lines, "Determining the default branch", [default]);
    }
    if inputs.lfs {
        lines.push(command("lfs install --local"));
    }
    let mut fetching = vec![command(&fetch_arguments(inputs, fetch).join(" "))];
    fetching.extend(fetched(fetch, url));
    group(&mut lines, "Fetching the repository", fetching);
    group(&mut lines, "Determining the checkout info", []);
    if inputs.lfs && inputs.sparse.is_none() {
        let fetch = command(&format!("lfs fetch origin {}", start(&fetch.checkout)));
        group(&mut lines, "Fetching LFS objects", [fetch]);
    }
    sparse(&mut lines, inputs);
    group(
        &mut lines,
        "Checking out the ref",
        checking_out(&fetch.checkout),
    );
    submodules(&mut lines, inputs);
    lines.push(command("log -1 --format=%H"));
    lines.push(output(commit));
    lines
}

/// The lines before anything is done, in a workspace at `path`.
pub(super) fn beginning(served: &Served<'_>, path: &str) -> Vec<Line> {
    let mut lines = vec![output(format!("Syncing repository: {}", served.repository))];
    group(
        &mut lines,
        "Getting Git version info",
        [
            output(format!("Working directory is '{path}'")),
            command("version"),
            output(format!("git version {}", served.git_version)),
        ],
    );
    lines
}

fn sparse(lines: &mut Vec<Line>, inputs: &CheckoutInputs) {
    let Some(sparse) = &inputs.sparse else {
        lines.push(command("sparse-checkout disable"));
        let unset = "config --local --unset-all extensions.worktreeConfig";
        return lines.push(command(unset));
    };
    let set = match sparse.is_cone {
        true => vec![command(&format!(
            "sparse-checkout set {}",
            sparse.patterns.join(" ")
        ))],
        false => vec![
            command("config core.sparseCheckout true"),
            command("rev-parse --git-path info/sparse-checkout"),
            output(".git/info/sparse-checkout"),
        ],
    };
    group(lines, "Setting up sparse checkout", set);
}

fn submodules(lines: &mut Vec<Line>, inputs: &CheckoutInputs) {
    if inputs.submodules == Submodules::No {
        return;
    }
    let recursive = match inputs.submodules {
        Submodules::Recursive => " --recursive",
        _ => "",
    };
    let depth = inputs.depth.map(|depth| format!(" --depth={depth}"));
    let depth = depth.unwrap_or_default();
    let commands = [
        format!("submodule sync{recursive}"),
        format!("-c protocol.version=2 submodule update --init --force{depth}{recursive}"),
        format!("submodule foreach{recursive} git config --local gc.auto 0"),
    ];
    let commands = commands.iter().map(|arguments| command(arguments));
    group(lines, "Fetching submodules", commands.collect::<Vec<_>>());
}

/// What `git` is given to fetch.
pub(super) fn fetch_arguments(inputs: &CheckoutInputs, fetch: &Fetch) -> Vec<String> {
    let asks_for_tags = inputs.fetch_tags || inputs.depth.is_none();
    let has = |is_so: bool, text: &str| is_so.then(|| text.to_owned());
    let options = [
        has(inputs.whole_tags || !asks_for_tags, "--no-tags"),
        has(true, "--prune"),
        has(true, "--no-recurse-submodules"),
        inputs
            .filter
            .as_ref()
            .map(|filter| format!("--filter={filter}")),
        inputs.depth.map(|depth| format!("--depth={depth}")),
        has(true, "origin"),
    ];
    let before = ["-c", "protocol.version=2", "fetch"].map(str::to_owned);
    let refspecs = fetch.refspecs.iter().cloned();
    before
        .into_iter()
        .chain(options.into_iter().flatten())
        .chain(refspecs)
        .collect()
}

fn fetched(fetch: &Fetch, url: &str) -> Vec<Line> {
    let mut lines = vec![output(format!("From {url}"))];
    for (name, object) in &fetch.refs {
        let short = name.trim_start_matches("refs/");
        let short = short.trim_start_matches("remotes/");
        lines.push(output(format!(" * [new ref]         {object} -> {short}")));
    }
    lines
}

/// What is checked out, by a name that is there after the fetch.
fn start(checkout: &Checkout) -> String {
    match checkout {
        Checkout::Branch(name) => format!("refs/remotes/origin/{name}"),
        Checkout::Detached(name) => name.clone(),
    }
}

fn checking_out(checkout: &Checkout) -> Vec<Line> {
    match checkout {
        Checkout::Branch(name) => vec![
            command(&format!(
                "checkout --progress --force -B {name} refs/remotes/origin/{name}"
            )),
            output(format!("Switched to a new branch '{name}'")),
            output(format!("branch '{name}' set up to track 'origin/{name}'.")),
        ],
        Checkout::Detached(name) => vec![command(&format!("checkout --progress --force {name}"))],
    }
}

fn group(lines: &mut Vec<Line>, title: &str, inner: impl IntoIterator<Item = Line>) {
    lines.push((LogLine::Group, title.to_owned()));
    lines.extend(inner);
    lines.push((LogLine::EndGroup, String::new()));
}

fn command(arguments: &str) -> Line {
    (LogLine::Command, format!("/usr/bin/git {arguments}"))
}

fn output(text: impl Into<String>) -> Line {
    (LogLine::Output, text.into())
}
