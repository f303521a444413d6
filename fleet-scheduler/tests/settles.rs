//! Looking for better places comes to an end: nothing goes back and forth, whatever is asked for.

use fleet_core::{Capacity, Cluster, Millis, Resources, Tick};
use fleet_scheduler::*;
use proptest::prelude::*;

const HOUR: u64 = 3_600_000;
/// After so many hours nothing moves any more.
const HOURS: u64 = 60;

fn cpu(cores: u64) -> Resources {
    Resources::new().with("cpu", &cores.to_string()).unwrap()
}

/// One cluster: its region, what it offers, and what a core costs there.
type Site = (u64, u64, i64);

/// One workload: its replicas, what each needs, how it is divided, what else is asked for, the price of a move, and where it
/// is at first.
type Asked = (u64, u64, u8, u8, u64, Vec<u64>);

fn target(replicas: u64, by: u8, wishes: u8) -> Target {
    let by = [
        DivideBy::Cost,
        DivideBy::Fewest,
        DivideBy::Weight,
        DivideBy::Capacity,
    ][usize::from(by) % 4];
    let target = Target::replicas(replicas).divided_by(by);
    match wishes % 8 {
        0 | 1 => target,
        2 => target.spread(Spread::over("region").min(2)),
        3 => target.spread(Spread::over("region").skew(1)),
        4 => target.spread(Spread::over("region").max(2)),
        5 => target.over_clusters(None, Some(2)),
        6 => target.bound(Bound::of(ClusterSelector::everything()).max(2)),
        _ => target
            .spread(Spread::over("region").min(2).skew(2))
            .over_clusters(Some(2), None),
    }
}

fn workload(at: usize, asked: &Asked) -> Workload {
    let (replicas, needs, by, wishes, price, _) = asked;
    let mut moves = MovePolicy::default().price(*price);
    moves.stop_first = wishes / 8 % 4 == 0;
    let survives = match wishes / 32 % 8 {
        0 => Survives::AnyCluster,
        1 => Survives::AnyDomain("region".into()),
        _ => Survives::Nothing,
    };
    Workload::new(format!("w{at}"), [target(*replicas, *by, *wishes)])
        .needs(cpu(*needs))
        .moves(moves)
        .survives(survives)
}

/// Everything that is placed is healthy where it is.
fn healthy(planner: &Planner) -> Facts {
    let placements = planner.placements();
    let pairs = placements.iter().flat_map(|(id, placement)| {
        let clusters = placement.active().into_keys().map(str::to_owned);
        clusters.map(|cluster| (id.clone(), cluster)).collect::<Vec<_>>()
    });
    pairs.fold(Facts::none(), |facts, (id, cluster)| facts.healthy(id, cluster))
}

fn settles(scheduler: Scheduler, sites: &[Site], asked: &[Asked]) -> Result<(), TestCaseError> {
    let clusters = sites.iter().enumerate().map(|(at, (region, cores, cost))| {
        let declared = Cluster::new(format!("c{at}")).label("region", format!("r{region}"));
        let offers = Capacity::new(cpu(*cores), Resources::new(), Tick(1));
        ClusterInfo::new(declared.cost("cpu", *cost)).capacity(offers)
    });
    let mut previous = Placements::new();
    for (at, one) in asked.iter().enumerate() {
        let mut rest = one.0;
        let there = one.5.iter().take(sites.len()).enumerate();
        let placement = there.fold(Placement::nowhere(), |placement, (cluster, count)| {
            let count = (*count).min(rest);
            rest -= count;
            match count {
                0 => placement,
                count => placement.with("1", &format!("c{cluster}"), Assignment::new(count, Tick(2))),
            }
        });
        previous.insert(format!("w{at}").as_str().into(), placement);
    }
    let mut planner = Planner::new(
        scheduler,
        FleetView::new(clusters).unwrap(),
        PlannerOptions::default(),
    )
    .with_previous(&previous, MoveLog::default());
    for (at, one) in asked.iter().enumerate() {
        planner.set(workload(at, one));
    }
    let mut late = Vec::new();
    for hour in 1..=HOURS {
        let now = Tick(hour * HOUR);
        let round = planner.rebalance(&healthy(&planner), now);
        if hour > HOURS - 5 {
            late.extend(round.into_values().flat_map(|decision| decision.moves));
        }
        for second in 1..3 {
            planner.decide(&healthy(&planner), now + Millis(1000 * second));
        }
    }
    prop_assert!(late.is_empty(), "{:?}", late);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_goes_back_and_forth(
        sites in prop::collection::vec((0_u64..3, 1_u64..12, 0_i64..100), 2..7),
        asked in prop::collection::vec(
            (1_u64..8, 1_u64..4, any::<u8>(), any::<u8>(), 0_u64..25, prop::collection::vec(0_u64..4, 0..7)),
            1..5,
        ),
        is_flat in any::<bool>(),
    ) {
        let scheduler = match is_flat {
            true => Scheduler::builder().rebalancer(Worth::without_balance()).build(),
            false => Scheduler::default(),
        };
        settles(scheduler, &sites, &asked)?;
    }
}
