//! Mistakes inside of `main` stand where they are made.

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let number: u8 = "one";
        std::fs::read("")?;
        Ok(())
    }
}
