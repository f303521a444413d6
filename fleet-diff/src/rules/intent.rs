//! Whose a field is, and what to do about it: the opinions.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::pattern::{PathPattern, Step, Weight, glob};
use crate::{
    FieldPath, FieldSet, Gvk, Object, PathElement,
    document::Node,
    managed::last_applied,
    schema::{Layer, TypeId},
    typed::{self, Part},
};

/// What is intended for a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intent {
    /// It is ours: the definition's value is written, whoever owns the field. This is what happens without a rule.
    Ours,
    /// It is never written, not even when the object is created.
    NeverTouch,
    /// It is written when the object is created, and never again.
    WriteOnce,
    /// It is written where the object has no value, and kept where it has one.
    KeepLive,
    /// A difference does not count; the live value stays.
    Ignore,
    /// Another manager may own it.
    OwnedBy {
        /// The manager, `*` in it stands for any text.
        manager: Arc<str>,
        /// What happens while that manager owns it.
        then: Sharing,
    },
    /// What others add inside it is removed.
    RemoveForeign,
}

/// What happens to our value while another manager owns the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sharing {
    /// We own it too, with their value.
    Share,
    /// It is theirs alone.
    #[default]
    GiveUp,
    /// It is ours again.
    Force,
}

/// One rule. As data: `id`, `path`, `do` (the intent in kebab case), and where wanted `kinds`, `manager` and `then` for
/// `owned-by`, `sensitive`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Rule {
    /// Named in every verdict it decides.
    pub id: Arc<str>,
    /// Which kinds it is for; every kind without it.
    pub kinds: Kinds,
    /// Which fields.
    pub path: PathPattern,
    /// What is intended.
    pub intent: Intent,
    /// Values shown as secrets are: never.
    pub sensitive: bool,
}

/// A rule as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    id: Arc<str>,
    #[serde(default)]
    kinds: Kinds,
    path: PathPattern,
    #[serde(rename = "do")]
    intent: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manager: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Sharing>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sensitive: bool,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Ours,
    NeverTouch,
    WriteOnce,
    KeepLive,
    Ignore,
    OwnedBy,
    RemoveForeign,
}

impl TryFrom<Written> for Rule {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        if written.intent != Word::OwnedBy && (written.manager.is_some() || written.then.is_some()) {
            return Err("`manager` and `then` belong to `do: owned-by`");
        }
        let intent = match written.intent {
            Word::Ours => Intent::Ours,
            Word::NeverTouch => Intent::NeverTouch,
            Word::WriteOnce => Intent::WriteOnce,
            Word::KeepLive => Intent::KeepLive,
            Word::Ignore => Intent::Ignore,
            Word::RemoveForeign => Intent::RemoveForeign,
            Word::OwnedBy => Intent::OwnedBy {
                manager: written.manager.ok_or("`do: owned-by` needs a `manager`")?,
                then: written.then.unwrap_or_default(),
            },
        };
        let Written {
            id,
            kinds,
            path,
            sensitive,
            ..
        } = written;
        Ok(Self {
            id,
            kinds,
            path,
            intent,
            sensitive,
        })
    }
}

impl From<Rule> for Written {
    fn from(rule: Rule) -> Self {
        let (intent, manager, then) = match rule.intent {
            Intent::Ours => (Word::Ours, None, None),
            Intent::NeverTouch => (Word::NeverTouch, None, None),
            Intent::WriteOnce => (Word::WriteOnce, None, None),
            Intent::KeepLive => (Word::KeepLive, None, None),
            Intent::Ignore => (Word::Ignore, None, None),
            Intent::RemoveForeign => (Word::RemoveForeign, None, None),
            Intent::OwnedBy { manager, then } => (Word::OwnedBy, Some(manager), Some(then)),
        };
        let Rule {
            id,
            kinds,
            path,
            sensitive,
            ..
        } = rule;
        Self {
            id,
            kinds,
            path,
            intent,
            manager,
            then,
            sensitive,
        }
    }
}

/// Kinds of objects. Empty texts and lists stand for any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Kinds {
    /// The API group, `core` for the group without a name; `*` in it stands for any text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Arc<str>>,
    /// The kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Arc<str>>,
    /// The versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Arc<str>>,
    /// Namespaces of the objects; `*` in them stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<Arc<str>>,
    /// Names of the objects; `*` in them stands for any text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Arc<str>>,
}

impl Kinds {
    fn has(&self, object: &Object) -> bool {
        let any = |list: &[Arc<str>], text: &str| list.is_empty() || list.iter().any(|item| glob(item, text));
        self.has_kind(object.gvk())
            && any(&self.namespaces, object.namespace().unwrap_or(""))
            && any(&self.names, object.name())
    }

    fn has_kind(&self, gvk: &Gvk) -> bool {
        let group = if gvk.group().is_empty() {
            "core"
        } else {
            gvk.group()
        };
        let any = |list: &[Arc<str>], text: &str| list.is_empty() || list.iter().any(|item| **item == *text);
        self.group.as_ref().is_none_or(|pattern| glob(pattern, group))
            && any(&self.kinds, gvk.kind())
            && any(&self.versions, gvk.version())
    }

    /// One object beats a kind, a kind beats a group, a group beats everything.
    fn weight(&self) -> u8 {
        match (
            self.names.is_empty() && self.namespaces.is_empty(),
            self.kinds.is_empty(),
            &self.group,
        ) {
            (false, ..) => 3,
            (_, false, _) => 2,
            (_, _, Some(_)) => 1,
            _ => 0,
        }
    }

    /// True when an object may be meant by both.
    fn overlaps(&self, other: &Self) -> bool {
        let meet =
            |a: &[Arc<str>], b: &[Arc<str>]| a.is_empty() || b.is_empty() || a.iter().any(|x| b.contains(x));
        let groups = match (&self.group, &other.group) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        groups
            && meet(&self.kinds, &other.kinds)
            && meet(&self.versions, &other.versions)
            && meet(&self.namespaces, &other.namespaces)
            && meet(&self.names, &other.names)
    }
}

/// Rules of one origin. Inside it the longest path wins, an exact key beats a wildcard, and an object beats a kind beats
/// a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Where they are, the most specific first.
    order: Vec<usize>,
}

/// Why rules cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Two rules have one id.
    #[error("two rules have the id `{0}`")]
    SameId(Arc<str>),
    /// Two rules mean the same field of the same object, and neither is more specific.
    #[error(
        "rules `{0}` and `{1}` are for the same field and say different things: make one path or kind narrower"
    )]
    Tie(Arc<str>, Arc<str>),
    /// The text or value is no list of rules.
    #[error("not rules: {0}")]
    Unreadable(String),
}

impl RuleSet {
    /// Checks that no two rules contradict one another.
    ///
    /// # Errors
    /// When two rules have one id, or two equally specific ones say different things of the same field.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = rules.into_iter().collect();
        let mut ids = BTreeSet::new();
        for (i, rule) in rules.iter().enumerate() {
            if !ids.insert(&rule.id) {
                return Err(RuleError::SameId(rule.id.clone()));
            }
            let tie = rules[..i].iter().find(|other| {
                other.path == rule.path
                    && other.kinds.weight() == rule.kinds.weight()
                    && other.kinds.overlaps(&rule.kinds)
                    && other.intent != rule.intent
            });
            if let Some(other) = tie {
                return Err(RuleError::Tie(other.id.clone(), rule.id.clone()));
            }
        }
        let weight = |at: usize| -> (Weight, u8) { (rules[at].path.weight(), rules[at].kinds.weight()) };
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by(|a, b| {
            weight(*b)
                .cmp(&weight(*a))
                .then_with(|| rules[*a].id.cmp(&rules[*b].id))
        });
        Ok(Self { rules, order })
    }

    /// From a `serde_json` value: a list of rules.
    ///
    /// ```
    /// use fleet_diff::RuleSet;
    /// use serde_json::json;
    ///
    /// let rules = RuleSet::from_json(&json!([
    ///     {"id": "autoscaled", "kinds": {"group": "apps", "kinds": ["Deployment"]}, "path": ".spec.replicas", "do": "keep-live"},
    ///     {"id": "mesh", "path": ".metadata.annotations[\"mesh.example.com/*\"]", "do": "owned-by", "manager": "mesh"},
    /// ]))?;
    /// assert_eq!(rules.len(), 2);
    /// # Ok::<(), fleet_diff::RuleError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no list of rules, and as [`RuleSet::new`].
    pub fn from_json(value: &serde_json::Value) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = serde_json::from_value(value.clone())
            .map_err(|error| RuleError::Unreadable(error.to_string()))?;
        Self::new(rules)
    }

    /// From a YAML or JSON text: a list of rules, or a mapping with a list `rules`.
    ///
    /// # Errors
    /// As [`RuleSet::from_json`].
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, RuleError> {
        let unreadable = |problem: String| RuleError::Unreadable(problem);
        let found = crate::read_values(text, &crate::ReadLimits::default())
            .map_err(|error| unreadable(error.to_string()))?;
        let mut rules = Vec::new();
        for document in found {
            let list = match document.value {
                serde_json::Value::Object(mut map) if map.contains_key("rules") => {
                    map.remove("rules").unwrap_or_default()
                }
                other => other,
            };
            let found: Vec<Rule> = serde_json::from_value(list)
                .map_err(|error| unreadable(format!("line {}: {error}", document.line)))?;
            rules.extend(found);
        }
        Self::new(rules)
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True without any rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Where the rules for an object are, the most specific first.
    fn for_object(&self, object: &Object) -> impl Iterator<Item = usize> {
        let order = self.order.iter().copied();
        order.filter(|at| self.rules[*at].kinds.has(object))
    }
}

/// Chooses the rules for an object. Rules are data; the trait only says which ones count where.
pub trait FieldIntentRules: Send + Sync + 'static {
    /// The layers of rules, the one that counts most first.
    fn layers(&self, desired: &Object) -> Vec<Arc<RuleSet>>;
}

/// The usual rules: those of the user over the built-in ones. Annotations of the definition count before both.
#[derive(Clone, Debug)]
pub struct Rules {
    user: Arc<RuleSet>,
    builtin: Arc<RuleSet>,
    annotation: Option<Arc<str>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            user: Arc::default(),
            builtin: super::builtin::rules(),
            annotation: None,
        }
    }
}

impl Rules {
    /// The built-in rules.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// No rules at all.
    pub fn none() -> Self {
        Self {
            user: Arc::default(),
            builtin: Arc::default(),
            annotation: None,
        }
    }

    /// With these rules over the built-in ones.
    #[must_use]
    pub fn with(self, user: RuleSet) -> Self {
        Self {
            user: Arc::new(user),
            ..self
        }
    }

    /// With rules in an annotation of the definition, as a JSON list, over all others. An annotation that cannot be
    /// read is as if it were not there; [`RuleSet::from_json`] tells what is wrong with it.
    #[must_use]
    pub fn from_annotation(self, annotation: &str) -> Self {
        Self {
            annotation: Some(annotation.into()),
            ..self
        }
    }
}

impl FieldIntentRules for Rules {
    fn layers(&self, desired: &Object) -> Vec<Arc<RuleSet>> {
        let annotated = self.annotation.as_ref().and_then(|name| {
            let value = serde_json::from_str(desired.annotation(name)?).ok()?;
            RuleSet::from_json(&value).ok()
        });
        annotated
            .map(Arc::new)
            .into_iter()
            .chain([self.user.clone(), self.builtin.clone()])
            .collect()
    }
}

/// The rules that count for one object.
#[derive(Clone, Debug)]
pub(crate) struct Applicable {
    layers: Vec<Arc<RuleSet>>,
    /// Layer and rule in it, in the order in which they count.
    order: Vec<(usize, usize)>,
}

impl Applicable {
    pub(crate) fn new(rules: &dyn FieldIntentRules, desired: &Object) -> Self {
        let layers = rules.layers(desired);
        let mut order = Vec::new();
        for (i, layer) in layers.iter().enumerate() {
            order.extend(layer.for_object(desired).map(|rule| (i, rule)));
        }
        Self { layers, order }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// In the order in which they count.
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        let rule = |(layer, at): &(usize, usize)| &self.layers[*layer].rules[*at];
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

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::NeverTouch => f.write_str("never touched"),
            Self::WriteOnce => f.write_str("written once"),
            Self::KeepLive => f.write_str("kept where it is set"),
            Self::Ignore => f.write_str("ignored"),
            Self::OwnedBy { manager, .. } => write!(f, "left to {manager}"),
            Self::RemoveForeign => f.write_str("cleared of what others add"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let rules = Applicable::new(&rules, object);
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

    #[test]
    fn contradictions_are_refused() {
        let ask = |rules| RuleSet::from_json(&rules).unwrap_err().to_string();
        let same = json!([
            {"id": "a", "path": ".spec", "do": "ignore"},
            {"id": "a", "path": ".status", "do": "ignore"},
        ]);
        assert_eq!(ask(same), "two rules have the id `a`");
        let tie = json!([
            {"id": "a", "kinds": {"kinds": ["X", "Y"]}, "path": ".spec", "do": "ignore"},
            {"id": "b", "kinds": {"kinds": ["Y"]}, "path": ".spec", "do": "keep-live"},
        ]);
        assert!(ask(tie).starts_with("rules `a` and `b` are for the same field"));
        for bad in [
            json!({}),
            json!([{"id": "a", "path": "spec", "do": "ignore"}]),
            json!([{"id": "a", "path": ".spec", "do": "x"}]),
            json!([{"id": "a", "path": ".spec"}]),
            json!([{"id": "a", "path": ".spec", "do": "owned-by"}]),
        ] {
            assert!(ask(bad.clone()).starts_with("not rules: "), "{bad}");
        }
    }
}
