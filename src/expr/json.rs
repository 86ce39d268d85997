//! `toJSON` and `fromJSON`: JSON as Newtonsoft, the runner's library, writes and reads it.
//!
//! Its reader takes more than JSON: comments, single quotes, bare names, trailing commas,
//! hexadecimal and octal numbers, `NaN`; and it stops after the first value, whatever follows.

use std::fmt::Write as _;

use super::error::InvalidJson;
use super::number;
use super::object::Object;
use super::value::Value;

/// Levels Newtonsoft reads.
const MAX_DEPTH: usize = 64;
/// Levels of what a user gives as facts, which no reader of GitHub's reads: the usual limit.
const MAX_DEPTH_OF_FACTS: usize = 128;

/// Writes a value: two spaces a level, `\n` between lines.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, 0);
    text
}

fn write_value(text: &mut String, value: &Value, level: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_text()),
        Value::String(string) => write_string(text, string),
        Value::Array(elements) => {
            let write_element = |text: &mut String, element| write_value(text, element, level + 1);
            write_members(text, ['[', ']'], level, elements.iter(), write_element);
        }
        Value::Object(object) => {
            let write_member = |text: &mut String, (name, value): (&str, &Value)| {
                write_string(text, name);
                text.push_str(": ");
                write_value(text, value, level + 1);
            };
            write_members(text, ['{', '}'], level, object.iter(), write_member);
        }
    }
}

fn write_members<T>(
    text: &mut String,
    [open, close]: [char; 2],
    level: usize,
    members: impl ExactSizeIterator<Item = T>,
    write_member: impl Fn(&mut String, T),
) {
    text.push(open);
    let empty = members.len() == 0;
    for (index, member) in members.enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(level + 1));
        write_member(text, member);
    }
    if !empty {
        text.push('\n');
        text.push_str(&"  ".repeat(level));
    }
    text.push(close);
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}

/// Reads the first value of a text.
pub(super) fn read(text: &str) -> Result<Value, InvalidJson> {
    Reader::new(text, MAX_DEPTH).first()
}

/// Reads a text that is one value and nothing more.
pub(super) fn read_all(text: &str) -> Result<Value, InvalidJson> {
    let mut reader = Reader::new(text, MAX_DEPTH_OF_FACTS);
    let value = reader.first()?;
    reader.skip_space()?;
    match reader.peek() {
        None => Ok(value),
        Some(next) => Err(reader.error(format!(
            "Additional text encountered after finished reading JSON content: {next}"
        ))),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    max_depth: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, max_depth: usize) -> Self {
        Self {
            text,
            at: 0,
            max_depth,
        }
    }

    fn first(&mut self) -> Result<Value, InvalidJson> {
        self.skip_space()?;
        if self.peek().is_none() {
            return Err(self.error("Error reading JToken from JsonReader"));
        }
        self.value(0)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// The longest run of characters that satisfy `test`.
    fn run(&mut self, test: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .find(|character| !test(character))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn error(&self, what: impl Into<String>) -> InvalidJson {
        let before = &self.text[..self.at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        InvalidJson {
            what: what.into(),
            line: usize::from(!before.is_empty()) + before.matches('\n').count(),
            position: before[line_start..].encode_utf16().count(),
        }
    }

    fn unexpected(&self, doing: &str) -> InvalidJson {
        match self.peek() {
            Some(character) => self.error(format!(
                "Unexpected character encountered while {doing}: {character}"
            )),
            None => self.error(format!("Unexpected end when {doing}")),
        }
    }

    /// Passes white space and comments.
    fn skip_space(&mut self) -> Result<(), InvalidJson> {
        loop {
            self.run(char::is_whitespace);
            if self.eat("//") {
                self.run(|character| character != '\n' && character != '\r');
            } else if self.eat("/*") {
                let length = self
                    .rest()
                    .find("*/")
                    .ok_or_else(|| self.error("Unexpected end while parsing comment"))?;
                self.at += length + "*/".len();
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, InvalidJson> {
        const WORDS: [(&str, Value); 7] = [
            ("null", Value::Null),
            ("undefined", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Number(f64::NAN)),
            ("Infinity", Value::Number(f64::INFINITY)),
            ("-Infinity", Value::Number(f64::NEG_INFINITY)),
        ];
        if let Some((_, value)) = WORDS.iter().find(|(word, _)| self.eat(word)) {
            return match self.peek() {
                Some(next) if is_bare(next) => Err(self.unexpected("parsing value")),
                _ => Ok(value.clone()),
            };
        }
        match self.peek() {
            Some('"' | '\'') => Ok(self.string()?.into()),
            Some('[' | '{') if depth == self.max_depth => Err(self.error(format!(
                "The reader's MaxDepth of {} has been exceeded",
                self.max_depth
            ))),
            Some('[') => self.array(depth + 1),
            Some('{') => self.object(depth + 1),
            Some('-' | '.' | '0'..='9') => self.number(),
            _ => Err(self.unexpected("parsing value")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, InvalidJson> {
        let mut elements = Vec::new();
        self.eat("[");
        self.skip_space()?;
        while !self.eat("]") {
            elements.push(self.value(depth)?);
            self.separator("]")?;
        }
        Ok(elements.into())
    }

    fn object(&mut self, depth: usize) -> Result<Value, InvalidJson> {
        let mut object = Object::default();
        self.eat("{");
        self.skip_space()?;
        while !self.eat("}") {
            let name = self.name()?;
            self.skip_space()?;
            if !self.eat(":") {
                return Err(self.unexpected("parsing property name. Expected ':'"));
            }
            self.skip_space()?;
            object.insert(name, self.value(depth)?);
            self.separator("}")?;
        }
        Ok(object.into())
    }

    /// The comma after a member; there may be one after the last too.
    fn separator(&mut self, close: &str) -> Result<(), InvalidJson> {
        self.skip_space()?;
        if self.eat(",") {
            return self.skip_space();
        }
        if !self.rest().starts_with(close) {
            return Err(self.unexpected("parsing value"));
        }
        Ok(())
    }

    fn name(&mut self) -> Result<String, InvalidJson> {
        if let Some('"' | '\'') = self.peek() {
            return self.string();
        }
        match self.run(is_bare) {
            "" => Err(self.unexpected("parsing property name")),
            name => Ok(name.to_owned()),
        }
    }

    fn number(&mut self) -> Result<Value, InvalidJson> {
        let start = self.at;
        let text = self.run(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '+' | '.')
        });
        let number = match text.strip_prefix('0') {
            Some(octal) if !octal.is_empty() && octal.bytes().all(|b| b.is_ascii_digit()) => {
                i64::from_str_radix(octal, 8).map_or(f64::NAN, |number| number as f64)
            }
            _ => number::parse(text),
        };
        if number.is_nan() {
            self.at = start;
            return Err(self.error(format!("Input string '{text}' is not a valid number")));
        }
        Ok(number.into())
    }

    fn string(&mut self) -> Result<String, InvalidJson> {
        let quote = if self.eat("'") { '\'' } else { '"' };
        if quote == '"' {
            self.eat("\"");
        }
        let mut units = Vec::new();
        loop {
            let plain = self.run(|character| character != quote && character != '\\');
            units.extend(plain.encode_utf16());
            match self.peek() {
                Some('\\') => units.push(self.escape()?),
                Some(_) => break,
                None => {
                    return Err(
                        self.error(format!("Unterminated string. Expected delimiter: {quote}"))
                    );
                }
            }
        }
        self.at += quote.len_utf8();
        // Half a surrogate pair cannot be kept in UTF-8.
        Ok(String::from_utf16_lossy(&units))
    }

    fn escape(&mut self) -> Result<u16, InvalidJson> {
        self.eat("\\");
        let Some(escaped) = self.peek() else {
            return Err(self.error("Unterminated string. Expected delimiter: \""));
        };
        self.at += escaped.len_utf8();
        let character = match escaped {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            '\\' | '"' | '\'' | '/' => escaped,
            'u' => {
                let digits = self.rest().get(..4).unwrap_or_default();
                // Rust would take a sign too.
                let unsigned = digits.trim_start_matches('+');
                let unit = u16::from_str_radix(unsigned, 16)
                    .ok()
                    .filter(|_| unsigned.len() == 4)
                    .ok_or_else(|| self.error("Invalid Unicode escape sequence"))?;
                self.at += 4;
                return Ok(unit);
            }
            _ => {
                return Err(self.error(format!("Bad JSON escape sequence: \\{escaped}")));
            }
        };
        Ok(character as u16)
    }
}

/// Characters of a name without quotes.
fn is_bare(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_as_lenient_as_newtonsoft() {
        let value = read("/* c */ {a: 'it\\'s', \"b\": [0x10, 010, .5, NaN,], } trailing")
            .expect("it is read");
        let expected =
            "{\n  \"a\": \"it's\",\n  \"b\": [\n    16,\n    8,\n    0.5,\n    NaN\n  ]\n}";
        assert_eq!(write(&value), expected);
        assert_eq!(read(r#""\ud83d\ude0a""#), Ok("😊".into()));
    }

    #[test]
    fn broken_texts_are_refused_with_their_place() {
        let message = |text: &str| read(text).expect_err(text).to_string();
        assert_eq!(
            message(""),
            "Error reading JToken from JsonReader. Path '', line 0, position 0."
        );
        assert_eq!(
            message("[1\n 2]"),
            "Unexpected character encountered while parsing value: 2. Path '', line 2, position 1."
        );
        for text in [
            "{",
            "[1",
            "'x",
            "nullx",
            "\"\\q\"",
            "'\\u+123'",
            "{\"a\" 1}",
            "-",
            &"[".repeat(65),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
