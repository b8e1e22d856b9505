//! The one list of how many arguments a function can have, for whatever has to be written once for each number.

/// Calls the macro `$row` with a number of arguments and, for each argument, its type, the type of what stands for
/// it, and its name. Numbers begin `from` 0, 1 or 2 and end at 12.
macro_rules! for_each_arity {
    (from 0, $row:ident) => {
        $row!(0);
        for_each_arity!(from 1, $row);
    };
    (from 1, $row:ident) => {
        $row!(1, A A1 a);
        for_each_arity!(from 2, $row);
    };
    (from 2, $row:ident) => {
        $row!(2, A A1 a, B B1 b);
        $row!(3, A A1 a, B B1 b, C C1 c);
        $row!(4, A A1 a, B B1 b, C C1 c, D D1 d);
        $row!(5, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e);
        $row!(6, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f);
        $row!(7, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g);
        $row!(8, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h);
        $row!(9, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i);
        $row!(10, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j);
        $row!(11, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j, K K1 k);
        $row!(12, A A1 a, B B1 b, C C1 c, D D1 d, E E1 e, F F1 f, G G1 g, H H1 h, I I1 i, J J1 j, K K1 k, L L1 l);
    };
}
pub(crate) use for_each_arity;
