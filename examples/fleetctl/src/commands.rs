//! What each command does.

use std::{error::Error, time::Duration};

use fleet_kube::{Fleet, Outcome};

use crate::{
    DONE, FAILED, NOT_AS_ASKED,
    args::{Args, Command, Common, Output},
    assemble::{Assembly, assemble},
    progress::Lines,
    render,
};

type Done = Result<u8, Box<dyn Error + Send + Sync>>;

pub(crate) async fn run(args: Args) -> Done {
    match args.command {
        Command::Plan { common } => plan(&common).await,
        Command::Apply {
            common,
            wave,
            confirm,
        } => apply(&common, &wave.wave(), &confirm).await,
        Command::Run {
            common,
            wave,
            interval,
        } => keep(&common, &wave.wave(), interval).await,
        Command::Status { common } => status(&common).await,
    }
}

async fn plan(common: &Common) -> Done {
    let fleet = quiet(common)?;
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

async fn status(common: &Common) -> Done {
    let fleet = quiet(common)?;
    let outcomes = fleet
        .plan()
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    print(common.output, &outcomes, || render::statuses(&outcomes));
    let unclean = outcomes
        .iter()
        .any(|o| !o.plan.as_ref().is_some_and(fleet_core::Plan::is_empty));
    Ok(code(&outcomes, unclean))
}

async fn apply(common: &Common, wave: &fleet_kube::Wave, confirm: &[String]) -> Done {
    let Assembly { builder, .. } = assemble(common, Lines::new(common.output))?;
    let fleet = builder
        .wave(wave.clone())
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

async fn keep(common: &Common, wave: &fleet_kube::Wave, interval: u64) -> Done {
    let Assembly { builder, clusters } = assemble(common, Lines::new(common.output))?;
    let fleet = builder
        .wave(wave.clone())
        .read_interval(Duration::from_secs(interval.max(1)))
        .build()?;
    let names = clusters.clusters_now().await?;
    anstream::eprintln!("keeping {} clusters; interrupt to stop", names.len());
    tokio::select! {
        () = fleet.run() => Ok(FAILED),
        _ = tokio::signal::ctrl_c() => Ok(DONE),
    }
}

/// A fleet whose notes nobody hears: for commands that only look.
fn quiet(common: &Common) -> Result<Fleet, Box<dyn Error + Send + Sync>> {
    let Assembly { builder, .. } = assemble(common, fleet_core::Silent)?;
    Ok(builder.settle_max(Duration::from_secs(common.timeout)).build()?)
}

fn print(output: Output, outcomes: &[Outcome], text: impl FnOnce() -> String) {
    match output {
        Output::Text => anstream::print!("{}", text()),
        Output::Json => match serde_json::to_string_pretty(outcomes) {
            Ok(json) => println!("{json}"),
            Err(error) => anstream::eprintln!("{}", render::error(&error)),
        },
    }
}

fn code(outcomes: &[Outcome], not_as_asked: bool) -> u8 {
    if outcomes.iter().any(|o| o.status.is_none()) {
        FAILED
    } else if not_as_asked {
        NOT_AS_ASKED
    } else {
        DONE
    }
}
