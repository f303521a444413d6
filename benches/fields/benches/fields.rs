//! Times of one answer, on the pairs in the folder that `FIELD_INPUTS` names. Each answer that is timed is compared
//! with one that was not; what an answer takes to be dropped counts, comparing it does not. Times are those of the
//! process on a processor, here and in the peers: what else runs on the machine does not count, and giving memory back
//! does.

use std::{hint::black_box, path::PathBuf, time::Duration};

use criterion::{Criterion, Throughput};
use fleet_diff::{Action, Apply, Document, FieldSet, Object, Prediction, Schemas, typed_operations};
use fleet_field_benches::{Decoded, MANAGER, Pair, Result, is_unchanged, schemas};
use nix::time::{ClockId, clock_gettime};

fn main() -> Result {
    let folder = PathBuf::from(std::env::var_os("FIELD_INPUTS").ok_or("FIELD_INPUTS names no folder")?);
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    let schemas = schemas()?;
    for set in ["deployments", "samples", "inventory"] {
        let texts = Pair::read(&folder, set)?;
        let pairs = texts.iter().map(Pair::decode).collect::<Result<Vec<_>>>()?;
        let mut bench = Bench {
            criterion: &mut criterion,
            set,
            schemas: &schemas,
        };
        bench.verdict_bytes(&texts);
        if set == "inventory" {
            bench.growth(&pairs)?;
        } else {
            bench.verdict_values(&pairs);
            bench.decode(&texts);
            bench.apply_unchanged(&pairs);
            bench.merge_and_compare(&pairs)?;
        }
    }
    criterion.final_summary();
    Ok(())
}

struct Bench<'a> {
    criterion: &'a mut Criterion,
    set: &'a str,
    schemas: &'a Schemas,
}

impl Bench<'_> {
    /// A pass over all pairs is one iteration.
    fn passes<P, A>(
        &mut self,
        name: &str,
        pairs: &[P],
        ask: impl Fn(&P) -> A,
        same: impl Fn(&A, &A) -> bool,
    ) {
        let untimed: Vec<A> = pairs.iter().map(&ask).collect();
        let mut group = self.criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(pairs.len() as u64));
        group.bench_function(self.set, |bencher| {
            bencher.iter_custom(|passes| {
                let mut taken = Duration::ZERO;
                for _ in 0..passes {
                    let mut answers = Vec::with_capacity(pairs.len());
                    let begin = cpu();
                    for pair in pairs {
                        answers.push(ask(black_box(pair)));
                    }
                    taken += cpu().saturating_sub(begin);
                    assert!(
                        answers.iter().zip(&untimed).all(|(a, b)| same(a, b)),
                        "a timed answer differs"
                    );
                    let begin = cpu();
                    drop(answers);
                    taken += cpu().saturating_sub(begin);
                }
                taken
            });
        });
    }

    /// Inventories of some sizes, with some of their objects changed.
    fn growth(&mut self, pairs: &[Decoded]) -> Result {
        let schemas = self.schemas;
        for (objects, changed) in [
            (2_500, 0),
            (5_000, 0),
            (10_000, 0),
            (10_000, 1_000),
            (10_000, 2_000),
            (10_000, 4_000),
        ] {
            let mut some = pairs[..objects].to_vec();
            // Spread over all kinds.
            for pair in some.iter_mut().rev().take(changed) {
                *pair = pair.changed()?;
            }
            let name = format!("{objects}-{changed}");
            let mut bench = Bench {
                criterion: self.criterion,
                set: &name,
                schemas,
            };
            bench.passes(
                "growth",
                &some,
                |pair| Some(verdict(pair, schemas)),
                is_same_verdict,
            );
        }
        Ok(())
    }

    fn verdict_bytes(&mut self, texts: &[Pair]) {
        let schemas = self.schemas;
        self.passes(
            "verdict-bytes",
            texts,
            |text| verdict(&text.decode().ok()?, schemas).into(),
            is_same_verdict,
        );
    }

    fn verdict_values(&mut self, pairs: &[Decoded]) {
        let schemas = self.schemas;
        self.passes(
            "verdict-values",
            pairs,
            |pair| verdict(pair, schemas).into(),
            is_same_verdict,
        );
    }

    fn decode(&mut self, texts: &[Pair]) {
        let same = |a: &Decoded, b: &Decoded| is_same(&a.desired, &b.desired) && is_same(&a.live, &b.live);
        self.passes(
            "decode",
            texts,
            |text| text.decode().ok(),
            |a, b| matches!((a, b), (Some(a), Some(b)) if same(a, b)),
        );
    }

    fn apply_unchanged(&mut self, pairs: &[Decoded]) {
        let schemas = self.schemas;
        let unchanged: Vec<&Decoded> = pairs.iter().filter(|pair| is_unchanged(pair, schemas)).collect();
        let ask = |pair: &&Decoded| {
            Apply::new(&pair.desired, MANAGER, schemas)
                .to(Some(&pair.live))
                .predict()
        };
        self.passes("apply-unchanged", &unchanged, ask, |a, b| match (a, b) {
            (Prediction::Object(a), Prediction::Object(b)) => is_same(a, b),
            _ => false,
        });
    }

    fn merge_and_compare(&mut self, pairs: &[Decoded]) -> Result {
        let schemas = self.schemas;
        let merge = |pair: &Decoded| {
            typed_operations::merge(
                schemas,
                pair.live.gvk(),
                pair.live.document(),
                pair.desired.document(),
            )
        };
        self.passes("merge", pairs, merge, |a, b| match (a, b) {
            (Some(a), Some(b)) => a.root() == b.root(),
            (a, b) => a.is_none() && b.is_none(),
        });
        // What was merged is read anew: nothing says what of it is of the live object.
        let merged = |pair| {
            let merged = merge(pair).unwrap_or_else(|| pair.live.document().clone());
            Ok((pair, merged.to_json().to_string().parse::<Document>()?))
        };
        let with_merged = pairs.iter().map(merged).collect::<Result<Vec<_>>>()?;
        let compare = |(pair, merged): &(&Decoded, Document)| -> [FieldSet; 3] {
            typed_operations::compare(schemas, pair.live.gvk(), pair.live.document(), merged)
        };
        self.passes("compare", &with_merged, compare, |a, b| a == b);
        Ok(())
    }
}

/// Time that this process was on a processor.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

type Verdict = Option<(Action, Option<Object>)>;

fn verdict(pair: &Decoded, schemas: &Schemas) -> (Action, Option<Object>) {
    let decision = Apply::new(&pair.desired, MANAGER, schemas)
        .to(Some(&pair.live))
        .decide();
    (decision.action(), decision.predicted().cloned())
}

fn is_same_verdict(a: &Verdict, b: &Verdict) -> bool {
    match (a, b) {
        (Some((a, after_a)), Some((b, after_b))) => {
            a == b
                && match (after_a, after_b) {
                    (Some(a), Some(b)) => is_same(a, b),
                    (a, b) => a.is_none() && b.is_none(),
                }
        }
        _ => false,
    }
}

fn is_same(a: &Object, b: &Object) -> bool {
    a.root() == b.root()
}
