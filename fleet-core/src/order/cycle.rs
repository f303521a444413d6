//! Circles, and what they hold up.

use std::fmt;

use fleet_diff::ObjectKey;

use super::{
    Order,
    cause::{Cause, Edge},
    declared::OrderFault,
    graph::{At, Graph},
    tangles::{NONE, Tangles},
};
use crate::words::Reason;

/// Most edges of a circle that are told to people.
const TOLD_MAX: usize = 12;

/// Objects that wait for one another, because of what annotations say. Nothing of them is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    members: Vec<ObjectKey>,
    path: Vec<(ObjectKey, Cause)>,
}

impl Cycle {
    /// All objects that wait for one another, in the order of keys. There may be several circles among them.
    pub fn members(&self) -> &[ObjectKey] {
        &self.members
    }

    /// One circle among them, as short as can be with one of its annotations: each edge leads to where the next one
    /// begins, and the last one back to the first.
    pub fn path(&self) -> impl ExactSizeIterator<Item = Edge<'_>> {
        (0..self.path.len()).map(|i| {
            let (from, cause) = &self.path[i];
            let (on, _) = &self.path[(i + 1) % self.path.len()];
            let cause = *cause;
            Edge { from, on, cause }
        })
    }

    /// As a reason: `dependency-cycle`, with every edge behind it.
    pub fn reason(&self) -> Reason {
        let message = format!("it waits for itself: {self}");
        let reason = Reason::new("dependency-cycle", message).with("objects", self.members.len());
        self.path().take(TOLD_MAX).fold(reason, |reason, edge| {
            reason.because(Reason::new("waits-for", edge.to_string()))
        })
    }
}

/// `A is in B, which depends, by its annotation, on A`.
impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, edge) in self.path().take(TOLD_MAX).enumerate() {
            match i {
                0 => write!(f, "{edge}")?,
                _ => write!(f, ", which {} {}", edge.cause.words(), edge.on)?,
            }
        }
        match self.path.len().saturating_sub(TOLD_MAX) {
            0 => Ok(()),
            more => write!(f, ", and so on, {more} more"),
        }
    }
}

/// Why an object cannot be applied at all in this inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Block<'o> {
    /// What its annotations ask for cannot be kept.
    Fault(&'o OrderFault),
    /// It waits for itself.
    Cycle(&'o Cycle),
    /// It waits for something that is blocked.
    Behind {
        /// How: the first edge of the way to it.
        edge: Edge<'o>,
        /// What is blocked by itself at the end of the way: ask [`Order::block`] why.
        culprit: &'o ObjectKey,
    },
}

impl Block<'_> {
    /// As a reason: `bad-order`, `dependency-cycle` or `dependency-blocked`.
    pub fn reason(&self, order: &Order) -> Reason {
        match self {
            Self::Fault(fault) => fault.reason(),
            Self::Cycle(cycle) => cycle.reason(),
            Self::Behind { edge, culprit } => {
                let message = format!(
                    "it {} {}, and {culprit} cannot be applied",
                    edge.cause.words(),
                    edge.on
                );
                let reason = Reason::new("dependency-blocked", message).with("culprit", culprit);
                match order.block(culprit) {
                    Some(block @ (Block::Fault(_) | Block::Cycle(_))) => reason.because(block.reason(order)),
                    _ => reason,
                }
            }
        }
    }
}

/// What a tangle is, in words.
pub(super) fn explain(graph: &Graph, tangles: &Tangles, keys: &[ObjectKey]) -> Vec<Cycle> {
    let mut members: Vec<Vec<At>> = vec![Vec::new(); tangles.count as usize];
    for (node, tangle) in (0..).zip(&tangles.of) {
        if *tangle != NONE {
            members[*tangle as usize].push(node);
        }
    }
    let is_object = |node: &At| (*node as usize) < keys.len();
    let key = |node: At| keys[node as usize].clone();
    let cycles = members.iter().map(|members| {
        let circle = circle(graph, tangles, members).into_iter();
        let objects = circle.filter(|(node, _)| is_object(node));
        let mut path: Vec<(ObjectKey, Cause)> = objects.map(|(node, cause)| (key(node), cause)).collect();
        if !path.is_empty() {
            // The annotation comes first.
            path.rotate_right(1);
        }
        Cycle {
            path,
            members: members.iter().copied().filter(is_object).map(key).collect(),
        }
    });
    cycles.collect()
}

/// A shortest circle through the first arrow of the tangle that somebody wrote down: its nodes, each with the cause of
/// the way to the next object.
fn circle(graph: &Graph, tangles: &Tangles, members: &[At]) -> Vec<(At, Cause)> {
    let inside = |from: At| {
        let arrows = graph.of(from).iter().copied();
        arrows.filter(move |arrow| tangles.both(from, arrow.to).is_some())
    };
    let declared = members.iter().find_map(|from| {
        let mut arrows = inside(*from);
        let is_declared = |cause: Cause| cause.weight() == super::cause::Weight::Declared;
        arrows.find_map(|arrow| Some((*from, arrow.to, arrow.cause.filter(|cause| is_declared(*cause))?)))
    });
    let Some((last, first, cause)) = declared else {
        return Vec::new();
    };
    // Breadth first from where it leads to back to where it begins: for each node the one before.
    let place = |node: At| members.binary_search(&node).unwrap_or(0);
    let mut before: Vec<Option<(At, Option<Cause>)>> = vec![None; members.len()];
    let mut queue = std::collections::VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        if node == last {
            break;
        }
        for arrow in inside(node) {
            if arrow.to != first && before[place(arrow.to)].is_none() {
                before[place(arrow.to)] = Some((node, arrow.cause));
                queue.push_back(arrow.to);
            }
        }
    }
    let mut way = vec![(last, Some(cause))];
    let mut at = last;
    while at != first {
        let Some((node, cause)) = before[place(at)] else {
            break;
        };
        way.push((node, cause));
        at = node;
    }
    way.reverse();
    // Of a way over hubs, the arrow that reaches an object says why.
    let mut told = None;
    let mut circle: Vec<(At, Cause)> = Vec::new();
    for (node, cause) in way.iter().rev() {
        told = cause.or(told);
        if let Some(told) = told {
            circle.push((*node, told));
        }
    }
    circle.reverse();
    circle
}
