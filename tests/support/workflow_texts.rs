//! Workflows made up from GitHub's schema and from known ones: right, nearly right and wrong.

use std::fs;

use serde_json::Value;

use crate::random::Random;

const SCHEMA: &str = include_str!("../../src/workflow/schema/workflow-v1.0.json");

/// YAML before it has a form.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// A scalar as it is written, on one line.
    Scalar(String),
    /// The lines below a header such as `|-`.
    Block(&'static str, Vec<String>),
    Sequence(Vec<Tree>),
    Mapping(Vec<(String, Tree)>),
}

fn scalar(text: impl Into<String>) -> Tree {
    Tree::Scalar(text.into())
}

fn mapping(pairs: &[(&str, Tree)]) -> Tree {
    let pairs = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()));
    Tree::Mapping(pairs.collect())
}

const SCALARS: &[&str] = &[
    "",
    "~",
    "null",
    "true",
    "False",
    "1",
    "-0",
    "1.50",
    "1e3",
    "0x1F",
    "0o17",
    "017",
    ".inf",
    ".nan",
    "1_000",
    "yes",
    "text",
    "'quoted'",
    "\"double\"",
    "''",
    "'1'",
    "'true'",
    "'null'",
    "!!str 5",
    "!!int 5",
    "!!bool true",
    "!!null ~",
    "!!float 1",
    "!!str",
    "&anchor text",
    "'${{ github.ref }}'",
    "'${{ matrix.x }}'",
    "'${{ secrets.X }}'",
    "'${{ steps.a.outputs.b }}'",
    "'${{ env.X }}'",
    "'${{ nothing.x }}'",
    "'${{ needs.a.result }}'",
    "'a ${{ github.ref }} b ${{ vars.X }}'",
    "'${{ }}'",
    "'${{ github.'",
    "'${{ hashFiles(''a'') }}'",
    "'${{ success() }}'",
    "'${{ failure(''a'') }}'",
    "'${{ insert }}'",
    "'x ${{ insert }}'",
    "'${{ ''text'' }}'",
    "'${{ ''it''''s'' }}'",
    "'${{ true }}'",
    "'${{ fromJSON(''[]'') }}'",
    "'${{ inputs.x && github.y || 5 }}'",
    "'${{ 1 +  }}'",
    "'${{ inserted }}'",
    "'${{ insert x }}'",
    "'${{ github.ref }} '",
    "' ${{ github.ref }}'",
    "'}} ${{'",
    "'x }} y'",
    "' padded '",
    "read",
    "write-all",
    "push",
    "'* * * * *'",
    "2001-12-14",
    "'0'",
    "+5",
    "5.",
    "1e400",
    "0x1FFFFFFFF",
    "0o777777777777",
    "99999999999999999999",
    "0.1",
    "1e21",
    "123456789012345678",
    "1.0",
    "-.inf",
    "Null",
    "tRue",
    "<<",
];

/// Values that are right in some places and wrong in most.
pub(crate) fn probes() -> Vec<Tree> {
    let mut probes: Vec<Tree> = SCALARS.iter().copied().map(scalar).collect();
    probes.extend([
        Tree::Sequence(Vec::new()),
        Tree::Sequence(vec![scalar("text")]),
        Tree::Sequence(vec![scalar("text"), scalar(""), scalar("5")]),
        Tree::Sequence(vec![scalar("'${{ github.ref }}'")]),
        Tree::Sequence(vec![scalar("'${{ insert }}'")]),
        Tree::Sequence(vec![Tree::Sequence(vec![scalar("1")])]),
        Tree::Sequence(vec![mapping(&[("a", scalar("1"))])]),
        Tree::Sequence(vec![Tree::Mapping(Vec::new())]),
        Tree::Mapping(Vec::new()),
        mapping(&[("a", scalar("b"))]),
        mapping(&[("a", scalar(""))]),
        mapping(&[("a", scalar("1")), ("A", scalar("2"))]),
        mapping(&[("5", scalar("1")), ("5.0", scalar("2"))]),
        mapping(&[
            ("true", scalar("1")),
            ("''", scalar("2")),
            ("~", scalar("3")),
        ]),
        mapping(&[("''", scalar("1")), ("\"\"", scalar("2"))]),
        mapping(&[("a", Tree::Sequence(vec![scalar("1"), scalar("2")]))]),
        mapping(&[("a", mapping(&[("b", scalar("c"))]))]),
        mapping(&[("'${{ insert }}'", scalar("'${{ fromJSON(inputs.x) }}'"))]),
        mapping(&[("'${{ insert }}'", mapping(&[("a", scalar("b"))]))]),
        mapping(&[("'${{ github.ref }}'", scalar("x"))]),
        mapping(&[
            ("'x${{ github.ref }}'", scalar("x")),
            ("'${{ nothing }}'", scalar("x")),
        ]),
        mapping(&[("<<", mapping(&[("a", scalar("b"))]))]),
        Tree::Block(
            "|",
            vec![
                "one".into(),
                "${{ github.ref }}".into(),
                "three ${{ nothing.x }}".into(),
            ],
        ),
        Tree::Block(">-", vec!["one".into(), String::new(), "two".into()]),
        Tree::Block("|+", vec!["5".into()]),
        Tree::Block("|-", vec!["${{ github.ref }}".into()]),
        Tree::Block("|", vec!["${{ github.ref }}".into()]),
        Tree::Block(">", vec!["success()".into()]),
    ]);
    probes
}

/// What the schema says of workflows.
pub(crate) struct Grammar {
    definitions: Value,
}

/// How to come from a value into one of its parts.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// The key of a mapping of this definition.
    Key(String, String),
    Item,
}

impl Grammar {
    pub(crate) fn new() -> Self {
        let mut schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let mut definitions = schema["definitions"].take();
        let built_in = serde_json::json!({
            "null": {"null": {}}, "boolean": {"boolean": {}}, "number": {"number": {}}, "string": {"string": {}},
            "sequence": {"sequence": {"item-type": "any"}},
            "mapping": {"mapping": {"loose-key-type": "string", "loose-value-type": "any"}},
            "any": {"one-of": ["null", "boolean", "number", "string", "sequence", "mapping"]},
        });
        for (name, definition) in built_in.as_object().expect("an object") {
            definitions[name] = definition.clone();
        }
        Self { definitions }
    }

    fn names(list: &Value) -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The definition of a property's value.
    fn type_of(property: &Value) -> String {
        property
            .as_str()
            .or(property["type"].as_str())
            .expect("a property has a type")
            .to_owned()
    }

    /// The way to each definition that can be reached from the root.
    pub(crate) fn places(&self) -> Vec<Vec<Way>> {
        let mut found = vec![("workflow-root-strict".to_owned(), Vec::new())];
        let mut next = 0;
        while let Some((name, ways)) = found.get(next).cloned() {
            next += 1;
            for (way, child) in self.children(&name) {
                if !found.iter().any(|(name, _)| *name == child) {
                    let ways = ways.iter().cloned().chain(way).collect();
                    found.push((child, ways));
                }
            }
        }
        found.into_iter().map(|(_, ways)| ways).collect()
    }

    /// The least workflow that has this value at the end of a way.
    pub(crate) fn fill(&self, ways: &[Way], value: Tree) -> Tree {
        match ways {
            [] => value,
            [Way::Item, rest @ ..] => Tree::Sequence(vec![self.fill(rest, value)]),
            [Way::Key(name, key), rest @ ..] => {
                let mut pairs = self.required(name, key);
                let at = pairs.len().min(1);
                pairs.insert(at, (key.clone(), self.fill(rest, value)));
                Tree::Mapping(pairs)
            }
        }
    }

    /// A workflow, right in most cases.
    pub(crate) fn workflow(&self, random: &mut Random) -> Tree {
        self.value("workflow-root-strict", 0, random)
    }

    fn children(&self, name: &str) -> Vec<(Option<Way>, String)> {
        let definition = &self.definitions[name];
        let mut children: Vec<(Option<Way>, String)> = Self::names(&definition["one-of"])
            .into_iter()
            .map(|child| (None, child))
            .collect();
        if let Some(item) = definition["sequence"]["item-type"].as_str() {
            children.push((Some(Way::Item), item.to_owned()));
        }
        let rule = &definition["mapping"];
        for (key, property) in rule["properties"].as_object().into_iter().flatten() {
            children.push((
                Some(Way::Key(name.to_owned(), key.clone())),
                Self::type_of(property),
            ));
        }
        if let Some(value) = rule["loose-value-type"].as_str() {
            children.push((
                Some(Way::Key(name.to_owned(), "k".to_owned())),
                value.to_owned(),
            ));
        }
        children
    }

    fn required(&self, name: &str, except: &str) -> Vec<(String, Tree)> {
        let properties = self.definitions[name]["mapping"]["properties"].as_object();
        let required = properties
            .into_iter()
            .flatten()
            .filter(|(key, property)| *key != except && property["required"] == true);
        required
            .map(|(key, property)| (key.clone(), self.least(&Self::type_of(property))))
            .collect()
    }

    /// The simplest value of a definition.
    fn least(&self, name: &str) -> Tree {
        match name {
            "on-strict" => return scalar("push"),
            "jobs" => return mapping(&[("j", mapping(&[("runs-on", scalar("x"))]))]),
            "cron-pattern" => return scalar("'0 0 * * *'"),
            "workflow-call-input-type" => return scalar("string"),
            "step-uses" => return scalar("a/b@c"),
            _ => {}
        }
        let definition = &self.definitions[name];
        if let Some(first) = Self::names(&definition["one-of"]).first() {
            return self.least(first);
        }
        if let Some(first) = Self::names(&definition["allowed-values"]).first() {
            return scalar(first.clone());
        }
        if let Some(constant) = definition["string"]["constant"].as_str() {
            return scalar(constant);
        }
        match definition {
            _ if definition["sequence"].is_object() => Tree::Sequence(Vec::new()),
            _ if definition["mapping"].is_object() => Tree::Mapping(self.required(name, "")),
            _ if definition["boolean"].is_object() => scalar("true"),
            _ if definition["number"].is_object() => scalar("1"),
            _ if definition["null"].is_object() => scalar(""),
            _ => scalar("x"),
        }
    }

    /// A value of a definition, right in most cases.
    fn value(&self, name: &str, depth: usize, random: &mut Random) -> Tree {
        if let Some(tree) = self.known(name, random) {
            return tree;
        }
        let definition = &self.definitions[name];
        if self.takes_expressions(name) && random.chance(15) {
            return scalar(random.pick(EXPRESSIONS));
        }
        let choices = Self::names(&definition["one-of"]);
        if !choices.is_empty() {
            let choice = choices[random.below(choices.len())].clone();
            return self.value(&choice, depth, random);
        }
        let values = Self::names(&definition["allowed-values"]);
        if !values.is_empty() {
            return scalar(values[random.below(values.len())].clone());
        }
        if let Some(constant) = definition["string"]["constant"].as_str() {
            return scalar(constant);
        }
        if let Some(item) = definition["sequence"]["item-type"].as_str() {
            let count = if depth > 12 { 0 } else { random.below(4) };
            return Tree::Sequence(
                (0..count)
                    .map(|_| self.value(item, depth + 1, random))
                    .collect(),
            );
        }
        if definition["mapping"].is_object() {
            return self.mapping(name, depth, random);
        }
        match definition {
            _ if definition["boolean"].is_object() => {
                scalar(random.pick(&["true", "false", "True", "!!bool FALSE"]))
            }
            _ if definition["number"].is_object() => {
                scalar(random.pick(&["1", "0", "30", "1.5", "0x10", "1e2", "-1", "0o7", "007"]))
            }
            _ if definition["null"].is_object() => scalar(random.pick(&["", "~", "null"])),
            _ => self.text(random),
        }
    }

    fn takes_expressions(&self, name: &str) -> bool {
        self.definitions[name]["context"].is_array()
    }

    fn text(&self, random: &mut Random) -> Tree {
        if random.chance(10) {
            let lines: Vec<String> = (0..1 + random.below(3))
                .map(|_| {
                    random
                        .pick(&["echo a", "", "  x: y", "${{ github.sha }}", "é # no"])
                        .to_owned()
                })
                .collect();
            return Tree::Block(random.pick(&["|", "|-", ">", ">-", "|+", ">+"]), lines);
        }
        scalar(random.pick(&[
            "x",
            "some text",
            "'single'",
            "\"double\"",
            "5",
            "true",
            "1.50",
            "é",
            "a: b\u{0}",
            "'a: b'",
            "'it''s'",
            "\"\\u00e9\"",
            "x#y",
            "~x",
            "0x10",
            "/",
            "'*'",
            "ubuntu-latest",
            "'${{ ''x'' }}'",
            "!!str 5",
            "\"a\\nb\"",
        ]))
    }

    fn known(&self, name: &str, random: &mut Random) -> Option<Tree> {
        let choices: &[&str] = match name {
            "needs" => &["a", "b", "[a]", "[a, b]", "B", "[b, none]"],
            "step-uses" => &[
                "a/b@c",
                "./x",
                "docker://alpine:3",
                "$/x",
                "a/b/c@d",
                "actions/checkout@v4",
            ],
            "step-id" => &["one", "two", "three", "One", "a-b", "_x"],
            "step-wait-target" => &["one", "two", "[one, two]", "three"],
            "step-cancel-target" => &["one", "two"],
            "cron-pattern" => &["'0 0 * * *'", "'*/5 1-3 * JAN mon'", "'0 0 1,2 * *'"],
            "job-if" | "step-if" | "snapshot-if" => &[
                "true",
                "success()",
                "github.ref == 'x'",
                "${{ failure() }}",
                "'!cancelled()'",
                "always() && true",
                "''",
                "github.x",
                "${{ github.a }} && b",
            ],
            "job-id" => &["a", "b", "c"],
            _ => return None,
        };
        Some(scalar(random.pick(choices)))
    }

    fn mapping(&self, name: &str, depth: usize, random: &mut Random) -> Tree {
        let rule = &self.definitions[name]["mapping"];
        let mut pairs = Vec::new();
        let often = if depth < 3 { 25 } else { 35 };
        for (key, property) in rule["properties"].as_object().into_iter().flatten() {
            if property["required"] == true
                || (depth < 14 && random.chance(often) && name != "on-mapping-strict")
                || (name == "on-mapping-strict" && random.chance(6))
                || (name == "job-factory" && key == "steps" && random.chance(70))
            {
                if name == "workflow-job" && key == "uses" {
                    let uses = [
                        "./.github/workflows/x.yml",
                        "a/b/.github/workflows/x.yml@v1",
                        "$/.github/workflows/x.yml",
                    ];
                    pairs.push((key.clone(), scalar(random.pick(&uses))));
                    continue;
                }
                pairs.push((
                    key.clone(),
                    self.value(&Self::type_of(property), depth + 1, random),
                ));
            }
        }
        if let Some(value) = rule["loose-value-type"].as_str() {
            let keys: &[&str] = if name == "jobs" {
                &["a", "b", "c"]
            } else {
                &["a", "b", "c d", "5", "true", "'${{ insert }}'", "X_Y"]
            };
            let count = 1 + random.below(3);
            for key in keys.iter().take(count) {
                pairs.push(((*key).to_owned(), self.value(value, depth + 1, random)));
            }
        }
        for at in (1..pairs.len()).rev() {
            pairs.swap(at, random.below(at + 1));
        }
        Tree::Mapping(pairs)
    }
}

const EXPRESSIONS: &[&str] = &[
    "${{ github.ref }}",
    "${{ inputs.x }}",
    "'${{ vars.A }}'",
    "x-${{ github.sha }}",
    "\"${{ github.a }}-${{ inputs.b }}\"",
    "${{ matrix.os }}",
    "${{ needs.a.outputs.b }}",
    "${{ env.X }}",
    "${{ secrets.A }}",
    "${{ steps.one.outputs.x }}",
    "${{ runner.os }}",
    "${{ fromJSON('[1]') }}",
    "${{ hashFiles('x') }}",
    "${{ github.x == 'y' && 1 || 2 }}",
    "${{ case(true, 1, 2) }}",
    "${{ strategy.job-index }}",
    "${{ 'text' }}",
    "${{ toJSON(github) }}",
];

/// The workflows of the conformance suites, but the very long ones.
pub(crate) fn known() -> Vec<String> {
    let mut texts = Vec::new();
    for (folder, has_parts) in [("reader", true), ("rules/workflows", false)] {
        let entries = fs::read_dir(format!("tests/conformance/{folder}")).expect("a suite");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(path).expect("a text");
            let workflow = match has_parts {
                true => format!("{}\n", text.split("\n---\n").nth(1).expect("a workflow")),
                false => text,
            };
            texts.push(workflow);
        }
    }
    texts.retain(|text| text.len() < 20_000);
    texts
}

/// Changes one thing of a tree.
pub(crate) fn change(tree: &mut Tree, probes: &[Tree], random: &mut Random) {
    let nodes = count(tree);
    let at = random.below(nodes);
    change_at(tree, at, &mut 0, probes, random);
}

fn count(tree: &Tree) -> usize {
    1 + match tree {
        Tree::Sequence(items) => items.iter().map(count).sum::<usize>(),
        Tree::Mapping(pairs) => pairs.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

fn change_at(tree: &mut Tree, wanted: usize, at: &mut usize, probes: &[Tree], random: &mut Random) {
    if *at == wanted {
        *at += 1;
        change_here(tree, probes, random);
        return;
    }
    *at += 1;
    match tree {
        Tree::Sequence(items) => items
            .iter_mut()
            .for_each(|item| change_at(item, wanted, at, probes, random)),
        Tree::Mapping(pairs) => pairs
            .iter_mut()
            .for_each(|(_, value)| change_at(value, wanted, at, probes, random)),
        _ => {}
    }
}

fn change_here(tree: &mut Tree, probes: &[Tree], random: &mut Random) {
    match tree {
        Tree::Mapping(pairs) if !pairs.is_empty() && random.chance(70) => {
            let index = random.below(pairs.len());
            match random.below(7) {
                0 => drop(pairs.remove(index)),
                1 => {
                    let pair = pairs[index].clone();
                    pairs.push(pair);
                }
                2 => {
                    let (key, value) = pairs[index].clone();
                    pairs.push((key.to_uppercase(), value));
                }
                3 => pairs[index].0 = pairs[index].0.to_uppercase(),
                4 => pairs[index].0 = (random.pick(KEYS)).to_owned(),
                5 => {
                    let value = probes[random.below(probes.len())].clone();
                    pairs.push(((random.pick(KEYS)).to_owned(), value));
                }
                _ => {
                    let other = random.below(pairs.len());
                    pairs[index].1 = pairs[other].1.clone();
                }
            }
        }
        Tree::Sequence(items) if !items.is_empty() && random.chance(50) => {
            let index = random.below(items.len());
            match random.below(3) {
                0 => drop(items.remove(index)),
                1 => {
                    let item = items[index].clone();
                    items.push(item);
                }
                _ => {
                    let item = probes[random.below(probes.len())].clone();
                    items.insert(index, item);
                }
            }
        }
        _ => *tree = probes[random.below(probes.len())].clone(),
    }
}

const KEYS: &[&str] = &[
    "on",
    "jobs",
    "name",
    "env",
    "if",
    "needs",
    "steps",
    "runs-on",
    "uses",
    "with",
    "run",
    "id",
    "strategy",
    "matrix",
    "include",
    "container",
    "services",
    "secrets",
    "outputs",
    "permissions",
    "concurrency",
    "group",
    "defaults",
    "shell",
    "wait",
    "wait-all",
    "cancel",
    "parallel",
    "background",
    "timeout-minutes",
    "continue-on-error",
    "environment",
    "snapshot",
    "'${{ insert }}'",
    "${{ github.x }}",
    "5",
    "true",
    "<<",
    "''",
    "'a b'",
    "? x\u{0}",
    "types",
    "branches",
    "inputs",
    "type",
    "default",
    "required",
    "options",
    "runs_on",
    "step",
    "push",
    "schedule",
];

/// Where a line begins, and how much further what belongs to it does.
#[derive(Clone, Copy)]
struct Indent {
    columns: usize,
    step: usize,
}

impl Indent {
    fn deeper(self, columns: usize) -> Self {
        let columns = self.columns + columns;
        Self { columns, ..self }
    }
}

/// Writes a tree in forms that are drawn.
pub(crate) fn write(tree: &Tree, random: &mut Random) -> String {
    let mut text = String::new();
    if random.chance(10) {
        text.push_str(random.pick(&[
            "# comment\n",
            "---\n",
            "\n\n",
            "%YAML 1.2\n---\n",
            "--- # x\n",
        ]));
    }
    let step = [2, 2, 2, 4, 1][random.below(5)];
    block(tree, Indent { columns: 0, step }, random, &mut text);
    text
}

fn has_block(tree: &Tree) -> bool {
    match tree {
        Tree::Block(..) => true,
        Tree::Scalar(text) => text.contains('\u{0}'),
        Tree::Sequence(items) => items.iter().any(has_block),
        Tree::Mapping(pairs) => pairs
            .iter()
            .any(|(key, value)| key.contains('\u{0}') || has_block(value)),
    }
}

fn line_end(random: &mut Random) -> &'static str {
    match random.below(40) {
        0 => " # comment\n",
        1 => "  \n",
        2 => "\n\n",
        3 => "\n# comment\n",
        _ => "\n",
    }
}

fn block(tree: &Tree, indent: Indent, random: &mut Random, text: &mut String) {
    let pad = " ".repeat(indent.columns);
    match tree {
        Tree::Mapping(pairs) if !pairs.is_empty() => {
            for (key, value) in pairs {
                text.push_str(&pad);
                pair(key, value, indent, random, text);
            }
        }
        Tree::Sequence(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&pad);
                text.push('-');
                item_of(item, indent, random, text);
            }
        }
        _ => {
            text.push_str(&pad);
            inline(tree, indent, random, text);
        }
    }
}

fn pair(key: &str, value: &Tree, indent: Indent, random: &mut Random, text: &mut String) {
    text.push_str(key.trim_end_matches('\u{0}'));
    text.push(':');
    let is_block = match value {
        Tree::Mapping(pairs) => !pairs.is_empty(),
        Tree::Sequence(items) => !items.is_empty(),
        _ => false,
    };
    if is_block && (has_block(value) || random.chance(85)) {
        text.push_str(line_end(random));
        let flat = matches!(value, Tree::Sequence(_)) && random.chance(30);
        block(
            value,
            if flat {
                indent
            } else {
                indent.deeper(indent.step)
            },
            random,
            text,
        );
    } else {
        if !matches!(value, Tree::Scalar(text) if text.is_empty()) {
            text.push(' ');
        }
        inline(value, indent, random, text);
    }
}

fn item_of(item: &Tree, indent: Indent, random: &mut Random, text: &mut String) {
    match item {
        Tree::Mapping(pairs) if !pairs.is_empty() && (has_block(item) || random.chance(85)) => {
            text.push(' ');
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    text.push_str(&" ".repeat(indent.columns + 2));
                }
                pair(key, value, indent.deeper(2), random, text);
            }
        }
        Tree::Sequence(items) if !items.is_empty() && has_block(item) => {
            text.push('\n');
            block(item, indent.deeper(2), random, text);
        }
        _ => {
            text.push(' ');
            inline(item, indent, random, text);
        }
    }
}

fn inline(tree: &Tree, indent: Indent, random: &mut Random, text: &mut String) {
    if let Tree::Block(header, lines) = tree {
        text.push_str(header);
        text.push_str(if random.chance(10) {
            " # comment\n"
        } else {
            "\n"
        });
        for line in lines {
            if !line.is_empty() {
                text.push_str(&" ".repeat(indent.columns + indent.step));
                text.push_str(line);
            }
            text.push('\n');
        }
        return;
    }
    if let Tree::Scalar(scalar) = tree {
        text.push_str(scalar.trim_end_matches('\u{0}'));
    } else {
        flow(tree, random, text);
    }
    text.push_str(line_end(random));
}

fn flow(tree: &Tree, random: &mut Random, text: &mut String) {
    match tree {
        Tree::Scalar(scalar) => text.push_str(&in_flow(scalar)),
        Tree::Block(..) => text.push_str("'block'"),
        Tree::Sequence(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(random.pick(&[", ", ", ", ",", " , "]));
                }
                flow(item, random, text);
            }
            text.push_str(random.pick(&["]", "]", " ]"]));
        }
        Tree::Mapping(pairs) => {
            text.push_str(random.pick(&["{", "{", "{ "]));
            for (index, (key, value)) in pairs.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                text.push_str(&in_flow(key));
                text.push_str(": ");
                flow(value, random, text);
            }
            text.push_str(random.pick(&["}", "}", " }"]));
        }
    }
}

/// Expressions and lists have brackets, which must be quoted between brackets.
fn in_flow(scalar: &str) -> String {
    let plain = !scalar.starts_with(['\'', '"', '[']);
    if plain && scalar.contains(['{', '[', ',', ']', '}']) {
        return format!("'{}'", scalar.replace('\'', "''"));
    }
    scalar.trim_end_matches('\u{0}').to_owned()
}

/// Changes the text of a file as a slip of the hand would.
pub(crate) fn slip(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = random.below(lines.len());
    match random.below(22) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => lines.swap(at, random.below(text.lines().count())),
        3 => lines.insert(at, random.pick(LINES).to_owned()),
        4 => return text.replace('\n', "\r\n"),
        5 => return format!("\u{feff}{}", text.trim_start_matches('\u{feff}')),
        6 => return text[..boundary(text, random)].to_owned(),
        7 => {
            for line in lines.iter_mut().skip(at).take(1 + random.below(5)) {
                line.insert_str(0, "  ");
            }
        }
        8..15 => lines[at] = slip_in(&lines[at], random),
        15 => lines[at] = other_form(&lines[at], random),
        _ => lines[at] = other_characters(&lines[at], random),
    }
    let end = if text.ends_with('\n') { "\n" } else { "" };
    lines.join("\n") + end
}

const LINES: &[&str] = &[
    "",
    "#",
    "---",
    "...",
    "\t",
    "- x",
    "x: y",
    "  x",
    "%TAG ! x",
    "? a",
    ": b",
    "[]",
    "  \t",
    "<<: {a: b}",
];

/// A place where a text can be cut.
fn boundary(text: &str, random: &mut Random) -> usize {
    let at = random.below(text.len() + 1);
    let mut before = (0..=at).rev();
    before.find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// White space, comments and properties of a line.
fn slip_in(line: &str, random: &mut Random) -> String {
    const BEHIND: &[&str] = &[
        " # comment",
        "# comment",
        " ",
        "\t",
        ":",
        " x",
        ",",
        "'",
        "\"",
        " &a",
        " *a",
        " !!str",
        "]",
        "}",
        " |",
        "\u{a0}",
    ];
    const COLONS: &[&str] = &[
        ":",
        ":\t",
        ": &a ",
        ": !!str ",
        ": *a ",
        ": &a !!str ",
        ": !x ",
        ": ! ",
        ": !!map ",
        ":  ",
    ];
    const DASHES: &[&str] = &["-", "-  ", "- &b ", "- - ", "-\t", "- !!seq "];
    match random.below(6) {
        0 => format!(" {line}"),
        1 => line.strip_prefix(' ').unwrap_or(line).to_owned(),
        2 => line.trim_start().to_owned(),
        3 => format!("{line}{}", random.pick(BEHIND)),
        4 => line.replacen("- ", random.pick(DASHES), 1),
        _ => line.replacen(": ", random.pick(COLONS), 1),
    }
}

/// A pair of the same meaning, or nearly.
fn other_form(line: &str, random: &mut Random) -> String {
    let pad = &line[..line.len() - line.trim_start().len()];
    let Some((key, value)) = line.trim_start().split_once(':') else {
        return line.to_owned();
    };
    match random.below(7) {
        0 => format!("{pad}? {key}\n{pad}:{value}"),
        1 => format!("{pad}'{key}':{value}"),
        2 => format!("{pad}\"{key}\" :{value}"),
        3 => format!("{pad}{key}:\n{pad}  {value}"),
        4 => format!("{pad}{key}: '{}'", value.trim_start()),
        5 => format!("{pad}{key}: \"{}\"", value.trim_start()),
        _ => format!("{pad}{key}: |\n{value}"),
    }
}

/// A character more or less.
fn other_characters(line: &str, random: &mut Random) -> String {
    const CHARACTERS: &[&str] = &[
        "'", "\"", ":", " ", "\t", "{", "}", "[", "]", "#", "&", "*", "!", "|", ">", "%", "@", "`",
        ",", "?", "-", "é", "\u{2028}", "\u{85}", "😀", "\u{7}", "\\", "${{", "}}", "\u{feff}",
    ];
    let (before, after) = line.split_at(boundary(line, random));
    if random.chance(50) {
        return format!("{before}{}{after}", random.pick(CHARACTERS));
    }
    let mut after = after.chars();
    after.next();
    format!("{before}{}", after.as_str())
}
