//! Resource quantities (apimachinery, `pkg/api/resource/quantity.go`).

use std::fmt;

/// An amount such as `100m`, `1.5Gi` or `12e6`, exact to the nano.
///
/// Two quantities are equal when they are the same amount. Printed in the form the API server stores: the largest
/// suffix that leaves a whole number, `1500m` rather than `1.5`.
///
/// ```
/// use fleet_diff::Quantity;
///
/// let quantity: Quantity = "1000m".parse()?;
/// assert_eq!(quantity, "1".parse()?);
/// assert_eq!(quantity.to_string(), "1");
/// assert_eq!("0.5Gi".parse::<Quantity>()?.to_string(), "512Mi");
/// # Ok::<(), fleet_diff::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
    format: Format,
    is_capped: bool,
}

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity: {0}")]
pub struct QuantityError(&'static str);

const TOO_LARGE: QuantityError = QuantityError("it is too large");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    DecimalSi,
    BinarySi,
    Exponent,
}

const NANOS: i128 = 1_000_000_000;

impl Quantity {
    /// The form in which a server stores this text: as it is where its form counts as canonical, which is more than
    /// what is printed here (`+10`, `10.500`, `20e0`).
    ///
    /// # Errors
    /// When it is no quantity.
    pub fn stored_form(text: &str) -> Result<String, QuantityError> {
        let text = text.trim();
        let quantity: Self = text.parse()?;
        Ok(if parsed(text).is_some_and(|parsed| parsed.is_kept) {
            text.to_owned()
        } else {
            quantity.to_string()
        })
    }

    /// As [`stored_form`](Self::stored_form) in a list of resources, which is kept in thousandths.
    ///
    /// # Errors
    /// When it is no quantity.
    pub fn stored_resource(text: &str) -> Result<String, QuantityError> {
        let quantity: Self = text.trim().parse()?;
        let rounded = quantity.rounded_up_to_milli();
        if rounded == quantity {
            Self::stored_form(text)
        } else {
            Ok(rounded.to_string())
        }
    }

    /// Whether the text says more than this: the largest amount that a server keeps is 2^63 - 1, and it takes that for
    /// whatever is larger, either side of zero.
    pub fn is_capped(self) -> bool {
        self.is_capped
    }

    /// In whole units, rounded up, away from zero.
    pub fn value(self) -> i128 {
        self.in_steps_of(NANOS)
    }

    /// In thousandths, rounded up, away from zero.
    pub fn milli_value(self) -> i128 {
        self.in_steps_of(NANOS / 1000)
    }

    fn in_steps_of(self, step: i128) -> i128 {
        let rest = self.nanos % step;
        self.nanos / step + if rest == 0 { 0 } else { rest.signum() }
    }

    /// Rounded up, away from zero, to whole thousandths, as the server keeps lists of resources.
    #[must_use]
    pub fn rounded_up_to_milli(self) -> Self {
        const STEP: i128 = 1_000_000;
        let rest = self.nanos % STEP;
        let up = if rest == 0 { 0 } else { rest.signum() * STEP - rest };
        Self {
            nanos: self.nanos + up,
            ..self
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(QuantityError("it has no digits"));
        }
        if fraction.contains('.') {
            return Err(QuantityError("it has two decimal points"));
        }
        let (base, exponent, format) = scale(suffix)?;
        // The digits as one number, and how many of them are behind the point.
        let mut digits: i128 = 0;
        let mut behind: i32 = 0;
        let mut lost = false;
        for (c, is_fraction) in whole
            .bytes()
            .map(|c| (c, false))
            .chain(fraction.bytes().map(|c| (c, true)))
        {
            if is_fraction && behind >= 24 {
                lost |= c != b'0';
                continue;
            }
            digits = digits
                .checked_mul(10)
                .and_then(|d| d.checked_add(i128::from(c - b'0')))
                .ok_or(TOO_LARGE)?;
            behind += i32::from(is_fraction);
        }
        let mut nanos = digits;
        let mut ten = 9 - behind;
        if base == 2 {
            nanos = nanos
                .checked_mul(1_i128.checked_shl(exponent.unsigned_abs()).ok_or(TOO_LARGE)?)
                .ok_or(TOO_LARGE)?;
        } else {
            ten += exponent;
        }
        for _ in 0..ten.max(0) {
            nanos = nanos.checked_mul(10).ok_or(TOO_LARGE)?;
        }
        // What is smaller than a nano rounds up.
        for _ in ten..0 {
            lost |= nanos % 10 != 0;
            nanos /= 10;
        }
        nanos += i128::from(lost);
        let most = i128::from(i64::MAX) * NANOS;
        let is_capped = nanos > most;
        let nanos = nanos.min(most);
        Ok(Self {
            nanos: if negative { -nanos } else { nanos },
            format,
            is_capped,
        })
    }
}

/// What Go makes of a text: two texts of the same amount may be two values there (`ParseQuantity`).
#[derive(PartialEq)]
struct Parsed {
    format: Format,
    /// The text is kept ("if the number is in canonical form, reuse the string").
    is_kept: bool,
    /// The number and how many tens it is times; none for what needs more than a machine's integers.
    machine: Option<(i64, i32)>,
}

/// Whether the two are one value to Go, which compares how they are held and not the amount alone. Both are quantities.
pub(super) fn is_one_value(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        return true;
    }
    let (a, b) = (parsed(one), parsed(other));
    // Texts that are kept are other texts here.
    a == b
        && a.is_some_and(|a| !a.is_kept && (a.machine.is_some() || one.parse::<Quantity>() == other.parse()))
}

fn parsed(text: &str) -> Option<Parsed> {
    if text == "0" {
        return Some(Parsed {
            format: Format::DecimalSi,
            is_kept: true,
            machine: Some((0, 0)),
        });
    }
    let digits = text.trim_start_matches(['+', '-']);
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let (_, exponent, format) = scale(suffix).ok()?;
    let shifted = format!("{whole}{fraction}");
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX / 4);
    let value = shifted.parse::<i64>().ok();
    let (machine, is_canonical) = match format {
        Format::BinarySi => {
            let precision = 15 - length(whole) - exponent * 3 / 10 - 1;
            let fits = fraction.is_empty() && precision >= 0;
            let amount = value
                .filter(|_| fits)
                .and_then(|value| value.checked_mul(1_i64.checked_shl(exponent.unsigned_abs())?));
            (
                amount.map(|amount| (amount, 0)),
                value.is_some_and(|value| value & 7 != 0),
            )
        }
        Format::DecimalSi | Format::Exponent => {
            let scale = exponent - length(fraction);
            let fits = shifted.len() <= 18 && scale >= -9;
            let is_canonical = scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0');
            (value.filter(|_| fits).map(|value| (value, scale)), is_canonical)
        }
    };
    let sign = if text.starts_with('-') { -1 } else { 1 };
    Some(Parsed {
        format,
        is_kept: machine.is_some() && is_canonical,
        machine: machine.map(|(value, scale)| (sign * value, scale)),
    })
}

/// Base, exponent and form of a suffix.
fn scale(suffix: &str) -> Result<(u32, i32, Format), QuantityError> {
    Ok(match suffix {
        "n" => (10, -9, Format::DecimalSi),
        "u" => (10, -6, Format::DecimalSi),
        "m" => (10, -3, Format::DecimalSi),
        "" => (10, 0, Format::DecimalSi),
        "k" => (10, 3, Format::DecimalSi),
        "M" => (10, 6, Format::DecimalSi),
        "G" => (10, 9, Format::DecimalSi),
        "T" => (10, 12, Format::DecimalSi),
        "P" => (10, 15, Format::DecimalSi),
        "E" => (10, 18, Format::DecimalSi),
        "Ki" => (2, 10, Format::BinarySi),
        "Mi" => (2, 20, Format::BinarySi),
        "Gi" => (2, 30, Format::BinarySi),
        "Ti" => (2, 40, Format::BinarySi),
        "Pi" => (2, 50, Format::BinarySi),
        "Ei" => (2, 60, Format::BinarySi),
        _ => {
            let exponent = suffix
                .strip_prefix(['e', 'E'])
                .and_then(|exponent| exponent.parse::<i32>().ok());
            match exponent {
                Some(exponent) if exponent.abs() <= 40 => (10, exponent, Format::Exponent),
                Some(41..) => return Err(TOO_LARGE),
                _ => return Err(QuantityError("its suffix is unknown")),
            }
        }
    })
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        if self.format == Format::BinarySi && self.nanos.abs() >= 1024 * NANOS && self.nanos % NANOS == 0 {
            let mut units = self.nanos / NANOS;
            let mut power = 0;
            while units % 1024 == 0 && power < 6 {
                units /= 1024;
                power += 1;
            }
            return write!(f, "{units}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]);
        }
        let (mut amount, mut exponent) = (self.nanos, -9);
        while amount % 1000 == 0 && exponent < 18 {
            amount /= 1000;
            exponent += 3;
        }
        if self.format == Format::Exponent {
            return match exponent {
                0 => write!(f, "{amount}"),
                _ => write!(f, "{amount}e{exponent}"),
            };
        }
        let suffix = match exponent {
            -9 => "n",
            -6 => "u",
            -3 => "m",
            3 => "k",
            6 => "M",
            9 => "G",
            12 => "T",
            15 => "P",
            18 => "E",
            _ => "",
        };
        write!(f, "{amount}{suffix}")
    }
}

impl QuantityError {
    /// Whether it is a number, and one too large to be read.
    pub fn is_too_large(&self) -> bool {
        *self == TOO_LARGE
    }

    #[cfg(test)]
    fn text(&self) -> &'static str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        let cases = [
            ("0", "0"),
            ("0Gi", "0"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("0.15", "150m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("512", "512"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("0.5Ki", "512"),
            ("1Ki", "1Ki"),
            ("12e6", "12e6"),
            ("12E6", "12e6"),
            ("1e3", "1e3"),
            ("1e0", "1"),
            ("1.2e3", "1200"),
            ("-1.5", "-1500m"),
            ("+2", "2"),
            (".5", "500m"),
            ("5.", "5"),
            ("0.0000000001", "1n"),
            ("100u", "100u"),
            ("1E", "1E"),
            ("9999E", "9223372036854775807"),
            ("3072Mi", "3Gi"),
            ("1000k", "1M"),
        ];
        for (text, expect) in cases {
            let quantity: Quantity = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(quantity.to_string(), expect, "{text}");
        }
        for (text, expect) in [
            ("9223372036854775807", Some(false)),
            ("9223372036854775807.5", Some(true)),
            ("9223372036854775808", Some(true)),
            ("-9223372036854775807", Some(false)),
            ("-9223372036854775808", Some(true)),
            ("8Ei", Some(true)),
            ("9999999999Ei", Some(true)),
            ("9e40", None),
            ("9e41", None),
            ("9999999999999999999999Ei", None),
        ] {
            let quantity = text.parse::<Quantity>();
            let is_too_large = quantity.as_ref().is_err_and(QuantityError::is_too_large);
            assert_eq!(is_too_large, expect.is_none(), "{text}");
            assert_eq!(quantity.ok().map(Quantity::is_capped), expect, "{text}");
        }
        let kept = [
            ("+10", "+10"),
            ("10.500", "10.500"),
            ("20e0", "20e0"),
            ("1000m", "1"),
            ("1.5", "1500m"),
            ("0.5", "500m"),
            ("1Gi", "1Gi"),
            ("8Gi", "8Gi"),
            ("01", "01"),
            ("1024Mi", "1Gi"),
        ];
        for (text, expect) in kept {
            assert_eq!(Quantity::stored_form(text).unwrap(), expect, "{text}");
        }
        for (one, other, expect) in [
            ("1Gi", "1Gi", true),
            ("40960Mi", "40Gi", true),
            ("1024Mi", "1Gi", false),
            ("1000m", "1", false),
            ("2000", "2k", false),
            ("0.5Gi", "512Mi", false),
            ("1.5Gi", "1.50Gi", true),
            ("1.5Gi", "2.5Gi", false),
            ("00", "0", false),
            ("8Gi", "-8Gi", false),
        ] {
            assert_eq!(is_one_value(one, other), expect, "{one} {other}");
        }
        for (bad, why) in [
            ("", "no digits"),
            ("x", "no digits"),
            ("1x", "suffix"),
            ("1.2.3", "two"),
            ("1 Gi", "suffix"),
        ] {
            assert!(bad.parse::<Quantity>().unwrap_err().text().contains(why), "{bad}");
        }
        assert_eq!(
            "1u".parse::<Quantity>()
                .unwrap()
                .rounded_up_to_milli()
                .to_string(),
            "1m"
        );
    }
}
