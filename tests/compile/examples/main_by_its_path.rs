//! A `main` that is another function: in a module, with a result, called by its path.

#![deny(warnings)]

mod deep {
    pub mod deeper {
        #[loky::task]
        pub fn add(a: u8, b: u8) -> u8 {
            a + b
        }

        pub fn begin() -> Result<std::process::ExitCode, loky::Error> {
            assert_eq!(add::run(1, 2)?, 3);
            Ok(std::process::ExitCode::SUCCESS)
        }
    }
}

loky::main!(crate::deep::deeper::begin,);
