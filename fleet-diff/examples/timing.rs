//! Development: times of recorded cases.
use std::{fs, hint::black_box};
fn cpu() -> u64 {
    fs::read_to_string("/proc/self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}
use fleet_diff::{Apply, Document, Object, Rules, Schemas};
use serde_json::{Value, json};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let dir = &args[1];
    let read = |p: &str| fs::read_to_string(p).unwrap();
    let facts: Document = read(&format!("{dir}/types.json")).parse().unwrap();
    let mut docs = vec![];
    for f in fs::read_dir(format!("{dir}/openapi")).unwrap() {
        let d: Document = fs::read_to_string(f.unwrap().path()).unwrap().parse().unwrap();
        if d.root()
            .get("components")
            .and_then(|c| c.get("schemas"))
            .is_some()
        {
            docs.push(d);
        }
    }
    let schemas = Schemas::default().with_native(&docs, &facts).unwrap();
    let mut cases = vec![];
    for line in read(&args[2]).lines() {
        let c: Value = serde_json::from_str(line).unwrap();
        if c["live"].is_null() || c["kind"] != json!(args[3]) {
            continue;
        }
        let live = Object::from_json(c["live"].clone()).unwrap();
        let desired = Object::from_json(c["desired"].clone()).unwrap();
        live.root();
        desired.root();
        if c["answer"]["status"] == json!(200) {
            let after = Object::from_json(c["answer"]["object"].clone()).unwrap();
            after.root();
            cases.push((
                desired.clone(),
                after,
                c["manager"].as_str().unwrap().to_owned(),
                true,
                true,
                c["desired"].to_string(),
                c["answer"]["object"].to_string(),
            ));
        }
        let kept = false;
        cases.push((
            desired,
            live,
            c["manager"].as_str().unwrap().to_owned(),
            c["force"] == json!(true),
            kept,
            c["desired"].to_string(),
            c["live"].to_string(),
        ));
    }
    let bytes: usize = cases.iter().map(|c| c.6.len()).sum::<usize>() / cases.len().max(1);
    println!("{} cases, mean live {bytes} B", cases.len());
    let rules = Rules::none();
    for (name, filter) in [("same", Some(true)), ("changed", Some(false)), ("all", None)] {
        let some: Vec<_> = cases.iter().filter(|c| filter.is_none_or(|f| f == c.4)).collect();
        if some.is_empty() {
            continue;
        }
        for what in ["parse", "validate+predict", "decide"] {
            let n = 20;
            let t = cpu();
            for _ in 0..n {
                for c in &some {
                    match what {
                        "parse" => {
                            black_box(c.5.parse::<Document>().unwrap());
                            black_box(c.6.parse::<Document>().unwrap());
                        }
                        "validate+predict" => {
                            black_box(
                                Apply::new(&c.0, &c.2, &schemas)
                                    .to(Some(&c.1))
                                    .force(c.3)
                                    .predict(),
                            );
                        }
                        _ => {
                            black_box(
                                Apply::new(&c.0, &c.2, &schemas)
                                    .to(Some(&c.1))
                                    .force(c.3)
                                    .rules(&rules)
                                    .decide()
                                    .action(),
                            );
                        }
                    }
                }
            }
            println!(
                "{name:8} {what:18} {:8.1} µs",
                (cpu() - t) as f64 / 1e3 / (n * some.len()) as f64
            );
        }
    }
}
