//! How servers are trusted: by the system's certificates, as everything else on the machine does.

use std::sync::Arc;

use ureq::tls::{RootCerts, TlsConfig};

/// The settings of every connection that this program makes.
pub fn settings() -> TlsConfig {
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
