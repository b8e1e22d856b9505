//! A `main` that ends the program itself.

#![deny(warnings)]

loky::main! {
    fn main() -> ! {
        let k = 1;
        let sum = loky::closure!(|x: i32| x - k).run(1);
        std::process::exit(sum.unwrap_or(1))
    }
}
