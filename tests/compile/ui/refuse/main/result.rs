//! Results that are no results of a program.

mod number {
    loky::main! {
        fn main() -> u8 {
            1
        }
    }
}

mod optional {
    fn begin() -> Option<()> {
        None
    }

    loky::main!(begin);
}

fn main() {
    loky::main!();
}
