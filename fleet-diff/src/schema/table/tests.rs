use std::time::{Duration, Instant};

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{LONGEST_WORD, bits, bytes, decode, encode::encode, reduce::reduced, text::text, writer};
use crate::{
    Document,
    schema::{
        Conversion, Layer, ListKind, ListType, MapType, Schemas, Type, TypeId,
        samples::{apps, facts, native, top, widgets},
    },
};

fn builtin() -> impl Iterator<Item = Schemas> {
    Schemas::KUBERNETES
        .iter()
        .filter_map(|version| Schemas::for_kubernetes(version))
}

/// Small layers that have everything a layer can have.
fn small() -> Vec<Layer> {
    let below = || Schemas::default().with_native(&[apps()], &facts()).unwrap();
    let on_top =
        |schemas: Schemas| std::sync::Arc::into_inner(schemas.layers.into_iter().last().unwrap()).unwrap();
    vec![
        native(),
        reduced(&native()),
        on_top(below().with_crd(&widgets()).unwrap()),
        on_top(Schemas::default().with_crd(&widgets()).unwrap()),
        on_top(below().with_openapi(&apps()).unwrap()),
        on_top(Schemas::default().with_openapi(&apps()).unwrap()),
    ]
}

/// Tables are of built-in kinds: how versions of others are converted is not in them.
fn without_conversions(layer: &Layer) -> Layer {
    let mut layer = layer.clone();
    for kind in layer.kinds.values_mut() {
        kind.conversion = Conversion::of(kind.native);
    }
    layer
}

#[test]
fn what_is_written_is_read() {
    let builtin: Vec<Schemas> = builtin().collect();
    assert_eq!(builtin.len(), Schemas::KUBERNETES.len());
    for layer in small().iter().chain(builtin.iter().map(top)) {
        let table = encode(layer);
        let read = decode(&table).unwrap();
        assert_eq!(text(&read), text(layer));
        assert!(read == without_conversions(layer));
        assert_eq!(encode(&read), table);
    }
}

#[test]
fn a_table_has_what_served_kinds_reach_whatever_the_order_of_documents() {
    let thing = "io.k8s.api.apps.v1.Thing";
    let kind = |kind: &str| json!([{"group": "", "version": "v1", "kind": kind}]);
    let core = |schema: &Value| {
        Document::from_json(&json!({"components": {"schemas": {
            thing: schema,
            "io.k8s.api.core.v1.Pod": {"type": "object", "x-kubernetes-group-version-kind": kind("Pod"),
                "properties": {"thing": {"$ref": format!("#/components/schemas/{thing}")}}},
            "io.k8s.api.core.v1.Secret": {"type": "object", "x-kubernetes-group-version-kind": kind("Secret"),
                "properties": {"data": {"type": "string"}}},
        }}}))
    };
    let schema = apps().to_json()["components"]["schemas"][thing].clone();
    let mut facts = facts().to_json();
    let pod =
        serde_json::json!({"group": "", "version": "v1", "kind": "Pod", "namespaced": true, "resets": {}});
    facts["kinds"].as_array_mut().unwrap().push(pod);
    let facts = Document::from_json(&facts);
    let table = writer::table(&[apps(), core(&schema)], &facts).unwrap();
    assert_eq!(writer::table(&[core(&schema), apps()], &facts).unwrap(), table);
    assert_eq!(writer::text(&table).unwrap(), SHOWN);
    let error = writer::table(&[apps(), core(&json!({"type": "string"}))], &facts).unwrap_err();
    assert!(error.to_string().contains("which says otherwise"), "{error}");
    let error = writer::table(&[apps()], &facts).unwrap_err();
    assert_eq!(error.to_string(), "v1 Pod: is served, and no document has it");
}

const SHOWN: &str = "\
gate Alpha
gate Beta
kind v1 Pod: io.k8s.api.core.v1.Pod, native, namespaced
kind apps/v1 Deployment: io.k8s.api.apps.v1.Deployment, native, namespaced, drops .spec.paused, drops .status
io.k8s.api.apps.v1.Deployment: struct
io.k8s.api.apps.v1.Deployment.apiVersion: text, omitempty
io.k8s.api.apps.v1.Deployment.kind: text, omitempty
io.k8s.api.apps.v1.Deployment.metadata: io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta, omitempty, default {}
io.k8s.api.apps.v1.Deployment.spec: io.k8s.api.apps.v1.DeploymentSpec, omitempty
io.k8s.api.apps.v1.DeploymentSpec: struct
io.k8s.api.apps.v1.DeploymentSpec.extra: map of io.k8s.apimachinery.pkg.api.resource.Quantity, omitzero
io.k8s.api.apps.v1.DeploymentSpec.old: *io.k8s.api.apps.v1.Thing#granular
io.k8s.api.apps.v1.DeploymentSpec.paused: bool, omitempty, default true
io.k8s.api.apps.v1.DeploymentSpec.ports: list by port and protocol of struct {port: as is (number); protocol: as is (text)}
io.k8s.api.apps.v1.DeploymentSpec.replicas: *int32, omitempty
io.k8s.api.apps.v1.DeploymentSpec.tags: set of text, omitempty
io.k8s.api.apps.v1.DeploymentSpec.thing: io.k8s.api.apps.v1.Thing, omitzero
io.k8s.api.apps.v1.DeploymentSpec.words: list of text, omitempty
io.k8s.api.apps.v1.Thing: atomic struct
io.k8s.api.apps.v1.Thing.of: *io.k8s.api.apps.v1.Thing, omitempty
io.k8s.api.apps.v1.Thing.size: float, default 1.5
io.k8s.api.apps.v1.Thing#granular: struct
io.k8s.api.apps.v1.Thing#granular.of: *io.k8s.api.apps.v1.Thing, omitempty
io.k8s.api.apps.v1.Thing#granular.size: float, default 1.5
io.k8s.api.core.v1.Pod: as is (struct)
io.k8s.api.core.v1.Pod.thing: io.k8s.api.apps.v1.Thing
io.k8s.apimachinery.pkg.api.resource.Quantity: quantity
io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta: struct
io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.labels: map of text, omitempty
io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.name: text, omitempty
";

#[test]
fn bits_are_read_as_they_are_written() {
    let mut types = 0;
    for number in 0..1 << 18 {
        let Some(read) = bits::read_type(number) else {
            continue;
        };
        let list = match read.list {
            bits::ListBits::None => None,
            bits::ListBits::Atomic => Some(ListKind::Atomic),
            bits::ListBits::Set => Some(ListKind::Set),
            bits::ListBits::Map => Some(ListKind::Map(["key".into()].into())),
        };
        let element = TypeId::UNTYPED;
        let of = Type {
            scalar: read.scalar,
            list: list.map(|kind| ListType { element, kind }),
            map: read.map.map(|map| MapType {
                fields: Vec::new().into(),
                element: map.has_element.then_some(element),
                atomic: map.atomic,
            }),
            stored: read.stored,
            custom: read.custom,
        };
        assert_eq!(bits::write::type_bits(&of), number);
        types += 1;
    }
    // 16 ways of storing, 5 scalars, 4 lists, 5 mappings, 5 flags
    assert_eq!(types, 16 * 5 * 4 * 5 * 32);
    let fields = (0..1 << 8).filter_map(|number| bits::read_field(number).map(|read| (number, read)));
    let fields = fields.map(|(number, field)| assert_eq!(bits::write::field_bits(field), number));
    assert_eq!(fields.count(), 2 * 2 * 3 * 2);
    let kinds = (0..1 << 8).filter_map(|number| bits::read_kind(number).map(|read| (number, read)));
    let kinds =
        kinds.map(|(number, (native, scope))| assert_eq!(bits::write::kind_bits(native, scope), number));
    assert_eq!(kinds.count(), 2 * 3);
}

#[test]
fn numbers_and_words_have_limits() {
    for number in [0, 127, 128, 16_383, 16_384, u32::MAX] {
        let mut out = Vec::new();
        bytes::write::number(&mut out, number);
        assert_eq!(bytes::Bytes::new(&out).number().unwrap(), number);
    }
    for wrong in [
        &[][..],
        &[0x80],
        &[0xff, 0xff, 0xff, 0xff, 0x1f],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0],
    ] {
        assert!(bytes::Bytes::new(wrong).number().is_err(), "{wrong:?}");
    }
    let read = |bytes: &[u8]| {
        bytes::Bytes::new(bytes)
            .words::<String>()
            .map_err(|error| error.problem)
    };
    assert_eq!(read(&[2, 0, 2, b'a', b'b', 1, 1, b'c']).unwrap(), ["ab", "ac"]);
    for (wrong, problem) in [
        (&[9, 0, 0][..], "says that more follows than there is"),
        (&[2, 0, 1, b'b', 0, 1, b'a'], "words are not in order"),
        (&[2, 0, 1, b'b', 1, 0], "words are not in order"),
        (&[1, 1, 1, b'b'], "a word shares more than there is"),
        (&[1, 0, 1, 0xff], "a word is not UTF-8"),
    ] {
        assert_eq!(read(wrong).unwrap_err(), problem);
    }
    // Words that each take two bytes and get longer and longer.
    let mut growing = vec![0xff, 0x01, 0, 1, b'a'];
    for shared in 1..=LONGEST_WORD {
        bytes::write::count(&mut growing, shared);
        growing.extend([1, b'a']);
    }
    assert_eq!(read(&growing).unwrap().len(), LONGEST_WORD);
    growing[..2].copy_from_slice(&[0x80, 0x02]);
    assert_eq!(read(&growing).unwrap_err(), "a word is too long");
}

/// Reads damaged bytes: an error that says where, or a layer that can be used. Returns whether it was a layer.
fn read_damaged(bytes: &[u8]) -> bool {
    let begin = Instant::now();
    let read = decode(bytes);
    // Reading takes milliseconds even without optimization.
    assert!(begin.elapsed() < Duration::from_secs(5));
    match read {
        Ok(layer) => {
            assert!(decode(&encode(&layer)).unwrap() == layer);
            text(&layer);
            true
        }
        Err(error) => {
            assert!(error.to_string().starts_with("schema table, byte "), "{error}");
            false
        }
    }
}

#[test]
fn every_damage_to_one_bit_and_every_truncation_of_a_small_table_is_borne() {
    // The others have no more than these.
    for layer in small().iter().take(3) {
        let table = encode(layer);
        assert!((0..table.len()).all(|end| !read_damaged(&table[..end])));
        let mut damaged = table.clone();
        let mut read = 0;
        for bit in 0..table.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            read += usize::from(read_damaged(&damaged));
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(read > 0 && read < table.len() * 8);
        assert!(!read_damaged(&[&table[..], &[0]].concat()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn damage_to_a_built_in_table_is_borne(
        newest in any::<bool>(),
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
        end in prop::option::of(any::<Index>()),
    ) {
        let mut table = encode(top(&builtin().nth(usize::from(newest)).unwrap()));
        for (at, byte) in damage {
            let at = at.index(table.len());
            table[at] = byte;
        }
        if let Some(end) = end {
            table.truncate(end.index(table.len()));
        }
        read_damaged(&table);
    }

    #[test]
    fn bytes_that_are_no_table_are_borne(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        magic in any::<bool>(),
    ) {
        let begin = if magic { &super::MAGIC[..] } else { &[] };
        read_damaged(&[begin, &bytes].concat());
    }
}
