//! Amounts of resources, such as CPU and memory.

use std::{collections::BTreeMap, fmt, sync::Arc};

use fleet_diff::{Quantity, QuantityError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Amounts by resource, as integers that are never negative: `cpu` in thousandths of a core, everything else in whole
/// units (bytes, pods, devices), both rounded up as Kubernetes does. A resource that is not named has the amount 0.
///
/// One unit for each resource, whichever way its quantity was written: `500M` and `16Gi` can be compared.
///
/// ```
/// use fleet_core::Resources;
///
/// let needs: Resources = serde_json::from_str(r#"{"cpu": "1500m", "memory": "2Gi", "nvidia.com/gpu": 1}"#)?;
/// assert_eq!(needs.get("cpu"), 1_500);
/// assert_eq!(needs.get("memory"), 2_147_483_648);
/// assert_eq!(needs.to_string(), "cpu 1500m, memory 2Gi, nvidia.com/gpu 1");
/// assert!(serde_json::from_str::<Resources>(r#"{"cpu": "-1"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Resources(BTreeMap<Arc<str>, i64>);

/// Why an amount cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAmount {
    /// It is below zero.
    #[error("{resource}: {text} is negative")]
    Negative {
        /// Of which resource.
        resource: String,
        /// What it says.
        text: String,
    },
    /// It is more than can be counted in the unit of this resource.
    #[error("{resource}: {text} is too large to be counted: {most} is the most")]
    TooLarge {
        /// Of which resource.
        resource: String,
        /// What it says.
        text: String,
        /// The most there may be of this resource.
        most: String,
    },
    /// It is no quantity.
    #[error("{resource}: {text:?} is not a quantity, such as 500m, 2 or 16Gi")]
    NotAQuantity {
        /// Of which resource.
        resource: String,
        /// What it says.
        text: String,
    },
}

impl Resources {
    /// Nothing of anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an amount in the unit of this resource.
    ///
    /// # Errors
    /// When it is negative.
    pub fn set(&mut self, resource: &str, amount: i64) -> Result<(), InvalidAmount> {
        if amount < 0 {
            return Err(InvalidAmount::Negative {
                resource: resource.to_owned(),
                text: amount.to_string(),
            });
        }
        self.0.insert(resource.into(), amount);
        Ok(())
    }

    /// Sets an amount from a quantity such as `500m` or `16Gi`.
    ///
    /// # Errors
    /// When it is no quantity, negative, or more than [`i64::MAX`] in the unit of this resource: nothing is cut down in
    /// silence, although servers do so.
    pub fn set_quantity(&mut self, resource: &str, text: &str) -> Result<(), InvalidAmount> {
        let wrong = |error: fn(String, String) -> InvalidAmount| error(resource.to_owned(), text.to_owned());
        let negative = || wrong(|resource, text| InvalidAmount::Negative { resource, text });
        let too_large = || InvalidAmount::TooLarge {
            resource: resource.to_owned(),
            text: text.to_owned(),
            most: amount(resource, i64::MAX),
        };
        let quantity: Quantity =
            text.trim()
                .parse()
                .map_err(|error: QuantityError| match error.is_too_large() {
                    true if text.trim().starts_with('-') => negative(),
                    true => too_large(),
                    false => wrong(|resource, text| InvalidAmount::NotAQuantity { resource, text }),
                })?;
        let amount = if in_thousandths(resource) {
            quantity.milli_value()
        } else {
            quantity.value()
        };
        if amount < 0 {
            return Err(negative());
        }
        if quantity.is_capped() {
            return Err(too_large());
        }
        let amount = i64::try_from(amount).map_err(|_| too_large())?;
        self.0.insert(resource.into(), amount);
        Ok(())
    }

    /// With an amount from a quantity.
    ///
    /// # Errors
    /// As [`set_quantity`](Self::set_quantity).
    pub fn with(mut self, resource: &str, text: &str) -> Result<Self, InvalidAmount> {
        self.set_quantity(resource, text)?;
        Ok(self)
    }

    /// How much of it, in its unit; 0 of what is not named.
    pub fn get(&self, resource: &str) -> i64 {
        self.0.get(resource).copied().unwrap_or(0)
    }

    /// Whether this resource is named, be it with 0.
    pub fn names(&self, resource: &str) -> bool {
        self.0.contains_key(resource)
    }

    /// All that are named, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.0.iter().map(|(name, amount)| (name, *amount))
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both together; none when that cannot be counted any more.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Option<Self> {
        for (name, amount) in other.iter() {
            let sum = self.get(name).checked_add(amount)?;
            self.0.insert(Arc::clone(name), sum);
        }
        Some(self)
    }

    /// So many times as much; none when that cannot be counted any more.
    #[must_use]
    pub fn times(&self, times: u64) -> Option<Self> {
        let times = i64::try_from(times).ok()?;
        self.iter()
            .map(|(name, amount)| Some((Arc::clone(name), amount.checked_mul(times)?)))
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Adds these. What cannot be counted any more stays at [`i64::MAX`]: for sums of what others have written, where one
    /// of them must not spoil the sum.
    pub fn grow(&mut self, by: &Self) {
        for (name, amount) in by.iter() {
            let sum = self.0.entry(Arc::clone(name)).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    /// Raises each amount to at least that of these.
    pub fn raise_to(&mut self, least: &Self) {
        for (name, amount) in least.iter() {
            let raised = self.0.entry(Arc::clone(name)).or_default();
            *raised = amount.max(*raised);
        }
    }

    /// What is left when these are taken away, of what is named here; 0 where more is taken than there is.
    #[must_use]
    pub fn less(&self, taken: &Self) -> Self {
        let left = |(name, amount): (&Arc<str>, i64)| {
            let left = amount.saturating_sub(taken.get(name)).max(0);
            (Arc::clone(name), left)
        };
        Self(self.iter().map(left).collect())
    }

    /// How often `needs` fits into this; none when nothing is needed.
    pub fn fits(&self, needs: &Self) -> Option<u64> {
        let fits = |(name, need): (&Arc<str>, i64)| self.get(name).checked_div(need);
        needs
            .iter()
            .filter_map(fits)
            .min()
            .map(|times| u64::try_from(times).unwrap_or(0))
    }
}

/// Whether a resource is counted in thousandths: CPU, and what a quota counts of it.
fn in_thousandths(resource: &str) -> bool {
    matches!(resource, "cpu" | "requests.cpu" | "limits.cpu")
}

/// An amount of a resource for people: `1500m`, `2Gi`, `110`.
pub fn amount(resource: &str, amount: i64) -> String {
    const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    if in_thousandths(resource) {
        return match amount % 1000 {
            0 => (amount / 1000).to_string(),
            _ => format!("{amount}m"),
        };
    }
    let is_bytes = ["memory", "storage", "hugepages-"]
        .iter()
        .any(|word| resource.contains(word));
    let (mut rest, mut suffix) = (amount, "");
    for binary in BINARY {
        if !is_bytes || rest == 0 || rest % 1024 != 0 {
            break;
        }
        (rest, suffix) = (rest / 1024, binary);
    }
    format!("{rest}{suffix}")
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {}", amount(name, value))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, value)| (name, amount(name, value))))
    }
}

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(serde_json::Number),
            Text(String),
        }
        let mut resources = Self::new();
        for (name, written) in BTreeMap::<String, Written>::deserialize(deserializer)? {
            let text = match written {
                Written::Number(number) => number.to_string(),
                Written::Text(text) => text,
            };
            resources.set_quantity(&name, &text).map_err(D::Error::custom)?;
        }
        Ok(resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Resources {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        let check = |resource: &str, text: &str, expect: Result<i64, &str>| {
            let set = Resources::new().with(resource, text);
            let got = set
                .map(|set| set.get(resource))
                .map_err(|error| error.to_string());
            assert_eq!(got, expect.map_err(str::to_owned), "{resource} {text}");
        };
        let most = i64::MAX;
        check("memory", "7Ei", Ok(7 << 60));
        check("memory", "9223372036854775807", Ok(most));
        check("cpu", "9223372036854775807m", Ok(most));
        check(
            "memory",
            "9999999999Ei",
            Err("memory: 9999999999Ei is too large to be counted: 9223372036854775807 is the most"),
        );
        check(
            "memory",
            "8Ei",
            Err("memory: 8Ei is too large to be counted: 9223372036854775807 is the most"),
        );
        check(
            "pods",
            "9223372036854775808",
            Err("pods: 9223372036854775808 is too large to be counted: 9223372036854775807 is the most"),
        );
        check(
            "x",
            "9e40",
            Err("x: 9e40 is too large to be counted: 9223372036854775807 is the most"),
        );
        check(
            "cpu",
            "9999999999Ei",
            Err("cpu: 9999999999Ei is too large to be counted: 9223372036854775807m is the most"),
        );
        check(
            "cpu",
            "1e18",
            Err("cpu: 1e18 is too large to be counted: 9223372036854775807m is the most"),
        );
        check(
            "memory",
            "-9999999999Ei",
            Err("memory: -9999999999Ei is negative"),
        );
        check("memory", "-9e40", Err("memory: -9e40 is negative"));
        check(
            "memory",
            "9e41",
            Err("memory: 9e41 is too large to be counted: 9223372036854775807 is the most"),
        );
    }

    #[test]
    fn sums_and_rests() {
        type Change = fn(&mut Resources, &Resources);
        let cases: [(Change, &str, &str, &str); 7] = [
            (
                Resources::grow,
                r#"{"cpu": "1"}"#,
                r#"{"cpu": "500m", "pods": 1}"#,
                "cpu 1500m, pods 1",
            ),
            (
                Resources::grow,
                r#"{"x": 9223372036854775807}"#,
                r#"{"x": 1}"#,
                "x 9223372036854775807",
            ),
            (
                Resources::raise_to,
                r#"{"cpu": 1, "x": 7}"#,
                r#"{"cpu": 2, "x": 3}"#,
                "cpu 2, x 7",
            ),
            (Resources::raise_to, "{}", r#"{"x": 0}"#, "x 0"),
            (
                |a, b| *a = a.less(b),
                r#"{"cpu": 2, "x": 1}"#,
                r#"{"cpu": "500m"}"#,
                "cpu 1500m, x 1",
            ),
            (|a, b| *a = a.less(b), r#"{"x": 1}"#, r#"{"x": 2, "y": 1}"#, "x 0"),
            (|a, b| *a = a.less(b), "{}", r#"{"y": 1}"#, ""),
        ];
        for (change, before, by, expect) in cases {
            let mut amounts = read(before);
            change(&mut amounts, &read(by));
            assert_eq!(amounts.to_string(), expect, "{before} {by}");
        }
    }
}
