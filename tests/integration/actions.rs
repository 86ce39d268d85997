//! Actions and workflows of other repositories: found, fetched by git, kept, named when they cannot be had.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use lrun::externals::Release;
use lrun::label::Architecture;
use tempfile::TempDir;

use crate::lrun::Lrun;
use crate::project::{Project, workflow_of};

const COMPOSITE: &str = "runs: {using: composite, steps: [{run: echo it ran, shell: bash}]}\n";

/// Repositories that stand where GitHub's are.
struct Github {
    directory: TempDir,
}

impl Github {
    fn new() -> Self {
        let directory = TempDir::with_prefix("lrun-github-").expect("a temporary directory");
        let configuration = format!(
            "[url \"file://{}/\"]\n\tinsteadOf = https://github.com/\n\
             [user]\n\tname = Me\n\temail = me@example.org\n",
            directory.path().display()
        );
        fs::write(directory.path().join("gitconfig"), configuration).expect("writable");
        Self { directory }
    }

    fn path(&self, repository: &str) -> PathBuf {
        self.directory.path().join(repository)
    }

    /// Makes `repository` with these files on `main` and the tag `v1`; gives the commit.
    fn with(&self, repository: &str, files: &[(&str, &str)]) -> String {
        let path = self.path(repository);
        fs::create_dir_all(&path).expect("writable");
        self.git(repository, &["init", "--quiet", "--initial-branch=main"]);
        let commit = self.commit(repository, files);
        self.git(repository, &["tag", "v1"]);
        commit
    }

    fn commit(&self, repository: &str, files: &[(&str, &str)]) -> String {
        for (name, content) in files {
            let file = self.path(repository).join(name);
            let folder = file.parent().expect("a folder");
            fs::create_dir_all(folder).expect("writable");
            fs::write(&file, content).expect("writable");
        }
        self.git(repository, &["add", "--all"]);
        self.git(repository, &["commit", "--quiet", "--message", "x"]);
        self.git(repository, &["rev-parse", "HEAD"])
    }

    fn git(&self, repository: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(self.path(repository))
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
            .output()
            .expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `lrun` that finds GitHub here.
    fn lrun(&self, project: &Project) -> Lrun {
        project
            .lrun()
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
    }

    /// From now on nothing is found.
    fn gone(&self) {
        fs::remove_file(self.path("gitconfig")).expect("it is there");
        let nowhere = "[url \"http://127.0.0.1:1/\"]\n\tinsteadOf = https://github.com/\n";
        fs::write(self.path("gitconfig"), nowhere).expect("writable");
    }
}

/// What refs came to in a run: `owner/repo@ref` and the commit.
fn resolved(run: &crate::lrun::Run) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let events = run.of_type("action-resolved");
    events
        .map(|event| {
            let name = format!("{}@{}", text(&event["repository"]), text(&event["ref"]));
            (name, text(&event["commit"]))
        })
        .collect()
}

fn pair(name: &str, commit: &str) -> (String, String) {
    (name.to_owned(), commit.to_owned())
}

#[test]
fn all_actions_are_resolved_before_the_first_step_whatever_the_if_of_their_steps() {
    let github = Github::new();
    let inner = github.with("o/inner", &[("sub/action.yaml", COMPOSITE)]);
    let outer = "runs: {using: composite, steps: [{uses: O/Inner/sub@main}]}\n";
    // Letter case is of no matter on GitHub.
    fs::create_dir_all(github.path("O")).expect("writable");
    std::os::unix::fs::symlink(github.path("o/inner"), github.path("O/Inner")).expect("a link");
    let outer = github.with("o/outer", &[("action.yml", outer)]);
    let project = Project::of_steps("- run: 'true'\n- {uses: o/outer@v1, if: false}\n");
    let run = github.lrun(&project).run().exited(0);
    let expected = [pair("o/outer@v1", &outer), pair("O/Inner@main", &inner)];
    assert_eq!(resolved(&run), expected);
    github.gone();
    let again = github.lrun(&project).args(&["--offline"]).run().exited(0);
    assert_eq!(resolved(&again), expected);
    let report = github.lrun(&project).plain();
    let line = format!("o/outer@v1 is {}\n", &outer[..7]);
    assert!(report.stdout.contains(&line), "{}", report.stdout);
}

#[test]
fn everything_that_is_missing_is_named_before_anything_starts() {
    let github = Github::new();
    github.with("o/there", &[("action.yml", COMPOSITE)]);
    let steps = "- {uses: o/there@v1}\n- {uses: o/there/sub@v1}\n- {uses: o/there@v9}\n- {uses: o/there@abcdef0}\n- {uses: o/absent@v1}\n";
    let project = Project::of_steps(steps);
    let report = github.lrun(&project).plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    for words in [
        "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action 'o/there/sub@v1'.",
        "Unable to resolve action `o/there@v9`, unable to find version `v9`",
        "a commit must have all its 40 digits",
        "Unable to resolve action `o/absent@v1`, repository not found",
        "ci.yml:7:",
        "nothing was started",
    ] {
        assert!(report.stderr.contains(words), "{words}: {}", report.stderr);
    }
    assert_eq!(report.stdout, "");
}

#[test]
fn offline_names_all_that_is_not_in_the_store_and_asks_nobody() {
    let github = Github::new();
    github.with("o/a", &[("action.yml", COMPOSITE)]);
    let steps = "- {uses: o/a@v1}\n- {uses: o/b@v1}\n- {uses: o/c@v1, if: false}\n";
    let project = Project::of_steps(steps);
    let report = github.lrun(&project).args(&["--offline"]).plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    let named = |name: &str| {
        report
            .stderr
            .contains(&format!("action '{name}' cannot be had"))
    };
    assert!(named("o/a@v1") && named("o/b@v1"), "{}", report.stderr);
    assert!(!named("o/c@v1"), "{}", report.stderr);
    assert!(!project.store().join("actions/repositories").exists());
    let excluded = Project::of_steps("- run: 'true'\n- {uses: o/c@v1, if: false}\n");
    let run = github.lrun(&excluded).args(&["--offline"]).run().exited(0);
    assert_eq!(run.differences("o/c@v1").len(), 1, "{}", run.transcript());
    let unreachable = Project::of_steps("- {uses: o/a@v1}\n");
    github.gone();
    let report = github.lrun(&unreachable).plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    assert!(
        report.stderr.contains("cannot be reached"),
        "{}",
        report.stderr
    );
}

#[test]
fn a_ref_that_has_moved_is_told_when_it_is_asked_again() {
    let github = Github::new();
    let first = github.with("o/a", &[("action.yml", COMPOSITE)]);
    let project = Project::of_steps("- run: 'true'\n- {uses: o/a@main, if: false}\n");
    let run = github.lrun(&project).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@main", &first)]);
    let second = github.commit("o/a", &[("x", "")]);
    let run = github.lrun(&project).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@main", &first)]);
    let run = github.lrun(&project).args(&["--update"]).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@main", &second)]);
    let told = run.differences("o/a@main has moved from");
    assert!(
        told[0].contains(&first) && told[0].contains(&second),
        "{told:?}"
    );
    let run = github.lrun(&project).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@main", &second)]);
    assert_eq!(run.differences("has moved"), [""; 0]);
}

#[test]
fn what_cannot_be_asked_again_is_taken_as_it_was() {
    let github = Github::new();
    let first = github.with("o/a", &[("action.yml", COMPOSITE)]);
    let project = Project::of_steps("- run: 'true'\n- {uses: o/a@v1, if: false}\n");
    github.lrun(&project).run().exited(0);
    github.gone();
    let run = github.lrun(&project).args(&["--update"]).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@v1", &first)]);
    assert_eq!(run.differences("was not asked again").len(), 1);
}

#[test]
fn manifests_with_errors_are_told_with_their_places() {
    let github = Github::new();
    let wrong = "name: x\nruns:\n  using: node99\n  main: x.js\n";
    github.with("o/wrong", &[("action.yml", wrong)]);
    github.with("o/docker", &[("Dockerfile", "FROM x\n")]);
    let project = Project::of_steps("- {uses: o/wrong@v1}\n");
    let report = github.lrun(&project).plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    for words in ["node99", "o/wrong/action.yml@v1:3:"] {
        assert!(report.stderr.contains(words), "{words}: {}", report.stderr);
    }
    let project = Project::of_steps("- {uses: o/docker@v1}\n");
    let report = github.lrun(&project).plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    let words = "job 'build': docker actions (o/docker@v1) need a container engine";
    assert!(report.stderr.contains(words), "{}", report.stderr);
}

#[test]
fn composites_that_use_each_other_are_refused() {
    let github = Github::new();
    let using = |uses: &str| format!("runs: {{using: composite, steps: [{{uses: {uses}}}]}}\n");
    github.with("o/a", &[("action.yml", &using("o/b@v1"))]);
    github.with(
        "o/b",
        &[
            ("action.yml", &using("$/sub")),
            ("sub/action.yml", &using("o/a@v1")),
        ],
    );
    let project = Project::of_steps("- {uses: o/a@v1}\n");
    let report = github.lrun(&project).plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    let words =
        "o/a@v1 uses o/b@v1 uses $/sub uses o/a@v1: Composite action depth exceeded max depth 9";
    assert!(report.stderr.contains(words), "{}", report.stderr);
}

#[test]
fn a_folder_stands_in_for_an_action_and_nothing_of_it_is_fetched() {
    let github = Github::new();
    let project = Project::of_steps("- run: 'true'\n- {uses: o/a/sub@v1, if: false}\n");
    let folder = TempDir::new().expect("a directory");
    fs::write(folder.path().join("action.yml"), COMPOSITE).expect("writable");
    let option = format!("o/a/sub={}", folder.path().display());
    let lrun = github
        .lrun(&project)
        .args(&["--offline", "--action", &option]);
    let run = lrun.run().exited(0);
    let events: Vec<_> = run.of_type("action-resolved").collect();
    assert_eq!(events[0]["folder"], folder.path().display().to_string());
    assert_eq!(run.differences("not from GitHub").len(), 1);
    let absent = github
        .lrun(&project)
        .args(&["--action", "o/a=nowhere"])
        .plain();
    assert_eq!(absent.code, Some(2));
    assert!(
        absent.stderr.contains("there is no folder"),
        "{}",
        absent.stderr
    );
}

#[test]
fn a_locked_workflow_has_the_commits_of_its_lock() {
    let github = Github::new();
    let locked = github.with("o/a", &[("action.yml", COMPOSITE)]);
    github.commit("o/a", &[("x", "")]);
    github.git("o/a", &["tag", "--force", "v1"]);
    let lock = format!(
        "version: v0.0.3\nworkflows: {{.github/workflows/ci.yml: [o/a@v1]}}\n\
         dependencies: {{o/a@v1: {{ref: v1, commit: sha1-{locked}, owner_id: 1, repo_id: 1}}}}\n"
    );
    let steps = "- run: 'true'\n- {uses: o/a@v1, if: false}\n";
    let lock_file = ".github/workflows/actions.lock";
    let project = Project::of_steps_and(steps, &[(lock_file, &lock)]);
    let run = github.lrun(&project).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@v1", &locked)]);
    let unpinned = workflow_of(&format!("{steps}- {{uses: o/b@v1, if: false}}\n"));
    project.write(".github/workflows/ci.yml", &unpinned);
    let report = github.lrun(&project).plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    assert!(
        report.stderr.contains("'o/b@v1' is not pinned"),
        "{}",
        report.stderr
    );
}

#[test]
fn workflows_of_other_repositories_are_fetched_by_runs_alone() {
    let github = Github::new();
    let called = "on: workflow_call\njobs:\n  b: {uses: ./.github/workflows/inner.yml}\n";
    let inner =
        "on: workflow_call\njobs:\n  c: {if: false, runs-on: ubuntu-latest, steps: [run: x]}\n";
    let commit = github.with(
        "o/w",
        &[
            (".github/workflows/called.yml", called),
            (".github/workflows/inner.yml", inner),
        ],
    );
    let workflow = "on: push\njobs:\n  a: {uses: o/w/.github/workflows/called.yml@v1}\n";
    let project = Project::of_workflow(workflow);
    let plan = github.lrun(&project).args(&["plan", "ci.yml"]).plain();
    assert!(plan.stdout.contains("lrun vendor"), "{}", plan.stdout);
    assert!(!project.store().join("actions").exists());
    let vendored = github.lrun(&project).args(&["vendor", "ci.yml"]).plain();
    assert_eq!(vendored.code, Some(0), "{}", vendored.stderr);
    assert!(vendored.stdout.contains(&commit), "{}", vendored.stdout);
    github.gone();
    let plan = github.lrun(&project).args(&["plan", "ci.yml"]).plain();
    assert!(plan.stdout.contains("a / b / c"), "{}", plan.stdout);
    let check = github.lrun(&project).args(&["check"]).plain();
    assert_eq!(check.code, Some(0), "{}", check.stderr);
}

#[test]
fn a_locked_workflow_calls_workflows_at_the_commits_of_its_lock() {
    let github = Github::new();
    let called = |job: &str| {
        format!(
            "on: workflow_call\njobs:\n  {job}: {{runs-on: ubuntu-latest, steps: [run: 'true']}}\n"
        )
    };
    let path = ".github/workflows/w.yml";
    let locked = github.with("o/w", &[(path, &called("before"))]);
    github.commit("o/w", &[(path, &called("after"))]);
    github.git("o/w", &["tag", "--force", "v1"]);
    let uses = format!("o/w/{path}@v1");
    let workflow = format!("on: push\njobs:\n  a: {{uses: {uses}}}\n");
    let lock = format!(
        "version: v0.0.3\nworkflows: {{.github/workflows/ci.yml: [{uses}]}}\n\
         dependencies: {{{uses}: {{ref: v1, commit: sha1-{locked}, owner_id: 1, repo_id: 1}}}}\n"
    );
    let project = Project::of_workflow(&workflow);
    let run = github.lrun(&project).run().exited(0);
    assert!(run.transcript().contains("after"), "{}", run.transcript());
    project.write(".github/workflows/actions.lock", &lock);
    let run = github.lrun(&project).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/w@v1", &locked)]);
    assert!(run.transcript().contains("before"), "{}", run.transcript());
}

#[test]
fn several_processes_fetch_into_one_store_at_once() {
    let github = Github::new();
    let names: Vec<_> = (0..6).map(|number| format!("o/a{number}")).collect();
    let commits: Vec<_> = names
        .iter()
        .map(|name| github.with(name, &[("action.yml", COMPOSITE)]))
        .collect();
    let steps = names.iter().map(|name| format!("- {{uses: {name}@v1}}\n"));
    let project = Project::of_steps(&steps.collect::<String>());
    let start = || {
        let lrun = github.lrun(&project).args(&["vendor", "ci.yml"]);
        lrun.start(std::process::Stdio::piped())
    };
    let expected: String = names
        .iter()
        .zip(&commits)
        .map(|(name, commit)| format!("{name}@v1 {commit}\n"))
        .collect();
    for started in [start(), start(), start()] {
        let report = started.end();
        assert_eq!(report.code, Some(0), "{}", report.stderr);
        assert_eq!(report.stdout, expected);
    }
}

#[test]
fn vendor_gets_all_that_a_workflow_may_need_later() {
    let github = Github::new();
    let inner = github.with("o/inner", &[("action.yml", COMPOSITE)]);
    let own = "runs: {using: composite, steps: [{uses: o/inner@v1}]}\n";
    let steps =
        "- {uses: ./own, if: github.event_name == 'release'}\n- {uses: actions/checkout@v4}\n";
    let project = Project::of_steps_and(steps, &[("own/action.yml", own)]);
    let report = github.lrun(&project).args(&["vendor", "ci.yml"]).plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    assert_eq!(report.stdout, format!("o/inner@v1 {inner}\n"));
    let missing = Project::of_steps("- {uses: o/inner@v1}\n- {uses: o/absent@v1}\n");
    let report = github.lrun(&missing).args(&["vendor", "ci.yml"]).plain();
    assert_eq!(report.code, Some(2), "{}", report.stderr);
    assert!(report.stderr.contains("o/absent@v1"), "{}", report.stderr);
    assert!(report.stdout.contains(&inner), "{}", report.stdout);
}

/// A user's configuration whose mirror of Node.js's distribution has a program that only says that it ran.
fn configuration_with_node() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let architecture = Architecture::here().expect("of a label");
    let version = Release::node24(architecture).version;
    let script = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo v{version} || echo it ran\n");
    let processor = architecture.as_str().to_lowercase();
    let name = format!("node-v{version}-linux-{processor}");
    let bin = directory.path().join(&name).join("bin");
    fs::create_dir_all(&bin).expect("writable");
    fs::write(bin.join("node"), script).expect("writable");
    fs::write(bin.join("../LICENSE"), "words").expect("writable");
    let packed = format!(
        "chmod +x {name}/bin/node && tar czf {name}.tar.gz {name} && sha256sum {name}.tar.gz > SHASUMS256.txt"
    );
    let packing = Command::new("sh")
        .args(["-c", &packed])
        .current_dir(directory.path())
        .status();
    assert!(packing.expect("there is sh").success());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mirror = format!("http://{}/dist", listener.local_addr().expect("bound"));
    fs::create_dir(directory.path().join("lrun")).expect("writable");
    let toml = format!("[node]\nmirror = \"{mirror}\"\n");
    fs::write(directory.path().join("lrun/lrun.toml"), toml).expect("writable");
    let files = directory.path().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("accepted");
            let mut head = BufReader::new(stream.try_clone().expect("a socket")).lines();
            let request = head.next().expect("a request").expect("in UTF-8");
            let _ = head.find(|line| line.as_ref().is_ok_and(String::is_empty));
            let path = request.split(' ').nth(1).expect("a path");
            let file = path.rsplit('/').next().expect("a name");
            let body = fs::read(files.join(file)).unwrap_or_default();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    directory
}

const JAVASCRIPT: &str = "runs: {using: node24, main: main.js}\n";

#[test]
fn vendor_gets_node_for_actions_in_javascript() {
    let github = Github::new();
    github.with("o/js", &[("action.yml", JAVASCRIPT), ("main.js", "")]);
    let configuration = configuration_with_node();
    let project = Project::of_steps("- {uses: o/js@v1, name: js}\n");
    let lrun = || {
        let home = configuration.path();
        github.lrun(&project).env("XDG_CONFIG_HOME", home)
    };
    let report = lrun().args(&["vendor", "ci.yml"]).plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    let run = lrun().args(&["--offline"]).run().exited(0);
    assert!(run.output("js").contains(&"it ran".to_owned()));
}

#[test]
fn offline_names_node_with_the_actions_that_are_missing() {
    let github = Github::new();
    github.with("o/js", &[("action.yml", JAVASCRIPT), ("main.js", "")]);
    let configuration = configuration_with_node();
    let project = Project::of_steps("- {uses: o/js@v1}\n");
    let lrun = || {
        let home = configuration.path();
        github.lrun(&project).env("XDG_CONFIG_HOME", home)
    };
    let report = lrun().args(&["vendor", "ci.yml"]).plain();
    assert_eq!(report.code, Some(0), "{}", report.stderr);
    fs::remove_dir_all(project.store().join("externals")).expect("it was fetched");
    let steps = workflow_of("- {uses: o/js@v1}\n- {uses: o/b@v1}\n");
    project.write(".github/workflows/ci.yml", &steps);
    let report = lrun().args(&["--offline"]).plain();
    assert_eq!(report.code, Some(4), "{}", report.stderr);
    let version = Release::node24(Architecture::here().expect("of a label")).version;
    let node = format!("node {version} for JavaScript actions is not in the store");
    for words in [
        "action 'o/b@v1' cannot be had",
        &node,
        "nothing was started",
    ] {
        assert!(report.stderr.contains(words), "{words}: {}", report.stderr);
    }
    assert_eq!(report.stderr.matches("error:").count(), 1);
    assert_eq!(report.stdout, "");
}

#[test]
fn what_an_action_made_by_the_job_uses_is_told_once() {
    let github = Github::new();
    let commit = github.with("o/a", &[("action.yml", COMPOSITE)]);
    let steps = "- run: |
    mkdir own
    echo 'runs: {using: composite, steps: [{uses: o/a@v1}]}' > own/action.yml
    cp -r own other
- uses: ./own
- uses: ./other
";
    let run = github.lrun(&Project::of_steps(steps)).run().exited(0);
    assert_eq!(resolved(&run), [pair("o/a@v1", &commit)]);
}

#[test]
fn what_is_kept_is_what_github_delivers() {
    let github = Github::new();
    let files = [
        ("action.yml", COMPOSITE),
        (
            ".gitattributes",
            "tests export-ignore\nversion export-subst\n",
        ),
        ("tests/x", "x"),
        ("version", "$Format:%H$\n"),
    ];
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let commit = github.with("o/a", &[&files[..], &[(&long, "long")]].concat());
    let project = Project::of_steps("- {uses: o/a@v1, if: false}\n");
    github.lrun(&project).args(&["vendor", "ci.yml"]).plain();
    let kept = project
        .store()
        .join("actions/resolved/o/a/commits")
        .join(&commit);
    let kept: serde_json::Value =
        serde_json::from_slice(&fs::read(kept).expect("kept")).expect("JSON");
    let digest = kept["tree"].as_str().expect("a digest");
    let text = blob(&project.store(), digest);
    assert!(
        text.contains("action/version") && text.contains(&long),
        "{text}"
    );
    assert!(!text.contains("tests/x"), "{text}");
    let line = text.lines().find(|line| line.contains("action/version"));
    let line: serde_json::Value = serde_json::from_str(line.expect("there")).expect("JSON");
    let content = line["kind"]["file"]["content"].as_str().expect("a digest");
    let content = content.split('+').next().expect("a digest");
    assert_eq!(blob(&project.store(), content), format!("{commit}\n"));
}

fn blob(store: &Path, digest: &str) -> String {
    let (shard, rest) = digest.split_at(2);
    fs::read_to_string(store.join("blobs").join(shard).join(rest)).expect("a blob")
}
