//! Plain downloads: a GET with the user's proxies and TLS roots, and with limits of time.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::error::SourceError;
use crate::config::Environment;

/// A server that says nothing for so long is taken for one that is not there.
const RESOLVE: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(10);
/// No piece of a download takes so long.
const READ: Duration = Duration::from_secs(30);
/// 50 MB by a slow line.
const BODY: Duration = Duration::from_secs(15 * 60);

/// No list of digests is longer.
const TEXT_BYTES: u64 = 1 << 20;
/// No archive is.
const FILE_BYTES: u64 = 512 << 20;

/// The machine's roots by their names in the distributions.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
];

/// Asks servers as the user's own programs would.
pub(super) struct Http(Agent);

impl Http {
    /// Proxies are those of the environment (`https_proxy`, `no_proxy` and the like).
    pub(super) fn new(environment: &Environment) -> Self {
        let tls = TlsConfig::builder().root_certs(roots(environment)).build();
        let config = Agent::config_builder()
            .timeout_resolve(Some(RESOLVE))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_per_read(Some(READ))
            .timeout_recv_body(Some(BODY))
            .user_agent(concat!("lrun/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self(config.new_agent())
    }

    /// A short text.
    pub(super) fn text(&self, url: &str) -> Result<String, SourceError> {
        let mut text = String::new();
        let mut body = self.body(url, TEXT_BYTES)?;
        match body.read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(failed(url, &error)),
        }
    }

    /// Writes what is at `url`.
    pub(super) fn save(&self, url: &str, mut to: impl Write) -> Result<(), SourceError> {
        let mut body = self.body(url, FILE_BYTES)?;
        match io::copy(&mut body, &mut to) {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(url, &error)),
        }
    }

    fn body(&self, url: &str, limit: u64) -> Result<impl Read + use<>, SourceError> {
        let response = self.0.get(url).call().map_err(|e| failed(url, &e))?;
        Ok(response
            .into_body()
            .into_with_config()
            .limit(limit)
            .reader())
    }
}

fn failed(url: &str, error: &impl std::fmt::Display) -> SourceError {
    SourceError::Http {
        url: url.to_owned(),
        reason: error.to_string(),
    }
}

/// The roots that `SSL_CERT_FILE` names, else the machine's, else those that lrun was built with.
fn roots(environment: &Environment) -> RootCerts {
    let named = environment.get("SSL_CERT_FILE").into_iter();
    let certificates = named
        .chain(BUNDLES)
        .filter_map(|path| certificates(Path::new(path)))
        .find(|certificates| !certificates.is_empty());
    match certificates {
        Some(certificates) => RootCerts::Specific(Arc::new(certificates)),
        None => RootCerts::WebPki,
    }
}

fn certificates(bundle: &Path) -> Option<Vec<Certificate<'static>>> {
    let text = fs::read(bundle).ok()?;
    let items = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    Some(items.collect())
}
