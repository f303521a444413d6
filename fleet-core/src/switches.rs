//! Guards that tests switch off, one at a time, to see a test fail without them.

/// All guards of the engine, on by default. They can be switched off only under the feature `testing`.
///
/// The numbers are those of the invariants in ARCHITECTURE.md.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Switches {
    pub(crate) unknown_changes_nothing: bool,
    pub(crate) write_ahead: bool,
    pub(crate) uid_check: bool,
    pub(crate) uid_precondition: bool,
    pub(crate) version_precondition: bool,
    pub(crate) budgets: bool,
    pub(crate) containers: bool,
    pub(crate) version_free_identity: bool,
    pub(crate) incomplete_kinds: bool,
    pub(crate) nothing_without_change: bool,
    pub(crate) judge_again: bool,
    pub(crate) look_after_lost: bool,
    pub(crate) own_marks_only: bool,
    pub(crate) force_only_ours: bool,
    pub(crate) contest: bool,
    pub(crate) mask: bool,
    pub(crate) limits: bool,
    pub(crate) contact: bool,
    pub(crate) ordered: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            unknown_changes_nothing: true,
            write_ahead: true,
            uid_check: true,
            uid_precondition: true,
            version_precondition: true,
            budgets: true,
            containers: true,
            version_free_identity: true,
            incomplete_kinds: true,
            nothing_without_change: true,
            judge_again: true,
            look_after_lost: true,
            own_marks_only: true,
            force_only_ours: true,
            contest: true,
            mask: true,
            limits: true,
            contact: true,
            ordered: true,
        }
    }
}

#[cfg(feature = "testing")]
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $($field:ident),+;)*) => {
        impl Switches {
            $($(#[$doc])* #[must_use] pub fn $name(mut self) -> Self { $(self.$field = false;)+ self })*
        }
    };
}

#[cfg(feature = "testing")]
setters! {
    /// Rule 1 off: an unknown inventory is taken as an empty one.
    without_unknown: unknown_changes_nothing;
    /// Rule 2 off: the ledger is written after the cluster.
    without_write_ahead: write_ahead;
    /// Rule 3, its deletes: no UID check, no preconditions.
    without_delete_guards: uid_check, uid_precondition, version_precondition, own_marks_only;
    /// Rule 3, its budgets off.
    without_budgets: budgets;
    /// Rule 4 off: containers are deleted like anything else.
    without_containers: containers;
    /// Rule 5 off: another API version is another object.
    without_version_free_identity: version_free_identity;
    /// Rule 6 off: what cannot be listed is taken as gone.
    without_incomplete_kinds: incomplete_kinds;
    /// Rule 7 off: everything is written whenever it is looked at.
    without_nothing_without_change: nothing_without_change;
    /// Rule 8 off: a conflict is answered by force.
    without_judge_again: judge_again;
    /// Rule 9 off: a lost write is taken as refused.
    without_look_after_lost: look_after_lost;
    /// Rule 10, as far as it is the engine's: no limit on requests under way, no pause, no waiting between tries.
    without_limits: limits;
    /// Rule 11 off: what cannot be read is taken as gone.
    without_contact: contact;
    /// Rule 12 off: objects that are not ours are forced.
    without_force_only_ours: force_only_ours;
    /// Rule 14 off: every field is fought for.
    without_contest: contest;
    /// Rule 15 off: Secret values are shown.
    without_mask: mask;
    /// Rule 16 off: objects are taken in an order that differs from run to run.
    without_order: ordered;
}
