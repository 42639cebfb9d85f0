//! Who may ask at all: no other page through somebody's browser, by whatever name it reaches us.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{
            AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tonic::Status;

use super::{accept::Client, answer::Refused, caller, shared::Shared};

const API: &str = "/api/";
/// No other page can send it without being asked first (Fetch, section 3.3).
const OURS: &str = "x-picket";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Lets pass what may ask, as whoever it is.
pub(super) async fn guard(
    State(shared): State<Shared>,
    ConnectInfo(Client(peer)): ConnectInfo<Client>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let header = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let access = &shared.services.access;
    let pass = caller::pass(headers);
    let caller = access.caller(peer, header(AUTHORIZATION), pass.as_deref());
    let host = host(&request);
    let allowed = caller.and_then(|caller| {
        if !caller.is_encrypted() {
            named_by_address(host.as_ref())?;
        }
        let is_api = request.uri().path().starts_with(API);
        if is_api {
            same_page(request.method(), headers, host.as_ref())?;
        }
        Ok(caller)
    });
    let mut response = match allowed {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(status) => Refused(status).into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Over HTTP/2 it is part of the address.
fn host(request: &Request) -> Option<Authority> {
    let header = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    let named = header.and_then(|it| it.parse().ok());
    named.or_else(|| request.uri().authority().cloned())
}

/// Where nobody signs in, a name that somebody else gives to our address lets his page ask us. Over an address
/// there is no such name.
fn named_by_address(host: Option<&Authority>) -> Result<(), Status> {
    let name = host.map_or("", Authority::host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let local = name == "localhost" || name.ends_with(".localhost");
    if local || bare.parse::<IpAddr>().is_ok() || name.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    Err(Status::permission_denied(
        "without TLS the page is served by address only, so that no other page can reach it by a name of its own: open http://127.0.0.1:PORT or http://localhost:PORT",
    ))
}

fn same_page(method: &Method, headers: &HeaderMap, host: Option<&Authority>) -> Result<(), Status> {
    let header = |name: &HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
    let foreign = || {
        Err(Status::permission_denied(
            "only the collector's own page may ask this",
        ))
    };
    if header(&HeaderName::from_static("sec-fetch-site")) == Some("cross-site") {
        return foreign();
    }
    if let Some(origin) = header(&ORIGIN) {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        let authority = authority.and_then(|it| it.parse::<Authority>().ok());
        if authority.is_none() || authority.as_ref() != host {
            return foreign();
        }
    }
    if method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    if header(&HeaderName::from_static(OURS)) != Some("1") {
        return Err(Status::permission_denied(
            "the request needs a header `X-Picket: 1`, which no other page can send",
        ));
    }
    let kind = header(&CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if method != Method::DELETE && !kind.eq_ignore_ascii_case("application/json") {
        return Err(Status::invalid_argument(
            "the request needs `Content-Type: application/json`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_anybody_may_give_is_refused_where_nobody_signs_in() {
        for (host, allowed) in [
            ("127.0.0.1:7405", true),
            ("[::1]:7405", true),
            ("localhost:7405", true),
            ("picket.localhost", true),
            ("evil.example:7405", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
        ] {
            let host: Authority = host.parse().unwrap();
            assert_eq!(named_by_address(Some(&host)).is_ok(), allowed, "{host}");
        }
        assert!(named_by_address(None).is_err());
    }

    #[test]
    fn another_page_can_ask_nothing() {
        let host: Authority = "127.0.0.1:7405".parse().unwrap();
        let ours = [
            ("origin", "http://127.0.0.1:7405"),
            ("x-picket", "1"),
            ("content-type", "application/json"),
        ];
        let without = |name: &str| {
            ours.into_iter()
                .filter(|it| it.0 != name)
                .collect::<Vec<_>>()
        };
        for (method, headers, allowed) in [
            (Method::POST, ours.to_vec(), true),
            (Method::POST, without("origin"), true),
            (Method::POST, without("x-picket"), false),
            (Method::POST, without("content-type"), false),
            (Method::DELETE, without("content-type"), true),
            (
                Method::POST,
                [&ours[1..], &[("origin", "http://evil.example")]].concat(),
                false,
            ),
            (
                Method::POST,
                [&ours[1..], &[("origin", "http://127.0.0.1:8080")]].concat(),
                false,
            ),
            (
                Method::POST,
                [&ours[1..], &[("origin", "null")]].concat(),
                false,
            ),
            (Method::GET, vec![], true),
            (Method::GET, vec![("sec-fetch-site", "cross-site")], false),
            (Method::GET, vec![("sec-fetch-site", "same-origin")], true),
        ] {
            let pairs = headers.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            let map: HeaderMap = pairs.collect();
            let said = same_page(&method, &map, Some(&host));
            assert_eq!(said.is_ok(), allowed, "{method} {headers:?}");
        }
    }
}
