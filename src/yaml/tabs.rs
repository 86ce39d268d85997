//! Tabs where GitHub's scanner wants spaces.
//!
//! YAML lets a tab stand on a blank line and before a key behind a dash; `Scanner.cs` of YamlDotNet, which GitHub reads
//! files with, refuses it wherever a key could begin, as libyaml does.

use super::error::Problem;

const NO_TOKEN: &str =
    "While scanning for the next token, found character that cannot start any token.";
const PLAIN: &str =
    "While scanning a plain scalar, found a tab character that violate indentation.";
const BLOCK: &str =
    "While scanning a block scalar, found a tab character where an indentation space is expected.";

/// A tab: the byte it is at, and what GitHub says of it.
pub(super) struct Tab {
    pub(super) at: usize,
    message: &'static str,
}

impl Tab {
    pub(super) fn problem(&self) -> Problem {
        Problem::Syntax(self.message.to_owned())
    }
}

/// Looks between two tokens outside of brackets. `plain_indent`: the gap follows a plain scalar, whose lines
/// would have at least so many spaces. `at_start`: it begins with a line.
pub(super) fn between(gap: &str, plain_indent: Option<usize>, at_start: bool) -> Option<Tab> {
    let mut scalar_goes_on = plain_indent;
    let mut may_start_key = at_start;
    let mut column = 0;
    let mut rest = gap;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '\n' => may_start_key = true,
            '\t' if may_start_key => {
                let at = gap.len() - rest.len();
                match scalar_goes_on {
                    None => {
                        return Some(Tab {
                            at,
                            message: NO_TOKEN,
                        });
                    }
                    Some(indent) if column < indent => return Some(Tab { at, message: PLAIN }),
                    Some(_) => {}
                }
            }
            ' ' | '\t' | '\r' => {}
            '#' | '%' => length = rest.find('\n').unwrap_or(rest.len()),
            '-' | '.' if column == 0 && (rest.starts_with("---") || rest.starts_with("...")) => {
                length = 3;
                may_start_key = false;
            }
            '-' | '?' => may_start_key = true,
            '&' | '!' => {
                length = rest.find(char::is_whitespace).unwrap_or(rest.len());
                may_start_key = false;
            }
            _ => may_start_key = false,
        }
        if !matches!(first, ' ' | '\t' | '\n' | '\r') {
            scalar_goes_on = None;
        }
        column = match first {
            '\n' => 0,
            _ => column + length,
        };
        rest = &rest[length..];
    }
    None
}

/// Looks at the further lines of a plain scalar, which have at least `indent` spaces.
pub(super) fn in_plain(text: &str, indent: usize) -> Option<Tab> {
    let mut lines = text.split_inclusive('\n');
    let mut at = lines.next()?.len();
    for line in lines {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        if spaces < indent && line[spaces..].starts_with('\t') {
            let at = at + spaces;
            return Some(Tab { at, message: PLAIN });
        }
        at += line.len();
    }
    None
}

/// Looks at the lines below a block's header: up to the first with text no tab may stand before it, and none in the
/// indentation after that. `indent`: the columns of the text, where the header says how many.
pub(super) fn in_block(lines: &str, mut indent: Option<usize>) -> Option<Tab> {
    let mut at = 0;
    for line in lines.split_inclusive('\n') {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let is_indentation = indent.is_none_or(|indent| spaces < indent);
        if is_indentation && line[spaces..].starts_with('\t') {
            let at = at + spaces;
            return Some(Tab { at, message: BLOCK });
        }
        if indent.is_none() && !line.trim().is_empty() {
            indent = Some(spaces);
        }
        at += line.len();
    }
    None
}
