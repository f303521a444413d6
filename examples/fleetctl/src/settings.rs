//! The inventory's settings, read again while it is kept.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use fleet_core::{EngineOptions, Maintenance, Unknown};
use fleet_kube::{FileError, FleetFile};

use crate::inventory::Inventory;

/// What `fleet.yaml` says now, beside what it said at the start.
#[derive(Clone)]
pub(crate) struct Settings {
    inventory: Inventory,
    started: FleetFile,
    /// Something was said before.
    said: Arc<AtomicBool>,
    now: Arc<Mutex<Result<FleetFile, Unknown>>>,
    /// The last that could be read: a window does not open because of a mistake in a file.
    maintenance: Arc<Mutex<Maintenance>>,
}

impl Settings {
    pub(crate) fn read(inventory: &Inventory) -> Result<Self, FileError> {
        let found = inventory.settings()?;
        let said = Arc::new(AtomicBool::new(found.is_some()));
        let started = found.unwrap_or_default();
        Ok(Self {
            inventory: inventory.clone(),
            said,
            now: Arc::new(Mutex::new(Ok(started.clone()))),
            maintenance: Arc::new(Mutex::new(started.maintenance.clone())),
            started,
        })
    }

    /// Whether a cluster is said to hold nothing; false while that cannot be read.
    pub(crate) fn calls_empty(&self, cluster: &str) -> bool {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.as_ref()
            .is_ok_and(|file| file.empty.iter().any(|name| name == cluster))
    }

    /// As they were at the start.
    pub(crate) fn started(&self) -> &FleetFile {
        &self.started
    }

    /// Reads them again. What cannot be taken over without a new start is unknown, so that nothing changes by half.
    pub(crate) fn refresh(&self) {
        let read = self.inventory.settings().map_err(Unknown::from).and_then(|found| {
            let was_said = self.said.fetch_or(found.is_some(), Ordering::Relaxed);
            if found.is_none() && was_said {
                return Err(Unknown::because(format!(
                    "{} is gone or has no content any more, and it said something before: restore it (`{{}}` says that all settings are the usual ones), or start fleetctl again",
                    self.inventory.settings_name()
                )));
            }
            let file = found.unwrap_or_default();
            let fixed = [
                ("inventory", file.inventory == self.started.inventory),
                ("budgets.fleet", file.budgets.fleet == self.started.budgets.fleet),
            ];
            match fixed.iter().find(|(_, same)| !same) {
                None => Ok(file),
                Some((name, _)) => Err(Unknown::because(format!(
                    "`{name}` in {} has changed, which is taken over only at the start: start fleetctl again",
                    self.inventory.settings_name()
                ))),
            }
        });
        if let Ok(file) = &read {
            let mut maintenance = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
            maintenance.clone_from(&file.maintenance);
        }
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }

    /// When clusters may be written to, as it could be read last.
    pub(crate) fn maintenance(&self) -> Maintenance {
        let maintenance = self.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        maintenance.clone()
    }

    /// The engine's options, as read last.
    pub(crate) fn options(&self) -> Result<EngineOptions, Unknown> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.as_ref().map(FleetFile::options).map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use fleet_core::Adoption;
    use fleet_kube::{DirectorySource, FLEET_FILE};

    use super::*;

    #[test]
    fn changes_are_taken_over_or_said_to_need_a_new_start() {
        let dir = std::env::temp_dir().join(format!("fleetctl-settings-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |text: &str| std::fs::write(dir.join(FLEET_FILE), text).unwrap();
        write("inventory: shop\n");
        let settings = Settings::read(&Inventory::Folder(DirectorySource::new(&dir))).unwrap();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Refuse);

        write("inventory: shop\nadoption: adopt\n");
        assert_eq!(
            settings.options().unwrap().adoption,
            Adoption::Refuse,
            "not read yet"
        );
        settings.refresh();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Adopt);

        let windows = "maintenance: {windows: [{from: '22:00', until: '04:00'}]}\n";
        write(&format!("inventory: shop\n{windows}"));
        settings.refresh();
        let nights = settings.maintenance();
        assert_eq!(nights.windows.len(), 1);

        for (text, expect) in [
            (
                "maintenance: {windows: [{from: '25:00', until: '04:00'}]}\n",
                "fleet.yaml:1: `25:00`",
            ),
            ("inventory: other\n", "`inventory`"),
            (
                "inventory: shop\nbudgets: {fleet: {count: 1}}\n",
                "`budgets.fleet`",
            ),
            ("adoption: [\n", "fleet.yaml"),
            ("", "fleet.yaml is gone or has no content"),
            ("# soon\n", "fleet.yaml is gone or has no content"),
        ] {
            write(text);
            settings.refresh();
            let unknown = settings.options().unwrap_err();
            assert!(unknown.message().contains(expect), "{unknown}");
            assert_eq!(settings.maintenance(), nights, "the last good ones stay");
        }
        std::fs::remove_file(dir.join(FLEET_FILE)).unwrap();
        settings.refresh();
        let unknown = settings.options().unwrap_err();
        assert!(unknown.message().contains("is gone"), "{unknown}");
        write("inventory: shop\n");
        settings.refresh();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Refuse);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn settings_that_never_were_there_are_the_usual_ones() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::read(&Inventory::Folder(DirectorySource::new(dir.path()))).unwrap();
        settings.refresh();
        assert!(settings.options().is_ok());
        let path = dir.path().join(FLEET_FILE);
        std::fs::write(&path, "{}").unwrap();
        settings.refresh();
        assert!(settings.options().is_ok());
        std::fs::write(&path, "").unwrap();
        settings.refresh();
        assert!(settings.options().is_err(), "it came since, and has gone");
    }
}
