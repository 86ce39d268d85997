//! Workflows that check themselves, one behaviour a file: `tests/fixtures/SEMANTIC/BEHAVIOUR.yml`.
//!
//! Each is run by the real binary in a repository and with a store of its own. Beside the workflows of
//! a semantic may stand
//!
//! - `repository/`: what the repository has besides;
//! - `remotes/OWNER/REPO/`: a repository at `https://github.com/OWNER/REPO`, with a branch `main` and a tag `v1`.
//!
//! A workflow fails a step where something is not as on GitHub. Comments at its top say what else is
//! expected, each as often as needed:
//!
//! - `# arguments: …` what lrun is started with besides, parted by blanks;
//! - `# environment: NAME=VALUE` of lrun's own process;
//! - `# exit: 1` the exit code, if it is not 0;
//! - `# says: …` a text of the report;
//! - `# never: …` a text that the report lacks;
//! - `# again: …` a second run in the same repository, with these arguments besides; it must end as the first.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

/// What of the tests' own environment lrun is started with: tools and the way to the network.
const KEPT: [&str; 19] = [
    "PATH",
    "HOME",
    "RUSTUP_HOME",
    "CARGO_HOME",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "NPM_CONFIG_REGISTRY",
];

fn main() {
    let arguments = Arguments::from_args();
    let trials = fixtures().into_iter().map(|file| {
        let name = format!("{}::{}", name_of(file.parent()), stem(&file));
        Trial::test(name, move || Fixture::read(&file)?.check())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// Every workflow, in the order of their paths.
fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let semantics = entries(&root).into_iter().filter(|path| path.is_dir());
    let mut found: Vec<PathBuf> = semantics
        .flat_map(|semantic| entries(&semantic))
        .filter(|path| path.extension() == Some(OsStr::new("yml")))
        .collect();
    found.sort();
    assert!(
        !found.is_empty(),
        "there are fixtures in {}",
        root.display()
    );
    found
}

/// A workflow and what is expected of it.
struct Fixture {
    file: PathBuf,
    text: String,
}

impl Fixture {
    fn read(file: &Path) -> Result<Self, Failed> {
        Ok(Self {
            file: file.to_owned(),
            text: fs::read_to_string(file)?,
        })
    }

    /// The values of a comment at the top.
    fn all<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f str> {
        let top = self.text.lines().take_while(|line| line.starts_with('#'));
        top.filter_map(move |line| {
            let said = line.strip_prefix("# ")?.strip_prefix(key)?;
            Some(said.strip_prefix(':')?.trim())
        })
    }

    fn check(&self) -> Result<(), Failed> {
        let ground = Ground::prepare(self)?;
        let first: Vec<&str> = self
            .all("arguments")
            .flat_map(str::split_whitespace)
            .collect();
        self.run(&ground, &first)?;
        for again in self.all("again") {
            let more: Vec<&str> = first
                .iter()
                .copied()
                .chain(again.split_whitespace())
                .collect();
            self.run(&ground, &more)?;
        }
        Ok(())
    }

    fn run(&self, ground: &Ground, arguments: &[&str]) -> Result<(), Failed> {
        let workflow = name_of(Some(&self.file));
        let environment = self
            .all("environment")
            .filter_map(|pair| pair.split_once('='));
        let output = ground
            .lrun()
            .args([workflow, "--verbose"])
            .args(arguments)
            .envs(environment)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let expected = match self.all("exit").next() {
            Some(code) => code.parse()?,
            None => 0,
        };
        let wrong = |what: String| Err(Failed::from(format!("{what}\n{said}")));
        if output.status.code() != Some(expected) {
            return wrong(format!("{} instead of {expected}", output.status));
        }
        if let Some(missing) = self.all("says").find(|text| !said.contains(text)) {
            return wrong(format!("does not say: {missing}"));
        }
        if let Some(there) = self.all("never").find(|text| said.contains(text)) {
            return wrong(format!("says: {there}"));
        }
        Ok(())
    }
}

/// The repository, the remotes and the store of one fixture.
struct Ground {
    directory: TempDir,
}

impl Ground {
    fn prepare(fixture: &Fixture) -> Result<Self, Failed> {
        let directory = TempDir::with_prefix("lrun-fixture-")?;
        let ground = Self { directory };
        let semantic = fixture.file.parent().ok_or("a fixture has a folder")?;
        let project = ground.at("project");
        copy(&semantic.join("repository"), &project)?;
        let workflow = name_of(Some(&fixture.file));
        copy(
            &fixture.file,
            &project.join(".github/workflows").join(workflow),
        )?;
        for owner in entries(&semantic.join("remotes")) {
            for repository in entries(&owner) {
                let (owner, name) = (name_of(Some(&owner)), name_of(Some(&repository)));
                let remote = ground.at("remotes").join(owner).join(name);
                copy(&repository, &remote)?;
                ground.commit(&remote)?;
                ground.git(&remote, &["tag", "v1"])?;
            }
        }
        ground.share("places")?;
        ground.share("externals")?;
        fs::write(ground.at("gitconfig"), ground.git_configuration())?;
        ground.commit(&project)?;
        Ok(ground)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// GitHub gives any commit to whoever asks for it, and so do the remotes.
    fn git_configuration(&self) -> String {
        format!(
            "[url \"{}/\"]\n\tinsteadOf = https://github.com/\n\
             [uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n\
             [protocol \"file\"]\n\tallow = always\n[user]\n\tname = Me\n\temail = me@example.org\n",
            self.at("remotes").display()
        )
    }

    /// What stores may share and takes long to make is made once for each user.
    fn share(&self, name: &str) -> Result<(), Failed> {
        let user = fs::metadata("/proc/self")?.uid();
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{user}"));
        fs::create_dir_all(&shared)?;
        fs::create_dir_all(self.at("store"))?;
        symlink(shared, self.at("store").join(name))?;
        Ok(())
    }

    fn commit(&self, repository: &Path) -> Result<(), Failed> {
        fs::create_dir_all(repository)?;
        self.git(repository, &["init", "--quiet", "--initial-branch=main"])?;
        self.git(repository, &["add", "--all"])?;
        self.git(
            repository,
            &["commit", "--quiet", "--allow-empty", "-m", "first"],
        )
    }

    fn git(&self, repository: &Path, arguments: &[&str]) -> Result<(), Failed> {
        let status = self
            .clean(Command::new("git"))
            .args(["-c", "user.name=Me", "-c", "user.email=me@example.org"])
            .args(arguments)
            .current_dir(repository)
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("git {arguments:?}: {status}").into()),
        }
    }

    fn lrun(&self) -> Command {
        let mut command = self.clean(Command::new(env!("CARGO_BIN_EXE_lrun")));
        command
            .env("LRUN_STORE", self.at("store"))
            .current_dir(self.at("project"));
        command
    }

    /// A command with an environment of which everything is known.
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment of the tests themselves"
    )]
    fn clean(&self, mut command: Command) -> Command {
        command.env_clear().stdin(Stdio::null());
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("GIT_CONFIG_GLOBAL", self.at("gitconfig"))
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    }
}

/// What is left in the store is cleared up beside it, also while the directory goes.
impl Drop for Ground {
    fn drop(&mut self) {
        let gone = || fs::remove_dir_all(self.directory.path()).is_ok();
        (0..100).any(|_| {
            gone() || {
                std::thread::sleep(std::time::Duration::from_millis(20));
                false
            }
        });
    }
}

/// Copies a file, or all that is in a directory, if it is there.
fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in entries(from) {
            copy(&entry, &to.join(name_of(Some(&entry))))?;
        }
    } else if from.exists() {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        fs::copy(from, to)?;
    }
    Ok(())
}

/// What is in a directory, in order; nothing where there is none.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn name_of(path: Option<&Path>) -> &str {
    let name = path.and_then(Path::file_name).and_then(OsStr::to_str);
    name.unwrap_or_default()
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(OsStr::to_str).unwrap_or_default()
}
