//! `self` in a closure: by reference, by value, of a trait, in macros; and `Self`.

#![deny(warnings)]

use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Model {
    factor: i64,
    names: Vec<String>,
}

impl Model {
    const ONE: i64 = 1;

    fn scaled(&self, x: i64) -> Result<i64, loky::Error> {
        let k = 10;
        loky::closure!(|x: i64| self.factor * x + k + Self::ONE + self.twice(x)).run(x)
    }

    fn twice(&self, x: i64) -> i64 {
        2 * x
    }

    fn consumed(self) -> Result<(Vec<String>, i64), loky::Error> {
        loky::closure!(|| {
            let Self { names, factor } = self;
            (names, factor)
        })
        .run()
    }

    fn changed(&mut self) -> Result<usize, loky::Error> {
        self.factor += 1;
        let this = &*self;
        loky::closure!(|| this.names.len() + this.factor as usize).run()
    }

    fn shown(&self, text: &str) -> Result<String, loky::Error> {
        loky::closure!([self, text] |n: usize| {
            let longest = self.names.iter().map(|name| name.len().max(self.names.len())).max();
            format!("{text} {:?} {longest:?} {}", self.factor, vec![self.names[n].clone(); 1].concat())
        })
        .run(0)
    }
}

trait Describe: Debug {
    fn describe(&self) -> Result<String, loky::Error>
    where
        Self: Serialize + DeserializeOwned + 'static,
    {
        loky::closure!(|| format!("{:?}", self)).run()
    }
}

impl Describe for Model {}

#[derive(Serialize, Deserialize)]
struct Of<T>(T);

impl<T: Serialize + DeserializeOwned + Debug + 'static> Of<T> {
    fn described(&self) -> Result<String, loky::Error> {
        loky::closure!(|| format!("{:?}", self.0)).run()
    }
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let mut model = Model { factor: 3, names: vec!["ab".into(), "c".into()] };
        assert_eq!((model.scaled(2)?, model.changed()?), (21, 6));
        assert_eq!(model.shown("t")?, "t 4 Some(2) ab");
        assert!(model.describe()?.starts_with("Model { factor: 4"));
        assert_eq!((Of('x').described()?, model.consumed()?.1), ("'x'".to_owned(), 4));
        Ok(())
    }
}
