//! Other values for a place: different ones, and different words for the same.

use serde_json::{Value, json};

use super::{place::get, schema::Sort, site::Site};
use crate::random::Random;

/// A value that is not what is there, and as a rule valid.
pub(super) fn other(document: &Value, site: &Site, random: &mut Random) -> Option<Value> {
    let now = get(document, &site.place)?;
    let choices: Vec<&Value> = site.enumerated.iter().filter(|value| *value != now).collect();
    if !site.enumerated.is_empty() {
        return random.pick(&choices).map(|value| (*value).clone());
    }
    Some(match &site.sort {
        Sort::Text => other_text(site, now.as_str()?, random),
        Sort::Bytes => json!(if random.once_in(2) { "b3RoZXI=" } else { "eA==" }),
        Sort::Integer | Sort::Number => {
            let step = i64::try_from(random.below(3)).unwrap_or(0) + 1;
            json!(now.as_i64()? + step)
        }
        Sort::Truth => json!(!now.as_bool()?),
        Sort::Quantity => {
            let texts = ["3", "250m", "1500m", "96Mi", "2Gi", "1G", "0.75"];
            let now = now.as_str().map_or_else(|| now.to_string(), str::to_owned);
            let others: Vec<&&str> = texts
                .iter()
                .filter(|text| **text != now && alike(text, &now))
                .collect();
            json!(random.pick(&others)?)
        }
        Sort::IntOrString => match now {
            Value::Number(number) => json!(number.as_i64()? + 1),
            Value::String(text) if text.ends_with('%') => {
                json!(if text == "40%" { "30%" } else { "40%" })
            }
            _ => json!(8086),
        },
        Sort::Time | Sort::Mapping { .. } | Sort::List(_) | Sort::Unknown => return None,
    })
}

/// Both are of bytes, or neither.
fn alike(one: &str, other: &str) -> bool {
    let of_bytes = |text: &str| text.ends_with(['i', 'G', 'M', 'K', 'k', 'T']);
    of_bytes(one) == of_bytes(other)
}

fn other_text(site: &Site, now: &str, random: &mut Random) -> Value {
    let number = random.below(90) + 10;
    match site.name() {
        "image" => json!(format!("registry.example.net/other:1.{number}")),
        "clusterIP" | "ip" | "podIP" | "hostIP" => json!(format!("10.9.8.{number}")),
        "path" | "mountPath" if now.starts_with('/') => json!(format!("{now}/x{number}")),
        "schedule" => json!(format!("{} 4 * * *", number % 60)),
        "timeZone" => json!("Etc/UTC"),
        "host" | "dnsName" => json!(format!("h{number}.example.net")),
        _ if now.ends_with('s') && now[..now.len() - 1].parse::<u32>().is_ok() => json!(format!("{number}s")),
        _ if now.parse::<i64>().is_ok() => json!(number.to_string()),
        _ if now.len() > 40 || now.is_empty() => json!(format!("other-{number}")),
        _ if now
            .chars()
            .all(|c| c.is_ascii_alphabetic() && c.is_uppercase() || c == '_') =>
        {
            json!(format!("{now}_X"))
        }
        _ => json!(format!("{now}-{number}")),
    }
}

/// The same quantity in other words.
pub(super) fn same_quantity(now: &Value, random: &mut Random) -> Option<Value> {
    let text = now.as_str().map_or_else(|| now.to_string(), str::to_owned);
    let mut words: Vec<Value> = Vec::new();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if let Ok(whole) = number.parse::<u64>() {
        match unit {
            "" => {
                words.push(json!(whole));
                words.push(json!(whole.to_string()));
                words.push(json!(format!("{whole}.0")));
                words.push(json!(format!("{whole}000m")));
                words.push(json!(format!("{whole}e0")));
                words.push(json!(format!("+{whole}")));
            }
            "m" => {
                words.push(json!(format!("{whole}000u")));
                words.push(json!(format!("{whole}.0m")));
                words.push(json!(format!("{whole}e-3")));
                if whole % 1000 == 0 {
                    words.push(json!(whole / 1000));
                }
                if whole % 100 == 0 {
                    words.push(json!(format!("{}.{}", whole / 1000, whole % 1000 / 100)));
                    words.push(json!(tenths(whole / 100)));
                }
            }
            "Mi" => {
                words.push(json!(format!("{}Ki", whole * 1024)));
                words.push(json!((whole * 1024 * 1024).to_string()));
                words.push(json!(whole * 1024 * 1024));
            }
            "Gi" => {
                words.push(json!(format!("{}Mi", whole * 1024)));
                words.push(json!(format!("{whole}.0Gi")));
                words.push(json!((whole * 1024 * 1024 * 1024).to_string()));
            }
            "M" => words.push(json!(format!("{}k", whole * 1000))),
            "G" => {
                words.push(json!(format!("{}M", whole * 1000)));
                words.push(json!(format!("{whole}e9")));
                words.push(json!(format!("{whole}E9")));
            }
            _ => {}
        }
    }
    words.retain(|word| word != now);
    random.pick(&words).cloned()
}

/// So many tenths as a number with a fraction.
fn tenths(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(0)) / 10.0
}
