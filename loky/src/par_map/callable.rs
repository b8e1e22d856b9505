//! What `par_map` applies, and what it applies it to: a task or a closure, and items that supply its arguments.
//!
//! The signature and the item decide together: an item is the argument itself, or a reference to it, or the owner of
//! what is borrowed. Each of these ways is an implementation of its own, and no signature fits two of them for one
//! item, but for a generic task over references: that could take the reference or what it points to. Nothing here
//! knows of chunks, windows or pools.

use std::path::{Path, PathBuf};

use bytemuck::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::supplies::{EncodesAs, Supplies};
use crate::arity::for_each_arity;
use crate::error::Error;
use crate::pool::Closure;
use crate::pool::dot::TaskOutput;
use crate::shared::Shared;
use crate::task::{TaskRef, encode_arguments_into, find, keep};
use crate::wire::body::Encoded;

/// A task that can be applied to items of type `Item`. `How` says what it takes, as the type of a function, and what
/// kind of task it is; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be applied to items of type `{Item}`",
    label = "does not take these items",
    note = "`par_map` applies a function that has `#[loky::task]`, or a `loky::closure!`, with at least one argument",
    note = "an item of type `T` or `&T` is taken as `T` or as `&T`, a `String` as `&str`, a `Vec<T>` as `&[T]`, a tuple as several arguments; a `&&str` needs `.copied()` before"
)]
pub trait Callable<Item, How> {
    /// What each call returns.
    type Output: DeserializeOwned;

    /// Which task this is.
    #[doc(hidden)]
    fn task(&self) -> Result<TaskRef, Error>;

    /// Appends the arguments of the call for this item; on an error, nothing is appended.
    #[doc(hidden)]
    fn encode(item: &Item, encoded: &mut Encoded) -> Result<(), Error>;
}

/// A closure, which is told apart from functions in this way.
#[derive(Debug)]
pub enum ByClosure {}

macro_rules! one_argument {
    ($([$($generics:tt)*] $Item:ty, taken as $Argument:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<Function, R, M, $($generics)*> Callable<$Item, (fn($Argument), M)> for Function
        where
            Function: Fn($Argument) -> R + 'static,
            R: TaskOutput<M>,
        {
            type Output = R::Value;

            fn task(&self) -> Result<TaskRef, Error> {
                find::<Function>(|| {
                    keep((|function: &Function, item: $Argument| function(item)) as fn(&Function, $Argument) -> R);
                    R::compile();
                })
            }

            fn encode(item: &$Item, encoded: &mut Encoded) -> Result<(), Error> {
                encode_arguments_into(encoded, |writer| EncodesAs::<$Argument>::write(item, writer))
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Signature, R, $($generics)*> Callable<$Item, (fn($Argument), ByClosure)> for Closure<Signature, R, 1>
        where
            Signature: Fn($Argument),
            R: DeserializeOwned,
        {
            type Output = R;

            fn task(&self) -> Result<TaskRef, Error> {
                Closure::task(self)
            }

            fn encode(item: &$Item, encoded: &mut Encoded) -> Result<(), Error> {
                encode_arguments_into(encoded, |writer| EncodesAs::<$Argument>::write(item, writer))
            }
        }
    )*};
}

// An item that is a reference is never lent once more: only an owner is, which `DeserializeOwned` says.
one_argument! {
    [T: Serialize] T, taken as T;
    [T: Serialize + DeserializeOwned] T, taken as &T;
    [T: Serialize] &T, taken as T;
    [] String, taken as &str;
    [] &String, taken as &str;
    [] &str, taken as String;
    [T: Serialize] Vec<T>, taken as &[T];
    [T: Serialize] &Vec<T>, taken as &[T];
    [T: Serialize] &[T], taken as Vec<T>;
    [T: Pod + Serialize] Shared<T>, taken as &[T];
    [T: Pod + Serialize] &Shared<T>, taken as &[T];
    [T: Serialize, const N: usize] [T; N], taken as &[T];
    [T: Serialize, const N: usize] &[T; N], taken as &[T];
    [] PathBuf, taken as &Path;
    [] &PathBuf, taken as &Path;
    [] &Path, taken as PathBuf;
}

// The item is a tuple of several arguments, or a reference to one.
macro_rules! several_arguments {
    ($arity:literal, $($A:ident $A1:ident $a:ident),*) => {
        #[diagnostic::do_not_recommend]
        impl<Function, Item, R, M, $($A),*> Callable<Item, (fn($($A),*), M)> for Function
        where
            Function: Fn($($A),*) -> R + 'static,
            Item: Supplies<($($A,)*)>,
            R: TaskOutput<M>,
        {
            type Output = R::Value;

            fn task(&self) -> Result<TaskRef, Error> {
                find::<Function>(|| {
                    keep((|function: &Function, $($a: $A),*| function($($a),*)) as fn(&Function, $($A),*) -> R);
                    R::compile();
                })
            }

            fn encode(item: &Item, encoded: &mut Encoded) -> Result<(), Error> {
                item.encode_into(encoded)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<Signature, Item, R, $($A),*> Callable<Item, (fn($($A),*), ByClosure)> for Closure<Signature, R, $arity>
        where
            Signature: Fn($($A),*),
            Item: Supplies<($($A,)*)>,
            R: DeserializeOwned,
        {
            type Output = R;

            fn task(&self) -> Result<TaskRef, Error> {
                Closure::task(self)
            }

            fn encode(item: &Item, encoded: &mut Encoded) -> Result<(), Error> {
                item.encode_into(encoded)
            }
        }
    };
}

for_each_arity!(from 2, several_arguments);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::encode_arguments;

    /// Infers as `par_map` does.
    fn bytes<Item, F: Callable<Item, How>, How>(item: Item, _: F) -> Vec<u8> {
        let mut encoded = Encoded::default();
        F::encode(&item, &mut encoded).unwrap();
        encoded.bytes
    }

    /// What a call with these arguments would send.
    macro_rules! sent {
        ($($argument:expr),*) => {
            encode_arguments(|writer| {$(writer.write($argument);)*}).unwrap().bytes
        };
    }

    #[test]
    fn a_number_comes_as_itself_or_by_reference() {
        let expected = sent!(&7_i64);
        assert_eq!(bytes(7, |n: i64| n), expected);
        assert_eq!(bytes(&7, |n: i64| n), expected);
        assert_eq!(bytes(7, |n: &i64| *n), expected);
        assert_eq!(bytes(&7, |n: &i64| *n), expected);
        assert_eq!(bytes(7, crate::closure!(|n: i64| n)), expected);
        assert_eq!(bytes(&7, crate::closure!(|n: i64| n)), expected);
        assert_eq!(bytes(7, crate::closure!(|n: &i64| *n)), expected);
    }

    #[test]
    fn an_owner_stands_for_what_the_task_borrows() {
        assert_eq!(bytes(String::from("abc"), str::len), sent!("abc"));
        assert_eq!(bytes(&String::from("abc"), str::len), sent!("abc"));
        assert_eq!(bytes("abc", str::len), sent!("abc"));
        assert_eq!(bytes("abc", |owned: String| owned.len()), sent!("abc"));
        let numbers = sent!(&vec![1.0, 2.0]);
        assert_eq!(bytes(vec![1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(&vec![1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes([1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(&[1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(&[1.0, 2.0][..], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(&[1.0, 2.0][..], |all: Vec<f64>| all.len()), numbers);
        assert_eq!(bytes(PathBuf::from("a/b"), |path: &Path| path.is_dir()), sent!("a/b"));
    }

    #[test]
    fn a_generic_task_is_what_its_item_makes_it() {
        fn itself<T: Serialize + DeserializeOwned>(x: T) -> T {
            x
        }
        fn first<T: Clone>(all: &[T]) -> usize {
            all.len()
        }
        fn seen<T>(_: &T) {}
        assert_eq!(bytes(7_u8, itself), sent!(&7_u8));
        assert_eq!(bytes(String::from("abc"), itself), sent!("abc"));
        assert_eq!(bytes(vec![1_u8], itself), sent!(&[1_u8][..]));
        assert_eq!(bytes((1_u8, 'a'), itself), sent!(&(1_u8, 'a')));
        assert_eq!(bytes(vec![1_u8], first), sent!(&[1_u8][..]));
        assert_eq!(bytes(&vec![1_u8], first), sent!(&[1_u8][..]));
        assert_eq!(bytes(7_u8, seen), sent!(&7_u8));
        assert_eq!(bytes(&7_u8, seen), sent!(&7_u8));
        assert_eq!(bytes(&7_u8, itself::<u8>), sent!(&7_u8));
    }

    #[test]
    fn a_tuple_supplies_several_arguments_or_is_one() {
        let expected = sent!(&1_i64, "b", &vec![2.5]);
        let task = |n: i64, text: &str, all: &[f64]| n as usize + text.len() + all.len();
        assert_eq!(bytes((1, "b", vec![2.5]), task), expected);
        assert_eq!(bytes(&(1, String::from("b"), vec![2.5]), task), expected);
        assert_eq!(bytes((&1, &String::from("b"), &[2.5][..]), task), expected);
        assert_eq!(bytes((1, 2), |pair: (i64, i64)| pair.0), sent!(&(1_i64, 2_i64)));
        assert_eq!(bytes(&(1, 2), |pair: (i64, i64)| pair.0), sent!(&(1_i64, 2_i64)));
        assert_eq!(bytes((1, "b"), crate::closure!(|n: i64, text: &str| n as usize + text.len())), sent!(&1_i64, "b"));
    }
}
