//! The loopback server: hands out what was last composed, and streams what changes.
//!
//! Only names that the site has are served, so that no path leads out of it. Requests with a foreign `Host` or
//! `Origin` are refused: a page of another site must not read unpublished notes through the reader's browser.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::BroadcastStream;

/// The script that patches open pages.
const SCRIPT: &str = include_str!("preview.js");

/// What the server hands out; written by the session, read by requests.
#[derive(Debug)]
pub struct Board {
    port: u16,
    files: RwLock<BTreeMap<String, Served>>,
    partial: RwLock<BTreeMap<String, PathBuf>>,
    news: broadcast::Sender<String>,
}

/// One file of the site.
#[derive(Debug, Clone)]
pub enum Served {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// The bytes of this file.
    File(PathBuf),
}

/// What open pages are told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum News<'a> {
    /// These pages are others now.
    Site {
        /// Relative to the site's root.
        pages: &'a [String],
    },
    /// A figure is being measured.
    Progress {
        /// The request key.
        key: String,
        /// For a person.
        status: &'a str,
        /// From 0 to 1.
        fraction: f64,
        /// The picture's address, relative to the site's root.
        picture: Option<String>,
    },
}

impl Board {
    /// An empty one, for a server on `port`.
    pub fn new(port: u16) -> Self {
        let (news, _) = broadcast::channel(256);
        Self { port, files: RwLock::default(), partial: RwLock::default(), news }
    }

    /// Replaces all files at once.
    pub fn publish(&self, files: BTreeMap<String, Served>) {
        if let Ok(mut board) = self.files.write() {
            *board = files;
        }
    }

    /// Shows a running measurement's picture.
    pub fn show_partial(&self, key: &str, picture: PathBuf) {
        if let Ok(mut board) = self.partial.write() {
            board.insert(key.to_owned(), picture);
        }
    }

    /// Tells open pages. Nobody may be there to hear it.
    pub fn tell(&self, news: &News<'_>) {
        if let Ok(text) = serde_json::to_string(news) {
            let _ = self.news.send(text);
        }
    }

    fn file(&self, path: &str) -> Option<Served> {
        self.files.read().ok()?.get(path).cloned()
    }
}

/// Serves until the program ends.
pub fn run(listener: TcpListener, board: Arc<Board>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router(board)).await
        })
    });
    if let Err(error) = served {
        eprintln!("error: the preview server ended ({error})");
        std::process::exit(2);
    }
}

fn router(board: Arc<Board>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/-/events", get(events))
        .route("/-/preview.js", get(|| async { respond("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/-/partial/{key}", get(partial))
        .route("/{*path}", get(page))
        .layer(middleware::from_fn_with_state(Arc::clone(&board), own_pages_only))
        .with_state(board)
}

/// Refuses what another site's page sends: a name that is not this machine's, or a foreign origin.
async fn own_pages_only(State(board): State<Arc<Board>>, request: Request, next: Next) -> Response {
    if is_own(request.headers(), board.port) {
        next.run(request).await
    } else {
        let text = "this preview answers only to this machine's own pages\n";
        (StatusCode::FORBIDDEN, text).into_response()
    }
}

fn is_own(headers: &HeaderMap, port: u16) -> bool {
    let hosts = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).is_some_and(|host| hosts.iter().any(|own| own == host));
    let origin = text(header::ORIGIN).is_none_or(|origin| {
        origin.strip_prefix("http://").is_some_and(|o| hosts.iter().any(|own| own == o))
    });
    host && origin
}

fn respond(media_type: &str, body: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body.into()).into_response()
}

async fn home(state: State<Arc<Board>>) -> Response {
    page(state, UrlPath("index.html".into())).await
}

async fn page(State(board): State<Arc<Board>>, UrlPath(path): UrlPath<String>) -> Response {
    let served = match board.file(&path) {
        Some(Served::Bytes(bytes)) => Some(bytes.to_vec()),
        Some(Served::File(file)) => std::fs::read(file).ok(),
        None => None,
    };
    match served {
        Some(bytes) => respond(media_type(&path), bytes),
        None => {
            let text = "<!doctype html><title>Not here</title><p>The garden has no such page. \
                        <a href=\"/\">Home</a></p>";
            (StatusCode::NOT_FOUND, respond("text/html; charset=utf-8", text)).into_response()
        }
    }
}

async fn partial(State(board): State<Arc<Board>>, UrlPath(key): UrlPath<String>) -> Response {
    let path = board.partial.read().ok().and_then(|board| board.get(&key).cloned());
    match path.and_then(|path| std::fs::read(path).ok()) {
        Some(bytes) => respond("image/png", bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn events(State(board): State<Arc<Board>>) -> Response {
    // One that lags so far behind that news were dropped gets the whole page again.
    let stream = BroadcastStream::new(board.news.subscribe()).map(|news| {
        let text = news.unwrap_or_else(|_| r#"{"type":"reload"}"#.to_owned());
        Ok::<_, Infallible>(Event::default().data(text))
    });
    let hello = tokio_stream::once(Ok(Event::default().data(r#"{"type":"hello"}"#)));
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(hello.chain(stream)).keep_alive(alive).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default().to_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn only_this_machines_own_pages_are_answered() {
        assert!(is_own(&headers("localhost:4321", None), 4321));
        assert!(is_own(&headers("127.0.0.1:4321", Some("http://127.0.0.1:4321")), 4321));
        assert!(!is_own(&headers("evil.example:4321", None), 4321));
        assert!(!is_own(&headers("localhost:4321", Some("https://evil.example")), 4321));
        assert!(!is_own(&headers("localhost:4321", Some("null")), 4321));
        assert!(!is_own(&headers("localhost:80", None), 4321));
        assert!(!is_own(&HeaderMap::new(), 4321));
    }
}
