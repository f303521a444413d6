//! Where in an object a field is.

mod scalar;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::document::Node;

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
    pub fn position(&self, list: &[Value]) -> Option<usize> {
        match self {
            Self::Key(_) => None,
            Self::ListKey(fields) => list.iter().position(|item| has_fields(item, fields)),
            Self::Value(scalar) => list.iter().position(|item| scalar.is(item)),
            Self::Index(i) => (*i < list.len()).then_some(*i),
        }
    }

    fn find<'v>(&self, within: &'v Value) -> Option<&'v Value> {
        match (self, within) {
            (Self::Key(name), Value::Object(map)) => map.get(&**name),
            (element, Value::Array(list)) => list.get(element.position(list)?),
            _ => None,
        }
    }

    fn find_mut<'v>(&self, within: &'v mut Value) -> Option<&'v mut Value> {
        match (self, within) {
            (Self::Key(name), Value::Object(map)) => map.get_mut(&**name),
            (element, Value::Array(list)) => {
                let position = element.position(list)?;
                list.get_mut(position)
            }
            _ => None,
        }
    }
}

impl PathElement {
    /// The value it names inside a node. A key field that is absent in an element is as good as one that says nothing:
    /// names may hold defaults.
    fn find_node<'v>(&self, within: Node<'v>) -> Option<Node<'v>> {
        match self {
            Self::Key(name) => within.get(name),
            Self::Index(i) => within.item(*i),
            Self::Value(value) => within.items().find(|item| Scalar::from_node(*item).as_ref() == Some(value)),
            Self::ListKey(fields) => {
                let exact = |item: &Node<'_>| {
                    fields.iter().all(|(name, value)| {
                        item.get(name).and_then(Scalar::from_node).as_ref() == Some(value)
                    })
                };
                let open = |item: &Node<'_>| {
                    item.is_map()
                        && fields.iter().all(|(name, value)| {
                            item.get(name).is_none_or(|known| Scalar::from_node(known).as_ref() == Some(value))
                        })
                };
                within.items().find(exact).or_else(|| within.items().find(open))
            }
        }
    }
}

fn has_fields(item: &Value, fields: &BTreeMap<Arc<str>, Scalar>) -> bool {
    let Some(map) = item.as_object() else {
        return false;
    };
    fields
        .iter()
        .all(|(name, scalar)| map.get(&**name).is_some_and(|value| scalar.is(value)))
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
/// use fleet_diff::{FieldPath, PathElement};
/// use serde_json::json;
///
/// let path = FieldPath::new([
///     PathElement::key("containers"),
///     PathElement::list_key([("name", "web")]),
///     PathElement::key("image"),
/// ]);
/// assert_eq!(path.to_string(), r#".containers[name="web"].image"#);
///
/// let spec = json!({"containers": [{"name": "log"}, {"name": "web", "image": "nginx:1"}]});
/// assert_eq!(path.get(&spec), Some(&json!("nginx:1")));
/// assert_eq!(path.to_json_pointer(&spec).as_deref(), Some("/containers/1/image"));
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
    pub fn get<'v>(&self, within: &'v Value) -> Option<&'v Value> {
        self.0
            .iter()
            .try_fold(within, |value, element| element.find(value))
    }

    /// The value at this path of a node.
    pub fn find<'v>(&self, within: Node<'v>) -> Option<Node<'v>> {
        self.0.iter().try_fold(within, |value, element| element.find_node(value))
    }

    /// Removes the value at this path, closing the gap in a list. True when something was removed; the whole
    /// object never is.
    pub fn remove(&self, within: &mut Value) -> bool {
        let Some((last, outer)) = self.0.split_last() else {
            return false;
        };
        let parent = outer
            .iter()
            .try_fold(within, |value, element| element.find_mut(value));
        match (last, parent) {
            (PathElement::Key(name), Some(Value::Object(map))) => map.remove(&**name).is_some(),
            (element, Some(Value::Array(list))) => {
                let position = element.position(list);
                position.map(|i| list.remove(i)).is_some()
            }
            _ => false,
        }
    }

    /// As a JSON pointer (RFC 6901), with list elements given by their position in `within`.
    ///
    /// Keys and positions need not exist in `within`, so a field to be added has a pointer too. `None` when an
    /// element named by key fields or by value is not there.
    pub fn to_json_pointer(&self, within: &Value) -> Option<String> {
        let mut pointer = String::new();
        let mut at = Some(within);
        for element in self.elements() {
            pointer.push('/');
            match element {
                PathElement::Key(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                PathElement::Index(i) => pointer.push_str(&i.to_string()),
                PathElement::ListKey(_) | PathElement::Value(_) => {
                    let position = element.position(at?.as_array()?)?;
                    pointer.push_str(&position.to_string());
                }
            }
            at = at.and_then(|value| element.find(value));
        }
        Some(pointer)
    }
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
    use serde_json::json;

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
            assert_eq!(path.to_json_pointer(&sample()).as_deref(), pointer, "{path}");
            assert_eq!(path.get(&sample()), value.as_ref(), "{path}");
            if let (Some(pointer), Some(_)) = (pointer, &value) {
                assert_eq!(sample().pointer(pointer), value.as_ref(), "{path}");
            }
        }
    }

    #[test]
    fn removing_takes_exactly_one_value() {
        for (path, _, _, value) in cases() {
            let mut rest = sample();
            let removed = path.remove(&mut rest);
            assert_eq!(removed, value.is_some() && !path.is_root(), "{path}");
            assert_eq!(removed, rest != sample(), "{path}");
        }
        let mut list = json!({"a": [1, 2, 3]});
        assert!(FieldPath::keys(["a"]).child(P::Index(1)).remove(&mut list));
        assert_eq!(list, json!({"a": [1, 3]}));
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
            assert!(scalar.is(&value));
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
