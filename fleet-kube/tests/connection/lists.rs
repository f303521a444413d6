//! Lists: whole, or an error.

use fleet_core::{Fault, Identity, LiveMeta, Remedy};
use fleet_kube::ConnectionOptions;
use serde_json::{Value, json};

use crate::fake::{Act, Fake, gvk, json_reply, marks, status};

fn item(n: usize) -> Value {
    json!({"metadata": {"namespace": "shop", "name": format!("m{n}"), "uid": format!("u{n}"), "resourceVersion": "1"}})
}

fn page(items: std::ops::Range<usize>, next: &str) -> Act {
    json_reply(
        200,
        &json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "100", "continue": next}, "items": items.map(item).collect::<Vec<_>>(),
        }),
    )
}

fn expired() -> Act {
    let message = "The provided continue parameter is too old to display a consistent list result.";
    json_reply(410, &status(410, "Expired", message, &json!({})))
}

async fn list(fake: &Fake) -> Result<Vec<LiveMeta>, Fault> {
    let connection = fake.connect(ConnectionOptions::default().list_pages(2)).await;
    connection
        .list_meta(&gvk("v1", "ConfigMap"), None, Some("a=b"), &marks())
        .await
}

fn is_list(path: &str) -> bool {
    path.ends_with("/configmaps")
}

#[tokio::test(start_paused = true)]
async fn pages_make_one_list() {
    let fake = Fake::new(|seen, _| {
        is_list(&seen.path).then(|| match seen.param("continue") {
            "" => page(0..2, "t1"),
            "t1" => page(2..4, "t2"),
            _ => page(4..5, ""),
        })
    });
    let names: Vec<_> = list(&fake)
        .await
        .unwrap()
        .into_iter()
        .map(|meta| meta.key.name().to_owned())
        .collect();
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4"]);
    let seen = fake.seen();
    assert!(
        seen.iter()
            .all(|s| s.param("limit") == "2" && s.param("labelSelector") == "a=b")
    );
    assert!(
        seen.iter().all(|s| !s.query.contains_key("resourceVersion")),
        "consistent, not from a cache"
    );
    assert!(seen[0].header("accept").contains("as=PartialObjectMetadataList"));
    assert_eq!(seen[0].path, "/api/v1/configmaps");
}

#[tokio::test(start_paused = true)]
async fn marks_and_owners_are_read() {
    let marks = marks();
    let mut marked = item(0);
    marked["metadata"]["labels"] = json!({"other": "x", marks.label_key(): "fleet"});
    marked["metadata"]["annotations"] = json!({marks.annotation_key(): "value", "kubectl": "{}"});
    marked["metadata"]["ownerReferences"] = json!([{"uid": "o1", "kind": "X"}, {"uid": "o2"}]);
    let mut bare = item(1);
    bare["metadata"]["labels"] = Value::Null;
    let body = json!({"kind": "PartialObjectMetadataList", "metadata": {}, "items": [marked, bare]});
    let fake = Fake::new(move |seen, _| is_list(&seen.path).then(|| json_reply(200, &body)));
    let connection = fake.connect(ConnectionOptions::default()).await;
    let acting = connection.as_identity(&Identity::new("u")).unwrap();
    let all = acting
        .list_meta(&gvk("v1", "ConfigMap"), Some("shop"), None, &marks)
        .await
        .unwrap();
    assert_eq!(fake.seen()[0].path, "/api/v1/namespaces/shop/configmaps");
    assert_eq!(all[0].key.to_string(), "ConfigMap shop/m0");
    assert_eq!(
        (all[0].owner_label.as_deref(), all[0].mark.as_deref()),
        (Some("fleet"), Some("value"))
    );
    assert_eq!(all[0].owners, ["o1".into(), "o2".into()]);
    assert_eq!(
        (&all[1].owner_label, &all[1].mark, all[1].owners.len()),
        (&None, &None, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn an_expired_list_begins_again_and_nothing_is_mixed() {
    let fake = Fake::new(|seen, before| {
        is_list(&seen.path).then(|| match (before, seen.param("continue")) {
            (0, "") => page(10..12, "old"),
            (_, "") => page(0..2, "new"),
            (_, "old") => expired(),
            _ => page(2..3, ""),
        })
    });
    let names: Vec<_> = list(&fake)
        .await
        .unwrap()
        .into_iter()
        .map(|meta| meta.key.name().to_owned())
        .collect();
    assert_eq!(names, ["m0", "m1", "m2"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_always_expires_is_read_in_one_piece() {
    let fake = Fake::new(|seen, _| {
        is_list(&seen.path).then(|| match (seen.param("limit"), seen.param("continue")) {
            ("", _) => page(0..5, ""),
            (_, "") => page(0..2, "t"),
            _ => expired(),
        })
    });
    assert_eq!(list(&fake).await.unwrap().len(), 5);
    assert_eq!(fake.seen().len(), 9, "begun four times, then whole");
}

#[tokio::test(start_paused = true)]
async fn a_failing_page_fails_the_list() {
    let cases: [(fn() -> Act, Remedy); 8] = [
        (
            || json_reply(403, &status(403, "Forbidden", "no", &json!({}))),
            Remedy::Forbidden,
        ),
        (|| json_reply(404, &json!({})), Remedy::KindUnknown),
        (
            || json_reply(200, &json!({"items": [{"metadata": {}}]})),
            Remedy::Unreachable,
        ),
        (|| Act::Stall(200, "{\"items\": ["), Remedy::Unreachable),
        // What is no list is not an empty one.
        (|| json_reply(200, &json!({})), Remedy::Unreachable),
        (
            || {
                json_reply(
                    200,
                    &json!({"kind": "ConfigMapList", "metadata": {"resourceVersion": "1"}}),
                )
            },
            Remedy::Unreachable,
        ),
        (|| json_reply(200, &json!({"items": []})), Remedy::Unreachable),
        (
            || {
                json_reply(
                    200,
                    &json!({"kind": "Status", "status": "Success", "metadata": {}, "items": null}),
                )
            },
            Remedy::Unreachable,
        ),
    ];
    for (act, remedy) in cases {
        let fake = Fake::new(move |seen, _| {
            is_list(&seen.path).then(|| {
                if seen.param("continue").is_empty() {
                    page(0..2, "t")
                } else {
                    act()
                }
            })
        });
        assert_eq!(list(&fake).await.unwrap_err().remedy, remedy);
    }
    let fault = list(&Fake::new(|seen, _| is_list(&seen.path).then(expired)))
        .await
        .unwrap_err();
    assert_eq!(
        fault.code,
        Some(410),
        "without a token it is an error, not a reason to begin again for ever"
    );
}
