//! What the reader could not keep up with.

use prometheus_client::{metrics::counter::Counter, registry::Registry};

/// What the reader could not keep up with.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Times the kernel dropped notifications (ENOBUFS), each followed by a full dump.
    pub(crate) overruns: Counter,
    /// Full dumps that were compared.
    pub(crate) dumps: Counter,
    /// Messages that could not be parsed.
    pub(crate) unparsed: Counter,
    /// Addresses beyond what an interface may have.
    pub(crate) addresses_dropped: Counter,
    /// Times the addresses in a pod's network namespace could not be read.
    pub(crate) unread: Counter,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "netlink_overruns",
            "Times the kernel dropped notifications of links, routes or neighbours",
            metrics.overruns.clone(),
        );
        registry.register(
            "netlink_dumps",
            "Full dumps of links, routes and neighbours that were compared",
            metrics.dumps.clone(),
        );
        registry.register(
            "unparsed_netlink_messages",
            "Messages about links, routes and neighbours that could not be parsed",
            metrics.unparsed.clone(),
        );
        registry.register(
            "dropped_interface_addresses",
            "Addresses behind an interface beyond the 64 that are kept",
            metrics.addresses_dropped.clone(),
        );
        registry.register(
            "unread_pod_addresses",
            "Times the addresses in a pod's network namespace could not be read, though it was there",
            metrics.unread.clone(),
        );
        metrics
    }
}
