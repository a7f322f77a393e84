//! Accepts connections, up to a limit.
//!
//! If the limit is reached, the connection that has been idle the longest is closed, so that neither idle clients nor
//! forgotten pages block others. A page whose event stream was closed reconnects by itself.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::peer::Peer;

/// Number of file handles reserved for everything else: the garden's files, the watch, the lab, the terminal.
const OTHERS: u64 = 24;
/// Maximum number of connections, however many handles there are.
const MOST: u64 = 512;
/// Pause when the system has no handle for a connection.
const BREATH: Duration = Duration::from_millis(50);

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Maximum number of connections.
    pub most: usize,
    /// Maximum time for the head of a request, from its first byte or the previous response; this also closes idle
    /// connections.
    pub head: Duration,
    /// Maximum size of a request's head in bytes. Browsers send a host's cookies to all of its ports.
    pub bytes: usize,
}

impl Bounds {
    /// The limits for a process with so many file handles.
    pub fn of(handles: Option<u64>) -> Self {
        // A connection has a handle, and the file that it sends another one.
        let most = handles.map_or(MOST, |handles| handles.saturating_sub(OTHERS) / 2);
        let most = usize::try_from(most.clamp(4, MOST)).unwrap_or(4);
        Self { most, head: Duration::from_secs(20), bytes: 64 << 10 }
    }
}

/// Serves until the program ends.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds) {
    let places = Arc::new(Places { most: bounds.most, taken: Mutex::default() });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_buf_size(bounds.bytes);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let place = places.enter();
                tokio::spawn(hold(builder.clone(), stream, router.clone(), place));
            }
            Err(error) if is_the_others(&error) => {}
            // No handle is left: the connection that has been idle the longest is closed.
            Err(_) => {
                places.lock().leave_one();
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Serves one connection until it ends or is evicted.
async fn hold(builder: http1::Builder, stream: TcpStream, router: Router, place: Place) {
    // Small messages are sent at once.
    let _ = stream.set_nodelay(true);
    let peer = Peer::of(&stream);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        place.asked();
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // The client may be gone, or not speak HTTP.
        _ = connection => {}
        () = place.leave.notified() => {}
    }
}

/// Whether an error concerns only the incoming connection.
fn is_the_others(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// The open connections.
#[derive(Debug)]
struct Places {
    most: usize,
    taken: Mutex<Taken>,
}

/// Connections by the order of their last request; the most recent has the highest number.
#[derive(Debug, Default)]
struct Taken {
    turn: u64,
    by_turn: BTreeMap<u64, Arc<Notify>>,
}

impl Taken {
    /// Evicts the connection that has been idle the longest.
    fn leave_one(&mut self) {
        if let Some((_, leave)) = self.by_turn.pop_first() {
            leave.notify_one();
        }
    }

    fn add(&mut self, leave: Arc<Notify>) -> u64 {
        self.turn += 1;
        self.by_turn.insert(self.turn, leave);
        self.turn
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection, evicting another one if necessary.
    fn enter(self: &Arc<Self>) -> Place {
        let leave = Arc::new(Notify::new());
        let mut taken = self.lock();
        if taken.by_turn.len() >= self.most {
            taken.leave_one();
        }
        let turn = Mutex::new(taken.add(Arc::clone(&leave)));
        drop(taken);
        Place { places: Arc::clone(self), turn, leave }
    }
}

/// A registered connection; it is removed on drop.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    turn: Mutex<u64>,
    /// It must be closed.
    leave: Arc<Notify>,
}

impl Place {
    /// It has made a request.
    fn asked(&self) {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.places.lock();
        // A connection that must be closed stays so.
        if taken.by_turn.remove(&turn).is_some() {
            *turn = taken.add(Arc::clone(&self.leave));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.places.lock().by_turn.remove(&turn);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};

    use super::*;

    /// A server with these bounds, which says `ok`.
    fn served(bounds: Bounds) -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("no waiting");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                serve(listener, Router::new().fallback(|| async { "ok" }), bounds).await;
            });
        });
        address
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream
    }

    /// Sends a request on a connection that stays open. Returns the status line, or an empty text if it was closed.
    fn ask(stream: &mut TcpStream, more: &str) -> String {
        let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{more}\r\n");
        let _ = stream.write_all(head.as_bytes());
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).unwrap_or(0);
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        text.lines().next().unwrap_or_default().to_owned()
    }

    const OK: &str = "HTTP/1.1 200 OK";

    #[test]
    fn the_one_that_asked_for_nothing_the_longest_makes_way() {
        let bounds = Bounds { most: 3, head: Duration::from_secs(60), bytes: 16 << 10 };
        let address = served(bounds);
        let mut open: Vec<TcpStream> = (0..3).map(|_| connect(address)).collect();
        // The second one sends nothing.
        assert_eq!(ask(&mut open[0], ""), OK);
        assert_eq!(ask(&mut open[2], ""), OK);
        let mut late = connect(address);
        assert_eq!(ask(&mut late, ""), OK);
        assert_eq!(open[1].read(&mut [0; 1]).expect("it was closed"), 0);
        assert_eq!(ask(&mut open[0], ""), OK, "those that ask stay");
        assert_eq!(ask(&mut open[2], ""), OK);
        // However many come, the last one is answered.
        for _ in 0..100 {
            open.push(connect(address));
        }
        let mut last = connect(address);
        assert_eq!(ask(&mut last, ""), OK);
    }

    #[test]
    fn a_head_that_does_not_come_and_one_that_does_not_end_are_not_waited_for() {
        let bounds = Bounds { most: 300, head: Duration::from_millis(300), bytes: 16 << 10 };
        let address = served(bounds);
        let mut slow: Vec<TcpStream> = (0..200).map(|_| connect(address)).collect();
        for stream in &mut slow {
            stream.write_all(b"GET / HT").expect("bytes");
        }
        assert_eq!(ask(&mut connect(address), ""), OK);
        // A connection that has become idle is closed too.
        let mut idle = connect(address);
        assert_eq!(ask(&mut idle, ""), OK);
        let mut rest = Vec::new();
        for stream in slow.iter_mut().chain([&mut idle]) {
            // Anything received before it is closed is ignored.
            let _ = stream.read_to_end(&mut rest);
        }
        let status = ask(&mut connect(address), &format!("X: {}\r\n", "y".repeat(17 << 10)));
        assert!(status.contains(" 431 "), "{status}");
        let many: String = (0..200).map(|n| format!("X{n}: y\r\n")).collect();
        let status = ask(&mut connect(address), &many);
        assert!(status.contains(" 431 "), "{status}");
        assert_eq!(ask(&mut connect(address), ""), OK);
    }

    #[test]
    fn connections_leave_handles_to_everything_else() {
        for handles in [0, 12, 60, 256, 1024, 1 << 30] {
            let most = Bounds::of(Some(handles)).most as u64;
            assert!((4..=MOST).contains(&most), "{handles}: {most}");
            assert!(handles < 32 || 2 * most + OTHERS <= handles, "{handles}: {most}");
        }
        assert_eq!(Bounds::of(None).most as u64, MOST);
    }
}
