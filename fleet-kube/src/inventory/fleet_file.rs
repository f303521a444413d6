//! `fleet.yaml`: the settings of a directory inventory.

use std::fmt;

use fleet_core::{Adoption, DeleteBudget, EngineOptions, GroupKind, InventoryId, Millis, Propagation};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::files::Settings;

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
    /// What happens to objects that exist and are not ours: `refuse` (default), `adopt-equal` or `adopt`.
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
        }
    }
}

impl FleetFile {
    /// The engine's options these settings ask for.
    pub fn options(&self) -> EngineOptions {
        let mut options = EngineOptions::default();
        options.default_namespace.clone_from(&self.default_namespace);
        options.adoption = self.adoption;
        options.permitted_kinds = self.deletes.iter().cloned().collect();
        options.guarded = self.guarded.iter().cloned().collect();
        options.budget = self.budgets.target;
        options.propagation = self.propagation;
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

/// Kinds as people write them.
fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GroupKind>, D::Error> {
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

    let kinds = Vec::<Kind>::deserialize(deserializer)?;
    Ok(kinds.into_iter().map(|Kind(kind)| kind).collect())
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
    use std::path::Path;

    use super::*;
    use crate::files::read_settings;

    fn read(text: &str) -> Result<FleetFile, String> {
        read_settings(Path::new("fleet.yaml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_setting_is_read() {
        let text = "inventory: shop\ndefaultNamespace: shop\nempty: [eu-7]\nadoption: adopt-equal\n\
                    deletes: [Namespace, CustomResourceDefinition.apiextensions.k8s.io]\nguarded: [Secret]\n\
                    budgets:\n  target: {count: 50, percent: 10, floor: 5, window: 30m}\n  fleet: {count: 200}\n\
                    propagation: foreground\n";
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
            ("empty: eu-7\n", "fleet.yaml:1:"),
            ("empty: [a\n", "fleet.yaml:"),
        ];
        for (text, expect) in cases {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expect), "{text:?}: {error}");
        }
    }
}
