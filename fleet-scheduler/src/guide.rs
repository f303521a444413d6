//! How to write parts of your own.
//!
//! A [`Scheduler`](crate::Scheduler) is made of parts, and each can be yours:
//!
//! | part | says | comes with | in [`SchedulerBuilder`](crate::SchedulerBuilder) |
//! |---|---|---|---|
//! | [`Filter`](crate::Filter) | which clusters a workload cannot be on, and why | [`InService`](crate::InService), [`Taints`](crate::Taints), [`Kinds`](crate::Kinds), [`DataLocality`](crate::DataLocality), [`Relations`](crate::Relations); [`filter_fn`](crate::filter_fn) | `filter` |
//! | [`Scorer`](crate::Scorer) | how good a cluster is | [`Cost`](crate::Cost), [`LeastFull`](crate::LeastFull), [`External`](crate::External) and others; [`scorer_fn`](crate::scorer_fn) | `scorer` |
//! | [`Estimator`](crate::Estimator) | how many more replicas fit, by what is known elsewhere | [`Estimates`](crate::Estimates); [`estimator_fn`](crate::estimator_fn) | `estimator` |
//! | [`Selector`](crate::Selector) | which clusters get a share | [`BySpread`](crate::BySpread), [`EveryCluster`](crate::EveryCluster) | `selector` |
//! | [`Divider`](crate::Divider) | how many each gets | [`AsAsked`](crate::AsAsked), [`BestFirst`](crate::BestFirst) | `divider` |
//! | [`Rebalancer`](crate::Rebalancer) | what a place is worth for what runs already | [`Worth`](crate::Worth), [`StayPut`](crate::StayPut) | `rebalancer` |
//! | [`MoveGate`](crate::MoveGate) | whether a move may take its next step | none: every move goes on; closures | `gate` |
//!
//! What a target means and whether there is room is asked by every scheduler; no part can take that away.
//!
//! Four wrappers go around any part they make sense for: [`OnlyWhen`](crate::OnlyWhen) asks it about some workloads only,
//! [`Named`](crate::Named) calls it otherwise, [`Recorded`](crate::Recorded) writes down what it says, and
//! [`AtMost`](crate::AtMost) keeps a divider from giving one cluster too much.
//!
//! Who comes from another system finds its parts made already: [`presets`](crate::presets).
//!
//! # What holds for all parts
//!
//! - **Pure.** No clock (the moment is in the question), no randomness, no I/O, no state that answers depend on. What must be
//!   fetched is fetched before, and put into the fleet: labels, properties and costs of clusters,
//!   [`FleetView::score`](crate::FleetView::score), [`FleetView::data`](crate::FleetView::data),
//!   [`Estimates`](crate::Estimates).
//! - **Integers.** Floating point differs between machines and orders of adding. Count in the smallest unit, and use
//!   operations that saturate or check: numbers come from files that people write.
//! - **No order.** An answer depends on what a cluster is, not on where it is listed. Ties are broken after you, by name.
//! - **Reasons.** What is refused has a code in kebab-case for programs, and a sentence for people.
//!
//! # A filter
//!
//! ```
//! use fleet_core::Reason;
//! use fleet_scheduler::{Basis, Candidate, Filter, Key, Pass, Target, Workload};
//!
//! /// What needs GPUs runs only where at least half of them are idle.
//! struct IdleGpus;
//!
//! const GPU: &str = "nvidia.com/gpu";
//!
//! impl Filter for IdleGpus {
//!     fn name(&self) -> &str {
//!         "idle-gpus"
//!     }
//!
//!     fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
//!         // What is there stays: it is itself what keeps the GPUs busy.
//!         if candidate.workload.needs.get(GPU) == 0 || candidate.current > 0 {
//!             return Ok(Pass::Always);
//!         }
//!         let Some(capacity) = &candidate.cluster.capacity else {
//!             return Err(Reason::new("gpus-unknown", "how many GPUs it has is not known"));
//!         };
//!         let (all, busy) = (capacity.allocatable.get(GPU), capacity.requested.get(GPU));
//!         match busy <= all / 2 {
//!             true => Ok(Pass::Always),
//!             false => Err(Reason::new("gpus-busy", format!("{busy} of its {all} GPUs are in use")).with("busy", busy)),
//!         }
//!     }
//!
//!     // It looks at the cluster alone, and of the workload only at whether it needs GPUs: all that do share one answer.
//!     fn basis(&self, workload: &Workload, _: &Target) -> Basis {
//!         match workload.needs.get(GPU) {
//!             0 => Basis::Nothing,
//!             _ => Basis::Cluster(Key::of("idle-gpus")),
//!         }
//!     }
//! }
//! ```
//!
//! - Look at [`current`](crate::Candidate::current): a filter that refuses what is there makes it move.
//! - An answer that ends says so by [`Pass::Until`](crate::Pass::Until): then it is asked again, and not before. A
//!   [`Pass::Always`](crate::Pass::Always) must hold until something changes.
//! - [`basis`](crate::Filter::basis) is what makes a hundred thousand decisions quick. Say
//!   [`Basis::Cluster`](crate::Basis::Cluster) where placements, room and time play no part, and put into the key all that you
//!   look at in workload and target. If in doubt leave it out: [`Basis::Anything`](crate::Basis::Anything) is never wrong.
//! - [`passes`](crate::Filter::passes) is for filters that know the answer sooner than its reason.
//!
//! # A scorer
//!
//! ```
//! use fleet_scheduler::{Basis, Candidate, Scorer, Target, Workload};
//!
//! /// Little carbon is good: grams for a kilowatt-hour, as somebody measures them by the hour.
//! struct Carbon;
//!
//! impl Scorer for Carbon {
//!     fn name(&self) -> &str {
//!         "carbon"
//!     }
//!
//!     fn score(&self, candidate: &Candidate<'_>) -> i64 {
//!         let (fleet, name) = (candidate.fleet, candidate.cluster.name());
//!         // What was not said, or is out of date, counts as coal.
//!         fleet.external_score("grams-of-carbon", name, candidate.now).unwrap_or(1_000).saturating_neg()
//!     }
//!
//!     // Scores expire, so time plays a part.
//!     fn basis(&self, _: &Workload, _: &Target) -> Basis {
//!         Basis::Anything
//!     }
//! }
//! ```
//!
//! - The unit is yours: [`normalise`](crate::Scorer::normalise) brings the scores of one decision to one scale
//!   ([`min_max`](crate::min_max)), and only then are they weighed.
//! - A score cannot keep a workload away from a cluster. What must not be is a filter's.
//!
//! # An estimator
//!
//! ```
//! use fleet_core::Tick;
//! use fleet_scheduler::{Estimate, Estimates, Facts, FleetView, Planner, PlannerOptions, Scheduler};
//!
//! let quota = Estimates::new("gpu-quota");
//! let scheduler = Scheduler::builder().estimator(quota.clone()).build();
//! let mut planner = Planner::new(scheduler, FleetView::default(), PlannerOptions::default());
//!
//! // Beside the planner, whoever asks the cloud writes down what it says, and when it said so.
//! quota.set("ml/train", "eu-1", Estimate::new(4, Tick(1_750_000_000_000)));
//! planner.ask_estimators();
//! planner.decide(&Facts::none(), Tick(1_750_000_001_000));
//! ```
//!
//! Never fetch in [`estimate`](crate::Estimator::estimate): it is asked about each cluster of each decision. A source that is
//! down is `None`, and holds nothing up.
//!
//! # A selector, a divider
//!
//! Most dividers are another one with something said before or after. This one keeps what belongs together in one place:
//!
//! ```
//! use fleet_scheduler::{AsAsked, Divider, Limit, Ranked, Selected, Units, Wish};
//!
//! /// What runs to its end is not divided: all of it on the best cluster that holds all, or nothing.
//! struct Together;
//!
//! impl Divider for Together {
//!     fn name(&self) -> &str {
//!         "together"
//!     }
//!
//!     fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
//!         if !wish.workload.completes {
//!             return AsAsked.grow(wish, selected);
//!         }
//!         // What is there stays, so only the cluster it is on can take more.
//!         let is_used = selected.clusters.iter().any(|one| one.current > 0);
//!         let there = selected.clusters.iter().map(|one| one.current).fold(0, u64::saturating_add);
//!         let can = |one: &&Ranked| one.holds() >= wish.wanted && (!is_used || one.current == there);
//!         let one = selected.clusters.iter().find(can).ok_or(Limit::Room)?;
//!         Ok(Units::of([(one.slot, wish.wanted)]))
//!     }
//!
//!     fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
//!         AsAsked.shrink(wish, ranked)
//!     }
//! }
//! ```
//!
//! - What is there stays: growing takes from nobody, shrinking only takes away. Moving is not a divider's.
//! - No cluster gets more than it [holds](crate::Ranked::holds). What has no place is said, with the [`Limit`](crate::Limit)
//!   that keeps it away; or none is divided, and the limit is the error.
//! - Clusters come best first. A selector keeps that order, and keeps clusters that are in use.
//!
//! # A rebalancer
//!
//! ```
//! use fleet_scheduler::{Candidate, Rebalancer, cost_of};
//!
//! /// Money alone counts.
//! struct Money;
//!
//! impl Rebalancer for Money {
//!     fn worth(&self, candidate: &Candidate<'_>, _load: i64) -> i64 {
//!         cost_of(candidate.cluster, &candidate.workload.needs).saturating_neg()
//!     }
//! }
//! ```
//!
//! The unit is that of costs and of [`MovePolicy::price`](crate::MovePolicy::price): a move must gain more than its price. A
//! place must not be worth more for being full, nor less once the workload is there, or things would go round in circles.
//!
//! # A gate
//!
//! A gate is asked before the new copy is started, once it is healthy, and before the old one goes
//! ([`Step`](crate::Step)); it answers from what it knows: go, wait for this, or not at all. It is asked again with every
//! decision, so it needs no memory: what it waits for may show in DNS, in a load balancer, or in a ticket. The end of a move
//! may not be known ([`Move::to`](crate::Move::to)).
//!
//! # See that it keeps its promises
//!
//! With the feature `conformance`, a test asks your part about fleets and workloads that are drawn from a seed, ordinary and
//! hostile ones, and tells which promises it breaks:
//!
//! ```
//! # #[cfg(feature = "conformance")] {
//! # use fleet_scheduler::Taints as IdleGpus;
//! use fleet_scheduler::conformance::Suite;
//!
//! let violations = Suite::default().filter(&IdleGpus);
//! assert!(violations.is_empty(), "{violations:#?}");
//! # }
//! ```
//!
//! There is one for each part, gates among them, and `Suite::scheduler` for all of them together: whether deciding again changes nothing,
//! whether an unusable cluster changes nothing, whether rebalancing comes to an end. Tell the suite of labels, properties,
//! scores and resources that your part looks at, so that they are drawn.
