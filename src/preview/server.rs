//! The loopback server: asks the owner of the garden for what a browser asks for, and streams what changes.
//!
//! Only names that the site has are served, so that no path leads out of it. Requests with a foreign `Host` or
//! `Origin` are refused: a page of another site must not read unpublished notes through the reader's browser.

use std::convert::Infallible;
use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path as UrlPath, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::{Stream, StreamExt as _};

use super::{Message, Question};
use crate::digest::Digest;
use crate::store::Store;

/// The script that patches open pages.
const SCRIPT: &str = include_str!("preview.js");
/// Most news that wait for a page; one that does not take them is cut off, and catches up when it connects again.
const BACKLOG: usize = 256;
/// Most bytes of what a page says.
const LONGEST: usize = 64 << 10;

/// What the server needs to know.
#[derive(Debug)]
pub struct Door {
    /// Its own port.
    pub port: u16,
    /// Where the site's images lie.
    pub store: Store,
    /// To the owner of the garden.
    pub sender: Sender<Message>,
    /// Connections so far.
    pub tabs: AtomicU64,
}

/// An answer to a browser.
#[derive(Debug)]
pub enum Answer {
    /// A page and its digest.
    Page(Arc<str>, Digest),
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of this file.
    File(PathBuf),
    /// The store's blob.
    Blob(Digest),
    /// This is a folder, of that name: its page is at the same address with a slash at the end.
    Moved(String),
    /// This cannot be shown, and that is why.
    Broken(String),
    /// There is no such page or file.
    Nothing,
}

/// An open page.
#[derive(Debug)]
pub struct Tab {
    /// Unique among all that were ever open.
    pub id: u64,
    /// Relative to the site's root.
    pub page: String,
    /// What it is told.
    pub news: mpsc::Sender<String>,
}

/// Serves until the program ends.
pub fn run(listener: TcpListener, door: Arc<Door>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router(door)).await
        })
    });
    if let Err(error) = served {
        eprintln!("error: the preview server ended ({error})");
        std::process::exit(2);
    }
}

fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/-/events", get(events))
        .route("/-/preview.js", get(|| async { respond("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/-/partial/{key}", get(partial))
        .route("/-/seen", post(seen))
        .route("/-/retry", post(retry))
        .route("/{*path}", get(page))
        .layer(DefaultBodyLimit::max(LONGEST))
        .layer(middleware::from_fn_with_state(Arc::clone(&door), own_pages_only))
        .with_state(door)
}

/// Refuses what another site's page sends: a name that is not this machine's, or a foreign origin.
async fn own_pages_only(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    if is_own(request.headers(), door.port) {
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

async fn home(state: State<Arc<Door>>) -> Response {
    page(state, UrlPath("index.html".into())).await
}

async fn page(State(door): State<Arc<Door>>, UrlPath(path): UrlPath<String>) -> Response {
    let (answer, answered) = oneshot::channel();
    let question = Question::Page { path: path.clone(), answer };
    let asked = door.sender.send(Message::Browser(question));
    let answer = match asked {
        Ok(()) => answered.await.unwrap_or(Answer::Nothing),
        Err(_) => Answer::Nothing,
    };
    let bytes = match answer {
        Answer::Page(html, digest) => {
            let mut response = respond("text/html; charset=utf-8", Bytes::from_owner(Html(html)));
            if let Ok(value) = digest.hex().parse() {
                response.headers_mut().insert("x-page", value);
            }
            return response;
        }
        Answer::Broken(html) => {
            let page = respond("text/html; charset=utf-8", html);
            return (StatusCode::INTERNAL_SERVER_ERROR, page).into_response();
        }
        Answer::Moved(folder) => {
            let folder = utf8_percent_encode(&folder, NON_ALPHANUMERIC);
            return Redirect::temporary(&format!("./{folder}/")).into_response();
        }
        Answer::Bytes(bytes) => Some(bytes),
        Answer::File(file) => std::fs::read(file).ok(),
        Answer::Blob(digest) => {
            let bytes = door.store.blob(&digest);
            if bytes.is_none() {
                let _ = door.sender.send(Message::Browser(Question::Lost));
            }
            bytes
        }
        Answer::Nothing => None,
    };
    match bytes {
        Some(bytes) => respond(media_type(&path), bytes),
        None => {
            // It hears of the page, should it come to be.
            let text = "<!doctype html><meta charset=\"utf-8\"><title>Not here</title>\
                        <script src=\"/-/preview.js\" defer></script>\
                        <p>The garden has no such page. <a href=\"/\">Home</a></p>";
            (StatusCode::NOT_FOUND, respond("text/html; charset=utf-8", text)).into_response()
        }
    }
}

/// HTML that is shared with the owner of the garden.
struct Html(Arc<str>);

impl AsRef<[u8]> for Html {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

async fn partial(State(door): State<Arc<Door>>, UrlPath(key): UrlPath<String>) -> Response {
    let path = key.parse::<Digest>().ok().map(|key| door.store.partial_path(&key));
    match path.and_then(|path| std::fs::read(path).ok()) {
        Some(bytes) => respond("image/png", bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Which page wants the news.
#[derive(Debug, Deserialize)]
struct Wanted {
    #[serde(default)]
    page: String,
}

async fn events(State(door): State<Arc<Door>>, Query(wanted): Query<Wanted>) -> Response {
    let id = door.tabs.fetch_add(1, Ordering::Relaxed);
    let (news, heard) = mpsc::channel(BACKLOG);
    let page = match wanted.page.as_str() {
        "" => "index.html".to_owned(),
        page => page.to_owned(),
    };
    let _ = door.sender.send(Message::Browser(Question::Open(Tab { id, page, news })));
    let stream =
        News { id, heard, door }.map(|text| Ok::<_, Infallible>(Event::default().data(text)));
    let retry = tokio_stream::once(Ok(Event::default().retry(Duration::from_millis(300))));
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(retry.chain(stream)).keep_alive(alive).into_response()
}

/// What a page is told, until it is closed.
struct News {
    id: u64,
    heard: mpsc::Receiver<String>,
    door: Arc<Door>,
}

impl Stream for News {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<String>> {
        self.heard.poll_recv(context)
    }
}

impl Drop for News {
    fn drop(&mut self) {
        let _ = self.door.sender.send(Message::Browser(Question::Close(self.id)));
    }
}

/// The figures that a page shows within its window.
#[derive(Debug, Deserialize)]
struct Seen {
    tab: u64,
    keys: Vec<Digest>,
}

async fn seen(State(door): State<Arc<Door>>, Json(seen): Json<Seen>) -> StatusCode {
    let _ = door.sender.send(Message::Browser(Question::Seen(seen.tab, seen.keys)));
    StatusCode::NO_CONTENT
}

/// A measurement that is to be tried again.
#[derive(Debug, Deserialize)]
struct Again {
    key: Digest,
}

async fn retry(State(door): State<Arc<Door>>, Json(again): Json<Again>) -> StatusCode {
    let _ = door.sender.send(Message::Browser(Question::Retry(again.key)));
    StatusCode::NO_CONTENT
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
