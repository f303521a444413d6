//! What would be decided if something were otherwise.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_scheduler::{Decision, Facts, Planner, WhatIf};

use super::{
    Answer, WouldBe,
    answer::{by_cluster, differences, summary},
    args::PlaceArgs,
    inputs,
};

/// A flag, what it says of a cluster, the clusters, and what is made of one.
type Asked<'a> = (&'a str, &'a str, &'a [String], fn(String) -> WhatIf);

/// What would be, where that is asked for: the same decisions on a changed copy, which comes with them.
pub(super) fn ask(
    args: &PlaceArgs,
    planner: &Planner,
    now_is: &Answer,
    facts: &Facts,
    now: Tick,
) -> Result<Option<(WouldBe, Planner)>, String> {
    if !args.is_what_if() {
        return Ok(None);
    }
    let (mut words, mut changes) = (Vec::new(), Vec::new());
    for path in &args.with {
        let (file, listed) = inputs::clusters(std::slice::from_ref(path))?;
        let name = path.display();
        if !file.data.is_empty()
            || !file.scores.is_empty()
            || file.budgets.is_some()
            || file.storm.is_some()
            || file.calm.is_some()
        {
            let why =
                "has more than clusters in it; data, scores, budgets, storm and calm belong into --clusters";
            return Err(format!("{name}: {why}"));
        }
        for cluster in file.clusters {
            let is_added =
                |change: &WhatIf| matches!(change, WhatIf::With(one) if one.name() == cluster.name);
            if planner.fleet().get(&cluster.name).is_some() || changes.iter().any(is_added) {
                let why = format!("cluster {} is in the fleet already", cluster.name);
                let mistake = listed.mistake(&cluster.name, &why);
                return Err(mistake.map_or(format!("{name}: {why}"), Into::into));
            }
            words.push(format!("with cluster {} of {name}", cluster.name));
            changes.push(WhatIf::With(cluster.into()));
        }
    }
    let named: [Asked<'_>; 4] = [
        ("--cordon", "is cordoned", &args.cordon, WhatIf::Cordon),
        ("--drain", "is drained", &args.drain, WhatIf::Drain),
        ("--lose", "is lost", &args.lose, WhatIf::Lose),
        ("--without", "is not there", &args.without, WhatIf::Without),
    ];
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for (flag, name) in named
        .iter()
        .flat_map(|(flag, _, names, _)| names.iter().map(move |name| (*flag, name)))
    {
        match said.insert(name, flag) {
            Some(other) if other == flag => return Err(format!("{flag} {name} is said twice")),
            Some(other) => return Err(format!("{other} {name} and {flag} {name} exclude each other")),
            None => {}
        }
    }
    for (flag, what, names, change) in named {
        for name in names {
            let is_added = changes
                .iter()
                .any(|change| matches!(change, WhatIf::With(cluster) if cluster.name() == name));
            if !is_added {
                inputs::in_fleet(flag, name, planner.fleet())?;
            }
            words.push(format!("cluster {name} {what}"));
            changes.push(change(name.clone()));
        }
    }
    let mut other = planner
        .what_if(&changes, facts, now)
        .map_err(|error| error.to_string())?;
    if args.rebalance {
        for (id, mut decision) in other.planner.rebalance(facts, now) {
            if let Some(earlier) = other.round.remove(&id) {
                decision.moves.splice(0..0, earlier.moves);
            }
            other.round.insert(id, decision);
        }
    }
    let placements = other.planner.placements();
    let all: Vec<Decision> = now_is
        .decisions
        .iter()
        .map(|base| other.round.get(base.workload.as_str()).unwrap_or(base).clone())
        .collect();
    let differs = |base: &Decision, then: &Decision| {
        base.outcome != then.outcome
            || base.targets != then.targets
            || base.waits != then.waits
            || base.proposals != then.proposals
            || base.placement != then.placement
            || (base.moves != then.moves && !then.moves.is_empty())
    };
    let mut total = summary(&other.planner, &placements, &all);
    total.invalid += now_is.problems.len();
    total.workloads += now_is.problems.len();
    let differences = differences(&now_is.placements, &placements);
    total.changed = differences.len();
    let decisions = now_is.decisions.iter().zip(all);
    let would_be = WouldBe {
        changed: words,
        decisions: decisions
            .filter(|(base, then)| differs(base, then))
            .map(|(_, then)| then)
            .collect(),
        differences,
        summary: total,
        by_cluster: by_cluster(&other.planner),
        placements,
    };
    Ok(Some((would_be, other.planner)))
}
