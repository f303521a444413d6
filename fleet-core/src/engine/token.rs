//! Tokens by which a person confirms what was planned.

use std::collections::{BTreeMap, VecDeque};

use fleet_diff::{DigestBuilder, ObjectKey};

use crate::words::{Target, Tick, Uid};

/// Most tokens that are kept at once; of more, the oldest are dropped.
const OFFERS_MAX: usize = 64;

/// Tokens that persons gave, kept until they are used or out of date: which plan they are for is found out when
/// something is held.
#[derive(Default)]
pub(super) struct Offers {
    tokens: VecDeque<String>,
    /// One was given since it was last said that one fits, or none.
    unanswered: bool,
}

impl Offers {
    pub(super) fn add(&mut self, token: &str) {
        self.tokens.retain(|known| known != token);
        self.tokens.push_back(token.to_owned());
        if self.tokens.len() > OFFERS_MAX {
            self.tokens.pop_front();
        }
        self.unanswered = true;
    }

    /// The first that is not out of date and fits, and until when it is good.
    pub(super) fn find(&self, now: Tick, fits: impl Fn(&str, Tick) -> bool) -> Option<(String, Tick)> {
        self.tokens.iter().find_map(|token| {
            let until = token_until(token).filter(|until| *until > now && fits(token, *until))?;
            Some((token.clone(), until))
        })
    }

    /// It is used up.
    pub(super) fn accept(&mut self, token: &str) {
        self.tokens.retain(|known| known != token);
        self.unanswered = false;
    }

    /// None of them fits: true if that was not said yet.
    pub(super) fn are_refused(&mut self, now: Tick) -> bool {
        self.tokens
            .retain(|token| token_until(token).is_some_and(|until| until > now));
        std::mem::take(&mut self.unanswered)
    }
}

/// A token over these objects of a target and a revision, good until a moment: who has it knows them all.
pub(super) fn confirmation_token(
    what: &str,
    target: &Target,
    revision: &str,
    objects: &BTreeMap<ObjectKey, Uid>,
    until: Tick,
) -> String {
    let until = until.0 / 1000;
    let start = DigestBuilder::new()
        .text(what)
        .text(&target.to_string())
        .text(revision)
        .text(&until.to_string());
    let all = objects
        .iter()
        .fold(start, |b, (key, uid)| b.text(&key.to_path()).text(uid.as_str()));
    format!("{until:x}-{}", all.finish().short())
}

/// Until when a token says that it is good.
fn token_until(token: &str) -> Option<Tick> {
    let seconds = u64::from_str_radix(token.split_once('-')?.0, 16).ok()?;
    Some(Tick(seconds.saturating_mul(1000)))
}
