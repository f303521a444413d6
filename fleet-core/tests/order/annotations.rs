//! What annotations say, and what cannot be kept of it.

use fleet_core::order::{Block, Hope, Order, Progress, REFERENCES_MAX, Reached};

use super::{key, order};

fn map(name: &str, annotations: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{namespace: shop, name: {name}, annotations: {{{annotations}}}}}}}\n---\n"
    )
}

fn at(name: &str) -> fleet_core::ObjectKey {
    key(&format!("/ConfigMap/shop/{name}"))
}

fn because(order: &Order, name: &str) -> String {
    order
        .block(&at(name))
        .map_or(String::new(), |block| block.reason(order).to_string())
}

#[test]
fn references_and_waves_are_read() {
    let yaml = map(
        "a",
        r#"example.com/depends-on: " /ConfigMap/shop/b,\n/Namespace//shop ,""#,
    ) + &map("b", r#"example.com/wave: "-3""#)
        + &map("c", r#"example.com/wave: " 2 ", other.com/depends-on: nonsense"#)
        + "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let order = order(&yaml);
    let waits = |name| {
        order
            .waits_for(&at(name))
            .map(|edge| edge.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(["a", "b", "c"].map(|name| order.wave(&at(name))), [0, -3, 2]);
    let a = waits("a");
    assert!(a.contains(&"ConfigMap shop/a depends, by its annotation, on ConfigMap shop/b".to_owned()));
    assert!(a.contains(&"ConfigMap shop/a depends, by its annotation, on Namespace shop".to_owned()));
    // What something in an earlier wave needs is early itself, unless it says otherwise.
    assert_eq!(order.wave(&key("/Namespace//shop")), -3);
    assert!(order.cycles().is_empty());
    let late = yaml.replace(
        "metadata: {name: shop}",
        r#"metadata: {name: shop, annotations: {example.com/wave: "0"}}"#,
    );
    let order = super::order(&late);
    assert!(
        because(&order, "b").starts_with("it waits for itself: "),
        "{}",
        because(&order, "b")
    );
    assert!(order.cycle_of(&at("c")).is_none());
    let Some(Block::Behind { culprit, .. }) = order.block(&at("c")) else {
        panic!("it is of a later wave than the circle")
    };
    assert!(order.cycle_of(culprit).is_some());
}

#[test]
fn annotations_that_cannot_be_kept() {
    let many = (0..=REFERENCES_MAX)
        .map(|_| "/ConfigMap/shop/good")
        .collect::<Vec<_>>()
        .join(",");
    let cases = [
        (
            r#"example.com/wave: "first""#.to_owned(),
            "annotation example.com/wave is no whole number",
        ),
        (
            r#"example.com/wave: "1.5""#.to_owned(),
            "annotation example.com/wave is no whole number",
        ),
        (
            r#"example.com/wave: "99999999999""#.to_owned(),
            "annotation example.com/wave is no whole number",
        ),
        (
            r#"example.com/wave: "" "#.to_owned(),
            "annotation example.com/wave is no whole number",
        ),
        (
            "example.com/wave: 5".to_owned(),
            "annotation example.com/wave is no whole number",
        ),
        (
            "example.com/depends-on: [a]".to_owned(),
            "annotation example.com/depends-on: its reference 1 is not",
        ),
        (
            "example.com/depends-on: a/b".to_owned(),
            "annotation example.com/depends-on: its reference 1 is not",
        ),
        (
            "example.com/depends-on: /ConfigMap/shop/good, apps/v1/Deployment/shop/web"
                .replace(", ", "\\n")
                .replace("example.com/depends-on: ", "example.com/depends-on: \"")
                + "\"",
            "annotation example.com/depends-on: its reference 2 is not",
        ),
        (
            "example.com/depends-on: apps/Deployment/shop/web".to_owned(),
            "annotation example.com/depends-on: Deployment.apps shop/web is not listed in this inventory",
        ),
        (
            "example.com/depends-on: /ConfigMap//good".to_owned(),
            "annotation example.com/depends-on: ConfigMap good is not listed",
        ),
        (
            "example.com/depends-on: /ConfigMap/shop/bad".to_owned(),
            "annotation example.com/depends-on refers to the object itself",
        ),
        (
            format!("example.com/depends-on: \"{many}\""),
            "annotation example.com/depends-on has more than 256",
        ),
    ];
    for (annotation, expect) in cases {
        let yaml = map("bad", &annotation)
            + &map("good", "")
            + &map("behind", "example.com/depends-on: /ConfigMap/shop/bad")
            + &map("far", "example.com/depends-on: /ConfigMap/shop/behind");
        let order = order(&yaml);
        assert!(
            because(&order, "bad").starts_with(expect),
            "{annotation}: {}",
            because(&order, "bad")
        );
        assert_eq!(because(&order, "good"), "");
        let far = because(&order, "far");
        assert!(
            far.starts_with(
                "it depends, by its annotation, on ConfigMap shop/behind, and ConfigMap shop/bad cannot be applied; annotation"
            ),
            "{far}"
        );
        let mut progress = Progress::new(std::sync::Arc::new(order));
        assert_eq!(
            progress.ready().map(|key| key.name()).collect::<Vec<_>>(),
            ["good"]
        );
        // Not even when it is there and healthy already.
        progress.reach(&at("bad"), Reached::Healthy, Hope::Open);
        assert!(!progress.is_ready(&at("bad")) && !progress.is_ready(&at("behind")));
    }
}

#[test]
fn circles_are_explained_edge_by_edge() {
    let yaml = map("a", "example.com/depends-on: /ConfigMap/shop/b")
        + &map("b", "example.com/depends-on: /Pod/shop/c")
        + "{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: c}, spec: {containers: [], volumes: [{name: a, configMap: {name: a}}]}}\n---\n"
        + &map("behind", "example.com/depends-on: /Pod/shop/c")
        + &map("before", "");
    let order = order(&yaml);
    let [cycle] = order.cycles() else { panic!() };
    assert_eq!(cycle.members().len(), 3);
    assert_eq!(
        cycle.to_string(),
        "ConfigMap shop/a depends, by its annotation, on ConfigMap shop/b, which depends, by its annotation, on Pod \
         shop/c, which has pods that mount ConfigMap shop/a"
    );
    let reason = order.block(&at("a")).unwrap().reason(&order);
    assert_eq!((&*reason.code, reason.because.len()), ("dependency-cycle", 3));
    let reason = order.block(&at("behind")).unwrap().reason(&order);
    assert_eq!(
        (&*reason.code, &*reason.because[0].code),
        ("dependency-blocked", "dependency-cycle")
    );
    assert!(order.block(&at("before")).is_none());
    assert!(order.cycle_of(&at("behind")).is_none());
}

#[test]
fn waves_that_contradict_what_is_needed_are_a_circle_and_what_is_better_gives_way() {
    let pod = |volume: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{namespace: shop, name: a}}, spec: {{containers: [], volumes: [{volume}]}}}}\n---\n"
        )
    };
    let later = map("files", r#"example.com/wave: "1""#);
    let needed = order(&(pod("{name: a, configMap: {name: files}}") + &later));
    assert_eq!(
        needed.cycles()[0].to_string(),
        "ConfigMap shop/files is of a later wave than Pod shop/a, which has pods that mount ConfigMap shop/files"
    );
    let better = order(&(pod("{name: a, configMap: {name: files, optional: true}}") + &later));
    assert!(better.cycles().is_empty());
    let dropped: Vec<String> = better.dropped().map(|edge| edge.to_string()).collect();
    assert_eq!(
        dropped,
        ["Pod shop/a has pods that use, if it is there, ConfigMap shop/files"]
    );
    // A quota is of wave 0, and counts what is of wave 1.
    let quota =
        order(&(later + "{apiVersion: v1, kind: ResourceQuota, metadata: {namespace: shop, name: q}}"));
    assert!(quota.cycles().is_empty());
    assert_eq!(quota.dropped().count(), 1);
}

#[test]
fn a_long_circle_is_told_in_short() {
    let yaml: String = (0..3000)
        .map(|i| {
            map(
                &format!("m{i}"),
                &format!("example.com/depends-on: /ConfigMap/shop/m{}", (i + 1) % 3000),
            )
        })
        .collect();
    let order = order(&yaml);
    let cycle = &order.cycles()[0];
    assert_eq!((cycle.members().len(), cycle.path().len()), (3000, 3000));
    assert!(cycle.to_string().ends_with(", and so on, 2988 more"), "{cycle}");
    assert_eq!(cycle.reason().because.len(), 12);
}
