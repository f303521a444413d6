//! Which clusters exist?

use async_trait::async_trait;

use super::{Changes, silent};
use crate::words::{Cluster, Unknown};

/// Answers which clusters exist. Reads only: what is observed about a cluster is stored elsewhere.
///
/// An unknown answer changes nothing: no cluster leaves the fleet because the registry could not be read.
#[async_trait]
pub trait ClusterRegistry: Send + Sync + 'static {
    /// All clusters, names unique.
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown>;

    /// Hints that the answer may have changed.
    fn changes(&self) -> Changes {
        silent()
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: ClusterRegistry + ?Sized> ClusterRegistry for $pointer {
            async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
                (**self).clusters().await
            }

            fn changes(&self) -> Changes {
                (**self).changes()
            }
        }
    )*};
}
forward!(Box<T>, std::sync::Arc<T>);
