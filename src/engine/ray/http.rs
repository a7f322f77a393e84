//! Calls of Ray's HTTP interface: a path in; JSON or text out. Each call has an end, whatever the other side does.
//!
//! The system's certificates are trusted. The token goes only into the header of a call: no message has it.

use std::fmt;
use std::io::{self, BufReader, ErrorKind, Read};
use std::time::Duration;

use neuronotes_core::problem::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::{Agent, Body, http::Response};

/// Longest time of a call. Ray starts a process for a first job before it answers.
const TIME: Duration = Duration::from_secs(10);
/// Longest time until something listens.
const CONNECT: Duration = Duration::from_secs(5);
/// Most bytes of an answer: jobs that failed carry 20,000 characters of their output each.
const LONGEST: u64 = 256 << 20;
/// Most bytes that are kept of a text.
const TEXT: u64 = 64 << 10;

/// Ray's jobs at one address.
pub(super) struct Http {
    agent: Agent,
    address: String,
    token: Option<String>,
}

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing could be asked: the profile is wrong.
    Refused(Problem),
    /// Nothing listens there.
    Unreached(String),
    /// There was no answer in time.
    Silent(String),
    /// The connection broke.
    Broken(String),
    /// An answer with this status, which is an error.
    Status(u16, String),
    /// An answer in another form than Ray's.
    Strange(String),
}

impl Http {
    pub(super) fn new(address: &str, token: Option<String>) -> Self {
        let agent = Agent::config_builder()
            .tls_config(crate::tls::settings())
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(TIME))
            // Ray closes connections that nobody used for a while.
            .max_idle_age(Duration::from_secs(10))
            // A token must not follow to another place.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("neuronotes/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self { agent, address: address.trim_end_matches('/').to_owned(), token }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What is there, as JSON.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        json(self.got(path)?)
    }

    /// The beginning of what is there, as text.
    pub(super) fn text(&self, path: &str) -> Result<String, Fault> {
        Ok(text(self.got(path)?))
    }

    fn got(&self, path: &str) -> Result<Response<Body>, Fault> {
        let mut call = self.agent.get(format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        checked(call.call())
    }

    /// Posts JSON, or nothing.
    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Fault> {
        let mut call = self.agent.post(format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        let answer = match body {
            Some(body) => call.header("Content-Type", "application/json").send(body.to_string()),
            None => call.send_empty(),
        };
        json(checked(answer)?)
    }

    /// Deletes what is there.
    pub(super) fn delete(&self, path: &str) -> Result<(), Fault> {
        let mut call = self.agent.delete(format!("{}{path}", self.address));
        if let Some(token) = &self.token {
            call = call.header("Authorization", format!("Bearer {token}"));
        }
        checked(call.call()).map(|_| ())
    }
}

fn checked(answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Fault> {
    let answer = answer.map_err(|error| fault(&error))?;
    match answer.status().as_u16() {
        200..=299 => Ok(answer),
        status => Err(Fault::Status(status, text(answer))),
    }
}

fn json<T: DeserializeOwned>(answer: Response<Body>) -> Result<T, Fault> {
    let body = answer.into_body().into_with_config().limit(LONGEST).reader();
    serde_json::from_reader(BufReader::new(body)).map_err(|error| {
        if error.is_io() {
            let error = io::Error::from(error);
            if error.kind() == ErrorKind::TimedOut {
                return Fault::Silent("it did not answer in time".into());
            }
            return Fault::Broken(format!("the connection broke ({error})"));
        }
        Fault::Strange(format!("the answer is not understood ({error})"))
    })
}

fn text(answer: Response<Body>) -> String {
    let mut bytes = Vec::new();
    // What has come so far is worth showing, even if the rest does not come.
    let _ = answer.into_body().into_reader().take(TEXT).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn fault(error: &ureq::Error) -> Fault {
    let kind = match error {
        ureq::Error::Io(error) => Some(error.kind()),
        _ => None,
    };
    match error {
        ureq::Error::HostNotFound => Fault::Unreached("host not found".into()),
        ureq::Error::ConnectionFailed => Fault::Unreached("no connection".into()),
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Fault::Unreached("nothing answers there".into())
        }
        ureq::Error::Timeout(_) => {
            Fault::Silent(format!("it did not answer within {} s", TIME.as_secs()))
        }
        ureq::Error::Io(error)
            if matches!(
                kind,
                Some(
                    ErrorKind::ConnectionRefused
                        | ErrorKind::HostUnreachable
                        | ErrorKind::NetworkUnreachable
                        | ErrorKind::NetworkDown
                        | ErrorKind::AddrNotAvailable
                )
            ) || error.to_string().contains("lookup address") =>
        {
            Fault::Unreached(error.to_string())
        }
        ureq::Error::Protocol(error) => Fault::Strange(format!("the answer is not HTTP ({error})")),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Fault::Refused(
            Problem::new(format!("Ray's address cannot be used ({error})"))
                .hint("write it as `address: http://127.0.0.1:8265`"),
        ),
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => Fault::Strange(format!(
            "its certificate is not trusted, or it does not speak TLS ({error})"
        )),
        _ => Fault::Broken(format!("the connection broke ({error})")),
    }
}

impl Fault {
    /// The status of the answer, if there was one that is an error.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status, _) => Some(*status),
            _ => None,
        }
    }

    /// Whether there was no answer of Ray's, so that a later call may have one.
    pub(super) fn is_silence(&self) -> bool {
        match self {
            Self::Unreached(_) | Self::Silent(_) | Self::Broken(_) => true,
            // What stands before Ray answers while Ray does not.
            Self::Status(status, _) => matches!(status, 408 | 429 | 502..=504),
            Self::Refused(_) | Self::Strange(_) => false,
        }
    }

    /// Whether Ray says this in an answer that is an error.
    pub(super) fn says(&self, words: &str) -> bool {
        matches!(self, Self::Status(_, text) if text.contains(words))
    }

    /// The problem for somebody who looks for Ray.
    pub(super) fn of_finding(self, address: &str) -> Problem {
        let other = "`address` must be that of Ray's dashboard, usually port 8265, not that of its clients (10001) or nodes (6379); \
                     a Ray without a dashboard (`pip install ray` alone) has no jobs interface: install ray[default] on its head";
        match self {
            Self::Refused(problem) => problem,
            Self::Unreached(why) => {
                Problem::new(format!("Ray was not found at {address} ({why})")).hint(
                    "start it with `ray start --head`, or set `address` to the address of its dashboard; on another machine it \
                     must be reachable, for example through `ssh -L 8265:127.0.0.1:8265 HOST` or `kubectl port-forward`",
                )
            }
            Self::Status(401 | 403, text) => denied(address, &text),
            Self::Status(404, _) => {
                Problem::new(format!("what answers at {address} has no jobs interface of Ray"))
                    .hint(other)
            }
            Self::Status(status, text) => {
                Problem::new(format!("Ray at {address} answered {status}: {}", short(&text)))
            }
            Self::Silent(why) | Self::Broken(why) | Self::Strange(why) => {
                Problem::new(format!("what listens at {address} does not answer as Ray does: {why}"))
                    .hint(other)
            }
        }
    }

    /// The problem for somebody who submits jobs.
    pub(super) fn of_submitting(self, address: &str) -> Problem {
        self.of("Ray did not accept the job", address)
    }

    /// The problem for somebody who cancels jobs.
    pub(super) fn of_cancelling(self, address: &str) -> Problem {
        self.of("Ray did not cancel the jobs", address)
    }

    fn of(self, what: &str, address: &str) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Status(401 | 403, text) => denied(address, &text),
            Self::Status(_, text) => Problem::new(format!("{what}: {}", short(&text))),
            Self::Unreached(why) | Self::Silent(why) | Self::Broken(why) | Self::Strange(why) => {
                Problem::new(format!("{what}: no usable answer from {address} ({why})"))
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problem) => f.write_str(&problem.message),
            Self::Unreached(why) => write!(f, "Ray was not reached ({why})"),
            Self::Silent(why) | Self::Broken(why) | Self::Strange(why) => f.write_str(why),
            Self::Status(status, text) => write!(f, "Ray answered {status}: {}", short(text)),
        }
    }
}

fn denied(address: &str, text: &str) -> Problem {
    Problem::new(format!("Ray at {address} denied access: {}", short(text))).hint(
        "set `token` of the profile to the name of an environment variable, and the variable to the token with which Ray was \
         started (its RAY_AUTH_TOKEN)",
    )
}

/// The one line of an answer that says what is wrong: the last of a traceback that is an error's, or the first.
fn short(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != ".");
    let is_error = |line: &str| {
        line.split_once(": ")
            .is_some_and(|(name, _)| name.ends_with("Error") || name.ends_with("Exception"))
    };
    let error = lines().rfind(|line| is_error(line));
    let said = error.and_then(|line| line.split_once(": ")).map(|(_, said)| said);
    let line = said.or_else(|| lines().next()).unwrap_or("no reason is given");
    line.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_traceback_the_error_is_shown() {
        let text = "Traceback (most recent call last):\n  File \"x.py\", line 1\nRuntimeError: Request failed with status code \
                    400: Traceback (most recent call last):\n  File \"y.py\"\nValueError: Job with submission_id a already \
                    exists. Please use a different submission_id.\n.\n";
        let said = "Job with submission_id a already exists. Please use a different submission_id.";
        assert_eq!(short(text), said);
        assert_eq!(
            short("Unauthorized: Missing authentication token"),
            "Unauthorized: Missing authentication token"
        );
        assert_eq!(short(" \n"), "no reason is given");
    }
}
