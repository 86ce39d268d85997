//! Files of `NAME=VALUE`: `.secrets`, `.vars`, `.env`, `.input`.
//!
//! The form is that of docker, act and the dotenv libraries: empty lines and comments, `export` in
//! front, values bare or in quotes, in which they may go on over lines; `\n`, `\r`, `\t`, `\"`, `\\` and
//! `\$` in double quotes. `$NAME` and `${NAME}` outside of single quotes are the values of names that
//! stand above in the same file, and stay as they are where none does: nothing is ever taken from the
//! environment.

use indexmap::IndexMap;

/// What is wrong with a line. No value is in it: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {problem}")]
pub struct DotenvError {
    /// The line, from one.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// Reads such a file. Of a name that stands twice the last value is it.
///
/// # Errors
/// The first line that is not of the form.
pub fn dotenv(text: &str) -> Result<IndexMap<String, String>, DotenvError> {
    let mut all = IndexMap::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    let line = |rest: &str| text[..text.len() - rest.len()].matches('\n').count() + 1;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(all);
        }
        let at = line(rest);
        let wrong = |problem| DotenvError { line: at, problem };
        if rest.starts_with('#') {
            rest = split_line(rest).1;
            continue;
        }
        let (name, value) = name_of(rest).map_err(wrong)?;
        let (value, after) = value_of(value, &all).map_err(wrong)?;
        all.insert(name.to_owned(), value);
        rest = after;
    }
}

/// A line and what follows it.
fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// The name, and what stands behind its `=`.
fn name_of(text: &str) -> Result<(&str, &str), &'static str> {
    let text = match text.strip_prefix("export") {
        Some(exported) if exported.starts_with([' ', '\t']) => exported.trim_start(),
        _ => text,
    };
    let (line, _) = split_line(text);
    let equals = line.find('=').ok_or("this is not NAME=VALUE")?;
    let name = line[..equals].trim();
    match name.is_empty() || name.contains(char::is_whitespace) || name.contains(['"', '\'']) {
        true => Err("what stands before '=' is no name"),
        false => Ok((name, &text[equals + 1..])),
    }
}

/// The value at the beginning of a text, and what stands behind its line.
fn value_of<'t>(
    text: &'t str,
    known: &IndexMap<String, String>,
) -> Result<(String, &'t str), &'static str> {
    let text = text.trim_start_matches([' ', '\t']);
    let quoted = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => quote,
        _ => return Ok(bare(text, known)),
    };
    let inner = &text[1..];
    let mut end = None;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted == '"' => escaped = true,
            c if c == quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let end = end.ok_or("the quotes that begin here have no end")?;
    let (behind, after) = split_line(&inner[end + 1..]);
    let behind = behind.trim();
    if !behind.is_empty() && !behind.starts_with('#') {
        return Err("there is something behind the quotes");
    }
    let value = match quoted {
        '"' => expanded(&inner[..end], known, Escapes::Known),
        _ => inner[..end].to_owned(),
    };
    Ok((value, after))
}

/// A value without quotes: to the end of the line or a comment behind white space.
fn bare<'t>(text: &'t str, known: &IndexMap<String, String>) -> (String, &'t str) {
    let (line, after) = split_line(text);
    let mut comments = line.match_indices('#').map(|(at, _)| at);
    let is_comment = |at: &usize| *at == 0 || line[..*at].ends_with([' ', '\t']);
    let end = comments.find(is_comment).unwrap_or(line.len());
    (expanded(line[..end].trim(), known, Escapes::None), after)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Known,
}

/// A value with its escapes and the names above it put in.
fn expanded(text: &str, known: &IndexMap<String, String>, escapes: Escapes) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '$']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match rest.starts_with('\\') {
            true => escape(rest, escapes, &mut out),
            false => reference(rest, known, &mut out),
        };
        rest = &rest[taken..];
    }
    out + rest
}

/// Puts out what begins with a backslash; how much of the text that was.
fn escape(text: &str, escapes: Escapes, out: &mut String) -> usize {
    let next = text.chars().nth(1).filter(|_| escapes == Escapes::Known);
    let meant = match next {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(same @ ('"' | '\\' | '$')) => same,
        _ => {
            out.push('\\');
            return 1;
        }
    };
    out.push(meant);
    2
}

/// Puts out what begins with `$`; how much of the text that was.
fn reference(text: &str, known: &IndexMap<String, String>, out: &mut String) -> usize {
    let braced = text[1..].strip_prefix('{');
    let name = match braced {
        Some(inner) => inner.split_once('}').map_or("", |(name, _)| name),
        None => {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = text[1..].find(|c| !is_part(c));
            &text[1..end.map_or(text.len(), |end| end + 1)]
        }
    };
    match known.get(name) {
        Some(value) => {
            out.push_str(value);
            name.len() + if braced.is_some() { 3 } else { 1 }
        }
        None => {
            out.push('$');
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, (usize, &'static str)> {
        dotenv(text)
            .map(|all| all.into_iter().collect())
            .map_err(|error| (error.line, error.problem))
    }

    fn value(text: &str) -> String {
        let all = dotenv(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        all.last()
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    #[test]
    fn names_have_the_values_behind_them() {
        let text = "\u{feff}# first\n\nA=1\n  export B = two words  \r\nexport=3\nA=4\nC=";
        let expected = [("A", "4"), ("B", "two words"), ("export", "3"), ("C", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(text), Ok(expected.to_vec()));
    }

    #[test]
    fn values_are_bare_or_in_quotes() {
        for (text, expected) in [
            ("A=x # comment", "x"),
            ("A=x#y", "x#y"),
            ("A=#", ""),
            ("A=a=b", "a=b"),
            (r#"A="x # y" # comment"#, "x # y"),
            ("A='x # y'", "x # y"),
            (r#"A="a\nb\t\"c\" \\ \d""#, "a\nb\t\"c\" \\ \\d"),
            (r"A='a\nb'", r"a\nb"),
            (r"A=a\nb", r"a\nb"),
            ("A=\"one\ntwo\n\"\n", "one\ntwo\n"),
            ("A='one\ntwo'\n", "one\ntwo"),
            (r#"A=say "hello""#, r#"say "hello""#),
            ("A=𝄞é", "𝄞é"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn names_above_are_put_in_and_others_stay() {
        for (text, expected) in [
            ("A=1\nB=$A-${A}x", "1-1x"),
            ("A=1\nB=\"$A ${A}\"", "1 1"),
            ("A=1\nB='$A'", "$A"),
            ("A=1\nB=\"\\$A\"", "$A"),
            ("A=pa$$word$HOME${HOME}$", "pa$$word$HOME${HOME}$"),
            ("A=${A", "${A"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_line_and_no_value() {
        for (text, expected) in [
            ("A=1\n\nhidden", (3, "this is not NAME=VALUE")),
            ("=x", (1, "what stands before '=' is no name")),
            ("two words=x", (1, "what stands before '=' is no name")),
            (
                "A=1\nB=\"x\n\n",
                (2, "the quotes that begin here have no end"),
            ),
            ("A='x' y", (1, "there is something behind the quotes")),
            ("A=\"x\ny\"\nB", (3, "this is not NAME=VALUE")),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
