//! Places as the sandbox makes them, seen from inside and from outside. Run by root and by
//! an ordinary user, these tests try the recipe of whoever runs them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lrun::agent::frame::Frame;
use lrun::agent::protocol::{
    FileSpec, HashSpec, PackReport, PackSpec, ProcessSpec, Signal, Stream, User,
};
use lrun::agent::{Agent, AgentError, EnvironmentSpec, Mount, Network};
use lrun::backend::sandbox::Sandbox;
use lrun::backend::{Backend as _, Place};
use lrun::clock::Moment;
use lrun::digest::Digest;
use lrun::tree::TreeItem;
use tokio::sync::mpsc;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A place under test and the directories it was made from.
struct Bench {
    place: Place,
    directory: tempfile::TempDir,
}

/// What a command gave.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Bench {
    async fn up() -> Self {
        Self::up_with(|_| {}).await
    }

    async fn up_with(change: impl FnOnce(&mut EnvironmentSpec)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut spec = specification(directory.path());
        change(&mut spec);
        let place = Sandbox::launched_by(program())
            .bring_up(&spec, || {})
            .await
            .unwrap();
        Self { place, directory }
    }

    fn agent(&self) -> &Agent {
        &self.place.agent
    }

    /// What the job's user gets from a script of bash.
    async fn job(&self, script: &str) -> Ran {
        run(self.agent(), User::Job, script).await
    }

    fn host_home(&self) -> PathBuf {
        self.directory.path().join("home/runner")
    }

    async fn down(self) {
        let remains = self.place.take_down().await.unwrap();
        remains.gone().await.unwrap();
        assert!(!self.directory.path().join("state").exists());
    }
}

/// The program under test: beside this one if it was copied there, so that a user who
/// cannot read the target directory can run both.
fn program() -> PathBuf {
    let beside = std::env::current_exe().unwrap().with_file_name("lrun");
    match beside.exists() {
        true => beside,
        false => env!("CARGO_BIN_EXE_lrun").into(),
    }
}

fn specification(directory: &Path) -> EnvironmentSpec {
    let home = directory.join("home");
    fs::create_dir(&home).unwrap();
    EnvironmentSpec {
        state: directory.join("state"),
        shared: None,
        home,
        in_memory: vec!["/home/runner/quick".into()],
        mounts: Vec::new(),
        files: Vec::new(),
        hidden: Vec::new(),
        hostname: "runner-host".to_owned(),
        network: Network::Host,
        lock: None,
    }
}

fn process(user: User, script: &str) -> ProcessSpec {
    let env = [
        ("PATH", PATH),
        ("HOME", "/home/runner"),
        ("LANG", "C.UTF-8"),
    ];
    ProcessSpec {
        argv: ["bash", "-e", "-c", script].map(str::to_owned).to_vec(),
        env: env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        cwd: "/home/runner".to_owned(),
        user,
    }
}

async fn run(agent: &Agent, user: User, script: &str) -> Ran {
    let mut process = agent.spawn(process(user, script)).await.unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some((stream, bytes)) = process.output.recv().await {
        match stream {
            Stream::Out => out.extend(bytes),
            Stream::Err => err.extend(bytes),
        }
    }
    let exit = process.wait().await.unwrap();
    Ran {
        code: exit.code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[tokio::test]
async fn the_job_is_runner() {
    let bench = Bench::up().await;
    let ran = bench
        .job("id -u; id -g; id -un; id -gn; hostname; umask")
        .await;
    assert_eq!(
        ran.out, "1001\n1001\nrunner\nrunner\nrunner-host\n0022\n",
        "{ran:?}"
    );
    bench.down().await;
}

#[tokio::test]
async fn home_is_the_jobs_and_other_homes_are_not_there() {
    let bench = Bench::up().await;
    let ran = bench
        .job("echo mine > file; ls /home; ls -A /root /srv 2>/dev/null | grep -v : || true")
        .await;
    assert_eq!((ran.code, ran.out.trim()), (0, "runner"), "{ran:?}");
    let written = bench.host_home().join("file");
    assert_eq!(fs::read_to_string(&written).unwrap(), "mine\n");
    assert_eq!(
        fs::metadata(&written).unwrap().uid(),
        Sandbox::default().owner().0
    );
    bench.down().await;
}

#[tokio::test]
async fn what_root_changes_is_not_seen_outside() {
    let bench = Bench::up().await;
    // An ordinary user's root may not write into directories of this machine's root.
    let target = if is_root() { "/usr/bin" } else { "/usr" };
    let name = format!("lrun-place-test-{}", std::process::id());
    let script = format!("echo x > {target}/{name}; cat {target}/{name}");
    let ran = run(bench.agent(), User::Root, &script).await;
    assert_eq!(ran.out, "x\n", "{ran:?}");
    assert!(!Path::new(target).join(name).exists());
    bench.down().await;
}

#[tokio::test]
async fn a_directory_in_memory_is_the_jobs() {
    let bench = Bench::up().await;
    let ran = bench
        .job("echo x > quick/file; stat -c '%U %a' quick quick/file; stat -f -c %T quick")
        .await;
    assert_eq!(ran.out, "runner 755\nrunner 644\ntmpfs\n", "{ran:?}");
    assert!(!bench.host_home().join("quick/file").exists());
    bench.down().await;
}

#[tokio::test]
async fn the_job_alone_may_not_change_the_system() {
    let bench = Bench::up().await;
    let ran = bench.job("touch /usr/bin/x").await;
    assert_ne!(ran.code, 0);
    let ran = bench
        .job("echo 1 > /proc/sys/kernel/printk || echo 1 > /proc/sys/vm/drop_caches")
        .await;
    assert_ne!(ran.code, 0);
    bench.down().await;
}

#[tokio::test]
async fn root_inside_has_no_power_over_the_machine() {
    let bench = Bench::up().await;
    for script in [
        "echo 1 > /proc/sys/vm/drop_caches",
        "mknod /tmp/disk b 8 0 || mknod /home/runner/disk b 8 0",
        "mkdir /sys/fs/cgroup/lrun-place-test || mkdir /sys/fs/cgroup/unified/lrun-place-test",
        "mount -t tmpfs none /opt",
        "echo x > /proc/1/oom_score_adj; cat /proc/1/environ",
    ] {
        let ran = run(bench.agent(), User::Root, script).await;
        assert_ne!(ran.code, 0, "{script}: {ran:?}");
    }
    bench.down().await;
}

#[tokio::test]
async fn secrets_of_this_machine_are_empty_for_root_too() {
    let bench = Bench::up().await;
    let ran = run(
        bench.agent(),
        User::Root,
        "cat /etc/gshadow; ls -A /etc/ssl/private; cat /etc/shadow",
    )
    .await;
    for line in ran.out.lines() {
        assert!(line.contains(":*:19000:"), "{ran:?}");
    }
    bench.down().await;
}

#[tokio::test]
async fn directories_can_be_renamed_and_files_linked_between_workspace_and_home() {
    let bench = Bench::up().await;
    let script = "mkdir -p work/repo/repo/dir; cd work/repo/repo; echo x > dir/file; \
        mv dir moved; python3 -c 'import os; os.rename(\"moved\", \"/home/runner/dir\")' || mv -T moved ~/dir; \
        ln ~/dir/file linked; stat -c %h linked; readlink -f /etc/localtime; date +%Z";
    let ran = bench.job(script).await;
    assert_eq!(ran.out, "2\n/usr/share/zoneinfo/Etc/UTC\nUTC\n", "{ran:?}");
    bench.down().await;
}

#[tokio::test]
async fn a_daemon_outlives_its_step_and_not_the_place() {
    let bench = Bench::up().await;
    let mark = mark();
    let ran = bench
        .job(&format!(
            "setsid sleep {mark} > /dev/null 2>&1 & echo started"
        ))
        .await;
    assert_eq!(ran.out, "started\n");
    let ran = bench.job(&format!("pgrep -f 'sleep {mark}' > /dev/null && echo seen; pkill -0 -f 'sleep {mark}' && echo mine")).await;
    assert_eq!(ran.out, "seen\nmine\n", "{ran:?}");
    assert!(soon(|| processes_with(&mark) == 1).await);
    bench.down().await;
    assert_eq!(processes_with(&mark), 0);
}

#[tokio::test]
async fn output_is_read_on_while_a_daemon_holds_it_and_then_let_go() {
    let bench = Bench::up().await;
    let started = Moment::now();
    let (late, silent, loud) = tokio::join!(
        bench.job("sleep 60 & (sleep 1; echo late) & echo early"),
        bench.job("sleep 60 & exit 4"),
        bench.job("while sleep 0.001; do echo x; done & exit 5"),
    );
    let waited = started.elapsed();
    assert!((4..9).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(late.out, "early\nlate\n");
    assert_eq!((silent.code, loud.code), (4, 5));
    bench.down().await;
}

#[tokio::test]
async fn ten_megabytes_of_output_arrive_complete_with_both_streams() {
    let bench = Bench::up().await;
    let ran = bench
        .job("head -c 10485760 /dev/zero | tr '\\0' x; echo end >&2; exit 3")
        .await;
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out.len(), 10 * 1024 * 1024);
    assert_eq!(ran.err, "end\n");
    bench.down().await;
}

#[tokio::test]
async fn a_process_nobody_listens_to_comes_to_its_end() {
    let bench = Bench::up().await;
    let mut loud = process(User::Job, "head -c 20000000 /dev/zero; exit 5");
    loud.cwd = "/tmp".to_owned();
    let silent = bench.agent().spawn(loud.clone()).await.unwrap();
    assert_eq!(silent.wait().await.unwrap().code, 5);
    // A reader that sleeps holds up its own stream only.
    let sleeping = bench.agent().spawn(loud).await.unwrap();
    assert_eq!(bench.job("echo on").await.out, "on\n");
    drop(sleeping);
    bench.down().await;
}

#[tokio::test]
async fn processes_end_by_code_and_by_signal_and_tell_what_they_cost() {
    let bench = Bench::up().await;
    let agent = bench.agent();
    let busy = agent
        .spawn(process(
            User::Job,
            "i=0; while ((i < 200000)); do i=$((i+1)); done; exit 7",
        ))
        .await
        .unwrap();
    let exit = busy.wait().await.unwrap();
    assert_eq!((exit.code, exit.signal), (7, None));
    assert!(exit.timing.user_us > 50_000, "{exit:?}");
    assert!(exit.timing.wall_us >= exit.timing.user_us, "{exit:?}");
    assert!(exit.timing.max_rss_kib > 1000, "{exit:?}");
    for (signal, number) in [
        (Signal::Interrupt, 2),
        (Signal::Terminate, 15),
        (Signal::Kill, 9),
    ] {
        let mut sleeper = agent
            .spawn(process(User::Job, "echo up; exec sleep 60"))
            .await
            .unwrap();
        assert!(sleeper.output.recv().await.is_some());
        sleeper.signal(signal).unwrap();
        let exit = sleeper.wait().await.unwrap();
        assert_eq!((exit.code, exit.signal), (128 + number, Some(number)));
    }
    bench.down().await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let bench = Bench::up().await;
    let mut nothing = process(User::Job, "");
    nothing.argv = vec!["no-such-program".to_owned()];
    let error = bench.agent().spawn(nothing).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot start 'no-such-program' in /home/runner: No such file or directory (os error 2)"
    );
    bench.down().await;
}

#[tokio::test]
async fn standard_input_is_closed_and_the_environment_is_what_was_given() {
    let bench = Bench::up().await;
    let ran = bench
        .job("cat; env | grep -v '^_=\\|^SHLVL=\\|^PWD=' | sort")
        .await;
    assert_eq!(
        ran.out,
        format!("HOME=/home/runner\nLANG=C.UTF-8\nPATH={PATH}\n")
    );
    bench.down().await;
}

#[tokio::test]
async fn files_are_written_and_read_as_their_user() {
    let bench = Bench::up().await;
    let agent = bench.agent();
    let file = |path: &str, content: &[u8], mode| FileSpec {
        path: path.to_owned(),
        content: content.to_vec(),
        mode,
    };
    let files = vec![
        file("/home/runner/work/_temp/a.sh", b"echo hi\n", 0o755),
        file("/home/runner/bytes", &[0, 255, 128], 0o600),
    ];
    agent.write_files(User::Job, files).await.unwrap();
    let ran = bench.job("stat -c '%a %U %n' work/_temp work/_temp/a.sh bytes; mkdir locked; mkfifo pipe; chmod 0 locked").await;
    assert_eq!(
        ran.out, "755 runner work/_temp\n755 runner work/_temp/a.sh\n600 runner bytes\n",
        "{ran:?}"
    );
    let paths = ["bytes", "missing", "pipe", "work", "/etc/gshadow"];
    let paths = paths.map(|path| match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => format!("/home/runner/{path}"),
    });
    let read = agent.read_files(User::Job, paths.to_vec()).await.unwrap();
    assert_eq!(read, [Some(vec![0, 255, 128]), None, None, None, None]);
    let error = agent
        .write_files(User::Job, vec![file("/home/runner/locked/x", b"", 0o644)])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write /home/runner/locked/x in the job's place: Permission denied (os error 13)"
    );
    let error = agent
        .write_files(User::Job, vec![file("/etc/fstab", b"", 0o644)])
        .await;
    assert!(
        matches!(error, Err(AgentError::File { errno: 13, .. })),
        "{error:?}"
    );
    bench.down().await;
}

#[tokio::test]
async fn a_written_file_replaces_a_link_and_does_not_follow_it() {
    let bench = Bench::up().await;
    bench.job("echo old > target; ln -s target link").await;
    let file = FileSpec {
        path: "/home/runner/link".to_owned(),
        content: b"new".to_vec(),
        mode: 0o644,
    };
    bench
        .agent()
        .write_files(User::Job, vec![file])
        .await
        .unwrap();
    assert_eq!(bench.job("cat target link").await.out, "old\nnew");
    bench.down().await;
}

#[tokio::test]
async fn directories_are_made_resolved_and_removed() {
    let bench = Bench::up().await;
    let agent = bench.agent();
    let path = |name: &str| format!("/home/runner/{name}");
    agent
        .make_directory(User::Job, path("a/b/c"), 0o700)
        .await
        .unwrap();
    assert_eq!(
        bench.job("stat -c %a a a/b a/b/c").await.out,
        "755\n755\n700\n"
    );
    bench
        .job("ln -s a/b link; touch a/b/file; mkdir -p a/locked/in; chmod 0 a/locked")
        .await;
    assert_eq!(
        agent.real_path(User::Job, path("link/c")).await.unwrap(),
        path("a/b/c")
    );
    let there = agent
        .exists(vec![path("link"), path("nothing")])
        .await
        .unwrap();
    assert_eq!(there, [true, false]);
    agent
        .empty_directory(User::Job, path("link/"))
        .await
        .unwrap();
    assert_eq!(bench.job("ls a/b | wc -l").await.out, "0\n");
    let error = agent.remove(User::Job, path("a")).await.unwrap_err();
    assert!(
        matches!(error, AgentError::File { errno: 13, .. }),
        "{error:?}"
    );
    bench.job("chmod 700 a/locked").await;
    agent.remove(User::Job, path("a")).await.unwrap();
    agent.remove(User::Job, path("a")).await.unwrap();
    assert_eq!(agent.exists(vec![path("a")]).await.unwrap(), [false]);
    bench.down().await;
}

#[tokio::test]
async fn a_watch_tells_which_commands_were_opened() {
    let bench = Bench::up().await;
    let agent = bench.agent();
    agent
        .watch(vec![
            "/usr/bin".to_owned(),
            "/etc/passwd".to_owned(),
            "/nowhere".to_owned(),
        ])
        .await
        .unwrap();
    let script = "/usr/bin/tac /etc/passwd > /dev/null";
    let job = agent.spawn(process(User::Job, script)).await.unwrap();
    let opened = job.ended().await.unwrap().opened;
    for path in ["/usr/bin/tac", "/etc/passwd"] {
        assert!(opened.contains(&path.to_owned()), "{path} in {opened:?}");
    }
    assert_eq!(agent.opened().await.unwrap(), Vec::<String>::new());
    bench.down().await;
}

#[tokio::test]
async fn directories_of_this_machine_are_shown_read_only_where_asked() {
    let shown = tempfile::tempdir().unwrap();
    fs::write(shown.path().join("tool"), "tool").unwrap();
    let bench = Bench::up_with(|spec| {
        for target in [
            "/home/runner/.tools/bin",
            "/usr/share/shown-for-a-test",
            "/opt/hostedtoolcache/x",
        ] {
            spec.mounts.push(Mount {
                source: shown.path().to_owned(),
                target: target.into(),
            });
        }
        spec.files.push(FileSpec {
            path: "/etc/pip.conf".to_owned(),
            content: b"[global]\n".to_vec(),
            mode: 0o644,
        });
    })
    .await;
    let ran = bench
        .job("cat .tools/bin/tool /usr/share/shown-for-a-test/tool /opt/hostedtoolcache/x/tool /etc/pip.conf; \
              touch .tools/own; touch .tools/bin/no")
        .await;
    assert_eq!(ran.out, "tooltooltool[global]\n", "{ran:?}");
    assert!(ran.err.contains("Read-only file system"), "{ran:?}");
    assert_eq!(bench.job("stat -c %a /opt").await.out, "777\n");
    bench.down().await;
}

#[tokio::test]
async fn hidden_directories_and_the_state_look_empty() {
    let base = if is_root() { "/var" } else { "/var/tmp" };
    let directory = tempfile::Builder::new()
        .prefix("lrun-test-")
        .tempdir_in(base)
        .unwrap();
    fs::create_dir(directory.path().join("store")).unwrap();
    fs::write(directory.path().join("store/blob"), "secret").unwrap();
    let bench = Bench::up_with(|spec| {
        spec.state = directory.path().join("state");
        spec.hidden.push(directory.path().join("store"));
    })
    .await;
    let script = format!(
        "ls -A {0}/store {0}/state 2>&1 | grep -v ':$\\|^$' || true",
        directory.path().display()
    );
    let ran = run(bench.agent(), User::Root, &script).await;
    assert_eq!(ran.out, "", "{ran:?}");
    let remains = bench.place.take_down().await.unwrap();
    remains.gone().await.unwrap();
    assert!(!directory.path().join("state").exists());
}

#[tokio::test]
async fn without_a_network_there_is_loopback_only() {
    let bench = Bench::up_with(|spec| spec.network = Network::None).await;
    let script = "import socket; s=socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); \
        c=socket.create_connection(s.getsockname()); print('loopback')
try: socket.create_connection(('192.0.2.1', 9), 2)
except OSError as e: print(e.errno)";
    let ran = bench.job(&format!("python3 -c \"{script}\"")).await;
    assert_eq!(ran.out, "loopback\n101\n", "{ran:?}");
    bench.down().await;
}

#[tokio::test]
async fn this_machines_mounts_stay_as_they_are() {
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let bench = Bench::up().await;
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
    bench.down().await;
    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

#[tokio::test]
async fn a_place_that_is_dropped_ends_by_itself() {
    let mark = mark();
    let bench = Bench::up().await;
    bench
        .job(&format!("setsid sleep {mark} > /dev/null 2>&1 &"))
        .await;
    assert!(soon(|| processes_with(&mark) == 1).await);
    let Bench { place, directory } = bench;
    drop(place);
    assert!(soon(|| processes_with(&mark) == 0).await);
    assert!(soon(|| !directory.path().join("state").exists()).await);
}

#[tokio::test]
async fn a_state_directory_that_is_there_already_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let spec = specification(directory.path());
    fs::create_dir(&spec.state).unwrap();
    fs::write(spec.state.join("precious"), "").unwrap();
    let made = Sandbox::launched_by(program()).bring_up(&spec, || {}).await;
    let message = made.map(|_| ()).unwrap_err().to_string();
    let state = spec.state.display();
    assert_eq!(
        message,
        format!("cannot make {state}: File exists (os error 17)")
    );
    assert!(spec.state.join("precious").exists());
}

#[tokio::test]
async fn the_death_of_whoever_holds_the_agent_ends_the_place() {
    let directory = tempfile::tempdir().unwrap();
    let spec = specification(directory.path());
    let mark = mark();
    let (mut launcher, writer, _) = launch(&mut Command::new(program()), &spec, &mark);
    let mut holder = Command::new("sleep")
        .arg("60")
        .stdin(writer)
        .spawn()
        .unwrap();
    assert!(soon(|| processes_with(&mark) == 1).await);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(soon(|| processes_with(&mark) == 0).await);
    assert!(launcher.wait().unwrap().success());
    assert!(!spec.state.exists());
}

#[tokio::test]
async fn a_machine_without_user_namespaces_is_told_what_to_set() {
    let said = hello_after("echo 0 > /proc/sys/user/max_user_namespaces").await;
    assert!(said.contains("no-user-namespaces"), "{said}");
}

#[tokio::test]
async fn where_proc_is_masked_processes_are_ended_by_descent() {
    let said = hello_after("mount --bind /proc/sys /proc/sys").await;
    assert!(said.contains("shared-processes"), "{said}");
}

#[tokio::test]
async fn a_state_directory_on_an_overlay_is_kept_in_memory() {
    let prelude = "mkdir lower upper work && \
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work,userxattr none on-overlay";
    let said = hello_after(prelude).await;
    assert!(said.contains("in-memory"), "{said}");
}

#[tokio::test]
async fn a_kernel_that_allows_no_overlay_shows_this_machines_directories_read_only() {
    // As deep as the kernel lets overlays lie over each other.
    let deep = "mount -t overlay -o lowerdir=/usr:lower none /usr";
    let said = hello_after(&format!("mkdir lower && {deep} && {deep}")).await;
    assert!(
        said.contains(r#""shortcoming":"read-only","path":"/usr""#),
        "{said}"
    );
    assert!(!said.contains("not-prepared"), "{said}");
}

/// What a launcher says in a user namespace in which `prelude` was run. If it makes a
/// place, that one ends with its channel.
async fn hello_after(prelude: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = specification(directory.path());
    fs::create_dir(directory.path().join("on-overlay")).unwrap();
    if prelude.contains("on-overlay") {
        spec.state = directory.path().join("on-overlay/state");
    }
    if prelude.contains("/usr") {
        spec.shared = Some(directory.path().join("places"));
    }
    let mark = mark();
    let mut command = Command::new("unshare");
    let script = format!("{prelude} && exec \"$0\" \"$@\"");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(program())
        .current_dir(directory.path());
    let (mut launcher, writer, hello) = launch(&mut command, &spec, &mark);
    if hello.contains("Ok") {
        assert!(soon(|| processes_with(&mark) == 1).await);
    }
    drop(writer);
    assert!(soon(|| processes_with(&mark) == 0).await);
    launcher.wait().unwrap();
    hello
}

/// Starts a launcher by hand, and a daemon in its place if it makes one. Returns the end of
/// the channel that keeps both alive, and what the launcher said.
fn launch(
    command: &mut Command,
    spec: &EnvironmentSpec,
    mark: &str,
) -> (std::process::Child, std::io::PipeWriter, String) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut launcher = command
        .arg("__place")
        .stdin(reader)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let specification = Frame::control(0, spec).unwrap();
    writer.write_all(&specification.encode()).unwrap();
    let hello = loop {
        let word = Frame::read_blocking(launcher.stdout.as_mut().unwrap());
        let word = String::from_utf8(word.unwrap().unwrap().payload).unwrap();
        if !word.contains("Preparing") {
            break word;
        }
    };
    if hello.contains("Ok") {
        let daemon = process(User::Job, &format!("setsid sleep {mark}"));
        let spawn = Frame::control(
            1,
            &serde_json::json!({ "Spawn": {
            "needs": [], "files": [], "process": daemon, "results": []
        } }),
        )
        .unwrap();
        writer.write_all(&spawn.encode()).unwrap();
    }
    (launcher, writer, hello)
}

#[tokio::test]
async fn the_death_of_process_1_or_of_the_launcher_ends_the_place() {
    for generation in [1, 2] {
        let bench = Bench::up().await;
        let mark = mark();
        bench
            .job(&format!("setsid sleep {mark} > /dev/null 2>&1 &"))
            .await;
        assert!(soon(|| processes_with(&mark) == 1).await);
        let mut victim = sleepers(&mark)[0];
        for _ in 0..generation {
            victim = parent_of(victim);
        }
        let killed = Command::new("kill")
            .args(["-9", &victim.to_string()])
            .status();
        assert!(killed.unwrap().success());
        assert!(soon(|| processes_with(&mark) == 0).await);
        let error = bench.agent().opened().await;
        assert!(matches!(error, Err(AgentError::Gone)), "{error:?}");
    }
}

/// Seconds to sleep that no other process sleeps: found again in command lines.
fn mark() -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{}.{next}", 1_000_000 + std::process::id())
}

/// How many processes of this machine sleep so long.
fn processes_with(mark: &str) -> usize {
    sleepers(mark).len()
}

fn sleepers(mark: &str) -> Vec<u32> {
    let wanted = format!("sleep\0{mark}\0");
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == wanted.as_bytes())
        })
        .map(|entry| entry.file_name().to_str().unwrap().parse().unwrap())
        .collect()
}

fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn soon(is_so: impl Fn() -> bool) -> bool {
    for _ in 0..1000 {
        if is_so() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn files_are_hashed_as_the_job() {
    let bench = Bench::up().await;
    bench
        .job("mkdir -p w/a; echo a > w/a/Cargo.lock; echo b > w/Cargo.lock; echo s > w/secret; chmod 0 w/secret")
        .await;
    let spec = |pattern: &str| HashSpec {
        patterns: vec![pattern.to_owned()],
        workspace: "/home/runner/w".to_owned(),
        home: "/home/runner".to_owned(),
        follow_links: false,
    };
    let report = bench
        .agent()
        .hash_files(spec("**/Cargo.lock"))
        .await
        .unwrap();
    let paths: Vec<_> = report.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["Cargo.lock", "a/Cargo.lock"]);
    let (a, b) = (Digest::of("a\n"), Digest::of("b\n"));
    assert_eq!(report.digest, Some(Digest::of([b.0, a.0].concat())));
    let nothing = bench.agent().hash_files(spec("none")).await.unwrap();
    assert_eq!(nothing.digest, None);
    let error = bench.agent().hash_files(spec("secret")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot hash 'secret': Permission denied (os error 13)"
    );
    bench.down().await;
}

#[tokio::test]
async fn a_tree_leaves_the_place_and_comes_back() {
    let bench = Bench::up().await;
    let script = "mkdir -p w/target/deps; cd w/target; head -c 5000000 /dev/urandom > deps/large; \
        for i in $(seq 500); do echo $i > deps/$i; done; ln -s large deps/link; ln deps/1 deps/hard; \
        chmod 700 deps/2; touch -d @1000000000 deps/3; cd ..; tar -c target | sha256sum";
    let ran = bench.job(script).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let (items, report) = packed(&bench, "target").await;
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.matched, [1]);
    assert_eq!(bench.job("mv w/target w/before").await.code, 0);
    let (sender, receiver) = mpsc::channel(4);
    let send = async {
        for item in items {
            sender.send(vec![item]).await.unwrap();
        }
        drop(sender);
    };
    let workspace = "/home/runner/w".to_owned();
    let (unpacked, ()) = tokio::join!(bench.agent().unpack(workspace, receiver), send);
    assert_eq!(unpacked.unwrap().problems, Vec::<String>::new());
    let script = "cd w; diff -r target before; for d in target before; do (cd $d; \
        find . -printf '%p %m %u %T@ %l %n\\n' | sort | sha256sum); done | uniq | wc -l";
    let ran = bench.job(script).await;
    assert_eq!(ran.out, "1\n", "{ran:?}");
    bench.down().await;
}

#[tokio::test]
async fn a_tree_is_read_and_written_with_the_jobs_rights() {
    let bench = Bench::up().await;
    bench
        .job("mkdir -p w/dir; echo x > w/dir/secret; chmod 0 w/dir/secret")
        .await;
    let (items, report) = packed(&bench, "dir").await;
    // The directory and what it is on disk; nothing of the file.
    assert!(matches!(
        &items[..],
        [TreeItem::Member(_), TreeItem::Stat { known: false, .. }]
    ));
    assert_eq!(
        report.problems[0],
        "tar: dir/secret: Cannot open: Permission denied"
    );
    let (sender, receiver) = mpsc::channel(4);
    for item in items {
        sender.send(vec![item]).await.unwrap();
    }
    drop(sender);
    bench.job("rm -rf w/dir; chmod 500 w").await;
    let workspace = "/home/runner/w".to_owned();
    let report = bench.agent().unpack(workspace, receiver).await.unwrap();
    assert_eq!(
        report.problems[0],
        "tar: dir: Cannot mkdir: Permission denied"
    );
    bench.down().await;
}

#[tokio::test]
async fn a_pack_nobody_receives_ends() {
    let bench = Bench::up().await;
    bench
        .job("mkdir w; head -c 50000000 /dev/zero > w/large")
        .await;
    let (items, report) = bench.agent().pack(pack_spec("large")).await.unwrap();
    // Packing waits for its receiver; nobody else does.
    assert_eq!(bench.job("echo on").await.out, "on\n");
    drop(items);
    assert!(report.await.is_err());
    bench.down().await;
}

fn pack_spec(path: &str) -> PackSpec {
    PackSpec {
        paths: vec![path.to_owned()],
        workspace: "/home/runner/w".to_owned(),
        home: "/home/runner".to_owned(),
        known: HashSet::new(),
    }
}

async fn packed(bench: &Bench, path: &str) -> (Vec<TreeItem>, PackReport) {
    let (mut receiver, report) = bench.agent().pack(pack_spec(path)).await.unwrap();
    let mut items = Vec::new();
    while let Some(batch) = receiver.recv().await {
        items.extend(batch);
    }
    (items, report.await.unwrap())
}
