//! Built-in filters, one subject a file.

mod kinds;
mod locality;
mod relations;
mod room;
mod service;
mod taints;
mod targeted;

pub use kinds::Kinds;
pub use locality::DataLocality;
pub use relations::Relations;
pub(crate) use room::{refuse_estimate, refuse_room};
pub use service::InService;
pub use taints::{LastingTaints, Taints};
pub(crate) use targeted::{is_targeted, targeted};
