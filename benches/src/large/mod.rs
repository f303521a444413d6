//! A large inventory for one cluster: a given number of lines of YAML, made from a seed.

mod app;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use crate::Failure;

/// The label that every object of the inventory bears, so that a server can be asked for them without our own marks.
pub const LABEL: &str = "bench.example.com/part-of=large";
/// The namespace and the name of the config map that has the line which changes.
pub const CHANGING: (&str, &str) = ("team-000", "changing");

/// Applications in one namespace, and so in one file.
const APPS_IN_NAMESPACE: usize = 25;
/// More lines than any application has.
const APP_LINES_MAX: usize = 1_000;
/// The line that changes, without its value.
const CHANGING_LINE: &str = "  revision: ";

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// Objects by kind, the plural that servers know it by.
    pub objects: BTreeMap<&'static str, usize>,
    /// Lines.
    pub lines: usize,
    /// Bytes.
    pub bytes: usize,
    /// The file with the line that changes.
    changing: PathBuf,
}

impl Written {
    /// All objects.
    pub fn count(&self) -> usize {
        self.objects.values().sum()
    }

    /// Changes one line of one file; `data.revision` of the config map [`CHANGING`] is then `revision`.
    ///
    /// # Errors
    /// When the file is not as it was written, or cannot be written.
    pub fn change(&self, revision: &str) -> Result<(), Failure> {
        let text = std::fs::read_to_string(&self.changing)?;
        let is_it = |line: &&str| line.starts_with(CHANGING_LINE);
        let line = text.lines().find(is_it).ok_or("the line that changes is gone")?;
        let changed = text.replacen(line, &format!("{CHANGING_LINE}{revision}"), 1);
        // In one step: whoever reads meanwhile has one state or the other.
        let new = self.changing.with_extension("new");
        std::fs::write(&new, changed)?;
        Ok(std::fs::rename(&new, &self.changing)?)
    }
}

/// Texts and objects under way.
struct Writer {
    text: String,
    objects: BTreeMap<&'static str, usize>,
    random: fastrand::Rng,
}

impl Writer {
    /// Begins an object. `place` is `namespace/name`, or a name alone.
    fn object(&mut self, plural: &'static str, api_version: &str, kind: &str, place: &str) {
        *self.objects.entry(plural).or_default() += 1;
        let (key, value) = LABEL.split_once('=').unwrap_or((LABEL, ""));
        let (namespace, name) = match place.split_once('/') {
            Some((namespace, name)) => (format!("  namespace: {namespace}\n"), name),
            None => (String::new(), place),
        };
        self.lines(&format!(
            "---\napiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n{namespace}  labels:\n    {key}: {value}"
        ));
    }

    /// Whole lines.
    fn lines(&mut self, lines: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{lines}");
    }

    /// True so many times in a hundred.
    fn percent(&mut self, times: u32) -> bool {
        self.random.u32(0..100) < times
    }

    fn count(&self) -> usize {
        self.text.bytes().filter(|byte| *byte == b'\n').count()
    }
}

/// Writes exactly `lines` lines (at least 5,000) into files below `folder`, one for each namespace. The same lines and
/// seed give the same files.
///
/// # Errors
/// When there are too few lines, or a file cannot be written.
pub fn write(folder: &Path, lines: usize, seed: u64) -> Result<Written, Failure> {
    if lines < 5 * APP_LINES_MAX {
        return Err(format!("an inventory of {lines} lines is not large: ask for 5000 or more").into());
    }
    std::fs::create_dir_all(folder)?;
    let mut writer = Writer {
        text: String::new(),
        objects: BTreeMap::new(),
        random: fastrand::Rng::with_seed(seed),
    };
    let mut written = Written {
        objects: BTreeMap::new(),
        lines: 0,
        bytes: 0,
        changing: folder.join(format!("{}.yaml", CHANGING.0)),
    };
    for team in 0.. {
        let namespace = format!("team-{team:03}");
        if team == 0 {
            app::definition(&mut writer);
            changing(&mut writer);
        }
        writer.object("namespaces", "v1", "Namespace", &namespace);
        let room = |writer: &Writer| lines - written.lines - writer.count();
        let mut apps = 0;
        while apps < APPS_IN_NAMESPACE && room(&writer) > 2 * APP_LINES_MAX {
            app::app(&mut writer, &namespace, apps);
            apps += 1;
        }
        let last = apps < APPS_IN_NAMESPACE;
        if last {
            let left = room(&writer);
            rest(&mut writer, &namespace, left);
        }
        written.lines += writer.count();
        written.bytes += writer.text.len();
        std::fs::write(folder.join(format!("{namespace}.yaml")), &writer.text)?;
        writer.text.clear();
        if last {
            break;
        }
    }
    written.objects = writer.objects;
    Ok(written)
}

fn changing(writer: &mut Writer) {
    writer.object(
        "configmaps",
        "v1",
        "ConfigMap",
        &format!("{}/{}", CHANGING.0, CHANGING.1),
    );
    writer.lines(&format!("data:\n{CHANGING_LINE}\"0\""));
}

/// A config map of so many lines, its head among them.
fn rest(writer: &mut Writer, namespace: &str, lines: usize) {
    let before = writer.count();
    writer.object("configmaps", "v1", "ConfigMap", &format!("{namespace}/rest"));
    writer.lines("data:\n  rest: |");
    for line in writer.count() - before..lines {
        writer.lines(&format!("    line {line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(PathBuf, String)> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                (path.strip_prefix(folder).unwrap().to_owned(), text)
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn the_same_seed_gives_the_same_lines_and_exactly_as_many_as_asked() {
        let dirs: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let written = write(dirs[0].path(), 20_000, 1).unwrap();
        write(dirs[1].path(), 20_000, 1).unwrap();
        write(dirs[2].path(), 20_000, 2).unwrap();
        let texts = files(dirs[0].path());
        assert_eq!(texts, files(dirs[1].path()));
        assert_ne!(texts, files(dirs[2].path()));
        let lines: usize = texts.iter().map(|(_, text)| text.lines().count()).sum();
        assert_eq!((lines, written.lines), (20_000, 20_000));
        let heads: usize = texts.iter().map(|(_, text)| text.matches("---\n").count()).sum();
        assert_eq!(heads, written.count());
    }

    #[test]
    fn a_change_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let written = write(dir.path(), 5_000, 1).unwrap();
        let before = files(dir.path());
        written.change("\"7\"").unwrap();
        let after = files(dir.path());
        let lines = |files: &[(PathBuf, String)]| -> Vec<String> {
            let lines = files.iter().flat_map(|(_, text)| text.lines());
            lines.map(str::to_owned).collect()
        };
        let (before, after) = (lines(&before), lines(&after));
        assert_eq!(before.len(), after.len());
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(
            changed,
            [(&"  revision: \"0\"".to_owned(), &"  revision: \"7\"".to_owned())]
        );
    }
}
