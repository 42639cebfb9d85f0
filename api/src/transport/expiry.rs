//! Until when a certificate is valid.

use std::{path::Path, time::SystemTime};

use super::secret::{Kind, Secret, SecretError};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version of a certificate, which the oldest do not say.
const VERSION: u8 = 0xa0;

/// Until when the first certificate of a PEM file is valid.
///
/// # Errors
/// When the file cannot be read, or holds none.
pub fn valid_until(path: &Path) -> Result<SystemTime, SecretError> {
    let secret = Secret::read(Kind::Certificate, path)?;
    let certificates = secret.certificates()?;
    let until = certificates.first().and_then(|it| not_after(it));
    until.ok_or_else(|| secret.nonsense("it does not say until when it is valid"))
}

/// RFC 5280, section 4.1: TBSCertificate begins with version, serial number, algorithm, issuer and validity.
fn not_after(certificate: &[u8]) -> Option<SystemTime> {
    let (mut rest, _) = inner(certificate, SEQUENCE)?;
    (rest, _) = inner(rest, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = skip(rest)?;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        rest = skip(rest)?;
    }
    let (validity, _) = inner(rest, SEQUENCE)?;
    time(skip(validity)?)
}

/// RFC 5280, section 4.1.2.5: to the second, in UTC; two digits of a year from 50 on are of 19xx.
fn time(element: &[u8]) -> Option<SystemTime> {
    let text = |tag| {
        let (bytes, _) = inner(element, tag)?;
        Some(
            std::str::from_utf8(bytes)
                .ok()?
                .strip_suffix('Z')?
                .to_owned(),
        )
    };
    let text = text(GENERALIZED_TIME).or_else(|| {
        let text = text(UTC_TIME)?;
        let century = if text.as_str() < "50" { "20" } else { "19" };
        Some(format!("{century}{text}"))
    })?;
    let part = |from: usize, to: usize| text.get(from..to);
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    humantime::parse_rfc3339(&rfc3339).ok()
}

/// The content of the element that comes first, when it is of this kind, and what follows it.
fn inner(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let add = |sum: usize, byte: &u8| Some(sum.checked_mul(256)? + usize::from(*byte));
            (bytes.iter().try_fold(0, add)?, rest)
        }
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

fn skip(der: &[u8]) -> Option<&[u8]> {
    inner(der, *der.first()?).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_of_both_kinds_are_read() {
        let element = |tag, text: &str| [&[tag, text.len() as u8], text.as_bytes()].concat();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (tag, text, expected) in [
            (UTC_TIME, "270115080000Z", Some(at(1_800_000_000))),
            (GENERALIZED_TIME, "20270115080000Z", Some(at(1_800_000_000))),
            (UTC_TIME, "700101000001Z", Some(at(1))),
            (UTC_TIME, "270115080000", None),
            (0x0c, "270115080000Z", None),
            (UTC_TIME, "", None),
        ] {
            assert_eq!(time(&element(tag, text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_is_no_certificate() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x82],
            &[0x30, 3, 0x30, 9, 1],
            &[0x30, 0xff],
        ] {
            assert_eq!(not_after(der), None);
        }
    }
}
