//! What could have been meant by a word that means nothing where it stands.

use crate::expr::function_names;

/// The most words that are listed.
const MOST: usize = 25;

/// The known word that `wrong` is a slip of, or all of them if there are not too many.
pub(super) fn meant<'w>(wrong: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    slip(wrong, &known).or_else(|| match known.is_empty() || known.len() > MOST {
        true => None,
        false => Some(format!("allowed here: {}", known.join(", "))),
    })
}

fn slip(wrong: &str, known: &[&str]) -> Option<String> {
    let slips = 1 + wrong.chars().count() / 4;
    let closest = known
        .iter()
        .map(|word| (distance(wrong, word, slips), word))
        .min()
        .filter(|(distance, _)| *distance <= slips);
    closest.map(|(_, word)| format!("did you mean '{word}'?"))
}

/// What to use instead of a context or function that GitHub's message calls unrecognized; `context` is what the schema
/// allows. None for other messages.
pub(super) fn instead(message: &str, context: &[&str]) -> Option<String> {
    let (problem, rest) = message.split_once(": '")?;
    let (name, _) = rest.split_once('\'')?;
    let (functions, contexts): (Vec<&str>, Vec<&str>) =
        context.iter().partition(|entry| entry.contains('('));
    match problem {
        "Unrecognized named-value" if contexts.is_empty() => None,
        "Unrecognized named-value" => {
            let list = format!("an expression here may use {}", contexts.join(", "));
            let slip = slip(name, &contexts);
            let why = slip.or_else(|| why_not(name, &contexts).map(str::to_owned));
            Some(why.map_or(list.clone(), |why| format!("{why}; {list}")))
        }
        "Unrecognized function" => {
            let functions = functions.iter().filter_map(|entry| entry.split('(').next());
            let mut functions: Vec<&str> = functions.collect();
            function_names().for_each(|name| functions.push(name));
            let list = || format!("an expression here may call {}", functions.join(", "));
            Some(slip(name, &functions).unwrap_or_else(list))
        }
        _ => None,
    }
}

/// What is most often wanted of a context that is somewhere else.
fn why_not(name: &str, contexts: &[&str]) -> Option<&'static str> {
    match name.to_ascii_lowercase().as_str() {
        "secrets" if contexts.contains(&"env") => {
            Some("give the secret to an `env` of the job and use that")
        }
        "env" => Some("`env` is known once the job runs; what is wanted earlier can be in `vars`"),
        "matrix" => Some("this is decided before the job has its matrix; steps can ask it"),
        _ => None,
    }
}

/// How many letters must be added, dropped or replaced, letter case aside; more than `limit` if that is sure at once.
fn distance(from: &str, to: &str, limit: usize) -> usize {
    if from.chars().count().abs_diff(to.chars().count()) > limit {
        return limit + 1;
    }
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let from: Vec<char> = from.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.iter().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (at, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_expressions_are_answered_with_those_there_are() {
        let told = |message: &str, context: &[&str]| instead(message, context).unwrap_or_default();
        let value = |name: &str| format!("Unrecognized named-value: '{name}'. Located at");
        let context = ["github", "env", "hashFiles(1,255)"];
        assert_eq!(
            told(&value("envv"), &context),
            "did you mean 'env'?; an expression here may use github, env"
        );
        assert_eq!(
            told(&value("secrets"), &context),
            "give the secret to an `env` of the job and use that; an expression here may use github, env"
        );
        assert_eq!(
            told(&value("nope"), &["github"]),
            "an expression here may use github"
        );
        assert_eq!(
            told("Unrecognized function: 'hashFile'. Located", &context),
            "did you mean 'hashFiles'?"
        );
        assert!(told("Unrecognized function: 'x'.", &context).contains("hashFiles, case, "));
        assert_eq!(instead("Unexpected symbol: 'x'", &context), None);
        assert_eq!(instead(&value("github"), &[]), None);
    }

    #[test]
    fn a_slip_gives_the_word_and_nonsense_gives_all() {
        let keys = ["runs-on", "steps", "needs"];
        assert_eq!(
            meant("run-on", keys).as_deref(),
            Some("did you mean 'runs-on'?")
        );
        assert_eq!(
            meant("Step", keys).as_deref(),
            Some("did you mean 'steps'?")
        );
        assert_eq!(
            meant("container", keys).as_deref(),
            Some("allowed here: needs, runs-on, steps")
        );
        assert_eq!(meant("x", []), None);
        assert_eq!(
            meant(&"x".repeat(1_000_000), keys).map(|hint| hint.len()),
            Some(35)
        );
    }
}
