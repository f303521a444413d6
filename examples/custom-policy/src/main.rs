//! GPU batch jobs go to the cheapest idle cluster, and carbon counts: four clusters, three jobs and a service.
//!
//! `cargo run -p custom-policy`

use std::error::Error;

use custom_policy::{CARBON, GPU, scheduler};
use fleet_core::{Capacity, Cluster, InvalidAmount, Resources, Tick};
use fleet_scheduler::{
    ClusterInfo, Facts, FleetView, Planner, PlannerOptions, Target, Workload, render_explanation,
};

/// A moment; in earnest the clock's.
const NOW: Tick = Tick(1_750_000_000_000);
const HOUR: u64 = 3_600_000;

fn cluster(name: &str, gpus: &str, busy: &str, cost: i64) -> Result<ClusterInfo, InvalidAmount> {
    let offered = Resources::new().with("cpu", "512")?.with(GPU, gpus)?;
    let asked_for = Resources::new().with("cpu", "64")?.with(GPU, busy)?;
    let declared = Cluster::new(name).cost("nvidia.com/gpu-hour", cost);
    Ok(ClusterInfo::new(declared).capacity(Capacity::new(offered, asked_for, NOW)))
}

fn job(name: &str, replicas: u64, gpus: &str) -> Result<Workload, InvalidAmount> {
    let needs = Resources::new().with("cpu", "8")?.with(GPU, gpus)?;
    let mut job = Workload::new(name, [Target::replicas(replicas)]).needs(needs);
    job.completes = true;
    Ok(job)
}

fn main() -> Result<(), Box<dyn Error>> {
    let until = Tick(NOW.0 + HOUR);
    let fleet = FleetView::new([
        cluster("coal-1", "64", "0", 20)?,
        cluster("hydro-1", "32", "4", 24)?,
        cluster("solar-1", "16", "12", 15)?,
        cluster("wind-1", "16", "0", 23)?,
    ])?
    .score(CARBON, "coal-1", 820, until)
    .score(CARBON, "hydro-1", 24, until)
    .score(CARBON, "solar-1", 45, until)
    .score(CARBON, "wind-1", 11, until);

    let mut planner = Planner::new(scheduler(), fleet, PlannerOptions::default());
    planner.set(job("ml/evaluate", 2, "1")?);
    planner.set(job("ml/simulate", 7, "4")?);
    planner.set(job("ml/train", 5, "8")?);
    planner.set(Workload::new("shop/web", [Target::replicas(6)]).needs(Resources::new().with("cpu", "2")?));
    let round = planner.decide(&Facts::none(), NOW);

    println!(
        "{:<12} {:>6}  {:<24} what is missing",
        "workload", "placed", "where"
    );
    for (name, decision) in &round {
        let active = decision.placement.active();
        let placed: u64 = active.values().sum();
        let clusters: Vec<String> = active
            .iter()
            .map(|(cluster, count)| format!("{cluster} {count}"))
            .collect();
        let limit = decision.targets.iter().find_map(|target| target.limit.as_ref());
        let missing = limit.map_or(String::new(), |limit| format!("{}: {limit}", decision.short()));
        println!("{name:<12} {placed:>6}  {:<24} {missing}", clusters.join(", "));
    }
    if let Some(why) = planner.explain(&"ml/evaluate".into(), &Facts::none(), NOW) {
        println!("\n{}", render_explanation(&why));
    }
    Ok(())
}
