use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Carried, Machine, carried, nothing_carried};
use crate::config::Environment;

/// A machine made of files below a temporary root, whose user lives in `/home/me`.
struct Fixture {
    root: TempDir,
    environment: Environment,
}

impl Fixture {
    fn new(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        let root = TempDir::new().expect("a temporary directory");
        for (path, content) in files {
            let path = root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().expect("files have parents")).expect("writable");
            fs::write(path, content).expect("writable");
        }
        Self {
            root,
            environment: environment.iter().copied().collect(),
        }
    }

    fn machine(&self) -> Machine<'_> {
        Machine {
            root: self.root.path(),
            home: Some(Path::new("/home/me")),
            environment: &self.environment,
        }
    }

    fn carried(&self) -> Carried {
        carried(&self.machine())
    }
}

fn content<'a>(carried: &'a Carried, path: &str) -> &'a str {
    let file = carried.files.iter().find(|file| file.path == path);
    &file
        .unwrap_or_else(|| panic!("{path} is not among {:?}", carried.files))
        .content
}

#[test]
fn a_machine_without_settings_carries_nothing() {
    assert_eq!(Fixture::new(&[], &[]).carried(), Carried::default());
}

#[test]
fn pip_takes_network_settings_of_files_and_variables_alone() {
    let machine = Fixture::new(
        &[
            (
                "/etc/pip.conf",
                "[global]\nindex-url = https://old/simple\ntimeout = 60\nrequire-virtualenv = true\n",
            ),
            (
                "/home/me/.config/pip/pip.conf",
                "[global]\nindex_url = https://mirror/simple\n[install]\nuser = true\ntrusted-host =\n  a\n  b\n",
            ),
        ],
        &[("PIP_RETRIES", "9"), ("PIP_NO_BINARY", ":all:")],
    );
    let carried = machine.carried();
    assert_eq!(carried.tools, ["pip"]);
    assert_eq!(
        content(&carried, "/etc/pip.conf"),
        "[global]\nindex-url = https://mirror/simple\ntimeout = 60\nretries = 9\n\
         [install]\ntrusted-host = a\n    b\n"
    );
    assert!(carried.env.is_empty());
}

#[test]
fn a_pip_variable_wins_over_every_section() {
    let machine = Fixture::new(
        &[("/etc/pip.conf", "[install]\nindex-url = https://old\n")],
        &[("PIP_INDEX_URL", "https://new")],
    );
    assert_eq!(
        content(&machine.carried(), "/etc/pip.conf"),
        "[global]\nindex-url = https://new\n"
    );
}

#[test]
fn links_a_job_cannot_reach_are_left_out() {
    let machine = Fixture::new(
        &[("/mnt/wheels/x.whl", ""), ("/home/me/wheels/x.whl", "")],
        &[(
            "PIP_FIND_LINKS",
            "/mnt/wheels /home/me/wheels /mnt/missing https://w",
        )],
    );
    assert_eq!(
        content(&machine.carried(), "/etc/pip.conf"),
        "[global]\nfind-links = /mnt/wheels\n    https://w\n"
    );
}

#[test]
fn credentials_stay_behind_and_are_named() {
    let machine = Fixture::new(
        &[
            (
                "/home/me/.npmrc",
                "registry=https://u:p@npm.corp/\n//npm.corp/:_authToken=secret\n_auth=secret\nemail=me@corp\n",
            ),
            (
                "/home/me/.cargo/config.toml",
                "[registries.corp]\nindex = 'sparse+https://u:p@cargo.corp/'\ntoken = 'secret'\n",
            ),
            (
                "/home/me/.gitconfig",
                "[http]\n\textraheader = Authorization: secret\n\tproxy = http://u:p@proxy:3128\n",
            ),
        ],
        &[
            ("http_proxy", "me:secret@proxy:3128"),
            ("https_proxy", "http://me:secret@proxy:3128"),
            ("UV_INDEX_URL", "https://me:secret@pypi.corp/simple"),
        ],
    );
    let carried = machine.carried();
    assert_eq!(
        content(&carried, "/etc/npmrc"),
        "registry=https://npm.corp/\n"
    );
    assert_eq!(
        content(&carried, "/.cargo/config.toml"),
        "[registries.corp]\nindex = \"sparse+https://cargo.corp/\"\n"
    );
    assert_eq!(
        content(&carried, "/etc/gitconfig"),
        "[http]\n\tproxy = \"http://proxy:3128\"\n"
    );
    assert_eq!(
        carried.env,
        [
            ("http_proxy".to_owned(), "proxy:3128".to_owned()),
            ("https_proxy".to_owned(), "http://proxy:3128".to_owned())
        ]
    );
    assert_eq!(
        carried.without_credentials,
        [
            "uv index-url",
            "npm registry",
            "cargo registries.corp.index",
            "git http.proxy",
            "http_proxy",
            "https_proxy"
        ]
    );
    let everything = format!("{carried:?}");
    assert!(!everything.contains("secret") && !everything.contains(":p@"));
}

#[test]
fn cargo_merges_its_files_and_variables() {
    let machine = Fixture::new(
        &[
            (
                "/.cargo/config.toml",
                "[http]\nproxy = 'old:1'\ntimeout = 5\n[build]\njobs = 1\n",
            ),
            (
                "/home/me/.cargo/config.toml",
                "[source.crates-io]\nreplace-with = 'corp'\n[source.corp]\nregistry = 'sparse+https://c/'\n[env]\nX = '1'\n",
            ),
        ],
        &[
            ("CARGO_HTTP_PROXY", "new:1"),
            ("CARGO_NET_RETRY", "7"),
            ("CARGO_REGISTRIES_MY_CORP_INDEX", "https://i/"),
            ("CARGO_BUILD_JOBS", "3"),
        ],
    );
    assert_eq!(
        content(&machine.carried(), "/.cargo/config.toml")
            .parse::<toml::Table>()
            .expect("TOML"),
        "http = { proxy = 'new:1', timeout = 5 }\nnet = { retry = 7 }\n\
         registries.my-corp.index = 'https://i/'\n\
         [source]\ncrates-io.replace-with = 'corp'\ncorp.registry = 'sparse+https://c/'\n"
            .parse::<toml::Table>()
            .expect("TOML")
    );
}

#[test]
fn uv_s_variables_become_its_file() {
    let machine = Fixture::new(
        &[(
            "/home/me/.config/uv/uv.toml",
            "preview = true\n[[index]]\nurl = 'https://i/'\ndefault = true\n",
        )],
        &[
            ("UV_INDEX", "corp=https://a/ https://b/"),
            ("UV_NATIVE_TLS", "1"),
        ],
    );
    assert_eq!(
        content(&machine.carried(), "/etc/uv/uv.toml")
            .parse::<toml::Table>()
            .expect("TOML"),
        "native-tls = true\nextra-index-url = ['https://a/', 'https://b/']\n\
         [[index]]\nurl = 'https://i/'\ndefault = true\n"
            .parse::<toml::Table>()
            .expect("TOML")
    );
}

#[test]
fn npm_s_variables_win_and_values_are_expanded() {
    let machine = Fixture::new(
        &[(
            "/home/me/.npmrc",
            "registry=https://old/\n@corp:registry=https://${HOST}/npm\nhttps-proxy=${UNSET}\nfund=false\n",
        )],
        &[("NPM_CONFIG_REGISTRY", "https://new/"), ("HOST", "corp")],
    );
    let carried = machine.carried();
    assert_eq!(
        content(&carried, "/usr/etc/npmrc"),
        "registry=https://new/\n@corp:registry=https://corp/npm\n"
    );
    assert_eq!(
        content(&carried, "/usr/etc/npmrc"),
        content(&carried, "/usr/local/etc/npmrc")
    );
}

#[test]
fn git_keeps_mirrors_and_drops_logins() {
    let machine = Fixture::new(
        &[
            (
                "/etc/gitconfig",
                "[user]\n\tname = corp\n[http \"https://corp/\"]\n\tsslVerify = false # own\n",
            ),
            (
                "/home/me/.gitconfig",
                "[url \"https://mirror/\"]\n\tinsteadOf = \"https://github.com/\"\n\
                 [url \"git@github.com:\"]\n\tinsteadOf = https://github.com/\n\
                 [url \"https://token@github.com/\"]\n\tinsteadOf = https://github.com/\n\
                 [credential]\n\thelper = store\n[core]\n\tautocrlf = true\n",
            ),
        ],
        &[],
    );
    assert_eq!(
        content(&machine.carried(), "/etc/gitconfig"),
        "[http \"https://corp/\"]\n\tsslverify = \"false\"\n\
         [url \"https://mirror/\"]\n\tinsteadof = \"https://github.com/\"\n"
    );
}

#[test]
fn certificates_a_job_does_not_see_are_copied() {
    let machine = Fixture::new(
        &[("/home/me/corp.pem", "PEM"), ("/etc/corp.pem", "PEM")],
        &[
            ("NODE_EXTRA_CA_CERTS", "/home/me/corp.pem"),
            ("PIP_CERT", "/etc/corp.pem"),
            ("SSL_CERT_FILE", "/home/me/missing.pem"),
        ],
    );
    let carried = machine.carried();
    assert_eq!(
        carried.env,
        [(
            "NODE_EXTRA_CA_CERTS".to_owned(),
            "/etc/ssl/lrun/home-me-corp.pem".to_owned()
        )]
    );
    assert_eq!(content(&carried, "/etc/ssl/lrun/home-me-corp.pem"), "PEM");
    assert_eq!(
        content(&carried, "/etc/pip.conf"),
        "[global]\ncert = /etc/corp.pem\n"
    );
}

#[test]
fn the_machine_s_own_store_of_roots_needs_no_variable() {
    let store = "/etc/ssl/certs/ca-certificates.crt";
    let machine = Fixture::new(
        &[(store, "PEM"), ("/etc/other.crt", "PEM")],
        &[
            ("SSL_CERT_FILE", store),
            ("CURL_CA_BUNDLE", "/etc/other.crt"),
        ],
    );
    assert_eq!(
        machine.carried().env,
        [("CURL_CA_BUNDLE".to_owned(), "/etc/other.crt".to_owned())]
    );
}

#[test]
fn files_of_the_machine_are_emptied_when_nothing_replaces_them() {
    let machine = Fixture::new(
        &[
            ("/etc/gitconfig", "[core]\n\tautocrlf = true\n"),
            ("/etc/pip.conf", "[global]\nindex-url = https://corp/\n"),
        ],
        &[("https_proxy", "http://proxy")],
    );
    assert_eq!(content(&machine.carried(), "/etc/gitconfig"), "");
    let nothing = nothing_carried(&machine.machine());
    assert_eq!(content(&nothing, "/etc/gitconfig"), "");
    assert_eq!(content(&nothing, "/etc/pip.conf"), "");
    assert!(nothing.tools.is_empty() && nothing.env.is_empty());
}
