//! One command, one task.

use std::{sync::PoisonError, time::Duration};

use fleet_core::{Command, Event, Fault, Note, Reason};
use tokio::time::sleep;

use super::{Driver, survey};

/// Waits between tries to read the discovery of a cluster that does not answer.
const DISCOVERY_RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

pub(super) fn carry_out(driver: &mut Driver, command: Command) {
    let connection = driver.parts.connection.clone();
    let marks = driver.engine.marks().clone();
    let target = driver.engine.target().clone();
    let ledger = driver.parts.ledger.clone();
    let tasks = &mut driver.tasks;
    match command {
        Command::Send { call, request, .. } => {
            tasks.spawn(async move { Some(Event::Answered(call, connection.execute(&request).await)) });
        }
        Command::LoadLedger => {
            tasks.spawn(async move { Some(Event::Ledger(ledger.load(&target).await)) });
        }
        Command::Record { call, writes } => {
            tasks.spawn(async move { Some(Event::Recorded(call, ledger.record(&target, &writes).await)) });
        }
        Command::Discover => {
            let observer = driver.parts.observer.clone();
            let cluster = driver.parts.cluster.clone();
            tasks.spawn(async move {
                let mut wait = DISCOVERY_RETRY.0;
                loop {
                    match connection.discover().await {
                        Ok(kinds) => return Some(Event::Kinds(kinds)),
                        Err(fault) => observer.note(&cluster, &offline(&fault)),
                    }
                    sleep(wait).await;
                    wait = (wait * 2).min(DISCOVERY_RETRY.1);
                }
            });
        }
        Command::List { call, gvk } => {
            tasks.spawn(async move {
                Some(Event::Listed(
                    call,
                    connection.list_meta(&gvk, None, None, &marks).await,
                ))
            });
        }
        Command::Sweep { call } => {
            tasks.spawn(async move { Some(Event::Swept(call, survey::sweep(&connection, &marks).await)) });
        }
        Command::Survey { call, container } => {
            tasks.spawn(async move {
                Some(Event::Surveyed(
                    call,
                    survey::survey(&connection, &marks, &container).await,
                ))
            });
        }
        Command::ConfirmKindGone { call, kind } => {
            tasks.spawn(async move { Some(Event::KindGone(call, connection.kind_is_gone(&kind).await)) });
        }
        Command::LearnTypes(gvks) => driver.want_types(gvks),
        Command::Watch(gvks) => driver.watch(gvks),
        Command::Reserve {
            call,
            count,
            confirmed,
            ..
        } => {
            let now = driver.parts.clock.now();
            let mut budget = driver.parts.budget.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = budget.ask(&target, count, confirmed, now);
            tasks.spawn(async move { Some(Event::Reserved(call, answer)) });
        }
        Command::Report(note) => driver.note(&note),
        Command::WakeAt(at) => driver.wake = Some(at),
        other => driver.note(&Note::Remark {
            reason: Reason::new("bug", format!("the driver does not know the command {other:?}")),
        }),
    }
}

fn offline(fault: &Fault) -> Note {
    Note::Contact {
        online: false,
        reason: Reason::new("no-discovery", fault.to_string()),
    }
}
