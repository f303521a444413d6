//! x

mod connection;

pub use connection::{Connection, ConnectionOptions, Contact, FieldValidation, OLDEST_MINOR, Verb, WatchEvent};
