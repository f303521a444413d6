//! Errors of `serde` in words for people.

/// The same in words for people: what is wrong, and what was probably meant.
pub(super) fn words(error: &str) -> String {
    if let Some(rest) = error.strip_prefix("unknown field `") {
        return unknown(rest, "unknown field");
    }
    if let Some(rest) = error.strip_prefix("unknown variant `") {
        return unknown(rest, "unknown value");
    }
    if let Some(rest) = error.strip_prefix("missing field ") {
        return format!("{rest} is missing");
    }
    if error.starts_with("data did not match any variant of untagged enum") {
        return "expected a quantity, such as 500m, 2 or 16Gi".to_owned();
    }
    let Some((found, expected)) = error
        .strip_prefix("invalid type: ")
        .or_else(|| error.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return error.to_owned();
    };
    let (sort, value) = found.split_once(" `").unwrap_or((found, ""));
    let value = value.trim_end_matches('`');
    match (range(expected), sort) {
        (Some((least, most)), "integer" | "floating point") => {
            format!("{value} is not a whole number from {least} to {most}")
        }
        (Some(_), _) => format!("expected a whole number, found {}", named(found)),
        (None, "integer" | "floating point" | "boolean") if expected == "a string" => {
            let sort = match sort {
                // YAML's, as Kubernetes reads it.
                "boolean" => "true or false, which yes, no, y, n, on and off are too",
                _ => "a number",
            };
            format!("expected a text, found {sort}: put it in quotes")
        }
        _ => format!("expected {}, found {}", named(expected), named(found)),
    }
}

/// The range of a type of whole numbers.
fn range(expected: &str) -> Option<(i128, i128)> {
    Some(match expected {
        "u8" => (0, u8::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" => (0, u64::MAX.into()),
        "usize" => (0, i128::try_from(usize::MAX).unwrap_or(i128::MAX)),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "i64" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

/// What `serde` calls something, as people do.
fn named(what: &str) -> String {
    let (sort, value) = what.split_once(' ').unwrap_or((what, ""));
    match sort {
        _ if what.starts_with("struct ") => "a mapping".to_owned(),
        "map" => "a mapping".to_owned(),
        "sequence" | "list" => "a list".to_owned(),
        "null" | "unit" => "nothing".to_owned(),
        "string" if value.is_empty() => "a text".to_owned(),
        "string" => format!("the text {value}"),
        "integer" | "boolean" => value.trim_matches('`').to_owned(),
        "floating" => value.trim_start_matches("point ").trim_matches('`').to_owned(),
        _ if what == "a sequence" => "a list".to_owned(),
        _ if what == "a map" => "a mapping".to_owned(),
        _ if what == "a string" => "a text".to_owned(),
        _ => what.to_owned(),
    }
}

/// From ``x`, expected one of `a`, `b``.
fn unknown(rest: &str, what: &str) -> String {
    let (name, expected) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("{what} `{name}`: did you mean `{near}`?"),
        None if known.is_empty() => format!("{what} `{name}`"),
        None => format!("{what} `{name}`: known are {}", known.join(", ")),
    }
}

/// The most similar of these names, if one is similar.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    let distance = |other: &str| strsim::osa_distance(&folded, &other.to_lowercase());
    // A third of the longer one may be other.
    let most = |other: &str| (name.chars().count().max(other.chars().count()) / 3).max(1);
    known
        .map(|other| (distance(other), other))
        .filter(|(distance, other)| *distance <= most(other))
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_was_meant() {
        for (error, expect) in [
            (
                "unknown field `lable`, expected one of `name`, `labels`, `cost`",
                "unknown field `lable`: did you mean `labels`?",
            ),
            (
                "unknown field `lifecycle`, expected `lifeCycle` or `name`",
                "unknown field `lifecycle`: did you mean `lifeCycle`?",
            ),
            (
                "unknown field `zzz`, expected one of `name`, `labels`, `cost`",
                "unknown field `zzz`: known are name, labels, cost",
            ),
            ("unknown field `a`, there are no fields", "unknown field `a`"),
            (
                "unknown variant `redy`, expected one of `joining`, `ready`",
                "unknown value `redy`: did you mean `ready`?",
            ),
            ("missing field `effect`", "`effect` is missing"),
            (
                "invalid value: integer `-1`, expected u32",
                "-1 is not a whole number from 0 to 4294967295",
            ),
            (
                "invalid type: floating point `1.5`, expected i64",
                "1.5 is not a whole number from -9223372036854775808 to 9223372036854775807",
            ),
            (
                "invalid type: string \"many\", expected u64",
                "expected a whole number, found the text \"many\"",
            ),
            (
                "invalid type: integer `1`, expected a string",
                "expected a text, found a number: put it in quotes",
            ),
            (
                "invalid type: boolean `true`, expected a string",
                "expected a text, found true or false, which yes, no, y, n, on and off are too: put it in quotes",
            ),
            (
                "invalid type: sequence, expected a map",
                "expected a mapping, found a list",
            ),
            (
                "invalid type: null, expected a sequence",
                "expected a list, found nothing",
            ),
            (
                "invalid type: string \"a\", expected struct WrittenCluster",
                "expected a mapping, found the text \"a\"",
            ),
            ("cpu: -1 is negative", "cpu: -1 is negative"),
        ] {
            assert_eq!(words(error), expect, "{error}");
        }
    }
}
