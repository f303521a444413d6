//! The kill test: a reconciler is killed at a write of a pass, and the next one, with another inventory, neither loses
//! nor orphans anything.
//!
//! The pass leads from a base inventory to inventory A; the run after the kill uses inventory B. What B leaves behind
//! is compared with a run of A and B that nobody killed. Every case has a tag in its names and an inventory id of its
//! own, so that all of them share one control plane.

mod again;
mod cases;
mod check;
mod course;
mod inventories;
mod lab;
mod look;
mod process;
mod report;
mod rules;

use std::path::Path;

use futures_util::{StreamExt, future::join};

pub use again::{Point, Remade, Story, remade, some_points};
pub use cases::{Case, Guard, SEED, seeded};
pub use report::{Finding, Report};

use check::judge;
use lab::{Lab, Reference};

/// Runs the cases that need a guard, with and without it, and of all points those that `choose` takes. `program` is
/// the reconciler; each finding is told to `tell` as soon as it is there.
pub async fn run(
    program: &Path,
    choose: impl FnOnce(Vec<Case>) -> Vec<Case>,
    tell: impl Fn(&Finding),
) -> Report {
    let lab = Lab::start(program).await;
    let note = |course, reference: &Reference| {
        let finding = judge(course, reference);
        tell(&finding);
        finding
    };
    let points = async {
        let reference = lab.reference().await;
        let mut courses = lab.courses(choose(cases::every_point(reference.writes)));
        let mut findings = Vec::new();
        while let Some(course) = courses.next().await {
            findings.push(note(course, &reference));
        }
        drop(courses);
        (reference, findings)
    };
    // These need no number of a write: they begin with the reference, and are judged when it is there.
    let guards = lab.courses(cases::guards()).collect::<Vec<_>>();
    let ((reference, mut findings), guards) = join(points, guards).await;
    findings.extend(guards.into_iter().map(|course| note(course, &reference)));
    Report {
        writes: reference.writes,
        findings,
    }
}
