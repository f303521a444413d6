//! Carries out what was found for several workloads at once.

use fleet_core::Tick;

use super::{
    super::{Job, Planner, better::Better, carry::start, leave::end},
    Together,
    part::Part,
    problem::Plan,
};
use crate::{
    model::{Slot, WorkloadId},
    moves::{Cause, Move},
};

/// Units of one part that go from one cluster to another.
#[derive(Clone, Copy)]
struct Shift<'a> {
    part: &'a Part,
    /// None: they had no place.
    from: Option<Slot>,
    /// None: others get their place.
    to: Option<Slot>,
    units: u64,
    /// They run where they are.
    runs: bool,
}

impl Planner {
    /// Carries a plan out: at once what does not run yet, and what may stop before it starts, if all of that finds room;
    /// then what runs, as far as there is room for both. The rest follows once that has gone.
    pub(super) fn carry_out_together(&mut self, plan: &Plan, after: &[Vec<u64>], now: Tick) -> Together {
        let cause = match plan.gives_places(after) {
            true => Cause::Room,
            false => Cause::Better,
        };
        let rows = plan.parts.iter().zip(after);
        let shifts: Vec<Shift<'_>> = rows
            .flat_map(|(part, row)| shifts(part, row, &plan.slots))
            .collect();
        let (at_once, later): (Vec<_>, Vec<_>) = shifts
            .into_iter()
            .partition(|shift| !shift.runs || self.may_stop_first(shift.part));
        let mut together = Together::default();
        if let Some(moves) = self.shift_at_once(&at_once, cause, now) {
            together
                .changed
                .extend(at_once.iter().map(|shift| shift.part.workload.clone()));
            together.moves.extend(moves);
        }
        let waiting = plan.parts.iter().filter(|part| part.short() > 0);
        let waiting: Vec<WorkloadId> = waiting.map(|part| part.workload.clone()).collect();
        for shift in later {
            if let Some(made) = self.shift_in_turn(&shift, cause, &waiting, now) {
                together.changed.insert(made.workload.clone());
                together.moves.push(made);
            }
        }
        together
    }

    pub(super) fn may_stop_first(&self, part: &Part) -> bool {
        let job = self.jobs.get(&part.workload);
        job.is_some_and(|job| self.stops_first(&job.workload, Cause::Room))
    }

    /// Shifts all of these, or none.
    fn shift_at_once(&mut self, shifts: &[Shift<'_>], cause: Cause, now: Tick) -> Option<Vec<Move>> {
        if shifts.is_empty() {
            return None;
        }
        let before = self.clone();
        let moves = self.try_at_once(shifts, cause, now);
        if moves.is_none() {
            *self = before;
        }
        moves
    }

    fn try_at_once(&mut self, shifts: &[Shift<'_>], cause: Cause, now: Tick) -> Option<Vec<Move>> {
        let mut moves = Vec::new();
        for shift in shifts {
            let Some(from) = shift.from else { continue };
            let job = self.jobs.get(&shift.part.workload)?.clone();
            let name = &job.names[shift.part.target];
            let mut placed = self.placed(shift.part);
            let cluster = self.fleet.at(from).name().to_owned();
            let unit = job.units[shift.part.target];
            end(placed.get_mut(&cluster)?, shift.units.saturating_mul(unit), false);
            placed.retain(|_, one| one.replicas > 0);
            self.begin(&shift.part.workload);
            if shift.runs {
                let made = self.better_move(&job, &shift.better(from, shift.to?), cause, now)?;
                if made.replicas != shift.units.saturating_mul(unit) {
                    return None;
                }
                self.moves.record(made.clone());
                moves.push(made);
            }
            self.place(&shift.part.workload, name, &placed);
        }
        for shift in shifts {
            let Some(to) = shift.to else { continue };
            let job = self.jobs.get(&shift.part.workload)?.clone();
            if self.takes(&job, shift.part, to, now) < shift.units {
                return None;
            }
            self.begin(&shift.part.workload);
            let mut placed = self.placed(shift.part);
            let cluster = self.fleet.at(to).name().to_owned();
            let unit = job.units[shift.part.target];
            start(&mut placed, &cluster, shift.units.saturating_mul(unit), 0, now);
            self.place(&shift.part.workload, &job.names[shift.part.target], &placed);
        }
        Some(moves)
    }

    /// How many more units of a part may come to a cluster now.
    fn takes(&self, job: &Job, part: &Part, slot: Slot, now: Tick) -> u64 {
        let question = self.question(job, part.target, &[], now);
        if self.is_replaced(slot) || !question.takes_more(slot, question.target().groups.first()) {
            return 0;
        }
        let placed = self.placed(part);
        let there = placed.get(self.fleet.at(slot).name());
        let there = there.map_or(0, |one| one.active() / job.units[part.target]);
        let most = question.shares().at(slot).max.saturating_sub(there);
        question.fits(slot).min(most)
    }

    /// Shifts as many as there is room for beside those that go.
    fn shift_in_turn(
        &mut self,
        shift: &Shift<'_>,
        cause: Cause,
        waiting: &[WorkloadId],
        now: Tick,
    ) -> Option<Move> {
        let job = self.jobs.get(&shift.part.workload)?.clone();
        let (from, to) = (shift.from?, shift.to?);
        // Shifts before this one may have taken the room, or keep it away.
        let units = shift.units.min(self.takes(&job, shift.part, to, now));
        let one = Shift { units, ..*shift }.better(from, to);
        let made = self.move_better(&job, &one, cause, now)?;
        if cause == Cause::Room {
            self.made_room.insert((one.workload, from), waiting.to_vec());
        }
        Some(made)
    }
}

impl Shift<'_> {
    fn better(&self, from: Slot, to: Slot) -> Better {
        Better::some_of(&self.part.workload, self.part.target, from, to, self.units)
    }
}

/// From where to where: what does not run yet before what does, and then what has no place yet.
fn shifts<'a>(part: &'a Part, after: &[u64], slots: &[Slot]) -> Vec<Shift<'a>> {
    let (mut waiting, mut running) = (Vec::new(), Vec::new());
    let (mut more, mut new) = (Vec::new(), Vec::new());
    for (slot, after) in slots.iter().zip(after) {
        let (now, ran) = (part.at(*slot), part.ran_at(*slot));
        let less = now.saturating_sub(*after);
        waiting.push((*slot, less.min(now - ran)));
        running.push((*slot, less.saturating_sub(now - ran)));
        more.push((*slot, after.saturating_sub(now)));
        new.push((*slot, (*after).min(now).saturating_sub(ran)));
    }
    let mut shifts = Vec::new();
    pair(&mut waiting, &mut more, |from, to, units| {
        shifts.push((Some(from), Some(to), units, false));
    });
    shifts.extend(
        waiting
            .into_iter()
            .map(|(from, units)| (Some(from), None, units, false)),
    );
    pair(&mut running, &mut more, |from, to, units| {
        shifts.push((Some(from), Some(to), units, true));
    });
    // What runs keeps its place: it moves to where others would have come that have none now.
    pair(&mut running, &mut new, |from, to, units| {
        shifts.push((Some(to), None, units, false));
        shifts.push((Some(from), Some(to), units, true));
    });
    if part.is_direct {
        shifts.extend(more.into_iter().map(|(to, units)| (None, Some(to), units, false)));
    }
    let is_something = |(_, _, units, _): &(Option<Slot>, Option<Slot>, u64, bool)| *units > 0;
    let shift = |(from, to, units, runs)| Shift {
        part,
        from,
        to,
        units,
        runs,
    };
    shifts.into_iter().filter(is_something).map(shift).collect()
}

/// Takes units off both lists, as many as are in both, and tells from where to where.
fn pair(from: &mut [(Slot, u64)], to: &mut [(Slot, u64)], mut tell: impl FnMut(Slot, Slot, u64)) {
    for (from, rest) in from {
        for (to, room) in &mut *to {
            let units = (*rest).min(*room);
            (*rest, *room) = (*rest - units, *room - units);
            if units > 0 {
                tell(*from, *to, units);
            }
        }
    }
}
