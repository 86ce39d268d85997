use std::fs;

use super::read::NAME;
use super::*;
use crate::config::settings::Settings;
use crate::config::{Environment, Origin, Setting};

/// What the two files come to for octo/app; the user's stands in `~/.config`.
fn read(users: &str, own: &str) -> Result<LrunToml, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let root = folder.path().join("root");
    fs::create_dir_all(home.join(".config/lrun")).expect("created");
    fs::create_dir(&root).expect("created");
    fs::write(home.join(".config/lrun/lrun.toml"), users).expect("written");
    fs::write(root.join("lrun.toml"), own).expect("written");
    let home_text = home.display().to_string();
    let environment: Environment = [("HOME", home_text.as_str())].into_iter().collect();
    let settings = Settings::new(environment).expect("HOME is set");
    LrunToml::read(&root, "octo/app", &settings)
        .map_err(|error| error.to_string().replace(&home_text, "~"))
}

#[test]
fn the_repository_s_file_goes_over_the_user_s_and_what_is_for_the_repository_over_both() {
    let users = "\
[environments.production.vars]
region = 'users'
zone = 'users'
own = 'users'
[repository.'Octo/App'.environments.Production]
vars = { ZONE = 'for app' }
secrets = { KEY = { env = 'APP_KEY' } }
[repository.'octo/other'.vars]
OWN = 'for other'
";
    let own = "\
[environments.production]
vars.REGION = 'own'
vars.ZONE = 'own'
secrets.TEST = { secret = 'other' }
";
    let all = read(users, own).expect("valid");
    let production = all.environments.named("PRODUCTION").expect("it is there");
    let value = |name: &str| {
        let Setting { value, origin } = &production.vars[name];
        let Origin::File { path, position } = origin else {
            panic!("{origin}");
        };
        let file = if path == NAME { "own" } else { "users" };
        (value.as_str(), file, position.line, position.column)
    };
    assert_eq!(value("REGION"), ("own", "own", 2, 15));
    assert_eq!(value("ZONE"), ("for app", "users", 6, 17));
    assert_eq!(value("OWN"), ("users", "users", 4, 7));
    let secrets = &production.secrets;
    assert_eq!(
        secrets["KEY"].value,
        SecretSource::Variable("APP_KEY".to_owned())
    );
    assert_eq!(
        secrets["TEST"].value,
        SecretSource::Secret("OTHER".to_owned())
    );
    assert_eq!(all.environments.of_repository, Named::default());
}

#[test]
fn a_repository_cannot_reach_what_is_the_user_s() {
    let own = "\
[secrets]
A = { env = 'AWS_SECRET_ACCESS_KEY' }
B = { file = '/home/me/.netrc' }
[repository.'a/b'.vars]
C = 'x'
";
    let error = read("", own).expect_err("refused");
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(
        lines[0].starts_with("lrun.toml:2:5: secret `A`: `env` and `file` are only taken from")
    );
    assert!(
        lines[1].starts_with("lrun.toml:3:5: secret `B`: `env`"),
        "{error}"
    );
    assert!(lines[2].starts_with("lrun.toml:4:2: `repository` is only taken from your own"));
}

#[test]
fn no_secret_of_the_user_s_is_for_every_repository() {
    let error = read("environments.production.secrets.A = 'x'", "").expect_err("refused");
    assert!(
        error
            .starts_with("~/.config/lrun/lrun.toml:1:37: secret `A` would reach the jobs of every"),
        "{error}"
    );
}

#[test]
fn what_nothing_reads_and_what_has_another_type_is_named_with_its_place() {
    for (own, expected) in [
        (
            "[nodes]\nmirror = 1",
            "lrun.toml:1:2: there is no key `nodes`; there are environments, node, repository, secrets, vars",
        ),
        (
            "[environments.production]\nvar.A = 'x'",
            "lrun.toml:2:1: there is no key `var` in [environments.production]; there are secrets, vars",
        ),
        (
            "[environments]\nproduction = 1",
            "lrun.toml:2:14: `production` has to be a table, not of type integer",
        ),
        (
            "vars.A = 1",
            "lrun.toml:1:10: variable `A` has to be a string",
        ),
        (
            "[vars]\n1A = 'x'",
            "lrun.toml:2:6: `1A` cannot be the name of a secret or variable: letters, digits and _ only, no digit first",
        ),
        (
            "secrets.A = { environment = 'x' }",
            "lrun.toml:1:13: secret `A` has to be a string, { env = \"VARIABLE\" }, { file = \"PATH\" } or { secret = \"NAME\" }",
        ),
    ] {
        assert_eq!(read("", own).expect_err("refused"), expected, "{own}");
    }
    let error = read("", "vars = ").expect_err("no TOML");
    assert!(error.starts_with("lrun.toml:1:"), "{error}");
    let error = read("[repository.'a/b'.nodes]", "").expect_err("refused");
    assert!(
        error.contains("there is no key `nodes` in [repository.a/b]"),
        "{error}"
    );
}

#[test]
fn the_repository_s_file_is_none_of_another_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    fs::create_dir(&root).expect("created");
    fs::write(folder.path().join("private"), "token = 1").expect("written");
    std::os::unix::fs::symlink("../private", root.join(NAME)).expect("linked");
    let environment: Environment = [("LRUN_STORE", "/s")].into_iter().collect();
    let settings = Settings::new(environment).expect("a store");
    let error = LrunToml::read(&root, "a/b", &settings).expect_err("refused");
    assert!(
        error
            .to_string()
            .starts_with("cannot read lrun.toml: it is "),
        "{error}"
    );
}

#[test]
fn where_node_comes_from_is_the_user_s_to_say_alone() {
    let users = "[node]\nmirror = 'https://mirror.example/node'\nmusl = 'musl.tar.gz'\n";
    let node = read(users, "").expect("valid").node;
    let mirror = node.mirror.expect("it is there").value;
    assert_eq!(mirror, "https://mirror.example/node");
    assert!(
        node.musl
            .expect("it is there")
            .value
            .ends_with("lrun/musl.tar.gz")
    );
    let error = read("", "[node]\nmirror = 'https://mirror.example/node'\n");
    let error = error.expect_err("it runs on the user's machine");
    assert!(
        error.starts_with("lrun.toml:2:1: `mirror` is only taken"),
        "{error}"
    );
}
