//! The page of the table of built-in fields: `FIELDS.md`.
//!
//! Those who record include this file too.

use std::fmt::Write as _;

use super::case::Row;

impl Row {
    /// Whether something tests it.
    pub(crate) fn is_covered(&self) -> bool {
        self.untestable.is_none()
    }
}

/// The page.
pub(crate) fn page(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    let covered = rows.iter().filter(|row| row.is_covered()).count();
    let cases: usize = rows.iter().map(|row| row.cases().len()).sum();
    let _ = writeln!(
        page,
        "{covered} of {} rows are tested, by {cases} cases.\n",
        rows.len()
    );
    page.push_str("| row | fields | what is to be known | answered by | cases |\n|---|---|---|---|---|\n");
    for row in rows.iter().filter(|row| row.is_covered()) {
        let cases = match row.cases().len() {
            0 => row
                .tests
                .iter()
                .map(|test| format!("`{test}`"))
                .collect::<Vec<_>>()
                .join(", "),
            count => count.to_string(),
        };
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {cases} |",
            row.number, row.of, row.says, row.by
        );
    }
    page.push_str("\nNot tested, because no server can be asked:\n\n| row | fields | what is to be known | why |\n|---|---|---|---|\n");
    for row in rows {
        if let Some(why) = &row.untestable {
            let _ = writeln!(page, "| {} | {} | {} | {why} |", row.number, row.of, row.says);
        }
    }
    page
}

const HEAD: &str = "# Built-in fields

What servers and their controllers do with fields of built-in kinds, where it would mislead a plain comparison, and what
of this crate answers it: the id of a rule, which verdicts name too, or a mechanism. Each case is a question that real
servers were asked (`tests/rows/recorded`); the tests compare object, owners, action and verdicts. This page is written by
`cargo xtask rows`, from `tests/rows/cases`.

";
