//! Random histories against a plain map, stopped after any request; two writers; damage; real sizes.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;
use proptest::prelude::*;

use super::{Blob, BlobName, Prefix, ShardRequest, ShardWrites, Shards};
use crate::{
    ClusterId, Entry, EntryState, InventoryId, LedgerAnswer, LedgerContent, LedgerWrite, Remedy, Scope,
    Spent, Target, Tick,
};

/// A store with the conditions of a real one. A replace by the same text keeps the version, as API servers do.
#[derive(Clone, Default)]
struct Store {
    blobs: BTreeMap<BlobName, (u64, String)>,
    clock: u64,
}

/// The store refused: another writer was there.
#[derive(Debug)]
struct Refused;

impl Store {
    fn send(&mut self, request: ShardRequest<'_>) -> Result<String, Refused> {
        self.clock += 1;
        let now = self.clock;
        let current = |name: &BlobName| self.blobs.get(name).map(|(version, _)| version.to_string());
        match request {
            ShardRequest::Create { name, text } => {
                if self.blobs.contains_key(&name) {
                    return Err(Refused);
                }
                self.blobs.insert(name, (now, text.to_owned()));
            }
            ShardRequest::Replace { name, text, version } => {
                if current(&name).as_deref() != Some(version.as_str()) {
                    return Err(Refused);
                }
                if let Some(blob) = self.blobs.get_mut(&name).filter(|blob| blob.1 != text) {
                    *blob = (now, text.to_owned());
                }
                return current_version(&self.blobs, name);
            }
            ShardRequest::Delete { name, version } => {
                if current(&name).as_deref() != Some(version.as_str()) {
                    return Err(Refused);
                }
                self.blobs.remove(&name);
            }
        }
        Ok(now.to_string())
    }

    fn read(&self, bytes_max: usize) -> Shards {
        let blobs = self.blobs.iter();
        let blobs = blobs
            .map(|(name, (version, text))| Blob::new(*name, version.to_string().as_str(), text.as_str()));
        Shards::read(&target(), bytes_max, blobs)
    }

    fn answer(&self) -> LedgerAnswer {
        self.read(0).answer()
    }

    fn record(&mut self, shards: Shards, writes: &[LedgerWrite]) -> (Shards, usize) {
        let mut writes = shards.write(writes).unwrap();
        let mut requests = 0;
        while let Some(request) = writes.next_request() {
            let version = self.send(request).unwrap();
            writes.done(version.as_str());
            requests += 1;
        }
        (writes.finish().unwrap(), requests)
    }

    fn shard_names(&self) -> BTreeSet<BlobName> {
        self.blobs.keys().copied().collect()
    }
}

fn current_version(blobs: &BTreeMap<BlobName, (u64, String)>, name: BlobName) -> Result<String, Refused> {
    blobs
        .get(&name)
        .map(|(version, _)| version.to_string())
        .ok_or(Refused)
}

fn target() -> Target {
    Target::new(ClusterId::new("c-1"), InventoryId::new("fleet").unwrap())
}

fn key(n: u16) -> ObjectKey {
    ObjectKey::new("apps", "Deployment", Some("shop"), &format!("web-{n}"))
}

fn entry(n: u16, generation: u32, note_bytes: usize) -> Entry {
    let mut entry = Entry::new(key(n), "v1");
    entry.uid = Some(format!("u{generation}").as_str().into());
    entry.state = if generation.is_multiple_of(3) {
        EntryState::Deleting
    } else {
        EntryState::Owned
    };
    entry.note = (note_bytes > 0).then(|| "x".repeat(note_bytes));
    entry
}

/// Shards of about this many entries.
const SMALL: usize = 900;

fn content(answer: &LedgerAnswer) -> LedgerContent {
    match answer {
        LedgerAnswer::Known(content) => content.clone(),
        LedgerAnswer::Absent => LedgerContent::default(),
        LedgerAnswer::Lost(reason) => panic!("{reason}"),
    }
}

#[derive(Clone, Debug)]
struct Record {
    writes: Vec<LedgerWrite>,
    /// Stop before this request.
    crash: Option<usize>,
    /// Read again before it, although nothing failed.
    restart: bool,
}

fn writes(keys: u16, most: usize, clears: bool) -> impl Strategy<Value = Vec<LedgerWrite>> {
    let key_range = 0..keys;
    let write = prop_oneof![
        60 => (key_range.clone(), any::<u32>(), 0_usize..200).prop_map(|(n, g, note)| LedgerWrite::Put(entry(n, g, note))),
        30 => key_range.prop_map(|n| LedgerWrite::Remove(key(n))),
        5 => prop::collection::vec((0_u64..100, 1_u32..9), 0..4)
            .prop_map(|list| LedgerWrite::Window(list.into_iter().map(|(t, n)| Spent::new(Tick(t), n)).collect())),
        u32::from(clears) * 2 => Just(LedgerWrite::Clear),
    ];
    prop::collection::vec(write, 0..most)
}

fn record() -> impl Strategy<Value = Record> {
    let sizes = prop_oneof![3 => writes(60, 6, true), 1 => writes(60, 60, true)];
    (sizes, prop::option::weighted(0.4, 0_usize..12), any::<bool>()).prop_map(|(writes, crash, restart)| {
        Record {
            writes,
            crash,
            restart,
        }
    })
}

/// What a record may do to what the store means, judged after each of its requests.
fn check_step(before: &LedgerAnswer, now: &LedgerAnswer, wanted: &LedgerContent, writes: &[LedgerWrite]) {
    let clears = writes.contains(&LedgerWrite::Clear);
    match now {
        LedgerAnswer::Lost(reason) => panic!("lost: {reason}"),
        LedgerAnswer::Absent => assert!(clears || *before == LedgerAnswer::Absent),
        LedgerAnswer::Known(now) if clears || *before == LedgerAnswer::Absent => {
            assert!(*now == *wanted || *now == content(before));
        }
        LedgerAnswer::Known(now) => {
            let before = content(before);
            assert!(now.window == before.window || now.window == wanted.window);
            let keys: BTreeSet<&ObjectKey> = now
                .entries
                .keys()
                .chain(before.entries.keys())
                .chain(wanted.entries.keys())
                .collect();
            for key in keys {
                let found = now.entries.get(key);
                assert!(
                    found == before.entries.get(key) || found == wanted.entries.get(key),
                    "{key}"
                );
            }
        }
    }
}

fn run_history(history: &[Record]) {
    let mut store = Store::default();
    let mut shards = store.read(SMALL);
    for record in history {
        if record.restart {
            shards = store.read(SMALL);
        }
        let before = store.answer();
        let mut wanted = content(&before);
        for write in &record.writes {
            wanted.apply(write);
        }
        let names = store.shard_names();
        let whole = store.clone();

        let mut plan = shards.write(&record.writes).unwrap();
        let (mut sent, mut crashed) = (0, false);
        while let Some(request) = plan.next_request() {
            if record.crash == Some(sent) {
                crashed = true;
                break;
            }
            let version = store.send(request).unwrap();
            plan.done(version.as_str());
            sent += 1;
            check_step(&before, &store.answer(), &wanted, &record.writes);
        }
        for (name, (_, text)) in &store.blobs {
            assert!(text.len() <= SMALL, "{name} has {} bytes", text.len());
        }
        if crashed {
            assert!(plan.finish().is_none());
            shards = store.read(SMALL);
            continue;
        }
        shards = plan.finish().unwrap();
        assert_eq!(content(&store.answer()), wanted);
        assert_eq!(shards.answer(), store.answer());
        let unmarked = |name: &BlobName| {
            !whole
                .blobs
                .get(name)
                .is_some_and(|blob| blob.1.contains("\"split\""))
        };
        if before != LedgerAnswer::Absent
            && names == store.shard_names()
            && names.iter().all(unmarked)
            && !record.writes.contains(&LedgerWrite::Clear)
        {
            let changed = names
                .iter()
                .filter(|name| whole.blobs[name] != store.blobs[name])
                .count();
            assert_eq!(sent, changed, "one request for each shard that changes");
        }
        // The same once more changes nothing.
        let (again, requests) = store
            .clone()
            .record(store.read(SMALL), &idempotent(&record.writes));
        assert!(requests == 0, "{requests}");
        assert_eq!(again.answer(), store.answer());
    }
}

/// The writes that say the same when repeated on their own result: the last one of each key.
fn idempotent(writes: &[LedgerWrite]) -> Vec<LedgerWrite> {
    let last_clear = writes
        .iter()
        .rposition(|write| *write == LedgerWrite::Clear)
        .map_or(0, |at| at + 1);
    let writes = &writes[last_clear..];
    let subject = |write: &LedgerWrite| match write {
        LedgerWrite::Put(entry) => Some(entry.key.clone()),
        LedgerWrite::Remove(key) => Some(key.clone()),
        LedgerWrite::Window(_) | LedgerWrite::Clear => None,
    };
    let last = |at: usize| {
        writes[at + 1..]
            .iter()
            .all(|later| subject(later) != subject(&writes[at]))
    };
    (0..writes.len())
        .filter(|at| last(*at))
        .map(|at| writes[at].clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_crash_between_any_two_requests_loses_and_resurrects_nothing(history in prop::collection::vec(record(), 1..14)) {
        run_history(&history);
    }

    #[test]
    fn two_writers_never_lose_anything_in_silence(
        steps in prop::collection::vec((any::<bool>(), 0_u8..10, writes(40, 25, false)), 1..120),
    ) {
        run_two_writers(&steps);
    }
}

#[derive(Default)]
struct Writer {
    idle: Option<Shards>,
    busy: Option<(ShardWrites, Vec<LedgerWrite>)>,
    /// What the other one changed since this one last read or changed it. Nobody can notice that before the next
    /// write to the same shard.
    overtaken: BTreeSet<Option<ObjectKey>>,
}

fn run_two_writers(steps: &[(bool, u8, Vec<LedgerWrite>)]) {
    let mut store = Store::default();
    let mut writers = [Writer::default(), Writer::default()];
    for (who, dice, writes) in steps {
        let writer = &mut writers[usize::from(*who)];
        let Some((plan, recording)) = &mut writer.busy else {
            // Mostly from memory, sometimes read anew.
            let shards = writer.idle.take().filter(|_| *dice > 0).unwrap_or_else(|| {
                writer.overtaken.clear();
                store.read(SMALL)
            });
            writer.busy = Some((shards.write(writes).unwrap(), writes.clone()));
            continue;
        };
        let before = store.answer();
        let Some(request) = plan.next_request() else {
            writer.idle = writer.busy.take().and_then(|(plan, _)| plan.finish());
            continue;
        };
        let Ok(version) = store.send(request) else {
            *writer = Writer::default();
            continue;
        };
        plan.done(version.as_str());
        let now = store.answer();
        if matches!(now, LedgerAnswer::Lost(_)) {
            // A contradiction is noticed: people decide.
            return;
        }
        // The meaning may change only towards what this writer records.
        let (mut wanted, found) = (content(&before), content(&now));
        for write in &*recording {
            wanted.apply(write);
        }
        check_step(&before, &now, &wanted, recording);
        if plan.next_request().is_none() {
            let missing: Vec<_> = differences(&found, &wanted)
                .difference(&writer.overtaken)
                .cloned()
                .collect();
            assert!(
                missing.is_empty(),
                "a record that succeeds is in force: {missing:?}"
            );
        }
        let changed = differences(&content(&before), &found);
        writer.overtaken.retain(|subject| !changed.contains(subject));
        writers[usize::from(!*who)].overtaken.extend(changed);
    }
}

/// The keys whose entries differ; none stands for the window.
fn differences(one: &LedgerContent, other: &LedgerContent) -> BTreeSet<Option<ObjectKey>> {
    let keys = one.entries.keys().chain(other.entries.keys());
    let mut differ: BTreeSet<_> = keys
        .filter(|key| one.entries.get(key) != other.entries.get(key))
        .cloned()
        .map(Some)
        .collect();
    if one.window != other.window {
        differ.insert(None);
    }
    differ
}

#[test]
fn ten_thousand_entries_stay_within_the_limit() {
    let kinds = [
        "apps/Deployment",
        "/ConfigMap",
        "rbac.authorization.k8s.io/RoleBinding",
        "monitoring.example.com/ServiceMonitor",
    ];
    let entries = (0..10_000).map(|n| {
        let path = format!("{}/team-{}/service-{n}-worker", kinds[n % kinds.len()], n % 40);
        let mut entry = Entry::new(path.parse().unwrap(), "v1");
        entry.uid = Some(format!("8e1f1f0c-5a3b-4c39-9f0e-{n:012}").as_str().into());
        entry.state = EntryState::Owned;
        LedgerWrite::Put(entry)
    });
    let puts: Vec<LedgerWrite> = entries.collect();
    let mut store = Store::default();
    let (shards, requests) = store.record(store.read(Shards::BYTES_MAX), &puts);
    assert!(
        store
            .blobs
            .values()
            .all(|(_, text)| text.len() <= Shards::BYTES_MAX)
    );
    let bytes = store.blobs.values().map(|(_, text)| text.len()).sum::<usize>();
    assert!(bytes / 10_000 < 140, "{bytes}: about 120 bytes an entry");
    assert!(
        (16..=33).contains(&store.blobs.len()),
        "{} blobs for {bytes} bytes",
        store.blobs.len()
    );
    assert_eq!(requests, store.blobs.len() + 1, "each shard once, the head twice");
    assert_eq!(content(&shards.answer()).entries.len(), 10_000);

    let (_, requests) = store.record(
        shards,
        &[LedgerWrite::Remove(
            "apps/Deployment/team-0/service-0-worker".parse().unwrap(),
        )],
    );
    assert_eq!(requests, 1);

    // One by one, as an inventory grows: the same content, and never a blob too large.
    let mut grown = Store::default();
    let mut shards = grown.read(Shards::BYTES_MAX);
    for some in puts.chunks(100) {
        shards = grown.record(shards, some).0;
        assert!(
            grown
                .blobs
                .values()
                .all(|(_, text)| text.len() <= Shards::BYTES_MAX)
        );
    }
    let removed = 1;
    assert_eq!(
        content(&grown.answer()).entries.len(),
        content(&store.answer()).entries.len() + removed
    );
}

#[test]
fn shards_have_room_for_the_uids_that_come_later() {
    let put = |uid: Option<usize>| -> Vec<LedgerWrite> {
        (0..5000u16)
            .map(|n| {
                let mut entry = Entry::new(key(n), "v1");
                entry.uid = uid.map(|first| {
                    format!("{:08x}-1111-2222-3333-444455556666", first + usize::from(n))
                        .as_str()
                        .into()
                });
                LedgerWrite::Put(entry)
            })
            .collect()
    };
    let mut store = Store::default();
    // They come one part after the other, as listings do.
    let mut shards = store.read(super::SHARD_BYTES_MAX);
    for part in put(None).chunks(700) {
        (shards, _) = store.record(shards, part);
    }
    let names = store.shard_names();
    assert!(names.len() > 4, "several shards: {names:?}");
    let (_, requests) = store.record(shards, &put(Some(7)));
    assert_eq!(store.shard_names(), names);
    assert_eq!(requests, names.len() - 1, "each shard once, and not the head");
}

#[test]
fn an_entry_too_large_is_refused_before_anything_is_sent() {
    let fault = Store::default()
        .read(SMALL)
        .write(&[LedgerWrite::Put(entry(1, 1, 2 * SMALL))])
        .err()
        .unwrap();
    assert_eq!(fault.remedy, Remedy::Invalid);
    assert!(fault.message.contains("web-1"), "{fault}");
}

#[test]
fn damage_is_a_loss_and_a_lost_ledger_is_built_anew_only_on_purpose() {
    let mut good = Store::default();
    let shards = good.read(SMALL);
    let puts: Vec<LedgerWrite> = (0..30).map(|n| LedgerWrite::Put(entry(n, 1, 0))).collect();
    good.record(shards, &puts);
    let first = *good.blobs.keys().find(|name| **name != BlobName::Head).unwrap();
    let second = *good.blobs.keys().rfind(|name| **name != first).unwrap();
    let BlobName::Shard(first_prefix) = first else {
        panic!()
    };
    let inside = BlobName::Shard(first_prefix.halves().unwrap()[1]);

    type Damage<'a> = Box<dyn Fn(&mut Store) + 'a>;
    let edit = |name: BlobName, from: &'static str, to: &'static str| -> Damage<'_> {
        Box::new(move |store| {
            let text = &mut store.blobs.get_mut(&name).unwrap().1;
            assert!(text.contains(from), "{text}");
            *text = text.replacen(from, to, 1);
        })
    };
    let cases: Vec<(&str, &str, Damage<'_>)> = vec![
        (
            "no head",
            "ledger-incomplete",
            Box::new(|store| drop(store.blobs.remove(&BlobName::Head))),
        ),
        (
            "a shard is missing",
            "ledger-incomplete",
            Box::new(|store| drop(store.blobs.remove(&first))),
        ),
        (
            "the last shard is missing",
            "ledger-incomplete",
            Box::new(|store| drop(store.blobs.remove(&second))),
        ),
        (
            "only the head",
            "ledger-incomplete",
            Box::new(|store| store.blobs.retain(|name, _| *name == BlobName::Head)),
        ),
        (
            "a newer head",
            "ledger-format-unknown",
            edit(BlobName::Head, "\"format\":1", "\"format\":2"),
        ),
        (
            "a newer shard",
            "ledger-format-unknown",
            edit(first, "\"format\":1", "\"format\":2"),
        ),
        (
            "an unknown field",
            "ledger-unreadable",
            edit(first, "\"prefix\"", "\"more\":1,\"prefix\""),
        ),
        ("not JSON", "ledger-unreadable", edit(first, "{", "")),
        (
            "a wrong state",
            "ledger-unreadable",
            edit(first, "\"s\":\"o\"", "\"s\":\"hunter2\""),
        ),
        (
            "another cluster",
            "ledger-of-another-target",
            edit(first, "c-1", "c-2"),
        ),
        (
            "another inventory",
            "ledger-of-another-target",
            edit(BlobName::Head, "fleet", "other"),
        ),
        (
            "another scope",
            "ledger-of-another-target",
            edit(second, "\"cluster\",\"prefix\"", "\"x\",\"prefix\""),
        ),
        (
            "another shard's content",
            "ledger-unreadable",
            Box::new(|store| store.blobs.get_mut(&first).unwrap().1 = store.blobs[&second].1.clone()),
        ),
        (
            "another shard's entries",
            "ledger-unreadable",
            Box::new(|store| {
                let text = store.blobs[&second].1.clone();
                let BlobName::Shard(prefix) = second else { panic!() };
                let claim = |p: Prefix| format!("\"prefix\":\"{p}\"");
                store.blobs.get_mut(&first).unwrap().1 = text.replace(&claim(prefix), &claim(first_prefix));
            }),
        ),
        (
            "parts of a shard that is not split",
            "ledger-contradiction",
            Box::new(|store| {
                store.blobs.insert(inside, (999, String::new()));
            }),
        ),
    ];
    for (name, code, damage) in cases {
        let mut store = good.clone();
        damage(&mut store);
        match store.answer() {
            LedgerAnswer::Lost(reason) => {
                assert_eq!(reason.code, code, "{name}: {reason}");
                assert!(!reason.to_string().contains("hunter2"), "{reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
        let put = LedgerWrite::Put(entry(1, 1, 0));
        let fault = store.read(SMALL).write(std::slice::from_ref(&put)).err().unwrap();
        assert_eq!(fault.remedy, Remedy::Conflict, "{name}");
        let (shards, _) = store.record(store.read(SMALL), &[LedgerWrite::Clear, put]);
        assert_eq!(shards.answer(), store.answer(), "{name}");
        assert_eq!(content(&store.answer()).entries.len(), 1, "{name}");
    }
}

#[test]
fn a_ledger_belongs_to_one_scope() {
    let mut store = Store::default();
    let shards = store.read(SMALL);
    store.record(shards, &[LedgerWrite::Put(entry(1, 1, 0))]);
    let mut narrow = target();
    narrow.scope = Scope::Namespaces(BTreeSet::from(["shop".to_owned()]));
    let blobs = store
        .blobs
        .iter()
        .map(|(name, (_, text))| Blob::new(*name, "1", text.as_str()));
    assert!(matches!(
        Shards::read(&narrow, SMALL, blobs).answer(),
        LedgerAnswer::Lost(_)
    ));
}
