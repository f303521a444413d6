//! What each command does.

use std::{error::Error, path::Path, time::Duration};

use fleet_core::confirm_restored;
use fleet_kube::{CapacityOptions, FileStatus, Fleet, Outcome};

use crate::{
    DONE, FAILED, NOT_AS_ASKED,
    args::{Args, Command, Common, Output, WaveArgs},
    assemble::{Assembly, assemble},
    diff, explain,
    leaving::still_named,
    place,
    progress::Lines,
    render,
    rulebook::Rulebook,
};

pub(crate) type Done = Result<u8, Box<dyn Error + Send + Sync>>;

pub(crate) async fn run(args: Args) -> Done {
    match args.command {
        Command::Plan { common } => plan(&common).await,
        Command::Apply {
            common,
            wave,
            confirm,
        } => apply(&common, &wave, &confirm).await,
        Command::Run {
            common,
            wave,
            interval,
            capacity,
        } => keep(&common, &wave, interval, capacity).await,
        Command::Status {
            common,
            unmanaged: false,
            capacity,
        } => status(&common, capacity).await,
        Command::Status { common, .. } => unmanaged(&common).await,
        Command::Accept { name, kubeconfig } => accept(&name, &kubeconfig).await,
        Command::Explain(args) => explain::run(&args).await,
        Command::Diff(args) => diff::run(&args),
        Command::Place(args) => place::run(&args).await,
    }
}

async fn plan(common: &Common) -> Done {
    let (fleet, _) = quiet(common).await?;
    let outcomes = fleet
        .plan()
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    print(common.output, &outcomes, || render::plans(&outcomes));
    let changes = outcomes
        .iter()
        .any(|o| o.plan.as_ref().is_some_and(|p| !p.changes.is_empty()));
    Ok(code(&outcomes, changes))
}

async fn status(common: &Common, capacity: bool) -> Done {
    let Assembly {
        mut builder,
        clusters,
        ..
    } = assemble(common, fleet_core::Silent).await?;
    clusters.clusters_now(None).await?;
    if capacity {
        builder = builder.capacity(CapacityOptions::default());
    }
    let fleet = builder.settle_max(Duration::from_secs(common.timeout)).build()?;
    let named = still_named(&clusters).await;
    let outcomes = fleet
        .plan()
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    let stands = render::Stands::of(&outcomes, fleet.observed());
    print(common.output, &stands, || {
        render::statuses(&stands) + &render::still_named(&named)
    });
    let unclean = outcomes
        .iter()
        .any(|o| !o.plan.as_ref().is_some_and(fleet_core::Plan::is_empty));
    Ok(code(&outcomes, unclean))
}

async fn accept(name: &str, kubeconfig: &Path) -> Done {
    let status = FileStatus::beside(kubeconfig);
    let restored = confirm_restored(&status, name)
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    match restored {
        Some(restored) => {
            anstream::println!(
                "{name} goes on from revision {}: its plan is carried out from now on",
                restored.to
            );
            Ok(DONE)
        }
        None => Err(format!("{name}: nothing waits to be confirmed").into()),
    }
}

async fn unmanaged(common: &Common) -> Done {
    let (fleet, _) = quiet(common).await?;
    let found = fleet
        .unmanaged()
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    print(common.output, &found, || render::leftovers(&found));
    let failed = found.iter().any(|one| one.failure.is_some());
    Ok(if failed { FAILED } else { DONE })
}

async fn apply(common: &Common, wave: &WaveArgs, confirm: &[String]) -> Done {
    let Assembly {
        builder, clusters, ..
    } = assemble(common, Lines::new(common.output)).await?;
    clusters.clusters_now(wave.first()).await?;
    let fleet = builder
        .wave(wave.wave())
        .settle_max(Duration::from_secs(common.timeout))
        .build()?;
    let outcomes = fleet
        .apply(confirm)
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    print(common.output, &outcomes, || render::outcomes(&outcomes));
    let unclean = outcomes.iter().any(|o| !o.is_clean());
    Ok(code(&outcomes, unclean))
}

async fn keep(common: &Common, wave: &WaveArgs, interval: u64, capacity: bool) -> Done {
    let Assembly {
        mut builder,
        clusters,
        ..
    } = assemble(common, Lines::new(common.output)).await?;
    if capacity {
        builder = builder.capacity(CapacityOptions::default());
    }
    let fleet = builder
        .wave(wave.wave())
        .read_interval(Duration::from_secs(interval.max(1)))
        .build()?;
    let names = clusters.clusters_now(wave.first()).await?;
    let count = render::count(names.len(), "cluster");
    anstream::eprintln!("keeping {count}; interrupt to stop");
    tokio::select! {
        () = fleet.run() => Ok(FAILED),
        _ = tokio::signal::ctrl_c() => Ok(DONE),
    }
}

/// A fleet whose notes nobody hears, and its rules: for commands that only look.
pub(crate) async fn quiet(common: &Common) -> Result<(Fleet, Rulebook), Box<dyn Error + Send + Sync>> {
    let Assembly {
        builder,
        clusters,
        rules,
    } = assemble(common, fleet_core::Silent).await?;
    clusters.clusters_now(None).await?;
    let fleet = builder.settle_max(Duration::from_secs(common.timeout)).build()?;
    Ok((fleet, rules))
}

fn print(output: Output, outcomes: &[impl serde::Serialize], text: impl FnOnce() -> String) {
    match output {
        Output::Text => anstream::print!("{}", text()),
        Output::Json => match serde_json::to_string_pretty(outcomes) {
            Ok(json) => println!("{json}"),
            Err(error) => anstream::eprintln!("{}", render::error(&error)),
        },
    }
}

/// A cluster that is held back by a wave is not as asked, and nothing went wrong there; every other failure is an
/// error, also where something is known of the cluster.
fn code(outcomes: &[Outcome], not_as_asked: bool) -> u8 {
    let failed = |o: &Outcome| !o.is_held_back() && (o.failure.is_some() || o.status.is_none());
    if outcomes.iter().any(failed) {
        FAILED
    } else if not_as_asked || outcomes.iter().any(Outcome::is_held_back) {
        NOT_AS_ASKED
    } else {
        DONE
    }
}

#[cfg(test)]
mod tests {
    use fleet_core::{Observed, Reason, Restored, Status, StatusSink as _, Tick};

    use super::*;

    fn outcome(status: bool, failure: Option<&'static str>) -> Outcome {
        let mut outcome = Outcome::new("a");
        outcome.status = status.then(Status::default);
        outcome.failure = failure.map(|code| Reason::new(code, "why"));
        outcome
    }

    #[test]
    fn exit_codes_tell_errors_from_what_is_held_back() {
        let fine = || outcome(true, None);
        let held_back = || Outcome::new("a").held_back(Reason::new("first-failed", "why"));
        for (outcomes, not_as_asked, expect) in [
            (vec![fine()], false, DONE),
            (vec![fine()], true, NOT_AS_ASKED),
            (vec![fine(), held_back()], false, NOT_AS_ASKED),
            (vec![fine(), outcome(false, Some("unreachable"))], false, FAILED),
            // These have a status, and no plan worth the name.
            (vec![outcome(true, Some("inventory-unknown"))], false, FAILED),
            (vec![outcome(true, Some("stuck"))], true, FAILED),
            (vec![outcome(true, Some("not-converged"))], false, FAILED),
            (vec![outcome(true, Some("stuck")), held_back()], true, FAILED),
            (vec![outcome(false, None)], false, FAILED),
        ] {
            assert_eq!(code(&outcomes, not_as_asked), expect, "{outcomes:?}");
        }
    }

    #[tokio::test]
    async fn what_waits_to_be_confirmed_is_confirmed_once() {
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("config");
        let wrong = accept("eu-1", &kubeconfig).await.unwrap_err().to_string();
        assert_eq!(wrong, "eu-1: nothing waits to be confirmed");
        let sink = FileStatus::beside(&kubeconfig);
        let mut observed = Observed::default();
        observed.restored = Some(Restored::new(231, 180, Tick(1)));
        sink.store(&[("eu-1".to_owned(), Some(observed.clone()))].into())
            .await
            .unwrap();
        assert_eq!(accept("eu-1", &kubeconfig).await.unwrap(), DONE);
        let stored = sink.load().await.unwrap().remove("eu-1").unwrap();
        observed.restored.as_mut().unwrap().confirmed = true;
        assert_eq!(stored, observed);
        assert!(accept("eu-1", &kubeconfig).await.is_err());
        assert!(accept("eu-2", &kubeconfig).await.is_err());
        std::fs::write(dir.path().join("config.status.json"), "{").unwrap();
        let wrong = accept("eu-1", &kubeconfig).await.unwrap_err().to_string();
        assert!(
            wrong.contains("config.status.json:1: is not a status file"),
            "{wrong}"
        );
    }
}
