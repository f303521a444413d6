//! The rules of one object, by the field.

use std::sync::Arc;

use super::{
    intent::Intent,
    layers::FieldIntentRules,
    pattern::Step,
    rule::Rule,
    set::{RuleError, RuleSet},
};
use crate::{
    FieldPath, FieldSet, Object, PathElement,
    document::Node,
    managed::last_applied,
    schema::{Layer, TypeId},
    typed::{self, Part},
};

/// The rules that count for one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applicable {
    layers: Vec<Arc<RuleSet>>,
    /// Layer and rule in it, in the order in which they count.
    order: Vec<(usize, usize)>,
}

impl Applicable {
    pub(crate) fn new(
        rules: &dyn FieldIntentRules,
        desired: &Object,
        live: Option<&Object>,
    ) -> Result<Self, RuleError> {
        let layers = rules.layers(desired)?;
        let mut order = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            let counting = layer.for_object(desired, live)?;
            order.extend(counting.into_iter().map(|rule| (i, rule)));
        }
        Ok(Self { layers, order })
    }

    /// Where it is not known which ones count: all that hide values, whatever their conditions say.
    pub(crate) fn hiding(rules: &dyn FieldIntentRules, desired: &Object) -> Self {
        let layers = rules.layers(desired).unwrap_or_default();
        let mut order = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            let all = layer.rules().iter().enumerate();
            let hiding = all.filter(|(_, rule)| rule.sensitive && rule.kinds.has(desired));
            order.extend(hiding.map(|(at, _)| (i, at)));
        }
        Self { layers, order }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// In the order in which they count.
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        let rule = |(layer, at): &(usize, usize)| &self.layers[*layer].rules()[*at];
        self.order.iter().map(rule)
    }

    /// The rule for a field: the most specific one of the first layer that has any.
    pub(crate) fn of(&self, path: &FieldPath) -> Option<&Rule> {
        self.rules().find(|rule| rule.path.covers(path))
    }

    /// True when a rule hides values of this object.
    pub(crate) fn hide_something(&self) -> bool {
        self.sensitive().next().is_some()
    }

    /// True when a rule hides the values of a field. With any of them goes the annotation that repeats the object.
    pub(crate) fn hides(&self, path: &FieldPath) -> bool {
        let repeats = || {
            path.starts_with(&FieldPath::keys([
                "metadata",
                "annotations",
                last_applied::ANNOTATION,
            ]))
        };
        self.sensitive().any(|rule| rule.path.covers(path) || repeats())
    }

    /// True when a rule hides the values of a field, or of something inside it.
    pub(crate) fn hides_part_of(&self, path: &FieldPath) -> bool {
        self.hides(path) || self.sensitive().any(|rule| rule.path.is_inside(path))
    }

    fn sensitive(&self) -> impl Iterator<Item = &Rule> {
        self.rules().filter(|rule| rule.sensitive)
    }

    /// Those fields of a value that some rule means.
    pub(crate) fn meant_of(&self, layer: &Layer, id: TypeId, value: Node<'_>) -> FieldSet {
        let patterns: Vec<&[Step]> = self.rules().map(|rule| rule.path.steps()).collect();
        typed::field_set_of(layer, id, value, &patterns, &meant)
    }

    /// True when some rule intends this.
    pub(crate) fn have(&self, intent: &Intent) -> bool {
        self.rules().any(|rule| rule.intent == *intent)
    }

    /// True when the object has a field that a rule means.
    pub(crate) fn mean_something_in(&self, object: Node<'_>) -> bool {
        self.rules().any(|rule| rule.path.is_in(object))
    }
}

/// What these patterns mean inside an element.
fn meant<'p>(patterns: &Vec<&'p [Step]>, element: &PathElement) -> Part<Vec<&'p [Step]>> {
    let first = patterns.iter().filter_map(|steps| steps.split_first());
    let rests = first
        .filter(|(step, _)| step.matches(element))
        .map(|(_, rest)| rest);
    let rests: Vec<&[Step]> = rests.collect();
    if rests.is_empty() {
        Part::Nothing
    } else if rests.iter().any(|rest| rest.is_empty()) {
        Part::Everything
    } else {
        Part::Inside(rests)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Rules, *};
    use serde_json::json;

    fn object() -> Object {
        Object::from_json(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
        }))
        .unwrap()
    }

    #[test]
    fn the_most_specific_rule_of_the_first_layer_counts() {
        let user = RuleSet::from_json(&json!([
            {"id": "spec", "path": ".spec", "do": "ignore"},
            {"id": "any", "path": ".spec.*", "do": "write-once"},
            {"id": "replicas", "path": ".spec.replicas", "do": "keep-live"},
            {"id": "kind", "kinds": {"kinds": ["Deployment"]}, "path": ".spec.replicas", "do": "never-touch"},
            {"id": "other", "kinds": {"kinds": ["StatefulSet"]}, "path": ".spec.paused", "do": "never-touch"},
        ]))
        .unwrap();
        let rules = Rules::none().with(user).from_annotation("example.com/rules");
        let of = |object: &Object, path: &[&str]| {
            let rules = Applicable::new(&rules, object, None).unwrap();
            rules
                .of(&FieldPath::keys(path.iter().copied()))
                .map(|rule| rule.id.to_string())
        };
        let plain = object();
        assert_eq!(of(&plain, &["spec", "replicas"]).as_deref(), Some("kind"));
        assert_eq!(of(&plain, &["spec", "paused"]).as_deref(), Some("any"));
        assert_eq!(of(&plain, &["spec"]).as_deref(), Some("spec"));
        assert_eq!(of(&plain, &["metadata"]), None);
        let annotated = plain.with_marks(
            [],
            [(
                "example.com/rules",
                r#"[{"id": "own", "path": ".spec", "do": "ours"}]"#,
            )],
        );
        assert_eq!(of(&annotated, &["spec", "replicas"]).as_deref(), Some("own"));
    }
}
