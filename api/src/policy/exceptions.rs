//! `exceptions`: what is known and accepted, by whom, why, and until when.

use std::{net::IpAddr, time::SystemTime};

use detect::DETECTORS;
use ipnet::IpNet;

use super::{exception::Exception, selectors, time::Time, tree::Node, walk::Problems};

/// Of one document: each is counted on every node.
const MOST: usize = 100;

/// Of a name, an owner, or a reason.
const LONGEST_TEXT: usize = 200;

const KEYS: [&str; 6] = ["name", "owner", "reason", "until", "detectors", "targets"];

pub(super) fn read(time: Time, node: &Node, problems: &mut Problems) -> Vec<Exception> {
    let entries = problems.list("exceptions", node);
    if entries.len() > MOST {
        problems.add(
            node.line,
            format_args!("exceptions: {MOST} are the most there may be"),
        );
    }
    let mut exceptions: Vec<Exception> = Vec::new();
    for (index, entry) in entries.iter().enumerate().take(MOST) {
        let exception = exception(time, index, entry, problems);
        let name = &exception.name;
        if !name.is_empty() && exceptions.iter().any(|it| it.name == *name) {
            problems.add(
                entry.line,
                format_args!(
                    "exceptions[{index}].name = `{name}`: another exception has this name; give it one of its own"
                ),
            );
        }
        exceptions.push(exception);
    }
    exceptions
}

fn exception(time: Time, index: usize, entry: &Node, problems: &mut Problems) -> Exception {
    let path = format!("exceptions[{index}]");
    let mut exception = Exception::default();
    for (key, value) in problems.map(&path, entry) {
        let name = format!("{path}.{}", key.text);
        match key.text.as_str() {
            "name" => exception.name = problems.value(&name, value, short).unwrap_or_default(),
            "owner" => exception.owner = problems.value(&name, value, short).unwrap_or_default(),
            "reason" => exception.reason = problems.value(&name, value, short).unwrap_or_default(),
            "until" => {
                exception.until = problems.value(&name, value, |text| until(text, time));
            }
            "detectors" => {
                for item in problems.list(&name, value) {
                    let detector = problems.value(&name, item, detector);
                    exception.detectors.extend(detector);
                }
            }
            "targets" => {
                for item in problems.list(&name, value) {
                    let target = problems.value(&name, item, target);
                    exception.targets.extend(target);
                }
            }
            text if selectors::KEYS.contains(&text) => {
                let selector = &mut exception.selector;
                selectors::take(selector, text, &name, value, problems);
            }
            _ => {
                let known = KEYS.into_iter().chain(selectors::KEYS);
                problems.unknown(&path, key, &known.collect::<Vec<_>>());
            }
        }
    }
    let given = problems.map(&path, entry);
    for (key, what) in [
        ("name", "one word that tells it from the others"),
        ("owner", "who answers for it"),
        ("reason", "why nobody is to be told"),
    ] {
        if !given.iter().any(|(it, _)| it.text == key) {
            problems.add(
                entry.line,
                format_args!("{path} has no {key}: give it {what}"),
            );
        }
    }
    exception
}

fn short(text: &str) -> Result<String, String> {
    if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
        return Err(format!(
            "it takes one line of {LONGEST_TEXT} characters at most"
        ));
    }
    Ok(text.to_owned())
}

fn until(text: &str, time: Time) -> Result<SystemTime, String> {
    let until = humantime::parse_rfc3339(text)
        .map_err(|_| "it takes a time such as 2027-01-31T12:00:00Z".to_owned())?;
    match time {
        Time::New { now } if until <= now => Err(format!(
            "that is past, it is {} now; remove the exception, or give it a later end",
            humantime::format_rfc3339_seconds(now)
        )),
        _ => Ok(until),
    }
}

fn detector(text: &str) -> Result<String, String> {
    if DETECTORS.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "there is no such detector; there are {}",
        DETECTORS.join(", ")
    ))
}

fn target(text: &str) -> Result<IpNet, &'static str> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "it takes an IP address, or a network such as 10.0.0.0/8")
}
