//! `cargo xtask control-plane`: the control plane and the kubectl that tests use.

mod build;
mod fingerprint;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, command, workspace};

/// What to build.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Minor version of Kubernetes
    #[arg(long, value_name = "MINOR", env = "FLEET_KUBERNETES", default_value = "1.36")]
    kubernetes: String,
}

impl Args {
    /// The minor version, like `1.36`.
    pub(crate) fn minor(&self) -> &str {
        &self.kubernetes
    }
}

impl Default for Args {
    fn default() -> Self {
        Self {
            kubernetes: "1.36".to_owned(),
        }
    }
}

/// One minor version: its sources, and where its programs go.
struct Version {
    minor: String,
    /// Full version, like `v1.36.3`.
    kubernetes: String,
    /// Oldest Go that compiles it, like `1.26.0`.
    oldest_go: String,
    mod_file: PathBuf,
    target: PathBuf,
}

/// Builds what is not built yet.
pub(crate) fn run(args: &Args) -> Result {
    programs(args).map(drop)
}

/// The directory of the programs, which are built first if they are not yet.
pub(crate) fn programs(args: &Args) -> Result<PathBuf> {
    let version = Version::find(&args.kubernetes)?;
    let go = check_go(&version)?;
    fs::create_dir_all(&version.target)?;
    // Two builds at once would take twice as long each.
    let lock = File::create(version.target.join("lock"))?;
    lock.lock()?;
    let fingerprint = fingerprint::of(&sources(), &version.mod_file, &go)?;
    let noted = version.target.join("fingerprint");
    let built = build::PROGRAMS
        .iter()
        .all(|program| version.bin().join(program.name).is_file());
    if built && fs::read_to_string(&noted).is_ok_and(|noted| noted == fingerprint) {
        println!(
            "{} is built: {}",
            version.title(),
            workspace::shown(&version.bin())
        );
        return Ok(version.bin());
    }
    build::build(&version)?;
    fs::write(noted, fingerprint)?;
    Ok(version.bin())
}

/// The directory of the Go module.
fn sources() -> PathBuf {
    workspace::root().join("tests").join("control-plane")
}

impl Version {
    fn find(minor: &str) -> Result<Self> {
        let mod_file = sources().join(format!("kubernetes-{minor}.mod"));
        let Ok(requirements) = fs::read_to_string(&mod_file) else {
            return Err(format!("no control plane of Kubernetes {minor}: there are {}", minors()?).into());
        };
        let after = |word: &str| {
            let mut lines = requirements.lines().map(str::trim);
            lines.find_map(|line| Some(line.strip_prefix(word)?.trim().to_owned()))
        };
        let missing = |what: &str| format!("{} names no {what}", workspace::shown(&mod_file));
        Ok(Version {
            minor: minor.to_owned(),
            kubernetes: after("k8s.io/kubernetes ").ok_or_else(|| missing("k8s.io/kubernetes"))?,
            oldest_go: after("go ").ok_or_else(|| missing("Go version"))?,
            target: workspace::target().join("control-plane").join(minor),
            mod_file,
        })
    }

    fn title(&self) -> String {
        format!("the control plane of Kubernetes {}", self.kubernetes)
    }

    /// Where the programs go.
    fn bin(&self) -> PathBuf {
        self.target.join("bin")
    }
}

/// The minor versions that there are, for a message.
fn minors() -> Result<String> {
    let mut minors = Vec::new();
    for entry in fs::read_dir(sources())? {
        let name = entry?.file_name();
        let minor = name
            .to_str()
            .and_then(|name| name.strip_prefix("kubernetes-")?.strip_suffix(".mod"));
        minors.extend(minor.map(str::to_owned));
    }
    minors.sort();
    Ok(minors.join(", "))
}

/// A go command in the directory of the module, without settings of other workspaces.
fn go() -> Command {
    let mut go = Command::new("go");
    go.current_dir(sources())
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0");
    go
}

/// The version of Go, like `go1.26.8`, if it is new enough.
fn check_go(version: &Version) -> Result<String> {
    let needed = format!(
        "{} is a Go program: install Go {} or newer (https://go.dev/dl)",
        version.title(),
        version.oldest_go
    );
    let found =
        command::output(go().args(["env", "GOVERSION"])).map_err(|error| format!("{error}\n{needed}"))?;
    if numbers(found.trim_start_matches("go")) < numbers(&version.oldest_go) {
        return Err(format!("this is {found}\n{needed}").into());
    }
    Ok(found)
}

/// The numbers of a version, to be compared.
fn numbers(version: &str) -> Vec<u32> {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    version
        .split('.')
        .map_while(|part| digits(part).parse().ok())
        .collect()
}

/// All files below a directory for which `wanted` holds.
fn files(dir: &Path, wanted: &impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, wanted)?);
        } else if wanted(&path) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(numbers("1.26.8") > numbers("1.26.0"));
        assert!(numbers("1.9.1") < numbers("1.26.0"));
        assert!(numbers("1.27rc1") > numbers("1.26.8"));
    }

    #[test]
    fn every_minor_names_its_version() {
        for minor in minors().expect("the module").split(", ") {
            let version = Version::find(minor).expect("a version");
            assert!(
                version.kubernetes.starts_with(&format!("v{minor}.")),
                "{}",
                version.kubernetes
            );
        }
        assert!(Version::find("1.0").is_err_and(|error| error.to_string().contains("1.36, 1.37")));
    }
}
