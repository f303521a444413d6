//! What a class of questions is made of.

use serde_json::Value;

use super::{
    base::{Base, NAMESPACE},
    live::{Live, Made, Recipe},
    place::{Place, remove, set},
    site::Site,
    way::{Change, Form, Tweak, Way},
};
use crate::random::Random;

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

impl Start {
    pub(super) fn made(made: impl IntoIterator<Item = Made>) -> Self {
        Self::Made(Recipe(made.into_iter().collect()))
    }
}

/// What a question is made from.
pub(super) struct Ask<'a> {
    pub(super) base: &'a Base,
    pub(super) site: &'a Site,
    pub(super) salt: u64,
    pub(super) live: Option<&'a Live>,
    pub(super) random: &'a mut Random,
}

impl<'a> Ask<'a> {
    /// The definition as it was first applied, about to be edited at the site.
    pub(super) fn draft(&self) -> Draft {
        Draft {
            desired: self.base.document.clone(),
            manager: OURS.to_owned(),
            force: false,
            path: self.site.path.clone(),
            form: Form::default(),
            changes: Vec::new(),
        }
    }

    /// What others wrote, and what they wrote at the site.
    pub(super) fn edits(&self) -> &'a [(&'static str, Place, Value)] {
        self.live.map_or(&[], |live| &live.edits)
    }

    pub(super) fn edit_here(&self) -> Option<&'a Value> {
        let here = self
            .edits()
            .iter()
            .rfind(|(_, place, _)| *place == self.site.place);
        here.map(|(_, _, value)| value)
    }

    /// Another value for the site.
    pub(super) fn other(&mut self) -> Option<Value> {
        super::edit::other(&self.base.document, self.site, self.random)
    }

    /// A leaf that may change, away from these places.
    pub(super) fn leaf_beside(&mut self, places: &[&Place]) -> Option<&'a Site> {
        let is_beside = |site: &&Site| {
            super::classes::is_editable(self.base, site)
                && !places
                    .iter()
                    .any(|place| site.place.starts_with(place) || place.starts_with(&site.place))
        };
        let leaves: Vec<&'a Site> = self.base.sites.iter().filter(is_beside).collect();
        self.random.pick(&leaves).copied()
    }
}

/// One question.
pub(super) struct Draft {
    pub(super) desired: Value,
    pub(super) manager: String,
    pub(super) force: bool,
    /// What is edited, in the words of [`Site::path`].
    pub(super) path: String,
    pub(super) form: Form,
    /// What is edited, one after the other.
    pub(super) changes: Vec<Change>,
}

impl Draft {
    pub(super) fn by(mut self, manager: &str) -> Self {
        manager.clone_into(&mut self.manager);
        self
    }

    pub(super) fn forced(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub(super) fn set(&mut self, place: &Place, value: Value) {
        set(&mut self.desired, place, value.clone());
        self.unsent(place, Some(value));
    }

    pub(super) fn remove(&mut self, place: &Place) {
        remove(&mut self.desired, place);
        self.unsent(place, None);
    }

    /// An edit of the object that is no part of the definition.
    pub(super) fn unsent(&mut self, place: &Place, value: Option<Value>) {
        self.changes.push((place.clone(), value));
    }

    /// Not applied, but written in another way.
    pub(super) fn put_as(mut self, way: Way, whole: bool, tweak: Tweak) -> Self {
        self.form = Form {
            way,
            subresource: None,
            whole,
            tweak,
        };
        self
    }

    pub(super) fn through(mut self, subresource: &'static str) -> Self {
        self.form.subresource = Some(subresource);
        self
    }
}

/// Questions of one sort.
pub(super) trait Class: Sync {
    /// Its line in the table.
    fn name(&self) -> &'static str;

    /// Whether it asks about this place.
    fn wants(&self, base: &Base, site: &Site) -> bool;

    /// Whether the place need not be there.
    fn wants_absent(&self, _: &Base, _: &Site) -> bool {
        false
    }

    /// Different objects for a base.
    fn salts(&self) -> u64 {
        2
    }

    /// One of so many questions is about fields that must not change.
    fn frozen_once_in(&self) -> u64 {
        25
    }

    /// Where its objects are.
    fn namespace(&self) -> &'static str {
        NAMESPACE
    }

    /// Whether somebody who knows schemas and owners can tell the answer.
    fn can_be_told(&self) -> bool {
        true
    }

    /// The object. The same for few values of `salt`, so that objects are used again.
    fn start(&self, base: &Base, salt: u64) -> Start;

    /// The question; [`Ask::live`] as [`Class::start`] wants it. The definition bears the base's name.
    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft>;
}
