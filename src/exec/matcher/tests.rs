use std::sync::Arc;

use super::*;

fn running(text: &str) -> Vec<Running> {
    let definitions = parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let new = |definition| Running::new(Arc::new(definition));
    definitions.into_iter().map(new).collect()
}

fn one(pattern: &str) -> Running {
    let text = format!(r#"{{"problemMatcher":[{{"owner":"o","pattern":[{pattern}]}}]}}"#);
    running(&text).pop().expect("there is one")
}

fn regexp(expression: &str) -> Running {
    let expression = serde_json::Value::from(expression);
    one(&format!(r#"{{"regexp":{expression},"message":0}}"#))
}

fn found(running: &mut Running, line: &str) -> Option<Match> {
    running.take(line).expect("it is fast")
}

fn error(text: &str) -> String {
    parse(text)
        .map(|_| ())
        .expect_err("it is wrong")
        .to_string()
}

fn error_in(matchers: &str) -> String {
    error(&format!(r#"{{"problemMatcher":[{matchers}]}}"#))
}

#[test]
fn a_single_pattern_gives_its_groups() {
    let mut tsc = one(
        r#"{"regexp":"^([^\\s].*)[\\(:](\\d+)[,:](\\d+)(?:\\):\\s+|\\s+-\\s+)(error|warning|info)\\s+TS(\\d+)\\s*:\\s*(.*)$",
            "file":1,"line":2,"column":3,"severity":4,"code":5,"message":6}"#,
    );
    let expected = Match {
        file: "src/a.ts".to_owned(),
        line: "12".to_owned(),
        column: "3".to_owned(),
        severity: "error".to_owned(),
        code: "2322".to_owned(),
        message: "Type 'x' is not.".to_owned(),
        ..Match::default()
    };
    let line = "src/a.ts(12,3): error TS2322: Type 'x' is not.";
    assert_eq!(found(&mut tsc, line), Some(expected));
    assert_eq!(found(&mut tsc, "nothing"), None);
}

#[test]
fn patterns_of_several_lines_need_consecutive_ones() {
    let mut matcher = one(
        r#"{"regexp":"^in (.+)$","file":1},{"regexp":"^at (\\d+)$","line":1},{"regexp":"^(.+)!$","message":1}"#,
    );
    for line in ["in a", "at 1"] {
        assert_eq!(found(&mut matcher, line), None, "{line}");
    }
    let whole = found(&mut matcher, "broken!").expect("the third line completes it");
    assert_eq!(
        (&*whole.file, &*whole.line, &*whole.message),
        ("a", "1", "broken")
    );
    for line in [
        "in a", "between", "at 1", "broken!", "in a", "at 1", "between", "broken!",
    ] {
        assert_eq!(found(&mut matcher, line), None, "{line}");
    }
    // A line that could begin it again begins it again.
    for line in ["in a", "in b", "at 2"] {
        assert_eq!(found(&mut matcher, line), None, "{line}");
    }
    assert_eq!(found(&mut matcher, "x!").expect("complete").file, "b");
}

#[test]
fn a_loop_goes_on_under_the_same_first_line_until_a_line_does_not_match() {
    let mut eslint = one(r#"{"regexp":"^([^\\s].*)$","file":1},
           {"regexp":"^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$","line":1,"column":2,"severity":3,"message":4,"code":5,"loop":true}"#);
    assert_eq!(found(&mut eslint, "test.js"), None);
    for number in ["1", "5"] {
        let line = format!("  {number}:0   error  Missing \"use strict\" statement   strict");
        let found = found(&mut eslint, &line).expect("it matches");
        assert_eq!((&*found.file, &*found.line), ("test.js", number));
        assert_eq!(found.code, "strict");
    }
    assert_eq!(found(&mut eslint, ""), None);
    assert_eq!(found(&mut eslint, "  9:0   error  Late   late"), None);
}

#[test]
fn severities_and_paths_of_the_matcher_stand_in() {
    let text = r#"{"problemMatcher":[{"owner":"o","severity":"Warning","fromPath":"sub/x.proj",
        "pattern":[{"regexp":"^(?:(fatal): )?(.*)$","severity":1,"message":2}]}]}"#;
    let mut matcher = running(text).pop().expect("there is one");
    let without = found(&mut matcher, "words").expect("it matches");
    assert_eq!(
        (&*without.severity, &*without.from_path),
        ("Warning", "sub/x.proj")
    );
    assert_eq!(
        found(&mut matcher, "fatal: x")
            .expect("it matches")
            .severity,
        "fatal"
    );
}

#[test]
fn expressions_are_ecmascript_s() {
    for (expression, yes, no) in [
        (r"^\d+$", "12", "١٢"),
        (r"^\w+$", "aZ_9", "é"),
        (r"^a\s$", "a\t", "a\u{a0}"),
        (r"^[\w.-]+$", "a.b-c", "a b"),
        (r"^[^\s\]]+$", "a[b", "a]"),
        (r"^[[(]x$", "[x", "&x"),
        (r"^[&&a]+$", "&a", "b"),
        (r"^[]x]$", "]", "y"),
        (r"^a{,2}$", "a{,2}", "aa"),
        (r"^a{1,2}$", "aa", "aaa"),
        (r"^{a}]$", "{a}]", "a"),
        (r"\bcat\b", "a cat.", "concat"),
        (r"^\/usr\/", "/usr/", "usr"),
        (r"^\x41\u0042\t$", "AB\t", "ABt"),
        (r"^(?!warn)(\w+):(?=\s)", "error: ", "warn: "),
        (r"(?<=at )(\d+)", "at 5", "in 5"),
        (r"^(a|b)\1$", "bb", "ab"),
        (r"^.$", "\r", "\n"),
        (r"^\-\#\ $", "-# ", "-"),
    ] {
        assert!(
            found(&mut regexp(expression), yes).is_some(),
            "{expression} {yes:?}"
        );
        assert!(
            found(&mut regexp(expression), no).is_none(),
            "{expression} {no:?}"
        );
    }
}

#[test]
fn groups_with_names_are_counted_after_the_others() {
    let mut matcher = one(r#"{"regexp":"(?<what>a)(b)","file":1,"message":2}"#);
    let found = found(&mut matcher, "ab").expect("it matches");
    assert_eq!((&*found.file, &*found.message), ("b", "a"));
}

#[test]
fn a_match_that_takes_too_long_is_given_up() {
    let mut matcher = regexp(r"^((a)\2?)+$");
    assert_eq!(matcher.take(&("a".repeat(64) + "c")), Err(TooSlow));
    assert_eq!(matcher.take("ab").map(|found| found.is_some()), Ok(false));
}

#[test]
fn what_is_wrong_is_said_in_the_runner_s_words() {
    let ok = r#""pattern":[{"regexp":"(x)","message":1}]"#;
    for (matchers, words) in [
        (format!("{{{ok}}}"), "Owner must not be empty"),
        (
            format!(r#"{{"owner":"o",{ok}}},{{"owner":"O",{ok}}}"#),
            "Duplicate owner name 'O'",
        ),
        (
            format!(r#"{{"owner":"o","severity":"info",{ok}}}"#),
            "Matcher 'o' contains unexpected default severity 'info'",
        ),
        (
            r#"{"owner":"o","pattern":[]}"#.to_owned(),
            "Matcher 'o' does not contain any patterns",
        ),
        (
            r#"{"owner":"o","pattern":[{"regexp":"x","loop":true,"message":0}]}"#.to_owned(),
            "Only the last pattern in a multiline matcher may set 'loop'",
        ),
        (
            r#"{"owner":"o","pattern":[{"regexp":"x","message":0},{"regexp":"x","loop":true}]}"#
                .to_owned(),
            "The loop pattern must set 'message'",
        ),
        (
            r#"{"owner":"o","pattern":[{"regexp":"x","message":0},{"regexp":"x","message":0}]}"#
                .to_owned(),
            "The property 'message' is set twice",
        ),
        (
            r#"{"owner":"o","pattern":[{"regexp":"(x)","message":2}]}"#.to_owned(),
            "The property 'message' is set to 2 which is out of range",
        ),
        (
            r#"{"owner":"o","pattern":[{"regexp":"x","file":0}]}"#.to_owned(),
            "At least one pattern must set 'message'",
        ),
    ] {
        assert_eq!(error_in(&matchers), words);
    }
    let wrong = error_in(r#"{"owner":"o","pattern":[{"regexp":"(","message":0}]}"#);
    assert!(wrong.starts_with("Matcher 'o': the regular expression '(' cannot be read: "));
    assert!(error("{").starts_with("it is no file of problem matchers: "));
    assert!(parse("{}").expect("it says nothing").is_empty());
}

#[test]
fn colours_are_taken_away() {
    let line = "\u{1b}[31;1mred\u{1b}[0m and \u{1b}[K rest\u{1b}[";
    assert_eq!(without_colours(line), "red and K rest");
    assert!(matches!(
        without_colours("plain"),
        std::borrow::Cow::Borrowed(_)
    ));
}
