//! What is known of the types of a cluster's objects.

use std::{collections::BTreeMap, fmt, sync::Arc};

use fleet_diff::{Admission, Digest, Gvk, Schemas};

/// The types of a cluster's objects, and what changes objects on their way in. Cheap to clone.
///
/// A judge that answers without asking the server needs it; a driver learns it.
#[derive(Clone, Default)]
pub struct ClusterTypes {
    schemas: Schemas,
    admission: Arc<Admission>,
    /// Digests of the schemas of single kinds: a judgement counts as long as they stay the same.
    digests: Arc<BTreeMap<Gvk, Digest>>,
    /// The same for all other kinds.
    others: Option<Digest>,
}

impl ClusterTypes {
    /// Types of one server version: `version` is what they stay the same with.
    pub fn new(schemas: Schemas, version: &str) -> Self {
        Self {
            schemas,
            others: Some(Digest::of_bytes(version.as_bytes())),
            ..Self::default()
        }
    }

    /// With this mutating admission.
    #[must_use]
    pub fn admission(mut self, admission: Admission) -> Self {
        self.admission = Arc::new(admission);
        self
    }

    /// With digests of the schemas of single kinds.
    #[must_use]
    pub fn digests(mut self, digests: BTreeMap<Gvk, Digest>) -> Self {
        self.digests = Arc::new(digests);
        self
    }

    /// The types.
    pub fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    /// What changes objects on their way in.
    pub fn admitted_by(&self) -> &Admission {
        &self.admission
    }

    /// What a judgement about an object of this kind was made with.
    pub fn digest_of(&self, gvk: &Gvk) -> Option<Digest> {
        self.digests.get(gvk).copied().or(self.others)
    }
}

impl fmt::Debug for ClusterTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ClusterTypes({:?}, {} kinds of their own)",
            self.schemas,
            self.digests.len()
        )
    }
}
