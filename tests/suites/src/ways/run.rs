//! All sample manifests on real servers, one set after the other.

use fleet_core::Object;
use fleet_harness::{ControlPlane, Options as PlaneOptions, User};
use fleet_kube::{Connection, ConnectionOptions};

use super::{Tries, Ways, kinds_of};
use crate::{
    Bed,
    manifests::{MANAGER as FIRST, Plain, Set, all},
};

/// Who owns the objects.
const MANAGER: &str = "fleet-shop";

/// What to try.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The same seed gives the same changes.
    pub seed: u64,
    /// Random changes of each object.
    pub changes: usize,
    /// Of all objects every so many-th.
    pub every: usize,
}

/// Tries changes of the objects of every set; what comes of a set is told as soon as it is known.
pub async fn run(options: Options, tell: impl Fn(&str, &Ways)) -> Ways {
    let mut ways = Ways::default();
    for set in &all().0 {
        let plane = ControlPlane::start(PlaneOptions::new(&set.name)).expect("a cluster");
        let found = one_set(set, &plane, options).await;
        tell(&set.name, &found);
        ways.add(found);
    }
    ways
}

async fn one_set(set: &Set, plane: &ControlPlane, options: Options) -> Ways {
    let bed = Bed::new([plane]);
    let client =
        async || kube::Client::try_from(bed.config(plane.name(), User::Someone).await).expect("an answer");
    let mut plain = Plain::new(client().await, set.default_namespace).await;
    plain.namespace(set.default_namespace).await;
    let version = &set.versions[set.versions.len() - 1];
    let made = plain.make_true(&version.objects).await;
    let definitions: Vec<Object> = version
        .objects
        .iter()
        .filter(|object| made.accepted.contains(&plain.key(object)))
        .map(|object| object.with_namespace(plain.key(object).namespace()))
        .step_by(options.every.max(1))
        .collect();
    for definition in &definitions {
        // Made by one, taken over by the other, and let go of by the first: what is dropped then goes.
        for (document, manager) in [(definition, MANAGER), (&definition.bare(), FIRST)] {
            // What its server does not let go of is tried as it is.
            if let Err(refused) = plain.write(document, manager).await {
                println!("  {definition:?} as {manager}: {}", refused.message);
            }
        }
    }
    let connection = Connection::over(client().await, ConnectionOptions::default())
        .await
        .expect("an answer");
    let kinds = connection.discover().await.expect("an answer");
    let (types, faults) = connection.learn_types(&kinds_of(&definitions), &kinds).await;
    assert!(faults.is_empty(), "{faults:?}");
    let tries = Tries {
        connection: &connection,
        types: &types,
        manager: MANAGER,
        seed: options.seed,
    };
    let mut ways = Ways::default();
    for definition in &definitions {
        ways.add(tries.run(definition, options.changes).await);
    }
    ways
}
