use super::*;

const PUSH: Circumstances<'_> = Circumstances {
    event: "push",
    has_token: false,
    allowed: false,
};

fn action(reference: &str, inputs: &[(&str, &str)]) -> Judged {
    action_in(reference, inputs, PUSH)
}

fn action_in(reference: &str, inputs: &[(&str, &str)], circumstances: Circumstances<'_>) -> Judged {
    let input = |name: &str| match inputs.iter().find(|(key, _)| *key == name) {
        Some((_, "?")) => Input::Unknown,
        Some((_, value)) => Input::Known((*value).to_owned()),
        None => Input::Absent,
    };
    of_action(reference, &input, circumstances)
}

fn does(judged: &Judged) -> Option<Does> {
    match judged {
        Judged::Does(effect) => Some(effect.does),
        _ => None,
    }
}

#[test]
fn actions_are_known_by_name_in_any_letter_case_and_at_any_ref() {
    let found = action("Actions/Deploy-Pages@0123456", &[]);
    let Judged::Does(effect) = &found else {
        panic!("{found:?}");
    };
    assert_eq!(
        effect.to_string(),
        "Actions/Deploy-Pages deploys; --allow-publish runs it"
    );
    assert_eq!(
        does(&action("slackapi/slack-github-action@v2", &[])),
        Some(Does::Sends)
    );
    assert_eq!(
        does(&action("actions/attest-sbom@v2", &[])),
        Some(Does::Publishes)
    );
    assert_eq!(
        does(&action("github/codeql-action/upload-sarif@v3", &[])),
        Some(Does::Api)
    );
}

#[test]
fn what_stays_here_is_harmless() {
    for uses in [
        "actions/upload-pages-artifact@v3",
        "actions/setup-node@v4",
        "google-github-actions/setup-gcloud@v2",
        "actions/deploy-pages-not@v1",
        "dtolnay/rust-toolchain@stable",
    ] {
        assert_eq!(action(uses, &[]), Judged::Harmless, "{uses}");
    }
}

#[test]
fn inputs_decide_where_they_are_known() {
    let build = |push| action("docker/build-push-action@v6", &[("push", push)]);
    assert_eq!(does(&build("true")), Some(Does::Publishes));
    // It still needs an engine.
    assert_eq!(does(&build("false")), Some(Does::Engine));
    assert_eq!(build("?"), Judged::Open);
    let codecov = |dry| action("codecov/codecov-action@v5", &[("dry_run", dry)]);
    assert_eq!(codecov("true"), Judged::Harmless);
    assert_eq!(does(&codecov("")), Some(Does::Publishes));
    let goreleaser = |args| action("goreleaser/goreleaser-action@v6", &[("args", args)]);
    assert_eq!(does(&goreleaser("release --clean")), Some(Does::Publishes));
    assert_eq!(goreleaser("release --snapshot"), Judged::Harmless);
    assert_eq!(goreleaser("check"), Judged::Harmless);
}

#[test]
fn a_login_runs_with_what_it_logs_in_with() {
    let login = |with: &[_]| action("docker/login-action@v3", with);
    assert_eq!(does(&login(&[])), Some(Does::Login));
    assert_eq!(does(&login(&[("password", "")])), Some(Does::Login));
    // Docker's own tool does it.
    assert_eq!(does(&login(&[("password", "x")])), Some(Does::Engine));
    assert_eq!(
        action("azure/login@v2", &[("creds", "{}")]),
        Judged::Harmless
    );
    let aws = "aws-actions/configure-aws-credentials@v4";
    assert_eq!(
        does(&action(aws, &[("role-to-assume", "arn")])),
        Some(Does::Login)
    );
    let keys = [("aws-access-key-id", "a"), ("aws-secret-access-key", "b")];
    assert_eq!(does(&action(aws, &keys)), Some(Does::Deploys));
}

#[test]
fn a_script_of_the_api_is_told_from_others() {
    let script = |text, has_token| {
        let circumstances = Circumstances { has_token, ..PUSH };
        action_in(
            "actions/github-script@v7",
            &[("script", text)],
            circumstances,
        )
    };
    assert_eq!(
        does(&script("await github.rest.issues.create()", true)),
        Some(Does::Api)
    );
    assert_eq!(script("core.setOutput('a', 1)", true), Judged::Harmless);
    assert_eq!(
        does(&script("core.setOutput('a', 1)", false)),
        Some(Does::Login)
    );
}

#[test]
fn events_count() {
    let paths = "dorny/paths-filter@v3";
    assert_eq!(action(paths, &[]), Judged::Harmless);
    let pull = Circumstances {
        event: "pull_request",
        ..PUSH
    };
    assert_eq!(does(&action_in(paths, &[], pull)), Some(Does::Api));
    assert_eq!(action_in(paths, &[("token", "")], pull), Judged::Harmless);
}

#[test]
fn what_is_allowed_runs_but_an_engine_cannot_be_allowed() {
    let allowed = Circumstances {
        allowed: true,
        ..PUSH
    };
    assert_eq!(
        action_in("actions/deploy-pages@v4", &[], allowed),
        Judged::Harmless
    );
    let build = action_in("docker/build-push-action@v6", &[("push", "true")], allowed);
    assert_eq!(does(&build), Some(Does::Engine));
    assert_eq!(of_script("git push", false, true), None);
    assert!(of_script("docker push x", false, true).is_some());
}

/// What a script is said to run, and to do.
fn script(text: &str) -> String {
    match of_script(text, false, false) {
        Some(effect) => format!("{} {}", effect.by, effect.does),
        None => String::new(),
    }
}

#[test]
fn commands_are_found_where_a_script_runs_them() {
    for (text, wanted) in [
        ("git push", "`git push` publishes"),
        ("git -C dir -c a=b push origin main", "`git push` publishes"),
        ("sudo -u x git push", "`git push` publishes"),
        (
            "cd x && A=1 env B=2 timeout -k 5 10 npm publish",
            "`npm publish` publishes",
        ),
        ("ls | xargs -n 1 twine upload", "`twine upload` publishes"),
        ("python -m twine upload dist/*", "`twine upload` publishes"),
        ("npx --yes wrangler deploy", "`wrangler deploy` deploys"),
        (
            "bash -ec 'if true; then cargo +nightly publish; fi'",
            "`cargo publish` publishes",
        ),
        ("./gradlew :core:publish", "`gradlew publish` publishes"),
        ("mvn -B clean deploy", "`mvn deploy` publishes"),
        ("echo \"$(gh api user)\"", "`gh` talks to GitHub's API"),
        ("rsync -a x me@host:/srv", "`rsync` deploys"),
        ("aws s3 sync . s3://bucket", "`aws` deploys"),
        (
            "curl -X POST https://api.github.com/x",
            "`curl` talks to GitHub's API",
        ),
        ("docker buildx build --push .", "`docker buildx` publishes"),
    ] {
        assert_eq!(script(text), wanted, "{text}");
    }
    assert!(script("docker build .").contains("container engine"));
}

#[test]
fn what_only_looks_like_them_is_not() {
    for text in [
        "echo git push",
        "# git push",
        "cat <<EOF\ngit push\nEOF",
        "git push --dry-run",
        "git stash push",
        "git log --grep push",
        "npm run publish-docs",
        "cargo publish --dry-run",
        "cargo test publish",
        "gh --version",
        "rsync -a x y",
        "rsync -a localhost:x y",
        "curl -fsSL https://example.org/install.sh",
        "curl -X POST http://localhost:8080/x",
        "docker --version",
        "kubectl apply --dry-run=client -f x",
        "terraform plan",
        "./git-push.sh",
        "gradle publishToMavenLocal",
        "for x in git push; do echo $x; done",
        "docker buildx build --push=false",
    ] {
        let found = script(text);
        assert!(
            found.is_empty() || found.contains("engine"),
            "{text}: {found}"
        );
    }
}

#[test]
fn a_login_in_a_script_is_left_out_where_its_secret_is_empty() {
    let login = "echo \"$P\" | docker login -u me --password-stdin";
    assert!(of_script("npm login", false, false).is_none());
    let effect = of_script(login, true, false).expect("a login");
    assert_eq!(effect.does, Does::Login);
    assert_eq!(effect.by, "`docker login`");
}

#[test]
fn only_scripts_of_shells_are_read() {
    for shell in [
        None,
        Some("bash"),
        Some("sh"),
        Some("/bin/bash -e {0}"),
        Some("pwsh"),
    ] {
        assert!(is_read(shell), "{shell:?}");
    }
    for shell in ["python", "perl {0}", "node {0}"] {
        assert!(!is_read(Some(shell)), "{shell}");
    }
}
