//! What a cluster can carry: read in pages, within limits, and whole or not at all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fleet_core::{Capacity, Fault, Identity, Remedy, Tick};
use fleet_kube::{CapacityOptions, ConnectionOptions, Verb};
use serde_json::{Value, json};

use crate::fake::{Act, Fake, Seen, discovery, group, json_reply, resource, status};

fn node(n: usize) -> Value {
    json!({"metadata": {"name": format!("n{n}")}, "status": {
        "allocatable": {"cpu": "4", "pods": "10"}, "conditions": [{"type": "Ready", "status": "True"}]}})
}

fn pod(n: usize) -> Value {
    json!({"metadata": {"name": format!("p{n}")}, "status": {"phase": "Running"}, "spec": {"nodeName": "n0",
        "containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}]}})
}

/// A page of the list of all these, which begins where its token says.
fn page(seen: &Seen, all: &[Value]) -> Act {
    let start: usize = seen.param("continue").parse().unwrap_or(0);
    let size: usize = seen.param("limit").parse().unwrap();
    let end = all.len().min(start + size);
    let next = if end < all.len() {
        end.to_string()
    } else {
        String::new()
    };
    list(&all[start..end], &next)
}

fn list(items: &[Value], next: &str) -> Act {
    let metadata = json!({"resourceVersion": "100", "continue": next});
    json_reply(
        200,
        &json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}),
    )
}

/// A server with so many nodes and pods, but for what the script says.
fn fake(nodes: usize, pods: usize, script: impl Fn(&Seen, usize) -> Option<Act> + Send + 'static) -> Fake {
    let nodes: Vec<Value> = (0..nodes).map(node).collect();
    let pods: Vec<Value> = (0..pods).map(pod).collect();
    Fake::new(move |seen, before| {
        script(seen, before).or_else(|| match seen.path.as_str() {
            "/api" => {
                let kinds = [
                    resource("nodes", "Node", "Cluster"),
                    resource("pods", "Pod", "Namespaced"),
                ];
                Some(json_reply(200, &discovery(&[group("", &[("v1", &kinds)])])))
            }
            "/api/v1/nodes" => Some(page(seen, &nodes)),
            "/api/v1/pods" => Some(page(seen, &pods)),
            _ => None,
        })
    })
}

async fn read(fake: &Fake, options: &CapacityOptions) -> Result<Capacity, Fault> {
    let connection = fake.connect(ConnectionOptions::default()).await;
    let started = tokio::time::Instant::now();
    let result = connection.capacity(options, Tick(7)).await;
    let fully = options.timeout + Duration::from_millis(1);
    assert!(started.elapsed() <= fully, "{:?}", started.elapsed());
    result
}

fn is_list(seen: &Seen) -> bool {
    matches!(seen.path.as_str(), "/api/v1/nodes" | "/api/v1/pods")
}

fn expired() -> Act {
    json_reply(
        410,
        &status(
            410,
            "Expired",
            "The provided continue parameter is too old",
            &json!({}),
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn pages_are_added_up() {
    let fake = fake(5, 7, |_, _| None);
    let capacity = read(&fake, &CapacityOptions::default().page_size(3))
        .await
        .unwrap();
    assert_eq!(capacity.allocatable.to_string(), "cpu 20, pods 50");
    assert_eq!(capacity.requested.to_string(), "cpu 700m, pods 7");
    assert_eq!(capacity.largest_gap.to_string(), "cpu 4, pods 10");
    assert_eq!((capacity.nodes, capacity.observed_at), (5, Tick(7)));
    assert_eq!(capacity.version.as_deref(), Some("1.36.3"));
    let kinds: Vec<_> = capacity.kinds.iter().flatten().map(String::as_str).collect();
    let expect = [
        "APIService.v1.apiregistration.k8s.io",
        "CustomResourceDefinition.v1.apiextensions.k8s.io",
        "Deployment.v1.apps",
        "Node.v1",
        "Pod.v1",
    ];
    assert_eq!(kinds, expect);

    let seen = fake.seen();
    let asked: Vec<_> = seen
        .iter()
        .map(|s| {
            (
                s.path.as_str(),
                s.param("limit"),
                s.param("continue"),
                s.param("fieldSelector"),
            )
        })
        .collect();
    let running = "status.phase!=Succeeded,status.phase!=Failed";
    let expect = [
        ("/api/v1/nodes", "3", "", ""),
        ("/api/v1/nodes", "3", "3", ""),
        ("/api/v1/pods", "3", "", running),
        ("/api/v1/pods", "3", "3", running),
        ("/api/v1/pods", "3", "6", running),
    ];
    assert_eq!(asked, expect, "and nothing else");
    // With it, a server would ignore the size of pages.
    assert!(seen.iter().all(|s| !s.query.contains_key("resourceVersion")));
    assert!(seen.iter().all(|s| s.header("accept") == "application/json"));
}

#[tokio::test(start_paused = true)]
async fn requests_are_made_one_after_the_other_in_the_name_of_the_connection() {
    let fake = fake(2, 2, |_, _| None);
    let connection = fake.connect(ConnectionOptions::default().rate(1, 1)).await;
    let acting = connection.as_identity(&Identity::new("reader")).unwrap();
    let options = CapacityOptions::default().page_size(1);
    acting.capacity(&options, Tick(7)).await.unwrap();
    let seen: Vec<_> = fake.seen().into_iter().filter(is_list).collect();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|s| s.header("impersonate-user") == "reader"));
    for two in seen.windows(2) {
        assert!(
            two[1].at - two[0].at >= Duration::from_millis(990),
            "the rate of the connection is kept"
        );
    }
    assert_eq!(connection.contact().requests(Verb::List), 4);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_listed_is_not_known() {
    for path in ["/api/v1/nodes", "/api/v1/pods"] {
        let fake = fake(2, 2, move |seen, _| {
            let message = "nodes is forbidden: User \"fleet\" cannot list resource";
            (seen.path == path).then(|| json_reply(403, &status(403, "Forbidden", message, &json!({}))))
        });
        let fault = read(&fake, &CapacityOptions::default()).await.unwrap_err();
        assert_eq!(fault.remedy, Remedy::Forbidden, "{path}: {fault}");
        assert!(fault.message.contains("cannot list resource"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn too_much_is_given_up_as_soon_as_that_is_seen() {
    let options = CapacityOptions::default().page_size(10);
    for (nodes, pods, options, expect, requests) in [
        (30, 100, options.clone().nodes_max(30).pods_max(100), "", 13),
        (
            30,
            100,
            options.clone().pods_max(99),
            "there are more than 99 pods (pods_max)",
            13,
        ),
        (
            30,
            500,
            options.clone().pods_max(40),
            "there are more than 40 pods (pods_max)",
            8,
        ),
        (
            30,
            1,
            options.clone().nodes_max(15),
            "there are more than 15 nodes (nodes_max)",
            2,
        ),
    ] {
        let fake = fake(nodes, pods, |_, _| None);
        let result = read(&fake, &options).await;
        let found = result.map_or_else(
            |fault| (fault.remedy, fault.message.to_string()),
            |_| (Remedy::Policy, String::new()),
        );
        assert_eq!(found, (Remedy::Policy, expect.to_owned()));
        assert_eq!(fake.seen().len(), requests, "{expect}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_expire_make_it_begin_anew_and_nothing_is_counted_twice() {
    // The third page of pods is gone so often.
    let gone = |times: usize| {
        let before = AtomicUsize::new(0);
        fake(3, 5, move |seen, _| {
            let third = seen.path == "/api/v1/pods" && seen.param("continue") == "4";
            (third && before.fetch_add(1, Ordering::Relaxed) < times).then(expired)
        })
    };
    let options = CapacityOptions::default().page_size(2);
    for times in 0..=2 {
        let fake = gone(times);
        let capacity = read(&fake, &options).await.unwrap();
        assert_eq!(
            (capacity.requested.get("pods"), capacity.nodes),
            (5, 3),
            "{times}"
        );
        assert_eq!(fake.seen().len(), 5 * (times + 1));
    }
    let fake = gone(usize::MAX);
    let fault = read(&fake, &options).await.unwrap_err();
    assert!(
        fault.remedy == Remedy::Retry && fault.message.contains("expired again and again"),
        "{fault}"
    );
    assert_eq!(fake.seen().len(), 15, "and then it is given up");
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_longer_than_it_may() {
    let options = CapacityOptions::default().timeout(Duration::from_secs(20));
    let fake = fake(1, 1, |seen, _| {
        (seen.path == "/api/v1/pods").then_some(Act::Silence)
    });
    let fault = read(&fake, &options).await.unwrap_err();
    assert!(
        fault.remedy == Remedy::Retry && fault.message.contains("within 20.0 s (timeout)"),
        "{fault}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_ends_a_list_is_left() {
    let pages = Arc::new(AtomicUsize::new(0));
    let count = pages.clone();
    let fake = fake(1, 1, move |seen, _| {
        (seen.path == "/api/v1/pods").then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            list(&[pod(1), pod(2)], "again")
        })
    });
    let fault = read(&fake, &CapacityOptions::default().pods_max(1000))
        .await
        .unwrap_err();
    assert_eq!(fault.remedy, Remedy::Policy);
    assert_eq!(pages.load(Ordering::Relaxed), 501);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_no_empty_cluster() {
    let answers: [fn() -> Act; 4] = [
        || json_reply(200, &json!({})),
        || {
            json_reply(
                200,
                &json!({"kind": "Status", "status": "Success", "metadata": {}, "items": null}),
            )
        },
        || {
            list(
                &[json!({"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "a lot"}}})],
                "",
            )
        },
        || list(&[json!({"spec": {}})], ""),
    ];
    for answer in answers {
        let fake = fake(1, 1, move |seen, _| (seen.path == "/api/v1/nodes").then(answer));
        let fault = read(&fake, &CapacityOptions::default()).await.unwrap_err();
        assert_eq!(fault.remedy, Remedy::Unreachable, "{fault}");
    }
    // Where nothing is known of what is served, not even that there are pods.
    let fake = fake(1, 1, |seen, _| {
        (seen.path == "/api").then(|| json_reply(200, &discovery(&[])))
    });
    let fault = read(&fake, &CapacityOptions::default()).await.unwrap_err();
    assert_eq!(fault.remedy, Remedy::KindUnknown, "{fault}");
    assert!(fake.seen().is_empty());
}
