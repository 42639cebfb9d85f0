//! Embeds the compiled programs, or says which command makes them.

use std::{env, fs, path::PathBuf};

const OBJECT: &str = "bpf/picket-programs.o";

fn main() {
    let object = target_directory().join(OBJECT);
    println!("cargo::rerun-if-changed={}", object.display());
    println!("cargo::rerun-if-env-changed=PICKET_PROGRAMS");
    let object = env::var_os("PICKET_PROGRAMS").map_or(object, PathBuf::from);
    let embedded = out_directory().join("picket-programs.o");
    if let Err(error) = fs::copy(&object, &embedded) {
        println!(
            "cargo::error=cannot embed the BPF programs from {}: {error}; \
             run `cargo xtask build-ebpf` first, or name another object in PICKET_PROGRAMS",
            object.display()
        );
    }
}

fn out_directory() -> PathBuf {
    PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default())
}

/// `OUT_DIR` is `<target>/[<triple>/]<profile>/build/<package>/out`; tags mark the target directory, and
/// below it the triple's.
fn target_directory() -> PathBuf {
    let triple = env::var_os("TARGET");
    let out = out_directory();
    out.ancestors()
        .filter(|directory| directory.file_name() != triple.as_deref())
        .find(|directory| directory.join("CACHEDIR.TAG").exists())
        .map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
