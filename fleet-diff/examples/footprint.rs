//! What objects take: memory of each, and the time to read one. The argument is a folder of manifests, to which is
//! added what a server adds, or a file with one object a line.
//!
//! `cargo run --release -p fleet-diff --features yaml --example footprint -- tests/fixtures`

use std::{error::Error, fs, hint::black_box, path::Path, time::Instant};

use fleet_diff::{Object, ReadLimits, read_objects};
use serde_json::{Map, Value, json};

/// How often each object is read.
const COPIES: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let from = std::env::args().nth(1).unwrap_or_else(|| "tests/fixtures".into());
    if Path::new(&from).is_file() {
        let text = fs::read_to_string(&from)?;
        return report(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    let mut found = Vec::new();
    read(Path::new(&from), &mut found)?;
    report(&found.iter().enumerate().map(|(i, value)| as_live(value.clone(), i).to_string()).collect::<Vec<_>>())
}

fn read(folder: &Path, found: &mut Vec<Value>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let objects = read_objects(&fs::read_to_string(&path)?, &ReadLimits::default())?;
            found.extend(objects.iter().map(|located| located.object.to_json()));
        }
    }
    Ok(())
}

/// With what a server adds to every object.
fn as_live(mut value: Value, number: usize) -> Value {
    let mut fields = fields_of(&value);
    for identity in ["f:apiVersion", "f:kind"] {
        fields.remove(identity);
    }
    let api_version = value["apiVersion"].clone();
    let metadata = &mut value["metadata"];
    metadata["uid"] = json!(format!("0e984725-c51c-4bf4-9960-{number:012}"));
    metadata["resourceVersion"] = json!((1_000_000 + number).to_string());
    metadata["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    metadata["managedFields"] = json!([{
        "manager": "fleet-shop", "operation": "Apply", "apiVersion": api_version, "time": "2020-01-01T00:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    value
}

/// Lists as a whole, as the server records those without keys.
fn fields_of(value: &Value) -> Map<String, Value> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (format!("f:{key}"), Value::Object(fields_of(value)))).collect()
}

fn report(texts: &[String]) -> Result<(), Box<dyn Error>> {
    let number = texts.len() * COPIES;
    let json: usize = texts.iter().map(String::len).sum();
    let before = resident()?;
    let mut objects = Vec::with_capacity(number);
    let begin = Instant::now();
    for _ in 0..COPIES {
        for text in texts {
            objects.push(text.parse::<Object>()?);
        }
    }
    let took = begin.elapsed();
    let resident = resident()?.saturating_sub(before + number * size_of::<Object>()) / number;
    let begin = Instant::now();
    for object in objects.iter().take(texts.len() * 20) {
        black_box(object.digest());
    }
    let digest = begin.elapsed() / u32::try_from(texts.len() * 20)?;
    println!("{} objects", texts.len());
    println!("  JSON text     {:>8} B", json / texts.len());
    let heap: usize = objects.iter().take(texts.len()).map(Object::heap_size).sum();
    println!("  heap          {:>8} B", heap / texts.len());
    println!("  resident      {resident:>8} B");
    println!("  reading one   {:>8.2} us", took.as_secs_f64() * 1e6 / number as f64);
    println!("  digest of one {:>8.2} us", digest.as_secs_f64() * 1e6);
    Ok(())
}

/// Resident memory, in bytes.
fn resident() -> Result<usize, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split(' ').nth(1).ok_or("no resident size")?.parse()?;
    Ok(pages * 4096)
}
