//! What jobs may do with `sudo`, by each right that a user can have: root's, an ordinary user's
//! with subordinate ids (whoever runs these tests has one of the two), and one's with a single id.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::lrun::{Lrun, Run};
use crate::project::Project;

/// A package of one program that prints `text`; `before` are fields for its control file.
fn package(name: &str, program: &str, text: &str) -> String {
    format!(
        "rm -rf p; mkdir -p p/DEBIAN p/$(dirname {program}) p/usr/share/new-{name}/deep
printf 'Package: {name}\nVersion: 99\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n' > p/DEBIAN/control
printf '#!/bin/sh\necho {text}\n' > p/{program}; chmod 755 p/{program}
printf '#!/bin/sh\necho configured > /etc/{name}.conf\n' > p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
dpkg-deb --build --root-owner-group p {name}.deb"
    )
}

fn script(name: &str, lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("- name: {name}\n  if: always()\n  run: |\n{lines}")
}

/// Runs a job by this user's own right, and with a single id.
fn by_both_rights(project: &Project, check: impl Fn(Run)) {
    let start = |change: fn(Lrun) -> Lrun| change(project.lrun().args(&["ci.yml"])).run();
    check(start(|lrun| lrun));
    check(start(Lrun::with_a_single_id));
}

#[test]
fn sudo_is_root_and_ends_as_its_command_does() {
    let steps = [
        script(
            "Ids",
            "id -u\nsudo id -u\nsudo -n -u root -- id -un\nsudo -u runner id -un",
        ),
        script(
            "Environment",
            "export MINE=1\nsudo printenv HOME USER SUDO_USER\nsudo printenv MINE || echo \"code $?\"\n\
             sudo -E printenv MINE\nsudo A=b printenv A\nsudo sh -c 'pwd'",
        ),
        script(
            "Ends",
            "echo in | sudo cat\nsudo sh -c 'exit 7' || echo \"code $?\"\n\
             sudo sh -c 'kill -TERM $$' || echo \"code $?\"\n\
             timeout 1 sudo sleep 100 || echo \"code $?\"\n\
             sudo no-such-command 2>&1 || echo \"code $?\"",
        ),
    ];
    let project = Project::of_steps(&steps.concat());
    by_both_rights(&project, |run| {
        let run = run.exited(0);
        let output = |step: &str| {
            let lines = run.output(step);
            let shell = lines.iter().rposition(|line| line.starts_with("shell: "));
            // The runner's last line is followed by an empty one.
            lines[shell.map_or(0, |at| at + 2)..].join("\n")
        };
        assert_eq!(output("Ids"), "1001\n0\nroot\nrunner");
        assert_eq!(
            output("Environment"),
            "/root\nroot\nrunner\ncode 1\n1\nb\n/home/runner/work/project/project"
        );
        let ends = output("Ends");
        for line in [
            "in\n",
            "code 7\n",
            "code 143\n",
            "code 124\n",
            "command not found\ncode 1",
        ] {
            assert!(ends.contains(line), "{line} in {ends}");
        }
    });
}

#[test]
fn packages_are_installed_and_replaced_and_users_made() {
    let steps = [
        script(
            "Install",
            &format!(
                "{}\nsudo apt-get install --yes ./made-here.deb 2>&1\nmade-here\ncat /etc/made-here.conf",
                package("made-here", "usr/bin/made-here", "works")
            ),
        ),
        script(
            "Replace",
            &format!(
                "{}\nsudo dpkg -i hostname.deb\nhostname",
                package("hostname", "bin/hostname", "replaced")
            ),
        ),
        script(
            "Users",
            "sudo groupadd many\nsudo useradd --no-create-home one\ngetent passwd one\ngetent group many",
        ),
        script("Alone", "touch /usr/bin/x"),
    ];
    let project = Project::of_steps(&steps.concat());
    by_both_rights(&project, |run| {
        let run = run.exited(1);
        for step in ["Install", "Replace", "Users"] {
            assert_eq!(run.conclusions(step), ["success"], "{}", run.transcript());
        }
        assert_eq!(run.conclusions("Alone"), ["failure"]);
        let installed = run.output("Install");
        assert!(installed.ends_with(&["works".to_owned(), "configured".to_owned()]));
        assert_eq!(
            run.output("Replace").last().map(String::as_str),
            Some("replaced")
        );
        assert!(!Path::new("/usr/bin/made-here").exists());
    });
}

#[test]
fn what_a_single_id_cannot_do_is_told_where_it_failed_with_the_way_out() {
    let steps = [
        script("Own", "touch x\nsudo chown www-data x\nstat -c %U x"),
        script("Other", "cat /root/nothing"),
        script("Fine", "sudo true\necho 'Invalid argument'"),
    ];
    let project = Project::of_steps(&steps.concat());
    let told = |run: &Run, step: &str| {
        let lines = run.output(step).into_iter();
        lines
            .filter(|line| line.starts_with("lrun: "))
            .collect::<Vec<_>>()
    };
    by_both_rights(&project, |run| {
        let run = run.exited(1);
        assert_eq!(told(&run, "Other"), [""; 0]);
        assert_eq!(told(&run, "Fine"), [""; 0]);
        let owned = run.output("Own").contains(&"www-data".to_owned());
        let told = told(&run, "Own");
        assert_eq!(told.len(), usize::from(!owned), "{}", run.transcript());
        assert!(
            told.iter().all(|line| line.contains("--add-subuids")),
            "{told:?}"
        );
    });
    let run = project.lrun().args(&["ci.yml"]).with_a_single_id().run();
    assert_eq!(run.conclusions("Own"), ["failure"]);
    let named = run
        .of_type("differs")
        .filter(|event| event["effect"] == "may-flip");
    assert_eq!(named.count(), 1, "{}", run.transcript());
}

#[test]
fn files_of_other_users_leave_with_the_run() {
    let project = Project::of_steps(&script(
        "Make",
        "sudo mkdir -p ~/d/e\nsudo touch ~/d/e/f\nsudo chown -R 33 ~/d || true\nsudo chmod 0 ~/d/e ~/d",
    ));
    let work = project.store().join("runs/1/work");
    project.lrun().args(&["ci.yml"]).run().exited(0);
    let gone = (0..1000).any(|_| {
        !work.exists() || {
            std::thread::sleep(Duration::from_millis(10));
            false
        }
    });
    assert!(gone, "{} is left", work.display());
}

#[test]
fn the_layer_that_places_share_is_built_once_whole_and_out_of_use_ones_are_removed() {
    let project = Project::of_steps("- run: sudo touch /usr/bin/x");
    // A directory of its own, with what a killed builder and an older state left.
    fs::remove_file(project.places()).unwrap();
    let places = project.places();
    let leave = |name: &str| {
        fs::create_dir_all(places.join(name).join("usr")).unwrap();
        let name = name.trim_end_matches(".partial");
        let lock = fs::File::create(places.join(format!("{name}.lock"))).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        let now = SystemTime::UNIX_EPOCH + lrun::clock::since_epoch();
        lock.set_modified(now - 2 * day).unwrap();
    };
    leave("older");
    leave("killed.partial");
    std::thread::scope(|scope| {
        let run = || project.lrun().args(&["ci.yml"]).run().exited(0);
        let both = [scope.spawn(run), scope.spawn(run)];
        let built: usize = both
            .map(|run| run.join().unwrap().differences("is being built once").len())
            .iter()
            .sum();
        assert_eq!(built, usize::from(!is_root()));
    });
    if !is_root() {
        let left: Vec<_> = fs::read_dir(&places)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert_eq!(left.len(), 2, "one and its lock: {left:?}");
    }
    // Its files may be of ids that this process may not touch.
    let removed = Command::new(env!("CARGO_BIN_EXE_lrun"))
        .arg("__remove")
        .arg(&places)
        .status();
    assert!(removed.unwrap().success());
}

#[test]
fn doctor_says_what_jobs_get_and_whether_they_can_run() {
    let project = Project::new(&[]);
    let doctor = || project.lrun().args(&["doctor"]);
    let diagnosis = |lrun: Lrun, code: i32| -> Value {
        let report = lrun.args(&["--json"]).plain();
        assert_eq!(report.code, Some(code), "{report:?}");
        serde_json::from_str(&report.stdout).unwrap()
    };
    let here = diagnosis(doctor(), 0);
    assert_eq!(
        (here["powers"] == "root", &here["can_run"]),
        (is_root(), &Value::Bool(true))
    );
    assert_eq!(
        diagnosis(doctor().with_a_single_id(), 0)["powers"],
        "single-id"
    );
    let report = doctor().with_a_single_id().plain();
    assert!(report.stdout.contains("--add-subuids"), "{report:?}");
    assert!(report.stdout.contains("git version"), "{report:?}");
    let none = "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"";
    let unable = doctor().through(
        "unshare",
        &["--user", "--map-root-user", "sh", "-c", none, "sh"],
    );
    let unable = diagnosis(unable, 4);
    assert!(
        unable.to_string().contains("user.max_user_namespaces"),
        "{unable}"
    );
    let gitless = diagnosis(doctor().env("PATH", "/nowhere"), 4);
    assert!(
        gitless.to_string().contains("apt-get install git"),
        "{gitless}"
    );
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
