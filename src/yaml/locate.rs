//! From a place in a scalar's value back to the file: escapes, folding and indentation undone.

use crate::source::{Source, Span};

/// Where in the file the byte `offset` of a scalar's `value` was written; `span` is the scalar's node.
///
/// Value and source are walked side by side: what is in both is the same place, white space that is in one
/// only is indentation or folding. Exact for everything that is not white space.
pub fn locate(source: &Source, span: Span, value: &str, offset: usize) -> usize {
    let written = source.text.get(span.start..span.end).unwrap_or_default();
    let (style, mut rest) = text_of(written);
    for (at, wanted) in value.char_indices() {
        rest = skip_folding(rest, wanted, style);
        if at >= offset {
            break;
        }
        rest = step(rest, wanted, style);
    }
    span.end - rest.len()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
}

/// The text behind tag, anchor, block header or opening quote. Blocks escape nothing, as plain scalars.
fn text_of(written: &str) -> (Style, &str) {
    let mut rest = written;
    while rest.starts_with(['!', '&']) {
        rest = rest
            .trim_start_matches(|c: char| !c.is_whitespace())
            .trim_start();
    }
    match rest.as_bytes().first() {
        Some(b'|' | b'>') => (Style::Plain, rest.find('\n').map_or("", |end| &rest[end..])),
        Some(b'\'') => (Style::SingleQuoted, &rest[1..]),
        Some(b'"') => (Style::DoubleQuoted, &rest[1..]),
        _ => (Style::Plain, rest),
    }
}

/// Skips white space of the source that is not what the value has next.
fn skip_folding(mut rest: &str, wanted: char, style: Style) -> &str {
    while let Some(first) = rest.chars().next() {
        let line_ends_escaped = style == Style::DoubleQuoted && rest.starts_with("\\\n");
        if !line_ends_escaped && (first == wanted || !first.is_whitespace()) {
            break;
        }
        rest = &rest[first.len_utf8()..];
    }
    rest
}

/// Skips what was written for one character of the value: nothing, if folding made it.
fn step(rest: &str, wanted: char, style: Style) -> &str {
    let length = match style {
        Style::DoubleQuoted if rest.starts_with('\\') => escape_length(rest),
        Style::SingleQuoted if rest.starts_with("''") => 2,
        _ if rest.starts_with(wanted) => wanted.len_utf8(),
        _ => 0,
    };
    rest.get(length..).unwrap_or_default()
}

fn escape_length(rest: &str) -> usize {
    match rest.chars().nth(1) {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Limits, NodeKind, Scalar, read};

    /// Line and column of `needle` of the value of `key`.
    fn place(text: &str, needle: &str) -> (u32, u32) {
        let source = Source::new("f.yml", text);
        let root = read(&source, &Limits::default()).expect("valid");
        let NodeKind::Mapping(entries) = root.kind else {
            panic!("a mapping was written");
        };
        let node = &entries[0].value;
        let NodeKind::Scalar(Scalar::String(value)) = &node.kind else {
            panic!("a string was written");
        };
        let offset = value.find(needle).expect("it is in the value");
        let position = source.position(locate(&source, node.span, value, offset));
        (position.line, position.column)
    }

    #[test]
    fn block_scalars_keep_their_lines() {
        let text = "run: |-  # why\n\n    echo\n      é ${{ x }}\n    last\n";
        assert_eq!(place(text, "${{"), (4, 9));
        assert_eq!(place(text, "last"), (5, 5));
        assert_eq!(place("run: >\n  a\n  b ${{\n\n  c\n", "${{"), (3, 5));
        assert_eq!(place("run: >\n  a\n  b\n\n  c\n", "c"), (5, 3));
    }

    #[test]
    fn quotes_and_escapes_are_counted_as_written() {
        assert_eq!(place(r#"a: "\n\x41\u00e9\"${{""#, "${{"), (1, 19));
        assert_eq!(place("a: 'it''s ${{'", "${{"), (1, 11));
        assert_eq!(place("a: !!str &b x ${{", "${{"), (1, 15));
        assert_eq!(place("a: \"x \\\n   y ${{\"", "${{"), (2, 6));
    }
}
