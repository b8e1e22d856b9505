//! A closure in every shape that a closure can have.

#![deny(warnings)]

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let k = 2_u8;
        loky::closure!(|| ()).run()?;
        loky::closure!(|_: u8| {}).run(1)?;
        loky::closure!([] || ()).run()?;
        assert_eq!(loky::closure!(move |x: u8| x + k).run(1)?, 3);
        assert_eq!(loky::closure!(|x: u8| -> u16 { u16::from(x + k) }).run(1)?, 3);
        assert_eq!(loky::closure!(|x: u8| x + k,).run(1)?, 3);
        #[expect(unused_parens, reason = "that is the point")]
        let parenthesized = loky::closure!((|x: u8| x + k));
        assert_eq!(parenthesized.run(1)?, 3);
        assert_eq!(loky::closure!([k,] move |x: u8,| -> u8 { x + k },).run(1)?, 3);
        assert_eq!(loky::closure! { |x: u8| x + k }.run(1)?, 3);
        assert_eq!(loky::closure![|x: u8| x + k].run(1)?, 3);
        assert_eq!(loky::closure!(async |x: u8| x + k).run(1)?, 3);
        assert_eq!(loky::closure!(async move |x: &u8| *x + k).run(&1)?, 3);
        assert_eq!(loky::closure!(|x: u8| async move { x + k }).run(1)?, 3);
        assert_eq!(loky::closure!(|text: &str, all: &[u8], (a, _): &(u8, u8)| text.len() + all.len() + usize::from(*a)).run("a", &[], &(k, 0))?, 3);
        assert_eq!(loky::closure!(|_: (), _: [(); 2], option: Option<Option<()>>| option.is_some()).run((), [(); 2], None)?, false);
        assert_eq!(loky::closure!(|x: u128, c: char| (x, c)).run(u128::MAX, 'c')?, (u128::MAX, 'c'));
        assert_eq!(loky::closure!(|x: u8| -> Result<u8, String> { Err(format!("{x}")) }).run(1)?, Err("1".to_owned()));
        Ok(())
    }
}
