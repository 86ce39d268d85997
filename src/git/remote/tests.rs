use std::net::TcpListener;
use std::process::Command;

use super::*;

/// A repository that others may fetch from.
struct Served(tempfile::TempDir);

impl Served {
    fn new() -> Self {
        let served = Self(tempfile::tempdir().expect("a directory"));
        served.git(&["init", "--quiet", "--initial-branch=main"]);
        served.commit("one");
        served
    }

    fn url(&self) -> String {
        format!("file://{}", self.0.path().display())
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=x", "-c", "user.email=x@localhost"])
            .args(arguments)
            .current_dir(self.0.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git starts");
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, text: &str) -> String {
        fs::write(self.0.path().join("file"), text).expect("written");
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--message", text]);
        self.git(&["rev-parse", "HEAD"])
    }
}

fn kept() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn content(remote: &Remote, commit: &str) -> String {
    let file = format!("{commit}:file");
    remote
        .git()
        .args(["cat-file", "blob", &file])
        .line()
        .expect("the file is there")
}

#[test]
fn branches_tags_and_commits_are_found_and_only_their_own_commit_comes() {
    let served = Served::new();
    let first = served.git(&["rev-parse", "HEAD"]);
    served.git(&["tag", "--annotate", "v1", "--message", "x"]);
    let second = served.commit("two");
    served.git(&["branch", "releases/v1"]);
    let kept = kept();
    let remote = Remote::new(kept.path(), served.url());
    let one = Depth::Commits(1);
    assert_eq!(remote.fetch("main", one).expect("fetched"), second);
    assert!(!remote.has(&first));
    assert_eq!(remote.fetch("releases/v1", one).expect("fetched"), second);
    assert_eq!(remote.fetch("v1", one).expect("fetched"), first);
    assert_eq!(remote.fetch("refs/tags/v1", one).expect("fetched"), first);
    assert_eq!(content(&remote, &first), "one");
    assert_eq!(content(&remote, &second), "two");
    let third = served.commit("three");
    served.commit("four");
    assert_eq!(remote.fetch(&third, one).expect("fetched"), third);
    let advertised = remote.advertised().expect("there");
    assert!(advertised.contains(&("refs/tags/v1^{}".to_owned(), first)));
}

#[test]
fn a_commit_that_is_here_is_not_asked_for_again() {
    let served = Served::new();
    let commit = served.git(&["rev-parse", "HEAD"]);
    let kept = kept();
    let remote = Remote::new(kept.path(), served.url());
    remote.fetch(&commit, Depth::Commits(1)).expect("fetched");
    drop(served);
    let again = remote.fetch(&commit.to_uppercase(), Depth::Commits(1));
    assert_eq!(again.expect("still there"), commit);
    let gone = remote.fetch("main", Depth::Commits(1)).unwrap_err();
    assert!(matches!(gone, RemoteError::NoRepository { .. }), "{gone}");
}

#[test]
fn history_comes_as_deep_as_it_is_asked_for() {
    let served = Served::new();
    let first = served.git(&["rev-parse", "HEAD"]);
    served.commit("two");
    served.commit("three");
    let kept = kept();
    let remote = Remote::new(kept.path(), served.url());
    let count = |commit: &str| {
        let count = remote.git().args(["rev-list", "--count", commit]).line();
        count.expect("commits")
    };
    let tip = remote.fetch("main", Depth::Commits(2)).expect("fetched");
    assert_eq!(count(&tip), "2");
    remote.fetch("main", Depth::Whole).expect("fetched");
    assert_eq!(count(&tip), "3");
    assert!(remote.has(&first));
    let refspec = "+refs/heads/*:refs/remotes/origin/*";
    remote
        .fetch_refs(&[refspec], Depth::Whole)
        .expect("fetched");
    assert_eq!(count("refs/remotes/origin/main"), "3");
}

#[test]
fn what_is_not_there_is_told_apart() {
    let served = Served::new();
    let kept = kept();
    let remote = Remote::new(kept.path(), served.url());
    let one = Depth::Commits(1);
    let absent = "0123456789012345678901234567890123456789";
    for revision in ["v9", absent, "a b", "--upload-pack=x", "x:y", "+main", "@"] {
        let error = remote.fetch(revision, one).unwrap_err();
        assert!(
            matches!(error, RemoteError::NoRevision { .. }),
            "{revision}: {error}"
        );
        assert!(error.is_not_there());
    }
    let nowhere = Remote::new(kept.path(), "file:///nonexistent/o/r");
    let error = nowhere.fetch("main", one).unwrap_err();
    assert!(matches!(error, RemoteError::NoRepository { .. }), "{error}");
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let closed = Remote::new(kept.path(), format!("http://127.0.0.1:{port}/o/r"));
    let error = closed.fetch("main", one).unwrap_err();
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error}");
    assert!(!error.is_not_there());
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let kept = kept();
    let limit = Duration::from_millis(300);
    let remote = Remote::new(kept.path(), format!("http://{address}/o/r")).within(limit);
    let start = Moment::now();
    let error = remote.fetch("main", Depth::Commits(1)).unwrap_err();
    assert!(matches!(error, RemoteError::TimedOut { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_that_wants_credentials_is_not_answered_by_a_question() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let refusing = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("git comes");
        let mut request = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut request).expect("a request");
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, answer.as_bytes()).expect("git listens");
    });
    let kept = kept();
    let remote = Remote::new(kept.path(), format!("http://{address}/o/private"));
    let error = remote.fetch("main", Depth::Commits(1)).unwrap_err();
    assert!(matches!(error, RemoteError::NoRepository { .. }), "{error}");
    assert!(error.to_string().contains("credentials"), "{error}");
    refusing.join().expect("it was asked");
}

#[test]
fn several_at_once_do_each_other_no_harm() {
    let served = Served::new();
    let kept = kept();
    let names: Vec<_> = (0..8).map(|number| format!("b{number}")).collect();
    let commits: Vec<_> = names
        .iter()
        .map(|name| {
            let commit = served.commit(name);
            served.git(&["branch", name]);
            commit
        })
        .collect();
    std::thread::scope(|scope| {
        let fetch = |name| Remote::new(kept.path(), served.url()).fetch(name, Depth::Commits(1));
        let fetching: Vec<_> = names
            .iter()
            .map(|name| scope.spawn(move || fetch(name)))
            .collect();
        for (fetching, commit) in fetching.into_iter().zip(&commits) {
            let fetched = fetching.join().expect("no panic").expect("fetched");
            assert_eq!(&fetched, commit);
        }
    });
    let remote = Remote::new(kept.path(), served.url());
    for (name, commit) in names.iter().zip(&commits) {
        assert_eq!(&content(&remote, commit), name);
    }
}

#[test]
fn no_password_is_told() {
    assert_eq!(
        told("fatal: unable to access 'https://me:secret@h/o/r/': x\nat ssh://git@h/\n"),
        "fatal: unable to access 'https://h/o/r/': x; at ssh://h/"
    );
}
