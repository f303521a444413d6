//! What is wrong with a workload is told, and only what is.

use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_scheduler::*;
use proptest::prelude::*;

fn outcome(workload: Workload) -> Outcome {
    let cpu = Resources::new().with("cpu", "10").unwrap();
    let cluster = |name: &str| {
        ClusterInfo::new(Cluster::new(name)).capacity(Capacity::new(cpu.clone(), Resources::new(), Tick(1)))
    };
    let fleet = FleetView::new(["a", "b"].map(cluster)).unwrap();
    let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
    planner.set(workload);
    planner
        .decide(&Facts::none(), Tick(10))
        .pop_first()
        .unwrap()
        .1
        .outcome
}

/// An empty text: nothing is wrong.
fn check(workload: Workload, expected: &str) {
    let told = match outcome(workload.clone()) {
        Outcome::Invalid(invalid) => invalid.to_string(),
        _ => String::new(),
    };
    assert_eq!(told, expected, "{workload:?}");
}

fn check_target(target: Target, expected: &str) {
    check(Workload::new("web", [target]), expected);
}

fn everything() -> Bound {
    Bound::of(ClusterSelector::everything())
}

#[test]
fn kinds_are_told_from_names_of_resources() {
    let of = |kind: &str| Workload::new("web", [Target::replicas(1)]).kinds([kind]);
    let form =
        "is not of the form Kind.version.group, such as Deployment.v1.apps, or Pod.v1 in the core group";
    check(of("Deployment.v1.apps"), "");
    check(of("Pod.v1"), "");
    for wrong in ["deployments.v1.apps", "apps/v1/Deployment", "Deployment.apps", ""] {
        check(of(wrong), &format!("`{wrong}` {form}"));
    }
}

#[test]
fn weights_are_missing_only_where_every_cluster_has_none() {
    let wrong = "target 1: all weights are 0, so nothing can be divided";
    let by = |by: DivideBy| Target::replicas(3).divided_by(by);
    let a = || Bound::cluster("a").weight(0);
    check_target(by(DivideBy::Weight).bound(a()), "");
    check_target(by(DivideBy::Weight).bound(a()).bound(everything()), "");
    check_target(by(DivideBy::Weight).bound(everything().weight(0).min(1)), "");
    check_target(by(DivideBy::Weight).bound(everything().weight(0)), wrong);
    check_target(
        by(DivideBy::Weight).bound(a()).bound(everything().weight(0)),
        wrong,
    );
    // What comes behind a bound for every cluster means none.
    check_target(
        by(DivideBy::Weight)
            .bound(everything().weight(0))
            .bound(Bound::cluster("a")),
        wrong,
    );
    for other in [DivideBy::Fewest, DivideBy::Cost, DivideBy::Capacity] {
        check_target(by(other).bound(everything().weight(0)), "");
    }
}

#[test]
fn a_limit_of_none_is_no_limit() {
    let none = |what: &str| format!("target 1: at most 0 {what} leaves no place");
    check_target(
        Target::replicas(3).over_clusters(None, Some(0)),
        &none("clusters"),
    );
    check_target(Target::some(0), &none("clusters"));
    let spread = Target::replicas(3).spread(Spread::over("zone").max(0));
    check_target(spread, &none("domains of zone"));
    // One cluster may be shut out so, and no replicas may be asked for.
    check_target(Target::replicas(3).bound(Bound::cluster("a").max(0)), "");
    check_target(Target::replicas(0), "");
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let most = u64::from(u32::MAX);
    let many = |count: u64, what: &str, most: u64| {
        format!("target 1: {count} {what} are more than {most}, the most that can be decided on")
    };
    check_target(Target::replicas(most), "");
    check_target(Target::replicas(most + 1), &many(most + 1, "replicas", most));
    check_target(Target::each(u64::MAX), &many(u64::MAX, "replicas", most));
    let least = |min: u64| Target::replicas(3).bound(Bound::cluster("a").min(min));
    check_target(least(most), "");
    check_target(
        least(most + 1),
        &many(most + 1, "replicas at least on a cluster", most),
    );
    for by in [
        DivideBy::Fewest,
        DivideBy::Weight,
        DivideBy::Capacity,
        DivideBy::Cost,
    ] {
        let levels = |count: usize| {
            let levels = (0..count).map(|at| Spread::over(format!("level-{at}")));
            levels.fold(Target::replicas(3).divided_by(by), Target::spread)
        };
        check_target(levels(16), "");
        check_target(levels(17), &many(17, "levels of domains", 16));
    }
    let levels = (0..17).map(|at| Spread::over(format!("level-{at}")));
    check_target(
        levels.fold(Target::each(3), Target::spread),
        &many(17, "levels of domains", 16),
    );
    let skew = |skew: u64| Target::replicas(3).spread(Spread::over("zone").skew(skew));
    check_target(skew(1), "");
    check_target(skew(u64::MAX), "");
    check_target(
        skew(0),
        "target 1: at most 0 replicas more in one of the domains of zone than in another leaves no place",
    );
}

#[test]
fn what_is_the_same_on_each_cluster_is_not_divided() {
    let wrong = |what: &str| {
        format!("target 1: {what} is for replicas that are divided, not for the same number on each cluster")
    };
    let least = "a number of clusters at least";
    for each in [Target::each(2), Target::some(2)] {
        check_target(each.clone().over_clusters(None, Some(1)), "");
        check_target(each.clone().over_clusters(Some(1), None), &wrong(least));
        check_target(each.clone().over_clusters(Some(1), Some(2)), &wrong(least));
        check_target(
            each.clone()
                .over_clusters(Some(1), Some(2))
                .over_clusters(None, Some(2)),
            "",
        );
        check_target(
            each.clone().divided_by(DivideBy::Weight),
            &wrong("how they are divided"),
        );
        check_target(
            each.clone().bound(Bound::cluster("a").max(1)),
            &wrong("a bound of single clusters"),
        );
        // Nothing of it is lost in a file, which is refused in the same way.
        let written = serde_json::to_value(each.clone().over_clusters(Some(1), None)).unwrap();
        let read = serde_json::from_value::<Target>(written).unwrap_err().to_string();
        assert_eq!(read, InvalidTarget::NotDivided.to_string());
        let written = serde_json::to_value(&each).unwrap();
        assert_eq!(serde_json::from_value::<Target>(written).unwrap(), each);
    }
    let divided = Target::replicas(2).divided_by(DivideBy::Weight);
    check_target(divided.over_clusters(Some(1), None).bound(everything()), "");
}

#[test]
fn limits_at_least_are_within_limits_at_most() {
    let check = |target: Target, what: &str, min: u64, max: u64| {
        let wrong = format!("target 1: {what}: at least {min}, but at most {max}");
        check_target(target, &wrong);
    };
    let zones = |min| Spread::over("zone").min(min);
    let all = "clusters, for all domains";
    check(
        Target::replicas(9).spread(zones(3)).over_clusters(None, Some(2)),
        all,
        3,
        2,
    );
    check(
        Target::replicas(9)
            .spread(zones(2))
            .spread(Spread::over("rack").min(3))
            .over_clusters(None, Some(5)),
        all,
        6,
        5,
    );
}

#[test]
fn of_a_singleton_there_is_one() {
    let check = |targets: Vec<Target>, asked: &str| {
        let wrong = match asked {
            "" => String::new(),
            _ => format!("there must never be two of a singleton, and {asked} are asked for"),
        };
        check(
            Workload::new("db", targets.clone()).nature(Nature::Singleton),
            &wrong,
        );
        check(Workload::new("db", targets).nature(Nature::Stateful), "");
    };
    check(vec![Target::replicas(0)], "");
    check(vec![Target::replicas(1)], "");
    check(vec![Target::replicas(3)], "3");
    check(vec![Target::each(1)], "as many as there are clusters");
    check(vec![Target::each(1).on(["a"])], "");
    check(vec![Target::each(1).on(["a", "b"])], "2");
    check(vec![Target::some(1)], "");
    check(vec![Target::some(2)], "2");
    check(vec![Target::replicas(1), Target::replicas(1)], "2");
    check(vec![Target::replicas(1), Target::replicas(0)], "");
}

#[test]
fn preferences_have_a_range() {
    let check = |weight: i32, wrong: bool| {
        let workload = Workload::new("web", [Target::replicas(1)]);
        let told = format!("a preference has the weight {weight}: from -100 to 100 is possible");
        let workload = workload.prefer(ClusterSelector::label("zone", "1"), weight);
        check(workload, if wrong { &told } else { "" });
    };
    check(100, false);
    check(-100, false);
    check(0, false);
    check(101, true);
    check(-101, true);
    check(i32::MIN, true);
}

#[test]
fn requirements_say_what_they_ask_and_are_equal_when_they_ask_the_same() {
    let values = ["us", "eu", "us"];
    let region = Requirement::new(Fact::Label, "region", Operator::In, values);
    let (fact, key, operator) = (region.fact(), region.key(), region.operator());
    assert_eq!((fact, key, operator), (Fact::Label, "region", Operator::In));
    assert_eq!(region.values(), ["eu", "us"]);
    assert_eq!(
        region,
        Requirement::new(Fact::Label, "region", Operator::In, ["eu", "us"])
    );
    let named = Requirement::new(Fact::Name, "name", Operator::NotIn, ["eu-9"]);
    assert_eq!(named, Requirement::name(Operator::NotIn, ["eu-9"]));
    for (operator, values, needs) in [
        (Operator::In, &[][..], "a: In needs at least one value"),
        (Operator::Exists, &["x"], "a: Exists needs no values"),
        (Operator::Gt, &["1", "2"], "a: Gt needs one whole number"),
        (Operator::Lt, &["much"], "a: Lt needs one whole number"),
    ] {
        let wrong = Requirement::new(Fact::Property, "a", operator, values.iter().copied());
        assert_eq!(wrong.check().unwrap_err().to_string(), needs);
        let selector = || ClusterSelector::everything().and(wrong.clone());
        let target = Target::replicas(1).within(selector());
        check_target(target, &format!("target 1: {needs}"));
        // So does what a bound or a preference would mean.
        let target = Target::replicas(1).bound(everything());
        check_target(
            target.bound(Bound::of(selector())),
            &format!("target 1: bounds[1]: {needs}"),
        );
        let web = Workload::new("web", [Target::replicas(1)]);
        let web = web.prefer(ClusterSelector::named(["a"]), 5);
        check(web.prefer(selector(), 5), &format!("prefer[1]: {needs}"));
    }
}

/// A requirement on one property.
fn of(operator: Operator, values: &[&str]) -> Requirement {
    Requirement::new(Fact::Property, "gpus", operator, values.iter().copied())
}

fn all_of(requirements: &[Requirement]) -> ClusterSelector {
    let requirements = requirements.iter().cloned();
    requirements.fold(ClusterSelector::everything(), ClusterSelector::and)
}

#[test]
fn what_no_cluster_can_meet_is_named_as_a_set() {
    use Operator::{DoesNotExist, Exists, Ge, Gt, In, Le, Lt, NotIn};
    let cases: &[(&[Requirement], &str)] = &[
        (
            &[of(Gt, &["3"]), of(Lt, &["5"]), of(NotIn, &["4"])],
            "property gpus is not 4; property gpus > 3; property gpus < 5",
        ),
        (
            &[of(Ge, &["3"]), of(Le, &["3"]), of(NotIn, &["3"])],
            "property gpus is not 3; property gpus >= 3; property gpus <= 3",
        ),
        (
            // What does not matter for it is not named.
            &[
                of(Gt, &["3"]),
                of(Lt, &["6"]),
                of(NotIn, &["5", "7"]),
                of(NotIn, &["4"]),
                of(Exists, &[]),
            ],
            "property gpus is not 4; property gpus not in (5, 7); property gpus > 3; property gpus < 6",
        ),
        (
            &[of(Gt, &["5"]), of(Lt, &["3"])],
            "property gpus > 5; property gpus < 3",
        ),
        (
            &[of(Gt, &["3"]), of(Lt, &["4"])],
            "property gpus > 3; property gpus < 4",
        ),
        (
            &[of(Exists, &[]), of(DoesNotExist, &[])],
            "property gpus exists; property gpus does not exist",
        ),
        (
            &[of(Le, &["3"]), of(DoesNotExist, &[])],
            "property gpus does not exist; property gpus <= 3",
        ),
        (
            &[of(In, &["1", "2"]), of(NotIn, &["1"]), of(Lt, &["2"])],
            "property gpus in (1, 2); property gpus is not 1; property gpus < 2",
        ),
        (
            &[of(Gt, &["9223372036854775807"])],
            "property gpus > 9223372036854775807",
        ),
        (
            &[Requirement::name(DoesNotExist, [""; 0]), of(Exists, &[])],
            "name does not exist",
        ),
        (&[of(Gt, &["3"]), of(Lt, &["6"]), of(NotIn, &["4"])], ""),
        (&[of(NotIn, &["4"]), of(DoesNotExist, &[])], ""),
        (&[of(NotIn, &["4"]), of(Exists, &[])], ""),
        (&[of(Gt, &["-9223372036854775808"]), of(NotIn, &["0"])], ""),
    ];
    for (requirements, expected) in cases {
        let told = |field: &str| match *expected {
            "" => String::new(),
            set => format!("{field}: no cluster can meet these together: {set}"),
        };
        let selector = all_of(requirements);
        let target = Target::replicas(1);
        check_target(target.clone().within(selector.clone()), &told("target 1"));
        check_target(
            target.clone().bound(Bound::of(selector.clone())),
            &told("target 1: bounds[0]"),
        );
        check(
            Workload::new("web", [target]).prefer(selector, 5),
            &told("prefer[0]"),
        );
    }
}

proptest! {
    /// By trying all values there are: a set is refused if none meets it, and then no part of what is named is.
    #[test]
    fn requirements_are_refused_exactly_where_no_value_meets_them(
        list in proptest::collection::vec((0..8_usize, proptest::collection::vec(0..6_i64, 1..4)), 1..6),
    ) {
        use Operator::{DoesNotExist, Exists, Ge, Gt, In, Le, Lt, NotIn};
        let requirements: Vec<Requirement> = list
            .into_iter()
            .map(|(operator, values)| {
                let operator = [In, NotIn, Exists, DoesNotExist, Gt, Ge, Lt, Le][operator];
                let count = match operator {
                    In | NotIn => values.len(),
                    Exists | DoesNotExist => 0,
                    _ => 1,
                };
                let values: Vec<String> = values.iter().take(count).map(i64::to_string).collect();
                Requirement::new(Fact::Property, "gpus", operator, values)
            })
            .collect();
        let with = |value: Option<String>| {
            let cluster = Cluster::new("a");
            ClusterInfo::new(match value {
                Some(value) => cluster.property("gpus", value),
                None => cluster,
            })
        };
        let numbers = (-1..7).map(|number: i64| Some(number.to_string()));
        let all: Vec<ClusterInfo> = numbers.chain([None, Some("none".into())]).map(with).collect();
        let can_be_met = |set: &[Requirement]| all.iter().any(|one| all_of(set).matches(one));
        let target = Target::replicas(1).within(all_of(&requirements));
        match outcome(Workload::new("web", [target])) {
            Outcome::Invalid(InvalidWorkload::Contradiction { requirements: named, .. }) => {
                prop_assert!(!can_be_met(&requirements));
                let is_named = |one: &&Requirement| named.contains(&one.to_string());
                let mut set: Vec<Requirement> = requirements.iter().filter(is_named).cloned().collect();
                set.sort();
                set.dedup();
                prop_assert_eq!(set.len(), named.len());
                prop_assert!(!can_be_met(&set));
                for at in 0..set.len() {
                    let mut less = set.clone();
                    less.remove(at);
                    prop_assert!(can_be_met(&less), "{:?} is not needed", set[at]);
                }
            }
            outcome => prop_assert!(can_be_met(&requirements), "{outcome:?}"),
        }
    }
}
