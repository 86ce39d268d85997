//! How keys and quantities are written.

/// `1,204 files`, `1 file`.
pub fn count(number: u64, thing: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{text} {thing}{plural}")
}

/// A key or a value with its long hexadecimal digests cut to four digits.
pub fn shorten(text: &str) -> String {
    const LONG: usize = 12;
    const KEPT: usize = 4;
    let mut short = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest
            .find(|character: char| !character.is_ascii_hexdigit())
            .unwrap_or(rest.len());
        if run >= LONG {
            short.push_str(&rest[..KEPT]);
            short.push('…');
        } else {
            short.push_str(&rest[..run]);
        }
        let next = rest[run..].chars().next();
        short.extend(next);
        rest = &rest[run + next.map_or(0, char::len_utf8)..];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_things_counted() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1_234_567, "file"), "1,234,567 files");
    }

    #[test]
    fn digests_in_keys_are_cut() {
        assert_eq!(
            shorten("cargo-Linux-9f3cdeadbeef0123-é"),
            "cargo-Linux-9f3c…-é"
        );
        assert_eq!(shorten("v1-deadbeef"), "v1-deadbeef");
    }
}
