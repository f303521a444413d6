//! `fleetctl` with a folder and a kubeconfig, run as people would run it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Builds a program of the workspace, and says where it is; unless `FLEET_PROGRAM_` and its name say where it is already.
pub fn program(package: &str) -> PathBuf {
    if let Some(program) = std::env::var_os(format!("FLEET_PROGRAM_{package}")) {
        return program.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--package", package])
        .status()
        .unwrap();
    assert!(status.success(), "{package} does not compile");
    // Tests run in TARGET/PROFILE/deps.
    let exe = std::env::current_exe().unwrap();
    exe.parent().and_then(Path::parent).unwrap().join(package)
}

/// Exit code, standard output and standard error.
pub fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The program, and a folder of its own.
pub struct Desk {
    program: PathBuf,
    dir: tempfile::TempDir,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// With an empty folder.
    pub fn new() -> Self {
        Self {
            program: program("fleetctl"),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A file or folder of its own: `inventory` and `kubeconfig` are what the program is given.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program with these words.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--inventory").arg(self.path("inventory"));
        command.arg("--kubeconfig").arg(self.path("kubeconfig"));
        command
    }

    /// Exit code, standard output and standard error.
    pub fn run(&self, words: &[&str]) -> (i32, String, String) {
        texts(self.command(words).output().unwrap())
    }

    /// Exit code, and everything said.
    pub fn said(&self, words: &[&str]) -> (i32, String) {
        let (code, text, errors) = self.run(words);
        (code, text + &errors)
    }

    /// Writes a file of the inventory.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path("inventory").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
