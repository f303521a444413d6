//! What an operator reads.

use std::collections::BTreeMap;

use fleet_core::{
    Action, Capacity, Change, ContactLimits, ContactStatus, Engine, EngineOptions, Heard, InventoryId,
    Millis, ObjectKey, Observed, Parts, Plan, Reason, Resources, Status, Target, Tick, Unread,
};
use fleet_kube::{Outcome, RESTORED};

use super::{Stands, outcomes, plans, still_named};
use crate::leaving::StillNamed;

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("shop"), name)
}

fn plan() -> Plan {
    let target = Target::new("uid".into(), InventoryId::new("shop").unwrap());
    Engine::new(target, Parts::default(), EngineOptions::default()).plan()
}

fn outcome(status: Status, plan: Plan, failure: Option<Reason>) -> Outcome {
    let mut outcome = Outcome::new("eu-1");
    outcome.status = Some(status);
    outcome.plan = Some(plan);
    outcome.failure = failure;
    outcome
}

/// What `status` says where nothing was observed.
fn statuses(outcomes: &[Outcome]) -> String {
    super::statuses(&Stands::of(outcomes, BTreeMap::new()))
}

/// Without colours.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out += before;
        rest = after.split_once('m').unwrap().1;
    }
    out + rest
}

#[test]
fn what_could_not_be_planned_is_not_nothing_to_do() {
    let fine = [outcome(Status::default(), plan(), None)];
    assert!(plans(&fine).contains("nothing to do"));
    for code in ["inventory-unknown", "not-converged", "stuck"] {
        let failed = [outcome(
            Status::default(),
            plan(),
            Some(Reason::new(code, "line 3")),
        )];
        let text = plain(&plans(&failed));
        assert!(
            !text.contains("nothing to do") && text.contains("there is no plan"),
            "{text}"
        );
        assert!(text.contains("line 3"), "{text}");
    }
    let mut half = plan();
    let change = Change::new(key("a"), Action::Create, None, Reason::new("listed", "listed"));
    half.changes.push(change);
    let text = plain(&plans(&[outcome(
        Status::default(),
        half,
        Some(Reason::new("not-converged", "not done within 5 s")),
    )]));
    assert!(
        text.contains("1 to create") && text.contains("this plan is not complete"),
        "{text}"
    );
}

fn lost() -> (Status, Plan) {
    let mut plan = plan();
    for name in ["a", "b"] {
        let reason = Reason::new("ledger-rebuild", "it bears our mark");
        plan.changes
            .push(Change::new(key(name), Action::Adopt, Some("1".into()), reason));
    }
    plan.token = Some("123-abc".to_owned());
    let reason = Reason::new("ledger-lost", "there is no ledger");
    let reason = reason.with("token", "123-abc").with("found", 2);
    plan.unknown = Some(reason.clone());
    let mut status = Status::default();
    status.ledger_lost = Some(reason);
    (status, plan)
}

#[test]
fn a_lost_ledger_says_what_would_be_rebuilt_and_how_to_confirm_it() {
    let (status, plan) = lost();
    let failure = Reason::new("stuck", "there is no ledger");
    let lost = [outcome(status, plan, Some(failure))];
    let text = plain(&plans(&lost));
    let expected =
        "~ record   ConfigMap shop/a\n  ~ record   ConfigMap shop/b\n  2 objects would be recorded";
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("nothing to do"), "{text}");
    for text in [text, plain(&outcomes(&lost)), plain(&statuses(&lost))] {
        assert_eq!(text.matches("there is no ledger").count(), 1, "said once: {text}");
        assert!(
            text.contains("--confirm 123-abc\n") && text.contains("exactly the 2 objects"),
            "{text}"
        );
    }
}

#[test]
fn a_lost_ledger_that_cannot_be_rebuilt_says_why() {
    let mut status = Status::default();
    status.ledger_lost = Some(Reason::new("ledger-lost", "shard 3 is cut off"));
    let text = plain(&outcomes(&[outcome(status, plan(), None)]));
    assert!(
        !text.contains("--confirm") && text.contains("shard 3") && text.contains("look again"),
        "{text}"
    );
}

#[test]
fn contested_fields_are_shown_with_both_writers() {
    let mut status = Status::default();
    let field = (".spec.replicas".to_owned(), "autoscaler".to_owned());
    status.contested.insert(key("a"), [field].into());
    let contested = [outcome(status, plan(), None)];
    for text in [plans(&contested), outcomes(&contested), statuses(&contested)] {
        let text = plain(&text);
        let words = [".spec.replicas", "fleet-shop", "autoscaler", "shop/a"];
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn deletes_held_for_one_reason_are_told_once_whatever_it_is() {
    for code in ["over-budget", "over-fleet-budget", "no-grant", "something-new"] {
        let held = Reason::new(code, "nobody answered").with("token", "1-t");
        let mut status = Status::default();
        for name in ["a", "b", "c"] {
            status.blocked.insert(key(name), held.clone());
        }
        let guarded = Reason::new("permission-needed", "deleting a Namespace needs a permission");
        status.blocked.insert(key("d"), guarded);
        status.held = Some(held);
        let text = plain(&outcomes(&[outcome(status, plan(), None)]));
        assert_eq!(text.matches("nobody answered").count(), 1, "{text}");
        assert!(text.contains("3 deletes are held: nobody answered"), "{text}");
        assert!(text.contains("shop/d: deleting a Namespace"), "{text}");
        assert!(text.contains("--confirm 1-t\n"), "{text}");
    }
}

#[test]
fn clusters_held_back_say_so_and_what_to_do() {
    let held = Outcome::new("eu-2").held_back(Reason::new(
        "first-failed",
        "nothing was changed here: eu-1 went first",
    ));
    let text = plain(&outcomes(&[held]));
    assert!(
        text.contains("eu-1 went first") && text.contains("--wave all"),
        "{text}"
    );
}

#[test]
fn the_status_says_how_often_the_server_had_to_be_asked() {
    let words = |local, asked| {
        let mut status = Status::default();
        (status.judgements.local, status.judgements.asked) = (local, asked);
        plain(&statuses(&[outcome(status, plan(), None)]))
    };
    assert!(!words(0, 0).contains("asked"), "it was never the question");
    for ((local, asked), expect) in [
        (
            (1, 0),
            "1 answer of the server foreseen; the server was never asked\n",
        ),
        (
            (7, 1),
            "7 answers of the server foreseen; for 1 the server was asked by a dry run\n",
        ),
        (
            (0, 2),
            "0 answers of the server foreseen; for 2 the server was asked by a dry run\n",
        ),
    ] {
        let text = words(local, asked);
        assert!(text.contains(expect), "{text}");
    }
}

#[test]
fn what_a_closed_window_holds_back_is_told_with_the_time_it_opens() {
    let why = "outside the maintenance windows of this cluster; it opens Mon 2026-11-30 22:00 Europe/Berlin (2026-11-30 21:00 UTC)";
    let mut status = Status::default();
    status.on_hold = Some(Reason::new("maintenance-window", why));
    let closed = |status: &Status| [outcome(status.clone(), plan(), None)];
    let text = plain(&statuses(&closed(&status)));
    assert!(
        text.contains(&format!("nothing is written to this cluster now: {why}")),
        "{text}"
    );
    status.pending.insert(key("a"), Action::Create);
    let text = plain(&plans(&closed(&status)));
    assert!(
        text.contains(&format!(
            "nothing is written to this cluster now, and 1 change waits: {why}"
        )),
        "{text}"
    );
    status.pending.insert(key("b"), Action::Create);
    for text in [statuses(&closed(&status)), outcomes(&closed(&status))] {
        let text = plain(&text);
        assert!(
            text.contains(&format!("now, and 2 changes wait: {why}")),
            "{text}"
        );
    }
}

#[test]
fn a_cluster_that_does_not_answer_says_since_when_and_one_that_does_says_nothing() {
    let limits = ContactLimits::default();
    let at = |mins: u64| Tick(1_796_072_400_000) + Millis::from_mins(mins);
    let mut contact = ContactStatus::first(Heard::silence(1), &limits, at(0));
    contact.hear(Heard::silence(5), &limits, at(20));
    let failure = Reason::new("unreachable", "connection refused");
    let mut lost = Outcome::new("eu-1");
    (lost.contact, lost.failure) = (Some(contact), Some(failure));
    assert_eq!(
        plain(&statuses(&[lost])),
        "eu-1\n  lost since 2026-11-30 21:20 UTC: no usable answer since 2026-11-30 21:00 UTC; what is in it stays as it is\n  cannot be connected to: connection refused\n"
    );
    contact.hear(Heard::Answer, &limits, at(60));
    let mut back = outcome(Status::default(), plan(), None);
    back.contact = Some(contact);
    let text = plain(&statuses(&[back]));
    assert!(
        text.contains(
            "  degraded since 2026-11-30 22:00 UTC: it answers again, and has not done so for long\n"
        ),
        "{text}"
    );
    let mut fine = outcome(Status::default(), plan(), None);
    fine.contact = Some(ContactStatus::first(Heard::Answer, &limits, at(0)));
    assert!(!plain(&statuses(&[fine])).contains("since"));
}

#[test]
fn a_restored_cluster_says_how_to_confirm_it() {
    let mut status = Status::default();
    status.on_hold = Some(Reason::new(RESTORED, "the cluster was restored from a backup"));
    let text = plain(&plans(&[outcome(status, plan(), None)]));
    assert!(
        text.ends_with("  to confirm it: fleetctl accept --kubeconfig … eu-1\n"),
        "{text}"
    );
}

#[test]
fn clusters_that_leave_say_what_still_names_them() {
    let named = |cluster: &str, is_here: bool| StillNamed {
        cluster: cluster.to_owned(),
        is_here,
        by: vec![format!("folder inventory/{cluster}")],
    };
    assert_eq!(
        plain(&still_named(&[named("eu-7", true), named("eu-9", false)])),
        "eu-7  leaves the fleet; once nothing of it is in the ledger any more, take it out of:\n  folder inventory/eu-7\neu-9  is not in the kubeconfig, so nothing is done for it; it is still named by:\n  folder inventory/eu-9\n"
    );
}

#[test]
fn what_a_cluster_can_carry_is_shown_where_it_is_known() {
    let amounts = |text: &str| serde_json::from_str::<Resources>(text).unwrap();
    let offered = amounts(r#"{"cpu": "12", "memory": "15730532Ki", "pods": "330", "hugepages-2Mi": "0"}"#);
    let mut capacity = Capacity::new(
        offered,
        amounts(r#"{"cpu": "4500m", "pods": 41}"#),
        Tick(1_795_806_240_000),
    );
    capacity.largest_gap = amounts(r#"{"cpu": "3", "memory": "8Gi", "pods": 100}"#);
    (capacity.nodes, capacity.nodes_left_out) = (3, 1);
    capacity.version = Some("1.36.3".to_owned());
    capacity.kinds = Some(["Pod.v1".to_owned(), "Deployment.v1.apps".to_owned()].into());
    let mut observed = Observed::default();
    observed.capacity = Some(capacity);
    observed.capacity_unread = Some(Unread::new(Tick(1_795_809_840_000), "not permitted: no"));
    let all = [outcome(Status::default(), plan(), None)];
    let stands = Stands::of(&all, [("eu-1".to_owned(), observed)].into());
    let text = plain(&super::statuses(&stands));
    for expect in [
        "version 1.36.3, 2 kinds, 3 nodes, and 1 that take no pods (at 2026-11-27 19:04 UTC)\n",
        "  cpu: 4500m of 12 asked for; 3 free on one node\n",
        "  memory: 0 of 15Gi asked for; 8Gi free on one node\n",
        "  pods: 41 of 330 asked for; 100 free on one node\n",
        "what it can carry cannot be read since 2026-11-27 20:04 UTC: not permitted: no\n",
    ] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
    assert!(!text.contains("hugepages"), "{text}");
    let json = serde_json::to_value(&stands[0]).unwrap();
    assert_eq!(json["cluster"], "eu-1");
    assert_eq!(json["capacity"]["requested"]["cpu"], "4500m");
    assert_eq!(json["capacity_unread"]["why"], "not permitted: no");
    assert!(!plain(&statuses(&all)).contains("nodes"));
}
