//! What was read of files, so that a file is read into objects again only when its text has changed.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use fleet_core::Digest;
use fleet_diff::{Located, ReadError, ReadLimits, read_objects};

use super::MANIFEST_BYTES_MAX;

/// The objects of one text.
pub(super) type Objects = Arc<Vec<Located>>;

/// The objects of the texts that clusters were last made of, by the digest of the text: a time of change may stay the
/// same when a file changes, a digest does not. Clusters with equal files share their objects.
#[derive(Default)]
pub(super) struct Texts(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_digest: BTreeMap<Digest, Weak<Vec<Located>>>,
    /// What keeps them: the last reading of each cluster.
    kept: BTreeMap<String, Vec<Objects>>,
}

impl Texts {
    /// The objects of a text.
    ///
    /// # Errors
    /// When the text is not valid.
    pub(super) fn read(&self, text: &str) -> Result<Objects, ReadError> {
        let digest = Digest::of_bytes(text.as_bytes());
        if let Some(known) = self.known(|known| known.by_digest.get(&digest)?.upgrade()) {
            return Ok(known);
        }
        let mut limits = ReadLimits::default();
        limits.max_bytes = MANIFEST_BYTES_MAX;
        let objects = Arc::new(read_objects(text, &limits)?);
        self.known(|known| known.by_digest.insert(digest, Arc::downgrade(&objects)));
        Ok(objects)
    }

    /// These are what a cluster is made of now; what it was made of before may go.
    pub(super) fn keep(&self, cluster: &str, objects: Vec<Objects>) {
        self.known(|known| {
            drop(known.kept.insert(cluster.to_owned(), objects));
            known.forget();
        });
    }

    /// There are no other clusters any more.
    pub(super) fn only(&self, is_there: impl Fn(&str) -> bool) {
        self.known(|known| {
            known.kept.retain(|cluster, _| is_there(cluster));
            known.forget();
        });
    }

    fn known<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Texts {
    /// How many, and nothing of what is in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Texts({})", self.known(|known| known.by_digest.len()))
    }
}

impl Known {
    fn forget(&mut self) {
        self.by_digest.retain(|_, objects| objects.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
    }

    #[test]
    fn a_text_is_read_once_while_a_cluster_is_made_of_it() {
        let texts = Texts::default();
        let (a, b) = (texts.read(&text("a")).unwrap(), texts.read(&text("b")).unwrap());
        assert_eq!((a[0].object.name(), b[0].object.name()), ("a", "b"));
        texts.keep("eu-1", vec![a.clone()]);
        texts.keep("eu-2", vec![a.clone(), b.clone()]);
        assert!(Arc::ptr_eq(&a, &texts.read(&text("a")).unwrap()));
        assert!(Arc::ptr_eq(&b, &texts.read(&text("b")).unwrap()));
        drop((a, b));
        let known = |texts: &Texts| texts.known(|known| known.by_digest.len());
        assert_eq!(known(&texts), 2);
        assert_eq!(format!("{texts:?}"), "Texts(2)");
        texts.keep("eu-2", Vec::new());
        assert_eq!(known(&texts), 1, "nobody is made of b");
        texts.only(|cluster| cluster == "eu-2");
        assert_eq!(known(&texts), 0);
    }

    #[test]
    fn what_is_not_valid_is_not_remembered() {
        let texts = Texts::default();
        assert!(texts.read("a: [\n").is_err());
        assert!(texts.read("a: [\n").is_err());
        assert_eq!(texts.known(|known| known.by_digest.len()), 0);
    }
}
