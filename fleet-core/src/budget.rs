//! The fleet's budget of deletes: the sum of what its targets spent.

use std::collections::BTreeMap;

use crate::{
    engine::DeleteBudget,
    ledger::Spent,
    words::{Millis, Reason, Target, Tick},
};

/// How long a grant may be used before it must be asked for again. A frozen cluster holds nothing longer than this.
pub const GRANT_LIFE: Millis = Millis::from_mins(2);

/// Gives grants for deletes over a whole fleet, within a rolling window. Pure: time is passed in.
///
/// Each target's own budget is kept by its engine; this one bounds the sum. What a target spent is recorded in its
/// ledger and reported here with [`FleetBudget::observe`]; each grant counts from the moment it is given until the
/// target's ledger shows it, or it expires, also when its own target asks again.
#[derive(Clone, Debug, Default)]
pub struct FleetBudget {
    budget: DeleteBudget,
    targets: BTreeMap<Target, Account>,
}

#[derive(Clone, Debug, Default)]
struct Account {
    owned: u32,
    window: Vec<Spent>,
    /// Given, and not shown by the ledger yet.
    grants: Vec<Spent>,
}

impl FleetBudget {
    /// Nothing spent yet.
    pub fn new(budget: DeleteBudget) -> Self {
        Self {
            budget,
            targets: BTreeMap::new(),
        }
    }

    /// What a target owns, and what its ledger says it spent.
    pub fn observe(&mut self, target: &Target, owned: u32, window: &[Spent]) {
        let account = self.targets.entry(target.clone()).or_default();
        account.owned = owned;
        for shown in window.iter().filter(|spent| !account.window.contains(spent)) {
            let granted = account.grants.iter().position(|grant| grant.count == shown.count);
            granted.map(|i| account.grants.remove(i));
        }
        account.window = window.to_vec();
    }

    /// Asks for `count` deletes in a target: granted until a moment, or refused.
    ///
    /// # Errors
    /// The reason, when the fleet has spent too much already. Deletes a person confirmed are granted and counted.
    pub fn ask(&mut self, target: &Target, count: u32, confirmed: bool, now: Tick) -> Result<Tick, Reason> {
        let window = self.budget.window;
        let mut spent = 0u32;
        let mut owned = 0u32;
        for account in self.targets.values_mut() {
            owned = owned.saturating_add(account.owned);
            account.grants.retain(|grant| now.since(grant.at) < GRANT_LIFE);
            let live = account.window.iter().filter(|s| now.since(s.at) < window);
            spent = live
                .chain(&account.grants)
                .fold(spent, |sum, s| sum.saturating_add(s.count));
        }
        let allowed = self.budget.allowed(owned);
        if !confirmed && spent.saturating_add(count) > allowed {
            let message = format!(
                "{count} deletes planned here and {spent} done in the fleet in the last {window}: {allowed} are allowed"
            );
            let reason = Reason::new("over-fleet-budget", message);
            return Err(reason
                .with("planned", count)
                .with("spent", spent)
                .with("allowed", allowed));
        }
        let account = self.targets.entry(target.clone()).or_default();
        account.grants.push(Spent::new(now, count));
        Ok(now + GRANT_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::InventoryId;

    const TEN_AN_HOUR: DeleteBudget = DeleteBudget {
        count: 10,
        percent: 100,
        floor: 0,
        window: Millis::from_mins(60),
    };

    fn target(name: &str) -> Target {
        Target::new(name.into(), InventoryId::new("fleet").unwrap())
    }

    #[test]
    fn the_sum_over_targets_counts() {
        let mut fleet = FleetBudget::new(TEN_AN_HOUR);
        let (a, b) = (target("a"), target("b"));
        fleet.observe(&a, 100, &[]);
        fleet.observe(&b, 100, &[]);
        let now = Tick(1_000_000);
        assert!(fleet.ask(&a, 6, false, now).is_ok());
        assert_eq!(
            fleet.ask(&b, 6, false, now).unwrap_err().code,
            "over-fleet-budget"
        );
        assert!(fleet.ask(&b, 6, true, now).is_ok(), "a person may");
        // A grant that was never used holds nothing for ever.
        let later = now + GRANT_LIFE;
        assert!(fleet.ask(&b, 10, false, later).is_ok());
        // What was recorded counts for the whole window.
        let mut fleet = FleetBudget::new(TEN_AN_HOUR);
        fleet.observe(&a, 100, &[Spent::new(now, 6)]);
        assert!(fleet.ask(&b, 6, false, later).is_err());
        assert!(fleet.ask(&b, 6, false, now + Millis::from_mins(60)).is_ok());
    }

    #[test]
    fn each_grant_counts_until_the_ledger_shows_it() {
        let mut fleet = FleetBudget::new(TEN_AN_HOUR);
        let (a, b) = (target("a"), target("b"));
        fleet.observe(&a, 100, &[]);
        let now = Tick(1_000_000);
        assert!(fleet.ask(&a, 4, false, now).is_ok());
        assert!(fleet.ask(&a, 5, false, now).is_ok());
        assert!(fleet.ask(&a, 2, false, now).is_err(), "its own grants count too");
        // The ledger shows the first: it counts as spent, and the second still as granted.
        let first = Spent::new(now, 4);
        fleet.observe(&a, 96, &[first]);
        fleet.observe(&a, 96, &[first]);
        assert!(fleet.ask(&b, 2, false, now).is_err());
        assert!(fleet.ask(&b, 1, false, now).is_ok());
        // The second never comes.
        let later = now + GRANT_LIFE;
        assert!(fleet.ask(&b, 6, false, later).is_ok());
        assert!(fleet.ask(&b, 1, false, later).is_err());
    }
}
