//! Divides replicas as a target says, by Karmada's methods.

use crate::{
    decision::Limit,
    divide::{self, DivideError, MAX_REPLICAS, Mode, Party, Ties, bounded, karmada, webster_onto},
    model::{DivideBy, Slot, Take},
    pipeline::{Divider, Ranked, Selected, Units, Wish},
    presets::keep::toward,
    schedule::Shares,
};

/// Divides by Karmada's methods: [`DivideBy::Weight`] by static weights, [`DivideBy::Capacity`] by what fits,
/// [`DivideBy::Fewest`] and [`DivideBy::Cost`] aggregated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Division;

impl Divider for Division {
    fn name(&self) -> &'static str {
        "karmada-division"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let by = match &wish.target.take {
            Take::Each { .. } => return Ok(one_each(wish, &selected.clusters)),
            Take::Divided { by, .. } => *by,
        };
        let clusters = by_slot(&selected.clusters);
        let parties = parties(wish, &clusters);
        let ties = Ties::of_uid(&wish.workload.uid);
        let division = match by {
            DivideBy::Weight => return grow_static(wish, &clusters, &parties, ties),
            DivideBy::Capacity => karmada::dynamic_weight(&parties, wish.wanted, Mode::Steady, ties),
            _ => karmada::aggregated(&parties, wish.wanted, Mode::Steady, ties),
        };
        let division = division.map_err(|_| Limit::Room)?;
        Ok(units(&clusters, division.replicas))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        let by = match &wish.target.take {
            Take::Each { .. } => return one_each(wish, ranked),
            Take::Divided { by, .. } => *by,
        };
        let clusters = by_slot(ranked);
        let parties = parties(wish, &clusters);
        let ties = Ties::of_uid(&wish.workload.uid);
        let division = match by {
            DivideBy::Weight => shrink_static(wish, &parties, ties),
            DivideBy::Capacity => karmada::dynamic_weight(&parties, wish.wanted, Mode::Steady, ties),
            _ => karmada::aggregated(&parties, wish.wanted, Mode::Steady, ties),
        };
        let current: Vec<u64> = clusters.iter().map(|one| one.current).collect();
        let counts = match division {
            Ok(division) => toward(&current, &division.replicas, wish.wanted),
            // Counts beyond all measure: nothing is taken.
            Err(_) => current,
        };
        units(&clusters, counts)
    }
}

/// One on each, first where one is, then on the best.
fn one_each(wish: &Wish<'_>, best_first: &[Ranked]) -> Units {
    let (used, unused): (Vec<&Ranked>, Vec<&Ranked>) = best_first.iter().partition(|one| one.current > 0);
    let all = used.into_iter().chain(unused).filter(|one| one.holds() > 0);
    let wanted = usize::try_from(wish.wanted).unwrap_or(usize::MAX);
    let units = Units::of(all.take(wanted).map(|one| (one.slot, 1)));
    let short = wish.wanted.saturating_sub(units.total());
    units.short(short, Limit::Room)
}

/// By weights, whatever fits; what does not fit is short.
fn grow_static(
    wish: &Wish<'_>,
    clusters: &[Ranked],
    parties: &[Party<'_>],
    ties: Ties,
) -> Result<Units, Limit> {
    let division = karmada::static_weight(parties, wish.wanted, ties).map_err(|_| Limit::Room)?;
    let has_enough = |(party, count): (&Party<'_>, &u64)| *count >= party.current;
    let counts = if parties.iter().zip(&division.replicas).all(has_enough) {
        division.replicas
    } else {
        // Some have more than their part, and keep it: only what is added is divided.
        let there = parties.iter().map(|party| party.current).sum::<u64>();
        let added = wish.wanted.saturating_sub(there);
        let weighed = even_if_all_are_zero(parties);
        webster_onto(&weighed, added, ties)
            .map_err(|_| Limit::Room)?
            .replicas
    };
    let fitting = clusters
        .iter()
        .zip(counts)
        .map(|(one, count)| (one.slot, count.min(one.holds())));
    let units = Units::of(fitting);
    let short = wish.wanted.saturating_sub(units.total());
    // What is free, or else what the weights leave for the others.
    let is_full = |one: &Ranked| units.at(one.slot) >= one.holds().min(MAX_REPLICAS);
    let limit = if clusters.iter().all(is_full) {
        Limit::Room
    } else {
        Limit::ClusterMax
    };
    Ok(units.short(short, limit))
}

/// By weights, but no cluster gets more than it has.
fn shrink_static(
    wish: &Wish<'_>,
    parties: &[Party<'_>],
    ties: Ties,
) -> Result<divide::Division, DivideError> {
    let division = karmada::static_weight(parties, wish.wanted, ties)?;
    let has_them = |(party, count): (&Party<'_>, &u64)| *count <= party.current;
    if parties.iter().zip(&division.replicas).all(has_them) {
        return Ok(division);
    }
    let limited: Vec<Party<'_>> = even_if_all_are_zero(parties)
        .into_iter()
        .map(|party| {
            let current = party.current;
            party.capacity(current).current(0)
        })
        .collect();
    bounded(&limited, &divide::Spread::none(), wish.wanted).map(|mut division| {
        // What has no weight keeps what nobody else has.
        for (count, party) in division.replicas.iter_mut().zip(&limited) {
            let more = party
                .capacity
                .unwrap_or(0)
                .saturating_sub(*count)
                .min(division.shortfall);
            *count += more;
            division.shortfall -= more;
        }
        division
    })
}

fn even_if_all_are_zero<'a>(parties: &[Party<'a>]) -> Vec<Party<'a>> {
    let mut weighed = parties.to_vec();
    if weighed.iter().all(|party| party.weight == 0) {
        weighed.iter_mut().for_each(|party| party.weight = 1);
    }
    weighed
}

/// In the order of slots, which is that of names.
fn by_slot(clusters: &[Ranked]) -> Vec<Ranked> {
    let mut clusters = clusters.to_vec();
    clusters.sort_unstable_by_key(|one| one.slot);
    clusters
}

fn parties<'a>(wish: &Wish<'a>, clusters: &[Ranked]) -> Vec<Party<'a>> {
    let shares = Shares::of(wish.fleet, wish.target);
    let party = |one: &Ranked| {
        // Where nothing limits them, nothing is known of a limit.
        let holds = (one.fits != u64::MAX).then(|| one.holds().min(MAX_REPLICAS));
        Party::new(wish.fleet.at(one.slot).name())
            .weight(shares.at(one.slot).weight)
            .capacity(holds)
            .current(one.current.min(MAX_REPLICAS))
    };
    clusters.iter().map(party).collect()
}

fn units(clusters: &[Ranked], counts: impl IntoIterator<Item = u64>) -> Units {
    let slots = clusters.iter().map(|one| one.slot);
    let pairs: Vec<(Slot, u64)> = slots.zip(counts).collect();
    Units::of(pairs)
}
