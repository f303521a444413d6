//! Steps of a move at which somebody else has a say.

use fleet_core::Reason;

use super::Move;

/// A step of a move at which somebody else has a say: that is how state and load balancers follow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Before the new copy is started.
    Before,
    /// The new copy is healthy: has traffic been switched to it?
    Switched,
    /// Before the old copy goes. Where there must never be two, that is before the new copy is started, and what cannot be
    /// asked any more is not asked about.
    BeforeOldGoes,
}

/// What is said at a step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Consent {
    /// The move goes on.
    Go,
    /// It waits here, for this.
    Wait(Reason),
    /// It is not made. Before the new copy is started the old one stays as it is; later, a refusal is a wait, because two
    /// copies are there.
    Refuse(Reason),
}

/// Has a say in moves. Pure: it is asked again and again, with what it knows from outside.
pub trait MoveGate: Send + Sync + 'static {
    /// Whether a move may take this step. Asked of every replica set that moves: what is started where is known from
    /// [`Step::Before`] on. What is to give way to something more important goes at once: of it, all is asked before. Of a move that is not remembered any more because it takes long, only workload and clusters are
    /// known: then the target is empty, the cause `unknown`, and there are 0 replicas.
    fn ask(&self, step: Step, one: &Move) -> Consent;
}

impl<F: Fn(Step, &Move) -> Consent + Send + Sync + 'static> MoveGate for F {
    fn ask(&self, step: Step, one: &Move) -> Consent {
        self(step, one)
    }
}
