//! What is ready to be applied.

use std::{collections::BTreeMap, fmt, sync::Arc};

use fleet_diff::ObjectKey;

use super::{
    Order, Walk,
    cause::{Cause, Edge, Needs},
    graph::At,
};

/// How far an object has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Reached {
    /// It is not there, or not as it is defined.
    #[default]
    Nothing,
    /// It is there as it is defined.
    Applied,
    /// It is healthy, too.
    Healthy,
}

impl Reached {
    fn is_enough(self, cause: Cause) -> bool {
        match cause.needs() {
            Needs::Applied => self >= Self::Applied,
            Needs::Healthy => self >= Self::Healthy,
        }
    }
}

/// Whether an object is worth waiting for, while it has not come far enough.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Hope {
    /// It may come on at any time.
    #[default]
    Open,
    /// It may, but by now only what an annotation says is worth waiting for; what is read from objects is a guess.
    Faint,
    /// It does not come on without news. Who waits for it by an annotation is stopped, and nobody else waits.
    Gone,
}

/// What an object may do now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Turn {
    /// It waits for nothing.
    Ready,
    /// It waits for something that may come on.
    Waits,
    /// All that it waits for does not come on.
    Stopped,
}

/// What is ready, as things come about, or are undone. An object that comes further costs as much time as there are
/// objects that name it; the last one of a wave, as many as are in the next.
#[derive(Clone)]
pub struct Progress {
    order: Arc<Order>,
    stands: Vec<(Reached, Hope)>,
    /// For how many each node waits.
    open: Vec<u32>,
    /// How many stop it.
    stopped: Vec<u32>,
}

impl Progress {
    /// Nothing is there yet.
    pub fn new(order: Arc<Order>) -> Self {
        let nodes = 0..At::try_from(order.ahead.nodes()).unwrap_or(At::MAX);
        let open: Vec<u32> = nodes
            .map(|node| u32::try_from(order.ahead.of(node).len()).unwrap_or(u32::MAX))
            .collect();
        let mut progress = Self {
            stands: vec![Default::default(); order.len()],
            stopped: vec![0; open.len()],
            open,
            order,
        };
        // A hub of nothing has come about.
        let objects = At::try_from(progress.order.len()).unwrap_or(At::MAX);
        let hubs = objects..At::try_from(progress.open.len()).unwrap_or(At::MAX);
        let empty: Vec<At> = hubs.filter(|hub| progress.open[*hub as usize] == 0).collect();
        for hub in empty {
            progress.spread(hub, (Turn::Waits, Turn::Ready), &mut BTreeMap::new());
        }
        progress
    }

    /// The order it goes by.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// What is ready and has not been applied.
    pub fn ready(&self) -> impl Iterator<Item = &ObjectKey> {
        let keys = self.order.keys.iter().zip((0..).zip(&self.stands));
        keys.filter(|(_, (at, (reached, _)))| *reached == Reached::Nothing && self.may_go(*at))
            .map(|(key, _)| key)
    }

    /// True when an object waits for nothing, and is not [blocked](Order::block); also of one that is not listed.
    pub fn is_ready(&self, key: &ObjectKey) -> bool {
        self.order.find(key).is_none_or(|at| self.may_go(at))
    }

    /// What an object may do by what it waits for, whether it is [blocked](Order::block) or not.
    pub fn turn(&self, key: &ObjectKey) -> Turn {
        self.order.find(key).map_or(Turn::Ready, |at| self.turn_of(at))
    }

    /// What an object waits for, or is stopped by: the first that is found, in time that grows with how many that may be.
    pub fn first(&self, key: &ObjectKey) -> Option<Edge<'_>> {
        let from = self.order.find(key)?;
        let turn = self.turn_of(from);
        if turn == Turn::Ready {
            return None;
        }
        let (mut node, mut told) = (from, None);
        loop {
            let mut hub = None;
            for arrow in self.order.ahead.of(node) {
                let cause = arrow.cause.or(told);
                if self.is_hub(arrow.to) {
                    if self.turn_of(arrow.to) == turn {
                        hub = hub.or(Some((arrow.to, cause)));
                    }
                } else if cause.is_some_and(|cause| self.stands[arrow.to as usize].turn(cause) == turn) {
                    return cause.map(|cause| self.order.edge(from, arrow.to, cause));
                }
            }
            (node, told) = hub?;
        }
    }

    /// All that an object waits for and that has not come far enough, worth waiting for or not.
    pub fn unmet(&self, key: &ObjectKey) -> impl Iterator<Item = Edge<'_>> {
        let at = self.order.find(key);
        at.into_iter().flat_map(move |from| {
            Walk::new(&self.order.ahead, self.order.len(), from)
                .filter(|(to, cause)| !self.stands[*to as usize].0.is_enough(*cause))
                .map(move |(to, cause)| self.order.edge(from, to, cause))
        })
    }

    /// An object has come so far, or is back there, and may come on or not. Tells whose [turn](Self::turn) changed by
    /// that, blocked objects aside.
    pub fn reach(&mut self, key: &ObjectKey, reached: Reached, hope: Hope) -> Vec<ObjectKey> {
        let Some(at) = self.order.find(key) else {
            return Vec::new();
        };
        let now = (reached, hope);
        let before = std::mem::replace(&mut self.stands[at as usize], now);
        let mut moved = BTreeMap::new();
        let order = self.order.clone();
        for arrow in order.behind.of(at) {
            if let Some(cause) = arrow.cause {
                self.turned(arrow.to, (before.turn(cause), now.turn(cause)), &mut moved);
            }
        }
        let is_other = |(at, before): (At, Turn)| (self.turn_of(at) != before).then_some(at);
        let moved = moved.into_iter().filter_map(is_other);
        let free = moved.filter(|at| !self.order.culprits.contains_key(at));
        free.map(|at| self.order.keys[at as usize].clone()).collect()
    }

    fn may_go(&self, at: At) -> bool {
        self.turn_of(at) == Turn::Ready && !self.order.culprits.contains_key(&at)
    }

    fn is_hub(&self, node: At) -> bool {
        node as usize >= self.stands.len()
    }

    fn turn_of(&self, node: At) -> Turn {
        match (self.open[node as usize], self.stopped[node as usize]) {
            (0, 0) => Turn::Ready,
            (0, _) => Turn::Stopped,
            _ => Turn::Waits,
        }
    }

    /// Something that a node waits for has turned. `moved` gets whose turn may be another, and what it was.
    fn turned(&mut self, node: At, change: (Turn, Turn), moved: &mut BTreeMap<At, Turn>) {
        if let Some(change) = self.count(node, change, moved) {
            self.spread(node, change, moved);
        }
    }

    /// Counts it. For a hub that turned by that, how.
    fn count(
        &mut self,
        node: At,
        (from, to): (Turn, Turn),
        moved: &mut BTreeMap<At, Turn>,
    ) -> Option<(Turn, Turn)> {
        let before = self.turn_of(node);
        match from {
            Turn::Ready => {}
            Turn::Waits => self.open[node as usize] -= 1,
            Turn::Stopped => self.stopped[node as usize] -= 1,
        }
        match to {
            Turn::Ready => {}
            Turn::Waits => self.open[node as usize] += 1,
            Turn::Stopped => self.stopped[node as usize] += 1,
        }
        let after = self.turn_of(node);
        if self.is_hub(node) {
            return (before != after).then_some((before, after));
        }
        moved.entry(node).or_insert(before);
        None
    }

    /// A hub has turned; and with it, maybe, those that wait for it.
    fn spread(&mut self, hub: At, change: (Turn, Turn), moved: &mut BTreeMap<At, Turn>) {
        let order = self.order.clone();
        let mut hubs = vec![(hub, change)];
        while let Some((hub, change)) = hubs.pop() {
            for arrow in order.behind.of(hub) {
                let turned = self.count(arrow.to, change, moved);
                hubs.extend(turned.map(|change| (arrow.to, change)));
            }
        }
    }
}

/// What such an object means for those that wait for it.
trait Stand {
    fn turn(self, cause: Cause) -> Turn;
}

impl Stand for (Reached, Hope) {
    fn turn(self, cause: Cause) -> Turn {
        let (reached, hope) = self;
        if reached.is_enough(cause) {
            return Turn::Ready;
        }
        match (hope, cause.is_declared()) {
            (Hope::Open, _) | (Hope::Faint, true) => Turn::Waits,
            (Hope::Gone, true) => Turn::Stopped,
            (Hope::Faint | Hope::Gone, false) => Turn::Ready,
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let applied = self
            .stands
            .iter()
            .filter(|(reached, _)| *reached >= Reached::Applied);
        write!(
            f,
            "Progress({} of {} applied)",
            applied.count(),
            self.stands.len()
        )
    }
}
