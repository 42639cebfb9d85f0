//! Embeds the compiled programs, or says which command makes them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Where `cargo xtask build-ebpf` puts the object, below the target directory.
const OBJECT: &str = "bpf/picket-programs.o";

fn main() {
    let out = env::var_os("OUT_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let object = env::var_os("PICKET_PROGRAMS").map_or_else(|| built(&out), PathBuf::from);
    println!("cargo::rerun-if-changed={}", object.display());
    println!("cargo::rerun-if-env-changed=PICKET_PROGRAMS");
    if let Err(error) = fs::copy(&object, out.join("picket-programs.o")) {
        println!(
            "cargo::error=cannot embed the BPF programs from {}: {error}; \
             run `cargo xtask build-ebpf` first, or name another object in PICKET_PROGRAMS",
            object.display()
        );
    }
}

/// The object in the target directory, which is some way above `out`, whatever the profile and triple.
fn built(out: &Path) -> PathBuf {
    let places = out.ancestors().map(|directory| directory.join(OBJECT));
    let mut there = places.filter(|object| object.exists());
    there
        .next()
        .unwrap_or_else(|| Path::new("target").join(OBJECT))
}
