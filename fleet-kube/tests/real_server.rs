//! The connection against a real control plane: what servers truly answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{pin::Pin, sync::LazyLock, time::Duration};

use fleet_core::{
    Answer, DEFAULT_DOMAIN, Fault, GroupKind, Gvk, Identity, InventoryId, Live, Marks, Object, ObjectKey,
    Propagation, Remedy, Request, Target,
};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{Connection, ConnectionOptions, WatchEvent};
use futures_util::{Stream, StreamExt as _};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::time::timeout;

static SHARED: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(Options::new("connection")).expect("a cluster"));

async fn config(cluster: &ControlPlane) -> Config {
    let options = KubeConfigOptions {
        context: Some(User::Fleet.as_str().to_owned()),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(Kubeconfig::read_from(cluster.kubeconfig()).unwrap(), &options)
        .await
        .unwrap()
}

async fn connect_to(cluster: &ControlPlane, options: ConnectionOptions) -> Connection {
    let connection = Connection::connect(config(cluster).await, options).await.unwrap();
    connection.discover().await.unwrap();
    connection
}

async fn connect() -> Connection {
    connect_to(&SHARED, ConnectionOptions::default()).await
}

/// A namespace for one test.
async fn namespace(connection: &Connection, name: &str) {
    let answer = connection
        .execute(&apply(object("v1", "Namespace", None, name, json!({}))))
        .await;
    assert!(matches!(answer, Answer::Created(_)), "{answer:?}");
}

fn object(api_version: &str, kind: &str, namespace: Option<&str>, name: &str, rest: Value) -> Object {
    let mut all = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    if let Some(namespace) = namespace {
        all["metadata"]["namespace"] = namespace.into();
    }
    for (key, value) in rest.as_object().unwrap() {
        match (key.as_str(), value) {
            ("metadata", Value::Object(fields)) => {
                all["metadata"].as_object_mut().unwrap().extend(fields.clone());
            }
            _ => all[key] = value.clone(),
        }
    }
    Object::from_json(all).unwrap()
}

fn config_map(namespace: &str, name: &str, value: &str) -> Object {
    object(
        "v1",
        "ConfigMap",
        Some(namespace),
        name,
        json!({"data": {"k": value}}),
    )
}

fn apply(document: Object) -> Request {
    apply_as(document, "tests")
}

fn apply_as(document: Object, manager: &str) -> Request {
    Request::Apply {
        document,
        manager: manager.to_owned(),
        uid: None,
        version: None,
        force: false,
        dry_run: false,
    }
}

fn with(mut request: Request, wanted_uid: Option<&str>, wanted: Option<&str>) -> Request {
    if let Request::Apply { uid, version, .. } = &mut request {
        (*uid, *version) = (wanted_uid.map(Into::into), wanted.map(Into::into));
    }
    request
}

fn dry(mut request: Request) -> Request {
    if let Request::Apply { dry_run, .. } = &mut request {
        *dry_run = true;
    }
    request
}

fn forced(mut request: Request) -> Request {
    if let Request::Apply { force, .. } = &mut request {
        *force = true;
    }
    request
}

fn get(live: &Live) -> Request {
    Request::Get {
        key: live.key().clone(),
        gvk: live.object().gvk().clone(),
    }
}

fn delete(live: &Live) -> Request {
    Request::Delete {
        key: live.key().clone(),
        gvk: live.object().gvk().clone(),
        uid: live.uid().clone(),
        version: Some(live.version().clone()),
        propagation: Propagation::Background,
    }
}

#[track_caller]
fn created(answer: Answer) -> Live {
    match answer {
        Answer::Created(live) => live,
        other => panic!("not created: {other:?}"),
    }
}

#[track_caller]
fn existing(answer: Answer) -> Live {
    match answer {
        Answer::Object(live) => live,
        other => panic!("not an object: {other:?}"),
    }
}

#[track_caller]
fn refused(answer: Answer) -> Fault {
    match answer {
        Answer::Refused(fault) => fault,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies() {
    let connection = connect().await;
    assert!(
        connection.server_version().starts_with("v1."),
        "{}",
        connection.server_version()
    );
    namespace(&connection, "applies").await;
    let map = || apply(config_map("applies", "a", "1"));

    let ghost = created(connection.execute(&dry(map())).await);
    assert!(
        matches!(connection.execute(&get(&ghost)).await, Answer::Absent),
        "a dry run stores nothing"
    );
    let live = created(connection.execute(&map()).await);
    let again = existing(connection.execute(&map()).await);
    assert_eq!((live.uid(), live.version()), (again.uid(), again.version()));
    assert_eq!(
        existing(connection.execute(&get(&live)).await).version(),
        live.version()
    );

    // Somebody else's fields.
    let other = apply_as(config_map("applies", "a", "2"), "somebody \"else\"");
    let fault = refused(connection.execute(&other).await);
    assert_eq!(
        (fault.remedy, fault.code, fault.conflicts.len()),
        (Remedy::Conflict, Some(409), 1)
    );
    assert_eq!(
        (
            fault.conflicts[0].manager.as_str(),
            fault.conflicts[0].path.as_str()
        ),
        ("tests", ".data.k")
    );
    let taken = existing(connection.execute(&forced(other)).await);
    assert_eq!(taken.object().to_json()["data"]["k"], "2");
    let fault = refused(connection.execute(&map()).await);
    assert_eq!(fault.conflicts[0].manager, "somebody \"else\"");

    // Preconditions.
    for request in [
        with(map(), Some("other"), None),
        with(map(), None, Some("1")),
        with(forced(map()), Some("other"), None),
        with(forced(map()), None, Some("1")),
        with(
            forced(map()),
            Some(live.uid().as_str()),
            Some(live.version().as_str()),
        ),
    ] {
        let fault = refused(connection.execute(&request).await);
        assert_eq!(fault.remedy, Remedy::Conflict, "{fault} of {request:?}");
    }
    let fitting = with(
        forced(map()),
        Some(live.uid().as_str()),
        Some(taken.version().as_str()),
    );
    assert_eq!(
        existing(connection.execute(&fitting).await).object().to_json()["data"]["k"],
        "1"
    );
    // On an object that is not there a UID keeps it from being created; a version alone does not.
    let absent = || apply(config_map("applies", "absent", "1"));
    for version in [None, Some("1")] {
        let request = with(absent(), Some("some"), version);
        assert_eq!(
            refused(connection.execute(&request).await).remedy,
            Remedy::Conflict
        );
    }
    created(connection.execute(&with(absent(), None, Some("1"))).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals() {
    let connection = connect().await;
    namespace(&connection, "refusals").await;
    let at = Some("refusals");
    let cases = [
        (
            config_map("nowhere", "a", "1"),
            Remedy::Invalid,
            404,
            "namespaces \"nowhere\" not found",
        ),
        (
            object(
                "v1",
                "ConfigMap",
                at,
                "typed",
                json!({"data": {"k": {"not": "text"}}}),
            ),
            Remedy::Invalid,
            500,
            "failed to create typed patch object",
        ),
        (
            object("v1", "ConfigMap", at, "field", json!({"unknown": 1})),
            Remedy::Invalid,
            500,
            "field not declared in schema",
        ),
        (
            object("v1", "ConfigMap", at, "Bad_Name", json!({})),
            Remedy::Invalid,
            422,
            "is invalid",
        ),
        (
            object(
                "apps/v1",
                "Deployment",
                at,
                "d",
                json!({"spec": {"selector": {}, "template": {}}}),
            ),
            Remedy::Invalid,
            422,
            "is invalid",
        ),
        (
            object(
                "v1",
                "ConfigMap",
                at,
                "huge",
                json!({"data": {"k": "x".repeat(4 << 20)}}),
            ),
            Remedy::Invalid,
            413,
            "",
        ),
        (
            object(
                "v1",
                "ConfigMap",
                at,
                "large",
                json!({"data": {"k": "x".repeat(3 << 19)}}),
            ),
            Remedy::Invalid,
            422,
            "Too long",
        ),
    ];
    for (document, remedy, code, words) in cases {
        for request in [dry(apply(document.clone())), apply(document)] {
            let fault = refused(connection.execute(&request).await);
            assert_eq!((fault.remedy, fault.code), (remedy, Some(code)), "{fault}");
            assert!(fault.message.contains(words), "{fault}");
        }
    }

    // Values of Secrets do not come back in words.
    let secrets = [
        json!({"stringData": {"k": ["hunter2"]}}),
        json!({"data": {"k": "not base64: hunter2"}}),
        json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "hunter2"}}),
        json!({"type": "hunter2", "stringData": {"bad key!": "hunter2"}}),
    ];
    for rest in secrets {
        let fault = refused(
            connection
                .execute(&apply(object("v1", "Secret", at, "s", rest)))
                .await,
        );
        assert_eq!(fault.remedy, Remedy::Invalid, "{fault}");
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }

    // Somebody without rights, and somebody nobody knows.
    let nobody = connection.as_identity(&Identity::new("nobody")).unwrap();
    let map = apply(config_map("refusals", "a", "1"));
    assert_eq!(refused(nobody.execute(&map).await).remedy, Remedy::Forbidden);
    let marks = marks(&connection);
    let kind = Gvk::from_api_version("v1", "ConfigMap").unwrap();
    assert_eq!(
        nobody
            .list_meta(&kind, None, None, &marks)
            .await
            .unwrap_err()
            .remedy,
        Remedy::Forbidden
    );
    let mut unknown = config(&SHARED).await;
    unknown.auth_info.token = Some("wrong".to_owned().into());
    let fault = Connection::connect(unknown, ConnectionOptions::default())
        .await
        .unwrap_err();
    assert!(
        fault.remedy == Remedy::Forbidden && fault.code == Some(401),
        "{fault}"
    );
}

fn marks(connection: &Connection) -> Marks {
    let target = Target::new(connection.cluster().clone(), InventoryId::new("fleet").unwrap());
    Marks::new(DEFAULT_DOMAIN, &target)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletes() {
    let connection = connect().await;
    namespace(&connection, "deletes").await;
    let live = created(connection.execute(&apply(config_map("deletes", "a", "1"))).await);
    let spoilt = |uid: &str, version: &str| Request::Delete {
        key: live.key().clone(),
        gvk: live.object().gvk().clone(),
        uid: uid.into(),
        version: Some(version.into()),
        propagation: Propagation::Background,
    };
    for request in [
        spoilt("other", live.version().as_str()),
        spoilt(live.uid().as_str(), "1"),
    ] {
        assert_eq!(
            refused(connection.execute(&request).await).remedy,
            Remedy::Conflict
        );
    }
    existing(connection.execute(&get(&live)).await);
    assert!(matches!(
        connection.execute(&delete(&live)).await,
        Answer::Deleted
    ));
    assert!(matches!(connection.execute(&delete(&live)).await, Answer::Absent));
    assert!(matches!(connection.execute(&get(&live)).await, Answer::Absent));

    // With a finalizer it stays.
    let held = |finalizers: Value| {
        object(
            "v1",
            "ConfigMap",
            Some("deletes"),
            "held",
            json!({"metadata": {"finalizers": finalizers}}),
        )
    };
    let live = created(
        connection
            .execute(&apply(held(json!(["tests.example.com/hold"]))))
            .await,
    );
    let going = existing(connection.execute(&delete(&live)).await);
    assert!(going.is_deleting() && going.finalizers() == ["tests.example.com/hold"]);
    existing(connection.execute(&apply(held(json!([])))).await);
    assert!(matches!(connection.execute(&get(&live)).await, Answer::Absent));

    // A namespace takes its time, refuses what comes new, and goes.
    namespace(&connection, "going").await;
    let map = created(
        connection
            .execute(&apply(object(
                "v1",
                "ConfigMap",
                Some("going"),
                "held",
                json!({"metadata": {"finalizers": ["tests.example.com/hold"]}}),
            )))
            .await,
    );
    let key = ObjectKey::new("", "Namespace", None, "going");
    let gvk = Gvk::from_api_version("v1", "Namespace").unwrap();
    let live = existing(connection.execute(&Request::Get { key, gvk }).await);
    let going = existing(connection.execute(&delete(&live)).await);
    assert!(going.is_deleting());
    let fault = refused(connection.execute(&apply(config_map("going", "new", "1"))).await);
    assert_eq!((fault.remedy, fault.code), (Remedy::Retry, Some(403)), "{fault}");
    let free = object(
        "v1",
        "ConfigMap",
        Some("going"),
        "held",
        json!({"metadata": {"finalizers": []}}),
    );
    existing(connection.execute(&apply(free)).await);
    let gone = async {
        while !matches!(connection.execute(&get(&live)).await, Answer::Absent) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.unwrap();
    assert!(matches!(connection.execute(&get(&map)).await, Answer::Absent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_lists() {
    let connection = connect_to(&SHARED, ConnectionOptions::default().list_pages(7)).await;
    namespace(&connection, "lists").await;
    let marks = marks(&connection);
    for n in 0..30 {
        let map = marks.mark(&config_map("lists", &format!("m{n:02}"), "1"));
        created(connection.execute(&apply(map)).await);
    }
    let kind = Gvk::from_api_version("v1", "ConfigMap").unwrap();
    let selector = marks.selector();
    let all = connection
        .list_meta(&kind, Some("lists"), Some(&selector), &marks)
        .await
        .unwrap();
    assert_eq!(all.len(), 30);
    for meta in &all {
        assert_eq!(meta.owner_label.as_deref(), Some("fleet"));
        assert_eq!(
            meta.mark.as_deref(),
            Some(marks.annotation_value(&meta.key).as_str())
        );
    }
    let everywhere = connection
        .list_meta(&kind, None, Some(&selector), &marks)
        .await
        .unwrap();
    assert_eq!(everywhere, all);
    let with_others = connection
        .list_meta(&kind, Some("lists"), None, &marks)
        .await
        .unwrap();
    assert_eq!(with_others.len(), 31, "and kube-root-ca.crt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kinds_come_and_go() {
    let connection = connect().await;
    let kinds = connection.discover().await.unwrap();
    let deployment = kinds.get(&GroupKind::new("apps", "Deployment")).unwrap();
    assert_eq!(
        (
            deployment.plural.as_str(),
            deployment.namespaced,
            deployment.listable
        ),
        ("deployments", true, true)
    );
    let autoscaler = kinds
        .get(&GroupKind::new("autoscaling", "HorizontalPodAutoscaler"))
        .unwrap();
    assert_eq!(autoscaler.versions, ["v2", "v1"]);
    assert!(
        !kinds
            .get(&GroupKind::new("authorization.k8s.io", "SubjectAccessReview"))
            .unwrap()
            .listable
    );

    let widget = GroupKind::new("kinds.example.com", "Widget");
    assert!(kinds.get(&widget).is_none());
    let crd = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        None,
        "widgets.kinds.example.com",
        json!({"spec": {
            "group": "kinds.example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        }}),
    );
    let live = created(connection.execute(&apply(crd)).await);
    let served = async {
        while connection.discover().await.unwrap().get(&widget).is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(20), served).await.unwrap();
    let instance = || {
        apply(object(
            "kinds.example.com/v1",
            "Widget",
            Some("default"),
            "w",
            json!({"spec": {"a": 1}}),
        ))
    };
    created(connection.execute(&instance()).await);
    assert!(!connection.kind_is_gone(&widget).await.unwrap());
    let Answer::Object(live) = connection.execute(&get(&live)).await else {
        panic!("the CRD is there")
    };
    let _ = connection.execute(&delete(&live)).await;
    let gone = async {
        while !connection.kind_is_gone(&widget).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), gone).await.unwrap();
    assert!(connection.kinds().get(&widget).is_none());
    let answer = connection.execute(&instance()).await;
    assert!(
        matches!(&answer, Answer::NotSent(fault) if fault.remedy == Remedy::KindUnknown),
        "{answer:?}"
    );

    // A group whose server is not there.
    let service = object(
        "apiregistration.k8s.io/v1",
        "APIService",
        None,
        "v1.dead.example.com",
        json!({"spec": {
            "group": "dead.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "insecureSkipTLSVerify": true, "service": {"namespace": "default", "name": "dead"},
        }}),
    );
    let live = created(connection.execute(&apply(service)).await);
    let incomplete = async {
        while connection
            .discover()
            .await
            .unwrap()
            .is_complete("dead.example.com")
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), incomplete).await.unwrap();
    assert!(
        connection
            .kinds()
            .get(&GroupKind::new("apps", "Deployment"))
            .is_some()
    );
    assert!(
        !connection
            .kind_is_gone(&GroupKind::new("dead.example.com", "Anything"))
            .await
            .unwrap()
    );
    let Answer::Object(live) = connection.execute(&get(&live)).await else {
        panic!("it is there")
    };
    assert!(matches!(
        connection.execute(&delete(&live)).await,
        Answer::Deleted
    ));
}

type Events = Pin<Box<dyn Stream<Item = WatchEvent> + Send>>;

async fn next(events: &mut Events) -> WatchEvent {
    timeout(Duration::from_secs(60), events.next())
        .await
        .expect("an event within a minute")
        .unwrap()
}

/// The next event, in words.
async fn told(events: &mut Events) -> String {
    match next(events).await {
        WatchEvent::Seen(live) => format!("seen {}", live.key().name()),
        WatchEvent::Gone { key, .. } => format!("gone {}", key.name()),
        other => format!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches() {
    let connection = connect().await;
    namespace(&connection, "watches").await;
    let labelled = |name: &str, value: &str| {
        object(
            "v1",
            "ConfigMap",
            Some("watches"),
            name,
            json!({"metadata": {"labels": {"watched": value}}}),
        )
    };
    let first = created(connection.execute(&apply(labelled("a", "yes"))).await);
    created(connection.execute(&apply(labelled("b", "no"))).await);
    let kind = Gvk::from_api_version("v1", "ConfigMap").unwrap();
    let mut events: Events = Box::pin(connection.watch(&kind, None, Some("watched=yes")));
    assert_eq!(told(&mut events).await, "Reset");
    assert_eq!(told(&mut events).await, "seen a");
    assert_eq!(told(&mut events).await, "Synced");
    existing(connection.execute(&apply(labelled("b", "yes"))).await);
    assert_eq!(told(&mut events).await, "seen b");
    existing(connection.execute(&apply(labelled("b", "no"))).await);
    assert_eq!(told(&mut events).await, "gone b", "its label was changed");
    assert!(matches!(
        connection.execute(&delete(&first)).await,
        Answer::Deleted
    ));
    let WatchEvent::Gone { uid, .. } = next(&mut events).await else {
        panic!("a is gone")
    };
    assert_eq!(&uid, first.uid());
    let mut elsewhere: Events = Box::pin(connection.watch(&kind, Some("default"), Some("watched=yes")));
    assert_eq!(told(&mut elsewhere).await, "Reset");
    assert_eq!(told(&mut elsewhere).await, "Synced", "nothing there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_and_silence() {
    let cluster = ControlPlane::start(Options::new("crash").controllers(false)).unwrap();
    let mut options = ConnectionOptions::default().head_timeout(Duration::from_secs(3));
    options.watch_backoff_max = Duration::from_secs(1);
    options.watch_idle_timeout = Duration::from_secs(3);
    options.retry_time_max = Duration::from_secs(20);
    let connection = connect_to(&cluster, options).await;
    let first = created(connection.execute(&apply(config_map("default", "a", "1"))).await);
    let kind = Gvk::from_api_version("v1", "ConfigMap").unwrap();
    let mut events: Events = Box::pin(connection.watch(&kind, Some("default"), None));
    while told(&mut events).await != "Synced" {}

    // A crash: refused, then all is as it was.
    cluster.kill().unwrap();
    assert!(
        matches!(next(&mut events).await, WatchEvent::Lost(fault) if fault.remedy == Remedy::Unreachable)
    );
    assert!(!connection.contact().is_good());
    let reading = tokio::spawn({
        let (connection, request) = (connection.clone(), get(&first));
        async move { connection.execute(&request).await }
    });
    tokio::task::block_in_place(|| cluster.restart()).unwrap();
    existing(reading.await.unwrap());
    existing(
        connection
            .execute(&forced(apply(config_map("default", "a", "2"))))
            .await,
    );
    let seen = loop {
        match next(&mut events).await {
            WatchEvent::Seen(live) if live.object().to_json()["data"]["k"] == "2" => break live,
            WatchEvent::Gone { key, .. } => panic!("{key} is not gone"),
            _ => {}
        }
    };
    assert_eq!(seen.uid(), first.uid());
    assert!(connection.contact().is_good());
    assert_eq!(&connection.read_cluster_id().await.unwrap(), connection.cluster());

    // Silence: a write is lost and sent once, the watch notices.
    cluster.freeze().unwrap();
    let answer = connection.execute(&apply(config_map("default", "a", "3"))).await;
    // The pool may have had no open connection left: then the handshake hangs, and nothing was sent.
    assert!(
        matches!(&answer, Answer::Lost(_) | Answer::NotSent(_)),
        "{answer:?}"
    );
    let lost = async { while !matches!(next(&mut events).await, WatchEvent::Lost(_)) {} };
    timeout(Duration::from_secs(20), lost).await.unwrap();
    cluster.thaw().unwrap();
    let live = existing(connection.execute(&get(&first)).await);
    assert_eq!(live.uid(), first.uid());
    existing(
        connection
            .execute(&forced(apply(config_map("default", "a", "4"))))
            .await,
    );
    let seen = async {
        loop {
            if let WatchEvent::Seen(live) = next(&mut events).await
                && live.object().to_json()["data"]["k"] == "4"
            {
                break;
            }
        }
    };
    timeout(Duration::from_secs(30), seen).await.unwrap();
}
