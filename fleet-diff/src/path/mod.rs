//! Where in an object a field is.

mod finder;
mod parse;
mod reader;
mod scalar;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Serialize, Serializer};

use crate::{
    Document,
    document::{Builder, Node},
};

pub(crate) use finder::Finder;
pub use reader::PathError;
pub(crate) use reader::{PathReader, ReadStep};
pub(crate) use scalar::is_printable;
pub use scalar::{Float, Scalar};

/// One step of a [`FieldPath`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathElement {
    /// A key of a mapping.
    Key(Arc<str>),
    /// The element of a list of mappings whose fields have these values, such as `name` = `"web"`.
    ListKey(BTreeMap<Arc<str>, Scalar>),
    /// The element of a list of scalars that is this value.
    Value(Scalar),
    /// The element at this position, counted from 0.
    Index(usize),
}

impl PathElement {
    /// A key of a mapping.
    pub fn key(name: &str) -> Self {
        Self::Key(name.into())
    }

    /// An element of a list of mappings, by the values of its key fields.
    pub fn list_key<'a, S: Into<Scalar>>(fields: impl IntoIterator<Item = (&'a str, S)>) -> Self {
        let fields = fields.into_iter();
        Self::ListKey(fields.map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// The position of this element in a list; `None` when it is not there, and always for a key.
    pub fn position(&self, list: Node<'_>) -> Option<usize> {
        let mut items = list.items();
        match self {
            Self::Key(_) => None,
            Self::ListKey(fields) => items.position(|item| has_fields(item, fields)),
            Self::Value(scalar) => items.position(|item| scalar.is(item)),
            Self::Index(i) => (*i < items.len()).then_some(*i),
        }
    }

    /// The value it names inside a node. A key field that is absent in an element is as good as one that says nothing:
    /// names may hold defaults.
    fn find<'v>(&self, within: Node<'v>) -> Option<Node<'v>> {
        match self {
            Self::Key(name) => within.get(name),
            Self::ListKey(fields) => {
                let open = |item: &Node<'_>| {
                    let mut fields = fields.iter();
                    item.is_map()
                        && fields.all(|(name, scalar)| item.get(name).is_none_or(|value| scalar.is(value)))
                };
                match self.position(within) {
                    Some(position) => within.item(position),
                    None => within.items().find(open),
                }
            }
            element => within.item(element.position(within)?),
        }
    }
}

/// An element that no field tells apart is nowhere.
fn has_fields(item: Node<'_>, fields: &BTreeMap<Arc<str>, Scalar>) -> bool {
    let mut named = fields.iter();
    !fields.is_empty() && named.all(|(name, scalar)| item.get(name).is_some_and(|value| scalar.is(value)))
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(name) => write!(f, ".{name}"),
            Self::ListKey(fields) => {
                f.write_str("[")?;
                for (i, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name}={value}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(i) => write!(f, "[{i}]"),
        }
    }
}

impl fmt::Debug for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where in an object a field is. Cheap to clone; the empty path is the whole object.
///
/// Printed and serialised as the API server writes paths in conflicts. That form is for people: a key with dots
/// (`.metadata.annotations.example.com/team`) is written plainly, as the server does.
///
/// ```
/// use fleet_diff::{Document, FieldPath, PathElement};
///
/// let path = FieldPath::new([
///     PathElement::key("containers"),
///     PathElement::list_key([("name", "web")]),
///     PathElement::key("image"),
/// ]);
/// assert_eq!(path.to_string(), r#".containers[name="web"].image"#);
///
/// let spec: Document = r#"{"containers": [{"name": "log"}, {"name": "web", "image": "nginx:1"}]}"#.parse()?;
/// assert_eq!(path.find(spec.root()).and_then(|image| image.as_str()), Some("nginx:1"));
/// assert_eq!(path.to_json_pointer(spec.root()).as_deref(), Some("/containers/1/image"));
/// # Ok::<(), fleet_diff::DocumentError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Arc<[PathElement]>);

impl FieldPath {
    /// From its steps, outermost first.
    pub fn new(elements: impl IntoIterator<Item = PathElement>) -> Self {
        Self(elements.into_iter().collect())
    }

    /// From keys of nested mappings, outermost first.
    pub fn keys<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(names.into_iter().map(PathElement::key))
    }

    /// The whole object.
    pub fn root() -> Self {
        Self::new([])
    }

    /// The steps, outermost first.
    pub fn elements(&self) -> &[PathElement] {
        &self.0
    }

    /// True for the whole object.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// One step further in.
    #[must_use]
    pub fn child(&self, element: PathElement) -> Self {
        Self::new(self.0.iter().cloned().chain([element]))
    }

    /// One step further out; `None` for the whole object.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.into()))
    }

    /// True when `prefix` is this path or leads to it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// The value at this path.
    pub fn find<'v>(&self, within: Node<'v>) -> Option<Node<'v>> {
        self.0.iter().try_fold(within, |node, element| element.find(node))
    }

    /// A copy without the value at this path, closing the gap in a list. `None` when nothing is there, and for the
    /// whole object.
    pub fn without(&self, document: &Document) -> Option<Document> {
        let mut out = Builder::reopening(document);
        copy_without(document.root(), &self.0, &mut out)?;
        Some(out.finish())
    }

    /// As a JSON pointer (RFC 6901), with list elements given by their position in `within`.
    ///
    /// Keys and positions need not exist in `within`, so a field to be added has a pointer too. `None` when an
    /// element named by key fields or by value is not there.
    pub fn to_json_pointer(&self, within: Node<'_>) -> Option<String> {
        let mut pointer = String::new();
        let mut at = Some(within);
        for element in self.elements() {
            pointer.push('/');
            match element {
                PathElement::Key(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                PathElement::Index(i) => pointer.push_str(&i.to_string()),
                PathElement::ListKey(_) | PathElement::Value(_) => {
                    let position = element.position(at?)?;
                    pointer.push_str(&position.to_string());
                }
            }
            at = at.and_then(|node| element.find(node));
        }
        Some(pointer)
    }
}

/// `None` when there is nothing at the path.
fn copy_without(node: Node<'_>, path: &[PathElement], out: &mut Builder<'_>) -> Option<()> {
    let (first, rest) = path.split_first()?;
    out.begin();
    if let PathElement::Key(name) = first {
        let inner = node.get(name)?;
        out.entries_without(node, &[name]);
        if !rest.is_empty() {
            out.same_key(inner);
            copy_without(inner, rest, out)?;
        }
        out.end_map();
    } else {
        let position = first.position(node)?;
        for (i, item) in node.items().enumerate() {
            if i != position {
                out.node(item);
            } else if !rest.is_empty() {
                copy_without(item, rest, out)?;
            }
        }
        out.end_list();
    }
    Some(())
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| write!(f, "{element}"))
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PathElement as P;
    use serde_json::{Value, json};

    fn sample() -> Value {
        json!({
            "metadata": {"annotations": {"example.com/team": "a", "a~b": "c"}, "finalizers": ["x/y", "z"]},
            "spec": {"ports": [
                {"port": 53, "protocol": "UDP"},
                {"port": 53, "protocol": "TCP", "name": "dns"},
            ]},
            "odd": [null, true, 1.5, -3, 18_446_744_073_709_551_615_u64],
        })
    }

    /// (path, printed, pointer, value)
    fn cases() -> Vec<(FieldPath, &'static str, Option<&'static str>, Option<Value>)> {
        let tcp = [("port", Scalar::from(53)), ("protocol", "TCP".into())];
        let port = |key: P| FieldPath::keys(["spec", "ports"]).child(key);
        let odd = |element: Scalar| FieldPath::keys(["odd"]).child(P::Value(element));
        vec![
            (FieldPath::root(), "", Some(""), Some(sample())),
            (
                FieldPath::keys(["metadata", "annotations", "example.com/team"]),
                ".metadata.annotations.example.com/team",
                Some("/metadata/annotations/example.com~1team"),
                Some(json!("a")),
            ),
            (
                FieldPath::keys(["metadata", "annotations", "a~b"]),
                ".metadata.annotations.a~b",
                Some("/metadata/annotations/a~0b"),
                Some(json!("c")),
            ),
            (
                FieldPath::keys(["metadata", "finalizers"]).child(P::Value("z".into())),
                r#".metadata.finalizers[="z"]"#,
                Some("/metadata/finalizers/1"),
                Some(json!("z")),
            ),
            (
                port(P::list_key(tcp.clone())).child(P::key("name")),
                r#".spec.ports[port=53,protocol="TCP"].name"#,
                Some("/spec/ports/1/name"),
                Some(json!("dns")),
            ),
            (
                port(P::list_key([("port", 54)])),
                ".spec.ports[port=54]",
                None,
                None,
            ),
            (
                port(P::list_key([("port", "53")])),
                r#".spec.ports[port="53"]"#,
                None,
                None,
            ),
            (
                port(P::Index(0)).child(P::key("protocol")),
                ".spec.ports[0].protocol",
                Some("/spec/ports/0/protocol"),
                Some(json!("UDP")),
            ),
            (port(P::Index(2)), ".spec.ports[2]", Some("/spec/ports/2"), None),
            (port(P::key("0")), ".spec.ports.0", Some("/spec/ports/0"), None),
            (
                FieldPath::keys(["spec", "new", "field"]),
                ".spec.new.field",
                Some("/spec/new/field"),
                None,
            ),
            (
                odd(Scalar::Null),
                ".odd[=null]",
                Some("/odd/0"),
                Some(json!(null)),
            ),
            (odd(true.into()), ".odd[=true]", Some("/odd/1"), Some(json!(true))),
            (
                odd(Scalar::Float(Float::new(1.5))),
                ".odd[=1.5]",
                Some("/odd/2"),
                Some(json!(1.5)),
            ),
            (odd((-3).into()), ".odd[=-3]", Some("/odd/3"), Some(json!(-3))),
            (
                odd(Scalar::Integer(u64::MAX.into())),
                ".odd[=18446744073709551615]",
                Some("/odd/4"),
                Some(json!(u64::MAX)),
            ),
        ]
    }

    #[test]
    fn paths_print_point_and_find() {
        for (path, printed, pointer, value) in cases() {
            assert_eq!(path.to_string(), printed);
            assert_eq!(serde_json::to_value(&path).unwrap(), json!(printed));
            let document = Document::from_json(&sample());
            assert_eq!(
                path.to_json_pointer(document.root()).as_deref(),
                pointer,
                "{path}"
            );
            assert_eq!(path.find(document.root()).map(Node::to_json), value, "{path}");
            if let (Some(pointer), Some(_)) = (pointer, &value) {
                assert_eq!(sample().pointer(pointer), value.as_ref(), "{path}");
            }
        }
    }

    #[test]
    fn removing_takes_exactly_one_value() {
        for (path, _, _, value) in cases() {
            let sample = Document::from_json(&sample());
            let rest = path.without(&sample);
            assert_eq!(rest.is_some(), value.is_some() && !path.is_root(), "{path}");
            assert!(rest.is_none_or(|rest| rest != sample), "{path}");
        }
        let document: Document = r#"{"b": 1, "a": [1, {"c": 2, "d": 3}, 3], "e": null}"#.parse().unwrap();
        let element = FieldPath::keys(["a"]).child(P::Index(1));
        let cases = [
            (element.clone(), r#"{"a":[1,3],"b":1,"e":null}"#),
            (
                element.child(P::key("c")),
                r#"{"a":[1,{"d":3},3],"b":1,"e":null}"#,
            ),
            (FieldPath::keys(["e"]), r#"{"a":[1,{"c":2,"d":3},3],"b":1}"#),
        ];
        for (path, expect) in cases {
            assert_eq!(path.without(&document).unwrap().to_string(), expect);
        }
    }

    #[test]
    fn texts_are_quoted_as_go_does() {
        let cases = [
            ("a\"b\\c", r#""a\"b\\c""#),
            ("tab\tline\n\r", r#""tab\tline\n\r""#),
            ("\u{7}\u{8}\u{b}\u{c}\u{1}\u{7f}", r#""\a\b\v\f\x01\x7f""#),
            ("é日\u{301}", "\"é日\u{301}\""),
            (
                "\u{a0}\u{202e}\u{e000}\u{10ffff}",
                r#""\u00a0\u202e\ue000\U0010ffff""#,
            ),
        ];
        for (text, expect) in cases {
            assert_eq!(Scalar::from(text).to_string(), expect);
        }
    }

    #[test]
    fn scalars_are_ordered_and_both_zeros_are_one() {
        assert_eq!(Scalar::from_json(&json!(-0.0)), Scalar::from_json(&json!(0.0)));
        assert_eq!(Scalar::from_json(&json!(2.0)), Scalar::from_json(&json!(2)));
        assert!(Scalar::from_json(&json!(0.5)) < Scalar::from_json(&json!(1.5)));
        for value in [
            json!(null),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(0.1),
            json!("x"),
        ] {
            let scalar = Scalar::from_json(&value).unwrap();
            assert_eq!(scalar.to_json(), value);
            assert!(scalar.is(Document::from_json(&value).root()));
        }
    }

    #[test]
    fn relatives() {
        let path = FieldPath::keys(["a", "b"]);
        assert_eq!(path.parent(), Some(FieldPath::keys(["a"])));
        assert_eq!(FieldPath::root().parent(), None);
        assert!(path.starts_with(&FieldPath::root()) && path.starts_with(&path));
        assert!(!FieldPath::keys(["a"]).starts_with(&path));
    }
}
