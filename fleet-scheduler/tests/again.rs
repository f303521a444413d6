//! What is decided after single changes is what is decided when everything is looked at again.

use fleet_core::{
    Capacity, Cluster, ContactLimits, ContactState, ContactStatus, Heard, LifeCycle, Millis, Resources,
    Taint, TaintEffect, Tick,
};
use fleet_scheduler::*;
use proptest::prelude::*;

const CLUSTERS: usize = 6;
const WORKLOADS: usize = 8;

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Set(usize, Wanted),
    Remove(usize),
    /// A cluster is observed: how much is in use of what it offers, and whether it serves a kind.
    Observed(usize, i64, bool),
    Contact(usize, ContactState),
    Tainted(usize, Option<TaintEffect>),
    Life(usize, LifeCycle),
    Region(usize, bool),
    /// So much time goes by, and what moves has become healthy, or not.
    Later(u64, bool),
}

/// A workload.
#[derive(Clone, Debug)]
struct Wanted {
    replicas: u64,
    cpu: i64,
    tolerates: bool,
    priority: i32,
    needs_kind: bool,
    /// Beside or apart from another one.
    relation: Option<(bool, usize)>,
    lost: LostPolicy,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let relation = prop_oneof![
        4 => Just(None),
        1 => (any::<bool>(), 0..WORKLOADS).prop_map(Some),
    ];
    let lost = prop_oneof![
        Just(LostPolicy::Respin { after: Millis(1000) }),
        Just(LostPolicy::Hold),
        Just(LostPolicy::Shrink),
    ];
    (
        1_u64..7,
        1_i64..4,
        any::<bool>(),
        0..3,
        any::<bool>(),
        relation,
        lost,
    )
        .prop_map(
            |(replicas, cpu, tolerates, priority, needs_kind, relation, lost)| Wanted {
                replicas,
                cpu,
                tolerates,
                priority,
                needs_kind,
                relation,
                lost,
            },
        )
}

fn event() -> impl Strategy<Value = Event> {
    let contact = prop_oneof![
        3 => Just(ContactState::Online),
        1 => Just(ContactState::Unreachable),
        2 => Just(ContactState::Lost),
    ];
    let taint = prop_oneof![
        Just(None),
        Just(Some(TaintEffect::NoSchedule)),
        Just(Some(TaintEffect::NoExecute)),
        Just(Some(TaintEffect::PreferNoSchedule)),
    ];
    let life = prop_oneof![3 => Just(LifeCycle::Ready), 1 => Just(LifeCycle::Cordoned), 1 => Just(LifeCycle::Draining)];
    prop_oneof![
        6 => (0..WORKLOADS, wanted()).prop_map(|(at, wanted)| Event::Set(at, wanted)),
        2 => (0..WORKLOADS).prop_map(Event::Remove),
        3 => (0..CLUSTERS, 0_i64..9, any::<bool>()).prop_map(|(at, used, serves)| Event::Observed(at, used, serves)),
        2 => (0..CLUSTERS, contact).prop_map(|(at, state)| Event::Contact(at, state)),
        2 => (0..CLUSTERS, taint).prop_map(|(at, effect)| Event::Tainted(at, effect)),
        1 => (0..CLUSTERS, life).prop_map(|(at, life)| Event::Life(at, life)),
        1 => (0..CLUSTERS, any::<bool>()).prop_map(|(at, eu)| Event::Region(at, eu)),
        3 => (1_u64..200_000, any::<bool>()).prop_map(|(millis, healthy)| Event::Later(millis, healthy)),
    ]
}

fn workload_name(at: usize) -> String {
    format!("w{at}")
}

fn workload(at: usize, wanted: &Wanted) -> Workload {
    let eu = || ClusterSelector::label("region", "eu");
    let replicas = wanted.replicas;
    let target = match at {
        0 => Target::each(1),
        1 => Target::each(1).within(eu()),
        2 => Target::each(1).on(["c1", "c4"]),
        3 => Target::some(2).spread(Spread::over("region").min(2)),
        4 => Target::replicas(replicas).divided_by(DivideBy::Weight),
        5 => Target::replicas(replicas)
            .divided_by(DivideBy::Capacity)
            .spread(Spread::over("region").skew(2)),
        6 => Target::replicas(replicas)
            .within(eu())
            .within(ClusterSelector::everything()),
        _ => Target::replicas(replicas).divided_by(DivideBy::Cost),
    };
    let mut needs = Resources::new();
    needs.set("cpu", wanted.cpu * 1000).unwrap();
    let mut workload = Workload::new(workload_name(at), [target])
        .needs(needs)
        .priority(wanted.priority)
        .lost(wanted.lost.clone());
    if wanted.tolerates {
        workload = workload.tolerate(Toleration::of("broken"));
    }
    if wanted.needs_kind {
        workload.kinds.insert("Queue.v1.example.com".to_owned());
    }
    match wanted.relation {
        Some((true, other)) if other < at => workload.beside(workload_name(other)),
        Some((false, other)) if other < at => workload.apart(workload_name(other)),
        _ => workload,
    }
}

fn fleet() -> FleetView {
    FleetView::new((0..CLUSTERS).map(|at| {
        let cluster = Cluster::new(format!("c{at}"))
            .label("region", if at % 2 == 0 { "eu" } else { "us" })
            .cost("cpu", i64::try_from(at).unwrap());
        ClusterInfo::new(cluster).capacity(capacity(0, true, Tick(1)))
    }))
    .unwrap()
}

fn capacity(used: i64, serves: bool, at: Tick) -> Capacity {
    let mut offered = Resources::new();
    offered.set("cpu", 8000).unwrap();
    let mut taken = Resources::new();
    taken.set("cpu", used * 1000).unwrap();
    let mut capacity = Capacity::new(offered, taken, at);
    capacity.kinds = Some(
        serves
            .then(|| "Queue.v1.example.com".to_owned())
            .into_iter()
            .collect(),
    );
    capacity
}

/// A planner with everything that has happened to it.
struct World {
    planner: Planner,
    workloads: Vec<Option<Workload>>,
    now: Tick,
    facts: Facts,
}

impl World {
    fn new() -> Self {
        Self {
            planner: Planner::new(Scheduler::default(), fleet(), PlannerOptions::default()),
            workloads: vec![None; WORKLOADS],
            now: Tick(1_000_000),
            facts: Facts::none(),
        }
    }

    fn happen(&mut self, event: &Event) {
        self.now = self.now + Millis(1);
        self.facts = Facts::none();
        let now = self.now;
        match event {
            Event::Set(at, wanted) => {
                let workload = workload(*at, wanted);
                self.workloads[*at] = Some(workload.clone());
                self.planner.set(workload);
            }
            Event::Remove(at) => {
                self.workloads[*at] = None;
                self.planner.remove(&workload_name(*at).into());
            }
            Event::Observed(at, used, serves) => {
                self.change(*at, |info| info.capacity = Some(capacity(*used, *serves, now)));
            }
            Event::Contact(at, state) => self.change(*at, |info| {
                let mut contact = ContactStatus::first(Heard::Answer, &ContactLimits::default(), now);
                contact.state = *state;
                info.contact = Some(contact);
            }),
            Event::Tainted(at, effect) => self.change(*at, |info| {
                let taint = effect.map(|effect| Taint::new("broken", "", effect));
                info.cluster.taints = taint.into_iter().collect();
            }),
            Event::Life(at, life) => self.change(*at, |info| info.cluster.life_cycle = *life),
            Event::Region(at, eu) => self.change(*at, |info| {
                let region = if *eu { "eu" } else { "us" };
                info.cluster.labels.insert("region".to_owned(), region.to_owned());
            }),
            Event::Later(millis, healthy) => {
                self.now = self.now + Millis(*millis);
                if *healthy {
                    self.facts = Self::all_healthy();
                }
            }
        }
        settle(&mut self.planner, &self.facts, self.now);
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut ClusterInfo)) {
        let mut info = self.planner.fleet().get(&format!("c{at}")).unwrap().clone();
        change(&mut info);
        self.planner.set_cluster(info).unwrap();
    }

    fn all_healthy() -> Facts {
        let mut facts = Facts::none();
        for at in 0..WORKLOADS {
            for cluster in 0..CLUSTERS {
                facts = facts.healthy(workload_name(at), format!("c{cluster}"));
            }
        }
        facts
    }

    /// A process that begins anew with what this one has kept.
    fn restarted(&self) -> Planner {
        let mut planner = Planner::new(
            Scheduler::default(),
            self.planner.fleet().clone(),
            PlannerOptions::default(),
        )
        .with_previous(&self.planner.placements(), self.planner.moves().clone());
        for workload in self.workloads.iter().flatten() {
            planner.set(workload.clone());
        }
        settle(&mut planner, &self.facts, self.now);
        planner
    }
}

/// Decides until nothing is left to decide.
fn settle(planner: &mut Planner, facts: &Facts, now: Tick) {
    for _ in 0..10 {
        let before = planner.placements();
        planner.decide(facts, now);
        if planner.placements() == before {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_restart_changes_nothing(events in prop::collection::vec(event(), 1..25)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
            let restarted = world.restarted();
            prop_assert_eq!(world.planner.placements(), restarted.placements(), "after {:?}", event);
            for slot in 0..CLUSTERS {
                prop_assert_eq!(
                    world.planner.room().free(slot, "cpu"), restarted.room().free(slot, "cpu"), "room of c{}", slot
                );
            }
        }
    }
}
