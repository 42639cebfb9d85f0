//! How the openings of protocols look.

use super::opening::Opening;

/// Methods of HTTP that are common (RFC 9110, section 9; RFC 5789; WebDAV, UPnP).
const METHODS: [&[u8]; 12] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PROPFIND ",
    b"SUBSCRIBE ",
    b"NOTIFY ",
];

/// Tests of openings.
pub(super) struct Shape;

impl Shape {
    pub(super) const fn nothing(_: Opening<'_>) -> bool {
        false
    }

    /// Lines of text: what begins with printable characters, as commands and answers of many protocols do. Names in
    /// other alphabets are text too.
    pub(super) fn text(opening: Opening<'_>) -> bool {
        let line = opening.bytes.split(|&byte| byte == b'\n').next();
        line.is_some_and(|line| {
            let control = |&byte: &u8| byte < b' ' && !matches!(byte, b'\t' | b'\r');
            !line.is_empty()
                && !line.iter().any(control)
                && std::str::from_utf8(whole(line)).is_ok()
        })
    }

    /// The version exchange (RFC 4253, section 4.2).
    pub(super) fn ssh(opening: Opening<'_>) -> bool {
        opening.bytes.starts_with(b"SSH-2.0-") || opening.bytes.starts_with(b"SSH-1.")
    }

    /// A handshake record with a hello in it (RFC 8446, sections 4 and 5.1).
    pub(super) fn tls_hello(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[22, 3, 0..=4, _, _, 1 | 2, 0, ..])
    }

    /// Any record, or a hello of SSL 2.
    pub(super) fn tls_record(opening: Opening<'_>) -> bool {
        match *opening.bytes {
            [20..=24, 3, 0..=4, high, ..] => high <= 0x48,
            [length, _, 1, 0 | 3, ..] => length & 0x80 != 0,
            [length, _, 4, 0 | 1, ..] => length & 0x80 != 0 && !opening.by_client,
            _ => false,
        }
    }

    /// A request line or a status line (RFC 9112), or the beginning of HTTP/2 (RFC 9113, section 3.4).
    pub(super) fn http(opening: Opening<'_>) -> bool {
        let bytes = opening.bytes;
        if bytes.starts_with(b"HTTP/1.") || bytes.starts_with(b"PRI * HTTP/2.0\r\n") {
            return true;
        }
        let Some(rest) = METHODS
            .iter()
            .find_map(|&method| bytes.strip_prefix(method))
        else {
            return Self::http2_settings(opening);
        };
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or(rest);
        let versioned = line.windows(8).any(|it| it.starts_with(b" HTTP/1."));
        // The version of a long target lies beyond what is sampled.
        let target = matches!(rest, [b'/', ..]) || rest.starts_with(b"http");
        versioned || target && line.len() == rest.len()
    }

    /// The first frame of an HTTP/2 server, SETTINGS (RFC 9113, section 6.5).
    fn http2_settings(opening: Opening<'_>) -> bool {
        match *opening.bytes {
            [0, high, low, 4, 0, 0, 0, 0, 0, ..] => {
                !opening.by_client && u16::from_be_bytes([high, low]).is_multiple_of(6)
            }
            _ => false,
        }
    }

    /// SMB 1, 2 or 3 in a NetBIOS message ([MS-SMB2], section 2.1).
    pub(super) fn smb(opening: Opening<'_>) -> bool {
        matches!(
            opening.bytes,
            &[0, _, _, _, 0xfc..=0xff, b'S', b'M', b'B', ..]
        )
    }

    /// A NetBIOS request or its answer (RFC 1002, section 4.3).
    pub(super) fn netbios(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[0x81..=0x85, 0 | 1, ..])
    }

    /// A connection request with the cookie or the negotiation of RDP ([MS-RDPBCGR], section 2.2.1.1). Others use its
    /// transport too.
    pub(super) fn rdp(opening: Opening<'_>) -> bool {
        let asks = match *opening.bytes {
            [3, 0, _, _, _, 0xe0, _, _, _, _, _, ..] => {
                let asked = opening.bytes.get(11..).unwrap_or_default();
                asked.starts_with(b"Cookie: ") || matches!(asked, &[1, _, 8, 0, ..])
            }
            _ => false,
        };
        asks && opening.by_client
    }

    /// A packet of ISO transport over TCP (RFC 1006, section 6), or fast-path input.
    pub(super) fn tpkt(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[3, 0, ..])
    }

    /// The version of the remote framebuffer (RFC 6143, section 7.1.1).
    pub(super) fn vnc(opening: Opening<'_>) -> bool {
        matches!(
            opening.bytes,
            &[b'R', b'F', b'B', b' ', b'0', b'0', _, b'.', ..]
        )
    }

    /// The handshake (BEP 3).
    pub(super) fn bittorrent(opening: Opening<'_>) -> bool {
        opening.bytes.starts_with(b"\x13BitTorrent protocol")
    }

    /// The protocol header (AMQP 1.0, section 2.2; AMQP 0-9-1, section 4.2.2).
    pub(super) fn amqp(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[b'A', b'M', b'Q', b'P', 0..=3, 0..=9, ..])
    }

    /// The server's first frame, of 0-9-1.
    pub(super) fn amqp_frame(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[1, 0, 0, ..])
    }

    /// CONNECT (MQTT 5.0, section 3.1; 3.1 called itself MQIsdp).
    pub(super) fn mqtt(opening: Opening<'_>) -> bool {
        let Some((&0x10, rest)) = opening.bytes.split_first() else {
            return false;
        };
        let length = rest.iter().take_while(|&&byte| byte & 0x80 != 0).count();
        let named = rest.get(length + 1..).unwrap_or_default();
        named.starts_with(b"\0\x04MQTT") || named.starts_with(b"\0\x06MQIsdp")
    }

    /// CONNACK, and what a broken client may send first.
    pub(super) fn mqtt_packet(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[0x10 | 0x20, ..])
    }

    /// A startup message, a cancel request, or one for TLS or GSSAPI (PostgreSQL, section 54.7).
    pub(super) fn postgres(opening: Opening<'_>) -> bool {
        let (Some(length), Some(code)) = (be32(opening.bytes, 0), be32(opening.bytes, 4)) else {
            return false;
        };
        let code = matches!(code, 0x0003_0000..=0x0003_0002 | 80_877_102..=80_877_104);
        code && (8..=10_000).contains(&length) && opening.by_client
    }

    /// The server's greeting, protocol 10, or its refusal (MySQL, Protocol::Handshake).
    pub(super) fn mysql(opening: Opening<'_>) -> bool {
        let Some((&[a, b, c, 0], rest)) = opening.bytes.split_first_chunk() else {
            return false;
        };
        let whole = u32::from_le_bytes([a, b, c, 0]) as usize + 4 == opening.length;
        let version = matches!(rest, &[10, b'1'..=b'9', b'0'..=b'9' | b'.', ..]);
        whole && version && !opening.by_client
    }

    /// A packet of it, of the first few.
    pub(super) fn mysql_packet(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[_, _, 0, 0..=3, ..])
    }

    /// A message of known kind, OP_MSG, OP_QUERY or OP_COMPRESSED (MongoDB Wire Protocol).
    pub(super) fn mongo(opening: Opening<'_>) -> bool {
        let Some(length) = le32(opening.bytes, 0) else {
            return false;
        };
        Self::mongo_header(opening) && length as usize == opening.length
    }

    pub(super) fn mongo_header(opening: Opening<'_>) -> bool {
        let (length, code) = (le32(opening.bytes, 0), le32(opening.bytes, 12));
        length.is_some_and(|it| (16..48_000_001).contains(&it))
            && matches!(code, Some(1 | 2004 | 2012 | 2013))
    }

    /// An array of bulk strings, as clients send commands (Redis serialization protocol).
    pub(super) fn redis(opening: Opening<'_>) -> bool {
        let Some(rest) = opening.bytes.strip_prefix(b"*") else {
            return false;
        };
        let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        let next = rest.get(digits..).unwrap_or_default();
        digits > 0 && next.starts_with(b"\r\n$")
    }

    /// A message: a sequence of a number and an operation (RFC 4511, section 4.1.1).
    pub(super) fn ldap(opening: Opening<'_>) -> bool {
        let Some(rest) = opening.bytes.strip_prefix(&[0x30]) else {
            return false;
        };
        let length = match rest {
            [length, ..] if length & 0x80 == 0 => 1,
            [length @ 0x81..=0x84, ..] => 1 + usize::from(length & 0x7f),
            _ => return false,
        };
        let Some(&[2, number @ 1..=4, ..]) = rest.get(length..) else {
            return false;
        };
        let operation = rest.get(length + 2 + usize::from(number));
        matches!(operation, Some(0x42 | 0x4a | 0x50 | 0x60..=0x79))
    }

    /// Any sequence in BER.
    pub(super) fn ber(opening: Opening<'_>) -> bool {
        matches!(opening.bytes, &[0x30, ..])
    }

    /// A message of one question behind its length (RFC 1035, section 4.2.2), whole.
    pub(super) fn dns(opening: Opening<'_>) -> bool {
        let counts = matches!(
            opening.bytes,
            &[_, _, _, _, _, _, 0, 1, 0, _, 0, _, 0, _, ..]
        );
        let length = be16(opening.bytes, 0).map(usize::from);
        counts
            && length.is_some_and(|it| it + 2 == opening.length && it >= 17)
            && Self::dns_header(opening)
    }

    /// A header that makes sense: an operation that exists, and as many questions as are asked at a time.
    pub(super) fn dns_header(opening: Opening<'_>) -> bool {
        let Some(&[_, _, _, _, flags, _, 0, 0..=4, ..]) =
            opening.bytes.first_chunk::<8>().map(|it| &it[..])
        else {
            return false;
        };
        flags >> 3 & 15 <= 6 && be16(opening.bytes, 0).is_some_and(|it| it >= 12)
    }

    /// The server's greeting (RFC 9051, section 7.1).
    pub(super) fn imap(opening: Opening<'_>) -> bool {
        !opening.by_client && opening.bytes.starts_with(b"* OK ")
    }

    /// The server's greeting (RFC 1939, section 4).
    pub(super) fn pop3(opening: Opening<'_>) -> bool {
        !opening.by_client && opening.bytes.starts_with(b"+OK ")
    }

    /// The server's greeting (RFC 5321, section 3.1; RFC 959, section 5.4).
    pub(super) fn greeting(opening: Opening<'_>) -> bool {
        let greets = matches!(opening.bytes, &[b'2', b'2', b'0', b' ' | b'-', ..]);
        !opening.by_client && greets && Self::text(opening)
    }
}

/// All but a last character that was cut.
fn whole(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => &text[..error.valid_up_to()],
        _ => text,
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|&it| u16::from_be_bytes(it))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|&it| u32::from_be_bytes(it))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|&it| u32::from_le_bytes(it))
}
