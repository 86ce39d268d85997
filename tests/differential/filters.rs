//! The patterns of triggers, beside GitHub's cheat sheet put into code a second time.

use lrun::plan::Filter;
use serde_json::json;

use crate::assert_same;
use crate::packages::Packages;
use crate::random::Random;

const FILTERS: usize = 20_000;

const PIECES: [&str; 30] = [
    "a", "b", "v", "1", "main", "docs", "/", "/", "/", "*", "*", "**", "**", "**/", "/**", "?",
    "+", "[0-9]", "[a-c]", "[a-cx]+", "[0-9]?", "\\*", "\\+", "\\?", "\\!", ".", "-", ".md", "é",
    "𝒜",
];
const NAMES: [&str; 22] = [
    "a", "b", "v", "1", "12", "main", "docs", "/", "/", "/", "*", "?", "+", "!", ".", "-", ".md",
    "é", "𝒜", "x", "aa", "\n",
];

fn concatenated(random: &mut Random, pieces: &[&str]) -> String {
    (0..=random.below(6)).map(|_| random.pick(pieces)).collect()
}

/// A name that has something of the pattern.
fn name(random: &mut Random, pattern: &str) -> String {
    if random.chance(30) {
        return concatenated(random, &NAMES);
    }
    let mut name = String::new();
    for character in pattern.trim_start_matches('!').chars() {
        match character {
            '*' => name.push_str(random.pick(&NAMES)),
            '?' | '+' | '\\' | '[' | ']' => {}
            _ => name.push(character),
        }
    }
    name
}

#[test]
fn filters_take_what_the_cheat_sheet_says() {
    let mut random = Random::new(23);
    let (mut questions, mut ours, mut refused) = (Vec::new(), Vec::new(), 0);
    while questions.len() < FILTERS {
        let patterns: Vec<String> = (0..=random.below(3))
            .map(|_| match random.chance(20) {
                true => format!("!{}", concatenated(&mut random, &PIECES)),
                false => concatenated(&mut random, &PIECES),
            })
            .collect();
        let Ok(filter) = Filter::new(&patterns) else {
            refused += 1;
            continue;
        };
        let names: Vec<String> = (0..=random.below(3))
            .map(|_| {
                let pattern = &patterns[random.below(patterns.len())];
                name(&mut random, pattern)
            })
            .collect();
        ours.push(json!({"include": filter.includes(&names), "ignore": filter.ignores(&names)}));
        questions.push(json!({"patterns": patterns, "names": names}));
    }
    let answers = Packages::installed().ask(include_str!("filters.mjs"), &questions);
    let cases = questions.iter().zip(ours.iter().zip(&answers));
    let wrong: Vec<String> = cases
        .filter(|(_, (ours, theirs))| ours != theirs)
        .map(|(question, (ours, theirs))| format!("{question}: {ours} here, {theirs} there"))
        .collect();
    let included = ours
        .iter()
        .filter(|answer| answer["include"] == true)
        .count();
    println!(
        "{FILTERS} filters: {included} include, {} differ; {refused} others are none",
        wrong.len()
    );
    assert_same(&wrong);
}
