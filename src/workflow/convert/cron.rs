//! `on.schedule[].cron`: five fields of POSIX cron, as GitHub's parser takes them (`cron.ts` of actions/languageservices).
//!
//! A short interval is no error: GitHub starts such a workflow every five minutes. Nor does GitHub's parser look into a
//! `timezone`.

use std::ops::RangeInclusive;

/// What one field may be.
struct Field {
    name: &'static str,
    range: RangeInclusive<u32>,
    /// Names for numbers from the first of the range on.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field::new("minute", 0..=59, &[]),
    Field::new("hour", 0..=23, &[]),
    Field::new("day of the month", 1..=31, &[]),
    Field::new(
        "month",
        1..=12,
        &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    ),
    Field::new(
        "day of the week",
        0..=6,
        &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    ),
];

/// What is wrong with a cron expression, so that it can be mended.
pub(super) fn wrong_with(cron: &str) -> Option<String> {
    // Spaces alone part fields, and those at the ends make fields that are empty.
    let parts: Vec<&str> = cron.split(' ').collect();
    let is_inner = |index: &usize| *index == 0 || *index == parts.len() - 1;
    let parts: Vec<&str> = parts
        .iter()
        .enumerate()
        .filter(|(index, part)| !part.is_empty() || is_inner(index))
        .map(|(_, part)| *part)
        .collect();
    if parts.len() != FIELDS.len() {
        let shortcut = cron.trim_start().starts_with('@');
        let count = parts.len();
        return Some(match shortcut {
            true => "GitHub has no @daily and the like: write the five fields".to_owned(),
            false => {
                format!("it has {count} fields, parted by single or several spaces, and not 5")
            }
        });
    }
    let mut fields = FIELDS.iter().zip(parts);
    let (field, part) = fields.find(|(field, part)| !field.takes(part))?;
    let (first, last) = (field.range.start(), field.range.end());
    let names = match field.names {
        [] => String::new(),
        [first, .., last] => format!(", {first} to {last}"),
        [only] => format!(", {only}"),
    };
    Some(format!(
        "the {} is '{part}': it takes {first} to {last}{names}, `*`, `a-b`, `*/n`, `a-b/n`, and lists with commas",
        field.name
    ))
}

impl Field {
    const fn new(
        name: &'static str,
        range: RangeInclusive<u32>,
        names: &'static [&'static str],
    ) -> Self {
        Self { name, range, names }
    }

    /// A list of what follows.
    fn takes(&self, part: &str) -> bool {
        part.split(',').all(|item| self.takes_steps(item))
    }

    /// Something, or every so many of it; the number of steps is within the range too.
    fn takes_steps(&self, item: &str) -> bool {
        match item.split_once('/') {
            Some((start, step)) => {
                let is_number = step.parse::<u32>().is_ok_and(|step| step > 0);
                is_number && self.number(step).is_some() && self.takes_range(start)
            }
            None => self.takes_range(item),
        }
    }

    fn takes_range(&self, item: &str) -> bool {
        match item.split_once('-') {
            Some((start, end)) => {
                let bounds = self.number(start).zip(self.number(end));
                bounds.is_some_and(|(start, end)| start <= end)
            }
            None => item == "*" || self.number(item).is_some(),
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().zip(*self.range.start()..);
        let named = named
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = match named {
            Some((_, number)) => Some(number),
            None if is_digits => text.parse().ok(),
            None => None,
        };
        number.filter(|number| self.range.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_of_numbers_names_ranges_steps_and_lists() {
        for cron in [
            "* * * * *",
            "0 0 1 1 0",
            "59 23 31 12 6",
            "*/15 2,4-6 1-31/2 JAN-mar Sun",
            "5/10 */23 * jan,DEC mon-fri",
            "007  00   * * 1-5,6",
            "*/1 * * * *",
        ] {
            assert_eq!(wrong_with(cron), None, "{cron}");
        }
    }

    #[test]
    fn whatever_else_is_wrong() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            " * * * * *",
            "* * * * * ",
            "*\t* * * *",
            "@daily",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * 0 *",
            "* * * * 7",
            "* * * monday *",
            "jan * * * *",
            "5-1 * * * *",
            "*-5 * * * *",
            "1-2-3 * * * *",
            "1- * * * *",
            "*/0 * * * *",
            "*/60 * * * *",
            "*/ * * * *",
            "*/1/2 * * * *",
            "/5 * * * *",
            "* * * * */mon",
            "1, * * * *",
            ",1 * * * *",
            "? * * * *",
            "* * L * *",
            "* * * * 1#2",
            "-1 * * * *",
            "+1 * * * *",
            "1.5 * * * *",
            "99999999999 * * * *",
        ] {
            assert!(wrong_with(cron).is_some(), "{cron}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            wrong_with("0 25 * * *").as_deref(),
            Some(
                "the hour is '25': it takes 0 to 23, `*`, `a-b`, `*/n`, `a-b/n`, and lists with commas"
            )
        );
        assert_eq!(
            wrong_with("@weekly").as_deref(),
            Some("GitHub has no @daily and the like: write the five fields")
        );
    }
}
