//! Explanations for people.

use std::fmt::Write as _;

use fleet_core::Reason;

use super::{ClusterExplanation, Explanation, TargetExplanation};

/// How many clusters are named where there may be many.
const NAMED: usize = 3;
/// The code of clusters that a target does not name.
const NOT_NAMED: &str = "not-named";

/// An explanation as lines for people: where each target is, what is missing and what would help, which clusters would
/// take more, and which refuse, by reason. Writing to a text cannot fail, here and below.
pub fn render_explanation(explanation: &Explanation) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", explanation.workload);
    if let Some(invalid) = &explanation.invalid {
        let _ = writeln!(text, "  cannot be understood: {invalid}");
    }
    for target in &explanation.targets {
        render_target(&mut text, target);
    }
    text
}

fn render_target(text: &mut String, target: &TargetExplanation) {
    let asked = match target.wanted {
        None => "asked for on every cluster that it means".to_owned(),
        Some(wanted) => format!("{} asked for", replicas(wanted)),
    };
    let _ = writeln!(text, "  target {}: {asked}", target.target);
    if target.short > 0 {
        let why = target.limit.as_ref();
        let why = why.map(|limit| format!(": {limit}")).unwrap_or_default();
        let verb = if target.short == 1 { "has" } else { "have" };
        let _ = writeln!(text, "    {} {verb} no place{why}", target.short);
    }
    match target.would_fit.as_slice() {
        [] => {}
        [only] => {
            let _ = writeln!(text, "    would help: {only}");
        }
        several => {
            let _ = writeln!(text, "    any one of these would help:");
            for change in several {
                let _ = writeln!(text, "      - {change}");
            }
        }
    }
    match target.groups.as_slice() {
        [] => {}
        [only] => {
            let _ = writeln!(text, "    of its groups this is taken: {only}");
        }
        several => {
            let several = several.join("; ");
            let _ = writeln!(
                text,
                "    no group can carry everything, so all are filled in order: {several}"
            );
        }
    }
    for cluster in target.clusters.iter().filter(|cluster| cluster.replicas > 0) {
        let _ = writeln!(
            text,
            "    on {}: {}{}",
            cluster.cluster,
            here(cluster),
            no_more(cluster, "; ")
        );
    }
    would_take(text, target);
    refused(text, target);
}

/// Clusters that it could be on, too.
fn would_take(text: &mut String, target: &TargetExplanation) {
    let passing = || {
        let others = target.clusters.iter();
        others.filter(|cluster| cluster.replicas == 0 && cluster.rank.is_some() && cluster.limit.is_empty())
    };
    let count = passing().count();
    if count > 0 {
        let named = passing().map(|cluster| match cluster.fits {
            None => cluster.cluster.clone(),
            Some(fits) => format!("{} ({fits} would fit)", cluster.cluster),
        });
        let verb = if count == 1 { "cluster" } else { "clusters" };
        let _ = writeln!(
            text,
            "    {count} other {verb} would take it: {}",
            some_of(named, count)
        );
    }
}

/// Clusters that it cannot be on, by reason. Where others are named, nothing else is said of them, and that last.
fn refused(text: &mut String, target: &TargetExplanation) {
    let mut codes: Vec<&str> = target.refused.keys().map(|code| &**code).collect();
    codes.sort_by_key(|code| *code == NOT_NAMED);
    for code in codes {
        let refusals: Vec<(&str, &Reason)> = target
            .clusters
            .iter()
            .filter_map(|cluster| {
                let find = |code: &str| {
                    cluster
                        .refusals
                        .iter()
                        .find(|refusal| refusal.reason.code == code)
                };
                let refusal = find(NOT_NAMED).or(find(code))?;
                (refusal.reason.code == code).then_some((&*cluster.cluster, &refusal.reason))
            })
            .collect();
        let Some(((first, why), others)) = refusals.split_first() else {
            continue;
        };
        let _ = write!(text, "    not on {first}: {why}");
        if !others.is_empty() {
            let names = others.iter().map(|(name, _)| *name);
            let _ = write!(text, "; likewise {}", some_of(names, others.len()));
        }
        text.push('\n');
    }
}

/// Why no more come to a cluster that passes.
fn no_more(cluster: &ClusterExplanation, before: &str) -> String {
    if cluster.limit.is_empty() {
        return String::new();
    }
    let why: Vec<String> = cluster.limit.iter().map(ToString::to_string).collect();
    format!("{before}no more come: {}", why.join("; "))
}

/// The first of so many, and how many more there are.
fn some_of(names: impl Iterator<Item = impl Into<String>>, count: usize) -> String {
    let named: Vec<String> = names.take(NAMED).map(Into::into).collect();
    match count.saturating_sub(named.len()) {
        0 => named.join(", "),
        rest => format!("{} and {rest} more", named.join(", ")),
    }
}

fn replicas(count: u64) -> String {
    match count {
        1 => "1 replica".to_owned(),
        count => format!("{count} replicas"),
    }
}

fn here(cluster: &ClusterExplanation) -> String {
    match (cluster.replicas, cluster.going) {
        (all, 0) => all.to_string(),
        (all, going) if all == going => format!("{all}, all of them going"),
        (all, going) => format!("{all}, {going} of them going"),
    }
}

/// Why a target is, or is not, on one cluster, as lines for people: what is there, every filter that refuses it, and
/// its rank with what each scorer says, in its own unit, on the common scale, and weighted.
pub fn render_cluster(cluster: &ClusterExplanation) -> String {
    let mut text = String::new();
    let is = if cluster.replicas == 1 { "is" } else { "are" };
    let how_many = match (cluster.replicas, cluster.going) {
        (0, _) => "nothing of it is here".to_owned(),
        (all, 0) => format!("{} {is} here", replicas(all)),
        (all, going) => format!("{} {is} here, {going} going", replicas(all)),
    };
    let _ = writeln!(text, "{}: {how_many}", cluster.cluster);
    for refusal in &cluster.refusals {
        let _ = writeln!(text, "  refused by {}: {}", refusal.filter, refusal.reason);
    }
    let Some(rank) = cluster.rank else { return text };
    let fits = match (no_more(cluster, ""), cluster.fits) {
        (why, _) if !why.is_empty() => why,
        (_, None) => "any number more would fit".to_owned(),
        (_, Some(fits)) => format!("{fits} more would fit"),
    };
    let _ = writeln!(text, "  rank {rank} of those that can take it; {fits}");
    if cluster.scores.is_empty() {
        return text;
    }
    let row = |text: &mut String, cells: [&str; 5]| {
        let [scorer, raw, scaled, weight, counts] = cells;
        let _ = writeln!(
            text,
            "    {scorer:<20} {raw:>12} {scaled:>10} {weight:>7} {counts:>12}"
        );
    };
    row(&mut text, ["scorer", "says", "scaled", "weight", "counts"]);
    for score in &cluster.scores {
        let numbers = [
            score.normalised,
            score.weight,
            score.normalised.saturating_mul(score.weight),
        ];
        let [scaled, weight, counts] = numbers.map(|number| number.to_string());
        let raw = score.raw.map_or("-".to_owned(), |raw| raw.to_string());
        row(&mut text, [&score.scorer, &raw, &scaled, &weight, &counts]);
    }
    row(&mut text, ["in all", "", "", "", &cluster.total.to_string()]);
    text
}
