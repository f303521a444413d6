//! Settings by name, so that people can be told which of them changed.

use fleet_core::EngineOptions;

/// The settings in which these differ, as they are called in `fleet.yaml` where they are there.
pub(super) fn changed_settings(before: &EngineOptions, after: &EngineOptions) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut compare = |name, same: bool| {
        if !same {
            names.push(name);
        }
    };
    compare(
        "defaultNamespace",
        before.default_namespace == after.default_namespace,
    );
    compare("rules", before.rules == after.rules);
    compare("adoption", before.adoption == after.adoption);
    compare("guarded", before.guarded == after.guarded);
    compare(
        "deletes",
        before.permitted_kinds == after.permitted_kinds && before.permitted == after.permitted,
    );
    compare("budgets", before.budget == after.budget);
    compare("propagation", before.propagation == after.propagation);
    compare("strategies", before.strategies == after.strategies);
    compare("drift", before.drift == after.drift);
    compare("recreate", before.recreate == after.recreate);
    compare("leaving", before.clears == after.clears);
    compare(
        "unhealthy",
        before.unhealthy == after.unhealthy && before.limits.health_max == after.limits.health_max,
    );
    compare("the cluster's life-cycle", before.posture == after.posture);
    compare("scope", before.scope == after.scope);
    compare("domain", before.domain == after.domain);
    if names.is_empty() && before != after {
        names.push("limits");
    }
    names
}

#[cfg(test)]
mod tests {
    use fleet_core::{Adoption, Digest, Millis, Unhealthy};

    use super::*;

    #[test]
    fn every_difference_has_a_name() {
        let before = EngineOptions::default();
        assert!(changed_settings(&before, &before.clone()).is_empty());
        type Change = fn(&mut EngineOptions);
        let cases: [(Change, &str); 8] = [
            (|o| o.adoption = Adoption::Adopt, "adoption"),
            (|o| o.default_namespace = "x".to_owned(), "defaultNamespace"),
            (|o| o.budget.count += 1, "budgets"),
            (
                |o| {
                    o.recreate.insert(fleet_core::GroupKind::new("batch", "Job"));
                },
                "recreate",
            ),
            (|o| o.rules = Some(Digest::of_bytes(b"other")), "rules"),
            (|o| o.unhealthy = Unhealthy::GoOn, "unhealthy"),
            (|o| o.limits.health_max = Millis(1), "unhealthy"),
            (|o| o.limits.token_life = Millis(1), "limits"),
        ];
        for (change, name) in cases {
            let mut after = before.clone();
            change(&mut after);
            assert_eq!(changed_settings(&before, &after), [name]);
        }
    }
}
