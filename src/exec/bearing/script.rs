//! Which statements of a script make one of its outputs. Pure.
//!
//! No shell is interpreted: a statement makes an output when it has `NAME=` in it, and so do
//! those that assign a variable which such a statement reads.

/// What in a script makes an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// The statements.
    pub(super) text: String,
    /// The expressions in them, by their number in the script.
    pub(super) expressions: Vec<usize>,
}

/// The statements that make the output, or the variable, of this name; none when nothing in the
/// script says which they are.
pub(super) fn making(script: &str, name: &str) -> Option<Made> {
    let statements = statements(script);
    let mut taken = vec![false; statements.len()];
    let mut names = vec![name.to_owned()];
    while let Some(name) = names.pop() {
        for (statement, taken) in statements.iter().zip(&mut taken) {
            if !*taken && assigns(statement, &name) {
                *taken = true;
                names.extend(variables(statement));
            }
        }
    }
    let mut made = Made {
        text: String::new(),
        expressions: Vec::new(),
    };
    let mut number = 0;
    for (statement, taken) in statements.iter().zip(&taken) {
        let count = statement.matches("${{").count();
        if *taken {
            made.text += statement;
            made.text.push('\n');
            made.expressions.extend(number..number + count);
        }
        number += count;
    }
    taken.contains(&true).then_some(made)
}

/// A script's statements: its parts between line ends, `;` and `&&` that are within no
/// parentheses and no expression. Comments are none, unless they have an expression.
fn statements(script: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut start, mut depth, mut in_expression) = (0_usize, 0_usize, false);
    for (at, character) in script.char_indices() {
        let rest = &script[at..];
        match character {
            _ if rest.starts_with("${{") => in_expression = true,
            _ if rest.starts_with("}}") => in_expression = false,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let ends_line = character == '\n' && !script[..at].ends_with('\\');
        let ends = ends_line || character == ';' || rest.starts_with("&&");
        if ends && depth == 0 && !in_expression {
            statements.push(&script[start..at]);
            start = at + 1;
        }
    }
    statements.push(&script[start..]);
    statements.retain(|text| !text.trim_start().starts_with('#') || text.contains("${{"));
    statements
}

/// Whether a statement has `NAME=` in it.
fn assigns(statement: &str, name: &str) -> bool {
    let mut found = statement.match_indices(name);
    found.any(|(at, _)| {
        let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-.$".contains(c);
        let begins = !statement[..at].ends_with(goes_on);
        let after = &statement[at + name.len()..];
        begins && after.starts_with('=') && !after.starts_with("==")
    })
}

/// The variables that a statement reads: `$NAME` and `${NAME`.
fn variables(statement: &str) -> impl Iterator<Item = String> {
    statement.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        (end > 0).then(|| rest[..end].to_owned())
    })
}

/// Whether a statement runs this command: the word stands where a command does.
pub(super) fn runs(text: &str, command: &str) -> bool {
    text.match_indices(command).any(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '\t']);
        let after = &text[at + command.len()..];
        let begins = before.is_empty() || before.ends_with(['(', '`', ';', '|', '&', '/', '\n']);
        let is_word = |c: char| c.is_ascii_alphanumeric() || "_-./=".contains(c);
        begins && !after.starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_made_by_the_statements_that_name_it() {
        let script = "\
# v=$(date)
day=$(date +%F); echo \"lock=$(sha256sum lock)\" >> $GITHUB_OUTPUT
echo a-v=$(uuidgen) >> $GITHUB_OUTPUT
echo commit=${{ github.sha && 'x' }} os=$(. /etc/os-release; echo $ID) && echo v=${day} ${{ env.X }}";
        let made = |name| making(script, name);
        let text = |name| made(name).map(|made| made.text.trim().to_owned());
        assert_eq!(
            text("lock").as_deref(),
            Some("echo \"lock=$(sha256sum lock)\" >> $GITHUB_OUTPUT")
        );
        let v = made("v").expect("it is made");
        assert!(v.text.starts_with("day=$(date +%F)\n"), "{}", v.text);
        assert!(!v.text.contains("commit"), "{}", v.text);
        assert_eq!(v.expressions, [1]);
        let commit = made("commit").expect("it is made");
        assert!(commit.text.contains("echo $ID)"), "{}", commit.text);
        assert_eq!(commit.expressions, [0]);
        assert_eq!(made("nothing"), None);
    }

    #[test]
    fn a_command_stands_where_commands_do() {
        for text in ["date", "v=$(date +%V)", "`date`", "x | /bin/date"] {
            assert!(runs(text, "date"), "{text}");
        }
        for text in ["echo date", "cat date.txt", "v=date", "update", "(date=1"] {
            assert!(!runs(text, "date"), "{text}");
        }
    }
}
