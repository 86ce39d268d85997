//! What could have been meant by a word that means nothing.

/// The most words that are listed.
const MOST: usize = 25;

/// The known word that `wrong` is a slip of, or all of them if there are not too many.
pub(super) fn meant<'w>(wrong: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let slips = 1 + wrong.chars().count() / 4;
    let closest = known
        .iter()
        .map(|word| (distance(wrong, word, slips), word))
        .min()
        .filter(|(distance, _)| *distance <= slips);
    match closest {
        Some((_, word)) => Some(format!("did you mean '{word}'?")),
        None if known.is_empty() || known.len() > MOST => None,
        None => Some(format!("allowed here: {}", known.join(", "))),
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
