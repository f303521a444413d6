//! What the server says about its kinds: OpenAPI v3, by API version.

use std::collections::BTreeMap;

use serde_json::Value;

const REF: &str = "#/components/schemas/";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/// The schemas of a server.
#[derive(Default)]
pub(super) struct Schemas {
    /// `components.schemas` by API version.
    versions: BTreeMap<String, Value>,
}

/// The schema at one place: what the place says itself, and the type it refers to.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    all: &'a Value,
    own: &'a Value,
    named: Option<(&'a str, &'a Value)>,
}

/// Nothing is known: fields are what they are.
static DEDUCED: Value = Value::Null;

/// How a list is merged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ListSort {
    Atomic,
    Set,
    Keyed(Vec<String>),
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    Text,
    Bytes,
    Time,
    Integer,
    Number,
    Truth,
    Quantity,
    IntOrString,
    /// A mapping with known fields, or with free ones.
    Mapping {
        free: bool,
        atomic: bool,
    },
    List(ListSort),
    Unknown,
}

impl Schemas {
    pub(super) fn add(&mut self, api_version: &str, mut document: Value) {
        let schemas = document["components"]["schemas"].take();
        self.versions.insert(api_version.to_owned(), schemas);
    }

    /// The schema of a kind.
    pub(super) fn of(&self, api_version: &str, kind: &str) -> Option<Schema<'_>> {
        let all = self.versions.get(api_version)?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let (name, schema) = all.as_object()?.iter().find(|(_, schema)| {
            schema["x-kubernetes-group-version-kind"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|gvk| gvk["group"] == group && gvk["version"] == version && gvk["kind"] == kind)
        })?;
        Some(Schema {
            all,
            own: &Value::Null,
            named: Some((name, schema)),
        })
    }
}

impl<'a> Schema<'a> {
    fn new(all: &'a Value, own: &'a Value) -> Self {
        let reference = own["$ref"]
            .as_str()
            .or_else(|| own["allOf"].get(0).and_then(|part| part["$ref"].as_str()));
        let named = reference.and_then(|reference| {
            let name = reference.strip_prefix(REF)?;
            Some((name, all.get(name)?))
        });
        Self { all, own, named }
    }

    /// What the place itself says, else what its type says.
    fn say(&self, word: &str) -> Option<&'a Value> {
        self.own
            .get(word)
            .or_else(|| self.named.and_then(|(_, schema)| schema.get(word)))
    }

    fn text(&self, word: &str) -> Option<&'a str> {
        self.say(word)?.as_str()
    }

    /// The type's name, if it has one.
    pub(super) fn type_name(&self) -> Option<&'a str> {
        self.named.map(|(name, _)| name)
    }

    /// Nobody has described it, and it is kept all the same.
    pub(super) fn is_deduced(&self) -> bool {
        self.own.is_null() && self.named.is_none()
    }

    fn keeps_unknown(&self) -> bool {
        self.is_deduced()
            || self
                .say("x-kubernetes-preserve-unknown-fields")
                .is_some_and(|v| v == true)
    }

    fn deduced(&self) -> Self {
        Self {
            all: self.all,
            own: &DEDUCED,
            named: None,
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<Self> {
        if let Some(own) = self.say("properties").and_then(|all| all.get(name)) {
            return Some(Self::new(self.all, own));
        }
        self.values()
            .or_else(|| self.keeps_unknown().then(|| self.deduced()))
    }

    /// Of a mapping with free fields: what they are.
    pub(super) fn values(&self) -> Option<Self> {
        self.say("additionalProperties")
            .filter(|schema| schema.is_object())
            .map(|own| Self::new(self.all, own))
    }

    /// The names of known fields.
    pub(super) fn known_fields(&self) -> Vec<&'a str> {
        self.say("properties")
            .and_then(Value::as_object)
            .map(|all| all.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }

    pub(super) fn items(&self) -> Option<Self> {
        let described = self.say("items").map(|own| Self::new(self.all, own));
        described.or_else(|| self.keeps_unknown().then(|| self.deduced()))
    }

    pub(super) fn enumerated(&self) -> &'a [Value] {
        self.say("enum")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn default_value(&self) -> Option<&'a Value> {
        self.say("default")
    }

    pub(super) fn requires(&self, field: &str) -> bool {
        self.say("required")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|name| name == field))
    }

    /// What it is, of which this is a value.
    pub(super) fn sort_of(&self, value: &Value) -> Sort {
        let said = self.sort();
        if said != Sort::Unknown {
            return said;
        }
        match value {
            Value::String(_) => Sort::Text,
            Value::Bool(_) => Sort::Truth,
            Value::Number(_) => Sort::Number,
            Value::Array(_) => Sort::List(ListSort::Atomic),
            Value::Object(_) => Sort::Mapping {
                free: true,
                atomic: false,
            },
            Value::Null => Sort::Unknown,
        }
    }

    pub(super) fn sort(&self) -> Sort {
        match self.type_name() {
            Some(QUANTITY) => return Sort::Quantity,
            Some(INT_OR_STRING) => return Sort::IntOrString,
            _ => {}
        }
        if self.say("x-kubernetes-int-or-string").is_some_and(|v| v == true)
            || self.text("format") == Some("int-or-string")
        {
            return Sort::IntOrString;
        }
        match (self.text("type"), self.text("format")) {
            (Some("string"), Some("byte")) => Sort::Bytes,
            (Some("string"), Some("date-time")) => Sort::Time,
            (Some("string"), _) => Sort::Text,
            (Some("integer"), _) => Sort::Integer,
            (Some("number"), _) => Sort::Number,
            (Some("boolean"), _) => Sort::Truth,
            (Some("array"), _) => Sort::List(self.list_sort()),
            (Some("object"), _) => Sort::Mapping {
                free: self.say("properties").is_none(),
                atomic: self.text("x-kubernetes-map-type") == Some("atomic"),
            },
            _ => Sort::Unknown,
        }
    }

    fn list_sort(&self) -> ListSort {
        match self.text("x-kubernetes-list-type") {
            Some("set") => ListSort::Set,
            Some("map") => {
                let keys = self.say("x-kubernetes-list-map-keys").and_then(Value::as_array);
                let names = keys.into_iter().flatten().filter_map(Value::as_str);
                ListSort::Keyed(names.map(str::to_owned).collect())
            }
            _ => ListSort::Atomic,
        }
    }
}
