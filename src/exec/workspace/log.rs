//! What the action logs (`git-source-provider.ts`), without what it logs about credentials and
//! about its own temporary configuration: there are none here.

use super::Source;
use super::fetch::{Checkout, Fetch};
use crate::event::LogLine;
use crate::plan::CheckoutInputs;

type Line = (LogLine, String);

/// The lines of a checkout to `target`, a path inside the place, that gave `commit`.
pub(super) fn lines(
    source: &Source<'_>,
    inputs: &CheckoutInputs,
    fetch: &Fetch,
    (target, commit): (&str, &str),
) -> Vec<Line> {
    let identity = &source.context.identity;
    let url = identity.url();
    let version = &source.repository.git_version;
    let mut lines = vec![output(format!(
        "Syncing repository: {}",
        identity.repository()
    ))];
    group(
        &mut lines,
        "Getting Git version info",
        [
            output(format!("Working directory is '{target}'")),
            command("version"),
            output(format!("git version {version}")),
        ],
    );
    lines.push(output(format!("Deleting the contents of '{target}'")));
    group(
        &mut lines,
        "Initializing the repository",
        [
            command(&format!("init {target}")),
            output(format!(
                "Initialized empty Git repository in {target}/.git/"
            )),
            command(&format!("remote add origin {url}")),
        ],
    );
    group(
        &mut lines,
        "Disabling automatic garbage collection",
        [command("config --local gc.auto 0")],
    );
    group(
        &mut lines,
        "Fetching the repository",
        fetching(inputs, fetch, &url),
    );
    group(&mut lines, "Determining the checkout info", []);
    lines.push(command("sparse-checkout disable"));
    lines.push(command(
        "config --local --unset-all extensions.worktreeConfig",
    ));
    group(
        &mut lines,
        "Checking out the ref",
        checking_out(&fetch.checkout),
    );
    lines.push(command("log -1 --format=%H"));
    lines.push(output(commit));
    lines
}

fn fetching(inputs: &CheckoutInputs, fetch: &Fetch, url: &str) -> Vec<Line> {
    let tags = if inputs.fetch_tags || inputs.depth.is_none() {
        ""
    } else {
        "--no-tags "
    };
    let depth = inputs
        .depth
        .map_or_else(String::new, |depth| format!("--depth={depth} "));
    let refspecs = fetch.refspecs.join(" ");
    let arguments = format!(
        "-c protocol.version=2 fetch {tags}--prune --no-recurse-submodules {depth}origin {refspecs}"
    );
    let mut lines = vec![command(&arguments), output(format!("From {url}"))];
    for (name, object) in &fetch.refs {
        let short = name.trim_start_matches("refs/");
        let short = short.trim_start_matches("remotes/");
        lines.push(output(format!(" * [new ref]         {object} -> {short}")));
    }
    lines
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
