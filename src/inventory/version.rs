//! Versions as tools print them.

/// What to ask a command for its version.
pub(super) fn question(command: &str) -> &'static str {
    match command {
        "go" => "version",
        // Both know `--version` only since a few releases.
        "java" | "javac" | "kotlinc" => "-version",
        _ => "--version",
    }
}

/// The version in what a tool printed: the first dotted number outside parentheses, else the
/// first inside, as `gcc (Debian 12.2.0-14) 12.2.0` and `perl 5, version 38 … (v5.38.2)` ask for.
pub(super) fn parse(output: &str) -> Option<String> {
    let mut outside = String::new();
    let mut inside = String::new();
    let mut depth = 0_u32;
    for c in output.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => inside.push(c),
        }
    }
    first_dotted(&outside).or_else(|| first_dotted(&inside))
}

fn first_dotted(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.') && word.split('.').all(|number| !number.is_empty()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        for (output, version) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", "1.95.0"),
            ("Python 3.11.2", "3.11.2"),
            ("v20.20.2\n", "20.20.2"),
            (
                "gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022",
                "12.2.0",
            ),
            ("gcc (Ubuntu 13.2.0-23ubuntu4) 13.3.0", "13.3.0"),
            ("go version go1.24.13 linux/amd64", "1.24.13"),
            (
                "\nThis is perl 5, version 38, subversion 2 (v5.38.2) built for x86_64-linux-gnu",
                "5.38.2",
            ),
            ("openjdk version \"17.0.20\" 2026-07-15", "17.0.20"),
            (
                "pip 24.0 from /usr/lib/python3/dist-packages/pip (python 3.12)",
                "24.0",
            ),
            ("Debian clang version 14.0.6\nTarget: x86_64", "14.0.6"),
            (
                "PHP 8.3.6 (cli) (built: Jan 7 2026 08:50:01) (NTS)",
                "8.3.6",
            ),
            ("\n----\nGradle 9.7.0\n----\n", "9.7.0"),
        ] {
            assert_eq!(parse(output).as_deref(), Some(version), "{output}");
        }
    }

    #[test]
    fn words_without_a_dotted_number_are_no_version() {
        assert_eq!(parse("error: unknown option. 42 ..."), None);
        assert_eq!(parse(""), None);
    }
}
