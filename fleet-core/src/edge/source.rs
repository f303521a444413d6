//! What should be in a target?

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use futures_core::Stream;

use crate::words::{Cluster, Snapshot};

/// A hint that something changed, for one cluster or for all. Losing or doubling one is allowed: the driver reads
/// again at its interval anyway.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Changed {
    /// Something changed for the cluster of this name.
    Cluster(String),
    /// Something changed, perhaps for all.
    All,
}

/// A stream of hints that owns what it needs, so that a driver can keep it beside the source.
pub type Changes = Pin<Box<dyn Stream<Item = Changed> + Send>>;

/// Answers what should be in a cluster: known, known to be empty, or unknown.
///
/// An answer is complete and concrete. [`Unknown`](crate::Unknown) changes nothing, so `?` on any error is safe.
/// The conformance suite (feature `conformance`) shows whether an implementation keeps to this.
#[async_trait]
pub trait InventorySource: Send + Sync + 'static {
    /// The answer for this cluster, now.
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot;

    /// Hints that an answer may have changed. The driver subscribes before its first read.
    fn changes(&self) -> Changes {
        silent()
    }
}

/// A stream that never says anything.
pub fn silent() -> Changes {
    struct Never;
    impl Stream for Never {
        type Item = Changed;
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Changed>> {
            Poll::Pending
        }
    }
    Box::pin(Never)
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: InventorySource + ?Sized> InventorySource for $pointer {
            async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
                (**self).snapshot(cluster).await
            }

            fn changes(&self) -> Changes {
                (**self).changes()
            }
        }
    )*};
}
forward!(Box<T>, std::sync::Arc<T>);
