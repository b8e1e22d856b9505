//! A path form that would hide a type.

#[loky::task]
fn str(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

fn main() {
    str(vec![]);
}
