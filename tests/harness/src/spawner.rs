use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Job = (Command, Sender<io::Result<Child>>);

/// Starts a process that lives no longer than this one.
///
/// A cluster asks the kernel to be killed when its parent dies, and to the kernel the parent is the *thread*
/// that made it. Threads of tests end with their test, so one thread that never ends makes all processes.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Sender<Job>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes has ended");
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, jobs) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in jobs {
                // Nobody waits for the answer any more: then nobody needs the process either.
                if let Err(unread) = answer.send(command.spawn())
                    && let Ok(mut child) = unread.0
                {
                    drop(child.kill());
                }
            }
        });
        sender
    });
    let (answer, child) = channel();
    spawner.send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}
