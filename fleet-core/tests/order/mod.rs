mod annotations;
mod edges;
mod model;
mod removal;
mod scale;
mod sets;
mod world;

use fleet_core::{Object, ObjectKey, order::Order};
use fleet_diff::{ReadLimits, read_objects};

fn objects(yaml: &str) -> Vec<Object> {
    let found = read_objects(yaml, &ReadLimits::default()).unwrap();
    found.into_iter().map(|located| located.object).collect()
}

fn order(yaml: &str) -> Order {
    Order::new(&objects(yaml), "example.com")
}

fn key(path: &str) -> ObjectKey {
    path.parse().unwrap()
}

/// Every edge as a sentence, sorted.
fn edges(order: &Order, objects: &[Object]) -> Vec<String> {
    let edges = objects.iter().flat_map(|object| order.waits_for(object.key()));
    let mut edges: Vec<String> = edges.map(|edge| edge.to_string()).collect();
    edges.sort();
    edges
}
