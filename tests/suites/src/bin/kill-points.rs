//! Kills a reconciler at every write of a pass, at three moments of each: the long form of the test `kill`.

use std::{process::ExitCode, time::Instant};

use fleet_suites::{kill, on_runtime};

fn main() -> ExitCode {
    let this = std::env::current_exe().expect("a program");
    let reconciler = this.with_file_name("reconciler");
    let begin = Instant::now();
    let report = on_runtime(kill::run(
        &reconciler,
        |points| points,
        |finding| println!("{finding}"),
    ));
    println!(
        "\n{report}{:<44} {:>9.1}",
        "seconds",
        begin.elapsed().as_secs_f64()
    );
    let failures = report.failures();
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
