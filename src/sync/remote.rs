//! An object store by its URL: objects are listed, read, written and removed, and errors are said as a user can mend them.

use std::cell::OnceCell;
use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use neuronotes_core::file;
use neuronotes_core::problem::Problem;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, RetryConfig,
};
use tokio::runtime::Runtime;

use super::http::Connector;

/// Longer objects are sent in parts of this size. (S3 takes at most 10,000 parts.)
const PART: usize = 64 << 20;
/// How often a request is tried again, and for how long.
const RETRIES: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// What servers say of those whom they do not let in.
const DENIED: [&str; 7] = [
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// An object store, or a folder in it.
#[derive(Debug)]
pub struct Remote {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The URL as it was given.
    pub url: String,
    /// The bucket, if it is one.
    bucket: Option<String>,
    /// Where requests go.
    endpoint: String,
}

/// An object that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// Its path below the URL.
    pub path: String,
    pub bytes: u64,
    /// Changes with its content.
    pub tag: String,
}

impl Remote {
    /// Opens the object store at a URL, such as `s3://bucket/folder` or `file:///folder`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// If the URL or the environment's settings cannot be used.
    pub fn open(url: &str) -> Result<Self, Problem> {
        let Some((scheme, rest)) = url.split_once("://") else {
            let message = format!("`{url}` is not the URL of an object store");
            let hint = match std::path::absolute(url) {
                Ok(path) if !url.contains(':') => {
                    format!("for a folder, write file://{}", path.display())
                }
                _ => "use s3://BUCKET/FOLDER or file:///FOLDER".to_owned(),
            };
            return Err(Problem::new(message).hint(hint));
        };
        match scheme {
            "s3" | "s3a" => Self::s3(url, rest),
            "file" => Self::folder(url, rest),
            _ => {
                let message = format!("object stores of the scheme `{scheme}` are not supported");
                let hint = match scheme {
                    "http" | "https" => {
                        "for a server that speaks S3, put its address into AWS_ENDPOINT_URL and use s3://BUCKET/FOLDER"
                    }
                    "gs" => {
                        "Google Cloud Storage speaks S3: set AWS_ENDPOINT_URL=https://storage.googleapis.com and use s3://BUCKET/FOLDER"
                    }
                    _ => "use s3://BUCKET/FOLDER or file:///FOLDER",
                };
                Err(Problem::new(message).hint(hint))
            }
        }
    }

    fn s3(url: &str, rest: &str) -> Result<Self, Problem> {
        let (bucket, folder) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') || bucket.contains(':') {
            let message = "the URL of an object store must not contain credentials";
            let hint = "put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(Problem::new(message).hint(hint));
        }
        if bucket.is_empty() {
            let hint = "use s3://BUCKET/FOLDER";
            return Err(Problem::new(format!("`{url}` names no bucket")).hint(hint));
        }
        let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
        let endpoint =
            endpoint.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_http_connector(Connector)
            .with_retry(retries());
        if let Some(endpoint) = &endpoint {
            // Who names an address without encryption wants it.
            builder =
                builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        let store = builder.build().map_err(|error| {
            Problem::new(format!("{url} cannot be used ({})", short(&error)))
                .hint("check the environment variables that begin with AWS_")
        })?;
        Ok(Self {
            store: Arc::new(store),
            prefix: parsed(url, folder)?,
            url: url.trim_end_matches('/').to_owned(),
            bucket: Some(bucket.to_owned()),
            endpoint: endpoint.unwrap_or_else(|| "Amazon S3".to_owned()),
        })
    }

    fn folder(url: &str, rest: &str) -> Result<Self, Problem> {
        let path = PathBuf::from(rest);
        if !path.is_absolute() {
            let hint = "write three slashes: file:///FOLDER";
            return Err(Problem::new(format!("`{url}` does not name an absolute path")).hint(hint));
        }
        let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| {
            let missing = !path.is_dir();
            let message = match missing {
                true => format!("there is no folder {}", path.display()),
                false => format!("{} cannot be used ({})", path.display(), short(&error)),
            };
            Problem::new(message).hint(if missing { "create it" } else { "check its permissions" })
        })?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::default(),
            url: url.trim_end_matches('/').to_owned(),
            bucket: None,
            endpoint: path.display().to_string(),
        })
    }

    /// Asks for one object, so that a wrong address, bucket or credential is told before anything else is done.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let first = wait(async { self.store.list(Some(&self.at("v1"))).try_next().await });
        first.map(drop).map_err(|error| self.told("list", "", &error))
    }

    fn at(&self, path: &str) -> Path {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Everything below a folder, in no particular order.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Object>, Problem> {
        let prefix = self.at(folder);
        let below = |path: &Path| {
            let parts = path.prefix_match(&self.prefix)?;
            Some(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
        };
        let all = self.store.list(Some(&prefix)).try_filter_map(|meta| {
            let tag = meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.to_string());
            let path = below(&meta.location);
            std::future::ready(Ok(path.map(|path| Object { path, bytes: meta.size, tag })))
        });
        match wait(all.try_collect()) {
            Err(Error::NotFound { source, .. }) if self.bucket.is_none() => {
                // A folder that nobody has written to yet.
                let _ = source;
                Ok(Vec::new())
            }
            all => all.map_err(|error| self.told("list", folder, &error)),
        }
    }

    /// The length of an object; `None` if there is none.
    pub(super) fn length(&self, path: &str) -> Result<Option<u64>, Problem> {
        match wait(self.store.head(&self.at(path))) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.told("read", path, &error)),
        }
    }

    /// The bytes of a small object; `None` if there is none.
    pub(super) fn get(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        let bytes = wait(async { self.store.get(&self.at(path)).await?.bytes().await });
        match bytes {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.told("read", path, &error)),
        }
    }

    /// Gives the bytes of an object to `take`, piece by piece; false if there is no such object.
    pub(super) fn read(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), Problem>,
    ) -> Result<bool, Problem> {
        wait(async {
            let mut pieces = match self.store.get(&self.at(path)).await {
                Err(Error::NotFound { .. }) => return Ok(false),
                found => found.map_err(|error| self.told("read", path, &error))?.into_stream(),
            };
            while let Some(piece) =
                pieces.try_next().await.map_err(|error| self.told("read", path, &error))?
            {
                take(&piece)?;
            }
            Ok(true)
        })
    }

    /// Writes an object, whole at once.
    pub(super) fn put(&self, path: &str, bytes: Vec<u8>) -> Result<String, Problem> {
        let done = wait(self.store.put(&self.at(path), PutPayload::from(bytes)));
        done.map(|done| done.e_tag.unwrap_or_default())
            .map_err(|error| self.told("write", path, &error))
    }

    /// Writes an object unless there is one of this name; whether it was written.
    pub(super) fn create(&self, path: &str, bytes: Vec<u8>) -> Result<bool, Problem> {
        let payload = PutPayload::from(bytes);
        match wait(self.store.put_opts(&self.at(path), payload, PutMode::Create.into())) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.told("write", path, &error)),
        }
    }

    /// Writes an object of any length; it is there once all of it is. `step` gets the number of bytes of each part that was sent.
    pub(super) fn send(
        &self,
        path: &str,
        mut file: File,
        step: &dyn Fn(u64),
    ) -> Result<(), Problem> {
        let unreadable =
            |error: io::Error| Problem::new(format!("{path} cannot be read ({error})"));
        let bytes = file.metadata().map_err(unreadable)?.len();
        if bytes <= PART as u64 {
            let mut all = Vec::new();
            file.read_to_end(&mut all).map_err(unreadable)?;
            self.put(path, all)?;
            step(bytes);
            return Ok(());
        }
        let told = |error: Error| self.told("write", path, &error);
        wait(async {
            let mut upload = self.store.put_multipart(&self.at(path)).await.map_err(told)?;
            loop {
                let mut part = Vec::new();
                let read = (&mut file).take(PART as u64).read_to_end(&mut part);
                let sent = match read {
                    Err(error) => Err(unreadable(error)),
                    Ok(0) => break,
                    Ok(length) => upload.put_part(part.into()).await.map_err(told).map(|()| length),
                };
                match sent {
                    Ok(length) => step(length as u64),
                    Err(problem) => {
                        // Parts that nobody completes cost money.
                        let _ = upload.abort().await;
                        return Err(problem);
                    }
                }
            }
            upload.complete().await.map(drop).map_err(told)
        })
    }

    /// Removes an object. One that is gone is no error.
    pub(super) fn remove(&self, path: &str) -> Result<(), Problem> {
        match wait(self.store.delete(&self.at(path))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.told("remove", path, &error)),
        }
    }

    /// An error as a user can mend it. Answers of servers are not repeated: they may name credentials.
    fn told(&self, what: &str, path: &str, error: &Error) -> Problem {
        let at = if path.is_empty() { self.url.clone() } else { format!("{}/{path}", self.url) };
        let text = chain(error);
        let code = code(&text);
        let bucket = self.bucket.as_deref().unwrap_or_default();
        if code == Some("NoSuchBucket") {
            let message = format!("there is no bucket `{bucket}` at {}", self.endpoint);
            return Problem::new(message)
                .hint("create it, or check its name, AWS_ENDPOINT_URL and AWS_REGION");
        }
        if self.bucket.is_some() && text.contains("169.254.") {
            let message = format!("there are no credentials for {}", self.url);
            return Problem::new(message).hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        }
        if unreached(error) {
            let message =
                format!("{} cannot be reached at {} ({})", self.url, self.endpoint, last(error));
            return Problem::new(message)
                .hint("check the network, AWS_ENDPOINT_URL and HTTPS_PROXY");
        }
        let denied =
            matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
                || code.is_some_and(|code| DENIED.contains(&code));
        if self.bucket.is_some() && denied {
            let why = code.unwrap_or("access denied");
            let hint = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what they may do in the bucket";
            return Problem::new(format!("{} may not be used ({why}): {what} {at}", self.url))
                .hint(hint);
        }
        let why = code.map_or_else(|| last(error), str::to_owned);
        let problem = Problem::new(format!("cannot {what} {at} ({why})"));
        problem.hint(source::<io::Error>(error).and_then(file::hint))
    }
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        base: 3.0,
    };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: PATIENCE }
}

fn parsed(url: &str, folder: &str) -> Result<Path, Problem> {
    Path::parse(folder).map_err(|error| Problem::new(format!("`{url}` cannot be used ({error})")))
}

/// Waits for something on this thread. Each has a runtime of its own, since requests block.
fn wait<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static OWN: OnceCell<Runtime> = const { OnceCell::new() };
    }
    OWN.with(|own| {
        let runtime = own.get_or_init(|| {
            let builder = tokio::runtime::Builder::new_current_thread().enable_time().build();
            builder.expect("a runtime without sockets needs nothing of the system")
        });
        runtime.block_on(work)
    })
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push(' ');
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// The first cause of an error.
fn last(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    short(last)
}

/// The first line of an error, without what a server sent.
fn short(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    let text = text.split_once('<').map_or(text, |(before, _)| before);
    text.trim_end_matches([' ', ':']).to_owned()
}

fn source<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn unreached(error: &Error) -> bool {
    source::<HttpError>(error).is_some_and(|error| error.kind() == HttpErrorKind::Connect)
}

/// The code in a server's answer.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (!code.is_empty() && code.chars().all(|c| c.is_ascii_alphanumeric())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        let problem = Remote::open(url).expect_err(url);
        problem.to_string()
    }

    #[test]
    fn a_url_that_cannot_be_used_says_why_and_shows_no_credentials() {
        assert!(refused("https://x/y").contains("AWS_ENDPOINT_URL"));
        assert!(refused("ftp://x/y").contains("`ftp` are not supported"));
        assert!(refused("s3:///x").contains("names no bucket"));
        assert!(refused("/some/folder").contains("write file:///some/folder"));
        assert!(refused("file://some/folder").contains("three slashes"));
        assert!(refused("file:///no/such/folder").contains("there is no folder /no/such/folder"));
        let secret = refused("s3://AKIA:topsecret@bucket/x");
        assert!(secret.contains("must not contain credentials") && !secret.contains("topsecret"));
    }

    #[test]
    fn objects_are_listed_below_the_url_and_made_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let remote = Remote::open(&format!("file://{}", dir.path().display())).expect("a folder");
        assert_eq!(remote.list("v1/records").expect("a list"), []);
        assert!(remote.create("v1/claims/a", b"one".to_vec()).expect("made"));
        assert!(!remote.create("v1/claims/a", b"two".to_vec()).expect("refused"));
        remote.put("v1/records/b", b"three".to_vec()).expect("written");
        let listed = remote.list("v1").expect("a list");
        let mut paths: Vec<&str> = listed.iter().map(|object| &*object.path).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["v1/claims/a", "v1/records/b"]);
        assert_eq!(remote.get("v1/claims/a").expect("read").expect("there"), b"one");
        assert_eq!(remote.get("v1/claims/b").expect("read"), None);
        assert_eq!(remote.length("v1/records/b").expect("read"), Some(5));
        remote.remove("v1/records/b").expect("removed");
        remote.remove("v1/records/b").expect("gone is no error");
        assert_eq!(remote.length("v1/records/b").expect("read"), None);
    }
}
