//! Patterns of field paths.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    FieldPath, PathElement,
    document::Node,
    path::{PathError, PathReader, ReadStep},
};

/// A pattern of field paths, such as `.spec.template.spec.containers[*].image` or
/// `.metadata.annotations["example.com/*"]`. It means the field and everything inside it.
///
/// Steps: `.key` or `["key"]` for a key of a mapping (quoted when it has dots or brackets; `*` in it stands for any
/// text), `[*]` for any element of a list, `[name="web"]` for elements with these fields, `[="a"]` for a value,
/// `[0]` for a position.
///
/// ```
/// use fleet_diff::{FieldPath, PathPattern};
///
/// let pattern: PathPattern = r#".metadata.annotations["*.example.com/*"]"#.parse()?;
/// assert!(pattern.covers(&FieldPath::keys(["metadata", "annotations", "team.example.com/owner"])));
/// assert!(!pattern.covers(&FieldPath::keys(["metadata", "annotations", "owner"])));
/// # Ok::<(), fleet_diff::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern(Arc<[Step]>);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Key(Arc<str>),
    /// With `*` in it.
    Glob(Arc<str>),
    AnyElement,
    Element(PathElement),
}

/// How specific a pattern is: the longer one counts, and of two equally long ones the one with fewer wildcards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Weight {
    steps: usize,
    exact: usize,
}

impl PathPattern {
    /// True when the path is the field meant or is inside it.
    pub fn covers(&self, path: &FieldPath) -> bool {
        path.elements().len() >= self.0.len() && self.agrees(path)
    }

    /// True when the field meant is inside the path, or may be.
    pub fn is_inside(&self, path: &FieldPath) -> bool {
        path.elements().len() < self.0.len() && self.agrees(path)
    }

    /// True when a value has a field that is meant.
    pub(crate) fn is_in(&self, value: Node<'_>) -> bool {
        is_in(&self.0, value)
    }

    /// False when what it means is the same in both values, to the last digit.
    pub(super) fn may_differ(&self, one: Node<'_>, other: Node<'_>) -> bool {
        let (mut one, mut other) = (Some(one), Some(other));
        for step in &*self.0 {
            let Step::Key(key) = step else { return true };
            one = one.and_then(|one| one.get(key));
            other = other.and_then(|other| other.get(key));
        }
        match (one, other) {
            (Some(one), Some(other)) => !one.is_exactly(other),
            (None, None) => false,
            _ => true,
        }
    }

    /// The steps, to be followed one by one.
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// True as far as both go.
    fn agrees(&self, path: &FieldPath) -> bool {
        self.0
            .iter()
            .zip(path.elements())
            .all(|(step, element)| step.matches(element))
    }

    /// How many steps it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn weight(&self) -> Weight {
        let exact = self
            .0
            .iter()
            .filter(|step| !matches!(step, Step::Glob(_) | Step::AnyElement))
            .count();
        Weight {
            steps: self.0.len(),
            exact,
        }
    }
}

fn is_in(steps: &[Step], value: Node<'_>) -> bool {
    let Some((first, rest)) = steps.split_first() else {
        return true;
    };
    match first {
        Step::Key(key) => value.get(key).is_some_and(|inner| is_in(rest, inner)),
        Step::Glob(pattern) => value
            .entries()
            .any(|(key, inner)| glob(pattern, key) && is_in(rest, inner)),
        // Which element is meant depends on its schema.
        Step::AnyElement | Step::Element(_) => value.items().any(|inner| is_in(rest, inner)),
    }
}

impl Step {
    pub(super) fn matches(&self, element: &PathElement) -> bool {
        match (self, element) {
            (Self::Key(key), PathElement::Key(name)) => key == name,
            (Self::Glob(pattern), PathElement::Key(name)) => glob(pattern, name),
            (Self::AnyElement, element) => !matches!(element, PathElement::Key(_)),
            (Self::Element(PathElement::ListKey(wanted)), PathElement::ListKey(fields)) => {
                wanted.iter().all(|(name, value)| fields.get(name) == Some(value))
            }
            (Self::Element(wanted), element) => wanted == element,
            _ => false,
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any text, also none.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

impl std::str::FromStr for PathPattern {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut reader = PathReader::new(text);
        let mut steps = Vec::new();
        while !reader.is_at_end() {
            steps.push(match reader.step()? {
                ReadStep::Key(key) if key.contains('*') => Step::Glob(key),
                ReadStep::Key(key) => Step::Key(key),
                ReadStep::AnyElement => Step::AnyElement,
                ReadStep::Element(element) => Step::Element(element),
            });
        }
        if steps.is_empty() {
            return Err(reader.error("it is empty"));
        }
        Ok(Self(steps.into()))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Key(key) | Step::Glob(key) if !key.contains(['.', '[', '"']) => write!(f, ".{key}"),
            Step::Key(key) | Step::Glob(key) => write!(f, "[{}]", serde_json::Value::from(&**key)),
            Step::AnyElement => f.write_str("[*]"),
            Step::Element(element) => write!(f, "{element}"),
        })
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PathPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PathElement as P;

    #[test]
    fn patterns_are_read_printed_and_matched() {
        let containers = |by: P| {
            FieldPath::keys(["spec", "containers"])
                .child(by)
                .child(P::key("image"))
        };
        let web = containers(P::list_key([("name", "web")]));
        let cases = [
            (".spec.containers[*].image", ".spec.containers[*].image", true),
            (
                r#".spec.containers[name="web"]"#,
                r#".spec.containers[name="web"]"#,
                true,
            ),
            (
                r#".spec.containers[name="log"]"#,
                r#".spec.containers[name="log"]"#,
                false,
            ),
            (".spec", ".spec", true),
            (".sp*.containers", ".sp*.containers", true),
            (r#"["spec"]"#, ".spec", true),
            (".spec.containers[0].image", ".spec.containers[0].image", false),
            (
                ".spec.containers[*].image.x",
                ".spec.containers[*].image.x",
                false,
            ),
        ];
        for (text, printed, covers) in cases {
            let pattern: PathPattern = text.parse().unwrap();
            assert_eq!(pattern.to_string(), printed);
            assert_eq!(pattern.covers(&web), covers, "{text}");
        }
        let deeper: PathPattern = ".spec.containers[*].image.x".parse().unwrap();
        assert!(deeper.is_inside(&web) && deeper.is_inside(&FieldPath::root()));
        for (bad, at) in [
            ("", 1),
            ("spec", 1),
            (".", 2),
            (".a[", 4),
            (".a[x]", 5),
            (".a[\"b\"", 7),
            (".a[=b]", 5),
        ] {
            assert_eq!(bad.parse::<PathPattern>().unwrap_err().at(), at, "{bad}");
        }
    }

    #[test]
    fn globs() {
        let cases = [
            ("a*", "abc", true),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c2b", false),
            ("a*a", "a", false),
            ("abc", "abcd", false),
        ];
        for (pattern, text, expect) in cases {
            assert_eq!(glob(pattern, text), expect, "{pattern} {text}");
        }
    }
}
