//! What actions cost: composite ones over their scripts, JavaScript ones over node.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::measure::{Lrun, median, timed};
use super::projects::{self, FURTHER_STEPS};
use super::{Line, git};

const COMPOSITE: &str = "name: C\ndescription: C\nruns:\n  using: composite\n  steps:\n    - run: 'true'\n      shell: sh\n";
const JAVASCRIPT: &str = "name: J\ndescription: J\nruns: { using: node24, main: main.js }\n";

/// Runs with actions of other repositories that were fetched before.
pub(crate) fn kinds(root: &Path) -> io::Result<Vec<Line>> {
    let remotes = root.join("kinds-remotes");
    make_remotes(&remotes)?;
    let project = workflows(&root.join("kinds"))?;
    let configuration = root.join("kinds.gitconfig");
    let text = format!(
        "[url \"{}/\"]\n\tinsteadOf = https://github.com/\n",
        remotes.display()
    );
    fs::write(&configuration, text)?;
    let lrun = Lrun::new(&project, &root.join("store-kinds")).configured(&configuration);
    let each = |few: &str, many: &str| -> io::Result<Duration> {
        let (few, many) = (median(|| lrun.run(few))?, median(|| lrun.run(many))?);
        Ok(many.saturating_sub(few) / FURTHER_STEPS)
    };
    let script = each("script.yml", "scripts.yml")?;
    let composite = each("composite.yml", "composites.yml")?;
    let javascript = each("javascript.yml", "javascripts.yml")?;
    let node = median(|| timed(Command::new("node").args(["-e", ""])))?;
    Ok(vec![
        Line {
            work: "each composite step of one script",
            time: composite,
            peers: vec![("the script as a step", Some(script), "")],
            target: "",
        },
        Line {
            work: "each JavaScript step",
            time: javascript,
            peers: vec![("node -e ''", Some(node), "")],
            target: "",
        },
    ])
}

fn make_remotes(remotes: &Path) -> io::Result<()> {
    let make = |name: &str, files: &[(&str, &str)]| -> io::Result<()> {
        let repository = remotes.join("bench").join(name);
        fs::create_dir_all(&repository)?;
        for (file, content) in files {
            fs::write(repository.join(file), content)?;
        }
        projects::commit(&repository)?;
        git(&repository, &["tag", "v1"])
    };
    make("composite", &[("action.yml", COMPOSITE)])?;
    make("javascript", &[("action.yml", JAVASCRIPT), ("main.js", "")])
}

fn workflows(directory: &Path) -> io::Result<PathBuf> {
    let write = |name: &str, steps: &str| projects::write(directory, name, "", steps);
    let few_and_many = |few: &str, many: &str, step: &str| -> io::Result<()> {
        write(few, step)?;
        write(many, &step.repeat(1 + FURTHER_STEPS as usize))
    };
    few_and_many(
        "script.yml",
        "scripts.yml",
        "      - { run: 'true', shell: sh }\n",
    )?;
    few_and_many(
        "composite.yml",
        "composites.yml",
        "      - uses: bench/composite@v1\n",
    )?;
    few_and_many(
        "javascript.yml",
        "javascripts.yml",
        "      - uses: bench/javascript@v1\n",
    )?;
    projects::commit(directory)
}
