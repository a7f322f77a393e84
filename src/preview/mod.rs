//! `neuronotes serve`: a live preview of the site while its notes are edited.
//!
//! One thread owns the garden and handles messages; the server forwards browsers' requests to it and streams updates
//! to open pages. Pages are rendered on request, and never wait for the lab.

mod base;
mod body;
mod broken;
mod compared;
mod connections;
mod guard;
mod host;
mod message;
mod moved;
mod news;
mod peer;
mod remembered;
mod reported;
mod server;
mod session;
mod state;
mod stream;
mod tabs;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::{Arc, mpsc};

use neuronotes_core::say;

use crate::handles;
use crate::measure::interrupt::Interrupts;
use crate::measure::measurer::News;
use crate::watch::{Mode, Watch};
use crate::workspace::Workspace;

pub use base::Base;
use connections::Bounds;
use guard::{Guard, Token};
pub use host::Name;
use message::Message;
use session::Session;
use state::ServerState;

/// Options of the preview.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port; if it is taken, one of the next is used.
    pub port: u16,
    /// Whether to open a browser.
    pub open: bool,
    /// How to detect changes.
    pub watch: Mode,
    /// Address to listen on, if other than the loopback address.
    pub listen: Option<IpAddr>,
    /// Further host names to accept, such as a reverse proxy's.
    pub hosts: Vec<Name>,
    /// Path below which a proxy serves it.
    pub base: Base,
    /// Whether to print every problem instead of grouping similar ones.
    pub all: bool,
    /// The profile whose workers measure; `None` for the lab of this machine.
    pub on: Option<String>,
}

/// Serves the garden in `root` on this machine until it is interrupted.
///
/// # Errors
/// If it is not a garden, no port is free, or it cannot be watched.
pub fn serve(root: &Path, options: Options) -> anyhow::Result<()> {
    let bounds = Bounds::of(handles::raise());
    let mut workspace = Workspace::open(root)?;
    workspace.drafts = true;
    let root = workspace.root.clone();
    let (sender, messages) = mpsc::channel();
    let changed = sender.clone();
    let watch = Watch::start(&root, &workspace.layout, options.watch, move |change| {
        let _ = changed.send(Message::Changed(change));
    })?;
    // Picks up changes from before the watch began.
    workspace.refresh();
    let address = options.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let listener = listen(address, options.port)?;
    let port = listener.local_addr()?.port();
    let beyond = !address.is_loopback();
    let token = Token::new()?;
    let with_token = url(address, port, &options.base, Some(&token));
    let url = url(address, port, &options.base, Some(&token).filter(|_| beyond));
    say::err(format_args!("{url} shows {} ({}; Ctrl-C ends it)", root.display(), watch.how));
    let guard = Guard::new(options.hosts, beyond, token, port);
    if beyond {
        say::err(format_args!(
            "warning: everybody who can reach {address} and knows that URL can read this garden, including drafts, and start measurements; traffic is not encrypted\nhint: `ssh -L {port}:localhost:{port}` works without --listen"
        ));
    } else if guard.needs_token() {
        say::err(format_args!(
            "under an allowed name without HTTPS, first open the URL that ends in ?token={}",
            guard.token.text()
        ));
    }
    let store = workspace.store.clone();
    let state = ServerState {
        guard,
        with_token,
        refused_users: Default::default(),
        base: options.base,
        root: root.clone(),
        comparing: Default::default(),
        store,
        sender: sender.clone(),
        tabs: Default::default(),
        checked: Default::default(),
    };
    let interrupted = sender.clone();
    let _interrupts = options.on.as_ref().map(|_| {
        let tell = move || drop(interrupted.send(Message::Measured(News::Interrupted)));
        Interrupts::to(tell, "what waits for workers was not withdrawn".to_owned())
    });
    let shown = session::Shown { all: options.all, most: bounds.most / 2 };
    let mut session = Session::new(workspace, sender, watch, shown, options.on)?;
    std::thread::spawn(move || server::run(listener, Arc::new(state), bounds));
    if options.open
        && let Err(error) = open::that_detached(&url)
    {
        say::err(format_args!("could not open a browser ({error}); open {url}"));
    }
    session.run(&messages);
    Ok(())
}

/// The URL for a browser, with a token if more than this user's programs can connect.
fn url(address: IpAddr, port: u16, base: &Base, token: Option<&Token>) -> String {
    let host = match address {
        address if address.is_loopback() && address.is_ipv4() => "localhost".to_owned(),
        // All of this machine's addresses: the one that it has towards others.
        address if address.is_unspecified() => {
            let own = own_address(address).unwrap_or(address);
            SocketAddr::new(own, port).to_string().trim_end_matches(&format!(":{port}")).to_owned()
        }
        IpAddr::V6(address) => format!("[{address}]"),
        IpAddr::V4(address) => address.to_string(),
    };
    let token = token.map(|token| format!("?token={}", token.text())).unwrap_or_default();
    format!("http://{host}:{port}/{}{token}", base.address())
}

/// The address with which this machine would connect to others. Nothing is sent.
fn own_address(unspecified: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((unspecified, 0)).ok()?;
    // Addresses that documents use as examples.
    let other: IpAddr =
        if unspecified.is_ipv4() { "192.0.2.1" } else { "2001:db8::1" }.parse().ok()?;
    socket.connect((other, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The requested port or the next free one.
fn listen(address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for port in port..port.saturating_add(20) {
        match TcpListener::bind((address, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
        if port == 0 {
            break;
        }
    }
    let why = last.as_ref().map(ToString::to_string).unwrap_or_default();
    if last.is_some_and(|error| error.kind() == std::io::ErrorKind::AddrNotAvailable) {
        anyhow::bail!(
            "{address} is not an address of this machine ({why})\nhint: `--listen 0.0.0.0` listens on all addresses"
        );
    }
    anyhow::bail!("no port from {port} on is free ({why})\nhint: choose another one with --port")
}
