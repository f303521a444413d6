//! Which arrows hold where they contradict one another.

use super::{
    cause::{Cause, Weight},
    graph::{Arrow, At, Graph},
    tangles::{NONE, Tangles},
};

/// A graph in which only what somebody wrote down leads round in a circle.
pub(super) struct Settled {
    pub(super) graph: Graph,
    /// Arrows that were dropped.
    pub(super) dropped: Vec<(At, At, Cause)>,
    /// What is in a circle.
    pub(super) tangles: Tangles,
}

/// Drops what contradicts itself, the lighter causes first:
///
/// 1. Among what is read from the objects alone, circles hold nothing back: before there was an order such objects were
///    applied in any, and came right. Inside each tangle all arrows of [`Weight::Better`] go, and if that does not undo
///    it, those of [`Weight::Needed`]. Those of [`Weight::Given`] cannot make a circle.
/// 2. What is written down counts more than what is merely better: inside each tangle with annotations all arrows of
///    [`Weight::Better`] go. What is a circle then, is one.
pub(super) fn settle(graph: Graph) -> Settled {
    let mut settling = Settling {
        kept: vec![true; graph.len()],
        dropped: Vec::new(),
        graph,
    };
    for weight in [Weight::Better, Weight::Needed] {
        if !settling.drop_in_tangles(weight, |weight| weight < Weight::Declared) {
            break;
        }
    }
    settling.drop_in_tangles(Weight::Better, |_| true);
    let Settling { graph, kept, dropped } = settling;
    let graph = if dropped.is_empty() {
        graph
    } else {
        graph.only(&kept)
    };
    Settled {
        tangles: Tangles::find(&graph, |_| true),
        graph,
        dropped,
    }
}

struct Settling {
    graph: Graph,
    kept: Vec<bool>,
    dropped: Vec<(At, At, Cause)>,
}

impl Settling {
    /// Drops arrows of one weight inside the tangles of arrows that count. True if there was a tangle.
    fn drop_in_tangles(&mut self, weight: Weight, counts: impl Fn(Weight) -> bool) -> bool {
        let graph = &self.graph;
        let weight_of = |arrow: Arrow| arrow.cause.map(Cause::weight);
        let used = |at: usize| self.kept[at] && weight_of(graph.arrow(at)).is_none_or(&counts);
        let tangles = Tangles::find(graph, used);
        if tangles.of.iter().all(|tangle| *tangle == NONE) {
            return false;
        }
        for (at, (from, arrow)) in graph.all().enumerate() {
            if let Some(cause) = arrow.cause
                && self.kept[at]
                && cause.weight() == weight
                && tangles.both(from, arrow.to).is_some()
            {
                self.kept[at] = false;
                self.dropped.push((from, arrow.to, cause));
            }
        }
        true
    }
}
