//! An `async fn main` without a runtime.

loky::main! {
    async fn main() -> Result<(), std::io::Error> {
        Ok(())
    }
}
