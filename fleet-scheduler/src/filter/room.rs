//! Is there room for at least one unit?

use fleet_core::{Reason, amount};

use crate::{
    pipeline::Candidate,
    room::{Needs, Shortage},
};

/// Why not one unit more fits on a cluster; none: one does. Every resource that is short is told, the greatest lack first.
pub(crate) fn refuse_room(candidate: &Candidate<'_>, needs: &Needs) -> Option<Reason> {
    let (room, slot) = (candidate.room, candidate.slot);
    if room.fits(slot, needs) > 0 {
        return None;
    }
    if needs.unknown().len() == 0 && !room.is_known(slot) {
        return Some(Reason::new("room-unknown", "what it can carry is not known"));
    }
    let unknown = needs.unknown().map(|resource| {
        let message = format!("no cluster offers {resource}");
        Reason::new("resource-unknown", message).with("resource", resource)
    });
    let shortages = match room.is_known(slot) {
        true => room.shortages(slot, needs),
        false => Vec::new(),
    };
    let mut all = unknown.chain(shortages.iter().map(refuse));
    let first = all.next()?;
    Some(all.fold(first, Reason::because))
}

/// Why one resource keeps a unit away: `kept` where it is free and kept for a failure, else `no-room`.
fn refuse(shortage: &Shortage<'_>) -> Reason {
    let &Shortage {
        resource,
        need,
        free,
        kept,
        gap,
        ..
    } = shortage;
    let say = |value: i64| amount(resource, value);
    let kept = i64::try_from(kept).unwrap_or(i64::MAX);
    let code = if shortage.is_kept() { "kept" } else { "no-room" };
    let message = match gap {
        Some(gap) => format!(
            "{resource}: {} is needed at once, and no node has more than {} free",
            say(need),
            say(gap)
        ),
        None => format!(
            "{resource}: {} is needed, {} is free",
            say(need),
            say(free.max(0))
        ),
    };
    let is_kept = gap.is_none() && kept > 0 && free > 0;
    let of_it = match kept >= free {
        _ if !is_kept => String::new(),
        true => ", all of it kept for a failure".to_owned(),
        false => format!(", {} of it kept for a failure", say(kept)),
    };
    let mut reason = Reason::new(code, message + &of_it)
        .with("resource", resource)
        .with("need", say(need))
        .with("free", say(free));
    if let Some(gap) = gap {
        reason = reason.with("gap", say(gap));
    }
    if kept > 0 {
        reason = reason.with("kept", say(kept));
    }
    reason
}

/// Why nothing more comes to a cluster where an estimator says that nothing more fits.
pub(crate) fn refuse_estimate(estimator: &str) -> Reason {
    Reason::new("estimate", format!("no more fits, {estimator} says")).with("estimator", estimator)
}
