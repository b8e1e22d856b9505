//! Raw identifiers wherever a name can be.

#![deny(warnings)]

use loky::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct r#Self_ {
    r#type: u8,
}

mod r#mod {
    #[loky::task]
    pub(crate) fn r#fn(r#match: &str, r#in: u8) -> usize {
        r#match.len() + usize::from(r#in)
    }

    #[loky::task]
    pub(crate) fn r#ref<r#Type>(r#impl: Vec<r#Type>) -> usize {
        r#impl.len()
    }
}

#[loky::task]
fn r#plain(x: u8) -> u8 {
    x
}

#[loky::tasks]
impl r#Self_ {
    #[loky::task]
    fn r#loop(&self, r#for: u8) -> u8 {
        self.r#type + r#for
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        assert_eq!((r#mod::r#fn.run("abc", 1)?, r#mod::r#fn::run("abc", 1)?), (4, 4));
        assert_eq!((r#mod::r#ref.run(vec![1])?, r#mod::r#ref::run(vec!['a'])?), (1, 1));
        assert_eq!((plain.run(1)?, r#plain::run(2)?), (1, 2));
        assert_eq!(r#Self_::r#loop.run(&r#Self_ { r#type: 1 }, 2)?, 3);
        let (r#type, r#struct, name) = (1, "text", 5);
        let found = loky::closure!(|r#as: u8| format!("{} {type} {struct} {as} {}", r#type, r#name));
        assert_eq!(found.run(3)?, "1 1 text 3 5");
        let listed = loky::closure!([r#type, r#struct] |r#as: usize| r#type + r#as + r#struct.len());
        assert_eq!(listed.run(1)?, 6);
        Ok(())
    }
}
