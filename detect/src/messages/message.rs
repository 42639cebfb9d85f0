//! Reads a DNS message, of which there may be only the beginning.

use domain::{
    base::{
        Message as Wire, ParsedName, Question, RecordHeader, Rtype,
        iana::{Opcode, Rcode},
        name::Label,
        wire::ParseError,
    },
    dep::octseq::Parser,
};

use super::name::Name;

/// Bytes of a message's header; it needs no more when it tells an error.
const HEADER_BYTES: usize = 12;

/// Of a question that is cut before its type; no record has it.
const NO_TYPE: Rtype = Rtype::from_int(0);

/// What a payload says.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// What is asked or answered, when that could be read.
    pub(super) message: Option<Message>,
    /// Whether no DNS message looks so, however it goes on.
    pub(super) is_malformed: bool,
}

/// A message that asks for one name, or answers one that did.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) name: Name,
    /// What is asked for; 0 when the name is cut.
    pub(crate) rtype: Rtype,
    /// What came of it, in an answer.
    pub(crate) answer: Option<Answer>,
    /// Whether somebody with a key vouches for it.
    pub(crate) is_signed: bool,
}

/// What an answer says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) rcode: Rcode,
    /// Records that answer.
    pub(crate) records: u16,
    /// Whether the zone that denies the name is its registered domain or below: the domain exists.
    pub(crate) is_denied_within: bool,
}

impl Reading {
    const MALFORMED: Self = Self {
        message: None,
        is_malformed: true,
    };
    const UNKNOWN: Self = Self {
        message: None,
        is_malformed: false,
    };

    const fn wrong(is_malformed: bool) -> Self {
        if is_malformed {
            Self::MALFORMED
        } else {
            Self::UNKNOWN
        }
    }
}

/// Reads the first bytes of a datagram that has `bytes` of them.
pub(super) fn datagram(payload: &[u8], bytes: usize) -> Reading {
    let is_cut = payload.len() < bytes;
    let Ok(wire) = Wire::from_slice(payload) else {
        return Reading::wrong(!is_cut);
    };
    let (header, counts) = (wire.header(), wire.header_counts());
    let known = [
        Opcode::QUERY,
        Opcode::IQUERY,
        Opcode::STATUS,
        Opcode::NOTIFY,
        Opcode::UPDATE,
    ];
    let records = [counts.ancount(), counts.nscount(), counts.arcount()];
    let counts_nothing = counts.qdcount() == 0 && records == [0; 3];
    if header.opcode() == Opcode::DSO {
        // RFC 8490, section 5.4: it counts nothing, and its data is no record.
        return Reading::wrong(!counts_nothing);
    }
    if !known.contains(&header.opcode()) {
        return Reading::MALFORMED;
    }
    if header.qr() && header.rcode() != Rcode::NOERROR && bytes == HEADER_BYTES {
        return Reading::UNKNOWN;
    }
    let asks_nothing = counts_nothing && !header.qr();
    // RFC 9619: a query asks one question, or none to exchange cookies.
    let asks_several = counts.qdcount() > 1 && header.opcode() == Opcode::QUERY;
    if asks_nothing || asks_several {
        return Reading::MALFORMED;
    }

    let mut parser = Parser::from_ref(payload);
    let mut asked = None;
    let read = questions(&mut parser, counts.qdcount(), &mut asked);
    if let Err(error) = read {
        let is_malformed = !is_cut || matches!(error, ParseError::Form(_));
        let name = Some(beginning(payload)).filter(|_| !is_malformed && asked.is_none());
        let message = name.filter(|_| header.opcode() == Opcode::QUERY);
        return Reading {
            is_malformed,
            message: message.map(|name| Message {
                name,
                rtype: NO_TYPE,
                answer: header.qr().then_some(Answer {
                    rcode: header.rcode(),
                    records: counts.ancount(),
                    is_denied_within: false,
                }),
                is_signed: false,
            }),
        };
    }
    let name = asked.as_ref().map(|question| Name::new(question.qname()));
    let registered = name.as_ref().and_then(Name::registered);
    let mut rest = Rest::default();
    let read = rest.read(&mut parser, records, registered);
    let is_malformed = match read {
        Ok(()) => parser.pos() < bytes,
        Err(ParseError::ShortInput) => !is_cut,
        Err(ParseError::Form(_)) => true,
    };
    let rtype = asked.map(|question| question.qtype());
    let message = name.zip(rtype).filter(|_| header.opcode() == Opcode::QUERY);
    Reading {
        is_malformed,
        message: message.map(|(name, rtype)| Message {
            name,
            rtype,
            answer: header.qr().then_some(Answer {
                rcode: header.rcode(),
                records: counts.ancount(),
                is_denied_within: rest.is_denied_within,
            }),
            is_signed: rest.is_signed,
        }),
    }
}

/// Reads the first bytes of a TCP connection, where a length goes before each message (RFC 1035, section
/// 4.2.2), sometimes in a segment of its own.
pub(super) fn stream(payload: &[u8]) -> Reading {
    let Some((length, message)) = payload.split_first_chunk::<2>() else {
        return Reading::UNKNOWN;
    };
    let bytes = usize::from(u16::from_be_bytes(*length));
    if bytes < HEADER_BYTES {
        return Reading::MALFORMED;
    }
    datagram(message.get(..bytes).unwrap_or(message), bytes)
}

/// The name of a question that is cut, as far as it goes.
fn beginning(payload: &[u8]) -> Name {
    let mut rest = payload.get(HEADER_BYTES..).unwrap_or_default();
    let mut written = String::new();
    while let Ok((label, after)) = Label::split_from(rest)
        && !label.is_root()
    {
        rest = after;
        written += &format!("{label}.");
    }
    Name::cut(&written)
}

fn questions<'a>(
    parser: &mut Parser<'a, [u8]>,
    count: u16,
    first: &mut Option<Question<ParsedName<&'a [u8]>>>,
) -> Result<(), ParseError> {
    parser.advance(HEADER_BYTES)?;
    for _ in 0..count {
        let question = Question::parse(parser)?;
        first.get_or_insert(question);
    }
    Ok(())
}

/// What follows the question.
#[derive(Debug, Default)]
struct Rest {
    is_denied_within: bool,
    is_signed: bool,
}

impl Rest {
    fn read(
        &mut self,
        parser: &mut Parser<'_, [u8]>,
        [answers, authorities, additional]: [u16; 3],
        registered: Option<&str>,
    ) -> Result<(), ParseError> {
        let count = u32::from(answers) + u32::from(authorities) + u32::from(additional);
        for _ in 0..count {
            let record = RecordHeader::parse_ref(parser)?;
            self.is_signed |= record.rtype() == Rtype::TSIG;
            if record.rtype() == Rtype::SOA
                && let Some(registered) = registered
            {
                let zone = Name::new(record.owner());
                self.is_denied_within |= zone.registered() == Some(registered);
            }
            parser.advance(record.rdlen().into())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
