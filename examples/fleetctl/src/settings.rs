//! The inventory's settings, read again while it is kept.

use std::sync::{Arc, Mutex, PoisonError};

use fleet_core::{EngineOptions, Unknown};
use fleet_kube::{DirectorySource, FLEET_FILE, FileError, FleetFile};

/// What `fleet.yaml` says now, beside what it said at the start.
#[derive(Clone)]
pub(crate) struct Settings {
    source: DirectorySource,
    started: FleetFile,
    now: Arc<Mutex<Result<FleetFile, Unknown>>>,
}

impl Settings {
    pub(crate) fn read(source: &DirectorySource) -> Result<Self, FileError> {
        let started = source.settings()?;
        Ok(Self {
            source: source.clone(),
            now: Arc::new(Mutex::new(Ok(started.clone()))),
            started,
        })
    }

    /// As they were at the start.
    pub(crate) fn started(&self) -> &FleetFile {
        &self.started
    }

    /// Reads them again. What cannot be taken over without a new start is unknown, so that nothing changes by half.
    pub(crate) fn refresh(&self) {
        let read = self.source.settings().map_err(Unknown::from).and_then(|file| {
            let fixed = [
                ("inventory", file.inventory == self.started.inventory),
                ("budgets.fleet", file.budgets.fleet == self.started.budgets.fleet),
            ];
            match fixed.iter().find(|(_, same)| !same) {
                None => Ok(file),
                Some((name, _)) => Err(Unknown::because(format!(
                    "`{name}` in {FLEET_FILE} has changed, which is taken over only at the start: start fleetctl again"
                ))),
            }
        });
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = read;
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

    use super::*;

    #[test]
    fn changes_are_taken_over_or_said_to_need_a_new_start() {
        let dir = std::env::temp_dir().join(format!("fleetctl-settings-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |text: &str| std::fs::write(dir.join(FLEET_FILE), text).unwrap();
        write("inventory: shop\n");
        let settings = Settings::read(&DirectorySource::new(&dir)).unwrap();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Refuse);

        write("inventory: shop\nadoption: adopt\n");
        assert_eq!(
            settings.options().unwrap().adoption,
            Adoption::Refuse,
            "not read yet"
        );
        settings.refresh();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Adopt);

        for (text, expect) in [
            ("inventory: other\n", "`inventory`"),
            (
                "inventory: shop\nbudgets: {fleet: {count: 1}}\n",
                "`budgets.fleet`",
            ),
            ("adoption: [\n", "fleet.yaml"),
        ] {
            write(text);
            settings.refresh();
            let unknown = settings.options().unwrap_err();
            assert!(unknown.message().contains(expect), "{unknown}");
        }
        write("inventory: shop\n");
        settings.refresh();
        assert_eq!(settings.options().unwrap().adoption, Adoption::Refuse);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
