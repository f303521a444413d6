//! Selectors, dividers and schedulers that are wrong, each in one way.

use std::sync::atomic::{AtomicU64, Ordering};

use fleet_core::Reason;
use fleet_scheduler::{conformance::Suite, *};

use super::{all_break, breaks, small};

static ASKED: AtomicU64 = AtomicU64::new(0);

fn asked() -> u64 {
    ASKED.fetch_add(1, Ordering::Relaxed)
}

/// What the built-in selector says, with something done to it.
struct Selects(fn(&Wish<'_>, &[Ranked], &mut Selected));

impl Selector for Selects {
    fn name(&self) -> &'static str {
        "selects"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let mut selected = BySpread.select(wish, ranked)?;
        (self.0)(wish, ranked, &mut selected);
        Ok(selected)
    }
}

#[test]
fn each_way_of_a_selector_to_be_wrong_is_found() {
    type Wrong = fn(&Wish<'_>, &[Ranked], &mut Selected);
    let cases: [(&str, Wrong, &[&str]); 10] = [
        ("right", |_, _, _| (), &[]),
        (
            "asked",
            |_, _, selected| {
                if asked().is_multiple_of(2) {
                    selected.must.clear();
                }
            },
            &["deterministic"],
        ),
        (
            "slot",
            |_, _, selected| {
                if selected.clusters.first().is_some_and(|one| one.slot == 0) {
                    selected.must = vec![0];
                }
            },
            &["order"],
        ),
        (
            "drops what is used",
            |_, _, selected| selected.clusters.retain(|one| one.current == 0),
            &["keeps-used", "must-is-selected", "clusters"],
        ),
        (
            "twice",
            |_, _, selected| selected.clusters.extend(selected.clusters.last().copied()),
            &["only-given"],
        ),
        (
            "more room",
            |_, _, selected| {
                for one in &mut selected.clusters {
                    one.fits = one.fits.wrapping_add(1);
                }
            },
            &["only-given"],
        ),
        (
            "worst first",
            |_, _, selected| {
                selected.clusters.reverse();
                selected.must.clear();
            },
            &["best-first"],
        ),
        (
            "must be what is not",
            |_, _, selected| selected.must = vec![selected.clusters.len()],
            &["must-is-selected"],
        ),
        (
            "everything",
            |_, ranked, selected| *selected = Selected::any_of(ranked.to_vec()),
            &["clusters", "domains"],
        ),
        (
            "panics",
            |_, ranked, _| assert!(!ranked.is_empty(), "none given"),
            &["no-panic"],
        ),
    ];
    all_break(
        cases.map(|(what, wrong, expected)| (what, Suite::default().selector(&Selects(wrong)), expected)),
    );
}

/// What the built-in divider says, with something done to it.
struct Divides {
    grow: fn(&Wish<'_>, &Selected, &mut Units),
    shrink: fn(&Wish<'_>, &[Ranked], &mut Units),
}

impl Divider for Divides {
    fn name(&self) -> &'static str {
        "divides"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let mut units = AsAsked.grow(wish, selected)?;
        (self.grow)(wish, selected, &mut units);
        Ok(units)
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        let mut units = AsAsked.shrink(wish, ranked);
        (self.shrink)(wish, ranked, &mut units);
        units
    }
}

#[test]
fn each_way_of_a_divider_to_grow_wrongly_is_found() {
    type Wrong = fn(&Wish<'_>, &Selected, &mut Units);
    let cases: [(&str, Wrong, &[&str]); 11] = [
        ("right", |_, _, _| (), &[]),
        (
            "asked",
            |wish, _, units| {
                if asked().is_multiple_of(2) {
                    *units = Units::default().short(wish.wanted, Limit::Skew);
                }
            },
            &["deterministic"],
        ),
        (
            "slot",
            |_, selected, units| {
                let there = selected.clusters.iter().map(|one| (one.slot, one.current));
                if selected.clusters.iter().any(|one| one.slot == 3) {
                    let had = units.total() + units.short;
                    *units = Units::of(there);
                    let short = had - units.total();
                    units.short = short;
                    units.limit = (short > 0).then_some(Limit::Skew);
                }
            },
            &["order"],
        ),
        (
            "to others",
            |wish, selected, units| {
                let other =
                    (0..wish.fleet.len()).find(|slot| selected.clusters.iter().all(|one| one.slot != *slot));
                if let (Some(other), Some(first)) = (other, units.units.first_mut()) {
                    first.0 = other;
                    units.units.sort_unstable();
                }
            },
            &["only-selected", "what-is-there-stays", "room-is-used", "order"],
        ),
        (
            "out of order",
            |_, _, units| units.units.reverse(),
            &["in-order", "what-is-there-stays", "room-is-used"],
        ),
        (
            "too much on one",
            |_, selected, units| {
                if let Some(best) = selected.clusters.first() {
                    *units = Units::of([(best.slot, units.total())]);
                }
            },
            &["within-room", "what-is-there-stays", "shortfall"],
        ),
        (
            "more than asked for",
            |_, _, units| {
                if let Some(first) = units.units.first_mut() {
                    first.1 = first.1.saturating_add(1);
                }
            },
            &["within-wish", "within-room", "shortfall"],
        ),
        (
            "takes away",
            |_, selected, units| {
                let used = selected
                    .clusters
                    .iter()
                    .find(|one| one.current > 0 && units.at(one.slot) == one.current);
                if let Some(used) = used {
                    units.units.retain(|(slot, _)| *slot != used.slot);
                    units.short = units.short.saturating_add(used.current);
                    units.limit = Some(Limit::Skew);
                }
            },
            &["what-is-there-stays"],
        ),
        (
            "says nothing of what is missing",
            |_, _, units| (units.short, units.limit) = (0, None),
            &["shortfall"],
        ),
        (
            "does not say why",
            |_, _, units| units.limit = None,
            &["shortfall"],
        ),
        (
            "no room where there is",
            |wish, selected, units| {
                let there: u64 = selected.clusters.iter().map(|one| one.current).sum();
                *units = Units::of(selected.clusters.iter().map(|one| (one.slot, one.current)));
                units.short = wish.wanted - there;
                units.limit = Some(Limit::Room);
            },
            &["room-is-used"],
        ),
    ];
    all_break(cases.map(|(what, grow, expected)| {
        let divider = Divides {
            grow,
            shrink: |_, _, _| (),
        };
        (what, small().divider(&divider), expected)
    }));
}

#[test]
fn each_way_of_a_divider_to_shrink_wrongly_is_found() {
    type Wrong = fn(&Wish<'_>, &[Ranked], &mut Units);
    let cases: [(&str, Wrong, &[&str]); 4] = [
        (
            "removes everything",
            |_, _, units| *units = Units::default(),
            &["shrink-only-removes"],
        ),
        (
            "removes nothing",
            |_, ranked, units| *units = Units::of(ranked.iter().map(|one| (one.slot, one.current))),
            &["shrink-only-removes", "within-wish"],
        ),
        (
            "divides anew",
            |wish, ranked, units| {
                let first = ranked.iter().max_by_key(|one| one.holds());
                let all = first.filter(|one| one.holds() >= wish.wanted);
                *units = all.map_or(Units::default(), |one| Units::of([(one.slot, wish.wanted)]));
            },
            &["shrink-only-removes"],
        ),
        (
            "panics",
            |_, ranked, _| assert!(ranked.len() < 3, "too many"),
            &["no-panic"],
        ),
    ];
    all_break(cases.map(|(what, shrink, expected)| {
        let divider = Divides {
            grow: |_, _, _| (),
            shrink,
        };
        (what, small().divider(&divider), expected)
    }));
}

struct Flapping;

impl Rebalancer for Flapping {
    fn worth(&self, candidate: &Candidate<'_>, _: i64) -> i64 {
        if candidate.current > 0 { 0 } else { 1_000 }
    }
}

struct Hoarding;

impl Divider for Hoarding {
    fn name(&self) -> &'static str {
        "hoarding"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let first = selected.clusters.first().ok_or(Limit::NoCluster)?;
        Ok(Units::of([(first.slot, wish.wanted)]))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        AsAsked.shrink(wish, ranked)
    }
}

/// The last cluster by name that is listed is the best, whichever that is.
fn with_the_last() -> impl Scorer {
    scorer_fn("with-the-last", |candidate| {
        i64::try_from(candidate.slot * candidate.fleet.len() % 3).unwrap_or(0)
    })
}

#[test]
fn each_way_of_a_scheduler_to_be_wrong_is_found() {
    let moody = || {
        filter_fn("moody", |_| {
            if asked().is_multiple_of(5) {
                Err(Reason::new("mood", "not now"))
            } else {
                Ok(())
            }
        })
    };
    let divides = |grow| Divides {
        grow,
        shrink: |_, _, _| (),
    };
    let silent = divides(|_, _, units| (units.short, units.limit) = (0, None));
    let builder = Scheduler::builder;
    let cases: [(&str, SchedulerBuilder, &[&str]); 7] = [
        ("right", builder(), &[]),
        ("two of one name", builder().scorer(Cost, 1), &["named"]),
        ("moody", builder().filter(moody()), &["deterministic"]),
        ("hoarding", builder().divider(Hoarding), &["capacity"]),
        ("silent", builder().divider(silent), &["shortfall"]),
        (
            "with the last",
            builder().scorer(with_the_last(), 100),
            &["unusable-cluster"],
        ),
        ("flapping", builder().rebalancer(Flapping), &["settles"]),
    ];
    all_break(cases.map(|(what, builder, expected)| {
        let mut violations = Suite::default().draws(4).scheduler(&builder.build());
        // One fault may lead to others, which ones depends on the fleets.
        if !expected.is_empty() {
            violations.retain(|violation| expected.contains(&violation.promise));
        }
        (what, violations, expected)
    }));
    let panics = filter_fn("panics", |candidate| {
        assert!(candidate.fleet.len() != 1, "one cluster only");
        Ok(())
    });
    let violations = Suite::default()
        .draws(4)
        .scheduler(&builder().filter(panics).build());
    breaks("panics", violations, &["no-panic"]);
}
