//! Comparing values: what equals what, and what comes first.
//!
//! The rules are those of `EvaluationResult.cs` of the runner.

use std::cmp::Ordering;
use std::sync::Arc;

use super::number;
use super::value::Value;

/// GitHub's `==`: values of different kinds are compared as numbers, texts without regard to
/// case, arrays and objects by identity.
pub fn equals(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => same_text(left, right),
        (Value::Array(left), Value::Array(right)) => Arc::ptr_eq(left, right),
        (Value::Object(left), Value::Object(right)) => Arc::ptr_eq(left, right),
        _ => to_number(left) == to_number(right),
    }
}

/// GitHub's order for `<` and `>`; none where there is none: NaN, arrays, objects.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => Some(compare_text(left, right)),
        _ => to_number(left).partial_cmp(&to_number(right)),
    }
}

/// A value as a number; NaN where it is none.
pub fn to_number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Number(number) => *number,
        Value::String(text) => number::parse(text),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// Whether two texts are the same without regard to case (.NET `OrdinalIgnoreCase`).
pub fn same_text(left: &str, right: &str) -> bool {
    left == right || left.chars().map(fold).eq(right.chars().map(fold))
}

/// Whether `text` starts with `prefix`, without regard to case.
pub(super) fn starts_with(text: &str, prefix: &str) -> bool {
    let mut rest = text.chars();
    prefix
        .chars()
        .all(|wanted| rest.next().map(fold) == Some(fold(wanted)))
}

/// Whether `text` ends with `suffix`, without regard to case.
pub(super) fn ends_with(text: &str, suffix: &str) -> bool {
    let mut rest = text.chars().rev();
    suffix
        .chars()
        .rev()
        .all(|wanted| rest.next().map(fold) == Some(fold(wanted)))
}

/// Whether `needle` stands in `text`, without regard to case.
pub(super) fn contains_text(text: &str, needle: &str) -> bool {
    let fold_all = |text: &str| text.chars().map(fold).collect::<String>();
    fold_all(text).contains(&fold_all(needle))
}

fn compare_text(left: &str, right: &str) -> Ordering {
    // .NET orders UTF-16 units, which is not the order of code points beyond U+D7FF.
    let units = |text: &str| text.chars().map(fold).collect::<String>();
    units(left).encode_utf16().cmp(units(right).encode_utf16())
}

/// A character's upper case where that is one character. As in .NET, none outside ASCII becomes
/// one of ASCII, so that `ı` is not `I` and `ſ` is not `S`.
pub(super) fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_character_by_character() {
        assert!(same_text("Straße", "STRAßE"));
        assert!(!same_text("ß", "ss"));
        assert!(!same_text("ſ", "s"));
        assert!(same_text("ς", "Σ"));
        assert_eq!(compare_text("\u{ffff}", "\u{10000}"), Ordering::Greater);
    }

    #[test]
    fn collections_equal_themselves_alone() {
        let array = Value::from(vec![Value::Null]);
        assert!(equals(&array, &array.clone()));
        assert!(!equals(&array, &Value::from(vec![Value::Null])));
        assert!(!equals(&array, &Value::Number(f64::NAN)));
    }
}
