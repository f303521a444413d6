//! What was measured, for people; in Markdown, for the README.

use std::process::Command;

use serde_json::Value;

use super::{Measured, Row, number, text};
use crate::{Result, command};

/// How many times faster we are to be at least.
const GOALS: [(&str, f64); 5] = [
    ("verdict-bytes", 30.0),
    ("verdict-values", 100.0),
    ("apply-unchanged", 20.0),
    ("merge", 8.0),
    ("compare", 8.0),
];

/// An object is to hold at most this part of what it does in gitops-engine's cache.
const MEMORY_GOAL: f64 = 6.0;

pub(super) fn print(measured: &Measured) -> Result {
    println!("{}\n", machine()?);
    println!(
        "| what | ours | peer | its time | times faster | goal | allocations | other answers of the peer |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in &measured.rows {
        let goal = goal(row).map_or(String::new(), |goal| {
            met(row.ratio() >= goal, &format!("{goal:.0}"))
        });
        let ours = find(&measured.ours["verdicts"], "name", &row.name);
        let allocations = match ours {
            Some(ours) => format!("{} to {:.0}", ours["allocations"], row.peer_allocations),
            None => String::new(),
        };
        println!(
            "| {} | {} | {} | {} | {:.0} | {goal} | {allocations} | {} |",
            row.name,
            duration(row.ours_ns),
            row.peer,
            duration(row.peer_ns),
            row.ratio(),
            row.other_answers
        );
    }
    inventory(measured);
    memory(measured);
    println!("\n| objects | of them changed | a pass over all |");
    println!("|---|---|---|");
    for (objects, changed, micros) in &measured.growth {
        println!(
            "| {objects} | {changed} | {:.0} ms, {micros:.1} µs an object |",
            micros * count(*objects) / 1e3
        );
    }
    Ok(())
}

fn goal(row: &Row) -> Option<f64> {
    let measure = row.name.split('/').next();
    GOALS
        .iter()
        .find(|(name, _)| measure == Some(name))
        .map(|(_, goal)| *goal)
}

fn met(met: bool, goal: &str) -> String {
    format!("{goal}, {}", if met { "met" } else { "missed" })
}

fn inventory(measured: &Measured) {
    for row in measured
        .rows
        .iter()
        .filter(|row| row.name == "verdict-bytes/inventory")
    {
        println!(
            "\nAn inventory of 10,000 objects, from bytes: {:.0} objects a second.",
            1e9 / row.ours_ns
        );
    }
}

fn memory(measured: &Measured) {
    println!("\n| memory | JSON | ours | gitops-engine's cache | goal |");
    println!("|---|---|---|---|---|");
    for ours in measured.ours["memory"].as_array().into_iter().flatten() {
        let name = format!("memory/{}", text(ours, "set"));
        let theirs = measured.theirs.iter().find(|peer| peer["name"] == name.as_str());
        let (bytes, held) = (
            number(ours, "bytes"),
            theirs.map_or(0.0, |peer| number(peer, "bytes")),
        );
        let goal = theirs.map_or(String::new(), |_| {
            met(
                bytes * MEMORY_GOAL <= held,
                &format!("{:.0} B", held / MEMORY_GOAL),
            )
        });
        let held = theirs.map_or(String::new(), |_| format!("{held:.0} B"));
        let set = text(ours, "set");
        println!(
            "| an object of {set} | {} B | {bytes:.0} B | {held} | {goal} |",
            ours["json"]
        );
    }
    let ours = &measured.ours["types"];
    let theirs = measured
        .theirs
        .iter()
        .find(|peer| peer["name"] == "types")
        .map_or(0.0, |peer| number(peer, "bytes"));
    println!(
        "\nThe built-in types: {:.0} kB in {}, {:.0} kB in an API server's converter.",
        number(ours, "bytes") / 1e3,
        text(ours, "what"),
        theirs / 1e3
    );
}

fn find<'v>(list: &'v Value, field: &str, name: &str) -> Option<&'v Value> {
    list.as_array()?.iter().find(|entry| entry[field] == name)
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

fn duration(ns: f64) -> String {
    format!("{:.1} µs", ns / 1e3)
}

/// Where it was measured.
fn machine() -> Result<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let go = command::output(Command::new("go").args(["env", "GOVERSION"]))?;
    let rustc = command::output(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Ok(format!("{model}, {cores} cores, {rustc}, {go}"))
}
