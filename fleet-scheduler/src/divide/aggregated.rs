//! Bin packing over clusters: as few of them as possible.

use std::cmp::Reverse;

use super::{DivideError, Division, Holder, Limit, Mode, Party, Unmet, party::check};

/// Divides over the fewest clusters that suffice, and fills them one after the other.
///
/// Clusters with a minimum take part in any case. If they do not suffice, the fewest others join them:
/// - [`Mode::Steady`]: clusters that run some take part already, and replicas stay where they run. A removal empties
///   the cluster with the fewest replicas first.
/// - [`Mode::Fresh`]: the smallest number of clusters with enough room. Of all choices of that number, one with the
///   most clusters that run some already, so that as little as possible moves.
///
/// Inside the chosen clusters, what runs and fits stays; additions go to the cluster with the most replicas, then the
/// most room, then the first name, until it is full. The answer is its own answer in both modes. Weights and domains
/// are ignored; maximums and capacities always hold; what fits nowhere is [`Division::shortfall`].
///
/// ```
/// use fleet_scheduler::divide::{Mode, Party, aggregated};
/// let parties = [Party::new("a").capacity(4), Party::new("b").capacity(9), Party::new("c").capacity(5)];
/// assert_eq!(aggregated(&parties, 11, Mode::Fresh)?.replicas, [0, 9, 2]);
/// # Ok::<(), fleet_scheduler::divide::DivideError>(())
/// ```
///
/// # Errors
/// Names that are not unique, a minimum above its maximum, and counts above [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn aggregated(parties: &[Party<'_>], replicas: u64, mode: Mode) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    let mut ceilings: Vec<u64> = parties.iter().map(Party::ceiling).collect();
    let mut least: Vec<u64> = parties
        .iter()
        .zip(&ceilings)
        .map(|(party, most)| party.min.min(*most))
        .collect();
    let mut open: Vec<bool> = least.iter().map(|least| *least > 0).collect();
    if least.iter().sum::<u64>() > replicas {
        // Not even the minimums fit the total: they are all that may be filled.
        ceilings = std::mem::replace(&mut least, vec![0; parties.len()]);
    }
    let runs = |i: usize| parties[i].current.min(ceilings[i]);
    if mode == Mode::Steady {
        open.iter_mut()
            .enumerate()
            .for_each(|(i, open)| *open |= runs(i) > 0);
    }
    let room: u64 = ceilings
        .iter()
        .zip(&open)
        .filter(|(_, open)| **open)
        .map(|(room, _)| room)
        .sum();
    if room < replicas {
        let closed: Vec<usize> = (0..parties.len())
            .filter(|&i| !open[i] && ceilings[i] > 0)
            .collect();
        fewest(parties, &ceilings, closed, replicas - room)
            .into_iter()
            .for_each(|i| open[i] = true);
    }
    let mut counts: Vec<u64> = (0..parties.len())
        .map(|i| if open[i] { runs(i).max(least[i]) } else { 0 })
        .collect();
    let placed: u64 = counts.iter().sum();
    if placed > replicas {
        take(parties, &mut counts, &least, placed - replicas);
    } else {
        fill(parties, &mut counts, &ceilings, &open, replicas - placed);
    }
    let mut division = Division::of(counts);
    division.shortfall = replicas - division.placed();
    division.note_own_limits(parties);
    division.note_unmet_minimums(parties);
    Ok(division)
}

/// The fewest of these with so much room; all, if there is not so much.
fn fewest(parties: &[Party<'_>], room: &[u64], mut among: Vec<usize>, needed: u64) -> Vec<usize> {
    among.sort_unstable_by_key(|&i| (Reverse(room[i]), Reverse(parties[i].current), parties[i].name));
    let sums = |of: &[usize]| -> Vec<u64> {
        let running = of.iter().scan(0, |sum, &i| {
            *sum += room[i];
            Some(*sum)
        });
        std::iter::once(0).chain(running).collect()
    };
    let Some(count) = sums(&among).iter().position(|sum| *sum >= needed) else {
        return among;
    };
    let (running, idle): (Vec<usize>, Vec<usize>) = among.iter().partition(|&&i| parties[i].current > 0);
    let (running_sums, idle_sums) = (sums(&running), sums(&idle));
    let suffices = |kept: &usize| {
        let other = idle_sums.get(count - kept);
        other.is_some_and(|other| running_sums[*kept] + other >= needed)
    };
    match (0..=count.min(running.len())).rev().find(suffices) {
        Some(kept) => running[..kept]
            .iter()
            .chain(&idle[..count - kept])
            .copied()
            .collect(),
        None => among[..count].to_vec(),
    }
}

/// Removes from the smallest first, so that clusters become empty.
fn take(parties: &[Party<'_>], counts: &mut [u64], least: &[u64], mut excess: u64) {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_unstable_by_key(|&i| (counts[i], Reverse(parties[i].name)));
    for i in order {
        let fewer = (counts[i] - least[i]).min(excess);
        counts[i] -= fewer;
        excess -= fewer;
    }
}

/// Adds to the largest first.
fn fill(parties: &[Party<'_>], counts: &mut [u64], ceilings: &[u64], open: &[bool], mut missing: u64) {
    let mut order: Vec<usize> = (0..counts.len()).filter(|&i| open[i]).collect();
    order.sort_unstable_by_key(|&i| (Reverse(counts[i]), Reverse(ceilings[i]), parties[i].name));
    for i in order {
        let more = (ceilings[i] - counts[i]).min(missing);
        counts[i] += more;
        missing -= more;
    }
}

impl Division {
    /// Lists the minimums of clusters that are not reached.
    fn note_unmet_minimums(&mut self, parties: &[Party<'_>]) {
        for (i, party) in parties
            .iter()
            .enumerate()
            .filter(|(i, party)| self.replicas[*i] < party.min)
        {
            let missing = party.min - self.replicas[i];
            let limit = self.limits[i].unwrap_or(Limit::Total);
            self.unmet.push(Unmet {
                holder: Holder::Party(i),
                missing,
                limit,
            });
        }
    }
}
