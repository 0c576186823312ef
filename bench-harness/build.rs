//! Hands over with which flags, and for which target, this program is compiled: strategies are built alike.

fn main() {
    for (name, own) in
        [("CARGO_ENCODED_RUSTFLAGS", "HARNESS_RUSTFLAGS"), ("TARGET", "HARNESS_TARGET")]
    {
        let value = std::env::var(name).unwrap_or_default();
        println!("cargo::rustc-env={own}={value}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
