//! Small proxies in front of a preview, as people have them whose machine with the GPU is elsewhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// How a preview is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Bytes go through as they are, as with `ssh -L` or a container's mapped port.
    Port,
    /// Below a path, which is taken off before the preview is asked, as with JupyterHub's `/proxy/4321/`.
    Stripped(&'static str),
    /// Below a path, which the preview is asked for, as with JupyterHub's `/proxy/absolute/4321/`.
    Whole(&'static str),
}

/// A proxy at a port of its own, until the tests end.
pub struct Proxy {
    /// Of the home page.
    pub url: String,
}

impl Proxy {
    /// In front of what is at `url`.
    pub fn to(url: &str, way: Way) -> Self {
        let target = url.trim_start_matches("http://").split('/').next().expect("a host");
        let target = target.replace("localhost", "127.0.0.1");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let target = target.clone();
                thread::spawn(move || drop(pass(stream, &target, way)));
            }
        });
        let path = match way {
            Way::Port => "/",
            Way::Stripped(path) | Way::Whole(path) => path,
        };
        Self { url: format!("http://localhost:{port}{path}") }
    }
}

fn pass(client: TcpStream, target: &str, way: Way) -> std::io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    if way != Way::Port {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let Some(head) = rewritten(&head, way) else {
            let bare = head.split(' ').nth(1).unwrap_or_default();
            let to = format!("{}/", bare.rsplit('/').next().unwrap_or_default());
            // The folder without its last slash, as Jupyter does it; everything else is not the preview's.
            return write!(
                client,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        };
        server.write_all(head.as_bytes())?;
    }
    let mut back = server.try_clone()?;
    let forth = thread::spawn(move || copy(&mut reader, &mut server));
    copy(&mut back, &mut client);
    let _ = client.shutdown(Shutdown::Both);
    let _ = back.shutdown(Shutdown::Both);
    let _ = forth.join();
    Ok(())
}

/// A request's head as the preview is asked, one request a connection.
fn rewritten(head: &str, way: Way) -> Option<String> {
    let (first, rest) = head.split_once("\r\n")?;
    let mut parts = first.split(' ');
    let (method, path, version) = (parts.next()?, parts.next()?, parts.next()?);
    let path = match way {
        Way::Port => path.to_owned(),
        Way::Whole(base) => path.starts_with(base).then(|| path.to_owned())?,
        Way::Stripped(base) => format!("/{}", path.strip_prefix(base)?),
    };
    let others = rest
        .lines()
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"));
    let others: String = others.map(|line| format!("{line}\r\n")).collect();
    Some(format!("{method} {path} {version}\r\n{others}Connection: close\r\n\r\n"))
}

/// Passes on what comes as it comes, until it ends.
fn copy(from: &mut impl std::io::Read, to: &mut TcpStream) {
    let mut bytes = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
