//! Tables: columns that line up, a list at the end of each line, and notes below it.

use std::fmt::Write as _;

use anstyle::Style;

use super::{BOLD, DIM, paint, tame};

/// The widest a column gets; what is wider has a line of its own.
const CELL_MAX: usize = 40;
/// The least room for lists and notes, however narrow the terminal is.
const ROOM_MIN: usize = 20;
/// The least room for a list beside its columns; where there is less it has lines of its own.
const BESIDE_MIN: usize = 30;
/// Between two columns.
const GAP: usize = 2;
/// A sign and what separates it.
const SIGN: usize = 2;
/// Before notes.
const INDENT: usize = 4;

/// Lines of columns.
pub(crate) struct Table {
    /// Where lines are broken; none: nowhere.
    pub(crate) width: Option<usize>,
    /// What the columns are called; the last is the list's.
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

/// One line, and what belongs to it.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Piece>,
    pub(crate) list: Vec<Piece>,
    pub(crate) notes: Vec<Piece>,
}

/// A text of one style.
pub(crate) struct Piece {
    text: String,
    style: Style,
    /// A sign of another style before it.
    sign: Option<(char, Style)>,
}

impl Piece {
    /// Names come from files: what could confuse a terminal is escaped.
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        let mut text = text.into();
        if text.chars().any(char::is_control) {
            text = tame(&text).replace('\n', "\\n");
        }
        Self {
            text,
            style,
            sign: None,
        }
    }

    /// Puts a sign before it.
    pub(crate) fn prefix(&mut self, sign: char, style: Style) {
        self.sign = Some((sign, style));
    }

    fn print(&self) -> String {
        let sign = self.sign.map_or(String::new(), |(sign, style)| {
            format!("{} ", paint(style, &sign.to_string()))
        });
        format!("{sign}{}", paint(self.style, &self.text))
    }

    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::new())
    }

    fn width(&self) -> usize {
        let sign = if self.sign.is_some() { SIGN } else { 0 };
        self.text.chars().count() + sign
    }
}

impl Table {
    /// The table as a text.
    pub(crate) fn print(&self) -> String {
        let widths: Vec<usize> = (0..self.columns.len().saturating_sub(1))
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.cells.get(at));
                let widest = cells.map(Piece::width).filter(|width| *width <= CELL_MAX).max();
                let header = self.header(at).chars().count();
                widest.unwrap_or(0).max(header)
            })
            .collect();
        let mut out = String::new();
        self.headers(&mut out, &widths);
        for row in &self.rows {
            self.row(&mut out, row, &widths);
        }
        out
    }

    fn headers(&self, out: &mut String, widths: &[usize]) {
        let mut line = String::new();
        for at in 0..self.columns.len() {
            let name = self.header(at);
            match widths.get(at) {
                Some(width) => {
                    let _ = write!(line, "{name:<0$}", width + GAP);
                }
                None => line.push_str(&name),
            }
        }
        let _ = writeln!(out, "{}", paint(DIM, line.trim_end()));
    }

    /// What a column is called; names stand behind their signs.
    fn header(&self, at: usize) -> String {
        let is_signed = |row: &Row| row.cells.first().is_some_and(|cell| cell.sign.is_some());
        let indent = if at == 0 && self.rows.iter().any(is_signed) {
            SIGN
        } else {
            0
        };
        format!("{}{}", " ".repeat(indent), self.columns[at])
    }

    fn row(&self, out: &mut String, row: &Row, widths: &[usize]) {
        let mut at = 0;
        for (cell, width) in row.cells.iter().zip(widths) {
            out.push_str(&cell.print());
            let start = at;
            at += width + GAP;
            match at.checked_sub(start + cell.width()).filter(|gap| *gap >= GAP) {
                Some(gap) => out.push_str(&" ".repeat(gap)),
                None => {
                    out.push('\n');
                    out.push_str(&" ".repeat(at));
                }
            }
        }
        let pieces = row.list.iter().enumerate().map(|(place, piece)| {
            let comma = if place + 1 < row.list.len() { "," } else { "" };
            (piece, comma)
        });
        if self.width.is_some_and(|width| width < at + BESIDE_MIN) {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&" ".repeat(INDENT));
            at = INDENT;
        }
        self.flow(out, at, pieces);
        for note in &row.notes {
            self.note(out, note);
        }
    }

    /// A sign, a blank, and words; the words line up.
    fn note(&self, out: &mut String, note: &Piece) {
        let start = note.text.char_indices().nth(SIGN).map_or(0, |(at, _)| at);
        let (sign, words) = note.text.split_at(start);
        let room = self.room(INDENT + SIGN);
        let mut lines = vec![sign.to_owned()];
        let mut used = 0;
        for word in words.split(' ') {
            let width = word.chars().count();
            if used > 0 && used + 1 + width > room {
                lines.push(" ".repeat(SIGN));
                used = 0;
            }
            let Some(line) = lines.last_mut() else { continue };
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += width;
        }
        for line in lines {
            let _ = writeln!(out, "{}{}", " ".repeat(INDENT), paint(note.style, &line));
        }
    }

    fn room(&self, indent: usize) -> usize {
        self.width
            .map_or(usize::MAX, |width| width.saturating_sub(indent).max(ROOM_MIN))
    }

    /// Pieces one after the other, the first where the line is now; those that do not fit begin a line at `indent`.
    fn flow<'a>(
        &self,
        out: &mut String,
        indent: usize,
        pieces: impl Iterator<Item = (&'a Piece, &'static str)>,
    ) {
        let room = self.room(indent);
        let mut used = 0;
        for (piece, comma) in pieces {
            // What is too long for any line is broken at words.
            let parts: Vec<Piece> = match piece.width() + comma.len() > room {
                true => piece
                    .text
                    .split(' ')
                    .map(|word| Piece::new(word, piece.style))
                    .collect(),
                false => vec![Piece::new(piece.text.as_str(), piece.style)],
            };
            let last = parts.len().saturating_sub(1);
            for (place, part) in parts.iter().enumerate() {
                let comma = if place == last { comma } else { "" };
                let width = part.width() + comma.len();
                if used > 0 && used + 1 + width > room {
                    out.push('\n');
                    out.push_str(&" ".repeat(indent));
                    used = 0;
                } else if used > 0 {
                    out.push(' ');
                    used += 1;
                }
                out.push_str(&part.print());
                out.push_str(comma);
                used += width;
            }
        }
        // Nothing but blanks ends a line.
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

/// Lines of words, broken at words where the terminal ends; what follows is indented like its line, and a bit more. Lines
/// of columns stay as they are.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let words = line.trim_start_matches(' ');
        let indent = line.len() - words.len();
        let visible = |text: &str| {
            anstream::adapter::strip_str(text)
                .to_string()
                .trim_end()
                .chars()
                .count()
        };
        if visible(line) <= width || words.trim_end().contains("    ") {
            out.push_str(line);
            continue;
        }
        out.push_str(&" ".repeat(indent));
        let mut used = indent;
        for (at, word) in words.split(' ').enumerate() {
            let length = visible(word);
            if at > 0 && used + 1 + length > width {
                out.push('\n');
                out.push_str(&" ".repeat(indent + SIGN));
                used = indent + SIGN;
            } else if at > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += length;
        }
    }
    out
}

/// The name of a thing that a line is about.
pub(crate) fn title(text: &str) -> Piece {
    Piece::new(text, BOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>, rows: &[(&str, &str, &[&str], &[&str])]) -> String {
        let row = |(name, state, list, notes): &(&str, &str, &[&str], &[&str])| Row {
            cells: vec![title(name), Piece::plain(*state)],
            list: list.iter().map(|one| Piece::plain(*one)).collect(),
            notes: notes.iter().map(|one| Piece::plain(*one)).collect(),
        };
        let table = Table {
            width,
            columns: vec!["NAME", "STATE", "WHERE"],
            rows: rows.iter().map(row).collect(),
        };
        anstream::adapter::strip_str(&table.print()).to_string()
    }

    #[test]
    fn columns_line_up_and_long_names_have_their_own_line() {
        let long = "n".repeat(41);
        let text = table(
            None,
            &[
                ("a", "placed", &["x", "y"], &["! a note"]),
                (&long, "-", &[], &[]),
                ("b\u{1b}[31m", "placed", &["z"], &[]),
            ],
        );
        let expect = format!(
            "NAME         STATE   WHERE\n\
             a            placed  x, y\n    ! a note\n\
             {long}\n             -\n\
             b\\u{{1b}}[31m  placed  z\n"
        );
        assert_eq!(text, expect);
    }

    #[test]
    fn a_narrow_terminal_breaks_nothing_within_words() {
        let list = ["everywhere/agent ×1", "cluster-1 ×0 (-3, 3 going, lost)"];
        let text = table(Some(30), &[("a", "placed", &list, &[])]);
        assert_eq!(
            text,
            "NAME  STATE   WHERE\n\
             a     placed\n\
             \u{20}   everywhere/agent ×1,\n\
             \u{20}   cluster-1 ×0 (-3, 3 going,\n\
             \u{20}   lost)\n"
        );
        assert_eq!(
            wrap(
                "now: \u{1b}[31mone two\u{1b}[0m three\n  a longer line\n",
                Some(14)
            ),
            "now: \u{1b}[31mone two\u{1b}[0m\n  three\n  a longer\n    line\n"
        );
        let columns = "  scorer     says     scaled\n";
        assert_eq!(wrap(columns, Some(10)), columns);
        assert_eq!(wrap("a b c", None), "a b c");
    }

    #[test]
    fn lists_and_notes_are_broken_where_the_terminal_ends() {
        let list: Vec<String> = (0..6).map(|number| format!("cluster-{number}")).collect();
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let note = "! one two three four five six seven eight nine ten";
        let text = table(Some(45), &[("a", "placed", &list, &[note])]);
        assert_eq!(
            text,
            "NAME  STATE   WHERE\n\
             a     placed  cluster-0, cluster-1,\n\
             \u{20}             cluster-2, cluster-3,\n\
             \u{20}             cluster-4, cluster-5\n\
             \u{20}   ! one two three four five six seven eight\n\
             \u{20}     nine ten\n"
        );
    }
}
