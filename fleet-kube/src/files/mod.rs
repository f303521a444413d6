//! Reading files that somebody else writes.

#[cfg(feature = "file-events")]
pub(crate) mod events;
mod settings;
#[cfg(feature = "file-events")]
mod written;

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

pub(crate) use settings::{Settings, read_settings, wrong_yaml};

/// What is wrong with a file. Printed as `path:line: why`; never quotes content, save for settings' own words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    path: PathBuf,
    line: Option<usize>,
    why: String,
}

impl FileError {
    pub(crate) fn new(path: &Path, why: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            why: why.into(),
        }
    }

    pub(crate) fn at(path: &Path, line: usize, why: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: Some(line),
            why: why.into(),
        }
    }

    /// The same with `to` in place of `from` at the beginning of the path.
    pub(crate) fn rebased(mut self, from: &Path, to: &Path) -> Self {
        if let Ok(rest) = self.path.strip_prefix(from) {
            self.path = to.join(rest);
        }
        self
    }

    /// The file, or folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line, counted from 1, if it is known.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.why)
    }
}

impl std::error::Error for FileError {}

/// Reads a text of at most `bytes_max` bytes that nobody is writing at the same time.
///
/// # Errors
/// When it cannot be read, is larger, is not UTF-8, or changed while it was read.
pub fn read_text(path: &Path, bytes_max: usize) -> Result<String, FileError> {
    let wrong = |error: std::io::Error| FileError::new(path, format!("cannot be read: {error}"));
    let before = Stamp::of(path).map_err(wrong)?;
    if !before.is_file {
        return Err(FileError::new(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(wrong)?;
    if bytes.len() > bytes_max {
        return Err(FileError::new(path, format!("is larger than {bytes_max} bytes")));
    }
    let after = Stamp::of(path).map_err(wrong)?;
    if before != after || after.length != bytes.len() as u64 {
        return Err(FileError::new(path, "changed while it was read"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let whole_lines = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n');
        FileError::at(path, whole_lines.count() + 1, "is not UTF-8")
    })?;
    Ok(text)
}

/// What tells one state of a file from another without reading it.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) is_folder: bool,
    is_file: bool,
    length: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    inode: u64,
    #[cfg(unix)]
    changed: (i64, i64),
}

impl Stamp {
    /// Of what the path leads to.
    pub(crate) fn of(path: &Path) -> std::io::Result<Self> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        let meta = fs::metadata(path)?;
        Ok(Self {
            is_folder: meta.is_dir(),
            is_file: meta.is_file(),
            length: meta.len(),
            modified: meta.modified().ok(),
            #[cfg(unix)]
            inode: meta.ino(),
            #[cfg(unix)]
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        assert_eq!(read_text(&file("good", b"a\nb"), 3).unwrap(), "a\nb");
        let cases = [
            (file("large", b"abcd"), "larger than 3 bytes"),
            (file("binary", b"a\n\xff"), "binary:2: is not UTF-8"),
            (dir.path().join("absent"), "absent: cannot be read"),
            (dir.path().to_owned(), "is not a file"),
        ];
        for (path, expect) in cases {
            let error = read_text(&path, 3).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }
}
