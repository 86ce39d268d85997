//! The commands that a shell script has: those in the place of a command, not in comments, heredocs or
//! the arguments of others.
//!
//! Nothing is run and nothing expanded. What follows from variables is not known: such a word has
//! [`UNKNOWN`] in it.

/// Stands in a word for what is known only once the script runs.
pub(in crate::plan) const UNKNOWN: char = '\u{FFFC}';

/// Words after which a command begins.
const KEYWORDS: [&str; 10] = [
    "if", "then", "elif", "else", "do", "while", "until", "!", "{", "}",
];

/// Words that begin what is no command.
const CLAUSES: [&str; 7] = ["for", "select", "case", "function", "esac", "done", "fi"];

/// The words of each command, without quotes, redirections and assignments, in the order they are
/// written; those of a substitution come before the command it stands in.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut scanner = Scanner {
        script: script.chars().collect(),
        at: 0,
        heredocs: Vec::new(),
        found: Vec::new(),
    };
    scanner.list(None);
    scanner.found
}

struct Scanner {
    script: Vec<char>,
    at: usize,
    /// Ends of the heredocs that begin with the next line, and whether tabs before them do not count.
    heredocs: Vec<(String, bool)>,
    found: Vec<Vec<String>>,
}

/// The command that is being read.
#[derive(Default)]
struct Reading {
    words: Vec<String>,
    /// Whether the next word is where a redirection goes to.
    is_target: bool,
    /// Brackets that are open.
    depth: usize,
}

impl Scanner {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.script.get(self.at + ahead).copied()
    }

    fn follows(&self, text: &str) -> bool {
        let mut characters = text.chars().enumerate();
        characters.all(|(ahead, wanted)| self.peek(ahead) == Some(wanted))
    }

    /// Reads commands up to the bracket that ends them, or to the end.
    fn list(&mut self, end: Option<char>) {
        let mut reading = Reading::default();
        while let Some(next) = self.peek(0) {
            if Some(next) == end && reading.depth == 0 {
                self.at += 1;
                break;
            }
            match next {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '#' => self.skip_while(|c| c != '\n'),
                '\n' => {
                    self.at += 1;
                    self.finish(&mut reading);
                    self.skip_heredocs();
                }
                '&' if self.peek(1) == Some('>') => self.redirection(&mut reading),
                ';' | '&' | '|' => {
                    self.at += 1;
                    self.finish(&mut reading);
                }
                '<' | '>' => self.redirection(&mut reading),
                '(' => self.open(&mut reading),
                ')' => {
                    self.at += 1;
                    match reading.depth {
                        // The pattern of a `case`.
                        0 => reading.words.clear(),
                        _ => {
                            reading.depth -= 1;
                            self.finish(&mut reading);
                        }
                    }
                }
                _ => self.add_word(&mut reading),
            }
        }
        self.finish(&mut reading);
    }

    fn open(&mut self, reading: &mut Reading) {
        if self.follows("((") {
            self.skip_arithmetic();
        } else if self.peek(1) == Some(')') {
            // The name before it is a function's.
            self.at += 2;
            reading.words.clear();
        } else {
            self.at += 1;
            reading.depth += 1;
            self.finish(reading);
        }
    }

    fn add_word(&mut self, reading: &mut Reading) {
        let before = self.at;
        let (word, is_quoted) = self.word();
        if self.at == before {
            // Nothing that a word is made of: never stay here.
            self.at += 1;
        }
        if std::mem::take(&mut reading.is_target) {
            return;
        }
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !is_quoted && matches!(self.peek(0), Some('<' | '>')) {
            // The number of what is redirected.
            return;
        }
        let is_first = reading.words.is_empty();
        let is_keyword = !is_quoted && KEYWORDS.contains(&word.as_str());
        if !(is_first && (is_keyword || is_assignment(&word))) {
            reading.words.push(word);
        }
    }

    fn finish(&mut self, reading: &mut Reading) {
        reading.is_target = false;
        let words = std::mem::take(&mut reading.words);
        let first = words.first();
        if first.is_some_and(|first| !CLAUSES.contains(&first.as_str())) {
            self.found.push(words);
        }
    }

    fn redirection(&mut self, reading: &mut Reading) {
        if self.follows("<<") && !self.follows("<<<") {
            self.at += 2;
            let strips = self.peek(0) == Some('-');
            self.at += usize::from(strips);
            self.skip_while(|c| c == ' ' || c == '\t');
            let (end, _) = self.word();
            self.heredocs.push((end, strips));
            return;
        }
        if self.follows("<(") || self.follows(">(") {
            self.at += 2;
            self.list(Some(')'));
            reading.words.push(UNKNOWN.to_string());
            return;
        }
        self.skip_while(|c| matches!(c, '<' | '>' | '&' | '|'));
        reading.is_target = true;
    }

    /// The rest of the line has been read.
    fn skip_heredocs(&mut self) {
        for (end, strips) in std::mem::take(&mut self.heredocs) {
            while self.peek(0).is_some() {
                let start = self.at;
                self.skip_while(|c| c != '\n');
                let line: String = self.script[start..self.at].iter().collect();
                self.at += 1;
                let line = line.trim_end_matches('\r');
                let line = match strips {
                    true => line.trim_start_matches('\t'),
                    false => line,
                };
                if line == end {
                    break;
                }
            }
        }
        self.at = self.at.min(self.script.len());
    }

    fn skip_while(&mut self, passes: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&passes) {
            self.at += 1;
        }
    }

    /// `(( … ))`
    fn skip_arithmetic(&mut self) {
        let mut depth = 0_usize;
        while let Some(next) = self.peek(0) {
            self.at += 1;
            match next {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    /// A word, and whether some of it was quoted.
    fn word(&mut self) -> (String, bool) {
        let mut word = String::new();
        let mut is_quoted = false;
        while let Some(next) = self.peek(0) {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | ')' => break,
                '(' if word.ends_with('=') => self.skip_list(),
                '(' => break,
                '\\' => self.escaped(&mut word),
                '\'' => {
                    is_quoted = true;
                    self.single_quoted(&mut word);
                }
                '"' => {
                    is_quoted = true;
                    self.double_quoted(&mut word);
                }
                '$' => self.expansion(&mut word),
                '`' => self.backquoted(&mut word),
                other => {
                    word.push(other);
                    self.at += 1;
                }
            }
        }
        (word, is_quoted)
    }

    /// The `( … )` of `list=(a b)`.
    fn skip_list(&mut self) {
        self.at += 1;
        while let Some(next) = self.peek(0) {
            let before = self.at;
            match next {
                ')' => {
                    self.at += 1;
                    break;
                }
                '#' => self.skip_while(|c| c != '\n'),
                _ => {
                    self.word();
                    self.at += usize::from(self.at == before);
                }
            }
        }
    }

    fn escaped(&mut self, word: &mut String) {
        self.at += 1;
        if let Some(next) = self.peek(0) {
            self.at += 1;
            if next != '\n' {
                word.push(next);
            }
        }
    }

    fn single_quoted(&mut self, word: &mut String) {
        self.at += 1;
        while let Some(next) = self.peek(0) {
            self.at += 1;
            if next == '\'' {
                break;
            }
            word.push(next);
        }
    }

    fn double_quoted(&mut self, word: &mut String) {
        self.at += 1;
        while let Some(next) = self.peek(0) {
            match next {
                '"' => {
                    self.at += 1;
                    break;
                }
                '\\' => self.escaped(word),
                '$' => self.expansion(word),
                '`' => self.backquoted(word),
                other => {
                    word.push(other);
                    self.at += 1;
                }
            }
        }
    }

    /// `$name`, `${…}`, `$(…)`, `$((…))`; else the sign itself.
    fn expansion(&mut self, word: &mut String) {
        self.at += 1;
        match self.peek(0) {
            Some('(') if self.follows("((") => {
                self.skip_arithmetic();
                word.push(UNKNOWN);
            }
            Some('(') => {
                self.at += 1;
                self.list(Some(')'));
                word.push(UNKNOWN);
            }
            Some('{') => {
                self.skip_while(|c| c != '}' && c != '\n');
                self.at += usize::from(self.peek(0) == Some('}'));
                word.push(UNKNOWN);
            }
            Some('\'') => self.single_quoted(word),
            Some(next) if next.is_alphanumeric() || "_@*#?$!-".contains(next) => {
                self.at += 1;
                if next.is_alphabetic() || next == '_' {
                    self.skip_while(|c| c.is_alphanumeric() || c == '_');
                }
                word.push(UNKNOWN);
            }
            _ => word.push('$'),
        }
    }

    fn backquoted(&mut self, word: &mut String) {
        self.at += 1;
        let inside = &self.script[self.at..];
        // One alone is what PowerShell escapes with.
        let Some(length) = inside.iter().position(|&c| c == '`') else {
            return;
        };
        let inside: String = inside[..length].iter().collect();
        self.at += length + 1;
        self.found.extend(commands(&inside));
        word.push(UNKNOWN);
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end_matches('+');
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command as one text, `_` for what is not known.
    fn found(script: &str) -> Vec<String> {
        let text = |words: Vec<String>| words.join(" ").replace(UNKNOWN, "_");
        commands(script).into_iter().map(text).collect()
    }

    #[test]
    fn commands_stand_where_a_shell_starts_them() {
        let script = "cd x && git push || true; a | b\nif test -f y; then c; else ! d; fi\n( e; f ) &\n{ g; }";
        let wanted = [
            "cd x",
            "git push",
            "true",
            "a",
            "b",
            "test -f y",
            "c",
            "d",
            "e",
            "f",
            "g",
        ];
        assert_eq!(found(script), wanted);
    }

    #[test]
    fn arguments_comments_and_heredocs_are_no_commands() {
        assert_eq!(
            found("echo 'git push' \"; npm publish\" # git push"),
            ["echo git push ; npm publish"]
        );
        let script = "cat <<EOF > notes && b\ngit push\nEOF\ncat <<-'X'\n\tgit push\n\tX\nc";
        assert_eq!(found(script), ["cat", "b", "cat", "c"]);
        assert_eq!(found("cat <<< git push"), ["cat push"]);
        assert_eq!(found("a \\\n  b\\ c"), ["a b c"]);
    }

    #[test]
    fn substitutions_have_commands() {
        assert_eq!(found("x=$(git push)"), ["git push"]);
        assert_eq!(
            found("echo \"v$(a b)\" `c` $((1+2)) ${d:-e} $f"),
            ["a b", "c", "echo v_ _ _ _ _"]
        );
        assert_eq!(found("diff <(a) >(b)"), ["a", "b", "diff _ _"]);
    }

    #[test]
    fn what_is_assigned_or_redirected_is_left_out() {
        assert_eq!(found("A=1 B='x y' run > out 2>&1 < in &> all"), ["run"]);
        assert_eq!(found("list=(git push) ; other"), ["other"]);
    }

    #[test]
    fn clauses_are_told_from_commands() {
        let script =
            "for x in git push; do a $x; done\ncase $1 in\n  docker) b;;\n  *) c\nesac\nf() { d; }";
        assert_eq!(found(script), ["a _", "b", "c", "d"]);
    }

    #[test]
    fn whatever_is_written_comes_to_an_end() {
        for script in [
            "'",
            "\"",
            "$(",
            "`",
            "${",
            "((",
            "<<",
            "<<X",
            ")",
            "a=(",
            "\\",
            "$",
            "(((",
            "& > < |",
            "case x in",
            "}}",
            "<(",
        ] {
            commands(script);
            commands(&script.repeat(50));
        }
    }
}
