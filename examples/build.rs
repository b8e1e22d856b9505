//! Compiles what is C among the examples.

fn main() {
    println!("cargo::rerun-if-changed=untrusted/rle.c");
    cc::Build::new().file("untrusted/rle.c").warnings(true).extra_warnings(true).compile("rle");
}
