//! One rule, and how it is written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    intent::{Intent, Sharing},
    pattern::{PathPattern, glob},
};
use crate::{Condition, Gvk, Object};

/// One rule. As data: `id`, `path`, `do` (the intent in kebab case), and where wanted `kinds`, `when`, `manager` and
/// `then` for `owned-by`, `sensitive`.
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
    /// Of which objects it counts: in no way of those of which it is false. Of two rules for the same field, one that has
    /// a condition beats one that has none.
    ///
    /// It speaks of `self`, the definition, and of `live`, the object as it is in the cluster, `null` when it is not
    /// there: [`Rule::VARIABLES`]. It is asked whenever the object is judged. A change of nothing but the live status
    /// is no reason to judge it again, so what a condition says of that may count late.
    pub when: Option<Condition>,
}

impl Rule {
    /// What `when` may speak of.
    pub const VARIABLES: [&'static str; 2] = ["self", "live"];
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<Arc<str>>,
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
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if written.intent != Word::OwnedBy && (written.manager.is_some() || written.then.is_some()) {
            return Err("`manager` and `then` belong to `do: owned-by`".into());
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
            when,
            ..
        } = written;
        let compiled = when.map(|text| Condition::new(&text, &Self::VARIABLES));
        let when = compiled
            .transpose()
            .map_err(|error| format!("its `when`, {error}"))?;
        Ok(Self {
            id,
            kinds,
            path,
            intent,
            sensitive,
            when,
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
            when,
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
            when: when.map(|condition| condition.text().into()),
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
    /// True for objects that are meant.
    pub fn has(&self, object: &Object) -> bool {
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
    pub(super) fn weight(&self) -> u8 {
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
    pub(super) fn overlaps(&self, other: &Self) -> bool {
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
