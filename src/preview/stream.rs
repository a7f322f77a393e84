//! What open pages are told: a stream of news for each, until it is closed.

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

use super::Question;
use super::server::{Door, Tab};

/// Most news that wait for a page; one that does not take them is cut off, and catches up when it connects again.
const BACKLOG: usize = 256;

/// Streams what a page is told; the query says which one.
pub(super) fn events(door: Arc<Door>, query: &str) -> Response {
    let id = door.tabs.fetch_add(1, Ordering::Relaxed);
    let (news, heard) = mpsc::channel(BACKLOG);
    let wanted = query.split('&').find_map(|part| part.strip_prefix("page=")).unwrap_or_default();
    let page = match percent_decode_str(wanted).decode_utf8_lossy().into_owned() {
        page if page.is_empty() => "index.html".to_owned(),
        page => page,
    };
    door.told(Question::Open(Tab { id, page, news }));
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
        self.door.told(Question::Close(self.id));
    }
}
