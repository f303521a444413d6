use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// Below the range from which the system takes ports for outgoing connections, so that no such connection
/// takes the port of a cluster between its death and its restart.
const FIRST: u32 = 15_000;
const COUNT: u32 = 15_000;

/// What the directory of every cluster begins with.
pub(crate) const DIR_PREFIX: &str = "fleet-cluster-";

/// A port that is ours among all test processes of this machine, until this is dropped.
///
/// The lock on the port's file is what makes it ours. The file's content is the name of the directory that
/// belongs to the cluster: if its process is killed, the next one to come by removes it.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    file: File,
}

impl Port {
    /// Takes a free port.
    pub(crate) fn take() -> Result<Port> {
        let dir = lock_dir()?;
        static SWEEP: Once = Once::new();
        SWEEP.call_once(|| sweep(&dir));
        // Processes begin at different places, so that they rarely meet.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let begin = std::process::id().wrapping_mul(97);
        for _ in 0..COUNT {
            let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let number = u16::try_from(FIRST + offset).unwrap_or(u16::MAX);
            let Some(mut file) = lock(&dir.join(number.to_string()))? else {
                continue;
            };
            remove_leftover(&mut file);
            // Somebody outside the tests may have it.
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Port { number, file });
            }
        }
        Err(Error::NoPort(dir))
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Notes which directory goes when this process is killed.
    pub(crate) fn note_dir(&mut self, dir: &Path) -> Result<()> {
        let name = dir.file_name().unwrap_or_default().as_encoded_bytes();
        overwrite(&mut self.file, name).map_err(Error::io("note the directory of a port"))
    }

    /// Forgets the directory: it is gone, or it shall stay.
    pub(crate) fn forget_dir(&mut self) {
        drop(overwrite(&mut self.file, b""));
    }
}

fn lock_dir() -> Result<PathBuf> {
    let dir = std::env::temp_dir().join("fleet-ports");
    fs::create_dir_all(&dir).map_err(Error::io(format!("make {}", dir.display())))?;
    Ok(dir)
}

/// The locked file, or nothing when somebody else has it.
fn lock(path: &Path) -> Result<Option<File>> {
    let failed = || format!("lock {}", path.display());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    let file = match file {
        Ok(file) => file,
        // Another user's.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(Error::io(failed())(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(Error::io(failed())(error)),
    }
}

/// Removes what killed test processes have left behind.
fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if entry.metadata().is_ok_and(|file| file.len() > 0)
            && let Ok(Some(mut file)) = lock(&entry.path())
        {
            remove_leftover(&mut file);
        }
    }
}

fn remove_leftover(file: &mut File) {
    let mut name = String::new();
    if file.read_to_string(&mut name).is_err() || name.is_empty() {
        return;
    }
    // The file may be anybody's: it can only ever name a cluster's directory.
    if name.starts_with(DIR_PREFIX) && !name.contains('/') {
        drop(fs::remove_dir_all(std::env::temp_dir().join(name)));
    }
    drop(overwrite(file, b""));
}

fn overwrite(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: Vec<Port> = (0..20).map(|_| Port::take().expect("a port")).collect();
        for (at, port) in ports.iter().enumerate() {
            assert!(port.number() >= 15_000 && port.number() < 30_000);
            assert!(
                ports[at + 1..]
                    .iter()
                    .all(|other| other.number() != port.number())
            );
            let path = lock_dir().expect("a directory").join(port.number().to_string());
            assert!(
                lock(&path).expect("a file").is_none(),
                "the port's file is not locked"
            );
        }
    }

    #[test]
    fn the_directory_of_a_killed_process_is_removed() {
        let dir = tempfile::Builder::new()
            .prefix(DIR_PREFIX)
            .tempdir()
            .expect("a directory")
            .keep();
        let mut port = Port::take().expect("a port");
        port.note_dir(&dir).expect("a note");
        let path = lock_dir().expect("a directory").join(port.number().to_string());
        drop(port);
        let mut file = lock(&path).expect("a file").expect("nobody else wants it");
        remove_leftover(&mut file);
        assert!(!dir.exists());
        assert_eq!(file.metadata().expect("its length").len(), 0);
    }

    #[test]
    fn a_note_cannot_name_anything_else() {
        let outside = tempfile::tempdir().expect("a directory");
        let mut file = tempfile::tempfile().expect("a file");
        let name = outside.path().file_name().expect("a name").as_encoded_bytes();
        overwrite(&mut file, &[b"../", name].concat()).expect("written");
        file.rewind().expect("rewound");
        remove_leftover(&mut file);
        assert!(outside.path().exists());
    }
}
