//! A repository of the user to run `lrun` in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::lrun::Lrun;

/// A temporary repository with a store of its own beside it.
pub(crate) struct Project {
    directory: TempDir,
}

/// What a run leaves in the store is cleared up beside it, also while the test's directory goes.
impl Drop for Project {
    fn drop(&mut self) {
        let gone = || fs::remove_dir_all(self.directory.path()).is_ok();
        (0..100).any(|_| {
            gone() || {
                std::thread::sleep(Duration::from_millis(20));
                false
            }
        });
    }
}

impl Project {
    /// A repository on `main` with one commit of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self::without_git(files);
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit("first");
        project
    }

    /// A folder of these files that is no repository.
    pub(crate) fn without_git(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::with_prefix("lrun-test-").expect("a temporary directory");
        let project = Self { directory };
        fs::create_dir(project.path()).expect("writable");
        fs::create_dir(project.store()).expect("writable");
        project.share("places");
        for (path, content) in files {
            project.write(path, content);
        }
        project
    }

    /// A repository whose workflow `ci.yml` is this.
    pub(crate) fn of_workflow(text: &str) -> Self {
        Self::new(&[(".github/workflows/ci.yml", text)])
    }

    /// A repository whose workflow has one job `build` of these steps, as YAML at no indent.
    pub(crate) fn of_steps(steps: &str) -> Self {
        Self::of_steps_and(steps, &[])
    }

    /// The same beside other files.
    pub(crate) fn of_steps_and(steps: &str, files: &[(&str, &str)]) -> Self {
        let text = workflow_of(steps);
        let workflow = [(".github/workflows/ci.yml", text.as_str())];
        Self::new(&[&workflow, files].concat())
    }

    /// A copy of one of the repositories in `examples/`, committed.
    pub(crate) fn of_example(name: &str) -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let project = Self::without_git(&[]);
        copy(&example, &project.path());
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit("first");
        project
    }

    /// The root of the repository.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    /// The store of its runs.
    pub(crate) fn store(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// Lets its store have the Node.js of the other tests' stores, which is fetched once.
    pub(crate) fn share_externals(&self) {
        self.share("externals");
    }

    /// What takes seconds to make is shared by all stores of these tests.
    fn share(&self, name: &str) {
        let user = fs::metadata("/proc/self").expect("procfs").uid();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{user}"));
        fs::create_dir_all(&shared).expect("writable");
        symlink(shared, self.store().join(name)).expect("a free name");
    }

    /// Where its store keeps what places share.
    pub(crate) fn places(&self) -> PathBuf {
        self.store().join("places")
    }

    /// Writes a file of the working tree.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("files have parents")).expect("writable");
        fs::write(path, content).expect("writable");
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
    }

    /// Runs git in the repository; its standard output without the last line end.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Me", "-c", "user.email=me@example.org"])
            .args([
                "-c",
                "protocol.file.allow=always",
                "-c",
                "core.excludesFile=",
            ])
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .expect("git is installed");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {words}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// `lrun`, to be run in this repository.
    pub(crate) fn lrun(&self) -> Lrun {
        Lrun::new(self)
    }

    /// Every file of the folder, `.git` too: mode, modification time and content.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.path()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                let about = fs::symlink_metadata(&path).expect("it is there");
                let content = match about.file_type() {
                    kind if kind.is_dir() => {
                        open.push(path.clone());
                        Vec::new()
                    }
                    kind if kind.is_file() => fs::read(&path).expect("readable"),
                    _ => Vec::new(),
                };
                files.insert(path, (about.mode(), about.mtime(), content));
            }
        }
        files
    }
}

/// Whether something comes true within ten seconds: what lrun leaves goes by itself.
pub(crate) fn soon(is_so: impl Fn() -> bool) -> bool {
    (0..1000).any(|_| {
        is_so() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }
    })
}

/// A workflow with one job `build` of these steps.
pub(crate) fn workflow_of(steps: &str) -> String {
    let steps = steps.trim_matches('\n').replace('\n', "\n      ");
    format!("on: push\njobs:\n  build:\n    runs-on: ubuntu-24.04\n    steps:\n      {steps}\n")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it is there").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("readable");
        }
    }
}
