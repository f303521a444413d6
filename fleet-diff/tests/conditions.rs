//! Conditions: what they say, what is refused, and what bounds them.
#![allow(missing_docs, clippy::unwrap_used, clippy::pedantic)]

use std::time::{Duration, Instant};

use fleet_diff::{Condition, Document, EvaluationError};
use proptest::prelude::*;

const VARIABLES: [&str; 2] = ["self", "live"];

fn object() -> Document {
    r#"{
        "apiVersion": "example.com/v1", "kind": "Thing",
        "metadata": {"name": "web", "namespace": "prod", "labels": {"app.example.com/name": "shop", "tier": "one"}},
        "spec": {
            "replicas": 3, "ratio": 0.5, "big": 18446744073709551615, "paused": false, "nothing": null,
            "list": [1, 2, 3], "ports": [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
        }
    }"#
    .parse()
    .unwrap()
}

fn ask(text: &str, object: &Document) -> Result<Result<bool, EvaluationError>, String> {
    let condition = Condition::new(text, &VARIABLES).map_err(|error| error.to_string())?;
    Ok(condition.holds(&[Some(object.root()), None]))
}

#[test]
fn what_they_say() {
    let object = object();
    let mut count = 0;
    for line in include_str!("conditions/cases.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (text, expect) = line.rsplit_once(" => ").unwrap();
        let found = match ask(text, &object) {
            Ok(Ok(truth)) => truth.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error,
        };
        assert_eq!(found, expect, "{text}");
        count += 1;
    }
    assert!(count > 180, "{count}");
}

#[test]
fn what_is_refused() {
    let long = format!("{}1", "1 + ".repeat(2000));
    let deep = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
    let cases = [
        ("", "line 1, column 1: the expression ends early"),
        ("self.", "line 1, column 6: the expression ends early"),
        ("1 +\n\n  ", "line 3, column 3: the expression ends early"),
        (
            "self.spec.replicas = 1",
            "line 1, column 20: an operator, or the end, is expected here",
        ),
        ("a == 1", "line 1, column 1: nothing here is called `a`"),
        (
            "true &&\n  selv.x",
            "line 2, column 3: nothing here is called `selv`",
        ),
        (
            "for == 1",
            "line 1, column 1: `for` cannot be the name of something",
        ),
        (
            "[1].all(true, true)",
            "line 1, column 9: `true` cannot be the name of something",
        ),
        ("[1].all(x)", "line 1, column 10: `,` is expected here"),
        (
            "[1].all(x,)",
            "line 1, column 5: `all` does not take so many values",
        ),
        (
            "[1].all(x, true, true)",
            "line 1, column 5: `all` does not take so many values",
        ),
        (
            "[1].map(x, true, x, x)",
            "line 1, column 5: `map` does not take so many values",
        ),
        ("[1].all(x.y, true)", "line 1, column 10: `,` is expected here"),
        (
            "[1].all(1, true)",
            "line 1, column 9: `all` needs the name of a variable first",
        ),
        ("x.all(x, x)", "line 1, column 1: nothing here is called `x`"),
        (
            "[1].all(x, true) && x",
            "line 1, column 21: nothing here is called `x`",
        ),
        (
            "'a'.matches('a')",
            "line 1, column 5: there is no function `matches` that takes so many values",
        ),
        (
            "size(1, 2)",
            "line 1, column 1: there is no function `size` that takes so many values",
        ),
        (
            "contains('a', 'b')",
            "line 1, column 1: there is no function `contains` that takes so many values",
        ),
        (
            "has(self)",
            "line 1, column 1: `has` asks for a field: `has(a.b)`",
        ),
        (
            "has(self['a'])",
            "line 1, column 1: `has` asks for a field: `has(a.b)`",
        ),
        (
            "has(self.a, self.b)",
            "line 1, column 1: `has` asks for a field: `has(a.b)`",
        ),
        ("'a", "line 1, column 3: a text is not closed"),
        ("'a\nb'", "line 2, column 1: a text is not closed on its line"),
        (
            "'\\q'",
            "line 1, column 4: an escape after `\\` that is not known",
        ),
        ("'\\ud800'", "line 1, column 8: an escape that is no character"),
        ("b'a'", "line 1, column 1: bytes are not supported here"),
        (
            "9223372036854775808 > 0",
            "line 1, column 1: a number that is too large",
        ),
        (
            "99999999999999999999",
            "line 1, column 21: a number that is too large",
        ),
        ("1e999 > 0.0", "line 1, column 6: a number that is too large"),
        ("1a", "line 1, column 2: a letter follows a number"),
        (
            "self.spec.`a b",
            "line 1, column 15: a name in backticks is empty or not closed",
        ),
        (
            "self # true",
            "line 1, column 6: a character that means nothing here",
        ),
        (
            "self & true",
            "line 1, column 6: an operator, or the end, is expected here",
        ),
        ("{'a' 1}", "line 1, column 6: `:` is expected here"),
        ("(1", "line 1, column 3: the expression ends early"),
        ("[1", "line 1, column 3: the expression ends early"),
        ("[1 2]", "line 1, column 4: `]` is expected here"),
        ("true ? 1", "line 1, column 9: the expression ends early"),
        (&long, "line 1, column 1: it is longer than 4096 bytes"),
        (
            &deep("(", ")", 60),
            "line 1, column 49: it is nested more than 48 levels deep",
        ),
        (
            &deep("[", "]", 60),
            "line 1, column 49: it is nested more than 48 levels deep",
        ),
        (
            &deep("!", "", 60),
            "line 1, column 1: it is nested more than 48 levels deep",
        ),
        (
            &deep("-", "", 60),
            "line 1, column 1: it is nested more than 48 levels deep",
        ),
        (
            &deep("1 + ", "", 60),
            "line 1, column 1: it is nested more than 48 levels deep",
        ),
        (
            &deep("true ? 1 : ", "", 60),
            "line 1, column 525: it is nested more than 48 levels deep",
        ),
    ];
    for (text, expect) in cases {
        let error = Condition::new(text, &VARIABLES).unwrap_err();
        assert_eq!(error.to_string(), expect, "{text}");
    }
    let chain = format!("self{}", ".a".repeat(60));
    assert!(
        Condition::new(&chain, &VARIABLES)
            .unwrap_err()
            .problem()
            .starts_with("it is nested")
    );
    // What is long and flat is fine.
    for flat in [
        vec!["true"; 500].join("&&"),
        vec!["false"; 500].join("||"),
        format!("[{}].size() == 1000", "1,".repeat(1000)),
    ] {
        assert!(Condition::new(&flat, &VARIABLES).is_ok());
    }
    assert_eq!(
        ask(
            "self.metadata.labels.`app.example.com/name` == 'shop' // a comment",
            &object()
        ),
        Ok(Ok(true))
    );
}

/// The deepest expressions of all sorts, on a small stack.
#[test]
fn no_expression_overflows_the_stack() {
    let nests: [(&str, &str, &str); 9] = [
        ("(", "true", ")"),
        ("!", "true", ""),
        ("[", "1", "]"),
        ("{'a': ", "1", "}"),
        ("[1].all(x, ", "true", ")"),
        ("[1].map(x, ", "x", ")"),
        ("true ? ", "true", " : false"),
        ("dyn(", "1", ")"),
        ("1 + (", "1", ")"),
    ];
    let run = std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(move || {
            let object = object();
            for (open, inner, close) in nests {
                let mut deepest = 0;
                for depth in 1..200 {
                    let text = format!(
                        "{}{inner}{} == 1 || true",
                        open.repeat(depth),
                        close.repeat(depth)
                    );
                    if let Ok(found) = ask(&text, &object) {
                        assert_eq!(found, Ok(true), "{text}");
                        deepest = depth;
                    }
                }
                assert!((20..=48).contains(&deepest), "{open}: {deepest}");
            }
        });
    run.unwrap().join().unwrap();
}

#[test]
fn no_evaluation_is_without_end() {
    let numbers: Vec<i64> = (0..10_000).collect();
    let text = "x".repeat(100_000);
    let object: Document = serde_json::json!({"l": numbers, "t": text})
        .to_string()
        .parse()
        .unwrap();
    let endless = [
        "self.l.exists(a, self.l.exists(b, self.l.exists(c, a + b + c < 0)))",
        "self.l.all(a, self.l.all(b, true))",
        "self.l.map(a, self.l).size() == 10000 && self.l.all(a, self.l == self.l)",
        "self.l.all(a, self.t == self.t + '')",
        "self.l.all(a, self.t.contains('xxxxxxxxy') || true)",
        "self.l.all(a, (self.t + self.t + self.t).size() > 0)",
        "self.l.map(a, self.l + self.l).size() == 10000",
        "self.l.all(a, size(self.t) > 0)",
        "self.l.exists_one(a, self.l.exists_one(b, a == b))",
        "self.l.filter(a, self.l.filter(b, b > a).size() > 0).size() > 0",
        "self.l.all(a, 10000 in self.l || true)",
        // Nothing passes over it.
        "self.l.all(a, self.l.all(b, true)) || true",
        "self.l.exists(a, self.l.exists(b, false) || a == 9999)",
        "false && true || (self.l.all(a, self.l.all(b, true)) || true)",
    ];
    for text in endless {
        let start = Instant::now();
        assert_eq!(
            ask(text, &object),
            Ok(Err(EvaluationError::TooManySteps)),
            "{text}"
        );
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{text}: {:?}",
            start.elapsed()
        );
    }
    assert_eq!(
        ask("self.l.all(a, a >= 0 && a < 10000)", &object),
        Ok(Ok(true)),
        "ten thousand elements are fine"
    );
}

#[test]
fn errors_hold_no_values() {
    let secret = "hunter2";
    let object: Document = serde_json::json!({"data": {"password": secret, "n": 7_345_345, "l": [secret]}})
        .to_string()
        .parse()
        .unwrap();
    for text in [
        "self.data.password + 1 == 1",
        "self.data.password.x == 1",
        "self.data[self.data.password] == 1",
        "self.data.l[self.data.n] == 1",
        "int(self.data.password) == 1",
        "self.data.password < 1",
        "!self.data.password",
        "self.data.password",
        "self.data.n / 0 == 1",
        "{self.data.password: 1, self.data.password: 2}.size() == 1",
        "self.data.l.all(x, x)",
        "self.data.password ? true : false",
    ] {
        let condition = Condition::new(text, &VARIABLES).unwrap();
        let error = condition.holds(&[Some(object.root()), None]).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(
            !told.contains(secret) && !told.contains("7345345"),
            "{text}: {told}"
        );
    }
}

/// Texts like expressions, and pieces of them.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "self",
        "live",
        ".spec",
        ".list",
        "[0]",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "'a'",
        "\"",
        "'",
        "\\",
        "1",
        "1u",
        "1.5",
        "0x",
        "e",
        ".",
        ",",
        ":",
        "?",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "<",
        "==",
        "&&",
        "||",
        " in ",
        "has(",
        "size(",
        ".all(x, ",
        ".map(x, ",
        ".exists(x, ",
        "x",
        "true",
        "null",
        "r'",
        "'''",
        "`",
        "//",
        "\n",
        "ä",
        "=",
        "&",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()),
        ".{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_a_condition_or_an_error_with_a_place(text in texts()) {
        match Condition::new(&text, &VARIABLES) {
            Ok(condition) => {
                let object = object();
                let found = condition.holds(&[Some(object.root()), Some(object.root())]);
                prop_assert_eq!(found, condition.holds(&[Some(object.root()), Some(object.root())]));
            }
            Err(error) => {
                prop_assert!(error.line() >= 1 && error.line() <= 1 + text.matches('\n').count());
                prop_assert!(error.column() >= 1 && error.column() <= 1 + text.chars().count());
                prop_assert!(!error.problem().is_empty());
            }
        }
    }

    /// Numbers of all types, near the edges, compare by value; as floats do, if one is a float.
    #[test]
    fn numbers_compare_by_value(a in edges(), b in edges()) {
        let ordering = match (a.1, b.1) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => a.2.partial_cmp(&b.2),
        };
        let ask = |sign: &str| Condition::new(&format!("{} {sign} {}", a.0, b.0), &VARIABLES).unwrap().holds(&[]);
        prop_assert_eq!(ask("<"), Ok(ordering.unwrap().is_lt()));
        prop_assert_eq!(ask("=="), Ok(ordering.unwrap().is_eq()));
        prop_assert_eq!(ask(">="), Ok(ordering.unwrap().is_ge()));
    }
}

/// A literal, its value if it is whole, and as a float.
fn edges() -> impl Strategy<Value = (String, Option<i128>, f64)> {
    let whole = prop_oneof![
        -3_i128..3,
        Just(i64::MAX as i128),
        Just(i64::MIN as i128),
        Just(u64::MAX as i128)
    ];
    (whole, 0..3).prop_map(|(value, how)| match how {
        0 if i64::try_from(value).is_ok() => (value.to_string(), Some(value), value as f64),
        1 if u64::try_from(value).is_ok() => (format!("{value}u"), Some(value), value as f64),
        _ => {
            let float = value as f64 + 0.5;
            (format!("{float:?}"), None, float)
        }
    })
}
