//! Host names in requests and in `--allow-host`: their names and ports, and whether they are this machine.

use std::net::{IpAddr, Ipv4Addr};

use neuronotes_core::cut::Cut as _;

/// A name given by `--allow-host`, with its port if only that one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl std::str::FromStr for Name {
    type Err = String;

    /// Reads `gpu-box`, `gpu-box:8000`, or the address of a page there.
    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let part = rest.split('/').next().unwrap_or_default();
        match authority(part) {
            Some((host, port)) if !host.contains('*') => Ok(Self { host, port }),
            _ => {
                Err("a host's name is expected, such as `gpu-box` or `hub.example.org`".to_owned())
            }
        }
    }
}

/// Whether a name can only be this machine: no resolver may point it elsewhere, and no foreign page is found under it.
pub(super) fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || match address(name) {
            Some(IpAddr::V4(address)) => address.is_loopback(),
            Some(IpAddr::V6(address)) => {
                address.is_loopback()
                    || address.to_ipv4_mapped().as_ref().is_some_and(Ipv4Addr::is_loopback)
            }
            None => false,
        }
}

/// The address, if a name is numeric.
pub(super) fn address(name: &str) -> Option<IpAddr> {
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    }
}

/// The host and port in `host:port`, in lower case and without a final dot.
pub(super) fn authority(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.rfind(']') {
        Some(end) => (text.cut(..=end), text.cut(end + 1..).strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    (!host.is_empty() && host.chars().all(is_name)).then_some((host, port))
}
