//! `neuronotes serve`: the site in a browser, right while its notes are edited.
//!
//! One thread owns the garden and does what messages say; the server hands out what that thread last
//! composed, and tells open pages what changed. The page never waits for the lab.

mod server;
mod session;

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};

use crate::lab::LabEvent;
use crate::watch::{Change, Mode, Watch};
use crate::workspace::Workspace;

use server::Board;
use session::Session;

/// What the owner of the garden is told.
#[derive(Debug)]
enum Message {
    /// Something may have changed on disk.
    Changed(Change),
    /// The lab said something, or is gone. The number says which lab it was.
    Lab(u64, LabEvent),
}

/// Serves the garden in `root` on this machine until it is interrupted. `mode` says how it learns of changes.
///
/// # Errors
/// Where it is no garden, no port is free, or it cannot be watched.
pub fn serve(root: &Path, port: u16, open: bool, mode: Mode) -> anyhow::Result<()> {
    let mut workspace = Workspace::open(root)?;
    let root = workspace.root.clone();
    let listener = listen(port)?;
    let address = listener.local_addr()?;
    let board = Arc::new(Board::new(address.port()));
    let (sender, messages) = mpsc::channel();
    let tell = sender.clone();
    let watch = Watch::start(&root, mode, move |change| drop(tell.send(Message::Changed(change))))?;
    // What changed before there was a watch.
    workspace.refresh();
    let url = format!("http://localhost:{}/", address.port());
    eprintln!("{url} shows {} ({}; Ctrl-C ends it)", root.display(), watch.how);
    let mut session = Session::new(workspace, Arc::clone(&board), sender, watch);
    session.compose();
    std::thread::spawn(move || server::run(listener, board));
    if open && let Err(error) = open::that_detached(&url) {
        eprintln!("no browser could be opened ({error}); the address is {url}");
    }
    session.run(&messages);
    Ok(())
}

/// The port that was asked for, or the next one that is free.
fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for port in port..port.saturating_add(20) {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
        if port == 0 {
            break;
        }
    }
    let why = last.map(|error| error.to_string()).unwrap_or_default();
    anyhow::bail!("no port from {port} on is free ({why})\nhint: name another one with --port")
}
