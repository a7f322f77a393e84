//! One HTTP request for the missing bytes of a file.
//!
//! The system's certificates are trusted, and the proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`
//! are used. Lengths that a server states are checked.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode};
use ureq::{Agent, Error};

use neuronotes_core::problem::Problem;

use super::wanted::{Patience, from};

/// A usable response.
pub(super) enum Answer {
    /// The missing bytes; `total` is the length of the whole file.
    Rest { total: Option<u64>, body: Box<dyn Read> },
    /// The whole file from its beginning.
    Whole { total: Option<u64>, body: Box<dyn Read> },
    /// The file has no bytes at that offset.
    Beyond,
}

/// An unusable response.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A permanent error.
    Lasting(Problem),
    /// The server was not reached. This is temporary only if it was reached before.
    Unreached(Problem),
    /// A temporary error.
    Broken(String),
    /// The response does not fit the bytes that are there; starting over may help.
    Astray(String),
}

impl From<Problem> for Trouble {
    fn from(error: Problem) -> Self {
        Self::Lasting(error)
    }
}

/// Makes requests.
pub(super) fn agent(patience: &Patience) -> Agent {
    Agent::config_builder()
        .tls_config(crate::tls::settings())
        .http_status_as_error(false)
        .timeout_connect(Some(patience.silence.min(Duration::from_secs(15))))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .user_agent(concat!("neuronotes/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Requests the bytes from `offset` on.
pub(super) fn ask(agent: &Agent, url: &str, offset: u64) -> Result<Answer, Trouble> {
    // Compressed bytes would have other offsets.
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if offset > 0 {
        request = request.header("Range", format!("bytes={offset}-"));
    }
    let response = request.call().map_err(|error| trouble(url, &error))?;
    let (head, body) = response.into_parts();
    let status = head.status;
    let reader = || Box::new(body.into_reader());
    match status.as_u16() {
        200 => Ok(Answer::Whole { total: number(&head.headers, "content-length"), body: reader() }),
        206 => match content_range(&head.headers) {
            Some((start, total)) if offset > 0 && start == offset => {
                Ok(Answer::Rest { total, body: reader() })
            }
            _ => {
                Err(Trouble::Astray("the server returned a different range than requested".into()))
            }
        },
        416 if offset > 0 => Ok(Answer::Beyond),
        408 | 429 | 500..=599 => Err(Trouble::Broken(format!("the server returned {status}"))),
        _ => Err(refused(url, status)),
    }
}

fn refused(url: &str, status: StatusCode) -> Trouble {
    let message = match status.as_u16() {
        404 | 410 => format!("{url} was not found ({status})"),
        401 | 403 | 407 => format!("access to {url} was denied ({status})"),
        _ => format!("{url} cannot be fetched ({status})"),
    };
    Trouble::Lasting(Problem::new(message).hint(from()))
}

/// Classifies a connection error.
fn trouble(url: &str, error: &Error) -> Trouble {
    let message = format!("{url} cannot be fetched ({error})");
    let unreached = |what: &str| {
        Trouble::Unreached(
            Problem::new(format!("{url} cannot be reached ({what})"))
                .hint(format!("check the network and HTTPS_PROXY; or {}", from())),
        )
    };
    match error {
        Error::HostNotFound => unreached("host not found"),
        Error::ConnectionFailed => unreached("no connection"),
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => unreached("no answer"),
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => unreached(&error.to_string()),
            // The standard library has no kind for a name that does not resolve.
            _ if error.to_string().contains("lookup address") => unreached(&error.to_string()),
            // Handshakes report certificates in this way.
            ErrorKind::InvalidData => untrusted(message),
            _ => Trouble::Broken(format!("the connection broke ({error})")),
        },
        Error::Timeout(_) | Error::Protocol(_) | Error::BodyStalled => {
            Trouble::Broken(format!("the connection broke ({error})"))
        }
        Error::Rustls(_) | Error::Tls(_) => untrusted(message),
        _ => Trouble::Lasting(Problem::new(message).hint(from())),
    }
}

fn untrusted(message: String) -> Trouble {
    let hint = format!(
        "check the system's certificates (on Linux the package ca-certificates, or the file in SSL_CERT_FILE); or {}",
        from()
    );
    Trouble::Lasting(Problem::new(message).hint(hint))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The offset of a response's bytes, and the total length if stated.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get("content-range")?.to_str().ok()?;
    let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    (start <= end && total.is_none_or(|total| end < total)).then_some((start, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_believed_only_where_it_can_be_one() {
        let range = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-range", ureq::http::HeaderValue::from_static(text));
            content_range(&headers)
        };
        assert_eq!(range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(range("bytes 5-9/*"), Some((5, None)));
        for wrong in
            ["bytes */10", "bytes 5-9/9", "bytes 9-5/10", "items 5-9/10", "bytes 5-/10", "5"]
        {
            assert_eq!(range(wrong), None, "{wrong}");
        }
        assert_eq!(content_range(&HeaderMap::new()), None);
    }
}
