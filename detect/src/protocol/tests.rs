//! What the openings of real programs are taken for.

use super::*;

/// Openings of clients (true) and servers, from captures of real programs.
const OPENINGS: &[(Protocol, bool, &[u8])] = &[
    (Protocol::Ssh, true, b"SSH-2.0-OpenSSH_6.9\r\n"),
    (Protocol::Ssh, false, b"SSH-1.99-Cisco-1.25\n"),
    (
        Protocol::Tls,
        true,
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    ),
    (
        Protocol::Tls,
        false,
        b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03",
    ),
    (Protocol::Http, true, b"GET / HTTP/1.0\r\n\r\n"),
    (Protocol::Http, true, b"POST /a/target/longer/than/a/sample"),
    (Protocol::Http, true, b"CONNECT example.com:22 HTTP/1.1\r\n"),
    (
        Protocol::Http,
        true,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x18\x04\0",
    ),
    (Protocol::Http, false, b"HTTP/1.1 400 Bad Request\r\n"),
    (
        Protocol::Http,
        false,
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d\0\x04",
    ),
    (Protocol::Smb, true, b"\0\0\0E\xffSMBr\0\0\0\0\x18S\xc8"),
    (Protocol::Smb, false, b"\0\0\0\xf8\xfeSMB@\0\0\0\0\0\0\0"),
    (
        Protocol::Rdp,
        true,
        b"\x03\0\0/*\xe0\0\0\0\0\0Cookie: mstshash=FT\r\n",
    ),
    (
        Protocol::Rdp,
        true,
        b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
    ),
    (Protocol::Vnc, false, b"RFB 003.008\n"),
    (
        Protocol::BitTorrent,
        true,
        b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05",
    ),
    (Protocol::Amqp, true, b"AMQP\0\0\x09\x01"),
    (Protocol::Mqtt, true, b"\x10\x25\0\x06MQIsdp\x03\x02\0\x3c"),
    (
        Protocol::Mqtt,
        true,
        b"\x10\x92\x01\0\x04MQTT\x05\x02\0\x3c",
    ),
    (Protocol::Postgres, true, b"\0\0\0\x08\x04\xd2\x16\x2f"),
    (
        Protocol::Postgres,
        true,
        b"\0\0\0\x14\0\x03\0\0user\0app\0\0\0\0",
    ),
    (
        Protocol::Mysql,
        false,
        b"\x11\0\0\0\x0a8.0.36\0\x08\0\0\0abcde",
    ),
    (
        Protocol::Mongo,
        true,
        b"\x18\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x05\0\0",
    ),
    (Protocol::Redis, true, b"*2\r\n$4\r\nAUTH\r\n$4\r\nzeek\r\n"),
    (
        Protocol::Ldap,
        true,
        b"0\x1d\x02\x01\x01w\x18\x80\x161.3.6.1.4.1.1466.20037",
    ),
    (
        Protocol::Ldap,
        false,
        b"0\x84\0\0\x08{\x02\x02\0\xd5d\x84\0\0\x08q\x04\0",
    ),
    (
        Protocol::Dns,
        true,
        b"\0\x1d\x05L\x01\0\0\x01\0\0\0\0\0\0\x07cluster\x03com\0\0\xfc\0\x01",
    ),
    (
        Protocol::Imap,
        false,
        b"* OK [CAPABILITY IMAP4rev1 CHILDREN]\r\n",
    ),
    (Protocol::Pop3, false, b"+OK Cyrus POP3 v2.3.16\r\n"),
    (Protocol::Mail, false, b"220 mail.example.com ESMTP\r\n"),
    (
        Protocol::Mail,
        false,
        b"220-     Welcome to FTP.JPIX.ad.jp,\r\n",
    ),
];

fn opening(bytes: &[u8], by_client: bool) -> Opening<'_> {
    Opening {
        bytes,
        length: bytes.len(),
        by_client,
    }
}

#[test]
fn each_protocol_is_recognised_by_what_it_begins_with_and_fits_itself() {
    for &(protocol, by_client, bytes) in OPENINGS {
        let said = String::from_utf8_lossy(bytes);
        let opening = opening(bytes, by_client);
        assert_eq!(Protocol::recognise(opening), Some(protocol), "{said:?}");
        assert!(protocol.fits(opening), "{said:?}");
    }
    for protocol in Protocol::ALL {
        let known = OPENINGS.iter().any(|(it, _, _)| it == protocol);
        assert!(known, "{}", protocol.name());
    }
}

#[test]
fn what_resembles_a_protocol_is_not_taken_for_it() {
    for (by_client, bytes) in [
        (true, &b"GET key\r\n"[..]),
        (true, b"OPTIONS sip:carol@chicago.com SIP/2.0\r\n"),
        (true, b"INVITE sip:bob@biloxi.com SIP/2.0\r\n"),
        (true, b"220 ways to leave your lover\r\n"),
        (true, b"EHLO client.example.com\r\n"),
        (false, b"+OK\r\n"),
        (false, b"*544\r\n:1\r\n"),
        (
            true,
            b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02",
        ),
        (true, b"0\x82\x01\0\x02\x01\0\x04\x06public"),
        (true, b"\0\0\0\x08\0\0\0\x01"),
        (true, b"\x17\x03\x03\0\x20................................"),
    ] {
        let said = String::from_utf8_lossy(bytes);
        assert_eq!(
            Protocol::recognise(opening(bytes, by_client)),
            None,
            "{said:?}"
        );
    }
}

#[test]
fn noise_is_no_protocol() {
    // A generator of Marsaglia's, so that the noise is the same each time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let mut fitting = 0;
    for _ in 0..10_000 {
        let bytes: Vec<u8> = (0..192).map(|_| noise()).collect();
        for by_client in [true, false] {
            let opening = opening(&bytes, by_client);
            assert_eq!(Protocol::recognise(opening), None, "{bytes:?}");
            fitting += u32::from(Protocol::Tls.fits(opening));
        }
    }
    assert!(fitting < 100, "{fitting} of 20,000 fit TLS");
}

#[test]
fn openings_may_end_anywhere() {
    for &(_, by_client, bytes) in OPENINGS {
        for end in 0..bytes.len() {
            let cut = Opening {
                bytes: &bytes[..end],
                length: bytes.len(),
                by_client,
            };
            Protocol::recognise(cut);
            let fits = Protocol::ALL.iter().filter(|it| it.fits(cut)).count();
            assert!(end > 0 || fits == 0, "nothing fits nothing");
        }
    }
}
