//! Ranges of versions as the setup actions write and match them: npm's `semver`, for releases of
//! three numbers. What has a pre-release is never matched here: no machine's tools are listed
//! with one.

/// The three numbers of a release.
pub(super) type Release = (u64, u64, u64);

/// Which releases are meant: any of the alternatives, all conditions of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range(Vec<Vec<Condition>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    AtLeast(Release),
    Below(Release),
    /// Of a single pre-release.
    Never,
}

/// A version of which the last numbers may be left out, or be `x`.
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    is_pre: bool,
}

/// A release's numbers.
pub(super) fn release(text: &str) -> Option<Release> {
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    let mut next = || numbers.next()?.parse().ok();
    let found = (next()?, next()?, next()?);
    numbers.next().is_none().then_some(found)
}

impl Range {
    /// None of a text that npm's `semver` does not take for a range.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let alternatives = text.split("||").map(alternative);
        alternatives.collect::<Option<_>>().map(Self)
    }

    pub(super) fn matches(&self, release: Release) -> bool {
        let holds = |condition: &Condition| match condition {
            Condition::AtLeast(least) => release >= *least,
            Condition::Below(limit) => release < *limit,
            Condition::Never => false,
        };
        self.0.iter().any(|all| all.iter().all(holds))
    }

    /// The newest of the versions that are meant.
    pub(super) fn newest<'v>(
        &self,
        versions: impl IntoIterator<Item = &'v str>,
    ) -> Option<&'v str> {
        let known = versions
            .into_iter()
            .filter_map(|version| Some((release(version)?, version)));
        let matching = known.filter(|(release, _)| self.matches(*release));
        matching.max().map(|(_, version)| version)
    }
}

fn alternative(text: &str) -> Option<Vec<Condition>> {
    if let Some((low, high)) = text.split_once(" - ") {
        let (low, high) = (Partial::parse(low)?, Partial::parse(high)?);
        let mut all = at_least(&low);
        all.extend(at_most(&high));
        return Some(all);
    }
    // An operator may stand apart from its version.
    let mut text = text.trim().to_owned();
    for operator in [">=", "<=", ">", "<", "=", "~>", "~", "^"] {
        while text.contains(&format!("{operator} ")) {
            text = text.replace(&format!("{operator} "), operator);
        }
    }
    let mut all = Vec::new();
    for comparator in text.split_whitespace() {
        all.extend(conditions(comparator)?);
    }
    Some(all)
}

fn conditions(comparator: &str) -> Option<Vec<Condition>> {
    const OPERATORS: [&str; 8] = [">=", "<=", "~>", ">", "<", "=", "~", "^"];
    let operator = OPERATORS
        .into_iter()
        .find(|operator| comparator.starts_with(operator))
        .unwrap_or("");
    let version = Partial::parse(&comparator[operator.len()..])?;
    Some(match operator {
        ">=" => at_least(&version),
        "<=" => at_most(&version),
        ">" => above(&version),
        "<" => vec![Condition::Below(version.lowest())],
        "~" | "~>" => {
            let mut all = at_least(&version);
            all.extend(version.after_tilde().map(Condition::Below));
            all
        }
        "^" => {
            let mut all = at_least(&version);
            all.extend(version.after_caret().map(Condition::Below));
            all
        }
        _ if version.is_pre => vec![Condition::Never],
        _ => {
            let mut all = at_least(&version);
            all.extend(version.after().map(Condition::Below));
            all
        }
    })
}

fn at_least(version: &Partial) -> Vec<Condition> {
    vec![Condition::AtLeast(version.lowest())]
}

fn at_most(version: &Partial) -> Vec<Condition> {
    match version.is_pre {
        true => vec![Condition::Below(version.lowest())],
        false => version.after().map(Condition::Below).into_iter().collect(),
    }
}

fn above(version: &Partial) -> Vec<Condition> {
    match (version.is_pre, version.after()) {
        (true, _) => at_least(version),
        (false, Some(after)) => vec![Condition::AtLeast(after)],
        (false, None) => vec![Condition::Never],
    }
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', '=']).trim();
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, _)) => (numbers, true),
            None => (text, false),
        };
        let parts: Vec<_> = numbers.split('.').collect();
        let number = |index: usize| -> Option<Option<u64>> {
            match parts.get(index).copied() {
                None | Some("" | "x" | "X" | "*") => Some(None),
                Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    digits.parse().ok().map(Some)
                }
                Some(_) => None,
            }
        };
        let (major, minor, patch) = (number(0)?, number(1)?, number(2)?);
        let is_whole = major.is_some() && minor.is_some() && patch.is_some();
        (parts.len() <= 3 && (is_whole || !pre)).then_some(Self {
            major,
            minor: major.and(minor),
            patch: major.and(minor).and(patch),
            is_pre: pre,
        })
    }

    fn lowest(&self) -> Release {
        (
            self.major.unwrap_or(0),
            self.minor.unwrap_or(0),
            self.patch.unwrap_or(0),
        )
    }

    /// The first release after all that it stands for; none after `*`.
    fn after(&self) -> Option<Release> {
        let major = self.major?;
        Some(match (self.minor, self.patch) {
            (None, _) => (major + 1, 0, 0),
            (Some(minor), None) => (major, minor + 1, 0),
            (Some(minor), Some(patch)) => (major, minor, patch + 1),
        })
    }

    fn after_tilde(&self) -> Option<Release> {
        let major = self.major?;
        Some(match self.minor {
            None => (major + 1, 0, 0),
            Some(minor) => (major, minor + 1, 0),
        })
    }

    fn after_caret(&self) -> Option<Release> {
        Some(match (self.major?, self.minor, self.patch) {
            (0, Some(0), Some(patch)) => (0, 0, patch + 1),
            (0, Some(minor), _) => (0, minor + 1, 0),
            (major, ..) => (major + 1, 0, 0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As npm's semver 7 answers `satisfies(version, range)`.
    #[test]
    fn ranges_match_as_npm_s_semver_does() {
        for (range, matching) in [
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("=1.2.3", "1.2.3"),
            ("3", "3.0.0 3.11.7 3.12.0 3.13.0"),
            ("3.x", "3.0.0 3.11.7 3.12.0 3.13.0"),
            ("3.11", "3.11.7"),
            ("3.11.x", "3.11.7"),
            (
                "*",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                "",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                "x",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                ">=18",
                "18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (">18", "19.0.0 20.0.0 20.1.5 20.2.0 21.0.0"),
            (">18.2", "18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0"),
            (
                "<20",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0",
            ),
            (
                "<=20",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0",
            ),
            (
                "<=20.1",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5",
            ),
            (
                ">=18 <21",
                "18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0",
            ),
            (
                ">= 18 < 21",
                "18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0",
            ),
            ("^1.2.3", "1.2.3 1.2.9 1.3.0"),
            ("^0.2.3", "0.2.3 0.2.9"),
            ("^0.0.3", "0.0.3"),
            ("^0.0", "0.0.3 0.0.4"),
            ("^0", "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0"),
            ("^18", "18.0.0 18.2.1 18.3.0"),
            ("~1.2.3", "1.2.3 1.2.9"),
            ("~1.2", "1.2.2 1.2.3 1.2.9"),
            ("~1", "1.2.2 1.2.3 1.2.9 1.3.0"),
            ("~> 1.2", "1.2.2 1.2.3 1.2.9"),
            ("1.2.3 - 2.3.4", "1.2.3 1.2.9 1.3.0 2.0.0 2.3.4"),
            ("1.2 - 2.3", "1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5"),
            ("1.2.3 - 2", "1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0"),
            (
                "16 || 18 || >=20",
                "16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                "^16.14.0 || >=18.0.0",
                "16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                ">=3.13.0-rc.1",
                "3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            (
                "<3.13.0-0",
                "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0",
            ),
            ("3.13.0-rc.1", ""),
            (
                ">1.2.3-beta",
                "1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0",
            ),
            ("<=1.2.3-beta", "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2"),
            ("~3.13.0-0", "3.13.0"),
            (">*", ""),
            ("<*", ""),
        ] {
            let parsed = Range::parse(range).expect(range);
            let all = "0.0.3 0.0.4 0.2.3 0.2.9 0.3.0 1.2.2 1.2.3 1.2.9 1.3.0 2.0.0 2.3.4 2.3.5 2.4.0 3.0.0 3.11.7 3.12.0 3.13.0 16.13.0 16.14.2 18.0.0 18.2.1 18.3.0 19.0.0 20.0.0 20.1.5 20.2.0 21.0.0".split(' ');
            let found: Vec<_> = all
                .filter(|version| parsed.matches(release(version).expect("a release")))
                .collect();
            assert_eq!(found.join(" "), matching, "{range}");
        }
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in [
            "lts/*", "latest", "3.x.y.z", "1.2.3.4", "stable", "=>1", "3.13-dev",
        ] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_newest_that_is_meant_is_taken() {
        let versions = ["3.9.18", "3.11.7", "3.10.13", "system", "3.11.16"];
        let newest = |range: &str| Range::parse(range).expect("a range").newest(versions);
        assert_eq!(newest("3.x"), Some("3.11.16"));
        assert_eq!(newest("3.10"), Some("3.10.13"));
        assert_eq!(newest("3.12"), None);
    }
}
