//! Label selectors.

use serde_json::Value;

/// Whether labels match a selector. Where not all labels are known, what is unknown may match.
pub(super) fn may_match(selector: &Value, labels: &Value, all_known: bool) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let plain = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .all(|(key, wanted)| match label(key) {
            Some(value) => wanted.as_str() == Some(value),
            None => !all_known,
        });
    plain
        && selector["matchExpressions"]
            .as_array()
            .into_iter()
            .flatten()
            .all(|expression| {
                let Some(key) = expression["key"].as_str() else {
                    return true;
                };
                let value = label(key);
                if value.is_none() && !all_known {
                    return true;
                }
                let listed = || {
                    expression["values"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .any(|item| item.as_str() == value)
                };
                match expression["operator"].as_str() {
                    Some("In") => value.is_some() && listed(),
                    Some("NotIn") => value.is_none() || !listed(),
                    Some("Exists") => value.is_some(),
                    Some("DoesNotExist") => value.is_none(),
                    _ => true,
                }
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors() {
        let expression = |operator: &str| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": ["1"]}]});
        let cases = [
            (json!(null), json!({}), true, true),
            (json!({}), json!(null), true, true),
            (json!({"matchLabels": {"a": "1"}}), json!({"a": "1"}), true, true),
            (
                json!({"matchLabels": {"a": "1"}}),
                json!({"a": "2"}),
                false,
                false,
            ),
            (json!({"matchLabels": {"a": "1"}}), json!({}), false, true),
            (expression("In"), json!({"a": "1"}), true, true),
            (expression("NotIn"), json!({"a": "1"}), false, false),
            (expression("NotIn"), json!({}), true, true),
            (expression("Exists"), json!({}), false, true),
            (expression("DoesNotExist"), json!({"a": "1"}), false, false),
        ];
        for (selector, labels, known, unknown) in cases {
            assert_eq!(may_match(&selector, &labels, true), known, "{selector} {labels}");
            assert_eq!(
                may_match(&selector, &labels, false),
                unknown,
                "{selector} {labels} partly"
            );
        }
    }
}
