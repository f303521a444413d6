//! `fleetctl place`: where workloads go, without a cluster.

mod answer;
mod args;
mod effect;
mod explained;
mod heard;
mod hints;
mod inputs;
mod read;
mod replace;
mod state;
mod what_if;
mod words;

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use fleet_core::Tick;
use fleet_scheduler::{Facts, Outcome, Placements, Planner, Replacement, Scheduler, WorkloadId};

use crate::{
    DONE, NOT_AS_ASKED,
    args::Output,
    commands::Done,
    render::{Shown, tame},
};
pub(crate) use answer::{
    Answer, OnCluster, Short, Summary, Told, WouldBe, active, is_accepted, is_stop, short,
};
pub(crate) use args::{By, PlaceArgs};
use explained::Asking;
use heard::{There, Tokens};
use hints::Hints;
pub(crate) use hints::Note;
use inputs::{Places, Problem, Wanted};
use state::{Approved, State, remember};

pub(crate) async fn run(args: &PlaceArgs) -> Done {
    // Errors quote names of files' making.
    answer_to(args)
        .await
        .map_err(|error| tame(&error.to_string()).into())
}

async fn answer_to(args: &PlaceArgs) -> Done {
    inputs::one_stdin(args)?;
    let now = args.now.unwrap_or_else(clock);
    let Read {
        planner,
        wanted,
        before,
        approved,
        replacements,
        mut notes,
    } = read(args, now).await?;
    let unreadable = wanted
        .problems
        .iter()
        .filter_map(|problem| problem.workload.as_ref());
    let listed = wanted.workloads.keys().chain(unreadable);
    let known: Vec<WorkloadId> = listed.chain(before.keys()).cloned().collect();
    let there = There {
        known: &known,
        workloads: &wanted.workloads,
        before: &before,
        fleet: planner.fleet(),
    };
    let heard = heard::heard(args, &there)?;
    notes.extend(heard.notes);
    let mut hints = Hints::new(planner.fleet(), now, known.iter(), &wanted.workloads);
    wanted
        .workloads
        .values()
        .for_each(|workload| hints.look(workload));
    let (hints, everywhere) = hints.found();
    let narrowed = inputs::narrowed(args, &known)?;
    let (mut planner, wanted) = prepare(planner, wanted, &before);
    let replaced = replace::begin(args, &mut planner, replacements, now)?;
    let mut tokens = Tokens::look(args, &planner, &heard.facts, now);
    let facts = args.approve.iter().fold(heard.facts.clone(), Facts::approve);
    let mut answer = decide(&mut planner, wanted, &before, args.rebalance, &facts, now);
    if tokens.is_any_unknown()
        && let Some((would_be, _)) = what_if::ask(args, &planner, &answer, &heard.facts, now)?
    {
        tokens.wait(would_be.decisions.iter());
    }
    let replacements = replaced.iter().filter_map(|from| planner.replacement(from));
    answer.replacements = replacements.cloned().collect();
    notes.extend(replace::notes(&planner, &answer.replacements, now));
    answer.approved = remember(approved.clone(), tokens.carried_out.iter().cloned(), now);
    notes.extend(tokens.check(&approved)?);
    notes.extend(hints);
    notes.extend(Hints::nowhere(&everywhere, &answer.decisions));
    answer.notes = notes;
    let would_be = what_if::ask(args, &planner, &answer, &facts, now)?;
    let (would_be, other) = would_be.unzip();
    answer.what_if = would_be;
    let asking = Asking {
        narrowed: &narrowed,
        base: &planner,
        // Reasons are those of what would be.
        planner: other.as_ref().unwrap_or(&planner),
        facts: &facts,
        now,
    };
    let explained = explained::explained(args, &asking, &before, &answer)?;
    answer.explanations = explained.explanations;
    answer.notes.extend(explained.note);
    match args.output {
        Output::Json => {
            let mut json = serde_json::to_string_pretty(&answer)?;
            json.push('\n');
            io::stdout().write_all(json.as_bytes())?;
        }
        Output::Text => {
            let shown = Shown {
                by: args.by,
                narrowed: narrowed.iter().collect(),
                before: args.previous.as_ref().map(|_| &before),
                why: explained::reasons(&asking, &answer),
                cluster: args.explain.as_deref().filter(|cluster| !cluster.is_empty()),
                width: width(),
            };
            anstream::stdout().write_all(shown.answer(&answer).as_bytes())?;
        }
    }
    if let Some(path) = &args.save {
        let state = State {
            version: state::VERSION,
            at: Some(now),
            placements: answer.placements.clone(),
            moves: answer.moves.clone(),
            approved: answer.approved.clone(),
            replacements: answer.replacements.clone(),
        };
        state.write(path)?;
    }
    Ok(code(args, &answer))
}

/// Everything that is decided on.
struct Read {
    planner: Planner,
    wanted: Wanted,
    before: Placements,
    approved: Approved,
    replacements: Vec<Replacement>,
    notes: Vec<Note>,
}

/// Reads everything that is decided on. Nothing is decided when a file cannot be read.
async fn read(args: &PlaceArgs, now: Tick) -> Result<Read, String> {
    let (file, _) = inputs::clusters(&args.clusters)?;
    let mut notes = Vec::from_iter(hints::of_file(&file));
    notes.extend(effect::of_scores(&file));
    let scheduler = file.scorers(Scheduler::builder()).build();
    let (mut fleet, options) = file
        .build()
        .map_err(|error| format!("{}: {error}", inputs::named(&args.clusters)))?;
    if let Some(path) = &args.status {
        fleet = inputs::observed(fleet, path).await?;
    }
    notes.extend(hints::of_fleet(&fleet));
    notes.extend(effect::of_observations(&fleet, now));
    let wanted = inputs::workloads(&args.workloads)?;
    let mut planner = Planner::new(scheduler, fleet, options);
    let (mut before, mut approved) = (Placements::new(), Approved::new());
    let mut replacements = Vec::new();
    if let Some(path) = &args.previous {
        let state = State::read(path)?;
        notes.extend(effect::of_time(now, state.at));
        (before, approved, replacements) = (state.placements, state.approved, state.replacements);
        planner = planner.with_previous(&before, state.moves);
    }
    Ok(Read {
        planner,
        wanted,
        before,
        approved,
        replacements,
        notes,
    })
}

/// What is wanted but for the workloads, which the planner has.
struct Rest {
    removed: Vec<WorkloadId>,
    problems: Vec<Problem>,
    places: Places,
}

/// Tells the planner of everything that is wanted.
fn prepare(mut planner: Planner, wanted: Wanted, before: &Placements) -> (Planner, Rest) {
    let Wanted {
        workloads,
        problems,
        places,
    } = wanted;
    let removed = no_longer_wanted(before, &workloads.keys().collect(), &problems);
    for id in &removed {
        planner.remove(id);
    }
    for workload in workloads.into_values() {
        planner.set(workload);
    }
    let rest = Rest {
        removed,
        problems,
        places,
    };
    (planner, rest)
}

/// Decides everything.
fn decide(
    planner: &mut Planner,
    rest: Rest,
    before: &Placements,
    rebalance: bool,
    facts: &Facts,
    now: Tick,
) -> Answer {
    let round = if rebalance {
        planner.rebalance(facts, now)
    } else {
        planner.decide(facts, now)
    };
    let mut answer = Answer::of(planner, round, before, now);
    answer.summary.workloads += rest.problems.len();
    answer.summary.invalid += rest.problems.len();
    answer.summary.removed = rest.removed.len();
    answer.removed = rest.removed;
    let told = answer
        .decisions
        .iter()
        .filter_map(|decision| match &decision.outcome {
            Outcome::Invalid(invalid) => rest.places.problem(&decision.workload, &invalid.to_string()),
            _ => None,
        });
    answer.problems = rest.problems.into_iter().chain(told).map(Into::into).collect();
    answer
}

/// What was placed and is not listed any more. Where a workload has a mistake that hides its name, it may be any of
/// these, so none of them goes.
fn no_longer_wanted(
    before: &Placements,
    wanted: &BTreeSet<&WorkloadId>,
    problems: &[Problem],
) -> Vec<WorkloadId> {
    if problems.iter().any(|problem| problem.workload.is_none()) {
        return Vec::new();
    }
    let unreadable: BTreeSet<&WorkloadId> = problems.iter().filter_map(|one| one.workload.as_ref()).collect();
    let gone = before
        .keys()
        .filter(|id| !wanted.contains(id) && !unreadable.contains(id));
    gone.cloned().collect()
}

/// Where lines end; none where the output is no terminal.
fn width() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(columns))
}

/// Less was done than asked, or something is other than it was.
fn code(args: &PlaceArgs, answer: &Answer) -> u8 {
    let summary = &answer.summary;
    let is_less = summary.unschedulable + summary.invalid > 0
        || summary.waiting > 0
        || summary.proposed > 0
        || summary.unprotected > 0
        || summary.lost > summary.fewer
        || answer.notes.iter().any(|note| note.is_less);
    let is_other = args.previous.is_some() && (summary.changed > 0 || summary.removed > 0);
    let would_be = answer
        .what_if
        .as_ref()
        .is_some_and(|would_be| !would_be.decisions.is_empty());
    if is_less || is_other || would_be {
        NOT_AS_ASKED
    } else {
        DONE
    }
}

fn clock() -> Tick {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Tick(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
