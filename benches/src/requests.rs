//! What a program asked of a server, by kind of request.

use fleet_harness::{AuditMark, ControlPlane, Stage, User};
use fleet_kube::LEDGER_NAMESPACE;

use crate::Failure;

/// Requests of user `fleet`, counted by the server's audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Discovery, versions and schemas.
    pub discovery: u64,
    /// Objects read by name.
    pub gets: u64,
    /// Lists, and pages of lists.
    pub lists: u64,
    /// Watches opened.
    pub watches: u64,
    /// Dry runs.
    pub dry_runs: u64,
    /// Writes of objects.
    pub writes: u64,
    /// Writes of the record of what is owned, its namespace included.
    pub ledger: u64,
}

impl Requests {
    /// Those since a mark.
    ///
    /// # Errors
    /// When the server keeps no audit log, or it cannot be read.
    pub fn since(plane: &ControlPlane, mark: AuditMark) -> Result<Self, Failure> {
        let mut found = Self::default();
        for event in plane.audit_since(mark)? {
            let begins = event.stage == Stage::ResponseStarted;
            // A watch is noted when it begins and when it ends.
            if event.user != User::Fleet.as_str() || begins != (event.verb == "watch") {
                continue;
            }
            let of_ledger = event.namespace == LEDGER_NAMESPACE || event.name == LEDGER_NAMESPACE;
            let count = match event.verb.as_str() {
                _ if event.resource.is_empty() => &mut found.discovery,
                "watch" => &mut found.watches,
                "get" => &mut found.gets,
                "list" => &mut found.lists,
                _ if event.dry_run => &mut found.dry_runs,
                _ if of_ledger => &mut found.ledger,
                _ => &mut found.writes,
            };
            *count += 1;
        }
        Ok(found)
    }

    /// The names of the columns of [`Requests::row`].
    pub fn head() -> String {
        format!(
            "{:>7} {:>6} {:>6} {:>6} {:>8} {:>7} {:>7}",
            "discov.", "gets", "lists", "watch", "dry runs", "writes", "ledger"
        )
    }

    /// The counts, in columns.
    pub fn row(&self) -> String {
        format!(
            "{:>7} {:>6} {:>6} {:>6} {:>8} {:>7} {:>7}",
            self.discovery, self.gets, self.lists, self.watches, self.dry_runs, self.writes, self.ledger
        )
    }
}
