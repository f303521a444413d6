//! What two tables say differently, as text.

use std::{collections::BTreeMap, fmt::Write as _};

/// The lines that only one of two texts has, ordered by what they are about. Each line of a text stands for itself, and
/// what it is about is before its first colon.
pub(crate) fn between(before: &str, after: &str) -> String {
    let (mut kept, mut now) = (by_subject(before), by_subject(after));
    kept.retain(|subject, line| now.get(subject) != Some(line) || now.remove(subject).is_none());
    let mut subjects: Vec<_> = kept.keys().chain(now.keys()).collect();
    subjects.sort();
    subjects.dedup();
    let mut out = String::new();
    for subject in subjects {
        for (sign, lines) in [("-", &kept), ("+", &now)] {
            if let Some(line) = lines.get(subject) {
                // Writing to a text does not fail.
                let _ = writeln!(out, "{sign} {line}");
            }
        }
    }
    if out.is_empty() {
        out.push_str("the same, written otherwise\n");
    }
    out
}

fn by_subject(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .map(|line| (line.split(": ").next().unwrap_or(line), line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn lines_about_the_same_stand_together() {
        let before = "gate A\ngate B\nx.Thing: struct\nx.Thing.size: int32\nx.Thing.text: text\n";
        let after = "gate B\ngate C\nx.Thing: struct\nx.Thing.size: *int32\nx.Thing.text: text\n";
        let expected = "- gate A\n+ gate C\n- x.Thing.size: int32\n+ x.Thing.size: *int32\n";
        assert_eq!(between(before, after), expected);
        assert_eq!(between(after, after), "the same, written otherwise\n");
    }
}
