//! Tasks of two versions of one crate, and, if asked for, two tasks of one name.

use loky::prelude::*;

#[cfg(feature = "clash")]
mod clash {
    /// Has the name of another one.
    #[loky::task(name = "unused in version 2")]
    fn clashing() {}
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((first::version.run()?, second::version.run()?), (1, 2));
        assert_eq!((first::tagged.run('a')?, second::tagged.run('b')?), ((1, 'a'), (2, 'b')));
        println!("each version ran");
        Ok(())
    }
}
