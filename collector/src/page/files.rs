//! The page's own files, which are part of the program.

use axum::{
    http::{
        StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use include_dir::{Dir, include_dir};
use tonic::Status;

use super::answer::Refused;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web/dist");

const INDEX: &str = "index.html";
/// Each has the digest of what it holds in its name.
const NAMED_BY_CONTENT: &str = "assets/";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file, or the page itself: it knows its other addresses.
pub(super) async fn file(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        let message = format!(
            "there is nothing at {}; the page's own script asks for what there is",
            uri.path()
        );
        return Refused(Status::not_found(message)).into_response();
    }
    let (path, file) = match FILES.get_file(path) {
        Some(file) => (path, Some(file)),
        // What is named by content was there before an upgrade.
        None if path.starts_with(NAMED_BY_CONTENT) => (path, None),
        None => (INDEX, FILES.get_file(INDEX)),
    };
    let Some(file) = file else {
        return (
            StatusCode::NOT_FOUND,
            "there is no such file; load the page again\n",
        )
            .into_response();
    };
    let cached = if path.starts_with(NAMED_BY_CONTENT) {
        FOR_EVER
    } else {
        "no-cache"
    };
    let headers = [(CONTENT_TYPE, kind(path)), (CACHE_CONTROL, cached)];
    (headers, file.contents()).into_response()
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
