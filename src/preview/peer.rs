//! The user whose program made a connection, from the system's list of connections.
//!
//! All users of a machine can connect to its loopback addresses, so on a shared machine `localhost` alone protects
//! nothing. Linux lists the user of each connection; on other systems users cannot be told apart.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpStream;

/// Information about a connection's other end.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// User id, if it is another user of this machine.
    pub other_user: Option<u32>,
}

impl Peer {
    /// The other end of an accepted connection.
    pub fn of(stream: &TcpStream) -> Self {
        let near = stream.peer_addr().ok().filter(|peer| peer.ip().to_canonical().is_loopback());
        let port = stream.local_addr().ok().map(|address| address.port());
        Self { other_user: near.zip(port).and_then(|(peer, port)| other_user(peer, port)) }
    }
}

/// The administrator's user id; the administrator can read the notes anyway.
const ROOT: u32 = 0;

/// The user id at the other end, if that is neither this program's user nor the administrator.
///
/// `peer` is the other end of a connection to `port` of this machine. A connection that the system does not list has
/// no user: it comes from elsewhere, such as the host of a virtual machine, or is already closed and gets no
/// response.
fn other_user(peer: SocketAddr, port: u16) -> Option<u32> {
    let own = own()?;
    let user = user(peer, port, ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(read))?;
    (user != own && user != ROOT).then_some(user)
}

#[cfg(target_os = "linux")]
fn own() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(target_os = "linux"))]
fn own() -> Option<u32> {
    None
}

fn read(list: &str) -> String {
    fs::read_to_string(list).unwrap_or_default()
}

/// The user of a connection from `peer` to `port`, in lists in the format of `/proc/net/tcp`.
fn user(peer: SocketAddr, port: u16, lists: [String; 2]) -> Option<u32> {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    lists.iter().flat_map(|list| list.lines().skip(1)).find_map(|line| {
        // sl, local address, remote address, state, queues, timer, retransmissions, user, …
        let mut words = line.split_ascii_whitespace().skip(1);
        let (from, to) = (address(words.next()?)?, address(words.next()?)?);
        (from == peer && to.port() == port).then(|| words.nth(4)?.parse().ok())?
    })
}

/// Parses an address and port in the kernel's format: 32-bit words in native byte order, in hexadecimal.
fn address(text: &str) -> Option<SocketAddr> {
    let (words, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(words.get(at..at + 8)?, 16).ok();
    let ip = match words.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for (at, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(at * 8)?.to_ne_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn row(from: &str, to: &str, user: u32) -> String {
        format!(
            "{HEAD}   1: {from} {to} 01 00000000:00000000 00:00000000 00000000 {user:5}        0 4711 1 0 20 4 30 10 -1\n"
        )
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_connection_belongs_to_the_user_in_whose_row_it_begins() {
        let peer = "127.0.0.1:40000".parse().expect("an address");
        let list = row("0100007F:9C40", "0100007F:10E1", 1234);
        assert_eq!(user(peer, 4321, [list.clone(), String::new()]), Some(1234));
        assert_eq!(user(peer, 4322, [list, String::new()]), None, "to another port");
        // The row of the end that listens.
        let list = row("0100007F:10E1", "0100007F:9C40", 1234);
        assert_eq!(user(peer, 4321, [list, String::new()]), None);
        let mapped = "[::ffff:127.0.0.1]:40000".parse().expect("an address");
        let list = row(
            "0000000000000000FFFF00000100007F:9C40",
            "0000000000000000FFFF00000100007F:10E1",
            7,
        );
        assert_eq!(user(mapped, 4321, [String::new(), list.clone()]), Some(7));
        assert_eq!(user(peer, 4321, [String::new(), list]), Some(7));
        let peer = "[::1]:40000".parse().expect("an address");
        let list = row(
            "00000000000000000000000001000000:9C40",
            "00000000000000000000000001000000:10E1",
            8,
        );
        assert_eq!(user(peer, 4321, [String::new(), list]), Some(8));
    }

    #[test]
    fn a_list_that_is_cut_or_written_otherwise_says_nothing() {
        let peer = "127.0.0.1:40000".parse().expect("an address");
        let whole = row("0100007F:9C40", "0100007F:10E1", 1234);
        for end in 0..whole.len() {
            let list = whole[..end].to_owned();
            let found = user(peer, 4321, [list, String::new()]);
            assert!(found.is_none_or(|user| "1234".starts_with(&user.to_string())), "{found:?}");
        }
        for odd in ["", "x", ":", "zz:zz", "0100007F:", "0100007F:99999", "é00007F:1", "01:1"] {
            assert_eq!(address(odd), None, "{odd}");
        }
    }

    #[test]
    fn this_user_is_no_other_user() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let _client = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        let (_, peer) = listener.accept().expect("a connection");
        assert_eq!(other_user(peer, port), None);
        if cfg!(target_os = "linux") {
            let lists = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(read);
            assert_eq!(user(peer, port, lists), own());
        }
    }
}
