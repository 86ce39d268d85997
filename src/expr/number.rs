//! Numbers as text, both ways.

use serde_json::Value as Json;

/// Reads a number as the runner does (`ExpressionUtility.ParseNumber`): decimal with sign,
/// fraction and exponent, `0x` and `0o` of 32 bits without a sign, `Infinity` in any case (which
/// .NET's `Double.TryParse` takes); empty is zero, space around it is ignored, and what is no
/// number is NaN.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.eq_ignore_ascii_case("Infinity") {
        return match text.starts_with('-') {
            true => f64::NEG_INFINITY,
            false => f64::INFINITY,
        };
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return parse_radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return parse_radix(digits, 8);
    }
    // Rust also reads `inf` and `nan`, which are no numbers here.
    let decimal = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    match text.bytes().all(decimal) {
        true => text.parse().unwrap_or(f64::NAN),
        false => f64::NAN,
    }
}

/// 32 bits read as a signed integer, as .NET reads them.
fn parse_radix(digits: &str, radix: u32) -> f64 {
    match digits.starts_with('+') {
        true => f64::NAN,
        false => u32::from_str_radix(digits, radix)
            .map_or(f64::NAN, |bits| f64::from(bits.cast_signed())),
    }
}

/// Significant digits of the runner's text form (.NET `G15`).
const DIGITS: usize = 15;

/// Writes a number as the runner does: .NET's `G15` in the invariant culture.
pub(super) fn to_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.*e}", DIGITS - 1, number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let sign = if number < 0.0 { "-" } else { "" };
    let unsigned = match exponent {
        ..-4 | 15.. => exponential(digits, exponent),
        -4..0 => format!(
            "0.{}{digits}",
            "0".repeat((-exponent - 1).unsigned_abs() as usize)
        ),
        0..15 => positional(digits, exponent.unsigned_abs() as usize + 1),
    };
    format!("{sign}{unsigned}")
}

/// `1.5E+20`: at least two digits of exponent, always a sign.
fn exponential(digits: &str, exponent: i32) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}E{sign}{:02}", exponent.unsigned_abs())
}

/// The digits with the point after `whole` of them.
fn positional(digits: &str, whole: usize) -> String {
    match digits.split_at_checked(whole) {
        Some((integer, "")) => integer.to_owned(),
        Some((integer, fraction)) => format!("{integer}.{fraction}"),
        None => format!("{digits:0<whole$}"),
    }
}

/// A JSON number, whole where the value is.
pub(super) fn to_json(number: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Json::from(number as i64)
    } else {
        serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_with_fifteen_digits() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (-0.0, "0"),
            (1e14, "100000000000000"),
            (1e15, "1E+15"),
            (1.5e20, "1.5E+20"),
            (0.0001, "0.0001"),
            (0.00001, "1E-05"),
            (-1234.5, "-1234.5"),
            (1e100, "1E+100"),
            (0.845_512_408_225_570_1, "0.84551240822557"),
        ] {
            assert_eq!(to_text(number), text);
        }
    }

    #[test]
    fn text_that_is_no_number_is_nan() {
        for text in [
            "abc", "nan", "inf", "1e", "-0xFF", "0x", "0x+1", "0o8", ".", "1_000",
        ] {
            assert!(parse(text).is_nan(), "{text}");
        }
        assert_eq!(parse(" 0xfF "), 255.0);
        assert_eq!(parse("1."), 1.0);
        assert_eq!(parse("\t"), 0.0);
        assert_eq!(parse("-infinity"), f64::NEG_INFINITY);
    }
}
