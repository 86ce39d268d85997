//! Which plain scalars are null, boolean or number.
//!
//! YAML 1.2's core schema as `YamlObjectReader.cs` implements it: `yes`, `on`, `1_000` and dates are strings, hexadecimal and octal
//! numbers have 32 bits and wrap to negative ones, and a decimal may have leading zeros.

use super::node::Scalar;

/// A type that a plain scalar may have, named by its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoreType {
    Null,
    Bool,
    Int,
    Float,
    Str,
}

impl CoreType {
    /// The type named by a tag's suffix; those GitHub does not know are errors.
    pub(super) fn from_suffix(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "null" => Self::Null,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            _ => return None,
        })
    }

    /// The suffix of its tag.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Str => "str",
        }
    }
}

/// The value of a plain scalar without a tag, or the type whose range it exceeds.
pub(super) fn implicit(text: &str) -> Result<Scalar, CoreType> {
    if let Some(scalar) = null(text).or_else(|| boolean(text)) {
        return Ok(scalar);
    }
    match integer(text) {
        Integer::Value(value) => return Ok(Scalar::Number(value)),
        Integer::TooBig => return Err(CoreType::Int),
        Integer::No => {}
    }
    Ok(float(text).map_or_else(|| Scalar::String(text.into()), Scalar::Number))
}

/// The value of a plain scalar that a tag gives a type; `None` when it cannot have it.
pub(super) fn explicit(text: &str, core_type: CoreType) -> Option<Scalar> {
    match core_type {
        CoreType::Null => null(text),
        CoreType::Bool => boolean(text),
        CoreType::Int => match integer(text) {
            Integer::Value(value) => Some(Scalar::Number(value)),
            Integer::TooBig | Integer::No => None,
        },
        CoreType::Float => float(text).map(Scalar::Number),
        CoreType::Str => Some(Scalar::String(text.into())),
    }
}

fn null(text: &str) -> Option<Scalar> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Scalar::Null)
}

fn boolean(text: &str) -> Option<Scalar> {
    match text {
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        _ => None,
    }
}

enum Integer {
    No,
    Value(f64),
    TooBig,
}

fn integer(text: &str) -> Integer {
    if let Some(digits) = text.strip_prefix("0x") {
        return bits(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return bits(digits, 8);
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Integer::No;
    }
    text.parse().map_or(Integer::No, Integer::Value)
}

/// 32 bits of a base, read as a signed number, as `Convert.ToInt32` does.
fn bits(digits: &str, radix: u32) -> Integer {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Integer::No;
    }
    u32::from_str_radix(digits, radix).map_or(Integer::TooBig, |value| {
        Integer::Value(f64::from(value.cast_signed()))
    })
}

fn float(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => Some(f64::NAN),
        _ if is_decimal(unsigned) => text.parse().ok(),
        _ => None,
    }
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_is_good = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_is_good
        && all_digits(whole)
        && all_digits(fraction)
        && (!whole.is_empty() || !fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<f64> {
        match implicit(text) {
            Ok(Scalar::Number(value)) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn numbers_are_those_of_the_core_schema() {
        for (text, value) in [
            ("017", 17.0),
            ("08", 8.0),
            ("0o17", 15.0),
            ("0xFF", 255.0),
            ("0xFFFFFFFF", -1.0),
            ("1e3", 1000.0),
            ("3.10", 3.1),
            ("-.5", -0.5),
            ("1.", 1.0),
            ("-.INF", f64::NEG_INFINITY),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        assert!(number(".nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "yes",
            "on",
            "1_000",
            "0b11",
            "0X1F",
            "-0x1F",
            ".",
            "-",
            "+",
            "e5",
            "1e",
            "2001-12-14",
            "-.nan",
            "tRue",
        ] {
            assert_eq!(implicit(text), Ok(Scalar::String(text.into())), "{text}");
        }
    }

    #[test]
    fn hexadecimal_beyond_32_bits_is_an_error() {
        assert_eq!(implicit("0x1FFFFFFFF"), Err(CoreType::Int));
    }
}
