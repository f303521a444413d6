//! A create that somebody else is faster than: nothing of ours is merged into their object.

use std::sync::Mutex;

use fleet_core::{ApplyStrategy, History, Inventory, Next, Object, Parts, ServerSideApply, Work};
use fleet_harness::{ControlPlane, Options, User};
use fleet_suites::{Bed, Notes, Settable, on_runtime};
use serde_json::{Value, json};

/// Lets somebody else make the object at the last moment: after it was read to be absent, before our request.
struct TooLate {
    make: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl ApplyStrategy for TooLate {
    fn id(&self) -> &'static str {
        ServerSideApply.id()
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        let is_create = matches!(work, Work::Create { document } if document.name() == "contended");
        if is_create
            && history.since.is_empty()
            && let Some(make) = self.make.lock().unwrap().take()
        {
            make();
        }
        ServerSideApply.next(work, history)
    }
}

fn kubectl(plane: &ControlPlane, words: &[&str]) -> String {
    let output = plane
        .kubectl_as(User::Someone)
        .unwrap()
        .args(words)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_create_never_merges_into_what_somebody_made_just_before() {
    let plane = ControlPlane::start(Options::new("race").controllers(false).pods(false)).unwrap();
    let bed = Bed::new([&plane]);
    let path = plane.kubeconfig().to_owned();
    let kubectl_program = plane.kubectl_as(User::Someone).unwrap();
    let program = kubectl_program.get_program().to_owned();
    let make = move || {
        let status = std::process::Command::new(program)
            .args([
                "--context",
                "someone",
                "create",
                "configmap",
                "contended",
                "--from-literal=theirs=1",
            ])
            .env("KUBECONFIG", path)
            .status()
            .unwrap();
        assert!(status.success());
    };
    let ours = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "contended"}, "data": {"ours": "1"}});
    let inventory = Inventory::new("1", [Object::from_json(ours).unwrap()]).unwrap();
    on_runtime(async {
        let strategy = TooLate {
            make: Mutex::new(Some(Box::new(make))),
        };
        let fleet = bed
            .fleet(Settable::new(inventory.snapshot()))
            .observer(Notes::default())
            .parts(Parts::default().strategy(strategy))
            .build()
            .unwrap();
        let outcomes = fleet.apply(&[]).await.unwrap();
        let status = outcomes[0].status.as_ref().unwrap();
        let blocked: Vec<&str> = status.blocked.values().map(|reason| reason.code).collect();
        assert_eq!(blocked, ["not-ours"], "{status:?}");
    });
    let live: Value = serde_json::from_str(&kubectl(
        &plane,
        &[
            "get",
            "configmap",
            "contended",
            "-o",
            "json",
            "--show-managed-fields",
        ],
    ))
    .unwrap();
    assert_eq!(live["data"], json!({"theirs": "1"}));
    assert!(
        !live.to_string().contains("fleet"),
        "no field, no mark and no manager of ours: {live}"
    );
}
