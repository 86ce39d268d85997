//! What it costs to find actions that are in the store.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use lrun::action::{ActionOptions, Actions, Wanted};
use lrun::clock::Moment;
use lrun::store::Store;
use lrun::workflow::Location;

use super::measure::{median, succeed};
use super::{Line, git};

const ACTIONS: usize = 20;

/// Twenty actions of as many repositories, each with a manifest of thirty inputs.
pub(crate) fn actions(root: &Path) -> io::Result<Vec<Line>> {
    let github = root.join("github");
    let inputs: String = (0..30)
        .map(|n| format!("  input-{n}:\n    description: what it is for\n    default: ${{{{ github.token }}}}\n"))
        .collect();
    let manifest = format!("name: x\ninputs:\n{inputs}runs: {{using: node24, main: index.js}}\n");
    let mut steps = String::new();
    for number in 0..ACTIONS {
        let repository = github.join(format!("o/a{number}"));
        fs::create_dir_all(&repository)?;
        fs::write(repository.join("action.yml"), &manifest)?;
        commit(&repository)?;
        git(&repository, &["tag", "v1"])?;
        steps.push_str(&format!("      - uses: o/a{number}@v1\n"));
    }
    let configuration = root.join("github.gitconfig");
    let instead = format!(
        "[url \"{}/\"]\n\tinsteadOf = https://github.com/\n",
        github.display()
    );
    fs::write(&configuration, instead)?;
    let project = root.join("uses");
    let workflows = project.join(".github/workflows");
    fs::create_dir_all(&workflows)?;
    let text = format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}");
    fs::write(workflows.join("ci.yml"), text)?;
    commit(&project)?;
    let store = root.join("store-actions");
    let mut vendor = Command::new(env!("CARGO_BIN_EXE_lrun"));
    vendor
        .args(["vendor", "ci.yml"])
        .current_dir(&project)
        .env("LRUN_STORE", &store)
        .env("GIT_CONFIG_GLOBAL", &configuration);
    succeed(&mut vendor)?;
    let store = Store::open(&store).map_err(io::Error::other)?;
    let time = median(|| {
        let options = ActionOptions {
            mapped: Vec::new(),
            offline: true,
            update: false,
            tools_of_host: false,
            tell: |_| (),
        };
        let start = Moment::now();
        let actions = Actions::new(store.clone(), options);
        let from = Location::own(".github/workflows/ci.yml");
        let uses: Vec<_> = (0..ACTIONS).map(|n| format!("o/a{n}@v1")).collect();
        let wanted: Vec<_> = uses
            .iter()
            .map(|uses| Wanted { from: &from, uses })
            .collect();
        let resolution = actions.resolve(&wanted);
        match resolution.missing.is_empty() && resolution.resolved.len() == ACTIONS {
            true => Ok(start.elapsed()),
            false => Err(io::Error::other(format!("{resolution:?}"))),
        }
    })?;
    Ok(vec![Line {
        work: "resolve 20 actions, warm",
        time,
        peers: Vec::new(),
        target: "≤ 5 ms",
    }])
}

fn commit(repository: &Path) -> io::Result<()> {
    git(repository, &["init", "--quiet", "--initial-branch=main"])?;
    git(repository, &["add", "--all"])?;
    git(repository, &["commit", "--quiet", "-m", "first"])
}
