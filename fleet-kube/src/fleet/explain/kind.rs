//! From a kind's name, as people write it, to the kind.

use fleet_core::{GroupKind, KindMap, Reason};

/// How alike two names must be to be meant, from 0 to 1.
pub(super) const ALIKE: f64 = 0.8;
/// Most names in an answer.
pub(super) const NAMED_MAX: usize = 5;

/// The kind that `word` means: a kind, its plural or a short name, with or without its group, in any case of letters. Where several
/// groups have one of that name, the core group's.
///
/// # Errors
/// When it means none, with names that are alike; or several.
pub(super) fn resolve(kinds: &KindMap, coming: &[GroupKind], word: &str) -> Result<GroupKind, Reason> {
    let (name, group) = word.split_once('.').unwrap_or((word, ""));
    let plural = |kind: &GroupKind| kinds.get(kind).map_or("", |info| info.plural.as_str());
    let is_short = |kind: &GroupKind| {
        let short = kinds.get(kind).map_or(&[][..], |info| &info.short_names);
        short.iter().any(|short| short.eq_ignore_ascii_case(name))
    };
    let is_named = |kind: &GroupKind| {
        kind.kind().eq_ignore_ascii_case(name) || plural(kind).eq_ignore_ascii_case(name) || is_short(kind)
    };
    let is_meant =
        |kind: &GroupKind| is_named(kind) && (group.is_empty() || kind.group().eq_ignore_ascii_case(group));
    let mut all: Vec<&GroupKind> = kinds.kinds.keys().chain(coming).collect();
    all.sort();
    all.dedup();
    let meant: Vec<&GroupKind> = all.iter().filter(|kind| is_meant(kind)).copied().collect();
    let core = meant.iter().find(|kind| kind.group().is_empty());
    match (&*meant, core) {
        ([only], _) | (_, Some(only)) => Ok((*only).clone()),
        ([], _) => Err(unknown(word, &like(name, &all, plural), kinds)),
        (several, None) => {
            let names = listed(several);
            let message = format!("`{word}` may be one of {names}: name it with its group");
            Err(Reason::new("ambiguous-kind", message))
        }
    }
}

/// Kinds with a name like this one, the most alike first.
fn like<'a>(name: &str, all: &[&'a GroupKind], plural: impl Fn(&GroupKind) -> &'a str) -> Vec<&'a GroupKind> {
    let name = name.to_ascii_lowercase();
    let alike = |kind: &GroupKind| {
        let names = [
            kind.kind().to_ascii_lowercase(),
            plural(kind).to_ascii_lowercase(),
        ];
        let found = names.iter().map(|other| strsim::jaro_winkler(&name, other));
        found.fold(0.0, f64::max)
    };
    let mut found: Vec<(f64, &GroupKind)> = all.iter().map(|kind| (alike(kind), *kind)).collect();
    found.retain(|(alike, _)| *alike >= ALIKE);
    found.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    found.truncate(NAMED_MAX);
    found.into_iter().map(|(_, kind)| kind).collect()
}

fn unknown(word: &str, like: &[&GroupKind], kinds: &KindMap) -> Reason {
    let mut words = vec![format!("there is no kind `{word}` here")];
    if !like.is_empty() {
        words.push(format!("there is {}", listed(like)));
    }
    if !kinds.incomplete.is_empty() {
        let groups: Vec<&str> = kinds.incomplete.iter().map(String::as_str).collect();
        words.push(format!(
            "what groups {} have could not be found out",
            groups.join(", ")
        ));
    }
    Reason::new("no-such-kind", words.join("; "))
}

fn listed(kinds: &[&GroupKind]) -> String {
    let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use fleet_core::KindInfo;

    use super::*;

    fn kinds() -> KindMap {
        let mut map = KindMap::default();
        for (group, kind, plural) in [
            ("", "Service", "services"),
            ("", "Event", "events"),
            ("events.k8s.io", "Event", "events"),
            ("apps", "Deployment", "deployments"),
            ("a.example.com", "Database", "databases"),
            ("b.example.com", "Database", "databases"),
        ] {
            let mut info = KindInfo::new(plural, true, ["v1".to_owned()]);
            if kind == "Deployment" {
                info.short_names.push("deploy".to_owned());
            }
            map.kinds.insert(GroupKind::new(group, kind), info);
        }
        map
    }

    #[test]
    fn names_are_understood_as_people_write_them() {
        let coming = [GroupKind::new("example.com", "Queue")];
        for (word, expect) in [
            ("Deployment", "Deployment.apps"),
            ("deployments", "Deployment.apps"),
            ("DEPLOYMENT.apps", "Deployment.apps"),
            ("service", "Service"),
            ("deploy", "Deployment.apps"),
            ("event", "Event"),
            ("events.events.k8s.io", "Event.events.k8s.io"),
            ("database.b.example.com", "Database.b.example.com"),
            ("queue", "Queue.example.com"),
        ] {
            let found = resolve(&kinds(), &coming, word).unwrap();
            assert_eq!(found.to_string(), expect, "{word}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_answered_with_what_could() {
        for (word, code, expect) in [
            (
                "deplyoment",
                "no-such-kind",
                "there is no kind `deplyoment` here; there is Deployment.apps",
            ),
            ("zebra", "no-such-kind", "there is no kind `zebra` here"),
            (
                "deployment.extensions",
                "no-such-kind",
                "there is no kind `deployment.extensions` here; there is Deployment.apps",
            ),
            (
                "databases",
                "ambiguous-kind",
                "`databases` may be one of Database.a.example.com, Database.b.example.com: name it with its group",
            ),
        ] {
            let reason = resolve(&kinds(), &[], word).unwrap_err();
            assert_eq!((&*reason.code, reason.message.as_str()), (code, expect), "{word}");
        }
    }

    #[test]
    fn an_incomplete_discovery_is_told() {
        let mut kinds = kinds();
        kinds.incomplete.insert("metrics.k8s.io".to_owned());
        let reason = resolve(&kinds, &[], "nodemetrics").unwrap_err();
        assert!(reason.message.contains("groups metrics.k8s.io"), "{reason}");
    }
}
