//! The way of a checkout into a job's home.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::Path;

use lrun::exec::workspace::{WorkspaceError, install};

use super::fixture::{Fixture, fingerprint, job_user};

const INSIDE: &str = "work/project/project";

/// Gives a directory and all that is in it to the job's user, as a job's home is.
fn give_to_job(directory: &Path) {
    let owner = job_user();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        lchown(&path, Some(owner.uid), Some(owner.gid)).unwrap();
        if path.symlink_metadata().unwrap().is_dir() {
            left.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn a_checkout_replaces_what_was_there() {
    let fixture = Fixture::with_history();
    let home = fixture.own("home");
    std::fs::create_dir_all(home.join(INSIDE).join("restored")).unwrap();
    give_to_job(&home);
    let staged = fixture.stage(&[]).unwrap();
    let inode = staged.dir().metadata().unwrap().ino();
    install(&staged, &home, Path::new(INSIDE)).unwrap();
    drop(staged);
    let workspace = home.join(INSIDE);
    assert_eq!(workspace.metadata().unwrap().ino(), inode, "it was renamed");
    assert!(workspace.join("README").exists());
    assert!(!workspace.join("restored").exists());
    assert_eq!(fixture.own("staging").read_dir().unwrap().count(), 0);
}

#[test]
fn missing_parents_are_made_for_the_job() {
    let fixture = Fixture::with_history();
    let home = fixture.own("home");
    give_to_job(&home);
    let staged = fixture.stage(&[("path", "a/b")]).unwrap();
    install(&staged, &home, &Path::new(INSIDE).join("a/b")).unwrap();
    for parent in ["work", "work/project/project/a"] {
        let metadata = home.join(parent).metadata().unwrap();
        let found = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        assert_eq!(found, (job_user().uid, job_user().gid, 0o755), "{parent}");
    }
    assert!(home.join(INSIDE).join("a/b/README").exists());
}

#[test]
fn a_symbolic_link_on_the_way_leads_nowhere() {
    for link in ["work", "work/project", INSIDE] {
        let fixture = Fixture::with_history();
        let (home, outside) = (fixture.own("home"), fixture.own("outside"));
        std::fs::create_dir_all(outside.join("project/project")).unwrap();
        let link = home.join(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&outside, &link).unwrap();
        give_to_job(&home);
        let before = fingerprint(&outside);
        let staged = fixture.stage(&[]).unwrap();
        let error = install(&staged, &home, Path::new(INSIDE)).unwrap_err();
        assert!(matches!(error, WorkspaceError::NotPlain { .. }), "{error}");
        assert_eq!(fingerprint(&outside), before);
        assert!(staged.dir().join("README").exists(), "nothing was moved");
    }
}

#[test]
fn a_path_that_climbs_out_of_the_home_is_refused() {
    let fixture = Fixture::with_history();
    let home = fixture.own("home");
    give_to_job(&home);
    let staged = fixture.stage(&[]).unwrap();
    for inside in ["../outside", "work/../../outside", "/outside", "", ".."] {
        let result = install(&staged, &home, Path::new(inside));
        assert!(
            matches!(result, Err(WorkspaceError::NotPlain { .. })),
            "{inside}: {result:?}"
        );
    }
}

#[test]
fn a_file_in_the_target_s_place_is_named() {
    let fixture = Fixture::with_history();
    let home = fixture.own("home");
    std::fs::write(home.join("work"), "a file").unwrap();
    let staged = fixture.stage(&[]).unwrap();
    let error = install(&staged, &home, Path::new(INSIDE)).unwrap_err();
    assert!(error.to_string().contains("'work' on the way"), "{error}");
}

#[test]
fn where_the_job_may_not_write_nothing_is_put() {
    let fixture = Fixture::with_history();
    let home = fixture.own("home");
    std::fs::create_dir_all(home.join("work/closed")).unwrap();
    give_to_job(&home);
    let closed = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(home.join("work/closed"), closed).unwrap();
    let staged = fixture.stage(&[]).unwrap();
    for inside in [
        "work/closed",
        "work/closed/project",
        "work/closed/new/project",
    ] {
        let error = install(&staged, &home, Path::new(inside)).unwrap_err();
        assert!(error.to_string().contains("Permission denied"), "{error}");
    }
    assert_eq!(home.join("work/closed").read_dir().unwrap().count(), 0);
}
