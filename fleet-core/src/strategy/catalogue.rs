//! Strategies by name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{ApplyStrategy, CreateOnly, JsonPatch, MergePatch, ReadOnly, ServerSideApply, Update};

/// The strategies there are, by their [`id`](ApplyStrategy::id), and the one that is used where nothing else is chosen.
#[derive(Clone)]
pub struct Strategies {
    usual: Arc<dyn ApplyStrategy>,
    by_id: BTreeMap<String, Arc<dyn ApplyStrategy>>,
}

impl Default for Strategies {
    /// All of this crate; server-side apply is the usual one.
    fn default() -> Self {
        let none = Self {
            usual: Arc::new(ServerSideApply),
            by_id: BTreeMap::new(),
        };
        none.with(ServerSideApply)
            .with(Update)
            .with(JsonPatch)
            .with(MergePatch)
            .with(CreateOnly)
            .with(ReadOnly)
    }
}

impl Strategies {
    /// With one more, in place of what has its name.
    #[must_use]
    pub fn with(mut self, strategy: impl ApplyStrategy) -> Self {
        self.by_id.insert(strategy.id().to_owned(), Arc::new(strategy));
        self
    }

    /// With this as the usual one.
    #[must_use]
    pub fn usually(mut self, strategy: impl ApplyStrategy) -> Self {
        self.usual = Arc::new(strategy);
        let id = self.usual.id().to_owned();
        self.by_id.insert(id, self.usual.clone());
        self
    }

    /// The one of this name.
    pub fn get(&self, id: &str) -> Option<&Arc<dyn ApplyStrategy>> {
        self.by_id.get(id)
    }

    /// The one that is used where nothing else is chosen.
    pub fn usual(&self) -> &Arc<dyn ApplyStrategy> {
        &self.usual
    }

    /// Their names, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }
}

impl fmt::Debug for Strategies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.ids().collect();
        write!(f, "Strategies({}, usually {})", ids.join(", "), self.usual.id())
    }
}
