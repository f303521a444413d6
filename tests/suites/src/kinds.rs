//! Tests that are written once and run on both kinds of clusters.

use fleet_harness::{Kind, Need, not_run};

/// Runs a test on clusters of a kind, unless it is not wanted there or what it needs is not to be had; then it says so.
///
/// In-process clusters move with tokio's clock, which is paused: what only waits takes no time.
pub fn on_kind<T: Future<Output = ()>>(name: &str, kind: Kind, needs: &[Need], test: impl FnOnce(Kind) -> T) {
    if let Some(why) = kind.hindrance(needs).expect("a sensible environment") {
        return not_run(name, &why);
    }
    match kind {
        Kind::Real => crate::on_runtime(test(kind)),
        Kind::InProcess => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
            .block_on(test(kind)),
    }
}

/// Makes a test for each kind of clusters of each `async fn(Kind)`, with what it needs of them beyond an API server.
#[macro_export]
macro_rules! on_both_kinds {
    ($($name:ident: [$($need:ident),*];)+) => {$(
        mod $name {
            use fleet_harness::{Kind, Need};

            const NEEDS: &[Need] = &[$(Need::$need),*];

            #[test]
            fn in_process() {
                let name = concat!(stringify!($name), " in this process");
                $crate::on_kind(name, Kind::InProcess, NEEDS, super::$name);
            }

            #[test]
            fn real() {
                let name = concat!(stringify!($name), " on real servers");
                $crate::on_kind(name, Kind::Real, NEEDS, super::$name);
            }
        }
    )+};
}
