//! The parts of presets keep their promises, and so do their schedulers.

use fleet_scheduler::{
    conformance::{Suite, Violation},
    divide::planner::Planner as Division,
    presets::{
        karmada,
        ocm::{Mode, Placement, Predicates, Prioritize, Prioritizer, TotalScore, score_name},
        rsp::{self, MaxClusters, PlannerDivision, ResourceScore},
    },
    *,
};

#[track_caller]
fn check(name: &str, violations: &[Violation]) {
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{name}:\n{}", told.join("\n"));
}

/// Ties are broken by names (hashes of them, for planners), as in the originals.
fn suite() -> Suite {
    Suite::default().names_matter()
}

const PLANNERS: [Division; 4] = [
    Division::Kubefed { rebalance: false },
    Division::Kubefed { rebalance: true },
    Division::KubeAdmiral {
        avoid_disruption: true,
        keep_unschedulable: false,
    },
    Division::KubeAdmiral {
        avoid_disruption: false,
        keep_unschedulable: true,
    },
];

#[test]
fn selectors() {
    let parts: [&dyn Selector; 2] = [&karmada::SpreadConstraints, &MaxClusters];
    check("spread-constraints", &suite().selector(parts[0]));
    check("max-clusters", &suite().selector(parts[1]));
}

#[test]
fn dividers() {
    check("karmada-division", &suite().divider(&karmada::Division));
    for planner in PLANNERS {
        check(
            &format!("{planner:?}"),
            &suite().divider(&PlannerDivision::new(planner)),
        );
    }
}

fn placement() -> Placement {
    Placement::new()
        .mode(Mode::Exact)
        .prioritizer(Prioritizer::Balance, 1)
        .prioritizer(Prioritizer::Steady, 2)
        .prioritizer(Prioritizer::ResourceAllocatableMemory, 1)
        .prioritizer(Prioritizer::add_on("default", "carbon"), 1)
        .predicate(ClusterSelector::label("tier", "prod"))
        .predicate(ClusterSelector::label("region", "eu"))
}

#[test]
fn filters_and_scorers() {
    check("predicate", &suite().filter(&Predicates::of(&placement())));
    check("cluster-locality", &suite().scorer(&karmada::ClusterLocality));
    for score in [
        ResourceScore::LeastAllocated,
        ResourceScore::MostAllocated,
        ResourceScore::Balanced,
    ] {
        check(score.name(), &suite().scorer(&score));
    }
    for prioritizer in placement().prioritizer_policy.effective().into_keys() {
        let suite = suite().score(score_name("default", "carbon"));
        let mut violations = suite.scorer(&Prioritize::of(&placement(), prioritizer.clone()));
        // Scores are those of the original: from -100 to 100, and what is not known in the middle.
        violations.retain(|one| !["normalise-range", "normalise-order"].contains(&one.promise));
        check(&prioritizer.name(), &violations);
    }
}

#[test]
fn rebalancers() {
    check("total-score", &suite().rebalancer(&TotalScore::of(&placement())));
}

#[test]
fn schedulers() {
    let suite = || suite().draws(4);
    check("karmada", &suite().scheduler(&karmada::scheduler()));
    for planner in PLANNERS {
        check(
            &format!("{planner:?}"),
            &suite().scheduler(&rsp::scheduler(planner)),
        );
    }
    check("ocm", &suite().scheduler(&placement().scheduler()));
}
