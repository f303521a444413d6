//! Division of replicas: published vectors, laws, and slow models that agree with the fast methods.

#[path = "divide/mod.rs"]
mod divide;
