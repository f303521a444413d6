//! `fleetctl explain`: why an object is as it is.

use fleet_diff::{Secrets, ShownFields};
use fleet_kube::{Explanation, Standing};

use crate::{
    DONE, FAILED, NOT_AS_ASKED,
    args::{ExplainArgs, Output},
    commands::{Done, quiet},
    render,
};

pub(crate) async fn run(args: &ExplainArgs) -> Done {
    let object = args.named()?;
    let secrets = if args.show_secrets {
        Secrets::Shown
    } else {
        Secrets::Hidden
    };
    let (fleet, book) = quiet(&args.common).await?;
    // Those of the judge that `apply` and `run` have.
    let rules = book.rules();
    let explanations = fleet
        .explain(&object, &rules, secrets)
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    match args.common.output {
        Output::Json => println!("{}", serde_json::to_string_pretty(&explanations)?),
        Output::Text => {
            let fields = if args.all {
                ShownFields::All
            } else {
                ShownFields::Meant
            };
            anstream::print!("{}", render::explanations(&explanations, fields, secrets));
        }
    }
    Ok(code(&explanations))
}

/// An object need not be in every cluster; it must be in one.
fn code(explanations: &[Explanation]) -> u8 {
    let is_nowhere = |one: &Explanation| one.failure.as_ref().is_some_and(|why| why.code == "not-found");
    let somewhere: Vec<&Explanation> = explanations.iter().filter(|one| !is_nowhere(one)).collect();
    let is_fine = |one: &&Explanation| matches!(one.standing, Some(Standing::InSync | Standing::NotOurs));
    if somewhere.is_empty() || somewhere.iter().any(|one| one.failure.is_some()) {
        FAILED
    } else if somewhere.iter().all(is_fine) {
        DONE
    } else {
        NOT_AS_ASKED
    }
}
