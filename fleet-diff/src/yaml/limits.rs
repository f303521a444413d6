//! How much a reader takes in.

/// Limits of one reading, so that no text can cost more memory or time than its reader allows.
///
/// ```
/// let mut limits = fleet_diff::ReadLimits::default();
/// limits.max_objects = 100;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadLimits {
    /// Length of the text, and of all text copied by aliases together. In bytes.
    pub max_bytes: usize,
    /// How deep mappings and lists may be nested. In levels; more than [`ReadLimits::DEPTH_CEILING`] has no effect.
    pub max_depth: usize,
    /// Mappings, lists, keys and scalars together, copies made by aliases included.
    pub max_nodes: usize,
    /// How often anchors may be referred to.
    pub max_aliases: usize,
    /// Documents in the text, empty ones included; and objects in them, elements of lists included.
    pub max_objects: usize,
}

impl ReadLimits {
    /// Default of [`ReadLimits::max_bytes`]: 16 MiB.
    pub const DEFAULT_MAX_BYTES: usize = 16 * 1024 * 1024;
    /// Default of [`ReadLimits::max_depth`].
    pub const DEFAULT_MAX_DEPTH: usize = 100;
    /// Default of [`ReadLimits::max_nodes`]. A node takes about 100 bytes of memory.
    pub const DEFAULT_MAX_NODES: usize = 2_000_000;
    /// Default of [`ReadLimits::max_aliases`].
    pub const DEFAULT_MAX_ALIASES: usize = 10_000;
    /// Default of [`ReadLimits::max_objects`].
    pub const DEFAULT_MAX_OBJECTS: usize = 100_000;
    /// The greatest depth there is, whatever [`ReadLimits::max_depth`] says: values are walked recursively.
    pub const DEPTH_CEILING: usize = 120;

    pub(super) fn depth(&self) -> usize {
        self.max_depth.min(Self::DEPTH_CEILING)
    }
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            max_bytes: Self::DEFAULT_MAX_BYTES,
            max_depth: Self::DEFAULT_MAX_DEPTH,
            max_nodes: Self::DEFAULT_MAX_NODES,
            max_aliases: Self::DEFAULT_MAX_ALIASES,
            max_objects: Self::DEFAULT_MAX_OBJECTS,
        }
    }
}
