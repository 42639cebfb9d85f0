//! What is read of messages, whole and cut, well-formed and not.

use super::*;

/// A message with these header words after the id, and what follows.
fn message(header: [u16; 5], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34];
    bytes.extend(header.into_iter().flat_map(u16::to_be_bytes));
    bytes.extend(rest.concat());
    bytes
}

const WWW: &[u8] = b"\x03wWw\x07Example\x03com\0\0\x01\0\x01";
const NO_NAME: &[u8] = b"\0\0\x01\0\x01";
/// An OPT record, as most queries carry one.
const OPT: &[u8] = b"\0\0\x29\x10\0\0\0\0\0\0\0";
/// A start of authority at `example.com`, by a pointer to the question.
const SOA: &[u8] = b"\xc0\x10\0\x06\0\x01\0\0\0\x1e\0\x02\xc0\x10";
/// One at `com`.
const SOA_OF_COM: &[u8] = b"\xc0\x18\0\x06\0\x01\0\0\0\x1e\0\x02\xc0\x18";
const TSIG: &[u8] = b"\0\0\xfa\0\xff\0\0\0\0\0\0";

fn whole(payload: &[u8]) -> Reading {
    datagram(payload, payload.len())
}

#[test]
fn a_query_and_its_answers_are_read() {
    let query = whole(&message([0x0100, 1, 0, 0, 1], &[WWW, OPT]));
    assert!(!query.is_malformed);
    let query = query.message.unwrap();
    assert_eq!(
        (query.name.text(), query.rtype),
        ("www.example.com", Rtype::A)
    );
    assert!(query.answer.is_none() && !query.is_signed);
    let signed = whole(&message([0x0100, 1, 0, 0, 1], &[WWW, TSIG]));
    assert!(signed.message.unwrap().is_signed);

    for (soa, within) in [(SOA, true), (SOA_OF_COM, false)] {
        let denial = whole(&message([0x8183, 1, 0, 1, 0], &[WWW, soa]));
        assert!(!denial.is_malformed);
        let answer = denial.message.unwrap().answer.unwrap();
        assert_eq!((answer.rcode, answer.records), (Rcode::NXDOMAIN, 0));
        assert_eq!(answer.is_denied_within, within);
    }
}

#[test]
fn what_is_no_message_is_malformed() {
    let long = [&[63_u8; 64][..]; 4].concat();
    for (what, payload) in [
        ("no header", b"hello".to_vec()),
        ("nothing asked", message([0x0100, 0, 0, 0, 0], &[])),
        ("nine questions", message([0x0100, 9, 0, 0, 0], &[WWW])),
        ("two questions", message([0x0100, 2, 0, 0, 0], &[WWW, WWW])),
        ("no question", message([0x0100, 1, 0, 0, 0], &[])),
        (
            "half a question",
            message([0x0100, 1, 0, 0, 0], &[&WWW[..9]]),
        ),
        ("no record", message([0x0100, 1, 0, 0, 1], &[WWW])),
        (
            "a pointer to itself",
            message([0x0100, 1, 0, 0, 0], &[b"\xc0\x0c\0\x01\0\x01"]),
        ),
        (
            "a pointer forwards",
            message([0x0100, 1, 0, 0, 0], &[b"\xc0\x80\0\x01\0\x01"]),
        ),
        (
            "a reserved label",
            message([0x0100, 1, 0, 0, 0], &[b"\x80a\0\0\x01\0\x01"]),
        ),
        (
            "a name too long",
            message([0x0100, 1, 0, 0, 0], &[&long, b"\0\0\x01\0\x01"]),
        ),
        (
            "an opcode there is not",
            message([0x3900, 1, 0, 0, 0], &[WWW]),
        ),
        (
            "something behind it",
            message([0x0100, 1, 0, 0, 0], &[WWW, b"hidden"]),
        ),
        ("text", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
    ] {
        assert!(whole(&payload).is_malformed, "{what}");
    }
    let hidden = message([0x0100, 1, 0, 0, 0], &[WWW]);
    assert!(datagram(&hidden, 300).message.is_some());
    assert!(
        datagram(&hidden, 300).is_malformed,
        "more bytes behind the last record"
    );
}

#[test]
fn unusual_messages_are_not_malformed() {
    for (what, payload) in [
        ("the root", message([0x0100, 1, 0, 0, 0], &[NO_NAME])),
        ("a cookie alone", message([0x0100, 0, 0, 0, 1], &[OPT])),
        (
            "an error without its question",
            message([0x8182, 1, 0, 0, 0], &[]),
        ),
        (
            "a stateful operation",
            message([0x3000, 0, 0, 0, 0], &[b"\0\x01\0\x02ab"]),
        ),
        ("an update", message([0x2800, 1, 0, 0, 0], &[WWW])),
    ] {
        assert!(!whole(&payload).is_malformed, "{what}");
    }
}

#[test]
fn a_message_that_is_cut_is_read_as_far_as_it_goes() {
    let payload = message([0x8183, 1, 0, 1, 1], &[WWW, SOA, OPT]);
    let question = HEADER_BYTES + WWW.len();
    for length in 0..payload.len() {
        let reading = datagram(&payload[..length], payload.len());
        assert!(!reading.is_malformed, "{length} bytes");
        let name = reading.message.map(|message| message.name);
        let expected = match length {
            ..HEADER_BYTES => None,
            _ if length >= question => Some(("www.example.com", false)),
            _ if length >= HEADER_BYTES + 16 => Some(("www.example.com.", true)),
            _ if length >= HEADER_BYTES + 12 => Some(("www.example.", true)),
            _ if length >= HEADER_BYTES + 4 => Some(("www.", true)),
            _ => Some(("", true)),
        };
        let name = name.as_ref().map(|it| (it.text(), it.is_cut()));
        assert_eq!(name, expected, "{length} bytes");
    }
}

#[test]
fn a_stream_tells_the_length_first() {
    let payload = message([0x0100, 1, 0, 0, 1], &[WWW, OPT]);
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    for (what, bytes, read, malformed) in [
        ("a message", [&length[..], &payload].concat(), true, false),
        (
            "two messages",
            [&length[..], &payload, &length, &payload].concat(),
            true,
            false,
        ),
        ("the length alone", length.to_vec(), false, false),
        ("a byte", vec![0], false, false),
        (
            "its beginning",
            [&length[..], &payload[..20]].concat(),
            true,
            false,
        ),
        ("a length of nothing", vec![0, 1, 2, 3], false, true),
        ("SSH", b"SSH-2.0-OpenSSH_9.7\r\n".to_vec(), false, true),
        (
            "TLS",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03abcdefgh".to_vec(),
            false,
            true,
        ),
    ] {
        let reading = stream(&bytes);
        assert_eq!(reading.message.is_some(), read, "{what}");
        assert_eq!(reading.is_malformed, malformed, "{what}");
    }
}

/// A small generator, the same each time.
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn no_bytes_make_it_panic() {
    let seeds = [
        message([0x0100, 1, 0, 0, 1], &[WWW, OPT]),
        message([0x8183, 1, 0, 1, 1], &[WWW, SOA, OPT]),
        message([0x8180, 1, 2, 0, 0], &[WWW, SOA, SOA_OF_COM]),
        message([0x0100, 1, 0, 0, 1], &[WWW, TSIG]),
        vec![0xc0; 192],
    ];
    let (mut state, mut read, mut malformed) = (7, 0, 0);
    for round in 0..200_000 {
        let mut payload = seeds[round % seeds.len()].clone();
        for _ in 0..=next(&mut state) % 6 {
            let at = next(&mut state) % payload.len();
            payload[at] = next(&mut state) as u8;
        }
        payload.truncate(next(&mut state) % (payload.len() + 1));
        let bytes = payload.len() + [0, 0, 1, 1000][next(&mut state) % 4];
        let reading = datagram(&payload, bytes);
        read += u32::from(reading.message.is_some());
        malformed += u32::from(reading.is_malformed);
        if let Some(message) = reading.message {
            assert!(message.name.text().len() <= 4 * 255);
            let _ = (
                message.name.below(),
                message.name.service(),
                message.name.key(),
            );
        }
        stream(&payload);
    }
    assert!(
        read > 10_000 && malformed > 10_000,
        "{read} and {malformed} say little"
    );
}
