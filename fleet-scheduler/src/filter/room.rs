//! Is there room for at least one unit?

use fleet_core::{Reason, amount};

use crate::{pipeline::Candidate, room::Needs};

/// Why not one unit more fits on a cluster; none: one does.
pub(crate) fn refuse_room(candidate: &Candidate<'_>, needs: &Needs) -> Option<Reason> {
    let (room, slot) = (candidate.room, candidate.slot);
    if room.fits(slot, needs) > 0 {
        return None;
    }
    if let Some(resource) = needs.unknown() {
        let message = format!("no cluster offers {resource}");
        return Some(Reason::new("resource-unknown", message).with("resource", resource));
    }
    if !room.is_known(slot) {
        return Some(Reason::new("room-unknown", "what it can carry is not known"));
    }
    let resource = room.binding(slot, needs)?;
    let say = |value: i64| amount(resource, value);
    let (need, free) = (room.need(needs, resource), room.free(slot, resource));
    let message = match room.gap(slot, resource) {
        Some(gap) if gap < need && need <= free => {
            format!(
                "{resource}: {} is needed at once, and no node has more than {} free",
                say(need),
                say(gap)
            )
        }
        _ => format!(
            "{resource}: {} is needed, {} is free",
            say(need),
            say(free.max(0))
        ),
    };
    Some(
        Reason::new("no-room", message)
            .with("resource", resource)
            .with("need", say(need))
            .with("free", say(free)),
    )
}

/// Why nothing more comes to a cluster where an estimator says that nothing more fits.
pub(crate) fn refuse_estimate(estimator: &str) -> Reason {
    Reason::new("estimate", format!("no more fits, {estimator} says")).with("estimator", estimator)
}
