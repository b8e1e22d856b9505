//! A task under other names and in other places: every import takes the function and its path form along.

#![deny(warnings)]

mod deep {
    pub mod deeper {
        #[loky::task]
        pub fn deepest(x: u8) -> u8 {
            x + 1
        }

        #[loky::task]
        pub(in crate::deep) fn half_hidden(x: u8) -> u8 {
            x + 2
        }

        #[loky::task]
        fn hidden(x: u8) -> u8 {
            x + 3
        }

        pub fn call_hidden(x: u8) -> Result<u8, loky::Error> {
            hidden::run(x)
        }
    }

    pub use self::deeper::deepest as renamed;
    pub use self::deeper::*;

    pub fn call_half_hidden(x: u8) -> Result<u8, loky::Error> {
        half_hidden::run(x)
    }
}

mod facade {
    pub use crate::deep::deeper::deepest;
    pub use loky::prelude::*;
}

use deep::renamed as again;
use facade::*;

loky::main! {
    fn main() -> Result<(), loky::Error> {
        use crate::again as yet_again;
        assert_eq!([deepest.run(0)?, again.run(0)?, deep::renamed.run(0)?, deep::deepest.run(0)?, yet_again.run(0)?], [1; 5]);
        assert_eq!([deepest::run(0)?, again::run(0)?, deep::renamed::run(0)?, yet_again::run(0)?], [1; 4]);
        assert_eq!((deep::call_half_hidden(0)?, deep::deeper::call_hidden(0)?), (2, 3));
        Ok(())
    }
}
