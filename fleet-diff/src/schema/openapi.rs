//! Schemas from OpenAPI v3 documents, as an API server gives them for each group and version.
//!
//! The conversion is the server's own (kube-openapi, `pkg/schemaconv`): the field manager of the server merges by
//! what it makes of the same documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Conversion, Custom, Field, Form, KindEntry, Layer, ListKind, ListType, MapType, ScalarType, SchemaError,
    Stored, Type, TypeId,
    build::Types,
    facts::{Fact, Facts},
    resets_status,
};
use crate::{
    Document, FieldSet, GroupKind, Gvk,
    document::{Builder, Node},
};

pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/// True for names of types that are compiled into API servers.
pub(super) fn is_native(name: &str) -> bool {
    name.starts_with("io.k8s.")
}

/// How deep a schema may be nested in itself without references.
const DEEPEST: usize = 100;

/// All types and kinds of a document. The facts are taken over from `below`, a layer that has them.
pub(super) fn layer(document: &Document, below: Option<&Layer>) -> Result<Layer, SchemaError> {
    let mut types = Types::default();
    below
        .into_iter()
        .flat_map(|below| &below.gates)
        .for_each(|gate| types.gate(gate));
    add(&mut types, document, None, below)?;
    Ok(types.finish())
}

/// All types and kinds of a server's documents, with the facts about them.
pub(super) fn native(documents: &[Document], facts: &Document) -> Result<Layer, SchemaError> {
    let Some(facts) = Facts::new(facts.root()) else {
        return Err(SchemaError {
            place: "types".into(),
            problem: "is missing: are these facts?".into(),
        });
    };
    let mut types = Types::default();
    types.told();
    facts.gates().for_each(|gate| types.gate(gate));
    for document in documents {
        add(&mut types, document, Some(facts), None)?;
    }
    Ok(types.finish())
}

fn add(
    types: &mut Types,
    document: &Document,
    facts: Option<Facts<'_>>,
    below: Option<&Layer>,
) -> Result<(), SchemaError> {
    let models = document
        .root()
        .get("components")
        .and_then(|components| components.get("schemas"));
    let Some(models) = models.filter(|models| models.is_map()) else {
        return Err(SchemaError {
            place: "components.schemas".into(),
            problem: "is missing: is this an OpenAPI v3 document?".into(),
        });
    };
    let apart = kinds_with_status(document);
    let scopes = scopes(document);
    for (name, model) in models.entries() {
        let id = types.named(name);
        let known = below.and_then(|below| Some((below, *below.names.get(name)?)));
        let known = known.filter(|_| facts.is_none() && is_native(name));
        let mut reader = Reader {
            types,
            facts,
            place: name.to_owned(),
            preserve: false,
            depth: 0,
        };
        let of = match name {
            QUANTITY => Type {
                scalar: Some(ScalarType::Any),
                stored: Stored::Quantity,
                ..Type::default()
            },
            RAW_EXTENSION => Type {
                stored: Stored::Json,
                ..Type::untyped()
            },
            _ => reader.named_type(model, name)?,
        };
        // How values are stored the lower layer knows, and this document does not say.
        let of = match known {
            Some((below, known)) => adopt(types, of, below, below.get(known)),
            None => of,
        };
        types.define(id, of);
        let native = is_native(name) && (facts.is_some() || known.is_some());
        let kinds = model
            .get("x-kubernetes-group-version-kind")
            .into_iter()
            .flat_map(Node::items);
        for gvk in kinds.filter_map(gvk) {
            let told = known.and_then(|(below, _)| below.kinds.get(&gvk));
            let kind = told.map_or_else(
                || {
                    let resets = facts.and_then(|facts| facts.resets(&gvk));
                    let status = || {
                        if apart.contains(&gvk) {
                            resets_status()
                        } else {
                            FieldSet::new()
                        }
                    };
                    let by_path = || scopes.get(&gvk).copied();
                    KindEntry {
                        root: id,
                        native,
                        resets: Arc::new(resets.unwrap_or_else(status)),
                        namespaced: facts.map_or_else(by_path, |facts| facts.namespaced(&gvk)),
                        conversion: Conversion::of(native),
                    }
                },
                |told| KindEntry {
                    root: id,
                    ..told.clone()
                },
            );
            types.kind(gvk, kind);
        }
    }
    Ok(())
}

fn gvk(node: Node<'_>) -> Option<Gvk> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    Some(GroupKind::new(text("group")?, text("kind")?).at(text("version")?))
}

/// Kinds whose status has an endpoint of its own: then the main one does not write it.
fn kinds_with_status(document: &Document) -> BTreeSet<Gvk> {
    let paths = document.root().get("paths").into_iter().flat_map(Node::entries);
    let status = paths.filter(|(path, _)| path.ends_with("/status"));
    status
        .filter_map(|(_, path)| gvk(path.get("get")?.get("x-kubernetes-group-version-kind")?))
        .collect()
}

/// Whether kinds are in namespaces, by the paths of their objects. Kinds that are only created have none.
fn scopes(document: &Document) -> BTreeMap<Gvk, bool> {
    let paths = document.root().get("paths").into_iter().flat_map(Node::entries);
    let objects = paths.filter(|(path, _)| path.ends_with("/{name}"));
    objects
        .filter_map(|(path, methods)| {
            let gvk = gvk(methods.get("get")?.get("x-kubernetes-group-version-kind")?)?;
            Some((gvk, path.contains("/namespaces/{namespace}/")))
        })
        .collect()
}

/// The same type, stored as a type of another layer is.
fn adopt(types: &mut Types, mut of: Type, below: &Layer, known: &Type) -> Type {
    of.stored = known.stored;
    let mut inner = |id: TypeId, known: TypeId| {
        if types.is_named(id) || id == TypeId::UNTYPED || id == TypeId::DEDUCED {
            return id;
        }
        let of = types.get(id).clone();
        let of = adopt(types, of, below, below.get(known));
        types.add(of)
    };
    if let (Some(list), Some(known)) = (&mut of.list, &known.list) {
        list.element = inner(list.element, known.element);
    }
    if let (Some(map), Some(known)) = (&mut of.map, &known.map) {
        if let (Some(element), Some(known)) = (map.element, known.element) {
            map.element = Some(inner(element, known));
        }
        for field in &mut map.fields {
            if let Some(known) = known.field(&field.name) {
                field.form = known.form;
                field.of = inner(field.of, known.of);
            }
        }
    }
    of
}

/// Turns one schema into a type.
pub(super) struct Reader<'t, 'f> {
    pub(super) types: &'t mut Types,
    pub(super) facts: Option<Facts<'f>>,
    pub(super) place: String,
    /// Inside `x-kubernetes-preserve-unknown-fields`.
    pub(super) preserve: bool,
    pub(super) depth: usize,
}

impl<'f> Reader<'_, 'f> {
    pub(super) fn error(&self, problem: impl Into<String>) -> SchemaError {
        SchemaError {
            place: self.place.clone(),
            problem: problem.into(),
        }
    }

    fn named_type(&mut self, schema: Node<'_>, name: &str) -> Result<Type, SchemaError> {
        let facts = self.facts.and_then(|facts| facts.of(name));
        let mut of = self.inline(schema, None)?;
        if let Some(facts) = facts {
            of.stored = facts.stored();
            let Some(map) = of.map.take() else { return Ok(of) };
            let mut fields = map.fields.into_vec();
            let members = schema.get("properties").into_iter().flat_map(Node::entries);
            for (field, (member, schema)) in fields.iter_mut().zip(members) {
                debug_assert_eq!(&*field.name, member);
                if let Some(fact) = facts.field(member) {
                    field.form = fact.form();
                    field.of = self.stored(field.of, schema, fact)?;
                }
            }
            of.map = Some(MapType {
                fields: fields.into(),
                ..map
            });
        }
        Ok(of)
    }

    /// The same type, with how it is stored.
    fn stored(&mut self, id: TypeId, schema: Node<'_>, fact: Fact<'f>) -> Result<TypeId, SchemaError> {
        if reference(schema).is_some() && !matches!(fact.stored(), Stored::List | Stored::Map) {
            // A struct or scalar with a name of its own has its facts there.
            return Ok(id);
        }
        let mut of = self.types.get(id).clone();
        of.stored = fact.stored();
        if let Some(element) = fact.element() {
            if let (Some(list), Some(items)) = (&mut of.list, schema.get("items")) {
                list.element = self.stored(list.element, items, element)?;
            }
            if let (Some(map), Some(values)) = (&mut of.map, schema.get("additionalProperties"))
                && let Some(value) = map.element
            {
                map.element = Some(self.stored(value, values, element)?);
            }
        }
        Ok(self.types.add(of))
    }

    /// The type a schema in a field, list or mapping stands for.
    pub(super) fn of(&mut self, schema: Node<'_>) -> Result<TypeId, SchemaError> {
        if let Some(name) = reference(schema) {
            let id = self.types.named(name);
            return match relation(schema).map_err(|problem| self.error(problem))? {
                None => Ok(id),
                Some(atomic) => Ok(self.types.overridden(name, id, atomic)),
            };
        }
        let of = self.inline(schema, None)?;
        Ok(self.types.add(of))
    }

    pub(super) fn inline(&mut self, schema: Node<'_>, root: Option<TypeId>) -> Result<Type, SchemaError> {
        if self.depth >= DEEPEST {
            return Err(self.error("nested too deeply"));
        }
        let outer = self.preserve;
        self.depth += 1;
        if flag(schema, "x-kubernetes-preserve-unknown-fields") {
            self.preserve = true;
        }
        let read = self.parts(schema, root);
        self.preserve = outer;
        self.depth -= 1;
        read
    }

    fn parts(&mut self, schema: Node<'_>, root: Option<TypeId>) -> Result<Type, SchemaError> {
        let mut of = Type {
            custom: custom(schema),
            ..Type::default()
        };
        let kind = schema
            .get("type")
            .and_then(|kind| kind.as_str().or_else(|| kind.item(0)?.as_str()));
        let kind = kind.filter(|_| !of.custom.int_or_string);
        match kind.unwrap_or("") {
            "" => {
                of.scalar = Some(ScalarType::Any);
                of.list = Some(self.list(schema, false)?);
                of.map = Some(self.map(schema, root)?);
            }
            "object" => of.map = Some(self.map(schema, root)?),
            "array" => of.list = Some(self.list(schema, true)?),
            "integer" | "number" => of.scalar = Some(ScalarType::Number),
            "boolean" => of.scalar = Some(ScalarType::Bool),
            "string" => {
                let format = schema.get("format").and_then(Node::as_str).unwrap_or("");
                of.scalar = Some(if matches!(format, "" | "byte") {
                    ScalarType::Text
                } else {
                    ScalarType::Any
                });
            }
            other => return Err(self.error(format!("unknown type `{}`", short(other)))),
        }
        Ok(of)
    }

    fn list(&mut self, schema: Node<'_>, typed: bool) -> Result<ListType, SchemaError> {
        let text = |key: &str| schema.get(key).and_then(Node::as_str);
        let kind = match (
            text("x-kubernetes-list-type"),
            text("x-kubernetes-patch-strategy"),
        ) {
            (Some("atomic"), _) | (None, None | Some("retainKeys")) => ListKind::Atomic,
            (Some("set"), _) => ListKind::Set,
            (Some("map"), _) => {
                let keys = schema
                    .get("x-kubernetes-list-map-keys")
                    .into_iter()
                    .flat_map(Node::items);
                let mut keys: Vec<Arc<str>> = keys.filter_map(|key| Some(key.as_str()?.into())).collect();
                keys.sort();
                if keys.is_empty() {
                    return Err(self.error("a list of type map without x-kubernetes-list-map-keys"));
                }
                ListKind::Map(keys.into())
            }
            (None, Some("merge" | "merge,retainKeys")) => match text("x-kubernetes-patch-merge-key") {
                Some(key) => ListKind::Map([key.into()].into()),
                None => ListKind::Set,
            },
            (Some(other), _) | (None, Some(other)) => {
                return Err(self.error(format!("unknown list type `{}`", short(other))));
            }
        };
        let element = match schema.get("items") {
            Some(items) => self.within("[]", |reader| reader.of(items))?,
            None if typed => return Err(self.error("a list without `items`")),
            None => TypeId::UNTYPED,
        };
        Ok(ListType { element, kind })
    }

    fn map(&mut self, schema: Node<'_>, root: Option<TypeId>) -> Result<MapType, SchemaError> {
        let members = schema.get("properties").into_iter().flat_map(Node::entries);
        let required = |name: &str| {
            let mut names = schema.get("required").into_iter().flat_map(Node::items);
            names.any(|known| known.as_str() == Some(name))
        };
        let mut fields = Vec::new();
        for (name, member) in members {
            let of = match root.filter(|_| name == "metadata") {
                Some(meta) => meta,
                None => self.within(&format!(".{}", short(name)), |reader| reader.of(member))?,
            };
            fields.push(Field {
                name: name.into(),
                of,
                default: default(member),
                form: Form::default(),
                required: required(name),
            });
        }
        if root.is_some() || flag(schema, "x-kubernetes-embedded-resource") {
            self.add_identity(&mut fields, root);
        }
        let element = match schema.get("additionalProperties") {
            None if self.preserve || fields.is_empty() => Some(TypeId::DEDUCED),
            Some(values) if values.is_map() => Some(self.within("[*]", |reader| reader.of(values))?),
            Some(values) if values.as_bool() == Some(true) => Some(TypeId::DEDUCED),
            _ => None,
        };
        let atomic = relation(schema).map_err(|problem| self.error(problem))? == Some(true);
        Ok(MapType {
            fields: fields.into(),
            element,
            atomic,
        })
    }

    /// `apiVersion`, `kind` and `metadata`, which a custom resource has whether its schema says so or not.
    fn add_identity(&mut self, fields: &mut Vec<Field>, meta: Option<TypeId>) {
        let text = self.types.add(Type {
            scalar: Some(ScalarType::Text),
            ..Type::default()
        });
        let meta = meta.unwrap_or_else(|| self.types.named(OBJECT_META));
        for (name, of) in [("apiVersion", text), ("kind", text), ("metadata", meta)] {
            match fields.binary_search_by(|field| (*field.name).cmp(name)) {
                Ok(at) => fields[at].of = of,
                Err(at) => {
                    fields.insert(
                        at,
                        Field {
                            name: name.into(),
                            of,
                            default: None,
                            form: Form::default(),
                            required: false,
                        },
                    );
                }
            }
        }
    }

    fn within<T>(
        &mut self,
        step: &str,
        read: impl FnOnce(&mut Self) -> Result<T, SchemaError>,
    ) -> Result<T, SchemaError> {
        let outer = self.place.len();
        self.place.push_str(step);
        let found = read(self);
        self.place.truncate(outer);
        found
    }
}

/// The name a schema refers to: `$ref`, also as the only element of `allOf`.
fn reference(schema: Node<'_>) -> Option<&str> {
    let direct = schema
        .get("$ref")
        .and_then(Node::as_str)
        .filter(|text| !text.is_empty());
    let text = direct.or_else(|| {
        let all = schema.get("allOf").filter(|all| all.len() == 1)?;
        all.item(0)?.get("$ref")?.as_str()
    })?;
    text.rsplit('/').next().filter(|name| !name.is_empty())
}

/// Whether a mapping is replaced as a whole; none when the schema does not say.
fn relation(schema: Node<'_>) -> Result<Option<bool>, &'static str> {
    match schema.get("x-kubernetes-map-type").and_then(Node::as_str) {
        None => Ok(None),
        Some("atomic") => Ok(Some(true)),
        Some("granular") => Ok(Some(false)),
        Some(_) => Err("unknown x-kubernetes-map-type"),
    }
}

fn custom(schema: Node<'_>) -> Custom {
    Custom {
        nullable: flag(schema, "nullable"),
        preserve_unknown: flag(schema, "x-kubernetes-preserve-unknown-fields"),
        embedded: flag(schema, "x-kubernetes-embedded-resource"),
        int_or_string: flag(schema, "x-kubernetes-int-or-string"),
        watches_changes: watches_changes(schema),
    }
}

/// True for a schema with a rule in which `oldSelf` occurs.
fn watches_changes(schema: Node<'_>) -> bool {
    let mut rules = schema
        .get("x-kubernetes-validations")
        .into_iter()
        .flat_map(Node::items);
    rules.any(|rule| {
        rule.get("rule")
            .and_then(Node::as_str)
            .is_some_and(|rule| rule.contains("oldSelf"))
    })
}

fn flag(schema: Node<'_>, name: &str) -> bool {
    schema.get(name).and_then(Node::as_bool) == Some(true)
}

fn default(schema: Node<'_>) -> Option<Arc<Document>> {
    let default = schema.get("default")?;
    let mut builder = Builder::new();
    builder.node(default);
    Some(Arc::new(builder.finish()))
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
