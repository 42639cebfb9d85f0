//! When to try again: the delay that goes with a refusal for want of something.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `RESOURCE_EXHAUSTED` that asks the client to stay away for `delay` (`google.rpc.RetryInfo`).
#[must_use]
pub fn after(delay: Duration, message: impl Into<String>) -> Status {
    let details = ErrorDetails::with_retry_info(Some(delay));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// How long the server asks to stay away; none when it does not say.
#[must_use]
pub fn delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_crosses_the_wire() {
        let delayed = after(Duration::from_millis(1500), "the disk is full");
        assert_eq!(delay(&delayed), Some(Duration::from_millis(1500)));
        assert_eq!(delayed.code(), Code::ResourceExhausted);
        assert_eq!(delay(&Status::resource_exhausted("no details")), None);
    }
}
