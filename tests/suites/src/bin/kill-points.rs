//! Kills a reconciler at every write of a pass, at three moments of each, and the same while objects are made again: the
//! long form of the test `kill`.

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
    let begin = Instant::now();
    let remade = on_runtime(kill::remade(
        &reconciler,
        |points| points,
        |finding| println!("{finding}"),
    ));
    println!(
        "\nobjects made again: {:?} writes, {} points reached, {} violations, {:.1} s",
        remade.writes,
        remade.reached,
        remade.wrong.len(),
        begin.elapsed().as_secs_f64()
    );
    let mut failures = report.failures();
    failures.extend(remade.wrong);
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
