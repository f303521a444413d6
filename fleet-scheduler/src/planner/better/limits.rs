//! Whether a move takes a target farther from its limits.

use std::collections::BTreeMap;

use super::{super::unmet::distance, in_use, moved};
use crate::{model::Slot, schedule::Question};

/// In so many other domains a better place is looked for at most, the best first.
const DOMAINS: usize = 16;

/// Whether a target is no farther from its limits if everything on a cluster goes to another one, on which nothing of it is.
pub(super) struct KeepsLimits<'a, 'b> {
    question: &'a Question<'b>,
    from: Slot,
    is_limited: bool,
    /// By the domains of where it goes.
    known: BTreeMap<Vec<Option<&'b String>>, bool>,
}

impl<'a, 'b> KeepsLimits<'a, 'b> {
    pub(super) fn new(question: &'a Question<'b>, from: Slot) -> Self {
        Self {
            question,
            from,
            is_limited: !question.target().spread.is_empty(),
            known: BTreeMap::new(),
        }
    }

    pub(super) fn holds(&mut self, to: Slot) -> bool {
        if !self.is_limited {
            return true;
        }
        let (question, from) = (self.question, self.from);
        let domains = question.domain_of(to);
        if domains == question.domain_of(from) {
            return true;
        }
        if let Some(known) = self.known.get(&domains) {
            return *known;
        }
        if self.known.len() >= DOMAINS {
            return false;
        }
        let now = in_use(question);
        let all = now.get(&from).copied().unwrap_or(0);
        let far = |at: &BTreeMap<Slot, u64>| distance(question.view.fleet, question.target(), at);
        let holds = domains.iter().all(Option::is_some) && far(&moved(&now, from, to, all)) <= far(&now);
        self.known.insert(domains, holds);
        holds
    }
}

impl<'a> Question<'a> {
    /// The domains a cluster is in, by the target's spread.
    fn domain_of(&self, slot: Slot) -> Vec<Option<&'a String>> {
        let labels = &self.view.fleet.at(slot).cluster.labels;
        let spread = self.target().spread.iter();
        spread.map(|spread| labels.get(&spread.over)).collect()
    }
}
