use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::options::Kubernetes;

/// A program that `cargo xtask control-plane` builds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Binary {
    ControlPlane,
    Kubectl,
}

impl Binary {
    fn name(self) -> &'static str {
        match self {
            Binary::ControlPlane => "control-plane",
            Binary::Kubectl => "kubectl",
        }
    }

    /// Named after the convention of other test beds for API servers.
    fn variable(self) -> &'static str {
        match self {
            Binary::ControlPlane => "TEST_ASSET_CONTROL_PLANE",
            Binary::Kubectl => "TEST_ASSET_KUBECTL",
        }
    }

    /// The file to run: what the environment names, else what was built in this workspace.
    pub(crate) fn find(self, kubernetes: Kubernetes) -> Result<PathBuf> {
        let path = match env::var_os(self.variable()) {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => target_dir()
                .join("control-plane")
                .join(kubernetes.as_str())
                .join("bin")
                .join(self.name()),
        };
        if path.is_file() {
            Ok(path)
        } else {
            Err(Error::BinaryMissing {
                path,
                minor: kubernetes.as_str(),
                variable: self.variable(),
            })
        }
    }
}

/// Cargo's target directory of this workspace.
fn target_dir() -> PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = crate_dir.ancestors().nth(2).unwrap_or(crate_dir);
    match env::var_os("CARGO_TARGET_DIR") {
        // Joining an absolute path gives that path.
        Some(dir) if !dir.is_empty() => workspace.join(dir),
        _ => workspace.join("target"),
    }
}
