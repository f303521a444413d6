//! `fleetctl diff`: what applying a definition would do, without a cluster.

mod batch;
pub(crate) mod files;
mod question;

use std::io::{self, Write as _};

use fleet_diff::{RenderOptions, Report, Secrets, ShownFields, Style, render_report};

use crate::{
    DONE, FAILED, NOT_AS_ASKED,
    args::{DiffArgs, Output},
    commands::Done,
    rules,
};
use question::{Knowledge, Question};

pub(crate) fn run(args: &DiffArgs) -> Done {
    let knowledge = Knowledge {
        schemas: files::schemas(&args.schemas, args.kubernetes.as_deref())?,
        rules: rules::fields(&args.rules, files::text)?,
        admission: files::admission(&args.admission)?,
        secrets: if args.show_secrets {
            Secrets::Shown
        } else {
            Secrets::Hidden
        },
    };
    let Some(desired) = &args.desired else {
        return batch::run(&knowledge, args, io::stdin().lock(), io::stdout().lock());
    };
    let question = Question {
        desired: files::object(desired)?,
        live: args.live.as_deref().map(files::object).transpose()?,
        manager: args.manager.clone(),
        force: args.force,
        memory: None,
    };
    let question = question.checked(&knowledge.schemas)?;
    let report = knowledge.answer(&question);
    match args.output {
        Output::Json => {
            let mut json = serde_json::to_string_pretty(&report)?;
            json.push('\n');
            io::stdout().write_all(json.as_bytes())?;
        }
        Output::Text => {
            let mut options = RenderOptions::default();
            options.style = Style::Ansi;
            options.secrets = knowledge.secrets;
            options.fields = if args.all {
                ShownFields::All
            } else {
                ShownFields::Told
            };
            let text = render_report(question.desired.key(), &report, &options);
            anstream::stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(code(&report))
}

/// The exit code that a report calls for.
fn code(report: &Report) -> u8 {
    match report.action {
        fleet_diff::Action::None | fleet_diff::Action::Adopt => DONE,
        _ => NOT_AS_ASKED,
    }
}

/// The exit code of several: an error counts most.
fn worse(a: u8, b: u8) -> u8 {
    match (a, b) {
        (FAILED, _) | (_, FAILED) => FAILED,
        (a, b) => a.max(b),
    }
}
