//! One case: what this crate says, beside what a server answered.

use fleet_diff::{Action, Apply, Decision, Object, Prediction, RuleSet, Rules, Schemas};
use serde_json::Value;

use super::{
    case::{Case, Expected},
    recording::{Answer, Recorded},
    same,
};

/// What is wrong, a line for each.
pub(crate) fn problems(case: &Case, recorded: &Recorded, builtin: &Schemas) -> Vec<String> {
    let mut found = Vec::new();
    if recorded.input != case.input() {
        return vec!["was recorded otherwise: run `cargo xtask rows`".to_owned()];
    }
    for (pointer, wanted) in &case.live {
        let is = recorded.live.pointer(pointer).unwrap_or(&Value::Null);
        if is != wanted {
            found.push(format!("live {pointer} is {is}, which makes this another case"));
        }
    }
    let schemas = schemas(case, builtin);
    let rules = rules(case);
    let live = (!recorded.live.is_null()).then(|| object(&recorded.live));
    let desired = object(&case.desired);
    let apply = Apply::new(&desired, &case.manager, &schemas)
        .to(live.as_ref())
        .force(case.force)
        .rules(&rules);
    let differs = |predicted: &Prediction, answer| match predicted {
        Prediction::Unsure(_) if case.expect == "unsure" => None,
        predicted => same::differs(predicted, answer, &recorded.live),
    };
    found.extend(differs(&apply.predict(), &recorded.answer));

    let decision = apply.decide();
    let sent = recorded.sent.as_ref();
    let document = decision.document().to_json();
    if document != *sent.map_or(&case.desired, |sent| &sent.document) {
        found.push(format!("would send what was not asked about: {document}"));
    }
    let answer = sent.map_or(&recorded.answer, |sent| &sent.answer);
    if decision.removals().next().is_none() {
        found.extend(differs(decision.prediction(), answer));
    }
    found.extend(action(case, &decision, answer, &recorded.live));
    found.extend(verdicts(case, &decision));
    let after = answer.object(&recorded.live).unwrap_or_default();
    for (pointer, wanted) in &case.becomes {
        let is = after.pointer(pointer).unwrap_or(&Value::Null);
        if is != wanted {
            found.push(format!("{pointer} becomes {is}, not {wanted}"));
        }
    }
    if case.expect != "unsure" {
        found.extend(again(&apply, &after));
    }
    found
}

/// The crate's own action, the expected one and the one that the server's answer shows.
fn action(case: &Case, decision: &Decision<'_>, answer: &Answer, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let action = decision.action();
    if action.as_str() != case.expect {
        let report = decision.report(fleet_diff::Secrets::Shown);
        found.push(format!(
            "{action}, because {}; expected {}",
            report.reason(),
            case.expect
        ));
    }
    let (before, before_owners) = same::comparable(live.clone());
    let shows: &[Action] = match answer.object(live).map(same::comparable) {
        None => &[Action::Recreate, Action::Blocked],
        Some(_) if live.is_null() => &[Action::Create],
        Some((after, _)) if after != before => &[Action::Update],
        Some((_, owners)) if owners != before_owners => &[Action::Adopt],
        Some(_) => &[Action::None],
    };
    if action != Action::Unsure && !shows.contains(&decision.applying()) {
        found.push(format!("{action}, but the server's answer shows {shows:?}"));
    }
    found
}

fn verdicts(case: &Case, decision: &Decision<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let fields = decision.fields();
    for (path, expected) in &case.fields {
        let Some(field) = fields.iter().find(|field| field.path.to_string() == *path) else {
            let all: Vec<String> = fields.iter().map(|field| format!("{field:?}")).collect();
            found.push(format!("no verdict on {path} among\n  {}", all.join("\n  ")));
            continue;
        };
        let (verdict, rule) = match expected {
            Expected::Verdict(verdict) => (verdict, None),
            Expected::Ruled(verdict, rule) => (verdict, Some(rule)),
        };
        if field.verdict.as_str() != verdict || rule.is_some() && field.rule.as_ref() != rule {
            found.push(format!("{field:?}; expected {expected:?}"));
        }
    }
    found
}

/// Judged again, what the server made of it needs nothing.
fn again(apply: &Apply<'_>, after: &Value) -> Option<String> {
    if after.is_null() {
        return None;
    }
    let after = object(after);
    let decision = apply.to(Some(&after)).decide();
    let changes = decision.changes();
    (decision.applying() != Action::None).then(|| format!("again: {}: {changes:?}", decision.action()))
}

fn object(value: &Value) -> Object {
    Object::from_json(value.clone()).expect("an object")
}

fn schemas(case: &Case, builtin: &Schemas) -> Schemas {
    let definitions = case
        .first
        .iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition");
    definitions.fold(builtin.clone(), |schemas, definition| {
        schemas
            .with_crd(&object(definition))
            .expect("a definition that a server took")
    })
}

fn rules(case: &Case) -> Rules {
    if case.rules.is_null() {
        return Rules::builtin();
    }
    Rules::builtin().with(RuleSet::from_json(&case.rules).expect("rules"))
}

/// Whether it would notice if the crate were wrong about the row.
pub(crate) fn says_something(case: &Case) -> bool {
    !case.fields.is_empty() || !case.becomes.is_empty()
}
