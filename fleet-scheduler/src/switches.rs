//! Guards that tests can switch off, to see that something notices.

/// The guards of decisions, all on. Settable only under the feature `testing`: a guard is tested by switching it off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a guard of its own")]
#[non_exhaustive]
pub struct Switches {
    /// Where nothing fits, or the input is wrong, what runs stays. Off: it is cleared away.
    pub never_clear: bool,
    /// What goes waits until its stand-ins are healthy and it can be asked. Off: it goes at once.
    pub healthy_first: bool,
    /// What there must never be two of is started elsewhere only when the old one is stopped for sure. Off: it is treated
    /// as anything else.
    pub fencing: bool,
    /// What happens with lost replicas is the workload's choice. Off: they are started elsewhere at once.
    pub lost_policy: bool,
    /// Silence is not loss. Off: what does not answer is taken as lost.
    pub contact: bool,
    /// Nothing is started elsewhere when too much looks lost at once. Off: however much it is.
    pub storm: bool,
    /// What has stand-ins does not count again when its cluster is back. Off: it does.
    pub returning: bool,
    /// No more moves than budgets allow. Off: all at once.
    pub budgets: bool,
    /// What was decided takes its room. Off: only what was observed does.
    pub assumptions: bool,
    /// A better place is worth its price, and some time must pass between two such moves; what is pinned
    /// stays. Off: any gain moves at any time.
    pub hysteresis: bool,
    /// What has run to its end is not started again. Off: it is started wherever it is missing.
    pub completion: bool,
    /// What runs may stay where nothing new could come, and is not divided anew. Off: everything is decided as if nothing
    /// ran.
    pub sticky: bool,
    /// Whoever has no place is looked at again when something becomes free. Off: only when it changes itself.
    pub wakes: bool,
    /// A cluster is replaced a few replicas at a time, and can be taken back for a while. Off: all at once, for good.
    pub replacement: bool,
    /// Others have a say in moves. Off: nobody is asked.
    pub gates: bool,
    /// All reasons are told. Off: the first one.
    pub all_reasons: bool,
    /// Workloads are decided in the order of priorities, dependencies and names. Off: in any.
    pub ordered: bool,
    /// What has no place is told. Off: whatever has found one counts as all that was asked for.
    pub shortfall: bool,
    /// Only what is less important gives way. Off: anything does.
    pub priority: bool,
    /// Room is kept for what a workload must survive. Off: none is.
    pub survives: bool,
    /// What would be better elsewhere is looked for. Off: it stays for good.
    pub rebalance: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            never_clear: true,
            healthy_first: true,
            fencing: true,
            lost_policy: true,
            contact: true,
            storm: true,
            returning: true,
            budgets: true,
            assumptions: true,
            hysteresis: true,
            completion: true,
            sticky: true,
            wakes: true,
            replacement: true,
            gates: true,
            all_reasons: true,
            ordered: true,
            shortfall: true,
            priority: true,
            survives: true,
            rebalance: true,
        }
    }
}
