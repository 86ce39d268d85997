use super::*;
use crate::source::Source;
use crate::workflow::read_workflow;

const WORKFLOW: &str = r#"
on: push
env:
  FIXED: v1
  COMMIT: ${{ github.sha }}
jobs:
  needed:
    runs-on: ubuntu-24.04
    outputs:
      week: ${{ steps.week.outputs.week }}
      fixed: v1
    steps:
      - { id: week, run: 'echo week=$(date +%V) >> $GITHUB_OUTPUT' }
  build:
    needs: needed
    runs-on: ubuntu-24.04
    env:
      REF: ${{ github.ref }}
    steps:
      - { id: rust, run: 'echo v=$(rustc -V) >> $GITHUB_OUTPUT' }
      - { id: image, run: 'echo v=$ImageOS >> $GITHUB_OUTPUT' }
      - { id: system, run: 'echo v=$(. /etc/os-release; echo $ID) >> $GITHUB_OUTPUT' }
      - id: several
        run: |
          day=$(date +%F)
          echo "lock=$(sha256sum lock)" >> "$GITHUB_OUTPUT"
          echo "gcc=$(gcc -dumpversion)" >> "$GITHUB_OUTPUT"
          echo "day=$day" >> "$GITHUB_OUTPUT"
          echo "touched=$(date -r lock)" >> "$GITHUB_OUTPUT"
          echo "commit=${{ github.sha }}" >> "$GITHUB_OUTPUT"
          echo "ref=${{ github.ref }}" >> "$GITHUB_OUTPUT"
          echo "about=up to date" >> "$GITHUB_OUTPUT"
      - { id: cores, run: 'echo CORES=$(nproc) >> $GITHUB_ENV' }
      - { id: checkout, uses: actions/checkout@v5 }
      - { id: restore, uses: actions/cache/restore@v4, env: { OS: '${{ runner.os }}' }, with: { path: x, key: '${{ env.OS }}' } }
      - id: cache
        uses: actions/cache@v4
        env: { OWN: '${{ env.CORES }}', OS: '${{ runner.os }}' }
        with:
          path: x
          key: KEY
"#;

/// The bearing of an expression in the key of `build`'s cache step, and what the image has.
fn judged(expression: &str) -> (Bearing, Option<Hosted>) {
    let text = WORKFLOW.replace("KEY", &format!("a-${{{{ {expression} }}}}"));
    let workflow = read_workflow(Source::new("ci.yml", text)).expect("a valid workflow");
    let job = &workflow.jobs["build"];
    let JobBody::Steps(steps) = &job.body else {
        panic!("it has steps");
    };
    let mut steps = steps.iter();
    let step = steps.find(|step| step.id == "cache");
    let step = step.expect("it is there");
    let label = Label::find("ubuntu-24.04").expect("a known label");
    let set_by = IndexMap::from([("CORES".to_owned(), "cores".to_owned())]);
    let sources = Sources {
        workflow: &workflow,
        job,
        step,
        label: Some(&label),
        set_by: &set_by,
        frame: &Frame::of_job(&workflow),
    };
    let StepAction::Uses {
        with: Some(with), ..
    } = &step.action
    else {
        panic!("it uses an action");
    };
    let Some(TokenKind::Expression(template)) = with.get("key").map(|token| &token.kind) else {
        panic!("the key has an expression");
    };
    let expression = template.expressions().next().expect("it has one");
    sources.of(expression, "value")
}

#[test]
fn what_an_expression_reads_decides() {
    for (expression, bearing) in [
        ("hashFiles('**/*.lock')", Bearing::Portable),
        ("matrix.n", Bearing::Portable),
        ("github.ref", Bearing::Portable),
        ("github.event.number", Bearing::Portable),
        ("inputs.x || vars.y", Bearing::Portable),
        ("runner.os", Bearing::Label),
        ("runner.arch", Bearing::Label),
        ("github.sha", Bearing::Run),
        ("github.actor", Bearing::Portable),
        ("job.status", Bearing::Place),
        ("github['RUN_ID']", Bearing::Run),
        ("github.event.head_commit.id", Bearing::Run),
        ("toJSON(github)", Bearing::Run),
        ("env.FIXED", Bearing::Portable),
        ("env.COMMIT", Bearing::Run),
        ("env.REF", Bearing::Portable),
        ("env.OS", Bearing::Label),
        ("env.CORES", Bearing::Place),
        ("env.OWN", Bearing::Place),
        ("env.NOBODY_SETS_IT", Bearing::Portable),
        ("steps.rust.outputs.v", Bearing::Place),
        ("steps.rust.outcome", Bearing::Place),
        ("steps.image.outputs.v", Bearing::Label),
        ("steps.system.outputs.v", Bearing::Label),
        ("steps.several.outputs.lock", Bearing::Place),
        ("steps.several.outputs.gcc", Bearing::Place),
        ("steps.several.outputs.day", Bearing::Run),
        ("steps.several.outputs.touched", Bearing::Place),
        ("steps.several.outputs.commit", Bearing::Run),
        ("steps.several.outputs.ref", Bearing::Place),
        ("steps.several.outputs.about", Bearing::Place),
        ("steps.several.outputs.unknown", Bearing::Place),
        ("steps.checkout.outputs.commit", Bearing::Run),
        ("steps.restore.outputs.cache-primary-key", Bearing::Label),
        ("steps.restore.outputs.cache-hit", Bearing::Place),
        ("needs.needed.outputs.week", Bearing::Run),
        ("needs.needed.outputs.fixed", Bearing::Portable),
        ("needs.needed.result", Bearing::Place),
        // The last one counts.
        (
            "format('{0}{1}', runner.os, hashFiles('x'))",
            Bearing::Label,
        ),
        ("format('{0}{1}', runner.os, github.run_id)", Bearing::Run),
    ] {
        assert_eq!(judged(expression).0, bearing, "{expression}");
    }
}

#[test]
fn what_the_image_has_is_told() {
    let value = |expression| judged(expression).1.and_then(|hosted| hosted.value);
    assert_eq!(value("runner.os").as_deref(), Some("value"));
    assert_eq!(value("steps.image.outputs.v").as_deref(), Some("value"));
    assert_eq!(value("hashFiles('x')"), None);
    assert_eq!(
        value("steps.system.outputs.v"),
        None,
        "it is this machine's"
    );
    let tools = |expression| -> Vec<String> {
        let tools = judged(expression).1.map(|hosted| hosted.tools);
        let tool = |tool: HostedTool| format!("{} {}", tool.command, tool.versions.join(", "));
        tools.unwrap_or_default().into_iter().map(tool).collect()
    };
    assert_eq!(tools("steps.rust.outputs.v"), ["rustc 1.97.1"]);
    assert_eq!(tools("steps.system.outputs.v"), ["os-release 24.04.4 LTS"]);
    assert!(tools("env.CORES").is_empty());
}
