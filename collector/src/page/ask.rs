//! What is asked: bodies and queries, as messages of `picket.v1`.

use std::time::SystemTime;

use api::{names::of_word, quarantine::Allowed, v1};
use serde::de::DeserializeOwned;
use tonic::{Request, Status};

use crate::access::Caller;

/// A request of the services, by this caller.
pub(super) fn request<T>(message: T, caller: Caller) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller);
    request
}

/// The body of a request.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Status> {
    let wrong = |error| Status::invalid_argument(format!("the body cannot be used: {error}"));
    serde_json::from_slice(bytes).map_err(wrong)
}

/// The pairs of a query.
pub(super) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.into_owned().collect()
}

pub(super) fn unknown(key: &str) -> Status {
    Status::invalid_argument(format!("there is no such parameter as `{key}` here"))
}

/// A list of anomalies.
pub(super) fn anomalies(query: Option<&str>) -> Result<v1::ListAnomaliesRequest, Status> {
    let mut request = v1::ListAnomaliesRequest::default();
    let mut filter = v1::AnomalyFilter::default();
    for (key, value) in pairs(query) {
        match &key[..] {
            "namespace" => filter.namespaces.push(value),
            "pod" => filter.pods.push(value),
            "node" => filter.nodes.push(value),
            "detector" => filter.detectors.push(value),
            "assignee" => filter.assignees.push(value),
            "severity" => filter
                .severities
                .push(word(&key, &value, "SEVERITY_", v1::Severity::from_str_name)?.into()),
            "state" => filter.states.push(
                word(
                    &key,
                    &value,
                    "ANOMALY_STATE_",
                    v1::AnomalyState::from_str_name,
                )?
                .into(),
            ),
            "triage" => filter.triage.push(
                word(
                    &key,
                    &value,
                    "TRIAGE_STATE_",
                    v1::TriageState::from_str_name,
                )?
                .into(),
            ),
            "text" => filter.text = value,
            "since" => filter.since = Some(time(&key, &value)?),
            "until" => filter.until = Some(time(&key, &value)?),
            "shadow" => filter.include_shadow = flag(&key, &value)?,
            "correlated" => filter.exclude_correlated = !flag(&key, &value)?,
            "offset" => request.offset = number(&key, &value)?,
            "limit" => request.page_size = number(&key, &value)?,
            _ => return Err(unknown(&key)),
        }
    }
    request.filter = Some(filter);
    Ok(request)
}

/// A graph.
pub(super) fn graph(query: Option<&str>) -> Result<v1::GetGraphRequest, Status> {
    let mut request = v1::GetGraphRequest::default();
    for (key, value) in pairs(query) {
        match &key[..] {
            "namespace" => request.namespaces.push(value),
            "detail" => {
                let detail = word(&key, &value, "DETAIL_", v1::Detail::from_str_name)?;
                request.detail = detail.into();
            }
            _ => return Err(unknown(&key)),
        }
    }
    Ok(request)
}

/// What a pod in quarantine may do.
pub(super) fn allowed(query: Option<&str>) -> Result<Allowed, Status> {
    let (mut dns, mut from, mut to) = (false, Vec::new(), Vec::new());
    for (key, value) in pairs(query) {
        match &key[..] {
            "allow_dns" => dns = flag(&key, &value)?,
            "allow_from" => from.push(value),
            "allow_to" => to.push(value),
            _ => return Err(unknown(&key)),
        }
    }
    let allowed = Allowed::new(dns, from, to);
    allowed.map_err(|refusal| Status::invalid_argument(refusal.to_string()))
}

/// A value of an enumeration, by its word.
pub(super) fn word<T>(
    key: &str,
    value: &str,
    prefix: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Status> {
    let found = of_word(prefix, value, read);
    found.ok_or_else(|| wrong(key, value, "one of its words"))
}

pub(super) fn flag(key: &str, value: &str) -> Result<bool, Status> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(wrong(key, value, "1 or 0")),
    }
}

fn number(key: &str, value: &str) -> Result<u32, Status> {
    let number = value.parse();
    number.map_err(|_| wrong(key, value, "a whole number"))
}

fn time(key: &str, value: &str) -> Result<v1::Timestamp, Status> {
    let time: Result<SystemTime, _> = humantime::parse_rfc3339_weak(value);
    let time = time.map_err(|_| wrong(key, value, "a time such as 2027-01-31T12:00:00Z"))?;
    Ok(time.into())
}

fn wrong(key: &str, value: &str, takes: &str) -> Status {
    let shown: String = value.chars().take(64).collect();
    Status::invalid_argument(format!("{key} = `{shown}`: it takes {takes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_a_filter() {
        let query = "namespace=blue&namespace=r%65d&severity=high&state=open&triage=new&text=a%20b\
            &since=2027-01-15T08:00:00Z&shadow=1&correlated=0&offset=10&limit=5";
        let request = anomalies(Some(query)).unwrap();
        let filter = request.filter.unwrap();
        assert_eq!(filter.namespaces, ["blue", "red"]);
        assert_eq!(filter.severities, [i32::from(v1::Severity::High)]);
        assert_eq!(filter.states, [i32::from(v1::AnomalyState::Open)]);
        assert_eq!(
            (&filter.text[..], filter.since.unwrap().seconds),
            ("a b", 1_800_000_000)
        );
        assert!(filter.include_shadow && filter.exclude_correlated);
        assert_eq!((request.offset, request.page_size), (10, 5));
        assert_eq!(anomalies(None).unwrap().page_size, 0);
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_name() {
        for (query, expected) in [
            ("sverity=high", "`sverity`"),
            ("severity=HIGH", "severity = `HIGH`"),
            ("severity=", "severity = ``"),
            ("since=yesterday", "since = `yesterday`"),
            ("limit=-1", "limit = `-1`"),
            ("shadow=maybe", "shadow = `maybe`"),
        ] {
            let said = anomalies(Some(query)).unwrap_err();
            assert!(said.message().contains(expected), "{said}");
        }
        assert!(graph(Some("detail=galaxies")).is_err());
        assert!(allowed(Some("allow_to=a%0Ab")).is_err());
    }
}
