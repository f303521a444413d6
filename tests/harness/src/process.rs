use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::de::DeserializeOwned;

use crate::dir::tail;
use crate::error::{Error, Result};
use crate::spawner;

/// How often we look whether a process that was asked to stop has stopped.
const LOOK: Duration = Duration::from_millis(20);

/// Longest wait for all threads of a stopped process to stand still.
const STANDSTILL: Duration = Duration::from_secs(5);

/// A running process and all processes of its group. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    group: Pid,
}

impl Process {
    /// Starts a program. Its stderr goes to the end of `log`.
    pub(crate) fn begin(name: &str, mut command: Command, log: &Path) -> Result<Process> {
        let stderr = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::io(format!("open {}", log.display())))?;
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let program = PathBuf::from(command.get_program());
        let child = spawner::spawn(command).map_err(Error::io(format!("start {}", program.display())))?;
        let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        Ok(Process {
            name: name.to_owned(),
            child,
            group,
        })
    }

    /// Starts a program and waits for its one line of JSON on stdout. Its stderr goes to the end of `log`.
    pub(crate) fn start<Ready: DeserializeOwned>(
        name: &str,
        command: Command,
        log: &Path,
        limit: Duration,
    ) -> Result<(Process, Ready)> {
        // From here on every way out kills it.
        let mut process = Self::begin(name, command, log)?;
        let stdout = process.child.stdout.take();
        let (sender, first_line) = channel();
        if let Some(stdout) = stdout {
            thread::spawn(move || {
                let mut lines = BufReader::new(stdout).lines().map_while(std::result::Result::ok);
                if let Some(line) = lines.next() {
                    drop(sender.send(line));
                }
                // Whatever else it says must not fill the pipe.
                lines.for_each(drop);
            });
        }
        match first_line.recv_timeout(limit) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(ready) => Ok((process, ready)),
                Err(source) => Err(Error::UnknownLine {
                    name: name.to_owned(),
                    line,
                    source,
                }),
            },
            Err(RecvTimeoutError::Timeout) => Err(Error::Late {
                name: name.to_owned(),
                limit,
                log: log.to_owned(),
                tail: tail(log),
            }),
            // Its stdout is closed without a word: it is about to be gone.
            Err(RecvTimeoutError::Disconnected) => {
                let status = match process.wait_for(Duration::from_secs(5))? {
                    Some(status) => status,
                    None => process.kill()?,
                };
                Err(Error::Ended {
                    name: name.to_owned(),
                    status,
                    log: log.to_owned(),
                    tail: tail(log),
                })
            }
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.wait_for(Duration::ZERO)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the whole group.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        killpg(self.group, signal).map_err(|source| Error::Signal {
            name: self.name.clone(),
            signal,
            source,
        })
    }

    /// Stops the group, and waits until every thread of the process stands still: on a busy machine one may answer a request
    /// in the meantime.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)?;
        let tasks = format!("/proc/{}/task", self.child.id());
        let stands_still = || {
            let threads = std::fs::read_dir(&tasks).into_iter().flatten().flatten();
            let mut states =
                threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
            // The state follows the name, which is in brackets.
            states.all(|stat| {
                stat.rsplit_once(") ")
                    .is_some_and(|(_, rest)| rest.starts_with(['T', 't', 'Z']))
            })
        };
        let deadline = Instant::now() + STANDSTILL;
        while !stands_still() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Kills the group and waits until the process is gone.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus> {
        // It may have ended by itself.
        drop(self.signal(Signal::SIGKILL));
        self.child
            .wait()
            .map_err(Error::io(format!("wait for {}", self.name)))
    }

    /// Asks the process to stop, and kills it if it has not after `limit`.
    pub(crate) fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        drop(self.signal(Signal::SIGTERM));
        // A frozen process would not hear it.
        drop(self.signal(Signal::SIGCONT));
        match self.wait_for(limit)? {
            Some(status) => Ok(status),
            None => self.kill(),
        }
    }

    fn wait_for(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + limit;
        loop {
            let status = self
                .child
                .try_wait()
                .map_err(Error::io(format!("wait for {}", self.name)))?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that was waited for is gone, and its number may be somebody else's.
        if let Ok(None) = self.child.try_wait() {
            drop(self.kill());
        }
    }
}
