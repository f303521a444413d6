//! Replacing a cluster by another (blue/green), from one run to the next.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_kube::utc;
use fleet_scheduler::{FleetView, Planner, Replacement, ReplacementState};

use super::{args::PlaceArgs, hints::Note, inputs};

/// Goes on with what was begun before, begins what is asked for, and takes back what is not wanted any more. The names of
/// the old clusters.
pub(super) fn begin(
    args: &PlaceArgs,
    planner: &mut Planner,
    saved: Vec<Replacement>,
    now: Tick,
) -> Result<Vec<String>, String> {
    let mut all: BTreeMap<String, Replacement> =
        saved.into_iter().map(|one| (one.from.clone(), one)).collect();
    // It is over once the old cluster is gone.
    all.retain(|from, _| planner.fleet().get(from).is_some());
    for text in &args.replace {
        let (from, to) = pair(text, planner.fleet())?;
        match all.get(&from) {
            Some(known) if known.to == to => {}
            Some(known) => {
                let other = &known.to;
                return Err(format!(
                    "--replace {text}: {from} is replaced by {other} already; --take-back {from}"
                ));
            }
            None => {
                let mut new = Replacement::new(from.as_str(), to);
                new.surge = args.surge.unwrap_or(new.surge);
                new.soak = args.soak.unwrap_or(new.soak);
                all.insert(from, new);
            }
        }
    }
    for from in &args.take_back {
        if !all.contains_key(from) {
            return Err(format!("--take-back {from}: nothing replaces it"));
        }
    }
    for (from, one) in &all {
        let is_gone = planner.fleet().get(&one.to).is_none();
        match (is_gone, args.take_back.contains(from)) {
            // Its stand-ins are lost, and count as that.
            (true, true) => continue,
            (true, false) => {
                let to = &one.to;
                return Err(format!(
                    "cluster {to}, which replaces {from}, is not listed: list it, or give up by --take-back {from}"
                ));
            }
            (false, _) => planner.replace(one.clone()).map_err(|error| error.to_string())?,
        }
        if args.take_back.contains(from) && !planner.take_back(from, now) {
            return Err(format!(
                "--take-back {from}: the time for that is over; --replace the other way round once it is done"
            ));
        }
    }
    all.retain(|from, _| !args.take_back.contains(from));
    Ok(all.into_keys().collect())
}

fn pair(text: &str, fleet: &FleetView) -> Result<(String, String), String> {
    let (from, to) = text
        .split_once('=')
        .filter(|(from, to)| !from.is_empty() && !to.is_empty())
        .ok_or_else(|| format!("--replace {text}: write OLD=NEW"))?;
    if from == to {
        return Err(format!("--replace {text}: a cluster cannot replace itself"));
    }
    Ok((
        inputs::in_fleet("--replace", from, fleet)?,
        inputs::in_fleet("--replace", to, fleet)?,
    ))
}

/// How each stands.
pub(super) fn notes(planner: &Planner, replacements: &[Replacement], now: Tick) -> Vec<Note> {
    let note = |one: &Replacement| {
        let (from, to) = (&one.from, &one.to);
        let is_empty = planner.table().workloads_on(from).next().is_none();
        Note::new(match one.state(now) {
            ReplacementState::Moving => format!("{to} replaces {from}: not everything is healthy there yet"),
            ReplacementState::Soaking { until } => format!(
                "{to} replaces {from}: everything is healthy there; until {} --take-back {from} brings it back",
                utc(until)
            ),
            _ if is_empty => format!("{to} has replaced {from}: it is empty, and may be removed"),
            _ => format!("{to} has replaced {from}: what is left there goes"),
        })
    };
    replacements.iter().map(note).collect()
}
