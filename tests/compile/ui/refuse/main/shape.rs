//! A `main` with parameters, of another name, called, or under a condition of its own.

mod parameters {
    loky::main! {
        fn main(arguments: Vec<String>) {
            drop(arguments);
        }
    }
}

mod name {
    loky::main! {
        fn start() {}
    }
}

mod called {
    fn real_main() {}

    loky::main!(real_main());
}

mod conditional {
    loky::main! {
        #[cfg(unix)]
        fn main() {}
    }
}

fn main() {
    loky::main!();
}
