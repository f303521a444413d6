//! Filters, scorers, estimators and rebalancers that are wrong, each in one way.

use std::sync::atomic::{AtomicU64, Ordering};

use fleet_core::{Millis, Reason};
use fleet_scheduler::{conformance::Suite, *};

use super::{all_break, breaks, small};

type Check = fn(&Candidate<'_>) -> Result<Pass, Reason>;
type Score = fn(&Candidate<'_>) -> i64;
type Based = fn(&Workload) -> Basis;

/// A filter, or a scorer, of functions.
struct Part<F> {
    name: &'static str,
    says: F,
    basis: Based,
}

impl<F> Part<F> {
    fn new(says: F, basis: Based) -> Self {
        Self {
            name: "part",
            says,
            basis,
        }
    }
}

impl Filter for Part<Check> {
    fn name(&self) -> &str {
        self.name
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        (self.says)(candidate)
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        (self.basis)(workload)
    }
}

impl Scorer for Part<Score> {
    fn name(&self) -> &str {
        self.name
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        (self.says)(candidate)
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        (self.basis)(workload)
    }
}

fn anything(_: &Workload) -> Basis {
    Basis::Anything
}

fn nothing(_: &Workload) -> Basis {
    Basis::Nothing
}

fn cluster(_: &Workload) -> Basis {
    Basis::Cluster(Key::of("part"))
}

fn pass_if(holds: bool) -> Result<Pass, Reason> {
    if holds {
        Ok(Pass::Always)
    } else {
        Err(Reason::new("no", "no"))
    }
}

/// Counts how often it was asked, as no part may.
static ASKED: AtomicU64 = AtomicU64::new(0);

fn asked() -> u64 {
    ASKED.fetch_add(1, Ordering::Relaxed)
}

fn is_prod(candidate: &Candidate<'_>) -> bool {
    candidate.label("tier") == Some("prod")
}

fn cpus(candidate: &Candidate<'_>) -> i64 {
    candidate.workload.needs.get("cpu")
}

/// Something that ends within an hour, on some clusters.
fn carbon(candidate: &Candidate<'_>) -> Option<i64> {
    let (fleet, name) = (candidate.fleet, candidate.cluster.name());
    fleet.external_score("carbon", name, candidate.now)
}

#[test]
fn each_way_of_a_filter_to_be_wrong_is_found() {
    let cases: [(&str, Check, Based, &[&str]); 17] = [
        ("right", |candidate| pass_if(is_prod(candidate)), cluster, &[]),
        (
            "asked",
            |_| pass_if(!asked().is_multiple_of(3)),
            anything,
            &["deterministic"],
        ),
        (
            "slot",
            |candidate| pass_if(candidate.slot % 2 == 0),
            anything,
            &["order"],
        ),
        (
            "name",
            |candidate| pass_if(candidate.cluster.name() > "c-03"),
            anything,
            &["order"],
        ),
        ("no code", |_| Err(Reason::new("", "no")), anything, &["says-why"]),
        (
            "no words",
            |_| Err(Reason::new("no", "")),
            anything,
            &["says-why"],
        ),
        (
            "ended",
            |candidate| Ok(Pass::Until(candidate.now)),
            anything,
            &["until"],
        ),
        (
            "ends unsaid",
            |candidate| pass_if(carbon(candidate).is_some()),
            anything,
            &["until"],
        ),
        (
            "panics",
            |candidate| pass_if(candidate.workload.needs.times(2).unwrap().get("cpu") < 4_000),
            anything,
            &["no-panic"],
        ),
        (
            "nothing",
            |candidate| pass_if(is_prod(candidate)),
            nothing,
            &["basis-nothing"],
        ),
        (
            "key",
            |candidate| pass_if(cpus(candidate) > 2_000),
            cluster,
            &["basis-key"],
        ),
        (
            "priority",
            |candidate| pass_if(candidate.workload.priority > 0),
            |workload| Basis::Cluster(Key::of(&workload.needs)),
            &["basis-key"],
        ),
        (
            "room",
            |candidate| pass_if(candidate.room.free(candidate.slot, "cpu") > 20_000),
            cluster,
            &["basis-cluster"],
        ),
        (
            "placements",
            |candidate| pass_if(candidate.table.count_on(candidate.slot) < 2),
            cluster,
            &["basis-cluster"],
        ),
        (
            "others",
            |candidate| {
                let prod = candidate
                    .fleet
                    .clusters()
                    .filter(|one| one.cluster.labels.contains_key("tier"));
                pass_if(prod.count() > 4)
            },
            cluster,
            &["basis-cluster"],
        ),
        (
            "begins",
            |candidate| pass_if(carbon(candidate).is_none()),
            cluster,
            &["basis-time"],
        ),
        (
            "ends too early",
            |candidate| match carbon(candidate) {
                Some(_) => Ok(Pass::Until(candidate.now + Millis::from_mins(1_440))),
                None => pass_if(false),
            },
            cluster,
            &["until", "basis-time"],
        ),
    ];
    all_break(
        cases
            .map(|(what, check, basis, expected)| (what, small().filter(&Part::new(check, basis)), expected)),
    );
    let mut unnamed = Part::<Check>::new(|_| Ok(Pass::Always), nothing);
    unnamed.name = "Not A Name";
    breaks("named", Suite::default().filter(&unnamed), &["named"]);
}

/// Its fast way of asking says otherwise.
struct Hasty;

impl Filter for Hasty {
    fn name(&self) -> &'static str {
        "hasty"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        pass_if(is_prod(candidate))
    }

    fn passes(&self, _: &Candidate<'_>) -> Option<Pass> {
        Some(Pass::Always)
    }
}

#[test]
fn both_ways_of_asking_must_agree() {
    breaks("hasty", Suite::default().filter(&Hasty), &["passes-as-check"]);
}

#[test]
fn what_a_suite_is_told_of_is_drawn() {
    let by_fuel = || {
        filter_fn("coal", |candidate| {
            assert_ne!(candidate.label("fuel"), Some("coal"));
            Ok(())
        })
    };
    breaks("not told", Suite::default().filter(&by_fuel()), &[]);
    let told = Suite::default().label("fuel", ["coal", "wind"]);
    breaks("told", told.filter(&by_fuel()), &["no-panic"]);

    let brought = ClusterInfo::new(fleet_core::Cluster::new("plant").label("fuel", "coal"));
    breaks(
        "brought",
        Suite::default().cluster(brought).filter(&by_fuel()),
        &["no-panic"],
    );
    let urgent = filter_fn("urgent", |candidate| {
        assert!(candidate.workload.priority < 1_000, "urgent");
        Ok(())
    });
    let workload = Workload::new("team/urgent", [Target::replicas(1)]).priority(1_000);
    let violations = Suite::default().draws(1).workload(workload).filter(&urgent);
    let told: Vec<&str> = violations.iter().map(|violation| &*violation.seen).collect();
    assert!(told[0].contains("team/urgent"), "{told:?}");

    let early = || {
        filter_fn("early", |candidate| {
            pass_if(candidate.cluster.name() > "c-03").map(drop)
        })
    };
    breaks("names", Suite::default().filter(&early()), &["order"]);
    breaks(
        "names matter",
        Suite::default().names_matter().filter(&early()),
        &[],
    );
}

#[test]
fn each_way_of_a_scorer_to_be_wrong_is_found() {
    let cases: [(&str, Score, Based, &[&str]); 11] = [
        ("right", |candidate| i64::from(is_prod(candidate)), cluster, &[]),
        (
            "asked",
            |_| i64::try_from(asked() % 97).unwrap(),
            anything,
            &["deterministic"],
        ),
        (
            "slot",
            |candidate| i64::try_from(candidate.slot).unwrap(),
            anything,
            &["order"],
        ),
        (
            "panics",
            |candidate| {
                candidate
                    .cluster
                    .cluster
                    .cost
                    .get("cpu")
                    .map_or(0, |cost| cost * cpus(candidate))
            },
            anything,
            &["no-panic"],
        ),
        (
            "nothing",
            |candidate| i64::from(is_prod(candidate)),
            nothing,
            &["basis-nothing"],
        ),
        ("key", cpus, cluster, &["basis-key"]),
        (
            "room",
            |candidate| candidate.room.pressure(candidate.slot),
            cluster,
            &["basis-cluster"],
        ),
        (
            "time",
            |candidate| carbon(candidate).unwrap_or(0),
            cluster,
            &["basis-time"],
        ),
        (
            "now",
            |candidate| i64::try_from(candidate.now.0 % 1_000).unwrap(),
            cluster,
            &["basis-time"],
        ),
        (
            "current",
            |candidate| i64::from(candidate.current > 0),
            cluster,
            &["basis-current"],
        ),
        (
            "others",
            |candidate| i64::try_from(candidate.fleet.len()).unwrap(),
            cluster,
            &["basis-cluster"],
        ),
    ];
    all_break(
        cases
            .map(|(what, score, basis, expected)| (what, small().scorer(&Part::new(score, basis)), expected)),
    );
}

/// A scorer that brings scores to one scale another way.
struct Scaled(fn(&mut [i64]));

impl Scorer for Scaled {
    fn name(&self) -> &'static str {
        "scaled"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        cost_of(candidate.cluster, &candidate.workload.needs)
    }

    fn normalise(&self, scores: &mut [i64]) {
        (self.0)(scores);
    }
}

#[test]
fn each_way_of_a_scale_to_be_wrong_is_found() {
    type Scale = fn(&mut [i64]);
    let cases: [(&str, Scale, &[&str]); 6] = [
        ("right", min_max, &[]),
        ("as it is", |_| (), &["normalise-range"]),
        (
            "upside down",
            |scores| {
                min_max(scores);
                scores.iter_mut().for_each(|score| *score = MAX_SCORE - *score);
            },
            &["normalise-order"],
        ),
        (
            "first is best",
            |scores| {
                min_max(scores);
                if let Some(first) = scores.first_mut() {
                    *first = MAX_SCORE;
                }
            },
            &["normalise-order", "normalise-each"],
        ),
        (
            "divides by zero",
            |scores| {
                let most = scores.iter().copied().max().unwrap_or(1);
                scores
                    .iter_mut()
                    .for_each(|score| *score = i64::from(*score / most > 0));
            },
            &["no-panic"],
        ),
        ("all alike", |scores| scores.fill(1), &[]),
    ];
    all_break(cases.map(|(what, scale, expected)| (what, small().scorer(&Scaled(scale)), expected)));
}

#[test]
fn each_way_of_an_estimator_to_be_wrong_is_found() {
    type Says = fn(&Candidate<'_>) -> Option<Estimate>;
    let cases: [(&str, Says, &[&str]); 5] = [
        ("right", |candidate| Some(Estimate::new(4, candidate.now)), &[]),
        ("asked", |_| Some(Estimate::of_now(asked())), &["deterministic"]),
        (
            "slot",
            |candidate| Some(Estimate::of_now(u64::try_from(candidate.slot).unwrap())),
            &["order"],
        ),
        (
            "panics",
            |candidate| Some(Estimate::of_now(10 - candidate.current)),
            &["no-panic"],
        ),
        (
            "foresees",
            |candidate| Some(Estimate::new(4, candidate.now + Millis(1))),
            &["observed-before"],
        ),
    ];
    all_break(
        cases.map(|(what, says, expected)| (what, small().estimator(&estimator_fn("says", says)), expected)),
    );
}

struct Worthy(fn(&Candidate<'_>, i64) -> i64);

impl Rebalancer for Worthy {
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        (self.0)(candidate, load)
    }
}

#[test]
fn each_way_of_a_rebalancer_to_be_wrong_is_found() {
    type Says = fn(&Candidate<'_>, i64) -> i64;
    let cases: [(&str, Says, &[&str]); 6] = [
        (
            "right",
            |candidate, load| i64::from(is_prod(candidate)) - load / 1_000,
            &[],
        ),
        (
            "asked",
            |_, _| i64::try_from(asked() / 8).unwrap().saturating_neg(),
            &["deterministic"],
        ),
        (
            "slot",
            |candidate, _| i64::try_from(candidate.slot).unwrap(),
            &["order"],
        ),
        ("crowds", |_, load| load, &["no-crowding"]),
        (
            "flaps",
            |candidate, _| i64::from(candidate.current == 0),
            &["no-flapping"],
        ),
        ("panics", |_, load| -load * 2, &["no-panic"]),
    ];
    all_break(cases.map(|(what, worth, expected)| (what, small().rebalancer(&Worthy(worth)), expected)));
}

#[test]
fn each_way_of_a_gate_to_be_wrong_is_found() {
    type Says = fn(Step, &Move) -> Consent;
    let cases: [(&str, Says, &[&str]); 8] = [
        ("open", |_, _| Consent::Go, &[]),
        (
            "right",
            |step, one| match step {
                Step::Before if one.cause == Cause::Better => {
                    Consent::Refuse(Reason::new("not-now", "not now"))
                }
                Step::Switched => Consent::Wait(Reason::new("dns", format!("{} is not switched", one.to))),
                _ => Consent::Go,
            },
            &[],
        ),
        (
            "asked",
            |_, _| Consent::Wait(Reason::new("asked", format!("for the {}th time", asked()))),
            &["deterministic"],
        ),
        (
            "no code",
            |_, _| Consent::Wait(Reason::new("Not Now", "not now")),
            &["says-why"],
        ),
        (
            "no words",
            |step, _| match step {
                Step::BeforeOldGoes => Consent::Refuse(Reason::new("no", "")),
                _ => Consent::Go,
            },
            &["says-why"],
        ),
        (
            "panics at no replicas",
            |_, one| match 100 / one.replicas {
                0 => Consent::Wait(Reason::new("many", "many")),
                _ => Consent::Go,
            },
            &["no-panic"],
        ),
        (
            "panics at many",
            |_, one| match one.replicas * 100 {
                0 => Consent::Wait(Reason::new("none", "none")),
                _ => Consent::Go,
            },
            &["no-panic"],
        ),
        (
            "panics at nowhere",
            |_, one| match one.to.chars().next().unwrap() {
                'a'..='z' => Consent::Go,
                _ => Consent::Wait(Reason::new("strange", "strange")),
            },
            &["no-panic"],
        ),
    ];
    all_break(cases.map(|(what, gate, expected)| (what, small().gate(&gate), expected)));
}
