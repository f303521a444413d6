//! Decides which clusters workloads run on, says why, and moves as little as possible.
//!
//! Workloads are to clusters what pods are to nodes: filter, score, select, divide, disrupt. This crate does no I/O, reads no
//! clock and draws no random numbers; it counts in integers, and the same history gives the same decisions. It needs
//! nothing else of Fleet but the words of `fleet-core`.
//!
//! # Place a workload
//!
//! A [`FleetView`] is what is known of the clusters, a [`Workload`] what is to run, and a [`Planner`] keeps where everything
//! is. It decides again what a change touches, and nothing else.
//!
//! ```
//! use fleet_core::{Capacity, Cluster, Resources, Tick};
//! use fleet_scheduler::{ClusterInfo, Facts, FleetView, Planner, PlannerOptions, Scheduler, Target, Workload};
//!
//! let cluster = |name: &str, cost| -> Result<ClusterInfo, fleet_core::InvalidAmount> {
//!     let offered = Resources::new().with("cpu", "16")?.with("memory", "64Gi")?;
//!     let asked_for = Resources::new().with("cpu", "4")?;
//!     let declared = Cluster::new(name).label("tier", "prod").cost("cpu", cost);
//!     Ok(ClusterInfo::new(declared).capacity(Capacity::new(offered, asked_for, Tick(1))))
//! };
//! let fleet = FleetView::new([cluster("eu-1", 30)?, cluster("us-1", 20)?])?;
//! let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
//!
//! let needs = Resources::new().with("cpu", "500m")?.with("memory", "1Gi")?;
//! planner.set(Workload::new("shop/web", [Target::replicas(12)]).needs(needs));
//! let round = planner.decide(&Facts::none(), Tick(2));
//!
//! assert_eq!(round["shop/web"].placement.active(), [("us-1", 12)].into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Moments are [`Tick`](fleet_core::Tick)s, milliseconds since 1970 (any other beginning will do, if all agree), and spans
//! [`Millis`](fleet_core::Millis).
//!
//! Keep [`Planner::placements`] and [`Planner::moves`] where you keep your state, and give them to the next process by
//! [`Planner::with_previous`]. The words can be written as JSON, too: clusters, workloads and placements have `serde`.
//!
//! # Name clusters, group them, or say what must hold
//!
//! A [`Target`] names clusters, means a group of them, or leaves the choice to constraints and scores. A workload may have
//! several targets; each is decided for itself.
//!
//! ```
//! use fleet_scheduler::{Bound, ClusterSelector, DivideBy, Fact, Operator, Requirement, Spread, Target};
//!
//! // By name: two replicas on each of these.
//! let named = Target::each(2).on(["lab-1", "lab-2"]);
//!
//! // By group: one replica on every cluster with this label, whichever these are; the second group is for when the first
//! // cannot carry it.
//! let grouped = Target::each(1)
//!     .within(ClusterSelector::label("tier", "prod"))
//!     .within(ClusterSelector::label("tier", "reserve"));
//!
//! // By constraint: twelve replicas over at least two regions, on large GPUs, by weight.
//! let large = Requirement::new(Fact::Property, "gpu-memory-gb", Operator::Ge, ["40"]);
//! let constrained = Target::replicas(12)
//!     .within(ClusterSelector::everything().and(large))
//!     .spread(Spread::over("region").min(2).skew(2))
//!     .divided_by(DivideBy::Weight)
//!     .bound(Bound::of(ClusterSelector::label("region", "eu")).weight(3));
//! # let _ = (named, grouped, constrained);
//! ```
//!
//! # Write a filter
//!
//! A filter says which clusters a workload cannot be on, and why. A closure will do; [`guide`] shows the whole trait.
//!
//! ```
//! use fleet_core::Reason;
//! use fleet_scheduler::{Scheduler, filter_fn};
//!
//! let patched = filter_fn("patched", |candidate| {
//!     match candidate.property("patch-level").and_then(|level| level.parse::<u32>().ok()) {
//!         Some(level) if level >= 7 => Ok(()),
//!         Some(level) => Err(Reason::new("unpatched", format!("its patch level is {level}, below 7"))),
//!         None => Err(Reason::new("unpatched", "its patch level is not known")),
//!     }
//! });
//! let scheduler = Scheduler::builder().filter(patched).build();
//! # drop(scheduler);
//! ```
//!
//! # Write a scorer, or divide another way
//!
//! A scorer says how good a cluster is, in whole numbers of its own unit; weights say how often each scorer counts. A
//! [`Divider`] says how many replicas each cluster gets, a [`Selector`] which clusters take part.
//!
//! ```
//! use fleet_scheduler::{AsAsked, AtMost, External, Scheduler, scorer_fn};
//!
//! let near = scorer_fn("near", |candidate| {
//!     let milliseconds = candidate.property("latency-ms").and_then(|text| text.parse().ok());
//!     -milliseconds.unwrap_or(1_000)
//! });
//! let scheduler = Scheduler::builder()
//!     .scorer(near, 4)
//!     .scorer(External::new("carbon"), 2)    // scores from outside, which expire: FleetView::score
//!     .without("least-full")
//!     .divider(AtMost::new(50, AsAsked))     // no cluster gets more than 50 of a target
//!     .build();
//! # drop(scheduler);
//! ```
//!
//! # Explain a refusal
//!
//! Decisions are data. [`Planner::explain`] tells for each cluster every filter that fails, each score raw and weighted, what
//! keeps more away, and the smallest changes that would help; [`render_explanation`] makes text of it.
//!
//! ```
//! # use fleet_core::{Capacity, Cluster, LifeCycle, Resources, Tick};
//! # use fleet_scheduler::*;
//! # let room = Capacity::new(Resources::new().with("cpu", "4")?, Resources::new(), Tick(1));
//! # let cordoned = Cluster::new("us-1").life_cycle(LifeCycle::Cordoned);
//! # let fleet = FleetView::new([
//! #     ClusterInfo::new(Cluster::new("eu-1")).capacity(room.clone()), ClusterInfo::new(cordoned).capacity(room),
//! # ])?;
//! # let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
//! planner.set(Workload::new("shop/web", [Target::replicas(6)]).needs(Resources::new().with("cpu", "1")?));
//! let round = planner.decide(&Facts::none(), Tick(2));
//! assert_eq!((round["shop/web"].short(), &round["shop/web"].outcome), (2, &Outcome::Unschedulable));
//!
//! let why = planner.explain(&"shop/web".into(), &Facts::none(), Tick(2)).ok_or("not there")?;
//! let target = &why.targets[0];
//! assert_eq!(target.limit, Some(Limit::Room));
//! assert_eq!(target.refused["not-in-service"], 1);
//! let changes: Vec<String> = target.would_fit.iter().map(ToString::to_string).collect();
//! assert_eq!(changes, ["cluster us-1 back in service", "2 more cpu on eu-1", "ask for 4 replicas"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! That nothing fits and that the input is wrong ([`Outcome::Invalid`]) are two answers, and neither clears what runs.
//!
//! # Survive a lost cluster
//!
//! What happens is said by each workload ([`LostPolicy`]): start its replicas elsewhere after a time, wait for a person, make
//! do with fewer, or follow another. What there must never be two of ([`Nature`]) always waits for a person, or for word that
//! the old copy is stopped. When too many clusters look lost at once, a [`StormBreaker`] starts nothing elsewhere.
//!
//! ```
//! # use fleet_core::{Capacity, Cluster, Millis, Resources, Tick};
//! # use fleet_scheduler::*;
//! # let room = Capacity::new(Resources::new().with("cpu", "8")?, Resources::new(), Tick(1));
//! # let cluster = |name: &str| ClusterInfo::new(Cluster::new(name)).capacity(room.clone());
//! # let fleet = FleetView::new(["eu-1", "eu-2", "us-1", "us-2"].map(cluster))?;
//! # let cpu = Resources::new().with("cpu", "1")?;
//! let options = PlannerOptions::default().storm(StormBreaker::default().domain("region").trips(3, 33));
//! let mut planner = Planner::new(Scheduler::default(), fleet, options);
//! let web = Workload::new("shop/web", [Target::replicas(4)]).needs(cpu.clone());
//! planner.set(web.lost(LostPolicy::Respin { after: Millis::from_mins(10) }));
//! let db = Workload::new("shop/db", [Target::replicas(1)]).needs(cpu);
//! planner.set(db.nature(Nature::Stateful).beside("shop/web"));
//! planner.decide(&Facts::none(), Tick(2));
//!
//! let mut after = planner.what_if(&[WhatIf::Lose("eu-1".into())], &Facts::none(), Tick(3_600_000))?;
//! assert_eq!(after.round["shop/web"].placement.active(), [("eu-2", 4)].into());
//! // The database waits: a person must know that the old copy is stopped.
//! let proposal = &after.round["shop/db"].proposals[0];
//! assert_eq!((proposal.cluster.as_str(), proposal.replicas), ("eu-1", 1));
//!
//! let approved = Facts::none().approve(proposal.token.clone());
//! let round = after.planner.decide(&approved, Tick(3_600_001));
//! assert_eq!(round["shop/db"].placement.active(), [("eu-2", 1)].into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Move little
//!
//! [`Planner::decide`] moves only what cannot stay. [`Planner::rebalance`] moves what is better elsewhere by more than its
//! price ([`MovePolicy`]), and lets it rest then ([`Calm`]). [`Budgets`] are hard: what would move waits, and says until when.
//! The new copy is healthy before the old one goes, and a [`MoveGate`] has a say at each step.
//!
//! ```
//! use fleet_core::{Millis, Reason};
//! use fleet_scheduler::{Budgets, Consent, Move, PlannerOptions, Rate, Scheduler, Step, Worth};
//!
//! let hour = Millis::from_mins(60);
//! let options = PlannerOptions::default().budgets(Budgets::new(Rate::new(200, hour), Rate::new(40, hour)));
//! let scheduler = Scheduler::builder()
//!     .rebalancer(Worth::default())
//!     .gate(|step: Step, one: &Move| match step {
//!         Step::Switched => Consent::Wait(Reason::new("dns", format!("clients still use {}", one.from))),
//!         _ => Consent::Go,
//!     })
//!     .build();
//! # drop((options, scheduler));
//! ```
//!
//! # Keep room for N-1
//!
//! [`Survives`] says what may vanish, and room is kept elsewhere for it. What is kept for one failure is kept for the next,
//! too: only one happens at a time. What cannot be kept for is not placed.
//!
//! ```
//! # use fleet_core::{Capacity, Cluster, Resources, Tick};
//! # use fleet_scheduler::*;
//! # let room = Capacity::new(Resources::new().with("cpu", "10")?, Resources::new(), Tick(1));
//! # let cluster = |name: &str| ClusterInfo::new(Cluster::new(name)).capacity(room.clone());
//! # let fleet = FleetView::new(["a", "b", "c"].map(cluster))?;
//! # let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
//! let target = Target::replicas(24).divided_by(DivideBy::Capacity);
//! let web = Workload::new("shop/web", [target]).needs(Resources::new().with("cpu", "1")?);
//! planner.set(web.survives(Survives::AnyCluster));
//! let round = planner.decide(&Facts::none(), Tick(2));
//!
//! // Of thirty places on three clusters, ten are kept.
//! assert_eq!((round["shop/web"].short(), &round["shop/web"].targets[0].limit), (4, &Some(Limit::Spare)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Replace a cluster
//!
//! Everything of one cluster drains into another, a few replicas at a time; both are kept for a while, and until that is over
//! everything can come back.
//!
//! ```
//! # use fleet_core::{Capacity, Cluster, Millis, Resources, Tick};
//! # use fleet_scheduler::*;
//! # let room = Capacity::new(Resources::new().with("cpu", "8")?, Resources::new(), Tick(1));
//! # let cluster = |name: &str| ClusterInfo::new(Cluster::new(name)).capacity(room.clone());
//! # let fleet = FleetView::new(["blue", "green"].map(cluster))?;
//! # let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
//! # planner.set(Workload::new("shop/web", [Target::replicas(4)]).needs(Resources::new().with("cpu", "1")?));
//! # planner.decide(&Facts::none(), Tick(2));
//! planner.replace(Replacement::new("blue", "green").surge(2).soak(Millis::from_mins(30)))?;
//! let round = planner.decide(&Facts::none(), Tick(3));
//!
//! assert_eq!(round["shop/web"].placement.active(), [("blue", 2), ("green", 2)].into());
//! assert!(planner.take_back("blue", Tick(4)));
//! assert_eq!(planner.table().placement(&"shop/web".into()).active(), [("blue", 4)].into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Try a what-if
//!
//! The same decision on a changed copy: lose a cluster, add one, drain one, or another workload.
//!
//! ```
//! # use fleet_core::{Capacity, Cluster, Resources, Tick};
//! # use fleet_scheduler::*;
//! # let room = Capacity::new(Resources::new().with("cpu", "8")?, Resources::new(), Tick(1));
//! # let cluster = |name: &str| ClusterInfo::new(Cluster::new(name)).capacity(room.clone());
//! # let fleet = FleetView::new(["eu-1", "us-1"].map(cluster))?;
//! # let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
//! # planner.set(Workload::new("shop/web", [Target::replicas(6)]).needs(Resources::new().with("cpu", "1")?));
//! # planner.decide(&Facts::none(), Tick(2));
//! let changes = [WhatIf::Drain("eu-1".into()), WhatIf::With(cluster("us-2"))];
//! let after = planner.what_if(&changes, &Facts::none(), Tick(3))?;
//! assert_eq!(after.round["shop/web"].moves[0].to, "us-1");
//! assert_eq!(planner.table().clusters_of(&"shop/web".into()), [("eu-1", 6)].into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Come from Karmada, kubefed, `KubeAdmiral` or Open Cluster Management
//!
//! Their policies are read as they are and become workloads, which a planner with the [preset](presets)'s scheduler decides on
//! as the original would; [`presets`] says what differs.
//!
//! ```
//! use fleet_core::{Capacity, Cluster, Resources, Tick};
//! use fleet_scheduler::{
//!     ClusterInfo, ClusterSelector, Facts, FleetView, Planner, Scheduler, Workload, divide, presets::{karmada, ocm, rsp},
//! };
//!
//! # let room = Capacity::new(Resources::new().with("cpu", "8")?, Resources::new(), Tick(1));
//! let fleet = FleetView::new(["one", "two"].map(|name| ClusterInfo::new(Cluster::new(name)).capacity(room.clone())))?;
//! let decide = |scheduler: Scheduler, workload: Workload| {
//!     let mut planner = Planner::new(scheduler, fleet.clone(), Default::default());
//!     let name = workload.name.to_string();
//!     planner.set(workload);
//!     let placement = planner.decide(&Facts::none(), Tick(2))[&name].placement.clone();
//!     placement.active().into_iter().map(|(cluster, count)| (cluster.to_owned(), count)).collect::<Vec<_>>()
//! };
//! let (one, two) = ("one".to_owned(), "two".to_owned());
//!
//! // Karmada: `spec.placement` of a PropagationPolicy.
//! let policy: karmada::Placement = serde_json::from_str(r#"{"replicaScheduling": {
//!     "replicaSchedulingType": "Divided", "replicaDivisionPreference": "Weighted",
//!     "weightPreference": {"staticWeightList": [
//!         {"targetCluster": {"clusterNames": ["one"]}, "weight": 1},
//!         {"targetCluster": {"clusterNames": ["two"]}, "weight": 2}
//!     ]}
//! }}"#)?;
//! assert_eq!(decide(karmada::scheduler(), policy.workload("shop/web", 3)?), [(one.clone(), 1), (two.clone(), 2)]);
//!
//! // kubefed: `spec` of a ReplicaSchedulingPreference.
//! let policy: rsp::ReplicaSchedulingPreference = serde_json::from_str(r#"{
//!     "targetKind": "FederatedDeployment", "totalReplicas": 3,
//!     "clusters": {"one": {"weight": 1}, "two": {"weight": 2}}
//! }"#)?;
//! let kubefed = rsp::scheduler(divide::planner::Planner::Kubefed { rebalance: policy.rebalance });
//! assert_eq!(decide(kubefed, policy.workload("shop/web")), [(one.clone(), 1), (two.clone(), 2)]);
//!
//! // KubeAdmiral: `spec` of a PropagationPolicy.
//! let policy: rsp::PropagationPolicy = serde_json::from_str(r#"{
//!     "schedulingMode": "Divide",
//!     "placement": [
//!         {"cluster": "one", "preferences": {"weight": 1}},
//!         {"cluster": "two", "preferences": {"weight": 2}}
//!     ]
//! }"#)?;
//! assert_eq!(decide(rsp::scheduler(policy.planner()), policy.workload("shop/web", 3)?), [(one, 1), (two.clone(), 2)]);
//!
//! // Open Cluster Management: a Placement, here for one cluster of those that it means.
//! let policy = ocm::Placement::new().clusters(1).predicate(ClusterSelector::named(["two"]));
//! assert_eq!(decide(policy.scheduler(), policy.workload("shop/web")), [(two, 1)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Ask somebody else how much fits
//!
//! What nodes offer is not all there is to know: quotas, licences, what a cloud still sells. An [`Estimator`] says how many
//! more replicas fit; the least of all answers counts, one that does not know is passed over, and two decisions do not spend
//! one answer twice. [`Estimates`] keeps what was fetched.
//!
//! # Write parts of your own
//!
//! [`guide`] goes through filter, scorer, selector, divider, estimator, rebalancer and gate, what each promises, and how a
//! test shows that yours keeps it (feature `conformance`). `examples/custom-policy` in the repository is a whole policy, to be
//! copied: GPU batch jobs on the cheapest idle cluster, with a score for carbon.
//!
//! # Only the arithmetic
//!
//! [`divide`] has the methods that divide replicas, [`flow`] minimum cost flow, [`solve`] a search that places several
//! workloads at once: each is of use alone.
//!
//! # Features
//!
//! - `conformance`: suites for parts and for whole schedulers (module `conformance`).
//! - `testing`: lets tests switch single guards off ([`Switches`]). Enabling it changes nothing by itself.
#![warn(clippy::unwrap_used)]

#[cfg(feature = "conformance")]
pub mod conformance;
mod decision;
pub mod divide;
mod explain;
mod file;
mod filter;
pub mod flow;
pub mod guide;
mod model;
mod moves;
mod pipeline;
mod planner;
pub mod presets;
mod room;
mod schedule;
mod score;
pub mod solve;
mod switches;
mod table;

pub use decision::*;
pub use explain::{
    Change, ClusterExplanation, Explanation, Refusal, Score, TargetExplanation, WhatIf, WhatIfRound,
    render_cluster, render_explanation,
};
pub use file::{
    ClusterFile, InvalidClusterFile, InvalidMoment, InvalidSpan, WrittenBudgets, WrittenCalm, WrittenCluster,
    WrittenData, WrittenRate, WrittenScore, moment, span,
};
pub use filter::*;
pub use model::*;
pub use moves::{
    Budgets, Calm, Cause, Consent, Move, MoveGate, MoveLog, Rate, Rebalancer, StayPut, Step, StormBreaker,
    Worth,
};
pub use pipeline::*;
pub use planner::{
    Facts, Happened, InvalidReplacement, Planner, PlannerOptions, Replacement, ReplacementState, Round,
};
pub use room::{Failure, Needs, Room};
pub use schedule::{AsAsked, BestFirst, BySpread, EveryCluster, Scheduler, SchedulerBuilder};
pub use score::*;
pub use switches::Switches;
pub use table::PlacementTable;
