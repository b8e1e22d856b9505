//! Paths that lead to no function without arguments.

mod arguments {
    fn begin(_: Vec<String>) {}

    loky::main!(begin);
}

mod missing {
    loky::main!(nowhere);
}

fn main() {
    loky::main!();
}
