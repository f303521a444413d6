//! Development: replays recorded cases.
use fleet_diff::{Apply, Document, Object, Prediction, Schemas, json_changes};
use serde_json::{Value, json};
use std::{collections::BTreeMap, collections::BTreeSet, fs};

fn strip(mut v: Value, create: bool) -> (Value, BTreeSet<String>) {
    let mut set = BTreeSet::new();
    if let Some(m) = v["metadata"].as_object_mut() {
        for f in ["resourceVersion", "generation"] {
            m.remove(f);
        }
        if create {
            for f in ["uid", "creationTimestamp"] {
                m.remove(f);
            }
        }
        if let Some(Value::Array(list)) = m.remove("managedFields") {
            for mut e in list {
                e.as_object_mut().unwrap().remove("time");
                set.insert(e.to_string());
            }
        }
    }
    (v, set)
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let dir = &args[1];
    let read = |p: &str| fs::read_to_string(p).unwrap();
    let facts: Document = read(&format!("{dir}/types.json")).parse().unwrap();
    let mut docs = vec![];
    for f in fs::read_dir(format!("{dir}/openapi")).unwrap() {
        let p = f.unwrap().path();
        let d: Document = fs::read_to_string(&p).unwrap().parse().unwrap();
        if d.root()
            .get("components")
            .and_then(|c| c.get("schemas"))
            .is_some()
        {
            docs.push(d);
        }
    }
    let mut schemas = Schemas::default().with_native(&docs, &facts).unwrap();
    let crds: Value = serde_json::from_str(&read(&args[3])).unwrap();
    let list = crds
        .as_array()
        .cloned()
        .unwrap_or_else(|| crds["items"].as_array().unwrap().clone());
    for crd in list
        .into_iter()
        .filter(|c| c["kind"] == "CustomResourceDefinition")
    {
        schemas = schemas.with_crd(&Object::from_json(crd).unwrap()).unwrap();
    }
    let policies: Vec<Object> = args
        .get(6)
        .map(|p| {
            serde_json::from_str::<Vec<Value>>(&read(p))
                .unwrap()
                .into_iter()
                .map(|v| Object::from_json(v).unwrap())
                .collect()
        })
        .unwrap_or_default();
    let admission = fleet_diff::Admission::from_objects(policies.iter());
    let limit: usize = args.get(4).and_then(|a| a.parse().ok()).unwrap_or(10);
    let only = args.get(5).cloned();
    let mut table: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    let mut shown = 0;
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    let mut signatures: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for line in read(&args[2]).lines() {
        let c: Value = serde_json::from_str(line).unwrap();
        let class = c["class"].as_str().unwrap().to_owned();
        let live = (!c["live"].is_null()).then(|| Object::from_json(c["live"].clone()).unwrap());
        let desired = Object::from_json(c["desired"].clone()).unwrap();
        let p = Apply::new(&desired, c["manager"].as_str().unwrap(), &schemas)
            .to(live.as_ref())
            .force(c["force"] == json!(true))
            .admitted_by(&admission)
            .predict();
        let status = c["answer"]["status"].as_u64().unwrap();
        {
            let none = fleet_diff::Rules::none();
            let d = Apply::new(&desired, c["manager"].as_str().unwrap(), &schemas)
                .to(live.as_ref())
                .force(c["force"] == json!(true))
                .rules(&none)
                .admitted_by(&admission)
                .decide();
            let expect = match c["answer"]["effect"].as_str() {
                Some("nothing") => "none",
                Some("owners") => "adopt",
                Some("content") => {
                    if live.is_none() {
                        "create"
                    } else {
                        "update"
                    }
                }
                _ => "",
            };
            let act = d.action().to_string();
            if !expect.is_empty() && act != "unsure" && act != expect {
                println!("ACTION {act} expected {expect} {} #{}", c["kind"], c["number"]);
            }
            let fields = d.fields();
            for f in &fields {
                *verdicts.entry(f.verdict.to_string()).or_insert(0usize) += 1;
                if f.verdict == fleet_diff::Verdict::ForeignUnknownWriter
                    && verdicts["foreign-unknown-writer"] < 30
                {
                    println!("unknown writer {} {}", c["kind"], f.path);
                }
                if f.verdict == fleet_diff::Verdict::ForeignUnknownWriter {
                    *unknown
                        .entry(format!("{} {}", c["kind"].as_str().unwrap(), f.path))
                        .or_insert(0usize) += 1;
                }
            }
            let changed = fields.iter().any(|f| f.verdict.is_change());
            if act == "update" && !changed {
                println!(
                    "UPDATE without change {} #{} {:?}",
                    c["kind"], c["number"], c["path"]
                );
            }
            if (act == "none" || act == "adopt") && changed {
                println!(
                    "{act} with change {} #{} {:?}",
                    c["kind"],
                    c["number"],
                    d.changes()
                );
            }
        }
        let row = table.entry(class.clone()).or_default();
        row[0] += 1;
        let mut why = vec![];
        let create = live.is_none();
        match (&p, status) {
            (Prediction::Unsure(d), _) => {
                row[2] += 1;
                why.push(format!("unsure {d}"));
            }
            (Prediction::Object(o), 200 | 201) => {
                let (_, am) = strip(o.to_json(), create);
                let server = Object::from_json(c["answer"]["object"].clone()).unwrap();
                let a = fleet_diff::comparable(o, o);
                let (_, bm) = strip(c["answer"]["object"].clone(), create);
                let b = fleet_diff::comparable(&server, o);
                for ch in json_changes(&a, &b) {
                    why.push(format!(
                        "{}: predicted {} server {}",
                        ch.path,
                        ch.before.map_or("-".into(), |v| v.to_string()),
                        ch.after.map_or("-".into(), |v| v.to_string())
                    ));
                }
                for m in am.difference(&bm) {
                    why.push(format!("managers predicted {m}"));
                }
                for m in bm.difference(&am) {
                    why.push(format!("managers server    {m}"));
                }
            }
            (Prediction::Conflicts(p), 409) => {
                let a: BTreeSet<(String, String)> = p
                    .iter()
                    .map(|c| (c.manager.clone(), c.path.to_string()))
                    .collect();
                let b: BTreeSet<(String, String)> = c["answer"]["conflicts"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|c| {
                        (
                            c[0].as_str().unwrap().to_owned(),
                            c[1].as_str().unwrap().to_owned(),
                        )
                    })
                    .collect();
                if a != b {
                    why.push(format!("conflicts predicted {a:?} server {b:?}"));
                }
            }
            (Prediction::Refused(_) | Prediction::Blocked(_), s) if s >= 400 => {
                row[4] += 1;
            }
            (p, s) => {
                let p = match p {
                    Prediction::Object(_) => "object".into(),
                    p => format!("{p:?}"),
                };
                why.push(format!(
                    "predicted {p}, server {s} {} {}",
                    c["answer"]["message"], c["answer"]["conflicts"]
                ));
            }
        }
        if matches!(p, Prediction::Unsure(_)) {
            if shown < limit {
                shown += 1;
                println!("{class} {} {}: {why:?}", c["kind"], c["number"]);
            }
            continue;
        }
        if why.is_empty() {
            row[1] += 1;
        } else {
            row[3] += 1;
            let sig = format!(
                "{} {}",
                c["kind"].as_str().unwrap_or(""),
                why[0].chars().take(150).collect::<String>()
            );
            let e = signatures
                .entry(sig)
                .or_insert((0, c["number"].as_u64().unwrap()));
            e.0 += 1;
            if shown < limit
                && only
                    .as_ref()
                    .is_none_or(|o| c["kind"].as_str().unwrap().contains(o.as_str()))
            {
                shown += 1;
                println!(
                    "--- {class} {} {} #{} {}",
                    c["kind"], c["path"], c["number"], c["desired"]["metadata"]["name"]
                );
                for w in why.iter().take(6) {
                    println!("    {}", w.chars().take(400).collect::<String>());
                }
            }
        }
    }
    println!("{verdicts:?}");
    let mut u: Vec<_> = unknown.into_iter().collect();
    u.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (k, n) in u.iter().take(40) {
        println!("  unknown {n} {k}");
    }
    println!("{:40} cases agree unsure wrong refused", "class");
    for (k, r) in &table {
        println!("{k:40} {:5} {:5} {:5} {:5} {:5}", r[0], r[1], r[2], r[3], r[4]);
    }
    let mut s: Vec<_> = signatures.into_iter().collect();
    s.sort_by_key(|(_, n)| std::cmp::Reverse(n.0));
    for (sig, n) in s.iter().take(400) {
        println!("{:4} (#{}) {sig}", n.0, n.1);
    }
}
