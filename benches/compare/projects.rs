//! The repositories that are run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::git;

/// Steps of the long run beside the first.
pub(crate) const FURTHER_STEPS: u32 = 20;
/// Legs of the matrix: as many as GitHub allows.
pub(crate) const LEGS: u32 = 256;

const WORKFLOWS: usize = 700;

const FILES_PER_DIRECTORY: usize = 100;

/// Saves and restores `tree` elsewhere in the home, with one file in a hundred changed.
const CACHE: &str = r#"      - name: Cache
        uses: actions/cache@v4
        with:
          path: ~/tree
          key: tree-${{ github.run_id }}
          restore-keys: tree-
      - uses: actions/checkout@v5
      - run: |
          test -d ~/tree || cp -a tree ~/tree
          for file in ~/tree/*/0.txt; do echo "$GITHUB_RUN_ID" >> "$file"; done
"#;

/// Workflows of steps that do nothing.
pub(crate) fn of_steps(directory: &Path) -> io::Result<PathBuf> {
    let nothing = "      - run: 'true'\n";
    let many = nothing.repeat(1 + FURTHER_STEPS as usize);
    let legs: Vec<String> = (0..LEGS).map(|leg| leg.to_string()).collect();
    let matrix = format!(
        "    strategy:\n      matrix:\n        leg: [{}]\n",
        legs.join(", ")
    );
    write(directory, "one.yml", "", nothing)?;
    write(directory, "many.yml", "", &many)?;
    write(directory, "matrix.yml", &matrix, nothing)?;
    commit(directory)
}

/// The same, and a workflow with a filter of paths.
pub(crate) fn of_plans(directory: &Path) -> io::Result<PathBuf> {
    let project = of_steps(directory)?;
    let one = fs::read_to_string(project.join(".github/workflows/one.yml"))?;
    let text = one.replace("on: push", "on: { push: { paths: ['src/**', '!**.md'] } }");
    fs::write(project.join(".github/workflows/paths.yml"), text)?;
    git(&project, &["add", "--all"])?;
    git(&project, &["commit", "--quiet", "-m", "second"])?;
    Ok(project)
}

/// As many workflows as are checked at once: those of the conformance suites, valid and not, over and over.
pub(crate) fn of_workflows(directory: &Path) -> io::Result<PathBuf> {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut texts = Vec::new();
    for folder in ["rules/workflows", "reader"] {
        let mut paths: Vec<PathBuf> = fs::read_dir(suites.join(folder))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
            .collect();
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(path)?;
            // Those of the reader stand behind their options.
            let workflow = text.split("\n---\n").nth(usize::from(folder == "reader"));
            texts.extend(workflow.map(str::to_owned));
        }
    }
    let workflows = directory.join(".github/workflows");
    fs::create_dir_all(&workflows)?;
    for (number, text) in texts.iter().cycle().take(WORKFLOWS).enumerate() {
        fs::write(
            workflows.join(format!("{number}.yml")),
            format!("# {number}\n{text}"),
        )?;
    }
    commit(directory)
}

/// A tree of so many files of four kilobytes on average, and workflows about it.
pub(crate) fn of_files(directory: &Path, files: usize) -> io::Result<PathBuf> {
    write(
        directory,
        "checkout.yml",
        "",
        "      - uses: actions/checkout@v5\n",
    )?;
    write(directory, "cache.yml", "", CACHE)?;
    for number in 0..files {
        let folder = directory.join(format!("tree/{}", number / FILES_PER_DIRECTORY));
        if number % FILES_PER_DIRECTORY == 0 {
            fs::create_dir_all(&folder)?;
        }
        let line = format!("file {number} of a tree\n");
        let lines = 1 + (number * 37) % 400;
        let path = folder.join(format!("{}.txt", number % FILES_PER_DIRECTORY));
        fs::write(path, line.repeat(lines))?;
    }
    commit(directory)
}

pub(crate) fn write(directory: &Path, name: &str, strategy: &str, steps: &str) -> io::Result<()> {
    let workflows = directory.join(".github/workflows");
    fs::create_dir_all(&workflows)?;
    let text = format!(
        "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n{strategy}    steps:\n{steps}"
    );
    fs::write(workflows.join(name), text)
}

pub(crate) fn commit(directory: &Path) -> io::Result<PathBuf> {
    git(directory, &["init", "--quiet"])?;
    git(directory, &["add", "--all"])?;
    git(directory, &["commit", "--quiet", "-m", "first"])?;
    Ok(directory.to_owned())
}
