//! What `par_map` applies, and what it applies it to: a task, and items that supply its arguments.
//!
//! The task's own signature decides: it fixes the arguments, and each argument may come as itself, as a reference to
//! itself, or as the owner of what the task borrows. Nothing here knows of chunks, windows or pools.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::pool::Closure;
use crate::pool::dot::TaskOutput;
use crate::task::{TaskRef, encode_arguments_into, find, keep};

/// A task that takes the tuple `Arguments`. `M` says which kind of function it is and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a task",
    note = "`par_map` applies a function that has `#[loky::task]` and at least one argument"
)]
pub trait Callable<Arguments, M> {
    /// What each call returns.
    type Output: DeserializeOwned;

    /// Which task this is.
    #[doc(hidden)]
    fn task(&self) -> Result<TaskRef, Error>;
}

/// An item that supplies the arguments of one call: itself for a task of one argument, a tuple for several.
#[diagnostic::on_unimplemented(
    message = "an item of type `{Self}` does not supply the arguments `{Arguments}` of the task",
    note = "a task of one argument takes the items as they are or by reference, one of several arguments takes tuples"
)]
pub trait Supplies<Arguments> {
    /// Appends the encoded arguments; on an error, nothing is appended.
    #[doc(hidden)]
    fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), Error>;
}

/// A value that can stand for an argument of type `A`, because it is encoded alike.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand for an argument of type `{A}`",
    note = "a `T` or `&T` can stand for `T` and for `&T`, a `String` for `&str`, a `Vec<T>` for `&[T]`"
)]
pub trait EncodesAs<A> {
    /// The view that is encoded.
    #[doc(hidden)]
    type View: Serialize + ?Sized;

    #[doc(hidden)]
    fn view(&self) -> &Self::View;
}

macro_rules! encodes_as {
    ($([$($generics:tt)*] $Owner:ty, as $A:ty, by $View:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> EncodesAs<$A> for $Owner {
            type View = $View;

            fn view(&self) -> &$View {
                self
            }
        }
    )*};
}

// No two of these overlap: a type is never a reference to itself, and `str`, `[T]` and `Path` are not `Sized`.
encodes_as! {
    [T: Serialize] T, as T, by T;
    [T: Serialize] &T, as T, by T;
    [T: Serialize] T, as &T, by T;
    [] String, as &str, by str;
    [] &String, as &str, by str;
    [] &str, as String, by str;
    [T: Serialize] Vec<T>, as &[T], by [T];
    [T: Serialize] &Vec<T>, as &[T], by [T];
    [T: Serialize] &[T], as Vec<T>, by [T];
    [T: Serialize, const N: usize] [T; N], as &[T], by [T];
    [] PathBuf, as &Path, by Path;
    [] &PathBuf, as &Path, by Path;
    [] &Path, as PathBuf, by Path;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize, const N: usize> EncodesAs<&[T]> for &[T; N] {
    type View = [T];

    fn view(&self) -> &[T] {
        *self
    }
}

impl<Item, A> Supplies<(A,)> for Item
where
    Item: EncodesAs<A>,
{
    fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        encode_arguments_into(bytes, |writer| writer.write(self.view()))
    }
}

macro_rules! callable {
    ($($A:ident $a:ident)*) => {
        impl<Function, $($A,)* R, M> Callable<($($A,)*), M> for Function
        where
            Function: Fn($($A),*) -> R + 'static,
            R: TaskOutput<M>,
        {
            type Output = R::Value;

            fn task(&self) -> Result<TaskRef, Error> {
                find::<Function>(|| {
                    keep((|function: &Function, $($a: $A),*| function($($a),*)) as fn(&Function, $($A),*) -> R);
                    R::compile();
                })
            }
        }
    };
}

/// Told apart from functions, which never are closures of ours.
#[derive(Debug)]
pub enum ByClosure {}

macro_rules! callable_closure {
    ($arity:literal $($A:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<Signature, $($A,)* R> Callable<($($A,)*), ByClosure> for Closure<Signature, R, $arity>
        where
            Signature: Fn($($A),*),
            R: DeserializeOwned,
        {
            type Output = R;

            fn task(&self) -> Result<TaskRef, Error> {
                Closure::task(self)
            }
        }
    };
}

macro_rules! several {
    ($arity:literal, $($A:ident $X:ident $x:ident),*) => {
        callable!($($A $x)*);
        callable_closure!($arity $($A)*);

        #[diagnostic::do_not_recommend]
        impl<$($A, $X,)*> Supplies<($($A,)*)> for ($($X,)*)
        where
            $($X: EncodesAs<$A>,)*
        {
            fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
                let ($($x,)*) = self;
                encode_arguments_into(bytes, |writer| {$(writer.write($x.view());)*})
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'item, $($A, $X,)*> Supplies<($($A,)*)> for &'item ($($X,)*)
        where
            $(&'item $X: EncodesAs<$A>,)*
        {
            fn encode_into(&self, bytes: &mut Vec<u8>) -> Result<(), Error> {
                let ($($x,)*) = self;
                encode_arguments_into(bytes, |writer| {$(writer.write($x.view());)*})
            }
        }
    };
}

callable!(A a);
callable_closure!(1 A);
several!(2, A A1 a, B B1 b);
several!(3, A A1 a, B B1 b, C C1 c);
several!(4, A A1 a, B B1 b, C C1 c, D D1 d);
several!(5, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e);
several!(6, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f);
several!(7, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g);
several!(8, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h);
several!(9, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i);
several!(10, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j);
several!(11, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j, K K1 k);
several!(12, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j, K K1 k, L L1 l);

#[cfg(test)]
#[expect(clippy::needless_borrows_for_generic_args, reason = "references are what is tested")]
mod tests {
    use super::*;
    use crate::task::encode_arguments;

    /// Infers as `par_map` does: the task fixes its arguments, the item has to supply them.
    fn bytes<A, M>(item: impl Supplies<A>, _: impl Callable<A, M>) -> Vec<u8> {
        let mut bytes = Vec::new();
        item.encode_into(&mut bytes).unwrap();
        bytes
    }

    /// What a call with these arguments would send.
    macro_rules! sent {
        ($($argument:expr),*) => {
            encode_arguments(|writer| {$(writer.write($argument);)*}).unwrap()
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
    }

    #[test]
    fn an_owner_stands_for_what_the_task_borrows() {
        assert_eq!(bytes(String::from("abc"), str::len), sent!("abc"));
        assert_eq!(bytes(&String::from("abc"), str::len), sent!("abc"));
        assert_eq!(bytes("abc", |owned: String| owned.len()), sent!("abc"));
        let numbers = sent!(&vec![1.0, 2.0]);
        assert_eq!(bytes(vec![1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes([1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(&[1.0, 2.0], |all: &[f64]| all.len()), numbers);
        assert_eq!(bytes(PathBuf::from("a/b"), |path: &Path| path.is_dir()), sent!("a/b"));
    }

    #[test]
    fn a_tuple_supplies_several_arguments_or_is_one() {
        let expected = sent!(&1_i64, "b", &vec![2.5]);
        let task = |n: i64, text: &str, all: &[f64]| n as usize + text.len() + all.len();
        assert_eq!(bytes((1, "b", vec![2.5]), task), expected);
        assert_eq!(bytes(&(1, String::from("b"), vec![2.5]), task), expected);
        assert_eq!(bytes((&1, &String::from("b"), &[2.5][..]), task), expected);
        assert_eq!(bytes((1, 2), |pair: (i64, i64)| pair.0), sent!(&(1_i64, 2_i64)));
    }
}
