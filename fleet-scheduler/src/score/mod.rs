//! Built-in scorers, one subject a file.

mod cost;
mod external;
mod preference;
mod room;

pub(crate) use cost::Costs;
pub use cost::{Cost, cost_of};
pub use external::External;
pub use preference::{Attraction, PreferredClusters, PreferredTaints};
pub use room::{LeastFull, MostFull};
