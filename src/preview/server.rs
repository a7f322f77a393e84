//! The HTTP server: forwards browsers' requests to the garden's owner, and streams updates.
//!
//! Only files that the site has are served, so no path can leave it; `guard` decides who is answered. All addresses
//! in responses are relative, so a proxy can serve the preview below any path, whether it strips that path or not.

use std::future::{Future as _, poll_fn};
use std::net::TcpListener;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use neuronotes_core::digest::Digest;
use neuronotes_core::say;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::body::{self, Content, Found, Opened};
use super::compared;
use super::connections::{self, Bounds};
use super::guard::Verdict;
use super::message::{Answer, Question};
use super::peer::Peer;
use super::state::ServerState;
use super::stream;
use crate::diff::report::html;
use crate::guard;
use crate::handles;

/// The script that patches open pages.
const SCRIPT: &str = concat!(include_str!("morph.js"), include_str!("preview.js"));
/// The script that updates a comparison.
const COMPARED: &str = include_str!("compared.js");
/// The style sheet of the preview's own messages.
const STYLE: &str = include_str!("preview.css");
/// Maximum size of a page's message in bytes.
const LONGEST: usize = 64 << 10;
/// Threads that read files. None of them waits for a browser.
const READERS: usize = 16;
/// Maximum time for receiving a message.
const SAYING: Duration = Duration::from_secs(20);

/// Headers of every response. They keep other sites from using any of it: as scripts, in frames, or through windows
/// that they opened.
const ALWAYS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("content-security-policy", "frame-ancestors 'self'"),
    ("x-frame-options", "SAMEORIGIN"),
];

/// Serves until the program ends.
pub fn run(listener: TcpListener, state: Arc<ServerState>, bounds: Bounds) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(READERS)
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            connections::serve(listener, router(state), bounds).await;
            std::io::Result::Ok(())
        })
    });
    if let Err(error) = served {
        say::err(format_args!("error: the preview server ended ({error})"));
        std::process::exit(2);
    }
}

fn router(state: Arc<ServerState>) -> Router {
    Router::new().fallback(guarded).with_state(state)
}

/// Answers a request; a panic affects only this request.
async fn guarded(
    state: State<Arc<ServerState>>,
    peer: Extension<Peer>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let mut answer = Box::pin(ask(state, peer, request));
    let answered = poll_fn(|context| {
        match guard::run("answering a browser", &path, || answer.as_mut().poll(context)) {
            Ok(polled) => polled.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    });
    answered.await.unwrap_or_else(|panicked| {
        say::err(format_args!("error: {path}: {panicked}\nhint: {}\n", guard::HINT));
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// Answers a request if it is allowed.
async fn ask(
    State(state): State<Arc<ServerState>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let query = head.uri.query();
    let (path, below) = state.base.below(head.uri.path());
    let refused =
        |why| (StatusCode::FORBIDDEN, text("text/plain; charset=utf-8", why)).into_response();
    let mut response = match state.guard.judge(&head.method, query, &head.headers, peer.other_user)
    {
        Verdict::Refuse(why) => refused(why),
        Verdict::OtherUser(user) => {
            state.refused(user);
            refused(format!(
                "Refused: the request comes from a program of another user of this machine (user id {user}).\n\nIf that is your browser or proxy, first open the URL with `?token=` that the preview's terminal prints now.\n"
            ))
        }
        // The links of the home page are relative to its folder.
        Verdict::KeepToken | Verdict::Pass if !below => moved(path, query),
        Verdict::KeepToken => keep_token(&state, path, query.unwrap_or_default()),
        Verdict::Pass => match (head.method.as_str(), path) {
            ("GET" | "HEAD", _) => {
                get(state, &head.method, &head.headers, path, query.unwrap_or_default()).await
            }
            ("POST", "-/seen") => {
                heard(&head.headers, body, |seen: Seen| {
                    state.told(Question::Seen(seen.tab, seen.keys))
                })
                .await
            }
            ("POST", "-/retry") => {
                heard(&head.headers, body, |again: Again| state.told(Question::Retry(again.key)))
                    .await
            }
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response(),
        },
    };
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Sets the cookie in a browser that sent the token, for this folder and everything below it, and redirects it. A
/// page does that, because after an HTTP redirect from another site the browser would not send a same-site cookie.
fn keep_token(state: &ServerState, path: &str, query: &str) -> Response {
    if !path.is_empty() {
        let root = match path.matches('/').count() {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        };
        return redirect(&format!("{root}?{query}"));
    }
    let page = "<!doctype html><meta charset=\"utf-8\"><title>Preview</title>\
                <meta http-equiv=\"refresh\" content=\"0; url=./\"><p><a href=\"./\">To the garden</a></p>";
    let mut response = text(HTML, page);
    let token = state.guard.token.text();
    let cookie = format!("{}={token}; HttpOnly; SameSite=Strict", state.guard.cookie());
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn redirect(to: &str) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
}

/// The page that redirects from a folder to the same address with a final slash; `folder` is the address's last
/// component.
fn moved(folder: &str, query: Option<&str>) -> Response {
    let folder = percent_decode_str(folder).decode_utf8_lossy();
    let folder = utf8_percent_encode(&folder, NON_ALPHANUMERIC);
    redirect(&format!("./{folder}/{}", query.map(|query| format!("?{query}")).unwrap_or_default()))
}

const HTML: &str = "text/html; charset=utf-8";

fn text(media_type: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body.into()).into_response()
}

async fn get(
    state: Arc<ServerState>,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
    query: &str,
) -> Response {
    match path.split_once("-/") {
        Some(("", "events")) => stream::events(state, query),
        Some(("", "preview.js")) => text("text/javascript; charset=utf-8", SCRIPT),
        Some(("", "preview.css")) => text("text/css; charset=utf-8", STYLE),
        Some(("", "diff")) => compared(&state, query).await,
        Some(("", "diff.css")) => text("text/css; charset=utf-8", html::STYLE),
        Some(("", "diff.js")) => text("text/javascript; charset=utf-8", html::SCRIPT),
        Some(("", "compared.js")) => text("text/javascript; charset=utf-8", COMPARED),
        Some(("", rest)) => match (rest.strip_prefix("partial/"), rest.strip_prefix("blob/")) {
            (Some(key), _) => partial(&state, key).await,
            (None, Some(name)) => stored(&state, name).await,
            (None, None) => StatusCode::NOT_FOUND.into_response(),
        },
        _ => page(state, method, headers, path).await,
    }
}

/// A page or file of the site.
async fn page(
    state: Arc<ServerState>,
    method: &Method,
    headers: &HeaderMap,
    raw: &str,
) -> Response {
    let name = match percent_decode_str(raw).decode_utf8_lossy().into_owned() {
        name if name.is_empty() => "index.html".to_owned(),
        name => name,
    };
    let depth = raw.matches('/').count();
    let answer = asked(&state, &name, depth).await;
    let content = match answer {
        Some(Answer::Page(html, digest)) => {
            let mut response = text(HTML, Bytes::from_owner(Html(html)));
            if let Ok(value) = digest.hex().parse() {
                response.headers_mut().insert("x-page", value);
            }
            return response;
        }
        Some(Answer::Broken(html)) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, text(HTML, html)).into_response();
        }
        Some(Answer::Missing(html)) => {
            return (StatusCode::NOT_FOUND, text(HTML, html)).into_response();
        }
        Some(Answer::Moved) => return moved(raw.rsplit('/').next().unwrap_or(raw), None),
        Some(Answer::Bytes(bytes)) => Found::Content(Content::Bytes(bytes.into())),
        Some(Answer::File(file)) => body::found(file).await,
        Some(Answer::Blob(digest)) => {
            let blob = blob(&state, digest).await;
            if matches!(blob, Found::Not) {
                state.told(Question::Lost);
            }
            blob
        }
        None => Found::Not,
    };
    let (status, why) = match content {
        Found::Content(content) => return body::answer(method, headers, &name, content),
        // It existed a moment ago.
        Found::Not => (StatusCode::NOT_FOUND, "this file cannot be read\n"),
        Found::Later => (
            StatusCode::SERVICE_UNAVAILABLE,
            "this file temporarily cannot be read: too many files are open\n",
        ),
    };
    (status, text("text/plain; charset=utf-8", why)).into_response()
}

/// The owner's response for a path.
async fn asked(state: &ServerState, name: &str, depth: usize) -> Option<Answer> {
    let (answer, answered) = oneshot::channel();
    state.told(Question::Page { path: name.to_owned(), depth, answer });
    answered.await.ok()
}

/// A stored picture. It is verified once, and then served like other files.
async fn blob(state: &Arc<ServerState>, digest: Digest) -> Found {
    let state = Arc::clone(state);
    let found = spawn_blocking(move || {
        let opened = match Opened::new(&state.store.blob_path(&digest)) {
            Ok(opened) => opened,
            error => return Found::by(error),
        };
        let known = || state.checked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = known().get(&digest).is_some_and(|tag| tag == opened.tag());
        if !is_known {
            if state.store.blob(&digest).is_none() {
                // Verification may have failed only for lack of file handles, so it is opened again.
                let again = Opened::new(&state.store.blob_path(&digest));
                let is_later = again.is_err_and(|error| handles::is_passing(&error));
                return if is_later { Found::Later } else { Found::Not };
            }
            known().insert(digest, opened.tag().to_owned());
        }
        Found::Content(Content::File(opened))
    });
    found.await.unwrap_or(Found::Not)
}

/// HTML that is shared with the garden's owner.
struct Html(Arc<str>);

impl AsRef<[u8]> for Html {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

async fn partial(state: &ServerState, key: &str) -> Response {
    let path = key.parse::<Digest>().ok().map(|key| state.store.partial_path(&key));
    let read = spawn_blocking(move || std::fs::read(path?).ok());
    match read.await.ok().flatten() {
        Some(bytes) => text("image/png", bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// What differs in the note of the page that the query names, since the revision that it names or the last commit.
async fn compared(state: &Arc<ServerState>, query: &str) -> Response {
    let named = |name: &str| {
        let wanted = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        wanted.map(|wanted| percent_decode_str(wanted).decode_utf8_lossy().into_owned())
    };
    let page = named("page").unwrap_or_default();
    let since = named("since").unwrap_or_else(|| "HEAD".to_owned());
    // One at a time: each reads the garden anew.
    let _one = state.comparing.lock().await;
    let root = state.root.clone();
    let made = spawn_blocking(move || {
        guard::run("comparing the note with an earlier state", &page, || {
            compared::page(&root, &page, since)
        })
    });
    match made.await {
        Ok(Ok((status, html))) => (status, text(HTML, html)).into_response(),
        Ok(Err(panicked)) => {
            say::err(format_args!("error: {panicked}\nhint: {}\n", guard::HINT));
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A stored picture by its digest.
async fn stored(state: &ServerState, name: &str) -> Response {
    let Some((digest, media_type)) = compared::blob(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let store = state.store.clone();
    match spawn_blocking(move || store.blob(&digest)).await.ok().flatten() {
        Some(bytes) => text(media_type, bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The figures that are visible on a page.
#[derive(Debug, Deserialize)]
struct Seen {
    tab: u64,
    keys: Vec<Digest>,
}

/// A measurement to retry.
#[derive(Debug, Deserialize)]
struct Again {
    key: Digest,
}

/// Parses a page's message as JSON.
async fn heard<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    told: impl FnOnce(T),
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A form on another site can send text, but not JSON.
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let bytes = match timeout(SAYING, to_bytes(body, LONGEST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    match serde_json::from_slice(&bytes) {
        Ok(said) => {
            told(said);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
