//! x

mod connection;
mod files;
mod registry;

pub use connection::{Connection, ConnectionOptions, Contact, FieldValidation, OLDEST_MINOR, Verb, WatchEvent};
pub use files::FileError;
pub use registry::{
    ClusterEntry, CredentialPlugins, KubeconfigRegistry, REGISTRY_BYTES_MAX, REGISTRY_FILE_SUFFIX, RegistryFile,
};
