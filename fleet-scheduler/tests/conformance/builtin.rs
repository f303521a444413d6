//! What is built in keeps its promises.

use fleet_core::Reason;
use fleet_scheduler::{conformance::Suite, *};

#[track_caller]
fn check(name: &str, violations: &[conformance::Violation]) {
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{name}:\n{}", told.join("\n"));
}

#[test]
fn filters() {
    let parts: [&dyn Filter; 5] = [&InService, &Taints, &Kinds, &DataLocality, &Relations];
    for part in parts {
        check(part.name(), &Suite::default().filter(part));
    }
    let only_batch = |workload: &Workload, _: &Target| workload.completes;
    let wrapped = Named::new("batch-taints", OnlyWhen::new(only_batch, Taints));
    check(
        "wrapped",
        &Suite::default().filter(&Recorded::new(wrapped, &Recorder::default())),
    );
}

#[test]
fn scorers() {
    let carbon = External::new("carbon");
    let parts: [&dyn Scorer; 7] = [
        &PreferredClusters,
        &PreferredTaints,
        &Attraction,
        &Cost,
        &LeastFull,
        &MostFull,
        &carbon,
    ];
    for part in parts {
        check(part.name(), &Suite::default().scorer(part));
    }
    let only_batch = |workload: &Workload, _: &Target| workload.completes;
    let wrapped = Named::new("batch-cost", OnlyWhen::new(only_batch, Cost));
    check(
        "wrapped",
        &Suite::default().scorer(&Recorded::new(wrapped, &Recorder::default())),
    );
}

#[test]
fn selectors() {
    check("by-spread", &Suite::default().selector(&BySpread));
    let wrapped = Named::new("spread", Recorded::new(BySpread, &Recorder::default()));
    check("wrapped", &Suite::default().selector(&wrapped));
}

#[test]
fn dividers() {
    check("as-asked", &Suite::default().divider(&AsAsked));
    check("best-first", &Suite::default().divider(&BestFirst));
    check("at-most", &Suite::default().divider(&AtMost::new(3, AsAsked)));
    check(
        "wrapped",
        &Suite::default().divider(&Named::new("all", Recorded::new(AsAsked, &Recorder::default()))),
    );
}

#[test]
fn estimators() {
    let quota = Estimates::new("quota");
    quota.set("team/w01", "c-01", Estimate::new(3, fleet_core::Tick(1)));
    check("estimates", &Suite::default().names_matter().estimator(&quota));
    let licences = estimator_fn("licences", |candidate| {
        Some(Estimate::new(4, candidate.cluster.capacity.as_ref()?.observed_at))
    });
    check(
        "licences",
        &Suite::default().estimator(&Recorded::new(licences, &Recorder::default())),
    );
}

#[test]
fn rebalancers() {
    check("worth", &Suite::default().rebalancer(&Worth::default()));
    check(
        "without balance",
        &Suite::default().rebalancer(&Worth::without_balance()),
    );
    check("stay-put", &Suite::default().rebalancer(&StayPut));
}

#[test]
fn gates() {
    let dns = |_: Step, one: &Move| Consent::Wait(Reason::new("dns", format!("{} first", one.to)));
    check(
        "recorded",
        &Suite::default().gate(&Recorded::new(dns, &Recorder::default())),
    );
}

#[test]
fn schedulers() {
    check("default", &Suite::default().scheduler(&Scheduler::default()));
    check(
        "bare",
        &Suite::default()
            .draws(4)
            .scheduler(&SchedulerBuilder::bare().build()),
    );
    check(
        "slots for pods",
        &Suite::default().resource("pods").scheduler(&Scheduler::default()),
    );
    let packing = Scheduler::builder()
        .without("least-full")
        .scorer(MostFull, 1)
        .rebalancer(Worth::without_balance())
        .divider(AtMost::new(6, AsAsked))
        .build();
    check("packing", &Suite::default().seed(4).draws(4).scheduler(&packing));
}
