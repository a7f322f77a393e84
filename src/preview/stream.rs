//! Event streams of open pages.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};

use super::message::{Question, Tab};
use super::state::ServerState;

/// Maximum number of updates that wait for a page; a page that does not receive them is disconnected and catches up
/// after reconnecting.
const BACKLOG: usize = 256;

/// Streams a page's updates; the query names the page.
pub(super) fn events(state: Arc<ServerState>, query: &str) -> Response {
    let id = state.tabs.fetch_add(1, Ordering::Relaxed);
    let (news, heard) = mpsc::channel(BACKLOG);
    let wanted = query.split('&').find_map(|part| part.strip_prefix("page=")).unwrap_or_default();
    let page = match percent_decode_str(wanted).decode_utf8_lossy().into_owned() {
        page if page.is_empty() => "index.html".to_owned(),
        page => page,
    };
    state.told(Question::Open(Tab { id, page, news }));
    let stream =
        News { id, heard, state }.map(|text| Ok::<_, Infallible>(Event::default().data(text)));
    let retry = tokio_stream::once(Ok(Event::default().retry(Duration::from_millis(300))));
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(retry.chain(stream)).keep_alive(alive).into_response()
}

/// A page's updates until it is closed.
struct News {
    id: u64,
    heard: mpsc::Receiver<String>,
    state: Arc<ServerState>,
}

impl Stream for News {
    type Item = String;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<String>> {
        self.heard.poll_recv(context)
    }
}

impl Drop for News {
    fn drop(&mut self) {
        self.state.told(Question::Close(self.id));
    }
}
