//! What a divider promises.

use std::collections::BTreeMap;

use super::{
    Findings, Suite, Violation,
    shares::{Case, numbered},
    sketch::World,
};
use crate::{
    decision::Limit,
    divide::MAX_REPLICAS,
    model::Slot,
    pipeline::{Divider, Ranked, Selected, Selector, Units},
    schedule::BySpread,
};

impl Suite {
    /// Runs the suite for a divider.
    ///
    /// The promises:
    /// - `named`, `no-panic`, `deterministic`: as for a [filter](Self::filter).
    /// - `order`: the answer does not depend on the clusters' places in the fleet; their order may break ties.
    /// - `only-selected`: only clusters it was given get units.
    /// - `in-order`: each cluster once, in the order of their places, and none with 0.
    /// - `within-room`: no cluster gets more than it holds.
    /// - `within-wish`: all together no more than is asked for.
    /// - `what-is-there-stays`: growing takes nothing from any cluster.
    /// - `shrink-only-removes`: shrinking gives nothing to any cluster, and removes no more than is too much.
    /// - `shortfall`: what is missing is said, to the unit, together with what keeps it away.
    /// - `room-is-used`: room keeps units away only where there is none left.
    pub fn divider(&self, divider: &dyn Divider) -> Vec<Violation> {
        let mut found = Findings::default();
        found.name(divider.name());
        for (sketch, mut dice, is_hostile) in self.sketches() {
            let (world, shifted) = (sketch.world(false), sketch.shifted().world(false));
            for case in Case::all(&world, &mut dice, is_hostile) {
                if found.is_over() {
                    return found.into_violations();
                }
                let there = case.there();
                let most = case.holds().saturating_sub(there).saturating_add(4);
                let more = there.saturating_add(1 + dice.number(most.min(MAX_REPLICAS)));
                let run = Run {
                    divider,
                    case: &case,
                    shifted: self.is_renaming.then_some(&shifted),
                    world: &world,
                };
                run.grow(more.min(MAX_REPLICAS), &mut found);
                if there > 0 {
                    run.shrink(dice.number(there - 1), &mut found);
                }
            }
        }
        found.into_violations()
    }
}

struct Run<'a> {
    divider: &'a dyn Divider,
    case: &'a Case,
    world: &'a World,
    /// The same with clusters at other places, where names do not matter.
    shifted: Option<&'a World>,
}

impl Run<'_> {
    fn grow(&self, wanted: u64, found: &mut Findings) {
        let say = || format!("grow to {}", self.case.say(self.world, wanted));
        let selected = |world: &World| {
            let (wish, ranked) = (self.case.wish(world, wanted), self.case.ranked(world));
            BySpread.select(&wish, &ranked)
        };
        let Ok(given) = selected(self.world) else { return };
        let ask = |world: &World, given: &Selected, found: &mut Findings| {
            let wish = self.case.wish(world, wanted);
            found.ask(say, || self.divider.grow(&wish, given))
        };
        let Some(units) = ask(self.world, &given, found) else {
            return;
        };
        let again = ask(self.world, &given, found);
        found.same(&units, again.as_ref(), say);
        if !found.is_deterministic() {
            return;
        }
        if let Some(shifted) = self.shifted
            && let Ok(other) = selected(shifted)
            && let Some(Ok(other)) = ask(shifted, &other, found)
            && let Ok(units) = &units
        {
            self.same(units, &other, shifted, &say, found);
        }
        let Ok(units) = units else { return };
        let seen = || format!("{}: {units:?}", say());
        common(&units, &given.clusters, wanted, &seen, found);
        let stays = |one: &Ranked| units.at(one.slot) >= one.current;
        found.check(given.clusters.iter().all(stays), "what-is-there-stays", seen);
        let is_said =
            units.total().saturating_add(units.short) == wanted && (units.short > 0) == units.limit.is_some();
        found.check(is_said, "shortfall", seen);
        let is_full = |one: &Ranked| units.at(one.slot) >= one.holds().min(MAX_REPLICAS);
        let is_used = units.limit != Some(Limit::Room) || given.clusters.iter().all(is_full);
        found.check(is_used, "room-is-used", seen);
    }

    fn shrink(&self, wanted: u64, found: &mut Findings) {
        let say = || format!("shrink to {}", self.case.say(self.world, wanted));
        let used = |world: &World| {
            let mut ranked = self.case.ranked(world);
            ranked.retain(|one| one.current > 0);
            ranked
        };
        let given = used(self.world);
        let ask = |world: &World, given: &[Ranked], found: &mut Findings| {
            let wish = self.case.wish(world, wanted);
            found.ask(say, || self.divider.shrink(&wish, given))
        };
        let Some(units) = ask(self.world, &given, found) else {
            return;
        };
        let again = ask(self.world, &given, found);
        found.same(&units, again.as_ref(), say);
        if !found.is_deterministic() {
            return;
        }
        if let Some(shifted) = self.shifted
            && let Some(other) = ask(shifted, &used(shifted), found)
        {
            self.same(&units, &other, shifted, &say, found);
        }
        let seen = || format!("{}: {units:?}", say());
        common(&units, &given, wanted, &seen, found);
        let is_less = |one: &Ranked| units.at(one.slot) <= one.current;
        let removes = given.iter().all(is_less) && units.total() == wanted;
        found.check(removes, "shrink-only-removes", seen);
    }

    /// The promise `order`.
    fn same(
        &self,
        units: &Units,
        other: &Units,
        shifted: &World,
        say: &dyn Fn() -> String,
        found: &mut Findings,
    ) {
        let by_number = |world: &World, units: &Units| -> BTreeMap<usize, u64> {
            numbered(world, units.units.iter().copied()).into_iter().collect()
        };
        let (one, two) = (by_number(self.world, units), by_number(shifted, other));
        found.check(one == two && units.short == other.short, "order", || {
            format!("{}: {one:?}, with clusters at other places {two:?}", say())
        });
    }
}

/// What holds for growing and for shrinking.
fn common(units: &Units, given: &[Ranked], wanted: u64, seen: &dyn Fn() -> String, found: &mut Findings) {
    let slots: Vec<Slot> = units.units.iter().map(|(slot, _)| *slot).collect();
    let held: BTreeMap<Slot, u64> = given.iter().map(|one| (one.slot, one.holds())).collect();
    let is_given = slots.iter().all(|slot| held.contains_key(slot));
    found.check(is_given, "only-selected", seen);
    let is_in_order = slots.is_sorted_by(|one, next| one < next);
    let has_some = units.units.iter().all(|(_, units)| *units > 0);
    found.check(is_in_order && has_some, "in-order", seen);
    let fits = |(slot, units): &(Slot, u64)| held.get(slot).is_none_or(|holds| units <= holds);
    found.check(units.units.iter().all(fits), "within-room", seen);
    found.check(units.total() <= wanted, "within-wish", seen);
}
