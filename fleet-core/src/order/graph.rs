//! A graph as two arrays.

use std::ops::Range;

use super::cause::Cause;

/// Of a node: objects come first, in the order of their keys, then hubs. A hub stands for many objects that others wait
/// for together, so that there are no more arrows than there are names and labels in the objects.
pub(super) type At = u32;

/// Where an arrow leads, and why: none from an object to a hub, and from hub to hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) to: At,
    pub(super) cause: Option<Cause>,
}

/// Arrows by the node they begin at.
pub(super) struct Graph {
    starts: Box<[u32]>,
    arrows: Box<[Arrow]>,
}

impl Graph {
    /// Of arrows in any order. Between two nodes the first cause is kept.
    pub(super) fn new(nodes: usize, mut arrows: Vec<(At, Arrow)>) -> Self {
        arrows.sort_unstable();
        arrows.dedup_by(|later, first| (later.0, later.1.to) == (first.0, first.1.to));
        let mut starts = vec![0; nodes + 1];
        for (from, _) in &arrows {
            starts[*from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        Self {
            starts: starts.into(),
            arrows: arrows.into_iter().map(|(_, arrow)| arrow).collect(),
        }
    }

    pub(super) fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many arrows.
    pub(super) fn len(&self) -> usize {
        self.arrows.len()
    }

    /// Where the arrows of a node are among all.
    pub(super) fn range(&self, node: At) -> Range<usize> {
        self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize
    }

    pub(super) fn of(&self, node: At) -> &[Arrow] {
        &self.arrows[self.range(node)]
    }

    pub(super) fn arrow(&self, at: usize) -> Arrow {
        self.arrows[at]
    }

    /// All arrows with where they begin.
    pub(super) fn all(&self) -> impl Iterator<Item = (At, Arrow)> {
        let nodes = 0..At::try_from(self.nodes()).unwrap_or(At::MAX);
        nodes.flat_map(|node| self.of(node).iter().map(move |arrow| (node, *arrow)))
    }

    /// Only the arrows that are kept.
    pub(super) fn only(&self, kept: &[bool]) -> Self {
        let arrows = self.all().zip(kept).filter(|(_, kept)| **kept);
        Self::new(self.nodes(), arrows.map(|(arrow, _)| arrow).collect())
    }

    /// Every arrow the other way round.
    pub(super) fn reversed(&self) -> Self {
        let turned = self
            .all()
            .map(|(from, Arrow { to, cause })| (to, Arrow { to: from, cause }));
        Self::new(self.nodes(), turned.collect())
    }
}
