//! What has no file form: proxies, and TLS roots of programs that know a variable alone.

use std::path::Path;

use super::carrier::Carrier;

const PROXIES: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// Roots of programs that do not read the machine's store of their own accord: node, and
/// Python's requests.
const OWN_ROOTS: [&str; 2] = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"];

/// Roots of programs that read the machine's store unless these say otherwise.
const OTHER_ROOTS: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"];

/// The machine's store by its names in the distributions.
const STORES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/certs",
    "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
];

pub(super) fn carry(carrier: &mut Carrier<'_>) {
    for name in PROXIES {
        if let Some(value) = carrier.environment().get(name) {
            let value = carrier.public(name, value);
            carrier.variable("proxies", name, value);
        }
    }
    for name in OWN_ROOTS {
        carry_roots(carrier, name);
    }
    for name in OTHER_ROOTS {
        let value = carrier.environment().get(name);
        if value.is_some_and(|value| !is_store(carrier, value)) {
            carry_roots(carrier, name);
        }
    }
}

fn carry_roots(carrier: &mut Carrier<'_>, name: &str) {
    let value = carrier.environment().get(name);
    if let Some(path) = value.and_then(|value| carrier.certificate(value)) {
        carrier.variable("TLS roots", name, path);
    }
}

fn is_store(carrier: &Carrier<'_>, value: &str) -> bool {
    let named = carrier.canonical(Path::new(value));
    named.is_some()
        && STORES
            .iter()
            .any(|store| carrier.canonical(Path::new(store)) == named)
}
