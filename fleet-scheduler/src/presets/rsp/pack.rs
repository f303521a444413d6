//! Clusters that are filled one after the other.

use crate::divide::Party;

/// What each party gets and what it is asked for besides, by index.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Packed {
    /// Replicas that are expected to run.
    pub planned: Vec<u64>,
    /// Replicas asked of each beyond that.
    pub overflow: Vec<u64>,
}

/// `KubeAdmiral`'s packing (`PreferenceBinPack`): minimums first, then all that is left to each party in the order
/// given, as far as its maximum, its limit and its estimated capacity go. Weights and what runs are ignored.
pub fn bin_pack(parties: &[Party<'_>], replicas: u64) -> Packed {
    let mut packed = Packed {
        planned: vec![0; parties.len()],
        overflow: vec![0; parties.len()],
    };
    let mut rest = replicas;
    let within = |count: u64, most: Option<u64>| most.map_or(count, |most| count.min(most));
    for is_minimum in [true, false] {
        for (at, party) in parties.iter().enumerate() {
            let start = packed.planned[at];
            let wanted = match is_minimum {
                true => party.min.min(rest),
                false => within(start.saturating_add(rest), party.max),
            };
            let allowed = within(wanted, party.limit);
            let planned = within(allowed, party.capacity).max(start);
            let over = allowed.saturating_sub(planned);
            packed.overflow[at] = packed.overflow[at].max(over);
            packed.planned[at] = planned;
            rest -= (planned - start).min(rest);
        }
    }
    packed
}
