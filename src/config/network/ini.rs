//! The two kinds of `key = value` files: pip's with sections, npm's without.

/// A setting of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The section; empty before the first.
    pub(super) section: String,
    /// The key as it is written.
    pub(super) key: String,
    /// The value; several lines where indented lines follow it.
    pub(super) value: String,
}

/// The settings of a file in their order. Indented lines continue a value, as Python's
/// configparser has it; lines that are neither setting nor section are passed over.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let mut section = String::new();
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(last) = entries.last_mut()
        {
            last.value.push('\n');
            last.value.push_str(content);
        } else if let Some(name) = content.strip_prefix('[').and_then(|c| c.strip_suffix(']')) {
            section = name.trim().to_owned();
        } else if let Some((key, value)) = split(content) {
            entries.push(Entry {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            });
        }
    }
    entries
}

/// At the first `=`, or at the first `: ` where that is earlier or alone; a bare `:` belongs to
/// the key in npm's `@scope:registry=`.
fn split(line: &str) -> Option<(&str, &str)> {
    match (line.split_once('='), line.split_once(": ")) {
        (Some((key, _)), Some(by_colon)) if by_colon.0.len() < key.len() => Some(by_colon),
        (Some(by_sign), _) => Some(by_sign),
        (None, by_colon) => by_colon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_their_section_and_further_lines() {
        let text = "a = 1\n[global]\n# no\nfind-links =\n    /one\n    /two\n; no\n[install]\nb: 2?c=d\n@s:registry=r\n";
        let found: Vec<_> = entries(text)
            .into_iter()
            .map(|entry| (entry.section, entry.key, entry.value))
            .collect();
        let expected = [
            ("", "a", "1"),
            ("global", "find-links", "\n/one\n/two"),
            ("install", "b", "2?c=d"),
            ("install", "@s:registry", "r"),
        ];
        assert_eq!(
            found,
            expected.map(|(s, k, v)| (s.to_owned(), k.to_owned(), v.to_owned()))
        );
    }
}
