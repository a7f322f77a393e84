//! HTTP for object stores, by the client that everything else here uses: the same certificates, proxies and timeouts, and no
//! second client in the program.
//!
//! Calls block: each thread that moves objects drives its own requests.

use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use ureq::http::{Request, Response};
use ureq::{Agent, Error, Timeout};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence of a server.
const SILENCE: Duration = Duration::from_secs(60);
/// Most bytes that are read at once.
const PIECE: usize = 256 << 10;
/// Most connections that are kept open.
const CONNECTIONS: usize = 32;

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let agent = Agent::config_builder()
            .tls_config(crate::tls::settings())
            .http_status_as_error(false)
            // A signature is for one address only.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(CONNECTIONS)
            .max_idle_connections_per_host(CONNECTIONS)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .user_agent(concat!("neuronotes/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(HttpClient::new(Service(agent.into())))
    }
}

#[derive(Debug)]
struct Service(Agent);

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    fn call<'s, 'a>(&'s self, request: HttpRequest) -> Answer<'a>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let bytes = whole(body).await?;
            let answer = match bytes.is_empty() {
                true if head.method != "PUT" && head.method != "POST" => {
                    self.0.run(Request::from_parts(head, ()))
                }
                _ => self.0.run(Request::from_parts(head, bytes.as_ref())),
            };
            let (head, body) = answer.map_err(told)?.into_parts();
            let body = Pieces(Mutex::new(Box::new(body.into_reader())));
            Ok(Response::from_parts(head, HttpResponseBody::new(body)))
        })
    }
}

/// The bytes that a request sends, which are in memory.
async fn whole(mut body: HttpRequestBody) -> Result<Bytes, HttpError> {
    if let Some(bytes) = body.as_bytes() {
        return Ok(bytes.clone());
    }
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(bytes) = frame?.into_data() else { continue };
        if first.is_empty() && all.is_empty() {
            first = bytes;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&bytes);
        }
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

/// A response's body, read as it is asked for.
struct Pieces(Mutex<Box<dyn Read + Send>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut piece = vec![0; PIECE];
        let read = loop {
            match reader.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        Poll::Ready(match read {
            Ok(0) => None,
            Ok(bytes) => {
                piece.truncate(bytes);
                Some(Ok(Frame::data(piece.into())))
            }
            Err(error) => Some(Err(HttpError::new(HttpErrorKind::Interrupted, error))),
        })
    }
}

/// Tells what can be tried again.
fn told(error: Error) -> HttpError {
    let kind = match &error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Timeout(Timeout::Connect | Timeout::Resolve) => HttpErrorKind::Connect,
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => HttpErrorKind::Connect,
            _ if error.to_string().contains("lookup address") => HttpErrorKind::Connect,
            // Handshakes report certificates in this way.
            ErrorKind::InvalidData => HttpErrorKind::Unknown,
            _ => HttpErrorKind::Interrupted,
        },
        Error::Protocol(_) | Error::BodyStalled => HttpErrorKind::Request,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
