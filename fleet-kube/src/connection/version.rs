//! What a connection learns first: the server's version and the cluster's identity.

use fleet_core::{ClusterId, Fault, Remedy};
use serde::Deserialize;

use super::{Call, Connection, Verb};

/// The oldest Kubernetes minor version that is spoken to: 1.33.
pub const OLDEST_MINOR: u32 = 33;

#[derive(Deserialize)]
struct Version {
    major: String,
    minor: String,
    #[serde(default, rename = "gitVersion")]
    name: String,
}

impl Version {
    /// The server's own name for itself, or an error when it is too old.
    fn admit(self) -> Result<String, Fault> {
        let name = if self.name.is_empty() {
            format!("v{}.{}", self.major, self.minor)
        } else {
            self.name
        };
        // Providers write minors such as `33+`.
        let digits = self.minor.trim_end_matches(|c: char| !c.is_ascii_digit());
        let refused = |message: String| Err(Fault::new(Remedy::Policy, message));
        match (self.major.parse::<u32>(), digits.parse::<u32>()) {
            (Ok(1), Ok(minor)) if minor >= OLDEST_MINOR => Ok(name),
            (Ok(1), Ok(_)) => refused(format!(
                "the server is Kubernetes {name}; 1.{OLDEST_MINOR} is the oldest version supported: upgrade the cluster"
            )),
            _ => refused(format!(
                "the server says it is version `{name}`, which is not a known Kubernetes version"
            )),
        }
    }
}

#[derive(Deserialize)]
struct Named {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: String,
}

impl Connection {
    /// Reads the UID of `kube-system` again: after a long silence it may be another cluster that answers under the
    /// same address.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read_cluster_id(&self) -> Result<ClusterId, Fault> {
        let body = self
            .fetch(&Call::get(Verb::Get, "/api/v1/namespaces/kube-system"))
            .await
            .map_err(|mut fault| {
                fault.message = format!(
                    "cannot tell which cluster this is, namespace kube-system: {}",
                    fault.message
                )
                .into();
                fault
            })?;
        let Named { metadata } =
            serde_json::from_slice(&body).map_err(|_| not_kubernetes("namespace kube-system"))?;
        Ok(ClusterId::new(metadata.uid))
    }

    pub(super) async fn read_version(&self) -> Result<String, Fault> {
        let body = self.fetch(&Call::get(Verb::Discovery, "/version")).await?;
        serde_json::from_slice::<Version>(&body)
            .map_err(|_| not_kubernetes("/version"))?
            .admit()
    }
}

fn not_kubernetes(what: &str) -> Fault {
    let message = format!("the answer to {what} is not what Kubernetes answers: is this an API server?");
    Fault::new(Remedy::Unreachable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_refused() {
        let cases = [
            ("1", "33", "v1.33.0", Ok("v1.33.0")),
            ("1", "37+", "v1.37.2-gke.1", Ok("v1.37.2-gke.1")),
            ("1", "36", "", Ok("v1.36")),
            (
                "1",
                "32",
                "v1.32.9",
                Err("Kubernetes v1.32.9; 1.33 is the oldest"),
            ),
            ("1", "9+", "v1.9.1", Err("upgrade the cluster")),
            ("2", "0", "v2.0.0", Err("not a known Kubernetes version")),
            ("", "", "", Err("not a known Kubernetes version")),
        ];
        for (major, minor, name, expect) in cases {
            let (major, minor, name) = (major.to_owned(), minor.to_owned(), name.to_owned());
            match (Version { major, minor, name }.admit(), expect) {
                (Ok(name), Ok(expect)) => assert_eq!(name, expect),
                (Err(fault), Err(words)) => assert!(fault.message.contains(words), "{fault}"),
                (got, expect) => panic!("{got:?} instead of {expect:?}"),
            }
        }
    }
}
