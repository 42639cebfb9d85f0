//! Why a server cannot be reached, told from what TLS and the system say of it.

use std::{error::Error as _, iter};

use api::transport::TransportError;

use super::failure::ServerError;
use crate::palette::harmless;

/// What the root of it says (rustls, TLS alerts, the system), and what to do then.
const STEPS: [(&str, &str); 12] = [
    (
        "alert: CertificateExpired",
        "your certificate has ended: give another with --tls-cert, such as `picket certs subscriber` makes",
    ),
    (
        "alert: CertificateRevoked",
        "your certificate was revoked: give another with --tls-cert",
    ),
    (
        "alert: UnknownCA",
        "it does not trust who signed your certificate: give one of the authority in its --tls-client-ca",
    ),
    (
        "alert: CertificateRequired",
        "give a certificate with --tls-cert and --tls-key",
    ),
    (
        "UnknownIssuer",
        "another authority signed its certificate: give that one's with --tls-ca",
    ),
    (
        "expired",
        "its certificate has ended: its operator has to renew it, as `picket certs server` does",
    ),
    (
        "not valid for name",
        "its certificate is of other names: take one of those in --server",
    ),
    (
        "InvalidContentType",
        "it speaks no TLS: write http:// if it is on this machine",
    ),
    (
        "Connection refused",
        "nobody listens there: see that picket-collector runs, or give its address with --server",
    ),
    (
        "No such file",
        "nobody listens there: see that picket-collector runs, or give its address with --server",
    ),
    (
        "lookup address",
        "there is no such host: give the collector's address with --server",
    ),
    (
        "deadline has elapsed",
        "nobody answers there: check the address, and what lies between",
    ),
];

/// The error, with a next step when there is a better one than its own.
pub(super) fn explain(server: &str, error: TransportError) -> ServerError {
    let TransportError::Connect { .. } = &error else {
        return error.into();
    };
    let root = iter::successors(error.source(), |&error| error.source()).last();
    let why = root.map(ToString::to_string).unwrap_or_default();
    let step = STEPS.iter().find(|(said, _)| why.contains(said));
    match step {
        Some((_, step)) => ServerError::Unreached {
            server: server.to_owned(),
            why: harmless(&why),
            step,
        },
        None => error.into(),
    }
}
