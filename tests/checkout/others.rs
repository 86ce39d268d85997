//! Checkouts of other repositories, against what real git makes of the action's commands.

use std::path::PathBuf;
use std::time::Duration;

use lrun::exec::workspace::{Staged, WorkspaceError};

use super::fixture::{Fixture, git};
use super::reference::{Reference, assert_same};

/// A user's repository, and `octo/library` on a server.
struct Server {
    user: Fixture,
    /// A working tree of the library's; what is in it is on the server.
    library: Fixture,
}

impl Server {
    fn new() -> Self {
        let user = Fixture::with_history();
        let library = Fixture::with_history();
        library.git(&["branch", "-m", "trunk"]);
        library.git(&["tag", "-a", "v1.0", "-m", "One", "HEAD~1"]);
        library.git(&["branch", "old", "HEAD~1"]);
        let server = Self { user, library };
        std::fs::create_dir_all(server.bare().parent().unwrap()).unwrap();
        let (from, to) = (server.library.root(), server.bare());
        let arguments = [
            "clone",
            "-q",
            "--bare",
            from.to_str().unwrap(),
            to.to_str().unwrap(),
        ];
        git(&server.library.root(), &arguments).unwrap();
        server
    }

    fn bare(&self) -> PathBuf {
        self.user.own("server").join("octo/library")
    }

    fn url(&self) -> String {
        format!("file://{}", self.bare().display())
    }

    fn publish(&self) {
        let bare = self.bare();
        self.library
            .git(&["push", "-q", bare.to_str().unwrap(), "--all"]);
    }

    fn stage(&self, with: &[(&str, &str)]) -> Result<Staged, WorkspaceError> {
        self.stage_named("octo/library", with)
    }

    fn stage_named(&self, name: &str, with: &[(&str, &str)]) -> Result<Staged, WorkspaceError> {
        let server = format!("file://{}", self.user.own("server").display());
        let named = [("repository", name), ("github-server-url", &server)];
        self.user.stage(&[&named, with].concat())
    }

    /// Compares a checkout with what git makes of the same.
    fn compare(&self, with: &[(&str, &str)], fetch: &[&str], checkout: &[&str]) -> Staged {
        let staged = self.stage(with).unwrap();
        let theirs = tempfile::tempdir().unwrap();
        let theirs = theirs.path().join("clone");
        let url = self.url();
        let reference = Reference {
            url: &url,
            instead: &[],
            fetch,
            before: &[],
            checkout,
            after: &[],
        };
        reference.make(&theirs);
        assert_same(staged.dir(), &theirs);
        staged
    }
}

const TRUNK: &str = "+refs/heads/trunk:refs/remotes/origin/trunk";

#[test]
fn another_repository_is_at_its_default_branch() {
    let server = Server::new();
    let staged = server.compare(
        &[],
        &["--no-tags", "--depth=1", "origin", TRUNK],
        &["-B", "trunk", "refs/remotes/origin/trunk"],
    );
    assert_eq!(staged.git_ref, "refs/heads/trunk");
    assert_eq!(staged.commit, server.library.git(&["rev-parse", "HEAD"]));
    assert_eq!(staged.changed, 0);
    let syncing = "Syncing repository: octo/library";
    assert!(
        staged.log.iter().any(|(_, line)| line == syncing),
        "{:?}",
        staged.log
    );
}

#[test]
fn a_ref_of_another_repository_is_a_branch_a_tag_or_a_commit() {
    let server = Server::new();
    let named = |name: &str| {
        [
            format!("+refs/heads/{name}*:refs/remotes/origin/{name}*"),
            format!("+refs/tags/{name}*:refs/tags/{name}*"),
        ]
    };
    let [heads, tags] = named("old");
    let fetch = ["--no-tags", "--depth=1", "origin", &heads, &tags];
    server.compare(
        &[("ref", "old")],
        &fetch,
        &["-B", "old", "refs/remotes/origin/old"],
    );
    let [heads, tags] = named("v1.0");
    let fetch = ["--no-tags", "--depth=1", "origin", &heads, &tags];
    server.compare(&[("ref", "v1.0")], &fetch, &["refs/tags/v1.0"]);
    let first = server.library.git(&["rev-parse", "HEAD~1"]);
    let fetch = ["--no-tags", "--depth=1", "origin", &first];
    let staged = server.compare(&[("ref", &first)], &fetch, &[&first]);
    assert_eq!((staged.commit, staged.git_ref), (first, String::new()));
}

#[test]
fn history_of_another_repository_goes_as_far_as_asked() {
    let server = Server::new();
    server.library.write("README", "third\n");
    server.library.commit("Third");
    server.publish();
    let branch = ["-B", "trunk", "refs/remotes/origin/trunk"];
    let two = ["--no-tags", "--depth=2", "origin", TRUNK];
    server.compare(&[("fetch-depth", "2")], &two, &branch);
    let heads = "+refs/heads/*:refs/remotes/origin/*";
    let all = ["--no-tags", "origin", heads, "+refs/tags/*:refs/tags/*"];
    server.compare(&[("fetch-depth", "0")], &all, &branch);
    let tags = [
        "--no-tags",
        "--depth=1",
        "origin",
        "+refs/tags/*:refs/tags/*",
        TRUNK,
    ];
    server.compare(&[("fetch-tags", "true")], &tags, &branch);
}

#[test]
fn branches_are_asked_for_again_after_a_day() {
    let server = Server::new();
    let first = server.stage(&[]).unwrap().commit;
    server.library.write("README", "third\n");
    server.library.commit("Third");
    server.publish();
    let again = server.stage(&[]).unwrap();
    assert_eq!((again.commit, again.doubts), (first.clone(), Vec::new()));
    let grow_older = |hours: u64| {
        for entry in server.user.own("repositories/refs").read_dir().unwrap() {
            let file = std::fs::File::options()
                .write(true)
                .open(entry.unwrap().path())
                .unwrap();
            let now = file.metadata().unwrap().modified().unwrap();
            file.set_modified(now - Duration::from_secs(hours * 60 * 60))
                .unwrap();
        }
    };
    grow_older(2);
    let later = server.stage(&[]).unwrap();
    assert_eq!(later.commit, first);
    assert!(
        later.doubts[0].contains("was asked 120 min ago"),
        "{:?}",
        later.doubts
    );
    grow_older(23);
    let third = server.library.git(&["rev-parse", "HEAD"]);
    assert_eq!(server.stage(&[]).unwrap().commit, third);
    // And what was fetched once is there without the server.
    std::fs::remove_dir_all(server.bare()).unwrap();
    assert_eq!(server.stage(&[]).unwrap().commit, third);
}

#[test]
fn what_is_not_there_is_named() {
    let server = Server::new();
    let error = |name: &str, with: &[(&str, &str)]| {
        let error = server.stage_named(name, with).unwrap_err();
        error.to_string()
    };
    let missing = error("octo/missing", &[]);
    assert!(missing.contains("octo/missing"), "{missing}");
    let words = "A branch or tag with the name 'missing' could not be found";
    assert_eq!(error("octo/library", &[("ref", "missing")]), words);
    let id = "1".repeat(40);
    let no_commit = error("octo/library", &[("ref", &id)]);
    assert!(no_commit.contains(&id), "{no_commit}");
    let words = "Invalid repository 'library'. Expected format {owner}/{repo}.";
    assert_eq!(error("library", &[]), words);
}
