//! Published vectors, and what stays between two of them.

use fleet_core::Tick;
use fleet_scheduler::{
    divide::Mode,
    presets::karmada::{ClusterAffinity, Member, Placement},
    *,
};

use super::{
    super::{cluster, counts, placed, yaml},
    member, planner,
};
#[test]
fn vectors() {
    const EVEN: &str = "00000000-0000-0000-0000-000000000001";
    const ODD: &str = "00000000-0000-0000-0000-000000000002";
    let infos = ["a", "b", "c"].map(member);
    let check = |weights: [u64; 3], replicas: u64, uid: &str, expect: [u64; 3]| {
        let names = ["a", "b", "c"];
        let weights = names
            .iter()
            .zip(weights)
            .map(|(name, weight)| (ClusterAffinity::named([*name]), weight));
        let placement = Placement::new().static_weights(weights);
        let members = infos.each_ref().map(Member::new);
        let placed = placement.schedule(&members, replicas, uid, Mode::Steady).unwrap();
        assert_eq!(
            names.map(|name| placed.get(name).copied().unwrap_or(0)),
            expect,
            "{replicas} {uid}"
        );
        // The same in a planner, where the workload has the UID.
        let mut planner = planner(&infos);
        let mut workload = placement.workload("default/nginx", replicas).unwrap();
        workload.uid = uid.to_owned();
        planner.set(workload);
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(super::super::placed(&planner, "default/nginx"), placed);
    };
    check([1, 1, 1], 10, "", [4, 3, 3]);
    check([1, 1, 1], 10, EVEN, [4, 3, 3]);
    check([1, 1, 1], 10, ODD, [3, 3, 4]);
    check([2, 3, 5], 7, "", [1, 2, 4]);
    check([2, 3, 5], 8, "", [2, 2, 4]);
    // Where all weigh nothing, all weigh the same.
    check([0, 0, 0], 3, "", [1, 1, 1]);
    check([0, 3, 0], 3, "", [0, 3, 0]);
}

#[test]
fn the_largest_of_several_weights_counts() {
    let infos = [
        cluster("a", "tier=gold"),
        cluster("b", "tier=gold"),
        cluster("c", ""),
    ];
    let placement = Placement::new().static_weights([
        (ClusterAffinity::named(["a"]), 1),
        (yaml("labelSelector: {matchLabels: {tier: gold}}"), 3),
        (ClusterAffinity::named(["b"]), 6),
    ]);
    assert_eq!(
        infos.each_ref().map(|info| placement.static_weight(info)),
        [3, 6, 0]
    );
    let mut planner = planner(&infos);
    planner.set(placement.workload("default/nginx", 9).unwrap());
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, "default/nginx"), counts([("a", 3), ("b", 6)]));
}

#[test]
fn steady_and_fresh() {
    let infos = ["a", "b", "c"].map(member);
    let check =
        |placement: &Placement, state: [(u64, u64); 3], replicas: u64, mode: Mode, expect: [u64; 3]| {
            let members: Vec<Member<'_>> = infos
                .iter()
                .zip(state)
                .map(|(info, (fits, runs))| Member::new(info).allocatable(fits).current(runs))
                .collect();
            let placed = placement.schedule(&members, replicas, "", mode).unwrap();
            let counts = ["a", "b", "c"].map(|name| placed.get(name).copied().unwrap_or(0));
            assert_eq!(counts, expect, "{state:?} {replicas} {mode:?}");
        };
    let (by_room, packed) = (Placement::new().dynamic_weight(), Placement::new().aggregated());
    // More: only the difference, by what still fits.
    check(&by_room, [(6, 6), (10, 2), (2, 4)], 21, Mode::Steady, [9, 7, 5]);
    // Fewer: the rest by what runs.
    check(&by_room, [(9, 6), (9, 4), (9, 2)], 6, Mode::Steady, [3, 2, 1]);
    // As many: nothing changes.
    check(&by_room, [(9, 6), (0, 4), (99, 2)], 12, Mode::Steady, [6, 4, 2]);
    // Anew: by what fits in all.
    check(&by_room, [(4, 12), (8, 0), (0, 0)], 12, Mode::Fresh, [8, 4, 0]);
    check(&packed, [(20, 0), (4, 4), (20, 0)], 8, Mode::Steady, [0, 8, 0]);
    check(&packed, [(20, 0), (5, 5), (2, 0)], 12, Mode::Fresh, [8, 4, 0]);
}
