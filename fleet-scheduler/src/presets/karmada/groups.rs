//! The best combination of groups.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

/// A group of clusters, such as a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Group<'a> {
    /// Its name, unique among the groups.
    pub name: &'a str,
    /// How much it gives towards what is needed: how many clusters it has.
    pub value: u64,
    /// How good it is.
    pub weight: i64,
}

impl<'a> Group<'a> {
    /// A group that gives so much and is so good.
    pub fn new(name: &'a str, value: u64, weight: i64) -> Self {
        Self { name, value, weight }
    }

    fn by_value(&self, other: &Self) -> Ordering {
        let key = |group: &Self| (group.value, Reverse(group.weight));
        key(self).cmp(&key(other)).then_with(|| self.name.cmp(other.name))
    }

    fn by_weight(&self, other: &Self) -> Ordering {
        (Reverse(self.weight), self.name).cmp(&(Reverse(other.weight), other.name))
    }
}

/// A combination in the making: its weight, its value, and its members by their places, an earlier place first.
type Path = (i128, u128, Reverse<Vec<usize>>);

/// At least `min` and at most `max` groups that give at least `target` together: the names, the best group first. None:
/// there is no such combination.
///
/// The answer is that of Karmada's depth-first search over groups in the order of their values, which ends a path as
/// soon as it suffices: among these paths the one of the largest weight, then of the largest value, then the first
/// found; but where the best groups of that path are such a path, too, the shortest of those. Karmada's search tries
/// all combinations; this one keeps only the best for each number of groups and sum, so its time is polynomial in the
/// number of groups and `target`.
///
/// ```
/// use fleet_scheduler::presets::karmada::{Group, select_groups};
/// let regions = [Group::new("R1", 1, 60), Group::new("R2", 2, 50), Group::new("R3", 3, 40), Group::new("R4", 4, 30)];
/// assert_eq!(select_groups(&regions, 1, 2, 5), Some(vec!["R1", "R4"]));
/// ```
pub fn select_groups<'a>(groups: &[Group<'a>], min: usize, max: usize, target: u64) -> Option<Vec<&'a str>> {
    let mut sorted: Vec<Group<'a>> = groups.to_vec();
    sorted.sort_by(Group::by_value);
    let rule = Rule { min, max, target };
    let mut best = rule.best(&sorted)?;
    best.sort_by(Group::by_weight);
    // The shortest of its beginnings that suffices ends exactly there: without its largest member it would not.
    let mut sum = 0_u64;
    let suffices = |(at, group): (usize, &Group<'a>)| {
        sum = sum.saturating_add(group.value);
        rule.suffices(at + 1, sum)
    };
    let count = best
        .iter()
        .enumerate()
        .map(suffices)
        .position(|suffices| suffices)?
        + 1;
    Some(best[..count].iter().map(|group| group.name).collect())
}

/// What is asked of a combination.
#[derive(Clone, Copy)]
struct Rule {
    min: usize,
    max: usize,
    target: u64,
}

impl Rule {
    /// Whether the search ends a path of so many groups and this sum.
    fn suffices(self, count: usize, sum: u64) -> bool {
        sum >= self.target && count >= self.min && count <= self.max
    }

    /// The best path over groups in the order of values.
    fn best<'a>(self, groups: &[Group<'a>]) -> Option<Vec<Group<'a>>> {
        // A path that suffices at the root has no groups: there is nothing to select.
        if self.suffices(0, 0) {
            return None;
        }
        // The best by number of groups and by sum, counted up to the target: what follows depends on these alone.
        let mut open: BTreeMap<(usize, u64), Path> = BTreeMap::from([((0, 0), Path::default())]);
        let mut best: Option<Path> = None;
        for (place, group) in groups.iter().enumerate() {
            let mut longer = Vec::new();
            for ((count, sum), (weight, value, Reverse(members))) in &open {
                let (count, sum) = (count + 1, sum.saturating_add(group.value).min(self.target));
                if count > self.max {
                    continue;
                }
                let mut members = members.clone();
                members.push(place);
                let path = (
                    weight + i128::from(group.weight),
                    value + u128::from(group.value),
                    Reverse(members),
                );
                if self.suffices(count, sum) {
                    best = best.max(Some(path));
                } else {
                    longer.push(((count, sum), path));
                }
            }
            for (key, path) in longer {
                let known = open.entry(key).or_insert_with(|| path.clone());
                if *known < path {
                    *known = path;
                }
            }
        }
        let (_, _, Reverse(members)) = best?;
        Some(members.into_iter().map(|place| groups[place]).collect())
    }
}
