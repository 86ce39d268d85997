//! Sparse checkouts, submodules and LFS, against what real git makes of the action's commands.

use std::path::{Path, PathBuf};

use lrun::digest::Digest;
use lrun::exec::workspace::{Staged, WorkspaceError};

use super::fixture::{Fixture, git};
use super::reference::{Reference, assert_same};

const URL: &str = "https://github.com/octo/project";
const MAIN: [&str; 3] = ["-B", "main", "refs/remotes/origin/main"];
const FETCH: [&str; 4] = [
    "--no-tags",
    "--depth=1",
    "origin",
    "+refs/heads/main:refs/remotes/origin/main",
];

fn on_github(fixture: &Fixture) {
    fixture.git(&["remote", "add", "origin", URL]);
}

/// A bare repository with what the user has.
fn published(fixture: &Fixture) -> PathBuf {
    let bare = fixture.own("published").join("bare");
    let root = fixture.root();
    let arguments = [
        "clone",
        "-q",
        "--bare",
        root.to_str().unwrap(),
        bare.to_str().unwrap(),
    ];
    git(&root, &arguments).unwrap();
    git(&bare, &["config", "uploadpack.allowFilter", "true"]).unwrap();
    git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"]).unwrap();
    bare
}

fn in_folders() -> Fixture {
    let fixture = Fixture::with_history();
    for path in [
        "docs/page",
        "docs/deep/page",
        "tools/run",
        "src/lib.rs",
        "top.txt",
    ] {
        fixture.write(path, format!("{path}\n"));
    }
    fixture.commit("Folders");
    on_github(&fixture);
    fixture
}

fn filtered() -> Vec<&'static str> {
    [&["--filter=blob:none"], &FETCH[..]].concat()
}

#[test]
fn a_cone_has_its_directories_and_the_files_above_them() {
    let fixture = in_folders();
    let bare = published(&fixture);
    let staged = fixture.stage(&[("sparse-checkout", "docs\nsrc/")]).unwrap();
    let theirs = fixture.own("reference");
    let reference = Reference {
        url: URL,
        instead: &[(URL, &bare)],
        fetch: &filtered(),
        before: &[&["sparse-checkout", "set", "docs", "src/"]],
        checkout: &MAIN,
        after: &[],
    };
    reference.make(&theirs);
    assert_same(staged.dir(), &theirs);
    assert!(staged.dir().join("docs/deep/page").exists());
    assert!(!staged.dir().join("tools").exists());
    let show = git(staged.dir(), &["show", "HEAD:tools/run"]);
    assert_eq!(
        show.unwrap(),
        "tools/run",
        "what is left out is there when asked for"
    );
}

#[test]
fn patterns_without_a_cone_choose_files() {
    let fixture = in_folders();
    let bare = published(&fixture);
    let with = [
        ("sparse-checkout", "docs/*\n!docs/deep\n/README"),
        ("sparse-checkout-cone-mode", "false"),
    ];
    let staged = fixture.stage(&with).unwrap();
    let theirs = fixture.own("reference");
    std::fs::create_dir_all(theirs.join(".git/info")).unwrap();
    let patterns = "\ndocs/*\n!docs/deep\n/README\n";
    std::fs::write(theirs.join(".git/info/sparse-checkout"), patterns).unwrap();
    let reference = Reference {
        url: URL,
        instead: &[(URL, &bare)],
        fetch: &filtered(),
        before: &[&["config", "core.sparseCheckout", "true"]],
        checkout: &MAIN,
        after: &[],
    };
    reference.make(&theirs);
    assert_same(staged.dir(), &theirs);
    let found = std::fs::read(staged.dir().join(".git/info/sparse-checkout")).unwrap();
    assert_eq!(String::from_utf8(found).unwrap(), patterns);
    assert!(staged.dir().join("docs/page").exists());
    assert!(!staged.dir().join("docs/deep").exists() && !staged.dir().join("top.txt").exists());
}

#[test]
fn an_empty_list_of_patterns_is_a_whole_checkout() {
    let fixture = in_folders();
    let staged = fixture.stage(&[("sparse-checkout", " \n \n")]).unwrap();
    assert!(staged.dir().join("tools/run").exists());
}

const LIBRARY: &str = "https://github.com/octo/library.git";
const INNER: &str = "https://github.com/octo/inner";

/// A project with the submodule `parts/library`, which has the submodule `inner`.
struct Nested {
    user: Fixture,
    library: PathBuf,
    inner: PathBuf,
    _sources: [Fixture; 2],
}

impl Nested {
    fn new() -> Self {
        let inner = Fixture::with_history();
        let inner_bare = published(&inner);
        let library = Fixture::with_history();
        let instead = format!("url.file://{}.insteadOf={INNER}", inner_bare.display());
        // The library names it by its neighbourhood.
        library.git(&["remote", "add", "origin", LIBRARY]);
        library.git(&[
            "-c",
            &instead,
            "submodule",
            "add",
            "-q",
            "../inner",
            "inner",
        ]);
        library.commit("Inner");
        let library_bare = published(&library);
        let user = Fixture::with_history();
        on_github(&user);
        let other = format!("url.file://{}.insteadOf={LIBRARY}", library_bare.display());
        let add = ["submodule", "add", "-q", "../library.git", "parts/library"];
        user.git(&[&["-c", &other], &add[..]].concat());
        let update = ["submodule", "update", "-q", "--init", "--recursive"];
        user.git(&[&["-c", &other, "-c", &instead], &update[..]].concat());
        user.commit("Library");
        Self {
            user,
            library: library_bare,
            inner: inner_bare,
            _sources: [inner, library],
        }
    }

    fn compare(&self, submodules: &str, depth: &str) -> Staged {
        let with = [("submodules", submodules), ("fetch-depth", depth)];
        let staged = self.user.stage(&with).unwrap();
        let bare = published(&self.user);
        let theirs = self.user.own("reference");
        let arguments = format!("--depth={depth}");
        let mut update = vec![
            "-c",
            "protocol.version=2",
            "submodule",
            "update",
            "--init",
            "--force",
        ];
        if depth != "0" {
            update.push(&arguments);
        }
        if submodules == "recursive" {
            update.push("--recursive");
        }
        let whole = [
            "--no-tags",
            "origin",
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        ];
        let reference = Reference {
            url: URL,
            instead: &[(URL, &bare), (LIBRARY, &self.library), (INNER, &self.inner)],
            fetch: if depth == "0" { &whole } else { &FETCH },
            before: &[],
            checkout: &MAIN,
            after: &[&update],
        };
        reference.make(&theirs);
        let modules = [
            ("parts/library", true),
            ("parts/library/inner", submodules == "recursive"),
        ];
        for (module, is_there) in modules {
            let (ours, theirs) = (staged.dir().join(module), theirs.join(module));
            assert_eq!(ours.join("README").exists(), is_there, "{module}");
            if is_there {
                // As the action does with `submodule foreach`.
                git(&theirs, &["config", "--local", "gc.auto", "0"]).unwrap();
                assert_same(&ours, &theirs);
            }
        }
        assert_same(staged.dir(), &theirs);
        staged
    }
}

#[test]
fn submodules_come_from_the_user_s_own_clones() {
    let nested = Nested::new();
    let staged = nested.compare("true", "1");
    assert!(staged.doubts.is_empty(), "{:?}", staged.doubts);
    let parent = git(&nested.library, &["rev-parse", "HEAD~1"]).unwrap();
    let module = staged.dir().join("parts/library");
    assert!(
        git(&module, &["cat-file", "-t", &parent]).is_err(),
        "depth 1"
    );
}

#[test]
fn submodules_of_submodules_come_when_asked_for() {
    Nested::new().compare("recursive", "1");
}

#[test]
fn submodules_have_their_history_with_the_project_s() {
    Nested::new().compare("recursive", "0");
}

#[test]
fn a_submodule_s_commit_that_is_not_pushed_is_a_doubt() {
    let nested = Nested::new();
    let module = nested.user.root().join("parts/library");
    std::fs::write(module.join("README"), "local\n").unwrap();
    git(&module, &["commit", "-q", "-a", "-m", "Local"]).unwrap();
    nested.user.commit("Bump");
    let staged = nested.user.stage(&[("submodules", "true")]).unwrap();
    let local = git(&module, &["rev-parse", "HEAD"]).unwrap();
    assert!(
        staged.doubts.len() == 1 && staged.doubts[0].contains(&local),
        "{:?}",
        staged.doubts
    );
    let read = std::fs::read_to_string(staged.dir().join("parts/library/README"));
    assert_eq!(read.unwrap(), "local\n");
    let refs = git(&staged.dir().join("parts/library"), &["for-each-ref"]).unwrap();
    assert!(!refs.contains(&local), "no branch of the user's: {refs}");
}

#[test]
fn a_submodule_at_a_path_of_this_machine_is_none_on_github() {
    let library = Fixture::with_history();
    let fixture = Fixture::with_history();
    on_github(&fixture);
    let url = library.root();
    fixture.git(&["submodule", "add", "-q", url.to_str().unwrap(), "library"]);
    fixture.commit("Local");
    let error = fixture.stage(&[("submodules", "true")]).unwrap_err();
    assert!(
        matches!(error, WorkspaceError::SubmoduleUrl { .. }),
        "{error}"
    );
    let staged = fixture.stage(&[]).unwrap();
    assert_eq!(staged.dir().join("library").read_dir().unwrap().count(), 0);
}

fn pointer(content: &str) -> (String, String) {
    let id = Digest::of(content).to_string();
    let size = content.len();
    let text =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize {size}\n");
    (id, text)
}

fn store(root: &Path, id: &str, content: &str) {
    let directory = root.join(format!(".git/lfs/objects/{}/{}", &id[..2], &id[2..4]));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(id), content).unwrap();
}

#[test]
fn lfs_contents_come_from_the_user_s_store_or_the_edited_file() {
    let fixture = Fixture::with_history();
    let (id, text) = pointer("stored content");
    fixture.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    fixture.write("stored.bin", &text);
    fixture.write("edited.bin", pointer("before").1);
    fixture.commit("Large files");
    store(&fixture.root(), &id, "stored content");
    fixture.write("edited.bin", "edited content");
    let staged = fixture.stage(&[("lfs", "true")]).unwrap();
    let read = |name: &str| std::fs::read_to_string(staged.dir().join(name)).unwrap();
    assert_eq!(read("stored.bin"), "stored content");
    assert_eq!(read("edited.bin"), "edited content");
    let status = git(staged.dir(), &["status", "--porcelain"]);
    assert_eq!(status.unwrap(), "", "nothing is modified");
    let kept = format!(".git/lfs/objects/{}/{}/{id}", &id[..2], &id[2..4]);
    assert_eq!(read(&kept), "stored content");
    let pointers = fixture.stage(&[]).unwrap();
    let plain = std::fs::read_to_string(pointers.dir().join("stored.bin")).unwrap();
    assert_eq!(plain, text, "without lfs: true");
}

#[test]
fn lfs_contents_that_are_not_here_are_named() {
    let fixture = Fixture::with_history();
    let (id, text) = pointer("elsewhere");
    fixture.write(".gitattributes", "*.bin filter=lfs -text\n");
    fixture.write("one.bin", &text);
    fixture.write("not-under-lfs", &text);
    fixture.commit("Large files");
    let error = fixture.stage(&[("lfs", "true")]).unwrap_err().to_string();
    assert!(error.contains(&format!("for one.bin ({id}): ")), "{error}");
}
