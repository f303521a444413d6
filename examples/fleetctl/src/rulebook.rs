//! Rules that are read again while a fleet is kept by them: whose fields are whose, and what is healthy.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fleet_core::{Digest, DigestBuilder, EngineOptions, LastGood, LocalJudge, Parts, health::HealthRules};
use fleet_diff::Rules;
use fleet_kube::read_text;

use crate::{diff::files, rules};

/// The last rules that could be read. Those of clusters that do not have the last ones yet are kept, too.
#[derive(Clone)]
pub(crate) struct Rulebook {
    rules: PathBuf,
    health: Option<PathBuf>,
    read: Arc<Mutex<Read>>,
}

struct Read {
    last: LastGood<Digest, String>,
    all: BTreeMap<Digest, Book>,
}

#[derive(Clone)]
struct Book {
    rules: Rules,
    health: HealthRules,
}

impl Rulebook {
    /// From `builtin`, `none` or a file with rules for fields, and a file with rules for health.
    pub(crate) fn read(rules: &Path, health: Option<&Path>) -> Result<Self, String> {
        let (digest, book) = read(rules, health)?;
        let read = Read {
            last: LastGood::new(digest),
            all: BTreeMap::from([(digest, book)]),
        };
        Ok(Self {
            rules: rules.to_owned(),
            health: health.map(Path::to_owned),
            read: Arc::new(Mutex::new(read)),
        })
    }

    /// Reads them again. What cannot be used changes nothing; why is told when it was not told before.
    pub(crate) fn refresh(&self) -> Option<String> {
        let again = read(&self.rules, self.health.as_deref());
        let mut read = self.lock();
        let before = read.last.problem().cloned();
        let digest = again.map(|(digest, book)| {
            read.all.entry(digest).or_insert(book);
            digest
        });
        read.last.take(digest);
        read.last
            .problem()
            .filter(|problem| before.as_ref() != Some(problem))
            .map(|problem| format!("{problem}; the rules that were read last go on to count"))
    }

    /// Names the rules that count, so that clusters are kept by them from their turn on.
    pub(crate) fn choose(&self, options: &mut EngineOptions) {
        options.rules = Some(*self.lock().last.good());
    }

    /// The rules for fields that count.
    pub(crate) fn rules(&self) -> Rules {
        let read = self.lock();
        read.book(None).rules
    }

    /// What an engine with these options goes by.
    pub(crate) fn parts(&self, options: &EngineOptions) -> Parts {
        let book = self.lock().book(options.rules);
        Parts::default()
            .judge(LocalJudge::with_rules(book.rules))
            .health(book.health)
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    fn book(&self, digest: Option<Digest>) -> Book {
        let chosen = digest.and_then(|digest| self.all.get(&digest));
        // What was read is never dropped.
        chosen.unwrap_or_else(|| &self.all[self.last.good()]).clone()
    }
}

fn read(rules: &Path, health: Option<&Path>) -> Result<(Digest, Book), String> {
    // What is digested is what is parsed, and nobody was writing it meanwhile.
    let text = |path: &Path| read_text(path, files::FILE_BYTES_MAX).map_err(|error| error.to_string());
    let mut read = rules.to_string_lossy().into_owned();
    let fields = rules::fields(rules, |path| {
        read = text(path)?;
        Ok(read.clone())
    })?;
    let mut digest = DigestBuilder::new().text(&read);
    let health = match health {
        Some(path) => {
            let text = text(path)?;
            digest = digest.text(&text);
            rules::health(path, text)?
        }
        None => HealthRules::new([]).map_err(|error| error.to_string())?,
    };
    let book = Book {
        rules: fields,
        health,
    };
    Ok((digest.finish(), book))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_told_once_and_changes_nothing() {
        let dir = std::env::temp_dir().join(format!("fleetctl-rulebook-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (rules, health) = (dir.join("rules.yaml"), dir.join("health.yaml"));
        let write = |path: &Path, text: &str| std::fs::write(path, text).unwrap();
        write(&rules, "- {id: a, path: .spec.replicas, do: keep-live}\n");
        write(
            &health,
            "- {id: b, kinds: {kinds: [Database]}, healthyWhen: \"true\"}\n",
        );
        let book = Rulebook::read(&rules, Some(&health)).unwrap();
        let chosen = || {
            let mut options = EngineOptions::default();
            book.choose(&mut options);
            options.rules.unwrap()
        };
        let first = chosen();
        assert_eq!((book.refresh(), chosen()), (None, first));

        for (path, text, expect) in [
            (
                &rules,
                "- {id: a, path: .spec, do: nothing-known}\n",
                "rules.yaml",
            ),
            (
                &health,
                "- {id: b}\n- {id: c, healthyWhen: \"self.\"}\n",
                "health.yaml",
            ),
            (&rules, "", "rules.yaml: is empty; write `[]` for no rules"),
            (
                &health,
                "# soon\n",
                "health.yaml: is empty; write `[]` for no rules",
            ),
        ] {
            let before = std::fs::read_to_string(path).unwrap();
            write(path, text);
            let told = book.refresh().unwrap();
            assert!(told.contains(expect), "{told}");
            assert!(told.contains("line ") || told.contains("is empty"), "{told}");
            assert_eq!((book.refresh(), chosen()), (None, first), "told once");
            write(path, &before);
            assert_eq!((book.refresh(), chosen()), (None, first));
        }
        std::fs::remove_file(&rules).unwrap();
        assert!(book.refresh().unwrap().contains("cannot be read"));
        write(&rules, "[]\n");
        assert_eq!(book.refresh(), None);
        assert_ne!(chosen(), first, "other rules");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
