//! Why a request failed, in words.

use std::{error::Error, iter};

use tonic::Status;

/// What the server said; when the connection broke, what broke it, such as an alert of TLS.
#[must_use]
pub fn cause(status: &Status) -> String {
    let mut message = match status.message() {
        "" => status.code().description().to_owned(),
        message => message.to_owned(),
    };
    let root = iter::successors(status.source(), |&error| error.source()).last();
    if let Some(root) = root.map(ToString::to_string)
        && !message.contains(&root)
    {
        message = format!("{message}: {root}");
    }
    message
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_root_of_it_is_told_once() {
        let broken = Status::from_error(Box::new(io::Error::other("alert: CertificateExpired")));
        assert_eq!(cause(&broken).matches("CertificateExpired").count(), 1);
        assert_eq!(cause(&Status::not_found("no such node")), "no such node");
        assert!(!cause(&Status::unavailable("")).is_empty());
    }
}
