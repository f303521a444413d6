//! Laws of whole histories.

use fleet_core::{Cluster, ContactState, LifeCycle, Millis};
use fleet_scheduler::*;

use super::{
    events::Event,
    make,
    play::{Play, assert_same, play},
    seeds,
    world::Telling,
};

#[test]
fn every_step_holds_all_promises() {
    for seed in seeds(3) {
        play(seed, Telling::default(), true, |_, _| {});
    }
}

/// What is told of two histories is the same, with clusters called by their usual names; tokens stand for names.
fn assert_told_alike(seed: u64, telling: Telling) {
    let one = play(seed, Telling::default(), false, |_, _| {});
    let other = play(seed, telling, false, |_, _| {});
    for (at, (one, other)) in one.log.iter().zip(&other.log).enumerate() {
        let other = other.replace("member-", "c-");
        let (one, other) = match telling.is_renamed {
            true => (without_tokens(one), without_tokens(&other)),
            false => (one.clone(), other),
        };
        assert_eq!(one, other, "history {seed}, step {at}");
    }
}

fn without_tokens(round: &str) -> String {
    let mut round: serde_json::Value = serde_json::from_str(round).unwrap();
    for decision in round.as_object_mut().unwrap().values_mut() {
        let proposals = decision.get_mut("proposals").and_then(|list| list.as_array_mut());
        for proposal in proposals.into_iter().flatten() {
            proposal["token"] = serde_json::Value::Null;
        }
    }
    round.to_string()
}

#[test]
fn the_same_history_gives_the_same_decisions() {
    for seed in seeds(1) {
        assert_told_alike(seed, Telling::default());
    }
}

#[test]
fn the_order_in_which_things_are_given_changes_nothing() {
    for seed in seeds(1) {
        let reversed = Telling {
            is_reversed: true,
            ..Telling::default()
        };
        assert_told_alike(seed, reversed);
    }
}

/// The new names have the order of the old ones, because the last tie is broken by names.
#[test]
fn other_names_of_clusters_give_the_same_decisions_under_these_names() {
    for seed in seeds(1) {
        let renamed = Telling {
            is_renamed: true,
            ..Telling::default()
        };
        assert_told_alike(seed, renamed);
    }
}

#[test]
fn a_cluster_that_cannot_be_used_changes_nothing() {
    for seed in seeds(1) {
        play(seed, Telling::default(), false, |play, at| {
            if at % 20 == 0 {
                add_useless(play);
            }
        });
    }
}

fn add_useless(play: &mut Play) {
    let facts = play.world.facts(&play.planner.placements());
    let before = play.planner.placements();
    let mut same = play.planner.clone();
    same.set_fleet(play.world.fleet());
    let useless = Cluster::new("b-useless")
        .label("tier", "prod")
        .life_cycle(LifeCycle::Cordoned);
    let useless = ClusterInfo::new(useless).capacity(make::capacity(100_000, 0, play.world.now));
    let fleet = play.world.fleet().with(useless).unwrap();
    // One cluster more may end a storm.
    let is_stormy = play
        .world
        .sites
        .values()
        .filter(|site| site.info.lost_since().is_some())
        .count()
        > 1
        || before.values().any(|one| is_on_who_left(play, one));
    let mut other = play.planner.clone();
    other.set_fleet(fleet);
    if is_stormy {
        return;
    }
    let (one, two) = (
        same.decide(&facts, play.world.now),
        other.decide(&facts, play.world.now),
    );
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert_same(&other.placements(), &before, "a cluster that cannot be used");
}

fn is_on_who_left(play: &Play, placement: &Placement) -> bool {
    let mut clusters = placement.targets.values().flat_map(|placed| placed.keys());
    clusters.any(|name| !play.world.sites.contains_key(name))
}

#[test]
fn losing_a_cluster_moves_only_what_was_there() {
    for seed in seeds(1) {
        play(seed, Telling::default(), false, |play, at| {
            if at % 10 == 0 {
                lose_one(play);
            }
        });
    }
}

/// Whether something of a workload has no place, or waits: what it needs is less when something else of it is lost, and
/// may fit then.
fn has_waited(play: &Play, facts: &Facts, id: &WorkloadId) -> bool {
    let mut same = play.planner.clone();
    same.set_fleet(play.world.fleet());
    let round = same.decide(facts, play.world.now);
    let decision = round.get(id.as_str());
    decision.is_some_and(|one| one.short() > 0 || !one.waits.is_empty() || !one.proposals.is_empty())
}

fn lose_one(play: &mut Play) {
    let names: Vec<String> = play.world.sites.keys().cloned().collect();
    let at = usize::try_from(play.world.now.0).unwrap() % names.len();
    let name = &names[at];
    let facts = play.world.facts(&play.planner.placements());
    // To take a lost one out may end a storm.
    let is_lost = play.world.sites[name].info.lost_since().is_some();
    for is_removed in [false, true] {
        if is_lost && is_removed {
            continue;
        }
        let mut other = play.planner.clone();
        if is_removed {
            other.set_fleet(play.world.fleet().without(name).unwrap());
        } else {
            let mut lost = play.world.sites[name].info.clone();
            let mut contact = fleet_core::ContactStatus::first(
                fleet_core::Heard::Answer,
                &fleet_core::ContactLimits::default(),
                fleet_core::Tick(0),
            );
            contact.state = ContactState::Lost;
            lost.contact = Some(contact);
            other.set_cluster(lost).unwrap();
        }
        let round = other.decide(&facts, play.world.now);
        for made in round.values().flat_map(|decision| &decision.moves) {
            let workload = &play.world.workloads[&made.workload];
            let depends = !workload.beside.is_empty()
                || !workload.apart.is_empty()
                || matches!(workload.lost, LostPolicy::Follow(_));
            assert!(
                made.from == *name
                    || made.cause == Cause::Preempted
                    || depends
                    || has_waited(play, &facts, &made.workload),
                "losing {name} makes {made:?}"
            );
        }
    }
}

/// What was moved because another place was better stays for the time of rest, and when nothing changes any more, nothing
/// moves any more.
#[test]
fn nothing_flaps() {
    let rest = Calm::default().rest;
    for seed in seeds(2) {
        let mut play = play(seed, Telling::default(), false, |_, _| {});
        check_rest(&play.moves, rest);
        let (mut quiet, mut placements) = (0, play.planner.placements());
        for _ in 0..200 {
            play.world.now = play.world.now + rest + Millis::from_mins(1);
            play.world.settle(&placements, 100);
            let facts = play.world.facts(&placements);
            let round = play.planner.rebalance(&facts, play.world.now);
            placements = play.planner.placements();
            play.world.deliver(&placements);
            let moves: usize = round.values().map(|decision| decision.moves.len()).sum();
            quiet = if moves == 0 { quiet + 1 } else { 0 };
        }
        assert!(quiet > 50, "history {seed}: quiet for {quiet} rounds only");
    }
}

fn check_rest(moves: &[Move], rest: Millis) {
    let better: Vec<&Move> = moves.iter().filter(|one| one.cause == Cause::Better).collect();
    for (at, one) in better.iter().enumerate() {
        let next = better[at + 1..].iter().find(|next| next.workload == one.workload);
        if let Some(next) = next {
            assert!(next.at.since(one.at) >= rest, "{one:?} {next:?}");
        }
    }
}

/// The histories are worth playing: everything happens in them.
#[test]
fn everything_happens() {
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::default();
    let mut count = |what: String| *seen.entry(what).or_default() += 1;
    for seed in 1..=8 {
        let mut play = Play::new(seed, Telling::default());
        for _ in 0..super::play::EVENTS {
            let event = match play.step(false) {
                Event::Cluster(_, what)
                | Event::Clusters(what)
                | Event::Workload(_, what)
                | Event::Replacement(what) => what.to_owned(),
                other => format!("{other:?}"),
            };
            count(event.split('(').next().unwrap().to_owned());
            let round = play.log.last().unwrap();
            for word in [
                "\"unschedulable\"",
                "\"invalid\"",
                "\"placed\"",
                "\"code\":\"storm\"",
                "\"code\":\"budget\"",
                "\"code\":\"tolerated\"",
                "\"code\":\"follow\"",
                "\"code\":\"surge\"",
                "\"code\":\"approve\"",
                "\"code\":\"shrink\"",
                "\"held\"",
                "\"expired\"",
            ] {
                if round.contains(word) {
                    count(word.to_owned());
                }
            }
        }
        for one in &play.moves {
            count(one.cause.to_string());
        }
    }
    let expected = [
        "Passed",
        "Finished",
        "Approved",
        "Rebalance",
        "Restart",
        "unreachable",
        "lost",
        "online",
        "off",
        "life-cycle",
        "taints",
        "labels",
        "cost",
        "capacity",
        "observed",
        "removed",
        "added",
        "changed",
        "broken",
        "scaled",
        "begun",
        "taken back",
        "forgotten",
        "\"unschedulable\"",
        "\"invalid\"",
        "\"placed\"",
        "\"code\":\"storm\"",
        "\"code\":\"budget\"",
        "\"code\":\"tolerated\"",
        "\"code\":\"follow\"",
        "\"code\":\"surge\"",
        "\"code\":\"approve\"",
        "\"code\":\"shrink\"",
        "\"held\"",
        "\"expired\"",
        "data",
        "left",
        "drain",
        "constraint",
        "better",
        "preempted",
        "replace",
    ];
    let missing: Vec<&&str> = expected
        .iter()
        .filter(|what| !seen.contains_key(**what))
        .collect();
    assert!(missing.is_empty(), "{missing:?} never happened: {seen:?}");
}
