//! Tells protocols by the first bytes of a connection.

mod opening;
mod shape;

pub(crate) use self::opening::Opening;
use self::shape::Shape;

/// Declares the protocols: each with its name for people, and how its openings look.
///
/// A protocol is *recognised* by bytes that nothing else is likely to begin with. Bytes *fit* it when they may be
/// it: where it is expected that is enough.
macro_rules! protocols {
    ($($protocol:ident = $name:literal, recognised $recognised:path, fits $fits:path;)+) => {
        /// A protocol that begins in a way of its own.
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub(crate) enum Protocol { $($protocol,)+ }

        impl Protocol {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$protocol),+];

            /// As people call it.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$protocol => $name,)+ }
            }

            /// The protocol that is certainly spoken, if one is.
            pub(crate) fn recognise(opening: Opening<'_>) -> Option<Self> {
                $(if $recognised(opening) {
                    return Some(Self::$protocol);
                })+
                None
            }

            /// Whether it may be this one.
            pub(crate) fn fits(self, opening: Opening<'_>) -> bool {
                match self { $(Self::$protocol => $recognised(opening) || $fits(opening),)+ }
            }
        }
    };
}

protocols! {
    Ssh = "SSH", recognised Shape::ssh, fits Shape::nothing;
    Tls = "TLS", recognised Shape::tls_hello, fits Shape::tls_record;
    Http = "HTTP", recognised Shape::http, fits Shape::text;
    Smb = "SMB", recognised Shape::smb, fits Shape::netbios;
    Rdp = "RDP", recognised Shape::rdp, fits Shape::tpkt;
    Vnc = "VNC", recognised Shape::vnc, fits Shape::nothing;
    BitTorrent = "BitTorrent", recognised Shape::bittorrent, fits Shape::nothing;
    Amqp = "AMQP", recognised Shape::amqp, fits Shape::amqp_frame;
    Mqtt = "MQTT", recognised Shape::mqtt, fits Shape::mqtt_packet;
    Postgres = "PostgreSQL", recognised Shape::postgres, fits Shape::nothing;
    Mysql = "MySQL", recognised Shape::mysql, fits Shape::mysql_packet;
    Mongo = "MongoDB", recognised Shape::mongo, fits Shape::mongo_header;
    Redis = "Redis", recognised Shape::redis, fits Shape::text;
    Ldap = "LDAP", recognised Shape::ldap, fits Shape::ber;
    Dns = "DNS", recognised Shape::dns, fits Shape::dns_header;
    Imap = "IMAP", recognised Shape::imap, fits Shape::text;
    Pop3 = "POP3", recognised Shape::pop3, fits Shape::text;
    Mail = "FTP or SMTP", recognised Shape::greeting, fits Shape::text;
}

/// Nothing can be said of so few bytes: headers are often sent apart from what they head.
const TOO_SHORT: usize = 16;

/// Whether a protocol may be told by the bytes, or that it is none that is known.
pub(crate) fn is_telling(opening: Opening<'_>) -> bool {
    let bytes = opening.bytes;
    let proxied = bytes.starts_with(b"PROXY ") || bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n");
    !proxied && bytes.len() >= TOO_SHORT && bytes.iter().any(|&byte| byte != 0)
}

/// Names that the certificates of meshes are asked for: Istio's of a service, and Linkerd's of an identity.
const MESHES: [&[u8]; 2] = [b"outbound_.", b".linkerd."];

/// Whether a mesh wraps the connection in TLS of its own.
pub(crate) fn is_of_mesh(opening: Opening<'_>) -> bool {
    let names = |name: &&[u8]| opening.bytes.windows(name.len()).any(|it| it == *name);
    MESHES.iter().any(names)
}

#[cfg(test)]
mod tests;
