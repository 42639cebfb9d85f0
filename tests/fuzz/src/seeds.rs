//! Packets to begin with: what the differential test runs through the programs.

use std::{env, fs, path::Path};

use crate::generate::Generator;

/// The folder that they are written to; it is the corpus that the fuzzer reads next.
const FOLDER: &str = "PICKET_SEEDS";
const COUNT: usize = 4000;

/// Writes them, if there is a folder for them.
pub(crate) fn plant() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    for (index, generated) in Generator::new(1).take(COUNT).enumerate() {
        // All in one piece.
        let seed = [&u16::MAX.to_le_bytes()[..], &generated.frame].concat();
        let place = Path::new(&folder).join(format!("seed-{index}"));
        fs::write(&place, seed).unwrap_or_else(|error| panic!("cannot write {place:?}: {error}"));
    }
}
