//! The committed generated code is what the `.proto` files say.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const FILES: [&str; 7] = [
    "picket/v1/actions.proto",
    "picket/v1/anomalies.proto",
    "picket/v1/detectors.proto",
    "picket/v1/events.proto",
    "picket/v1/graph.proto",
    "picket/v1/ingest.proto",
    "picket/v1/nodes.proto",
];
const OUTPUTS: [&str; 2] = ["picket.v1.rs", "descriptors.bin"];

#[test]
fn committed_code_is_current() -> Result<(), Box<dyn Error>> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir()?;
    let descriptors = protox::compile(FILES, [room.join("proto")])?;
    fs::write(
        fresh.path().join("descriptors.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .btree_map(".")
        .out_dir(fresh.path())
        .compile_fds(descriptors)?;

    for name in OUTPUTS {
        let committed = room.join("src/generated").join(name);
        let fresh = fs::read(fresh.path().join(name))?;
        if env::var_os("UPDATE").is_some() {
            fs::write(&committed, &fresh)?;
        }
        assert!(
            fs::read(&committed).is_ok_and(|old| old == fresh),
            "{name} is stale: run `UPDATE=1 cargo test -p api --test generated`"
        );
    }
    Ok(())
}
