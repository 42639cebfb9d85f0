//! Builds anew when the page's files change: those that are new would not be noticed.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
}
