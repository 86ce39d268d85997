//! Expressions by their grammar, and some that are nearly such.

use crate::random::Random;

/// What the expressions may use. Names are no numbers where they are not the first: JavaScript
/// would put those first.
pub(crate) const CONTEXTS: &str = r#"{
  "github": {"ref": "refs/heads/main", "run_number": 7, "event": {"Draft": false, "labels": ["bug", "Bug", 1, null]},
    "big": 1e21, "long": 0.12345678901234567, "small": 0.0000015, "empty": ""},
  "matrix": {"1": "one", "os": ["linux", "Windows"], "node": [18, 20.5, "22"], "nested": [{"a": 1, "B": "x"}, {"a": {"b": [1, 2]}}, [3, {"a": 4}], 5, "a"],
    "straße": "groß", "ıİ": "ς", "nothing": null, "empty": [], "object": {}},
  "env": {"PATH": "/bin", "N": "0x1F", "Octal": "0o17", "yes": "true", "space": "  12  ", "quote": "it's"},
  "needs": [{"result": "success", "outputs": {"x": "1"}}, {"result": "failure", "outputs": {}}, {"outputs": {"X": [true, false]}}],
  "text": "Hello, World", "number": -1.5, "truth": true, "nil": null
}"#;

const NAMES: [&str; 9] = [
    "github", "matrix", "env", "needs", "text", "number", "truth", "nil", "GitHub",
];
const PROPERTIES: [&str; 26] = [
    "ref",
    "run_number",
    "event",
    "draft",
    "labels",
    "big",
    "long",
    "small",
    "empty",
    "os",
    "node",
    "nested",
    "a",
    "b",
    "nothing",
    "object",
    "path",
    "N",
    "octal",
    "yes",
    "space",
    "quote",
    "result",
    "outputs",
    "x",
    "no-such_1",
];
const NUMBERS: [&str; 32] = [
    "0",
    "1",
    "2",
    "-1",
    "+3",
    "0.5",
    ".5",
    "-.25",
    "1.",
    "1e3",
    "1E-7",
    "2.5e+10",
    "0x1F",
    "0xffffffff",
    "0o17",
    "-0",
    "1e15",
    "123456789012345678",
    "0.1",
    "0.30000000000000004",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "1.0000000000000001",
    "1e21",
    "0xg",
    "1.2.3",
    "0X1",
    "0b1",
    "00012",
];
const TEXTS: [&str; 56] = [
    "",
    "a",
    "A",
    "abc",
    "it''s",
    "a''b''c''d",
    "0",
    "1",
    " 1 ",
    "-1.5",
    "0x1F",
    "0xFFFFFFFF",
    "0x1ffffffff",
    "-0x1",
    "0o17",
    "0o8",
    "0b11",
    "1e3",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "infinity",
    "+Infinity",
    "true",
    "false",
    "null",
    "ß",
    "SS",
    "straße",
    "ς",
    "Σ",
    "ı",
    "I",
    "İ",
    "ﬁ",
    "𝒜",
    "ſ",
    "K",
    "[1,2]",
    "{\"a\":{\"b\":1}}",
    "[{\"a\":1},{\"A\":2}]",
    "{\"a\":1,\"A\":2}",
    "[1.5e300,-0,\"x\\u0041\"]",
    "{0}",
    "{1}-{0}",
    "{{0}}",
    "{0}}}",
    "{0:x}",
    "{",
    "}",
    "{{{0}",
    "linux",
    "\u{2028}\t",
    "[,]",
    "{0 }",
];
const BINARY: [&str; 10] = ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "&&", "||"];
const TOKENS: [&str; 30] = [
    "(", ")", "[", "]", ",", ".", "*", "!", "==", "&&", "||", "<", "=", "&", "|", "'", "1", "-",
    "a", "github", "format(", "true", "@", "{", "}", "$", "é", "\"", "%", "#",
];

/// A source of expressions.
pub(crate) struct Grammar<'a> {
    random: &'a mut Random,
}

impl<'a> Grammar<'a> {
    pub(crate) fn new(random: &'a mut Random) -> Self {
        Self { random }
    }

    /// An expression; one of ten has been damaged.
    pub(crate) fn expression(&mut self) -> String {
        let levels = 1 + self.random.below(4);
        let text = self.operand(levels);
        match self.random.chance(10) {
            true => self.damaged(&text),
            false => text,
        }
    }

    /// The text with a token put in, or a character taken away.
    fn damaged(&mut self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let at = self.random.below(characters.len() + 1);
        let token = match self.random.chance(60) {
            true => self.random.pick(&TOKENS),
            false => "",
        };
        let skipped = usize::from(self.random.chance(50));
        let (before, after) = characters.split_at(at);
        let after = after.iter().skip(skipped);
        before
            .iter()
            .copied()
            .chain(token.chars())
            .chain(after.copied())
            .collect()
    }

    fn operand(&mut self, levels: usize) -> String {
        if levels == 0 {
            return self.primary();
        }
        match self.random.below(10) {
            0 => format!("!{}", self.operand(levels - 1)),
            1 => format!("({})", self.operand(levels - 1)),
            2..5 => self.binary(levels - 1),
            5..8 => self.call(levels - 1),
            _ => self.path(levels - 1),
        }
    }

    fn binary(&mut self, levels: usize) -> String {
        let (left, right) = (self.operand(levels), self.operand(levels));
        let operator = self.random.pick(&BINARY);
        match self.random.chance(30) {
            true => format!("{left}{operator}{right}"),
            false => format!("{left} {operator}\t{right}"),
        }
    }

    fn call(&mut self, levels: usize) -> String {
        let (name, fewest, most) = [
            ("contains", 2, 2),
            ("startsWith", 2, 2),
            ("endsWith", 2, 2),
            ("format", 1, 4),
            ("join", 1, 2),
            ("toJSON", 1, 1),
            ("fromJSON", 1, 1),
            ("case", 3, 5),
            ("CASE", 3, 3),
            ("ToJson", 1, 1),
            ("nosuch", 0, 1),
            ("always", 0, 0),
        ][self.random.below(if self.random.clone().chance(5) {
            12
        } else {
            10
        })];
        let mut count = fewest + self.random.below(most - fewest + 1);
        if self.random.chance(4) {
            count = self.random.below(6);
        }
        if name.eq_ignore_ascii_case("fromJSON") && self.random.chance(70) {
            return format!("{name}({})", self.json());
        }
        let arguments: Vec<String> = (0..count)
            .map(|index| match (name, index % 2) {
                // Nothing but a Boolean is taken.
                ("case" | "CASE", 0) if index + 1 < count && self.random.chance(85) => {
                    self.truth(levels)
                }
                _ => self.operand(levels.min(2)),
            })
            .collect();
        format!("{name}({})", arguments.join(", "))
    }

    fn truth(&mut self, levels: usize) -> String {
        match self.random.below(4) {
            0 => "true".to_owned(),
            1 => "false".to_owned(),
            2 => format!("!{}", self.operand(levels.min(1))),
            _ => format!("({} == {})", self.primary(), self.primary()),
        }
    }

    fn json(&mut self) -> String {
        let texts: [&str; 12] = [
            "'[1, \"b\", null, true, {\"a\": [1]}]'",
            "'{\"a\": {\"b\": 1}, \"B\": [2, 3]}'",
            "'[{\"a\":1},{\"a\":\"x\"},{\"A\":null}]'",
            "'{\"a\":1,\"A\":2}'",
            "'\"text\"'",
            "'1e15'",
            "' [] '",
            "'{}'",
            "'{'",
            "'[1,'",
            "'NaN'",
            "toJSON(matrix)",
        ];
        self.random.pick(&texts).to_owned()
    }

    fn path(&mut self, levels: usize) -> String {
        let mut path = match self.random.below(5) {
            0 => format!("({})", self.operand(levels.min(1))),
            1 => format!("fromJSON({})", self.json()),
            _ => self.random.pick(&NAMES).to_owned(),
        };
        for _ in 0..=self.random.below(4) {
            let step = match self.random.below(10) {
                0..5 => format!(".{}", self.random.pick(&PROPERTIES)),
                5 => ".*".to_owned(),
                6 => "[*]".to_owned(),
                7 => format!("[{}]", self.random.below(4)),
                8 => format!("['{}']", self.random.pick(&PROPERTIES)),
                _ => format!("[{}]", self.operand(levels.min(1))),
            };
            path.push_str(&step);
        }
        path
    }

    fn primary(&mut self) -> String {
        match self.random.below(10) {
            0..3 => format!("'{}'", self.random.pick(&TEXTS)),
            3..5 => self
                .random
                .pick(
                    &NUMBERS[..if self.random.clone().chance(90) {
                        27
                    } else {
                        32
                    }],
                )
                .to_owned(),
            5 => self.random.pick(&["true", "false", "null"]).to_owned(),
            _ => self.path(0),
        }
    }
}
