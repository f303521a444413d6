//! Finds what waits for itself, by R. Tarjan's algorithm for strongly connected components (SIAM Journal on Computing
//! 1, 1972), without recursion: inventories may be deep.

use super::graph::{At, Graph};

/// Not in any tangle.
pub(super) const NONE: u32 = u32::MAX;

/// Nodes that wait for one another: for each node the number of its tangle.
pub(super) struct Tangles {
    pub(super) of: Vec<u32>,
    pub(super) count: u32,
}

impl Tangles {
    /// Two or more nodes, each of which can be reached from each other by arrows that are used.
    pub(super) fn find(graph: &Graph, used: impl Fn(usize) -> bool) -> Self {
        let nodes = graph.nodes();
        let mut search = Search {
            number: vec![NONE; nodes],
            lowest: vec![NONE; nodes],
            open: vec![false; nodes],
            stack: Vec::new(),
            next: 0,
        };
        let mut found = Self {
            of: vec![NONE; nodes],
            count: 0,
        };
        // Of each node on the way: the next of its arrows.
        let mut way: Vec<(At, usize)> = Vec::new();
        for root in 0..At::try_from(nodes).unwrap_or(At::MAX) {
            if search.number[root as usize] != NONE {
                continue;
            }
            search.enter(root);
            way.push((root, graph.range(root).start));
            while let Some((node, next)) = way.last_mut() {
                let node = *node;
                if *next == graph.range(node).end {
                    way.pop();
                    if let Some((before, _)) = way.last() {
                        search.lower(*before, search.lowest[node as usize]);
                    }
                    search.leave(node, &mut found);
                    continue;
                }
                let at = *next;
                *next += 1;
                if !used(at) {
                    continue;
                }
                let to = graph.arrow(at).to;
                if search.number[to as usize] == NONE {
                    search.enter(to);
                    way.push((to, graph.range(to).start));
                } else if search.open[to as usize] {
                    search.lower(node, search.number[to as usize]);
                }
            }
        }
        found
    }

    /// The tangle that both are in.
    pub(super) fn both(&self, one: At, other: At) -> Option<u32> {
        let tangle = self.of[one as usize];
        (tangle != NONE && tangle == self.of[other as usize]).then_some(tangle)
    }
}

struct Search {
    /// In the order in which they were entered.
    number: Vec<u32>,
    /// The first node that can be reached.
    lowest: Vec<u32>,
    open: Vec<bool>,
    stack: Vec<At>,
    next: u32,
}

impl Search {
    fn enter(&mut self, node: At) {
        self.number[node as usize] = self.next;
        self.lowest[node as usize] = self.next;
        self.open[node as usize] = true;
        self.stack.push(node);
        self.next += 1;
    }

    fn lower(&mut self, node: At, to: u32) {
        let lowest = &mut self.lowest[node as usize];
        *lowest = to.min(*lowest);
    }

    /// All that can be reached from the node has been. If it is the first of a component, that is complete.
    fn leave(&mut self, node: At, found: &mut Tangles) {
        if self.lowest[node as usize] != self.number[node as usize] {
            return;
        }
        let alone = self.stack.last() == Some(&node);
        while let Some(member) = self.stack.pop() {
            self.open[member as usize] = false;
            if !alone {
                found.of[member as usize] = found.count;
            }
            if member == node {
                break;
            }
        }
        found.count += u32::from(!alone);
    }
}
