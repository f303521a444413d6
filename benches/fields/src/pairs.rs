//! Pairs in files: one object a line, the same line in both files.

use std::{fs, path::Path};

use fleet_diff::Object;

use crate::{Result, edits};

/// A definition and what is live, as JSON texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// What is to be.
    pub desired: String,
    /// What is.
    pub live: String,
}

/// A pair that was read.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// What is to be.
    pub desired: Object,
    /// What is.
    pub live: Object,
}

impl Pair {
    /// Writes a set into a folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(folder: &Path, set: &str, pairs: &[Self]) -> Result {
        let lines = |of: fn(&Self) -> &str| {
            let mut text = pairs.iter().map(of).collect::<Vec<_>>().join("\n");
            text.push('\n');
            text
        };
        fs::create_dir_all(folder)?;
        fs::write(
            folder.join(format!("{set}.desired.jsonl")),
            lines(|pair| &pair.desired),
        )?;
        fs::write(folder.join(format!("{set}.live.jsonl")), lines(|pair| &pair.live))?;
        Ok(())
    }

    /// Reads a set from a folder.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(folder: &Path, set: &str) -> Result<Vec<Self>> {
        let text = |half: &str| fs::read_to_string(folder.join(format!("{set}.{half}.jsonl")));
        let (desired, live) = (text("desired")?, text("live")?);
        let both = desired.lines().zip(live.lines());
        Ok(both
            .map(|(desired, live)| Self {
                desired: desired.into(),
                live: live.into(),
            })
            .collect())
    }

    /// Reads both objects.
    ///
    /// # Errors
    /// When one is no object.
    pub fn decode(&self) -> Result<Decoded> {
        Ok(Decoded {
            desired: self.desired.parse()?,
            live: self.live.parse()?,
        })
    }
}

impl Decoded {
    /// The same with another definition.
    ///
    /// # Errors
    /// When the definition is no object.
    pub fn changed(&self) -> Result<Self> {
        let desired = Object::from_json(edits::mark(&self.desired.to_json(), "labels", 0))?;
        Ok(Self {
            desired,
            live: self.live.clone(),
        })
    }
}
