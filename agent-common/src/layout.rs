//! Which layout this is, for who finds maps that another version has left.

/// Changes with anything in the layouts: a hash of the files that spell them.
pub const LAYOUT: u64 = {
    let files: [&[u8]; 11] = [
        include_bytes!("class.rs"),
        include_bytes!("counters.rs"),
        include_bytes!("hash.rs"),
        include_bytes!("heard.rs"),
        include_bytes!("names.rs"),
        include_bytes!("ports.rs"),
        include_bytes!("record.rs"),
        include_bytes!("ring.rs"),
        include_bytes!("sample.rs"),
        include_bytes!("settings.rs"),
        include_bytes!("slot.rs"),
    ];
    let mut hash = FNV_OFFSET;
    let mut file = 0;
    while file < files.len() {
        hash = fnv(hash, files[file]);
        file += 1;
    }
    hash
};

/// FNV-1a of 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

const fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(FNV_PRIME);
        index += 1;
    }
    hash
}
