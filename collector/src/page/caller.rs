//! Who asks, and signing in and out: a subscriber's token against a cookie.

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{COOKIE, SET_COOKIE},
    },
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::{
    answer::{Refused, found},
    ask,
    shared::Shared,
};
use crate::access::{self, Caller};

/// A browser takes it over TLS only, and sends it to nobody else (RFC 6265bis, section 4.1.3).
const COOKIE_NAME: &str = "__Host-picket";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";
/// As long as a pass goes on.
const AGE: u64 = 12 * 60 * 60;

#[derive(Serialize)]
struct Shown<'a> {
    principal: &'a str,
    namespaces: Namespaces<'a>,
    signed_in: bool,
    sign_in_needed: bool,
    version: &'static str,
    log: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Namespaces<'a> {
    All(&'static str),
    Some(&'a [String]),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    token: String,
}

/// The pass that a request shows.
pub(super) fn pass(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then(|| value.to_owned())
    })
}

/// Who is signed in, and what that one sees; who is not sees nothing.
pub(super) async fn show(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
) -> Response {
    let sign_in_needed = !caller.is_trusted();
    let scope = access::scope(&ask::request((), caller)).ok();
    let namespaces = match scope.as_ref().map(|it| it.namespaces()) {
        Some(None) => Namespaces::All("all"),
        Some(Some(some)) => Namespaces::Some(some),
        None => Namespaces::Some(&[]),
    };
    found(&Shown {
        principal: scope.as_ref().map_or("", |it| it.principal()),
        namespaces,
        signed_in: scope.is_some(),
        sign_in_needed,
        version: env!("CARGO_PKG_VERSION"),
        log: shared.services.log.store.id().to_string(),
    })
}

/// Takes a token and gives a cookie.
pub(super) async fn sign_in(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Refused> {
    if !caller.is_encrypted() {
        return Err(Status::failed_precondition(
            "nobody signs in here: without TLS whoever reaches the collector may do everything",
        )
        .into());
    }
    let SignIn { token } = ask::body(&body)?;
    let pass = shared.services.access.sign_in(token.trim())?;
    let cookie = format!("{COOKIE_NAME}={pass}; Max-Age={AGE}; {ATTRIBUTES}");
    set(&cookie)
}

/// Takes the cookie back.
pub(super) async fn sign_out() -> Result<Response, Refused> {
    set(&format!("{COOKIE_NAME}=; Max-Age=0; {ATTRIBUTES}"))
}

fn set(cookie: &str) -> Result<Response, Refused> {
    let cookie = HeaderValue::from_str(cookie);
    let cookie = cookie.map_err(|_| Status::internal("the pass makes no cookie"))?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pass_is_found_among_other_cookies() {
        for (cookies, expected) in [
            ("a=b; __Host-picket=x.1.f; c=d", Some("x.1.f")),
            ("__Host-picket=", Some("")),
            ("picket=x; xx__Host-picket=y", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, HeaderValue::from_static(cookies));
            assert_eq!(pass(&headers).as_deref(), expected, "{cookies}");
        }
    }
}
