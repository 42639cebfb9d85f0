//! What well-known ports are for.

use crate::protocol::{Opening, Protocol, is_of_mesh, is_telling};
use Protocol::{
    Amqp, Dns, Http, Imap, Ldap, Mail, Mongo, Mqtt, Mysql, Pop3, Postgres, Rdp, Redis, Smb, Ssh,
    Tls,
};

/// What the opening of a connection says of the use of its port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Use {
    /// What the port is for.
    Proper,
    /// Nothing can be told from it.
    Untold,
    /// A protocol that the port is not for.
    Other(Protocol),
    /// One that the port is not for, and that gets there by custom.
    Weak(Protocol),
    /// One that the port is not for, and that gets there by mistake.
    Kin(Protocol),
    /// What cannot be the protocol of the port, and is none that is known.
    Unknown,
}

/// A well-known port.
#[derive(Debug)]
struct Port {
    number: u16,
    /// What it is for.
    proper: &'static [Protocol],
    /// What gets there by mistake.
    kin: &'static [Protocol],
    /// A client that speaks what it is for cannot be taken for anything else.
    strict: bool,
}

const fn port(
    number: u16,
    proper: &'static [Protocol],
    kin: &'static [Protocol],
    strict: bool,
) -> Port {
    Port {
        number,
        proper,
        kin,
        strict,
    }
}

/// Well-known ports, ascending (IANA, Service Name and Transport Protocol Port Number Registry; databases by their
/// defaults). Ports that many things use, 8080 or 8443, are not among them.
///
/// TLS is no deviation where a service offers it, and a weak one everywhere else: a mesh wraps every
/// connection in it and leaves the port as it is, and does not always name itself in what is sampled. HTTP to a
/// port of TLS is the commonest of mistakes, and is answered as such.
const PORTS: [Port; 25] = [
    port(21, &[Mail, Tls], &[], false),
    port(22, &[Ssh], &[], true),
    port(25, &[Mail, Tls], &[], false),
    port(53, &[Dns], &[], true),
    port(80, &[Http], &[], true),
    port(110, &[Pop3, Tls], &[], false),
    port(143, &[Imap, Tls], &[], false),
    port(389, &[Ldap, Tls], &[], true),
    port(443, &[Tls], &[Http], true),
    port(445, &[Smb], &[], true),
    port(465, &[Tls, Mail], &[], false),
    port(587, &[Mail, Tls], &[], false),
    port(636, &[Tls, Ldap], &[], true),
    port(853, &[Tls], &[Dns], true),
    port(993, &[Tls, Imap], &[], false),
    port(995, &[Tls, Pop3], &[], false),
    port(1883, &[Mqtt, Tls], &[], true),
    port(3306, &[Mysql, Tls], &[], false),
    port(3389, &[Rdp, Tls], &[], true),
    port(5432, &[Postgres, Tls], &[], true),
    port(5672, &[Amqp, Tls], &[], true),
    port(6379, &[Redis, Tls], &[], true),
    port(6443, &[Tls], &[Http], true),
    port(8883, &[Tls], &[Mqtt], true),
    port(27_017, &[Mongo, Tls], &[], true),
];

/// Whether the port is for one thing alone.
pub(super) fn is_well_known(number: u16) -> bool {
    find(number).is_some()
}

/// What the opening says of the use of the port.
pub(super) fn judge(number: u16, opening: Opening<'_>) -> Use {
    let Some(port) = find(number) else {
        return Use::Untold;
    };
    match Protocol::recognise(opening) {
        Some(protocol) if port.proper.contains(&protocol) => Use::Proper,
        Some(protocol) if port.kin.contains(&protocol) => Use::Kin(protocol),
        Some(Tls) if is_of_mesh(opening) => Use::Untold,
        Some(Tls) => Use::Weak(Tls),
        Some(protocol) => Use::Other(protocol),
        None if port.proper.iter().any(|it| it.fits(opening)) => Use::Proper,
        None if opening.by_client && port.strict && is_telling(opening) => Use::Unknown,
        None => Use::Untold,
    }
}

fn find(number: u16) -> Option<&'static Port> {
    let index = PORTS.binary_search_by_key(&number, |port| port.number);
    index.ok().and_then(|index| PORTS.get(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found() {
        assert!(PORTS.is_sorted_by(|a, b| a.number < b.number));
        for port in &PORTS {
            assert!(is_well_known(port.number), "{}", port.number);
        }
        assert!(!is_well_known(8080));
    }

    #[test]
    fn each_port_takes_what_it_is_for_and_nothing_else() {
        let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03................";
        let mesh = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03..outbound_.80_._.web.default.svc";
        let ssh = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n";
        let get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let noise = b"8\xb4\xe6R\xe4M\xa7\xf27\r\x9e&\x0e'\x13eP\xa4\xa3";
        for (number, bytes, expected) in [
            (443, &hello[..], Use::Proper),
            (443, ssh, Use::Other(Ssh)),
            (443, get, Use::Kin(Http)),
            (443, noise, Use::Unknown),
            (443, &noise[..15], Use::Untold),
            (443, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", Use::Untold),
            (443, b"PROXY TCP4 10.0.0.1 10.0.0.2 5 443\r\n", Use::Untold),
            (80, hello, Use::Weak(Tls)),
            (80, mesh, Use::Untold),
            (443, mesh, Use::Proper),
            (80, ssh, Use::Other(Ssh)),
            (80, get, Use::Proper),
            (80, noise, Use::Unknown),
            (80, b"CCM_POST /HTTP/1.1\nHost: www\n\n", Use::Proper),
            (22, ssh, Use::Proper),
            (22, get, Use::Other(Http)),
            (22, noise, Use::Unknown),
            (53, noise, Use::Unknown),
            (53, get, Use::Other(Http)),
            (5432, hello, Use::Proper),
            (5432, get, Use::Other(Http)),
            (6379, hello, Use::Proper),
            (6379, noise, Use::Unknown),
            (6379, b"PUBLISH Foo \"Hi there :)\"\r\n", Use::Proper),
            (6379, ssh, Use::Other(Ssh)),
            (25, noise, Use::Untold),
            (25, ssh, Use::Other(Ssh)),
            (8080, ssh, Use::Untold),
        ] {
            let opening = Opening {
                bytes,
                length: bytes.len(),
                by_client: true,
            };
            let said = String::from_utf8_lossy(bytes);
            assert_eq!(judge(number, opening), expected, "{said:?} on {number}");
        }
    }

    #[test]
    fn what_servers_say_counts_when_it_is_clear() {
        for (number, bytes, expected) in [
            (443, &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Use::Other(Ssh)),
            (22, b"220 service ready\r\n", Use::Other(Mail)),
            (25, b"220 service ready\r\n", Use::Proper),
            (80, b"<html>\n  The quick brown fox", Use::Proper),
            (
                443,
                b"8\xb4\xe6R\xe4M\xa7\xf27\r\x9e&\x0e'\x13eP\xa4\xa3",
                Use::Untold,
            ),
        ] {
            let opening = Opening {
                bytes,
                length: bytes.len(),
                by_client: false,
            };
            let said = String::from_utf8_lossy(bytes);
            assert_eq!(judge(number, opening), expected, "{said:?} on {number}");
        }
    }
}
