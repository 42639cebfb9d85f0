//! Who has signed in to the page: told by a cookie that only who knows the subscribers can make. No replica keeps
//! it, a restart does not end it, and it ends with the subscriber's token.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ring::hmac::{HMAC_SHA256, Key, sign, verify};

use super::subscribers::{Subscriber, Subscribers};

/// After which one signs in again.
pub(super) const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

const PURPOSE: &str = "picket.v1.pass";

/// A pass of this subscriber, from now on.
pub(super) fn open(subscriber: &Subscriber, now: SystemTime) -> Option<String> {
    let ends = seconds(now)?.checked_add(LIFE.as_secs())?;
    let name = subscriber.name();
    let tag = sign(&key(subscriber)?, said(name, ends).as_bytes());
    let mut pass = format!("{name}.{ends}.");
    for byte in tag.as_ref() {
        // Into a string, which takes all.
        write!(pass, "{byte:02x}").ok();
    }
    Some(pass)
}

/// Whose pass it is, if it is one that goes on.
pub(super) fn of(
    subscribers: &Subscribers,
    pass: &str,
    now: SystemTime,
) -> Option<Arc<Subscriber>> {
    // Names may have dots.
    let (rest, tag) = pass.rsplit_once('.')?;
    let (name, ends) = rest.rsplit_once('.')?;
    let ends = ends
        .parse()
        .ok()
        .filter(|ends| seconds(now) < Some(*ends))?;
    let subscriber = subscribers.named(name)?;
    let tag = bytes(tag)?;
    verify(&key(&subscriber)?, said(name, ends).as_bytes(), &tag).ok()?;
    Some(subscriber)
}

fn key(subscriber: &Subscriber) -> Option<Key> {
    Some(Key::new(HMAC_SHA256, subscriber.token()?))
}

fn said(name: &str, ends: u64) -> String {
    format!("{PURPOSE}\0{name}\0{ends}")
}

fn seconds(at: SystemTime) -> Option<u64> {
    at.duration_since(UNIX_EPOCH).ok().map(|it| it.as_secs())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn subscribers(token: &str) -> Subscribers {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("subscribers.yaml");
        fs::write(folder.path().join("a"), token).unwrap();
        fs::write(folder.path().join("b"), "token-of-somebody-else").unwrap();
        let entry =
            |name, file| format!("- {{name: {name}, token_file: {file}, namespaces: all}}\n");
        let text = entry("anna.b", "a") + &entry("bert", "b");
        fs::write(&path, format!("subscribers:\n{text}")).unwrap();
        Subscribers::read(&path).unwrap()
    }

    #[test]
    fn a_pass_is_of_whom_the_token_was_and_ends_with_it() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let known = subscribers("a-token-of-anna-here");
        let anna = known.named("anna.b").unwrap();
        let pass = open(&anna, now).unwrap();
        let whose = |known: &Subscribers, pass: &str, now| {
            of(known, pass, now).map(|it| it.name().to_owned())
        };
        let anna = Some("anna.b".to_owned());
        assert_eq!(whose(&known, &pass, now), anna);
        assert_eq!(
            whose(&known, &pass, now + LIFE - Duration::from_secs(1)),
            anna
        );
        assert_eq!(whose(&known, &pass, now + LIFE), None, "it has ended");
        let other = subscribers("another-token-of-anna");
        assert_eq!(whose(&other, &pass, now), None, "the token is another one");
        for forged in [
            pass.replace("anna.b", "bert"),
            pass.replace("18000", "19000"),
            pass[..pass.len() - 1].to_owned(),
            pass.replace(&pass[pass.len() - 2..], "zz"),
            "anna.b.1900000000.".to_owned(),
            "..".to_owned(),
            String::new(),
            "é".repeat(32),
        ] {
            assert_eq!(whose(&known, &forged, now), None, "{forged}");
        }
    }
}
