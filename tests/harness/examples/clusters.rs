//! Starts clusters to play with: `cargo run -p fleet-harness --example clusters -- 3`.
//!
//! Prints how long they took and what memory they use, and writes a kubeconfig for all of them. They end with
//! this program: press Enter.

use std::error::Error;
use std::time::Instant;

use fleet_harness::{ControlPlane, Options, merged_kubeconfig};

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(3), |count| count.parse())?;
    let begin = Instant::now();
    let clusters = ControlPlane::start_many(count, &Options::new("cluster"))?;
    println!(
        "{count} clusters were ready after {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    for cluster in &clusters {
        let megabytes = cluster.memory().unwrap_or(0) / 1_000_000;
        println!(
            "{} {} {} {megabytes} MB",
            cluster.name(),
            cluster.version(),
            cluster.url()
        );
    }
    if let Some(first) = clusters.first() {
        let kubeconfig = first.data_dir().join("fleet.kubeconfig");
        merged_kubeconfig(&clusters.iter().collect::<Vec<_>>(), &kubeconfig)?;
        println!("export KUBECONFIG={}", kubeconfig.display());
    }
    println!("Enter ends them.");
    std::io::stdin().read_line(&mut String::new())?;
    let begin = Instant::now();
    for cluster in clusters {
        cluster.stop()?;
    }
    println!("stopped after {:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}
