//! What a class of questions is made of.

use serde_json::Value;

use super::{
    base::Base,
    live::{Live, Recipe},
    random::Random,
    site::Site,
};

/// The reconciler, whose questions these are.
pub(super) const OURS: &str = "fleet";
/// Others who apply.
pub(super) const APPLIER: &str = "other-applier";
pub(super) const SECOND_APPLIER: &str = "second-applier";
/// Others who update.
pub(super) const EDITOR: &str = "editor";
pub(super) const PATCHER: &str = "patcher";

/// How the object came to be that is asked about.
pub(super) enum Start {
    /// There is none.
    Absent,
    /// Like this.
    Made(Recipe),
}

/// One question.
pub(super) struct Draft {
    pub(super) desired: Value,
    pub(super) manager: String,
    pub(super) force: bool,
    /// What is edited, in the words of [`Site::path`].
    pub(super) path: String,
    /// The definition is complete: it must also be valid for an object that is new.
    pub(super) is_whole: bool,
}

impl Draft {
    pub(super) fn new(desired: Value, site: &Site) -> Self {
        Self {
            desired,
            manager: OURS.to_owned(),
            force: false,
            path: site.path.clone(),
            is_whole: true,
        }
    }

    pub(super) fn by(mut self, manager: &str) -> Self {
        manager.clone_into(&mut self.manager);
        self
    }

    pub(super) fn forced(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}

/// Questions of one sort.
pub(super) trait Class: Sync {
    /// Its line in the table.
    fn name(&self) -> &'static str;

    /// Whether it asks about this place.
    fn wants(&self, base: &Base, site: &Site) -> bool;

    /// The object. The same for few values of `salt`, so that objects are used again.
    fn start(&self, base: &Base, site: &Site, salt: u64) -> Option<Start>;

    /// The question; `live` as [`Class::start`] wants it. The definition bears the base's name.
    fn draft(&self, base: &Base, site: &Site, live: Option<&Live>, random: &mut Random) -> Option<Draft>;
}
