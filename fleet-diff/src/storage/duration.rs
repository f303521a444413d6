//! Durations as Go prints them: `8760h` is stored as `8760h0m0s`.

/// The stored form of a duration; none when it is no duration.
pub(super) fn canonical(text: &str) -> Option<String> {
    Some(print(parse(text)?))
}

/// Nanoseconds.
fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let (unit, size): (_, i128) = [
            ("ns", 1),
            ("us", 1_000),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("m", 60_000_000_000),
            ("h", 3_600_000_000_000),
        ]
        .into_iter()
        .find(|(unit, _)| tail.starts_with(unit))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        total += whole
            .parse::<i128>()
            .or(if whole.is_empty() { Ok(0) } else { Err(()) })
            .ok()?
            * size;
        let mut part = size;
        for digit in fraction.bytes() {
            part /= 10;
            total += i128::from(digit.checked_sub(b'0')?) * part;
        }
        rest = &tail[unit.len()..];
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn print(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let all = nanos.unsigned_abs();
    if all == 0 {
        return "0s".into();
    }
    let with_fraction = |value: u64, unit: u64| {
        let (whole, rest) = (value / unit, value % unit);
        if rest == 0 {
            return whole.to_string();
        }
        let width = unit.ilog10() as usize;
        format!("{whole}.{}", format!("{rest:0width$}").trim_end_matches('0'))
    };
    if all < 1_000 {
        return format!("{sign}{all}ns");
    }
    if all < 1_000_000 {
        return format!("{sign}{}µs", with_fraction(all, 1_000));
    }
    if all < 1_000_000_000 {
        return format!("{sign}{}ms", with_fraction(all, 1_000_000));
    }
    let (minutes, rest) = (all / 60_000_000_000, all % 60_000_000_000);
    let seconds = with_fraction(rest, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_prints_them() {
        let cases = [
            ("8760h", Some("8760h0m0s")),
            ("90s", Some("1m30s")),
            ("1h30m", Some("1h30m0s")),
            ("0", Some("0s")),
            ("1.5s", Some("1.5s")),
            ("1500ms", Some("1.5s")),
            ("10us", Some("10µs")),
            ("-1m", Some("-1m0s")),
            ("5", None),
            ("", None),
            ("h", None),
            ("1d", None),
        ];
        for (text, expect) in cases {
            assert_eq!(canonical(text).as_deref(), expect, "{text}");
        }
    }
}
