//! Cases as lines of JSON.

use serde_json::{Value, json};

use super::{compare::Effect, run::Asked, server::Answer};

/// One line.
pub(super) fn line(asked: &Asked, seed: u64, kubernetes: &str) -> Value {
    let answer = match &asked.answer {
        Answer::Object { created, object } => json!({
            "status": if *created { 201 } else { 200 },
            "object": object,
            "effect": Effect::of(asked.live.as_ref(), object).as_str(),
        }),
        Answer::Conflicts(all) => json!({"status": 409, "conflicts": all}),
        Answer::Refused { code, message } => json!({"status": code, "message": message}),
    };
    json!({
        "class": asked.class, "number": asked.number, "seed": seed, "kubernetes": kubernetes,
        "kind": asked.kind, "set": asked.set, "path": asked.path,
        "live": asked.live, "desired": asked.desired, "manager": asked.manager, "force": asked.force,
        "answer": answer,
    })
}
