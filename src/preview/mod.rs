//! `neuronotes serve`: the site in a browser, right while its notes are edited.
//!
//! One thread owns the garden and does what messages say; the server asks it for what browsers ask for, and streams what
//! it has to tell open pages. Pages are rendered when somebody looks at them. The page never waits for the lab.

mod news;
mod server;
mod session;
mod tabs;

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use crate::digest::Digest;
use crate::schedule::LabNews;
use crate::watch::{Change, Mode, Watch};
use crate::workspace::Workspace;

use server::{Answer, Door, Tab};
use session::Session;

/// What the owner of the garden is told.
#[derive(Debug)]
enum Message {
    /// Something may have changed on disk.
    Changed(Change),
    /// The lab said something, or is gone.
    Lab(LabNews),
    /// A browser wants something.
    Browser(Question),
}

/// What a browser wants.
#[derive(Debug)]
enum Question {
    /// A page or file of the site.
    Page { path: String, answer: oneshot::Sender<Answer> },
    /// To be told of what changes.
    Open(Tab),
    /// Nothing any more.
    Close(u64),
    /// These figures first: they are in its window.
    Seen(u64, Vec<Digest>),
    /// This measurement again.
    Retry(Digest),
    /// An image that the store cannot give.
    Lost,
}

/// How a garden is served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The port; where it is taken, one of the next.
    pub port: u16,
    /// Whether to open a browser.
    pub open: bool,
    /// How changes are noticed.
    pub watch: Mode,
    /// Whether the terminal shows every problem, however many there are of one kind.
    pub all: bool,
}

/// Serves the garden in `root` on this machine until it is interrupted.
///
/// # Errors
/// Where it is no garden, no port is free, or it cannot be watched.
pub fn serve(root: &Path, options: Options) -> anyhow::Result<()> {
    let mut workspace = Workspace::open(root)?;
    workspace.drafts = true;
    let root = workspace.root.clone();
    let (sender, messages) = mpsc::channel();
    let changed = sender.clone();
    let watch = Watch::start(&root, &workspace.layout, options.watch, move |change| {
        let _ = changed.send(Message::Changed(change));
    })?;
    // What changed before there was a watch.
    workspace.refresh();
    let listener = listen(options.port)?;
    let port = listener.local_addr()?.port();
    let url = format!("http://localhost:{port}/");
    eprintln!("{url} shows {} ({}; Ctrl-C ends it)", root.display(), watch.how);
    let store = workspace.store.clone();
    let door = Door { port, store, sender: sender.clone(), tabs: Default::default() };
    let mut session = Session::new(workspace, sender, watch, options.all);
    std::thread::spawn(move || server::run(listener, Arc::new(door)));
    if options.open
        && let Err(error) = open::that_detached(&url)
    {
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
