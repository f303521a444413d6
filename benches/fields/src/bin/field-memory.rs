//! What answers allocate, and what objects and schemas hold: `field-memory INPUTS` prints it as JSON.

use std::{alloc::System, hint::black_box, path::PathBuf};

use fleet_diff::{Apply, Object};
use fleet_field_benches::{MANAGER, Pair, Result, schemas};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    let region = Region::new(ALLOCATOR);
    let schemas = schemas()?;
    let types = json!({"what": format!("{schemas:?}"), "bytes": held(&region)});
    let (mut verdicts, mut memory) = (Vec::new(), Vec::new());
    for set in ["deployments", "samples", "inventory"] {
        let texts = Pair::read(&folder, set)?;
        memory.push(objects(set, &texts)?);
        let pairs = texts.iter().map(Pair::decode).collect::<Result<Vec<_>>>()?;
        // What is made once, for all, does not count.
        for pair in &pairs {
            black_box(
                Apply::new(&pair.desired, MANAGER, &schemas)
                    .to(Some(&pair.live))
                    .decide(),
            );
        }
        verdicts.push(per_answer("verdict-values", set, &pairs, |pair| {
            black_box(
                Apply::new(&pair.desired, MANAGER, &schemas)
                    .to(Some(&pair.live))
                    .decide()
                    .action(),
            );
        }));
        verdicts.push(per_answer("verdict-bytes", set, &texts, |text| {
            let pair = text.decode().ok();
            let decision = pair.as_ref().map(|pair| {
                Apply::new(&pair.desired, MANAGER, &schemas)
                    .to(Some(&pair.live))
                    .decide()
            });
            black_box(decision.map(|decision| decision.action()));
        }));
    }
    println!(
        "{:#}",
        json!({"verdicts": verdicts, "memory": memory, "types": types})
    );
    Ok(())
}

/// Bytes that are held since the region began.
fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

fn per_answer<P>(what: &str, set: &str, pairs: &[P], ask: impl Fn(&P)) -> Value {
    let region = Region::new(ALLOCATOR);
    pairs.iter().for_each(ask);
    let change = region.change();
    json!({
        "name": format!("{what}/{set}"),
        "allocations": (change.allocations + change.reallocations) / pairs.len(),
        "bytes": change.bytes_allocated / pairs.len(),
    })
}

/// What a live object holds.
fn objects(set: &str, texts: &[Pair]) -> Result<Value> {
    let region = Region::new(ALLOCATOR);
    let objects = texts
        .iter()
        .map(|text| Ok(text.live.parse()?))
        .collect::<Result<Vec<Object>>>()?;
    let bytes = held(&region);
    let json: usize = texts.iter().map(|text| text.live.len()).sum();
    let of_one = |all: usize| all / objects.len();
    Ok(json!({"set": set, "objects": objects.len(), "json": of_one(json), "bytes": of_one(bytes)}))
}
