//! The messages of the wire as JSON: under stable names, with enumerations as words and times as RFC 3339 has them.

/// Declares a form: its fields in their order, and what each is of the message.
macro_rules! form {
    ($(#[$doc:meta])* $visible:vis $name:ident of $message:ident as $it:ident {
        $($field:ident: $kind:ty = $value:expr,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize)]
        $visible struct $name<'a> { $($field: $kind,)+ }

        impl<'a> $name<'a> {
            /// The form of a message.
            #[must_use]
            $visible fn new($it: &'a crate::v1::$message) -> Self {
                Self { $($field: $value,)+ }
            }
        }
    };
}

mod actions;
mod anomalies;
mod canary;
mod containment;
mod detectors;
mod event;
mod finding;
mod gap;
mod graph;
mod node;
mod pod;
mod policy;
mod quarantine;

pub use self::{
    actions::{Containments, Described, Edge, Outcome},
    anomalies::{Anomalies, Anomaly, Details},
    canary::Canary,
    containment::Containment,
    detectors::{Detectors, Preview, Set},
    event::Event,
    finding::Finding,
    gap::Gap,
    graph::Graph,
    node::{Node, Nodes},
    policy::Policy,
    quarantine::Quarantine,
};
