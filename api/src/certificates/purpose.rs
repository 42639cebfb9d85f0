//! What a certificate is for, and so what it says.

use std::net::IpAddr;

use rcgen::{ExtendedKeyUsagePurpose as Usage, SanType};

use super::error::CertificateError;
use crate::principal::{Principal, is_name};

/// What a certificate is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// A server with these DNS names and addresses, at least one.
    Server(&'a [String]),
    /// A node's agent, a subscriber, or an operator, who is a subscriber of the same name too.
    Client(Principal<'a>),
}

pub(super) type Described = (String, String, Vec<SanType>, Vec<Usage>);

/// The stem of the file, the common name, the names, and what it may be used for.
pub(super) fn described(purpose: Purpose<'_>) -> Result<Described, CertificateError> {
    match purpose {
        Purpose::Server(names) => {
            let sans: Result<Vec<_>, _> = names.iter().map(|it| host(it)).collect();
            let first = names.first().map_or("", String::as_str);
            let stem = format!("server-{}", first.replace([':', '*'], "_"));
            if first.is_empty() {
                return Err(bad_host(first));
            }
            Ok((stem, first.into(), sans?, vec![Usage::ServerAuth]))
        }
        Purpose::Client(principal) => {
            let name = principal.name();
            let refused = || CertificateError::Name {
                name: name.into(),
                takes: "a name has 1 to 253 letters, digits, dashes, dots and underscores",
            };
            if !is_name(name) {
                return Err(refused());
            }
            let uri = |it: Principal<'_>| {
                let uri = it.to_string().try_into();
                uri.map(SanType::URI).map_err(|_| refused())
            };
            let mut names = vec![uri(principal)?];
            let mut usages = vec![Usage::ClientAuth];
            let stem = match principal {
                Principal::Node(_) => {
                    // Its agent is a server too, to subscribers of the node alone.
                    if let Ok(host) = host(name) {
                        names.push(host);
                        usages.push(Usage::ServerAuth);
                    }
                    format!("node-{name}")
                }
                Principal::Subscriber(_) => format!("subscriber-{name}"),
                Principal::Operator(_) => {
                    // So that one certificate is enough to reach the collector and to command.
                    names.push(uri(Principal::Subscriber(name))?);
                    format!("operator-{name}")
                }
            };
            Ok((stem, name.into(), names, usages))
        }
    }
}

fn bad_host(name: &str) -> CertificateError {
    CertificateError::Name {
        name: name.into(),
        takes: "a server has DNS names such as picket-collector.picket.svc, and IP addresses",
    }
}

fn host(name: &str) -> Result<SanType, CertificateError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let bare = name.strip_prefix("*.").unwrap_or(name);
    let label = |it: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (1..=63).contains(&it.len()) && it.chars().all(plain)
    };
    if !bare.split('.').all(label) || name.len() > 253 {
        return Err(bad_host(name));
    }
    let name = name.to_owned().try_into();
    name.map(SanType::DnsName).map_err(|_| bad_host(bare))
}
