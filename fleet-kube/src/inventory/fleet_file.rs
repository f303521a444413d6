//! `fleet.yaml`: the settings of a directory inventory.

use std::{collections::BTreeMap, fmt, path::Path};

use fleet_core::{
    Adoption, DeleteBudget, DriftRule, EngineOptions, GroupKind, InventoryId, Limits, Maintenance, Millis,
    Propagation, Unhealthy,
};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::MANIFEST_BYTES_MAX;
use crate::{
    files::{FileError, Settings, read_settings, read_text},
    windows,
};

/// Settings of a directory inventory. Every field has a default; unknown fields are refused.
///
/// ```yaml
/// inventory: shop
/// defaultNamespace: shop
/// empty: [eu-7]                  # this cluster is meant to hold nothing
/// adoption: adopt-equal
/// deletes: [Namespace, CustomResourceDefinition.apiextensions.k8s.io]
/// guarded: [Secret, Database.example.com]
/// budgets:
///   target: {count: 50, percent: 10, floor: 5, window: 1h}
///   fleet: {count: 200}
/// propagation: foreground
/// strategies: {Widget.example.com: json-patch}
/// recreate: [Job.batch]
/// leaving: orphan
/// unhealthy: {wait: 10m, then: stop}
/// drift:
/// - {on: {kinds: [Deployment]}, writer: "kubectl-*", policy: report}
/// maintenance:
///   windows:
///   - {days: [mon, tue], from: "22:00", until: "04:00", timeZone: Europe/Berlin}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FleetFile {
    /// The inventory's id: a DNS label of at most 40 characters. Default: `fleet`.
    pub inventory: InventoryId,
    /// Namespace of namespaced objects that name none, a DNS label. Default: `default`.
    #[serde(deserialize_with = "namespace")]
    pub default_namespace: String,
    /// Clusters that are meant to hold nothing.
    pub empty: Vec<String>,
    /// What happens to objects that exist and are not ours: `refuse` (default), `adopt-equal`, `adopt` or `take-over`.
    pub adoption: Adoption,
    /// Kinds whose deletes are permitted although they take other things with them, such as `Namespace` or
    /// `CustomResourceDefinition.apiextensions.k8s.io`.
    #[serde(deserialize_with = "kinds")]
    pub deletes: Vec<GroupKind>,
    /// Further kinds whose deletes need such a permission.
    #[serde(deserialize_with = "kinds")]
    pub guarded: Vec<GroupKind>,
    /// How many deletes are allowed in a time.
    pub budgets: Budgets,
    /// What deletes do to dependents: `background` (default) or `foreground`.
    pub propagation: Propagation,
    /// How objects of these kinds are written: `server-side-apply` (default), `update`, `json-patch`, `merge-patch`,
    /// `create-only`, `read-only`, or a strategy of the program's own.
    #[serde(deserialize_with = "by_kind")]
    pub strategies: BTreeMap<GroupKind, String>,
    /// Kinds whose objects may be deleted and made again where they cannot be changed.
    #[serde(deserialize_with = "kinds")]
    pub recreate: Vec<GroupKind>,
    /// What becomes of ours in a cluster that leaves the fleet: `orphan` (default), let go of, or `delete`.
    pub leaving: Leaving,
    /// How long a wave, and what `depends-on` names, may take to be healthy, and what becomes then of what waits for it.
    pub unhealthy: Waiting,
    /// What is done about fields that somebody changed: `repair` (default), `report` or `tolerate`. Of these rules the first
    /// that is about a field counts.
    pub drift: Vec<DriftRule>,
    /// When clusters may be written to. Unlike the rest, these are no options of an engine: whoever makes the registry adds
    /// them to each cluster's own, by [`Maintenance::within`].
    #[serde(deserialize_with = "windows::maintenance")]
    pub maintenance: Maintenance,
}

/// Budgets of deletes. Each may have `count`, `percent` (of what is owned), `floor` (always allowed, whatever
/// `percent` says) and `window` (such as `30m` or `1h`); what is left out is as in [`DeleteBudget::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Budgets {
    /// For each cluster.
    #[serde(deserialize_with = "budget")]
    pub target: DeleteBudget,
    /// For all clusters together; none: what the fleet has by itself.
    #[serde(deserialize_with = "some_budget")]
    pub fleet: Option<DeleteBudget>,
}

/// What becomes of objects in a cluster that leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Leaving {
    /// They stay, without our marks and without a record.
    #[default]
    Orphan,
    /// They are deleted, within budgets and permissions.
    Delete,
}

/// What becomes of what waits for the health of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Waiting {
    /// How long, such as `10m`; by default as in [`Limits`].
    #[serde(deserialize_with = "span")]
    pub wait: Millis,
    /// And then: `stop` (default), or `go-on`.
    pub then: Unhealthy,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            wait: Limits::default().health_max,
            then: Unhealthy::default(),
        }
    }
}

impl Settings for FleetFile {}

impl Default for FleetFile {
    fn default() -> Self {
        let inventory =
            InventoryId::new("fleet").unwrap_or_else(|_| unreachable!("a fixed id that is valid"));
        Self {
            inventory,
            default_namespace: "default".to_owned(),
            empty: Vec::new(),
            adoption: Adoption::default(),
            deletes: Vec::new(),
            guarded: Vec::new(),
            budgets: Budgets::default(),
            propagation: Propagation::default(),
            strategies: BTreeMap::new(),
            recreate: Vec::new(),
            leaving: Leaving::default(),
            unhealthy: Waiting::default(),
            drift: Vec::new(),
            maintenance: Maintenance::default(),
        }
    }
}

impl FleetFile {
    /// The settings of a file anywhere, for sources that are no folder.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        Self::find(path).map(Option::unwrap_or_default)
    }

    /// The same; none where the file has no content.
    ///
    /// # Errors
    /// When it cannot be read or is not valid.
    pub fn find(path: impl AsRef<Path>) -> Result<Option<Self>, FileError> {
        let path = path.as_ref();
        read_settings(path, &read_text(path, MANIFEST_BYTES_MAX)?)
    }

    /// The engine's options these settings ask for.
    pub fn options(&self) -> EngineOptions {
        let mut options = EngineOptions::default();
        options.default_namespace.clone_from(&self.default_namespace);
        options.adoption = self.adoption;
        options.permitted_kinds = self.deletes.iter().cloned().collect();
        options.guarded = self.guarded.iter().cloned().collect();
        options.budget = self.budgets.target;
        options.propagation = self.propagation;
        options.strategies.clone_from(&self.strategies);
        options.clears = self.leaving == Leaving::Delete;
        options.limits.health_max = self.unhealthy.wait;
        options.unhealthy = self.unhealthy.then;
        options.drift.clone_from(&self.drift);
        options.recreate = self.recreate.iter().cloned().collect();
        options
    }
}

/// A DNS label.
fn namespace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let edges = text.bytes().next().is_some_and(inner) && text.bytes().last().is_some_and(inner);
    if edges && text.len() <= 63 && text.bytes().all(|byte| inner(byte) || byte == b'-') {
        Ok(text)
    } else {
        Err(D::Error::custom(format_args!(
            "`{text}` is not a namespace's name"
        )))
    }
}

/// A kind as people write it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind(GroupKind);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (kind, group) = text.split_once('.').unwrap_or((&text, ""));
        let starts_well = kind.starts_with(|c: char| c.is_ascii_uppercase());
        if starts_well && kind.chars().all(|c| c.is_ascii_alphanumeric()) && !text.ends_with('.') {
            Ok(Self(GroupKind::new(group, kind)))
        } else {
            Err(D::Error::custom(format_args!(
                "`{text}` is not a kind: write `Kind` or `Kind.group`"
            )))
        }
    }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GroupKind>, D::Error> {
    let kinds = Vec::<Kind>::deserialize(deserializer)?;
    Ok(kinds.into_iter().map(|Kind(kind)| kind).collect())
}

fn by_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<GroupKind, String>, D::Error> {
    let texts = BTreeMap::<Kind, String>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|(Kind(kind), text)| (kind, text)).collect())
}

/// A budget as people write it.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BudgetText {
    count: u32,
    percent: u32,
    floor: u32,
    window: Span,
}

impl Default for BudgetText {
    fn default() -> Self {
        let DeleteBudget {
            count,
            percent,
            floor,
            window,
            ..
        } = DeleteBudget::default();
        Self {
            count,
            percent,
            floor,
            window: Span(window),
        }
    }
}

impl From<BudgetText> for DeleteBudget {
    fn from(text: BudgetText) -> Self {
        let mut budget = Self::new(text.count, text.percent, text.floor);
        budget.window = text.window.0;
        budget
    }
}

fn budget<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DeleteBudget, D::Error> {
    BudgetText::deserialize(deserializer).map(Into::into)
}

fn some_budget<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DeleteBudget>, D::Error> {
    Ok(Option::<BudgetText>::deserialize(deserializer)?.map(Into::into))
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    Span::deserialize(deserializer).map(|Span(millis)| millis)
}

/// A span of time with a unit.
struct Span(Millis);

impl Span {
    const UNITS: [(&'static str, u64); 5] = [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];

    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let (_, factor) = Self::UNITS.iter().find(|(name, _)| *name == unit)?;
        let millis = number.parse::<u64>().ok()?.checked_mul(*factor)?;
        (millis > 0).then_some(Self(Millis(millis)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            struct Units;
            impl fmt::Display for Units {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let names = Span::UNITS.map(|(name, _)| name);
                    f.write_str(&names.join(", "))
                }
            }
            D::Error::custom(format_args!(
                "`{text}` is not a span of time: write a whole number and one of {Units}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FleetFile, String> {
        let found = read_settings(Path::new("fleet.yaml"), text).map_err(|error| error.to_string())?;
        Ok(found.unwrap_or_default())
    }

    #[test]
    fn every_setting_is_read() {
        let text = "inventory: shop\ndefaultNamespace: shop\nempty: [eu-7]\nadoption: adopt-equal\n\
                    deletes: [Namespace, CustomResourceDefinition.apiextensions.k8s.io]\nguarded: [Secret]\n\
                    budgets:\n  target: {count: 50, percent: 10, floor: 5, window: 30m}\n  fleet: {count: 200}\n\
                    propagation: foreground\nstrategies: {Widget.example.com: json-patch}\n\
                    recreate: [Job.batch]\nunhealthy: {wait: 90s, then: go-on}\ndrift: [{writer: a*, policy: report}]\n";
        let file = read(text).unwrap();
        assert_eq!(
            (file.inventory.as_str(), file.empty),
            ("shop", vec!["eu-7".to_owned()])
        );
        let file = read(text).unwrap();
        let options = file.options();
        assert_eq!(
            (options.default_namespace.as_str(), options.adoption),
            ("shop", Adoption::AdoptEqual)
        );
        let crd = GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition");
        assert_eq!(
            options.permitted_kinds,
            [GroupKind::new("", "Namespace"), crd].into()
        );
        assert_eq!(options.guarded, [GroupKind::new("", "Secret")].into());
        assert_eq!(options.propagation, Propagation::Foreground);
        let widget = GroupKind::new("example.com", "Widget");
        assert_eq!(options.strategies, [(widget, "json-patch".to_owned())].into());
        assert_eq!(options.recreate, [GroupKind::new("batch", "Job")].into());
        assert_eq!(
            (options.unhealthy, options.limits.health_max),
            (Unhealthy::GoOn, Millis::from_secs(90))
        );
        assert_eq!(options.drift[0].writer.as_deref(), Some("a*"));
        let mut budget = DeleteBudget::new(50, 10, 5);
        budget.window = Millis::from_mins(30);
        assert_eq!(options.budget, budget);
        let fleet = file.budgets.fleet.unwrap();
        let default = DeleteBudget::default();
        assert_eq!(
            (fleet.count, fleet.percent, fleet.window),
            (200, default.percent, default.window)
        );

        assert_eq!(read("").unwrap(), FleetFile::default());
        assert_eq!(read("budgets:\n  fleet:\n").unwrap(), FleetFile::default());
    }

    #[test]
    fn mistakes_have_a_line() {
        let cases = [
            ("invenotry: a\n", "fleet.yaml:1: unknown field `invenotry`"),
            (
                "inventory: Shop_1\n",
                "fleet.yaml:1: `Shop_1` is not an inventory id",
            ),
            (
                "\ndefaultNamespace: a.b\n",
                "fleet.yaml:2: `a.b` is not a namespace's name",
            ),
            ("adoption: force\n", "fleet.yaml:1: unknown variant `force`"),
            (
                "deletes:\n- Namespace\n- pods\n",
                "fleet.yaml:3: `pods` is not a kind",
            ),
            ("guarded: [A.]\n", "fleet.yaml:1: `A.` is not a kind"),
            ("budgets:\n  target:\n    count: -1\n", "fleet.yaml:3:"),
            (
                "budgets:\n  target:\n    max: 1\n",
                "fleet.yaml:3: unknown field `max`",
            ),
            (
                "budgets:\n  fleet: {window: 3600}\n",
                "fleet.yaml:2: `3600` is not a span of time",
            ),
            (
                "budgets:\n  fleet: {window: 0s}\n",
                "fleet.yaml:2: `0s` is not a span of time",
            ),
            ("propagation: orphan\n", "fleet.yaml:1: unknown variant `orphan`"),
            (
                "strategies: {pods: update}\n",
                "fleet.yaml:1: `pods` is not a kind",
            ),
            (
                "drift:\n- policy: ignore\n",
                "fleet.yaml:2: unknown variant `ignore`",
            ),
            ("drift: [{fields: [spec]}]\n", "fleet.yaml:1:"),
            ("empty: eu-7\n", "fleet.yaml:1:"),
            ("empty: [a\n", "fleet.yaml:"),
        ];
        for (text, expect) in cases {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expect), "{text:?}: {error}");
        }
    }
}
