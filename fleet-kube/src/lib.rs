//! x

mod connection;
mod driver;
mod files;
mod fleet;
mod inventory;
mod ledger;
mod registry;

pub use connection::{
    Connection, ConnectionOptions, Contact, FieldValidation, OLDEST_MINOR, Verb, WatchEvent,
};
pub use driver::{Clock, DriverHandle, DriverParts, Progress, spawn};
pub use files::FileError;
pub use fleet::{
    ChooseOptions, Connect, Fleet, FleetBuilder, FleetError, Kept, KubeconfigConnect, MakeLedger, Outcome,
    Wave,
};
pub use inventory::{
    Budgets, DirectorySource, FLEET_FILE, FleetFile, INVENTORY_BYTES_MAX, MANIFEST_BYTES_MAX, MANIFEST_FILES_MAX,
};
pub use ledger::{ConfigMapLedger, LEDGER_NAMESPACE};
pub use registry::{
    ClusterEntry, CredentialPlugins, KubeconfigRegistry, REGISTRY_BYTES_MAX, REGISTRY_FILE_SUFFIX,
    RegistryFile,
};
