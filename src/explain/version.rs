//! What makes the versions of two entries with one key differ: their paths, or else how they
//! are compressed.

use super::reason::Line;

/// How an entry of the same key was saved otherwise than a request's `paths` ask for, and the
/// lines that show it.
pub(super) fn difference(paths: &[String], saved: &[String]) -> (&'static str, Vec<Line>) {
    if paths == saved {
        return ("another compression", Vec::new());
    }
    let gone = without(saved, paths);
    let new = without(paths, saved);
    if gone.is_empty() && new.is_empty() {
        let lines = vec![was_is(&saved.join(", "), &paths.join(", "))];
        return ("the same paths in another order", lines);
    }
    let same_places = gone.len() == new.len()
        && gone
            .iter()
            .zip(&new)
            .all(|(gone, new)| plain(gone) == plain(new));
    if same_places {
        let pairs = gone.iter().zip(&new);
        let lines = pairs.map(|(gone, new)| was_is(gone, new)).collect();
        return ("the same paths spelled otherwise", lines);
    }
    let new = new
        .into_iter()
        .map(|path| Line(1, format!("path added: {path}")));
    let gone = gone
        .into_iter()
        .map(|path| Line(1, format!("path removed: {path}")));
    ("other paths", new.chain(gone).collect())
}

fn was_is(was: &str, is: &str) -> Line {
    Line(1, format!("path was '{was}', is '{is}'"))
}

fn without<'p>(paths: &'p [String], others: &[String]) -> Vec<&'p str> {
    let is_new = |path: &&String| !others.contains(path);
    paths.iter().filter(is_new).map(String::as_str).collect()
}

/// A path without what does not change where it leads.
fn plain(path: &str) -> String {
    let path = path.trim_end_matches('/');
    let path = path.strip_prefix("./").unwrap_or(path);
    match path.strip_prefix("/home/runner") {
        Some(rest) => format!("~{rest}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(paths: &[&str], saved: &[&str]) -> (&'static str, Vec<String>) {
        let owned = |paths: &[&str]| paths.iter().map(|&p| p.to_owned()).collect::<Vec<_>>();
        let (what, lines) = difference(&owned(paths), &owned(saved));
        (what, lines.into_iter().map(|Line(_, text)| text).collect())
    }

    #[test]
    fn each_way_to_differ_has_its_words() {
        assert_eq!(told(&["a"], &["a"]), ("another compression", Vec::new()));
        assert_eq!(
            told(&["a", "b"], &["b", "a"]),
            (
                "the same paths in another order",
                vec!["path was 'b, a', is 'a, b'".to_owned()]
            )
        );
        assert_eq!(
            told(&["x", "~/.cargo"], &["x", "/home/runner/.cargo/"]),
            (
                "the same paths spelled otherwise",
                vec!["path was '/home/runner/.cargo/', is '~/.cargo'".to_owned()]
            )
        );
        // A pattern leads to what is in a directory, not to the directory.
        assert_eq!(
            told(&["a/*"], &["a/"]),
            (
                "other paths",
                vec!["path added: a/*".to_owned(), "path removed: a/".to_owned()]
            )
        );
        assert_eq!(
            told(&["a", "new"], &["a", "gone"]),
            (
                "other paths",
                vec![
                    "path added: new".to_owned(),
                    "path removed: gone".to_owned()
                ]
            )
        );
    }
}
