//! Which clusters a test runs on, and what it needs of them.

use std::fmt;
use std::io::Write as _;

use crate::backend::Backend;
use crate::error::{Error, Result};

/// What clusters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// API servers in this process (`fleet-sim`): there at once, without Go and without sockets.
    InProcess,
    /// API servers that are programs of their own.
    Real,
}

/// What a test asks of its clusters beyond an API server. In-process clusters have it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// A controller manager, and pods that run.
    Controllers,
    /// A note of every request.
    Audit,
    /// More than one, or one that nobody else uses.
    Own,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Need::Controllers => "a controller manager",
            Need::Audit => "an audit log",
            Need::Own => "clusters of its own",
        })
    }
}

impl Kind {
    /// The kinds that the environment variable `FLEET_CLUSTERS` names: `in-process`, `real`, or both where it says
    /// nothing.
    ///
    /// # Errors
    /// When it says something else.
    pub fn wanted() -> Result<Vec<Self>> {
        match std::env::var("FLEET_CLUSTERS").as_deref() {
            Err(_) | Ok("") => Ok(vec![Kind::InProcess, Kind::Real]),
            Ok("in-process") => Ok(vec![Kind::InProcess]),
            Ok("real") => Ok(vec![Kind::Real]),
            Ok(other) => Err(Error::UnknownKind(other.to_owned())),
        }
    }

    /// Why a test that needs this does not run on clusters of this kind here; none when it does.
    ///
    /// # Errors
    /// When an environment variable says what nobody knows.
    pub fn hindrance(self, needs: &[Need]) -> Result<Option<String>> {
        if !Self::wanted()?.contains(&self) {
            return Ok(Some(
                "FLEET_CLUSTERS asks for the other kind of clusters".to_owned(),
            ));
        }
        match self {
            Kind::InProcess => Ok(None),
            Kind::Real => Ok(Backend::from_env()?.lacks(needs)),
        }
    }
}

/// Says that a test does not run, on the standard output itself: a passing test's own words are hidden, and
/// `cargo xtask test` counts these lines.
pub fn not_run(test: &str, why: &str) {
    // Who closed the output does not want to know.
    drop(writeln!(std::io::stdout(), "not run: {test}: {why}"));
}
