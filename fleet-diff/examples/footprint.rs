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
    report(
        &found
            .iter()
            .enumerate()
            .map(|(i, value)| as_live(value.clone(), i).to_string())
            .collect::<Vec<_>>(),
    )
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
    entries
        .map(|(key, value)| (format!("f:{key}"), Value::Object(fields_of(value))))
        .collect()
}

fn report(texts: &[String]) -> Result<(), Box<dyn Error>> {
    let number = texts.len() * COPIES;
    let json: usize = texts.iter().map(String::len).sum();
    let before = resident()?;
    let mut objects = Vec::with_capacity(number);
    let read = fastest(texts.len(), || {
        for text in texts {
            objects.push(text.parse::<Object>()?);
        }
        Ok(())
    })?;
    let resident = resident()?.saturating_sub(before + number * size_of::<Object>()) / number;
    let heap: usize = objects.iter().take(texts.len()).map(Object::heap_size).sum();
    let mut batches = objects.chunks(texts.len());
    let digest = fastest(texts.len(), || {
        for object in batches.next().into_iter().flatten() {
            black_box(object.digest());
        }
        Ok(())
    })?;
    let value = fastest(texts.len(), || {
        for text in texts {
            black_box(serde_json::from_str::<Value>(text)?);
        }
        Ok(())
    })?;
    println!("{} objects", texts.len());
    println!("JSON text                      {:>6} B", json / texts.len());
    println!("heap                           {:>6} B", heap / texts.len());
    println!("resident                       {resident:>6} B");
    println!("reading one                    {read:>6.2} us");
    println!("its digest                     {digest:>6.2} us");
    println!("reading a serde_json::Value    {value:>6.2} us");
    Ok(())
}

/// Microseconds of one in the fastest of all batches.
fn fastest(
    size: usize,
    mut batch: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut fastest = f64::INFINITY;
    for _ in 0..COPIES {
        let begin = Instant::now();
        batch()?;
        fastest = fastest.min(begin.elapsed().as_secs_f64());
    }
    Ok(fastest * 1e6 / f64::from(u32::try_from(size)?))
}

/// Resident memory, in bytes.
fn resident() -> Result<usize, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = text.split(' ').nth(1).ok_or("no resident size")?.parse()?;
    Ok(pages * 4096)
}
