//! Paths from texts.

use std::str::FromStr;

use super::{FieldPath, PathElement, PathError, PathReader};
use crate::{
    document::Node,
    set::{element_of, name_of},
};

impl FromStr for FieldPath {
    type Err = PathError;

    /// Reads what [`Display`](std::fmt::Display) writes, but for keys with dots or brackets, which are to be quoted:
    /// `.metadata.annotations["example.com/team"]`. See [`from_server`](FieldPath::from_server) for the server's way.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut reader = PathReader::new(text);
        let mut elements = Vec::new();
        while !reader.is_at_end() {
            elements.push(reader.element()?);
        }
        Ok(Self::new(elements))
    }
}

impl FieldPath {
    /// Reads a path as API servers print them in conflicts and errors, in which keys with dots stand plainly
    /// (`.metadata.annotations.example.com/team`): the longest key that is there in `within` is meant, and where none
    /// is there, the text up to the next dot or bracket.
    ///
    /// ```
    /// use fleet_diff::{Document, FieldPath};
    ///
    /// let live: Document = r#"{"metadata": {"annotations": {"example.com/team": "a"}}}"#.parse()?;
    /// let path = FieldPath::from_server(".metadata.annotations.example.com/team", live.root())?;
    /// assert_eq!(path, FieldPath::keys(["metadata", "annotations", "example.com/team"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no path.
    pub fn from_server(text: &str, within: Node<'_>) -> Result<Self, PathError> {
        let mut reader = PathReader::new(text);
        let mut elements = Vec::new();
        let mut at = Some(within);
        while !reader.is_at_end() {
            let known = at.and_then(|node| longest_key(node, reader.rest()));
            let element = match known {
                Some(key) => {
                    reader.skip(1 + key.len());
                    PathElement::key(key)
                }
                None => reader.element()?,
            };
            at = at.and_then(|node| element.find(node));
            elements.push(element);
        }
        Ok(Self::new(elements))
    }

    /// From a JSON pointer (RFC 6901). Elements of lists in `within` are named by position; `None` when the text is
    /// no pointer, or has something else than a position where a list is.
    pub fn from_json_pointer(pointer: &str, within: Node<'_>) -> Option<Self> {
        if pointer.is_empty() {
            return Some(Self::root());
        }
        let mut at = Some(within);
        let mut elements = Vec::new();
        for token in pointer.strip_prefix('/')?.split('/') {
            let key = token.replace("~1", "/").replace("~0", "~");
            let element = match at {
                Some(list) if list.is_list() => PathElement::Index(key.parse().ok()?),
                _ => PathElement::key(&key),
            };
            at = at.and_then(|node| element.find(node));
            elements.push(element);
        }
        Some(Self::new(elements))
    }
}

/// The longest key of a mapping that the text continues with.
fn longest_key<'v>(node: Node<'v>, rest: &str) -> Option<&'v str> {
    let rest = rest.strip_prefix('.')?;
    let follows = |key: &&str| {
        rest.strip_prefix(*key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    node.entries()
        .map(|(key, _)| key)
        .filter(|key| !key.is_empty())
        .filter(follows)
        .max_by_key(|key| key.len())
}

impl PathElement {
    /// As `managedFields` write it: `f:spec`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
    pub fn to_managed_fields(&self) -> String {
        name_of(self)
    }

    /// From the notation of `managedFields`; `None` for anything else.
    pub fn from_managed_fields(name: &str) -> Option<Self> {
        element_of(name).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn sample() -> Document {
        r#"{"metadata": {"annotations": {"a": "", "a.b/c": "x", "a.b": "y"}, "finalizers": ["f"]},
            "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 1, "protocol": "TCP"}]}]}}"#
            .parse()
            .unwrap()
    }

    #[test]
    fn paths_are_read_in_three_notations() {
        let sample = sample();
        let keys = |keys: &[&str]| FieldPath::keys(keys.iter().copied());
        let web = keys(&["spec", "containers"]).child(PathElement::list_key([("name", "web")]));
        let cases = [
            (
                keys(&["metadata", "annotations", "a.b/c"]),
                ".metadata.annotations.a.b/c",
                "/metadata/annotations/a.b~1c",
            ),
            (
                keys(&["metadata", "annotations", "a.b"]),
                ".metadata.annotations.a.b",
                "/metadata/annotations/a.b",
            ),
            (
                keys(&["metadata", "annotations", "a"]),
                ".metadata.annotations.a",
                "/metadata/annotations/a",
            ),
            (
                web.clone(),
                r#".spec.containers[name="web"]"#,
                "/spec/containers/0",
            ),
            (
                web.child(PathElement::key("image")),
                r#".spec.containers[name="web"].image"#,
                "/spec/containers/0/image",
            ),
            (
                keys(&["metadata", "finalizers"]).child(PathElement::Value("f".into())),
                r#".metadata.finalizers[="f"]"#,
                "/metadata/finalizers/0",
            ),
        ];
        for (path, printed, pointer) in cases {
            assert_eq!(path.to_string(), printed);
            assert_eq!(FieldPath::from_server(printed, sample.root()).unwrap(), path);
            assert_eq!(path.to_json_pointer(sample.root()).as_deref(), Some(pointer));
            let by_position = FieldPath::from_json_pointer(pointer, sample.root()).unwrap();
            assert_eq!(
                by_position.find(sample.root()),
                path.find(sample.root()),
                "{pointer}"
            );
            assert_eq!(
                by_position.to_json_pointer(sample.root()).as_deref(),
                Some(pointer)
            );
        }
    }

    #[test]
    fn a_text_says_exactly_one_path() {
        let path: FieldPath = r#".metadata.annotations["a.b/c"]"#.parse().unwrap();
        assert_eq!(path, FieldPath::keys(["metadata", "annotations", "a.b/c"]));
        assert_eq!("".parse::<FieldPath>().unwrap(), FieldPath::root());
        for bad in ["spec", ".", ".a[*]", ".a[", ".a[x]", "[=b]"] {
            assert!(bad.parse::<FieldPath>().is_err(), "{bad}");
            assert!(FieldPath::from_server(bad, sample().root()).is_err(), "{bad}");
        }
        assert_eq!(FieldPath::from_json_pointer("spec", sample().root()), None);
        assert_eq!(
            FieldPath::from_json_pointer("/spec/containers/web", sample().root()),
            None
        );
    }

    #[test]
    fn elements_are_written_as_in_managed_fields() {
        let elements = [
            (PathElement::key("spec"), "f:spec"),
            (PathElement::list_key([("name", "web")]), r#"k:{"name":"web"}"#),
            (PathElement::Value("a".into()), r#"v:"a""#),
            (PathElement::Index(3), "i:3"),
        ];
        for (element, name) in elements {
            assert_eq!(element.to_managed_fields(), name);
            assert_eq!(PathElement::from_managed_fields(name), Some(element));
        }
        for bad in ["", ".", "spec", "x:a", "k:{", "v:{}", "i:-1"] {
            assert_eq!(PathElement::from_managed_fields(bad), None, "{bad}");
        }
    }
}
