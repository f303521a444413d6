//! Real manifests are made true as a plain client would make them true, upgrades and their reversal included.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fleet_core::{
    ClusterId, DeleteBudget, EngineOptions, GUARDED_KINDS, GroupKind, Inventory, InventoryId, Marks, Object,
    ObjectKey, Reason, Status, Target,
};
use fleet_harness::{Cluster, Kind, Need, Options, User, not_run};
use fleet_kube::{Fleet, LEDGER_NAMESPACE, Wave};
use fleet_suites::{
    Bed, Settable,
    manifests::{Checked, MANAGER, Outcome, Plain, Set, SetVersion, all, converged, judge_again},
    on_kind,
};
use tokio::time::Instant;

/// How long one version may take on our side.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long both sides may take to look the same then: controllers are at work.
const ALIKE: Duration = Duration::from_secs(20);

/// How long a claim may take to be bound.
const BINDING: Duration = Duration::from_secs(10);

/// Pairs of clusters that are worked on at a time, and sets that share a pair.
const AT_ONCE: usize = 2;
const SETS_A_CLUSTER: usize = 6;

/// What the suite asks of its clusters.
const NEEDS: [Need; 2] = [Need::Controllers, Need::Own];

#[test]
fn every_set_is_made_true_as_by_a_plain_client_in_process() {
    every_set("every set in this process", Kind::InProcess);
}

#[test]
fn every_set_is_made_true_as_by_a_plain_client() {
    every_set("every set on real servers", Kind::Real);
}

fn every_set(name: &str, kind: Kind) {
    if let Some(why) = kind.hindrance(&NEEDS).unwrap() {
        return not_run(name, &why);
    }
    let (sets, absent) = all();
    let mut kinds: BTreeSet<GroupKind> = BTreeSet::new();
    let mut objects = 0;
    for set in &sets {
        objects += set.identities().len();
        kinds.extend(set.kinds());
    }
    say(&format!(
        "{:<28} {:>7} {:>8} {:>7} {:>9} {:>12} {:>7} {:>9} {:>7} {:>7}",
        "set",
        "objects",
        "accepted",
        "refused",
        "converged",
        "not answered",
        "same",
        "adopted",
        "mutated",
        "seconds"
    ));
    let only = std::env::var("FLEET_SETS").ok().filter(|names| !names.is_empty());
    let is_wanted = |set: &&Set| {
        only.as_ref()
            .is_none_or(|names| names.split(',').any(|name| name == set.name))
    };
    let groups = side_by_side(sets.iter().filter(is_wanted));
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    on_kind(name, kind, &NEEDS, async |kind| {
                        let pair = Cluster::start_all(kind, ["ours", "reference"].map(Options::new)).unwrap();
                        for set in group {
                            let found = one_set(set, &pair).await;
                            wrong.lock().unwrap().extend(found);
                        }
                    });
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    say(&format!(
        "{} sets, {objects} objects of {} kinds",
        sets.len(),
        kinds.len()
    ));
    for what in absent {
        say(&format!("absent: {what}"));
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Groups of sets that share a cluster: no object is in two of them, and no set leaves discovery incomplete.
fn side_by_side<'a>(sets: impl Iterator<Item = &'a Set>) -> Vec<Vec<&'a Set>> {
    let breaks_discovery = |set: &Set| set.kinds().iter().any(|kind| kind.kind() == "APIService");
    let mut groups: Vec<(BTreeSet<String>, Vec<&Set>)> = Vec::new();
    for set in sets {
        let names = set.names();
        let fits = |taken: &BTreeSet<String>, group: &[&Set]| {
            group.len() < SETS_A_CLUSTER
                && !breaks_discovery(set)
                && !group.iter().any(|other| breaks_discovery(other))
                && names.is_disjoint(taken)
        };
        match groups.iter_mut().find(|(taken, group)| fits(taken, group)) {
            Some((taken, group)) => {
                taken.extend(names);
                group.push(set);
            }
            None => groups.push((names, vec![set])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Says something that is to be read also when the test passes.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
}

/// What differs between a server kept by the reconciler and one on which a plain client did the same.
async fn one_set(set: &Set, pair: &[Cluster]) -> Vec<String> {
    let bed = Bed::new(pair);
    let ours = Bed::new(&pair[..1]);
    let client = async |name| bed.client(name, User::Someone).await;
    let mut reference = Plain::new(client("reference").await, set.default_namespace).await;
    let mut onlooker = Plain::new(client("ours").await, set.default_namespace).await;
    let listed = set.versions.iter().flat_map(|version| &version.objects);
    if !listed
        .map(Object::key)
        .any(|key| key.is("", "Namespace") && key.name() == set.default_namespace)
    {
        reference.namespace(set.default_namespace).await;
        onlooker.namespace(set.default_namespace).await;
    }
    let mut wrong = Vec::new();
    // Up, and down again.
    let back = &set.versions[..set.versions.len() - 1];
    let last = set.versions.len() + back.len() - 1;
    for (step, version) in set.versions.iter().chain(back).enumerate() {
        let begin = std::time::Instant::now();
        let label = format!(
            "{} {}{}",
            set.name,
            version.name,
            if step > 1 { " again" } else { "" }
        );
        let mut differences = Vec::new();
        let revision = format!("step-{step}");
        let (plain, (status, marks)) = tokio::join!(
            reference.make_true(&version.objects),
            make_true(&ours, set, version, &revision)
        );
        compare_refusals(&plain, &status, version, &mut differences);
        compare_keys(&mut reference, &mut onlooker, version, &mut differences).await;
        for side in [&reference, &onlooker] {
            await_bound(side, &version.objects).await;
        }
        let (mut same, mut unanswered) = (0, 0);
        for object in &version.objects {
            let key = onlooker.key(object);
            if status.refused.contains_key(&key) || status.blocked.contains_key(&key) {
                continue;
            }
            match converged(&onlooker, object, &marks).await {
                Checked::Converged => same += 1,
                Checked::NotAnswered(why) => {
                    unanswered += 1;
                    say(&format!("  not answered: {key}: {why}"));
                }
                Checked::Differs(places) => {
                    differences.push(format!("{key} has not converged: {}", places.join("; ")));
                }
            }
        }
        let accepted = version
            .objects
            .iter()
            .filter(|object| plain.accepted.contains(&reference.key(object)));
        let accepted: Vec<&Object> = accepted.collect();
        let mut again = judge_again(client("reference").await, &reference, &accepted, MANAGER).await;
        if step == last {
            // Somebody else takes over: ownership changes once, and nothing else.
            let newcomer = judge_again(client("reference").await, &reference, &accepted, "newcomer").await;
            again.add(newcomer);
        }
        differences.append(&mut again.wrong);
        again
            .unsettled
            .iter()
            .for_each(|what| say(&format!("  the server would change it too: {what}")));
        say(&format!(
            "{label:<28} {:>7} {:>8} {:>7} {same:>9} {unanswered:>12} {:>7} {:>9} {:>7} {:>7.1}",
            version.objects.len(),
            plain.accepted.len(),
            plain.refused.len(),
            again.unchanged,
            again.adopted,
            again.mutated,
            begin.elapsed().as_secs_f64()
        ));
        for what in differences {
            say(&format!("  {what}"));
            wrong.push(format!("{label}: {what}"));
        }
    }
    wrong
}

/// A new process of the reconciler makes a version true.
async fn make_true(bed: &Bed, set: &Set, version: &SetVersion, revision: &str) -> (Status, Marks) {
    let inventory = Inventory::new(revision, version.objects.iter().cloned()).unwrap();
    let default_namespace = set.default_namespace.to_owned();
    let fleet = bed
        .fleet_of(&set.name, Settable::new(inventory.snapshot()))
        .options(move |_| options(&default_namespace))
        .budget(DeleteBudget::unlimited())
        .wave(Wave::All)
        .read_interval(Duration::from_secs(1))
        .build()
        .unwrap();
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    let status = settled(&fleet).await;
    let cluster = fleet.kept()[0].connection.cluster().clone();
    task.abort();
    (status, marks(&set.name, cluster))
}

fn options(default_namespace: &str) -> EngineOptions {
    let mut options = EngineOptions::default();
    default_namespace.clone_into(&mut options.default_namespace);
    options.permitted_kinds = GUARDED_KINDS
        .iter()
        .map(|(group, kind)| GroupKind::new(*group, *kind))
        .collect();
    options.budget = DeleteBudget::unlimited();
    options
}

fn marks(inventory: &str, cluster: ClusterId) -> Marks {
    let target = Target::new(cluster, InventoryId::new(inventory).unwrap());
    Marks::new(&EngineOptions::default().domain, &target)
}

/// Waits until everything is done that can be done, deletes confirmed.
async fn settled(fleet: &Fleet) -> Status {
    let deadline = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < deadline {
        if let [one] = &fleet.kept()[..] {
            let status = one.driver.status().await.expect("the driver runs");
            if status.converged
                && status.deleting.is_empty()
                && status.waiting.is_empty()
                && status.pending.is_empty()
            {
                return status;
            }
            last = Some(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not settled: {last:#?}");
}

/// The same objects are refused, with the same words.
fn compare_refusals(plain: &Outcome, status: &Status, version: &SetVersion, differences: &mut Vec<String>) {
    let ours: BTreeMap<&ObjectKey, &Reason> = status.refused.iter().chain(&status.blocked).collect();
    for (key, refused) in &plain.refused {
        match ours.get(key) {
            // A plain client sends what is there already, and fails when a webhook is down; we send nothing.
            None if refused.message.contains("failed calling webhook")
                && !status.pending.contains_key(key) => {}
            None => differences.push(format!(
                "{key} was refused only there: {} {}",
                refused.code, refused.message
            )),
            // What is not served is found out without asking.
            Some(reason) if matches!(&*reason.code, "kind-not-served" | "version-not-served") => {
                if refused.code != 404 {
                    differences.push(format!(
                        "{key}: {reason} here, {} {} there",
                        refused.code, refused.message
                    ));
                }
            }
            Some(reason) => {
                let said = words(reason);
                // Of a Secret's refusal the reconciler shows no values.
                let same = key.is("", "Secret") || says(&said, &refused.message);
                if !said.contains(&format!("({})", refused.code)) || !same {
                    differences.push(format!(
                        "{key}: {said} here, {} {} there",
                        refused.code, refused.message
                    ));
                }
            }
        }
    }
    for (key, reason) in ours {
        if !plain.refused.contains_key(key) {
            differences.push(format!("{key} was held back only here: {}", words(reason)));
        }
    }
    let known = plain.accepted.len() + plain.refused.len();
    if known != version.objects.len() {
        differences.push(format!("{} objects, {known} answers", version.objects.len()));
    }
}

/// A reason with all that stands behind it.
fn words(reason: &Reason) -> String {
    serde_json::to_string(reason).unwrap()
}

/// Whether a reason repeats a server's message, what each server chose by itself aside.
fn says(reason: &str, message: &str) -> bool {
    let quoted = serde_json::to_string(message).unwrap();
    let message = without_choices(quoted.trim_matches('"'));
    let beginning: String = message.chars().take(1000).collect();
    without_choices(reason).contains(&beginning)
}

/// A text without UIDs and cluster IPs.
fn without_choices(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-' || c == '.';
    let is_uid = |word: &str| word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let is_address = |word: &str| word.split('.').filter(|part| part.parse::<u8>().is_ok()).count() == 4;
    let words = text.split_inclusive(|c: char| !is_part(c));
    let plain = words.map(|word| {
        let name = word.trim_end_matches(|c: char| !is_part(c));
        if is_uid(name) || is_address(name) {
            word.replace(name, "CHOSEN")
        } else {
            word.to_owned()
        }
    });
    plain.collect()
}

/// The same objects are there in the end.
async fn compare_keys(
    reference: &mut Plain,
    ours: &mut Plain,
    version: &SetVersion,
    differences: &mut Vec<String>,
) {
    let listed: BTreeSet<ObjectKey> = version.objects.iter().map(|object| ours.key(object)).collect();
    let counts = |key: &ObjectKey| listed.contains(key) || !is_of_controllers(key);
    let deadline = Instant::now() + ALIKE;
    loop {
        let there = reference.keys().await;
        let mut here = ours.keys().await;
        here.retain(|key| {
            key.namespace() != Some(LEDGER_NAMESPACE)
                && !(key.is("", "Namespace") && key.name() == LEDGER_NAMESPACE)
        });
        let there: BTreeSet<ObjectKey> = there.into_iter().filter(counts).collect();
        here.retain(counts);
        if here == there {
            return;
        }
        if Instant::now() > deadline {
            differences.extend(
                there
                    .difference(&here)
                    .map(|key| format!("{key} is missing here")),
            );
            differences.extend(here.difference(&there).map(|key| format!("{key} is only here")));
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits for claims that name a volume to be bound, as far as they will be: what a server refuses to change of them
/// depends on it.
async fn await_bound(side: &Plain, objects: &[Object]) {
    let deadline = Instant::now() + BINDING;
    let names_volume = |object: &&Object| {
        object.key().is("", "PersistentVolumeClaim") && object.root().at(&["spec", "volumeName"]).is_some()
    };
    for claim in objects.iter().filter(names_volume) {
        while side
            .get(claim)
            .await
            .is_ok_and(|live| live["status"]["phase"] != "Bound")
            && Instant::now() < deadline
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Made or not made by controllers and API servers as their timing wants it.
fn is_of_controllers(key: &ObjectKey) -> bool {
    key.is("", "Endpoints")
        || key.is("coordination.k8s.io", "Lease") && key.namespace() == Some("kube-system")
}
