//! What is captured, case by case: a closure, and the names that travel with it.

use quote::ToTokens;

use super::{Checked, Mistakes};

/// What the macro finds, by name; or what it says.
fn captured(closure: &str) -> Result<Vec<String>, Vec<String>> {
    let mut mistakes = Mistakes::default();
    let tokens = format!("krate; {closure}").parse().expect("the cases are tokens");
    match Checked::check(tokens, &mut mistakes) {
        Some((_, checked)) if mistakes.are_none() => {
            Ok(checked.captures.iter().map(|name| name.to_token_stream().to_string()).collect())
        }
        _ => Err(mistakes.messages()),
    }
}

fn hold(cases: &[(&str, &str)]) {
    for (closure, expected) in cases {
        let expected: Vec<_> = expected.split_whitespace().map(str::to_owned).collect();
        assert_eq!(captured(closure), Ok(expected), "{closure}");
    }
}

#[test]
fn free_names_are_captured_in_the_order_of_their_use() {
    hold(&[
        ("|x: i64| x * k", "k"),
        ("|| 1", ""),
        ("move |x: i64| b + a + b", "b a"),
        ("async |x: i64| k.get(x).await", "k"),
        ("|x: i64| words[i].len() + cfg.name", "words i cfg"),
        ("|x: i64| (a, [b, c], &d, *e, -f, g as i64, h?)", "a b c d e f g h"),
        ("|x: i64| a..b", "a b"),
        ("|x: i64| [k; n]", "k"),
        ("|x: i64| { return k; }", "k"),
        ("|x: i64| r#type + x", "r#type"),
        ("|x: i64| _k", "_k"),
        ("|x: i64| async { k }", "k"),
        ("|x: i64| 'a: loop { break 'a k }", "k"),
        ("|x: i64| unsafe { k }", "k"),
        ("(|x: i64| x + k)", "k"),
        ("|x: i64| x + k,", "k"),
    ]);
}

#[test]
fn what_is_no_variable_is_not_captured() {
    hold(&[
        ("|x: i64| LIMIT + Unit", ""),
        ("|x: i64| f(x)", ""),
        ("|x: i64| f(g(x), h)", "h"),
        ("|x: i64| x.f(y).g", "y"),
        ("|x: i64| a::b + b::<u8> + <T as U>::c", ""),
        ("|x: i64| x.collect::<Vec<k>>()", ""),
        ("|x: i64| Cfg { k, name: n, ..base }", "k n base"),
        ("|x: i64| list.iter().map(square)", "list square"),
        ("|x: i64| square(Some(x).map(square))", "square"),
        ("|x: i64| (f)(x) + (self.f)(x)", "f self"),
        ("|x: i64| self::f(x)", ""),
        ("|x: [u8; n]| x", ""),
        ("|x: i64| { let y: [u8; n] = x; y as k }", ""),
        ("|x: i64| const { k }", ""),
        ("|x: i64| { #[cfg(k)] let y = x; y }", ""),
    ]);
}

#[test]
fn what_is_bound_inside_is_not_captured() {
    hold(&[
        ("|(a, Point { b, c: d, .. }, [e, f @ .., _]): T| a + b + c + d + e + f", "c"),
        ("|x: i64| { let k = x; k }", ""),
        ("|x: i64| { let k = k + 1; k }", "k"),
        ("|x: i64| { { let k = x; } k }", "k"),
        ("|x: i64| { k; let k = 1; }", "k"),
        ("|x: i64| { let Some(y) = k else { return y }; y + z }", "k y z"),
        ("|x: i64| |y: i64| move |z| x + y + z + k", "k"),
        ("|x: i64| { |y: i64| y; y }", "y"),
        ("|x: i64| match x { a @ 1..=9 => a, b if b > k => b, Some(ref c) | Ok(mut c) => c, _ => d }", "k d"),
        ("|x: i64| match k { k => k }", "k"),
        ("|x: i64| { match x { a => a }; a }", "a"),
        ("|x: i64| if let Some(y) = k && let z = y && z > w { y + z } else { y }", "k w y"),
        ("|x: i64| if a { b } else if let c = d { c } else { e }", "a b d e"),
        ("|x: i64| while let Some(y) = stack.pop() { y; }", "stack"),
        ("|x: i64| { for y in all { y + k; } y }", "all k y"),
        ("|x: i64| { for k in k { k; } }", "k"),
        ("|x: i64| { fn f(k: i64) -> i64 { k + z } f(x) }", ""),
        ("|x: i64| { Some(x).map(f); fn f(k: i64) -> i64 { k } }", ""),
        ("|x: i64| { const k: u8 = 1; static s: u8 = 1; k + s }", ""),
        ("|x: i64| { use a::{b, c as d}; b + c + d }", "c"),
        ("|x: i64| { struct S; impl S { fn f(&self) { k; self.g } } S }", ""),
    ]);
}

#[test]
fn macros_are_looked_into() {
    hold(&[
        ("|x: i64| println!(\"{k} {cfg:?} {x:>width$} {v:.prec$} {{no}} {} {n}\", a, n = b)", "a b k cfg width v prec"),
        ("|x: i64| write!(f, \"{k}\")", "f k"),
        ("|x: i64| assert_eq!(\"{no}\", a, \"{k}\")", "a k"),
        ("|x: i64| assert!(x > k, \"{}\", \"{no}\")", "k"),
        ("|x: i64| std::format!(\"{k}\")", "k"),
        ("|x: i64| { let k = x; format!(\"{k}\") }", ""),
        ("|x: i64| vec![k; n]", "k n"),
        ("|x: i64| vec![a, \"{no}\".into(), b]", "a b"),
        ("|x: i64| dbg!(\"{no}\", k)", "k"),
        ("|x: i64| matches!(k, Some(y) if y > z)", "k z"),
        ("|x: i64| matches!(k, Some(y))", "k"),
        ("|x: i64| assert_matches!(k, Ok(y), \"{m}\")", "k m"),
        ("|x: i64| by_name!(name = k)", "k"),
        ("|x: i64| block! { let y = k; y + z }", "k z"),
        ("|x: i64| outer!(inner!(\"{k}\"), |y| y + z)", "k z"),
        ("|x: i64| cfg!(test) || stringify!(k) == concat!(\"{k}\")", ""),
        ("|x: i64| { macro_rules! m { () => { k } } }", ""),
        ("|x: i64| local!()", ""),
    ]);
}

#[test]
fn macros_with_a_language_of_their_own_are_scanned() {
    hold(&[
        ("|x: i64| json!({ \"a\": k, \"b\": { \"c\": null, \"d\": [x, format!(\"{m}\")] } })", "k m"),
        ("|x: i64| json!({ \"a\": match x { Some(y) => y, None => z } })", "z"),
        ("|x: i64| hashmap! { \"a\" => b, c() => d.e }", "b d"),
        ("|x: i64| select! { a = b => a + c, d => d }", "b c"),
        ("|x: i64| info!(target: \"t\", user = %name, ?cfg, \"{k} {user}\")", "name cfg k"),
        ("|x: i64| dsl!(a -> y, y.b ! c::d e(f) #g 'h)", "a f"),
        ("|x: i64| dsl!(=> |y, z| y + w)", "w"),
        ("|x: i64| dsl!(let y = k; y => z)", "k z"),
        ("|x: i64| dsl!(for y in ys => y)", "ys"),
        ("|x: i64| dsl!(a as b, 0..c =>)", "a c"),
    ]);
}

#[test]
fn closures_inside_bring_their_captures() {
    hold(&[
        ("|x: i64| loky::closure!(|y: i64| x + y + k)", "k"),
        ("|x: i64| closure!([k, x] |y: i64| z)", "k"),
        ("|x: i64| closure!([] |y: i64| z)", ""),
    ]);
}

#[test]
fn self_and_lists() {
    hold(&[
        ("|x: i64| self.k + x", "self"),
        ("|x: i64| format!(\"{}\", self.k + a)", "a self"),
        ("|x: i64| { fn f(s: &S) { struct T; impl T { fn g(self) {} } } x }", ""),
        ("[k, cfg] |x: i64| z", "k cfg"),
        ("[] |x: i64| z", ""),
        ("[self, k,] |x: i64| self.z", "self k"),
    ]);
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_way_out() {
    let many = (0..13).map(|index| format!("a{index}: u8")).collect::<Vec<_>>().join(", ");
    let cases = [
        ("", "is empty: write `loky::closure!("),
        ("x + 1", "this is not a closure"),
        ("|x| x", "the type of an argument decides how it travels: write it, `x: i64`"),
        ("|x: Vec<_>| x", "write it out, without `_`"),
        (&format!("|{many}| 1"), "at most 12 arguments"),
        ("|x: &mut Vec<u8>| x.pop()", "cannot change a value of its caller"),
        ("|x: Option<&str>| 1", "only a whole argument can be borrowed"),
        ("|x: impl Display| 1", "write the type"),
        ("|x: &dyn Debug| 1", "cannot travel"),
        ("|x: &'static str| 1", "leave `'static` out"),
        ("|x: &'a str| 1", "leave `'a` out"),
        ("|x: u8| -> &str { k }", "return the owned type"),
        ("[k, k] |x: u8| x", "captured twice"),
        ("[&k] |x: u8| x", "has names only"),
        ("[k.n] |x: u8| x", "has names only"),
        ("[k] |x: u8| self.n", "`self` is not in the list"),
        ("|x: u8| format!(\"{self}\")", "inside of a string"),
    ];
    for (closure, expected) in cases {
        let said = captured(closure).unwrap_err();
        assert!(said.len() == 1 && said[0].contains(expected), "{closure}: {said:?}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    assert_eq!(captured("[k, k, 1] |x, y: &mut u8, z: Option<&u8>| 1").unwrap_err().len(), 5);
}
