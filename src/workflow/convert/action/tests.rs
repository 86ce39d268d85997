use super::*;

fn read(text: &str) -> Result<Action, Vec<String>> {
    let read = read_action(Source::new("a/action.yml", text));
    read.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// The errors of a manifest with these lines under `runs:`.
fn errors(runs: &str) -> Vec<String> {
    read(&format!("name: n\nruns:\n{runs}")).expect_err("something is wrong with it")
}

#[test]
fn what_a_kind_needs_is_named_as_the_runner_does() {
    for (runs, error) in [
        (
            "  using: docker\n  env: {}\n  entrypoint: e\n",
            "You are using a Container Action but an image is not provided in a/action.yml.",
        ),
        (
            "  using: node24\n  pre: p.js\n",
            "You are using a JavaScript Action but there is not an entry JavaScript file provided in a/action.yml.",
        ),
        (
            "  main: m.js\n",
            "Missing 'using' value. 'using' requires 'composite', 'docker', 'node12', 'node16', 'node20' or 'node24'.",
        ),
    ] {
        let place = "a/action.yml (Line: 3, Col: 3)";
        assert_eq!(errors(runs), [format!("{place}: {error}")], "{runs}");
    }
    assert_eq!(
        errors("  using: node18\n  main: m.js\n"),
        [
            "a/action.yml (Line: 3, Col: 10): 'using: node18' is not supported, use 'docker', 'node12', 'node16', 'node20' or 'node24' instead."
        ]
    );
    assert_eq!(
        read("name: n\n").expect_err("nothing runs"),
        ["a/action.yml (Line: 1, Col: 1): Top level 'runs:' section is required for a/action.yml"]
    );
}

#[test]
fn keys_that_leave_the_kind_open_are_not_enough() {
    for runs in [
        "  using: node20\n",
        "  using: composite\n",
        "  using: docker\n",
    ] {
        let found = errors(runs);
        assert!(found[0].contains("There's not enough info"), "{found:?}");
    }
}

#[test]
fn keys_of_two_kinds_do_not_go_together() {
    assert_eq!(
        errors("  using: node20\n  main: m.js\n  image: Dockerfile\n"),
        ["a/action.yml (Line: 5, Col: 3): Unexpected value 'image'"]
    );
    assert_eq!(
        errors("  using: composite\n  steps: []\n  pre-if: always()\n"),
        ["a/action.yml (Line: 5, Col: 3): Unexpected value 'pre-if'"]
    );
}

#[test]
fn kinds_match_in_any_letter_case_and_a_plugin_needs_none() {
    for runs in [
        "{using: NODE12, main: m.js}",
        "{using: Docker, image: 'DOCKER://alpine'}",
        "{using: Composite, steps: []}",
        "{plugin: Some.Plugin}",
    ] {
        assert!(read(&format!("runs: {runs}\n")).is_ok(), "{runs}");
    }
}

#[test]
fn an_image_is_a_dockerfile_or_a_reference() {
    for (image, is_one) in [
        ("Dockerfile", true),
        ("sub/dir/dockerfile", true),
        ("Dockerfile.alpine", true),
        ("my.Dockerfile", true),
        ("docker://alpine:3", true),
        ("alpine:3", false),
        ("Dockerfile/x", false),
    ] {
        let read = read(&format!("runs: {{using: docker, image: '{image}'}}\n"));
        assert_eq!(read.is_ok(), is_one, "{image}");
    }
}

#[test]
fn a_step_of_a_composite_names_its_shell_and_never_waits() {
    let step = |step: &str| read(&format!("runs: {{using: composite, steps: [{step}]}}\n"));
    assert_eq!(
        step("{run: x}").expect_err("it has no shell"),
        ["a/action.yml (Line: 1, Col: 34): Required property is missing: shell"]
    );
    for good in [
        "{run: x, shell: '${{ inputs.shell }}'}",
        "{uses: ./x}",
        "{uses: $/x}",
        "{uses: docker://alpine}",
        "{uses: a/b/c@v1, with: {x: 1}}",
    ] {
        assert!(step(good).is_ok(), "{good}");
    }
    for bad in [
        "{wait: a}",
        "{wait-all: }",
        "{cancel: a}",
        "{parallel: [{run: x, shell: sh}]}",
        "{run: x, shell: sh, background: true}",
        "{run: x, shell: sh, timeout-minutes: 1}",
        "{uses: ./x, shell: sh}",
        "{run: x, shell: sh, if: secrets.a}",
        "{run: x, shell: sh, env: {A: '${{ vars.a }}'}}",
        "{run: x, shell: sh, continue-on-error: maybe}",
        "{uses: x}",
        "{id: __a, run: x, shell: sh}",
    ] {
        assert!(step(bad).is_err(), "{bad}");
    }
}

#[test]
fn containers_and_hooks_use_what_the_runner_lets_them() {
    let docker = |keys: &str| {
        read(&format!(
            "runs: {{using: docker, image: Dockerfile, {keys}}}\n"
        ))
    };
    assert!(docker("args: ['${{ inputs.a }}'], env: {A: '${{ inputs.a }}'}").is_ok());
    assert!(
        docker("pre-entrypoint: p.sh, pre-if: success(), post-if: env.A == hashFiles('x')").is_ok()
    );
    for bad in [
        "args: ['${{ github.sha }}']",
        "args: one two",
        "env: {A: '${{ runner.os }}'}",
        "entrypoint: '${{ inputs.a }}'",
        "post-if: steps.a.outcome == 'success'",
        "post-if: '${{ always() }}'",
        "post-if: ''",
    ] {
        assert!(docker(bad).is_err(), "{bad}");
    }
}

#[test]
fn inputs_have_defaults_and_messages_in_any_letter_case() {
    let inputs = |inputs: &str| {
        let text = format!("inputs: {inputs}\nruns: {{using: node20, main: m.js}}\n");
        read(&text).map(|action| action.inputs)
    };
    let found = inputs(
        "{a: {required: true, default: 1, DeprecationMessage: gone}, b: {Default: x, extra: [1]}, c: {}}",
    )
    .expect("valid");
    let default = |index: usize| found[index].default.as_ref().and_then(Token::as_str);
    assert_eq!(
        [default(0), default(1), default(2)],
        [Some("1"), Some("x"), None]
    );
    assert_eq!(found[0].deprecation_message.as_deref(), Some("gone"));
    assert!(found[0].required && !found[1].required);
    for bad in [
        "{a: }",
        "{a: text}",
        "[a]",
        "{a: {deprecationMessage: [1]}}",
        "{a: {default: '${{ inputs.b }}'}}",
        "{a: {description: '${{ github.sha }}'}}",
        "{a: {}, A: {}}",
    ] {
        assert!(inputs(bad).is_err(), "{bad}");
    }
    assert!(inputs("{a: {default: '${{ github.token }}'}}").is_ok());
}

#[test]
fn what_the_runner_does_not_know_it_passes_over() {
    let text = "name: n\nauthor: a\ndescription: d\nbranding: {icon: none, color: mauve}\nmore: [1]\nruns: {using: node20, main: m.js}\noutputs: {o: {description: x}}\n";
    let action = read(text).expect("valid");
    assert!(action.branding.is_some());
    assert_eq!(action.outputs[0].description.as_deref(), Some("x"));
    assert!(read("runs: {using: node20, main: m.js}\noutputs: {o: {valu: x}}\n").is_err());
}
