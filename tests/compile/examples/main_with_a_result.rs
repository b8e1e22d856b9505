//! A `main` with documentation, attributes, visibility and a result that is an `Err` in another world.

#![deny(warnings)]

use std::convert::Infallible;
use std::process::ExitCode;

loky::main! {
    /// Begins here.
    #[expect(unused_variables, reason = "that is the point")]
    #[inline(never)]
    pub(crate) fn main() -> Result<Result<ExitCode, Infallible>, Box<dyn std::error::Error + Send + Sync>> {
        let unused = ();
        let k = 2;
        assert_eq!(loky::closure!(|x: u8| x * k).run(3)?, 6);
        Ok(Ok(ExitCode::SUCCESS))
    }
}
