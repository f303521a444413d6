//! What a YAML scalar means in Kubernetes.
//!
//! Kubernetes reads YAML with a Go library that follows YAML 1.1 in some points and Go's own number syntax in others.
//! The rules here are measured against it, case by case: see `tests/data/yaml-as-go-reads-it.tsv`.

use serde_json::{Number, Value};

use super::base64;

/// A scalar before it becomes JSON: as a key, a float is written in another way than as a value.
pub(super) enum Resolved<'t> {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(&'t str),
    Bytes(String),
}

const FLOAT_BEYOND_JSON: &str = "infinite numbers and `.nan` have no form in JSON: quote the text";
const TAG_MISMATCH: &str = "the value does not fit its tag";
const NOT_BASE64: &str = "`!!binary` is not followed by base64";
const NOT_TEXT: &str = "`!!binary` content is not text";
const KEY_NULL: &str = "a key is empty or null: quote it if it is meant as text";
const KEY_TOO_BIG: &str = "a number used as key is too big: quote it";
const KEY_COMPLEX: &str =
    "a mapping or list stands where a key is expected (quote a template, such as `{{ … }}`)";

/// A plain scalar without a tag.
pub(super) fn plain(text: &str) -> Resolved<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => underscores_between_digits(text)
            .then(|| float(&text.replace('_', "")))
            .flatten()
            .map_or(Resolved::Text(text), Resolved::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let digits = text.replace('_', "");
            if let Some(integer) = integer(&digits) {
                Resolved::Integer(integer)
            } else if let Some(float) = float(&digits) {
                Resolved::Float(float)
            } else {
                Resolved::Text(text)
            }
        }
        _ => Resolved::Text(text),
    }
}

/// A scalar with a tag, given as its full URI or as `!local`.
pub(super) fn tagged<'t>(tag: &str, text: &'t str) -> Result<Resolved<'t>, &'static str> {
    let Some(core) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(Resolved::Text(text));
    };
    let fits = match (core, plain(text)) {
        ("binary", _) => {
            let bytes = base64::decode(text).ok_or(NOT_BASE64)?;
            return Ok(Resolved::Bytes(String::from_utf8(bytes).map_err(|_| NOT_TEXT)?));
        }
        ("null", found @ Resolved::Null)
        | ("bool", found @ Resolved::Bool(_))
        | ("int", found @ Resolved::Integer(_))
        | ("float", found @ (Resolved::Float(_) | Resolved::Integer(_))) => found,
        ("null" | "bool" | "int" | "float", _) => return Err(TAG_MISMATCH),
        _ => Resolved::Text(text),
    };
    Ok(fits)
}

impl Resolved<'_> {
    /// As a JSON value.
    pub(super) fn into_value(self) -> Result<Value, &'static str> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Integer(i) => Number::from_i128(i).map_or(Value::Null, Value::Number),
            Self::Float(f) => number(f).ok_or(FLOAT_BEYOND_JSON)?,
            Self::Text(text) => Value::String(text.to_owned()),
            Self::Bytes(text) => Value::String(text),
        })
    }

    /// As a key of a JSON mapping.
    pub(super) fn into_key(self) -> Result<String, &'static str> {
        Ok(match self {
            Self::Null => return Err(KEY_NULL),
            Self::Bool(b) => b.to_string(),
            Self::Integer(i) if i64::try_from(i).is_ok() => i.to_string(),
            Self::Integer(_) => return Err(KEY_TOO_BIG),
            Self::Float(f) => float_key(f),
            Self::Text(text) => text.to_owned(),
            Self::Bytes(text) => text,
        })
    }
}

/// A value, reached through an alias, as a key.
pub(super) fn key_of(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::Null => Resolved::Null.into_key(),
        Value::Bool(b) => Resolved::Bool(*b).into_key(),
        Value::Number(n) => match n.as_i128() {
            Some(i) => Resolved::Integer(i).into_key(),
            None => n
                .as_f64()
                .map_or(Err(KEY_TOO_BIG), |f| Resolved::Float(f).into_key()),
        },
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) | Value::Object(_) => Err(KEY_COMPLEX),
    }
}

pub(super) const COMPLEX_KEY: &str = KEY_COMPLEX;

/// A float as JSON, the way it looks after a round through the API server: written by Go in the fewest digits (with an
/// exponent only from 1e21 on), then read as an integer if it looks like one. `None` for infinite and NaN.
pub(super) fn number(float: f64) -> Option<Value> {
    if float.fract() == 0.0 && float.abs() < 1e21 {
        let digits = float.to_string();
        if let Ok(integer) = digits.parse::<i64>() {
            return Some(integer.into());
        }
        if let Ok(integer) = digits.parse::<u64>() {
            return Some(integer.into());
        }
    }
    Number::from_f64(float).map(Value::Number)
}

/// An integer in Go's syntax: `0x`, `0o`, `0b`, and a leading zero for octal.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => ("+", &text[1..]),
        b'-' => ("-", &text[1..]),
        _ => ("", text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match prefix.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    let value = if radix == 2 && sign.is_empty() && digits.starts_with(['+', '-']) {
        // `0b-1`: an oddity of the Go library.
        i64::from_str_radix(digits, 2).ok()?.into()
    } else {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        i128::from(u64::from_str_radix(digits, radix).ok()?)
    };
    let value = if sign == "-" { -value } else { value };
    // Only without a sign does Go try the unsigned numbers.
    (sign.is_empty() || i64::try_from(value).is_ok()).then_some(value)
}

/// A float in decimal digits; `None` when it is too big, as Go then takes it for a text.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let has_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !is_number || !has_exponent {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

fn underscores_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let mut underscores = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    underscores.all(|(i, _)| is_digit(i.checked_sub(1)) && is_digit(Some(i + 1)))
}

/// A float as a key: Go writes it in single precision, with an exponent of two digits outside 1e-4..1e6.
fn float_key(float: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "as the Go library does")]
    let single = float as f32;
    if single.is_nan() {
        return ".nan".into();
    }
    if single.is_infinite() {
        return if single > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{single:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return single.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
