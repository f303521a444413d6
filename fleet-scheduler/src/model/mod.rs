//! What the scheduler is told: clusters, workloads, and what was decided before.

mod cluster;
mod fleet;
mod placement;
mod selector;
mod target;
mod toleration;
mod workload;

pub use cluster::ClusterInfo;
pub(crate) use fleet::Column;
pub use fleet::{ExternalScore, FleetView, InvalidFleet, Slot};
pub use placement::{Assignment, InvalidPlacement, Placement, Placements};
pub use selector::{ClusterSelector, Fact, InvalidRequirement, Operator, Requirement};
pub use target::{Bound, Clusters, DivideBy, InvalidTarget, Spread, Take, Target};
pub use toleration::{Tolerated, Toleration, tolerated};
pub use workload::{
    Data, LostPolicy, MovePolicy, Nature, Preference, Relation, Survives, Workload, WorkloadId,
};
