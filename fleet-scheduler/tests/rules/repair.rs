//! Skew repair: what is better placed is used, limits are met again, and not more moves than that takes.

use super::*;

/// Rebalances once an hour until nothing moves any more, with everything healthy wherever it is; how many replicas moved.
fn settle(planner: &mut Planner, workloads: &[String]) -> u64 {
    let (mut made, mut quiet) = (0, 0);
    for hour in 1..100 {
        let now = at(60 * hour);
        let mut facts = Facts::none();
        for id in workloads {
            for (cluster, _) in active(planner, id) {
                facts = facts.healthy(id.as_str(), cluster);
            }
        }
        let round = planner.rebalance(&facts, now);
        let moved = moves(&round);
        made += moved;
        quiet = if moved == 0 { quiet + 1 } else { 0 };
        if quiet == 2 {
            return made;
        }
    }
    panic!("it does not settle");
}

#[test]
fn a_new_cluster_takes_its_share_and_no_more() {
    let check = |old: u64, new: u64, each: &str, most: u64| {
        // Two clusters, full of small workloads, and a larger one that costs the same.
        let offers = format!("{old}");
        let fleet = FleetView::new([cluster("a", &offers), cluster("b", &offers)]).unwrap();
        let wide = Rate::new(u64::MAX, minutes(1));
        let options = PlannerOptions::default().budgets(Budgets::new(wide, wide));
        let mut planner = planner(fleet, options, Switches::default());
        let names: Vec<String> = (0..2 * old).map(|at| format!("w-{at:02}")).collect();
        for name in &names {
            planner.set(Workload::new(name.as_str(), [Target::replicas(1)]).needs(cpu(each)));
        }
        planner.decide(&Facts::none(), at(1));
        let fleet = planner.fleet().with(cluster("c", &format!("{new}"))).unwrap();
        planner.set_fleet(fleet);
        let made = settle(&mut planner, &names);
        let loads: Vec<i64> = ["a", "b", "c"]
            .map(|name| {
                let slot = planner.fleet().slot(name).unwrap();
                let (free, offered) = (
                    planner.room().free(slot, "cpu"),
                    planner.room().offered(slot, "cpu"),
                );
                (offered - free) * 100 / offered
            })
            .to_vec();
        let (least, most_loaded) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        assert!(made <= most && made > 0, "{made} moves, loads {loads:?}");
        // A move is worth it where the new cluster is emptier by a quarter: 40 a full cluster, against the price of 10.
        assert!(most_loaded - least <= 35, "loads {loads:?} after {made} moves");
        assert!(
            loads[2] <= *most_loaded.min(&loads[0].max(loads[1])),
            "the new one is the fullest: {loads:?}"
        );
    };
    check(9, 18, "1", 9);
    check(9, 90, "1", 15);
    check(10, 10, "1", 7);
}

/// One region after the other, with so many clusters each.
fn regions(names: &[&str], cost: impl Fn(&str) -> i64) -> FleetView {
    let priced = names.iter().map(|name| {
        let mut info = cluster(name, "10");
        info.cluster.cost.insert("replica".into(), cost(name));
        info
    });
    FleetView::new(priced).unwrap()
}

#[test]
fn replicas_that_were_made_up_for_in_one_region_spread_again_once_the_other_is_back() {
    let targets = [
        Target::replicas(4).spread(Spread::over("region").min(2)),
        Target::replicas(4)
            .divided_by(DivideBy::Cost)
            .spread(Spread::over("region").min(2)),
        Target::replicas(4)
            .divided_by(DivideBy::Weight)
            .spread(Spread::over("region").min(2)),
        Target::replicas(4).spread(Spread::over("region").min(2).skew(1)),
    ];
    for target in targets {
        let fleet = regions(&["eu-1", "eu-2", "us-1", "us-2"], |_| 1);
        let mut planner = free(fleet, Switches::default());
        let mut made = web(4);
        made.targets = vec![target.clone()];
        planner.set(made);
        planner.decide(&Facts::none(), at(1));
        for name in ["us-1", "us-2"] {
            lose(&mut planner, name, 2);
        }
        let round = planner.decide(&Facts::none(), at(3));
        assert_eq!(round["web"].targets[0].unmet.len(), 1, "{target:?}");
        let ids = ["web".to_owned()];
        assert_eq!(
            settle(&mut planner, &ids),
            0,
            "there is nowhere to spread: {target:?}"
        );
        for name in ["us-1", "us-2"] {
            contact(&mut planner, name, ContactState::Online, 4);
        }
        let made = settle(&mut planner, &ids);
        assert!((1..=3).contains(&made), "{made} moves: {target:?}");
        let there = active(&planner, "web");
        let of = |region: &str| {
            there
                .iter()
                .filter(|(name, _)| name.starts_with(region))
                .map(|(_, count)| count)
                .sum::<u64>()
        };
        assert!(
            of("us") > 0 && of("eu") > 0 && of("us") + of("eu") == 4,
            "{there:?}: {target:?}"
        );
    }
}

#[test]
fn a_new_cheaper_region_is_used_within_all_limits() {
    // Two regions are asked for; the third is cheaper than both.
    let check = |spread: Spread, expected: &[&str]| {
        let fleet = regions(&["eu-1", "us-1"], |_| 100);
        let mut planner = free(fleet, Switches::default());
        let mut made = web(4);
        made.targets = vec![
            Target::replicas(4)
                .divided_by(DivideBy::Cost)
                .spread(spread.clone()),
        ];
        planner.set(made);
        planner.decide(&Facts::none(), at(1));
        assert_eq!(active(&planner, "web").len(), 2, "{spread:?}");
        let with = regions(
            &["eu-1", "us-1", "za-1"],
            |name| if name == "za-1" { 10 } else { 100 },
        );
        planner.set_fleet(with);
        settle(&mut planner, &["web".to_owned()]);
        let there: Vec<String> = active(&planner, "web").into_keys().collect();
        assert!(there.contains(&"za-1".to_owned()), "{there:?}: {spread:?}");
        assert_eq!(there.len(), expected.len(), "{there:?}: {spread:?}");
        assert_eq!(active(&planner, "web").values().sum::<u64>(), 4);
    };
    check(Spread::over("region").min(2), &["za-1", "another"]);
    check(Spread::over("region").min(2).max(2), &["za-1", "another"]);
    check(Spread::over("region").min(2).skew(1), &["eu-1", "us-1", "za-1"]);
}
