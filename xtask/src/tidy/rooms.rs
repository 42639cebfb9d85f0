//! The import table: who may import whom, and what a room must never name.

/// A package of the workspace.
pub(super) struct Room {
    pub(super) name: &'static str,
    /// Other rooms.
    pub(super) may_import: &'static [&'static str],
    /// Crates and paths.
    pub(super) never: &'static [&'static str],
}

/// A crate that only some places may name.
pub(super) struct Reserved {
    pub(super) crates: &'static [&'static str],
    /// Prefixes of paths of files.
    pub(super) places: &'static [&'static str],
}

pub(super) const ROOMS: [Room; 9] = [
    Room {
        name: "agent-common",
        may_import: &[],
        never: &["alloc", "serde", "std"],
    },
    Room {
        name: "agent-ebpf",
        may_import: &["agent-common"],
        never: &["alloc"],
    },
    Room {
        name: "detect",
        may_import: &[],
        never: &[
            "tokio",
            "tracing",
            "tonic",
            "std::env",
            "std::fs",
            "std::io",
            "std::net::TcpListener",
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::process",
            "std::sync::mpsc",
            "std::thread",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    },
    Room {
        name: "api",
        may_import: &["detect"],
        never: &[],
    },
    Room {
        name: "agent",
        may_import: &["agent-common", "api", "detect"],
        never: &[],
    },
    Room {
        name: "collector",
        may_import: &["api", "detect"],
        never: &[],
    },
    Room {
        name: "cli",
        may_import: &["api"],
        never: &[],
    },
    Room {
        name: "tests",
        may_import: &["agent", "agent-common", "api", "cli", "collector", "detect"],
        never: &[],
    },
    Room {
        name: "xtask",
        may_import: &[],
        never: &[],
    },
];

pub(super) const RESERVED: [Reserved; 4] = [
    Reserved {
        crates: &["aya", "aya_log", "aya_obj"],
        places: &["agent/src/datapath", "tests/"],
    },
    Reserved {
        crates: &["aya_ebpf", "aya_log_ebpf"],
        places: &["agent-ebpf/"],
    },
    Reserved {
        crates: &["prost_types", "protox", "tonic_prost_build"],
        places: &["api/"],
    },
    // The lab also plays those who get the wire format wrong, or write it without what it costs. OTLP is another one's.
    Reserved {
        crates: &["prost", "tonic_prost"],
        places: &["api/", "collector/src/outputs/otlp", "tests/"],
    },
];

/// What may lie at the top, beside the rooms and the dotfiles of tools.
pub(super) const TOP: [&str; 4] = ["Cargo.lock", "Cargo.toml", "README.md", "deploy"];
