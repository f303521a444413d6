//! Awards of one level: seats go, one by one, to the contender that Webster's rule favours and no limit stops.
//!
//! Every seat that a contender may take is an item, and items have one fixed order: `weight / (2·seats + 1)`
//! descending, then fewer seats, then the contender's place in the list; those without weight come last. A seat needs
//! the contender's seat before it, and with a skew `s` its `j`-th seat needs the `(j - s)`-th of each sibling. Awarding
//! takes the first item in the order whose needs are met; withdrawing undoes awards from the end.
//!
//! So for any point `t` in the order, the items that are before `t` together with all they need are the first ones
//! awarded: while one of them is left, one of them is free, and whatever is free beyond them comes after `t`. Their
//! number is a sum over contenders. That is how the state after a billion awards is found without making them: search
//! the last point whose items fit the total, coarsely among priorities, then exactly among single items.

use std::cmp::Ordering;

use super::Skew;

/// One side that seats are awarded to, or withdrawn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contender {
    /// Below 2^88.
    pub(super) weight: u128,
    /// Seats before. Below 2^57, all together.
    pub(super) start: u64,
    /// Most seats when awarding; fewest when withdrawing.
    pub(super) bound: u64,
    /// Whether siblings must wait for it.
    pub(super) counts: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Up,
    Down,
}

/// Awards seats until there are `total`, or no one may take more. Contenders are in tie order; `total` is at most
/// [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub(super) fn award(contenders: &[Contender], skew: Option<Skew>, total: u64) -> Vec<u64> {
    settle(contenders.to_vec(), skew, total, Way::Up)
}

/// Withdraws seats until there are `total`, or no one may give more. Contenders are in tie order; `total` is at most
/// [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub(super) fn withdraw(contenders: &[Contender], skew: Option<Skew>, total: u64) -> Vec<u64> {
    settle(contenders.to_vec(), skew, total, Way::Down)
}

fn settle(mut contenders: Vec<Contender>, skew: Option<Skew>, total: u64, way: Way) -> Vec<u64> {
    let scale = contenders.iter().map(|c| c.weight).max().unwrap_or(1).max(1);
    // One round is enough without a skew. With one, a single item may free others at once: it is taken alone, and the
    // next round starts behind it. With a hard skew that happens once; with a soft one at most as often as contenders
    // become full.
    loop {
        let search = Search {
            contenders: &contenders,
            skew,
            scale,
            total,
            way,
        };
        let (before, after) = match search.bracket() {
            Bracket::Outside(counts) => return counts,
            Bracket::Between(before, after) => (before, after),
        };
        let items = search.items(&before, &after);
        let with = |taken: usize| {
            let mut wants = before.clone();
            items[..taken].iter().for_each(|&i| wants[i] += 1);
            search.limited(&wants)
        };
        // The most items, first to last, that fit.
        let (mut fits, mut exceeds) = (0, items.len());
        while exceeds - fits > 1 {
            let middle = usize::midpoint(fits, exceeds);
            match sum(&with(middle)) <= total {
                true => fits = middle,
                false => exceeds = middle,
            }
        }
        let mut counts = with(fits);
        if sum(&counts) == total {
            return counts;
        }
        let item = items[exceeds - 1];
        match way {
            Way::Up => counts[item] += 1,
            Way::Down => {
                counts = with(exceeds);
                counts[item] -= 1;
            }
        }
        if sum(&counts) == total {
            return counts;
        }
        contenders
            .iter_mut()
            .zip(&counts)
            .for_each(|(contender, count)| contender.start = *count);
    }
}

/// The search for the state in which `total` seats are taken.
struct Search<'a> {
    contenders: &'a [Contender],
    skew: Option<Skew>,
    /// The largest weight: one step of a [`Point`] is at most one seat of anyone.
    scale: u128,
    total: u64,
    way: Way,
}

/// A point in the order of items: behind all whose priority is above `scale / step`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Point {
    Weighted(u128),
    Weightless(u128),
}

const FIRST: Point = Point::Weighted(0);
const LAST: Point = Point::Weightless(u128::MAX);

enum Bracket {
    /// The total is out of reach; this is the nearest state.
    Outside(Vec<u64>),
    /// Seats that everyone wants at two neighbouring points: up to the first they fit, up to the second they exceed.
    Between(Vec<u64>, Vec<u64>),
}

impl Search<'_> {
    fn bracket(&self) -> Bracket {
        let fits = |point| sum(&self.limited(&self.wants(point))) <= self.total;
        if fits(LAST) {
            return Bracket::Outside(self.limited(&self.wants(LAST)));
        }
        if !fits(FIRST) {
            return Bracket::Outside(self.limited(&self.wants(FIRST)));
        }
        let point: fn(u128) -> Point = if fits(Point::Weighted(u128::MAX)) {
            Point::Weightless
        } else {
            Point::Weighted
        };
        let (mut low, mut high) = (0, 2 * u128::from(self.total) + 2);
        while fits(point(high)) {
            low = high;
            high = high.saturating_mul(4);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match fits(point(middle)) {
                true => low = middle,
                false => high = middle,
            }
        }
        Bracket::Between(self.wants(point(low)), self.wants(point(high)))
    }

    /// Seats each contender has up to a point, by its own bounds. Nobody needs more than one above the total to exceed
    /// it, which keeps counts small.
    fn wants(&self, point: Point) -> Vec<u64> {
        let seats = |contender: &Contender| match (point, contender.weight) {
            (Point::Weighted(_), 0) => 0,
            (Point::Weighted(step), weight) => seats_before(weight, step, self.scale),
            (Point::Weightless(step), 0) => seats_before(1, step, 1),
            (Point::Weightless(_), _) => u64::MAX,
        };
        let bounded = |c: &Contender| match self.way {
            Way::Up => seats(c).min(c.bound).min(self.total + 1).max(c.start),
            Way::Down => seats(c).max(c.bound).min(c.start),
        };
        self.contenders.iter().map(bounded).collect()
    }

    /// What is left of these wants when the skew is held.
    fn limited(&self, wants: &[u64]) -> Vec<u64> {
        let Some(skew) = self.skew else {
            return wants.to_vec();
        };
        let both = || self.contenders.iter().zip(wants);
        match self.way {
            Way::Up => {
                let stops = |c: &Contender, want: u64| c.counts && (skew.full_counts || want < c.bound);
                let least = both()
                    .filter(|(c, want)| stops(c, **want))
                    .map(|(_, want)| *want)
                    .min();
                let most = least.map_or(u64::MAX, |least| least.saturating_add(skew.most));
                both().map(|(c, want)| (*want).min(most).max(c.start)).collect()
            }
            Way::Down => {
                let most = wants.iter().copied().max().unwrap_or(0);
                let least = most.saturating_sub(skew.most);
                both().map(|(c, want)| (*want).max(least).min(c.start)).collect()
            }
        }
    }

    /// The single items between two neighbouring points, first to last: by contender, as no one has two.
    fn items(&self, before: &[u64], after: &[u64]) -> Vec<usize> {
        let mut items: Vec<usize> = (0..before.len()).filter(|&i| after[i] > before[i]).collect();
        items.sort_by(|&a, &b| {
            let key = |i: usize| (self.contenders[i].weight, before[i]);
            prefer(key(a), key(b)).then(a.cmp(&b))
        });
        items
    }
}

/// Whose next seat comes first, of two with a weight and seats: `Less` for the left. `Equal` only where both are equal.
pub(super) fn prefer(left: (u128, u64), right: (u128, u64)) -> Ordering {
    let divisor = |seats: u64| 2 * u128::from(seats) + 1;
    let (l, r) = (left.0 * divisor(right.1), right.0 * divisor(left.1));
    r.cmp(&l).then(left.1.cmp(&right.1))
}

/// How many seats a weight has with `weight / (2·seats + 1)` above `scale / step`: the odd numbers below
/// `weight · step / scale`.
fn seats_before(weight: u128, step: u128, scale: u128) -> u64 {
    let seats = match weight.checked_mul(step) {
        Some(0) => 0,
        Some(product) => ((product - 1) / scale).div_ceil(2),
        None => u128::MAX,
    };
    u64::try_from(seats).unwrap_or(u64::MAX)
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().sum()
}
