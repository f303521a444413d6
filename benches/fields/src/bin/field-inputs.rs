//! Writes the inputs of the benchmarks: `field-inputs FOLDER MANIFESTS...`.

use std::path::{Path, PathBuf};

use fleet_field_benches::{Pair, Result, deployments, inventory, samples, schemas};

fn main() -> Result {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (folder, manifests) = arguments.split_first().ok_or("which folder?")?;
    let manifests: Vec<&Path> = manifests
        .iter()
        .map(PathBuf::as_path)
        .filter(|folder| folder.exists())
        .collect();
    let schemas = schemas()?;
    Pair::write(folder, "deployments", &deployments(&schemas)?)?;
    Pair::write(folder, "samples", &samples(&manifests, &schemas)?)?;
    Pair::write(folder, "inventory", &inventory(&schemas)?)
}
