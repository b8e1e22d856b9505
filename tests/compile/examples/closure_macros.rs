//! Macros in a closure: what they name is captured, in format strings, too.

#![deny(warnings)]

use std::fmt::Write;

macro_rules! add {
    ($($x:expr),+ ; $last:ident) => { $last $(+ $x)+ };
}

macro_rules! table {
    ($($key:ident => $value:expr),*) => { vec![$((stringify!($key), $value)),*] };
}

loky::main! {
    fn main() -> Result<(), loky::Error> {
        let (k, width, precision, name) = (2_usize, 6, 1, "n".to_owned());
        assert_eq!(loky::closure!(|x: usize| vec![x, k, name.len()]).run(1)?, [1, 2, 1]);
        assert_eq!(loky::closure!(|x: usize| vec![x; k]).run(1)?, [1, 1]);
        assert_eq!(loky::closure!(|x: f64| format!("{x:>width$.precision$}|{name:?}|{k:#04x}|{{k}}")).run(1.25)?, "   1.2|\"n\"|0x02|{k}");
        assert_eq!(loky::closure!(|x: f64| format!("{:1$.2$} {named}", x, width, precision, named = k)).run(1.25)?, "   1.2 2");
        assert!(loky::closure!(|x: Option<usize>| matches!(x, Some(n) if n > k)).run(Some(3))?);
        loky::closure!(|x: usize| {
            assert!(x > k, "{x} {name}");
            assert_eq!(x, k + 1, "not {k} {}", name);
            assert_ne!(x, k);
            debug_assert!(width > precision);
        })
        .run(3)?;
        let written = loky::closure!(|x: usize| -> Result<String, String> {
            let mut text = String::new();
            write!(text, "{x}{k}").map_err(|why| why.to_string())?;
            writeln!(&mut text, "{}", name).map_err(|why| why.to_string())?;
            Ok(text)
        });
        assert_eq!(written.run(1)?, Ok("12n\n".to_owned()));
        assert_eq!(loky::closure!(|x: usize| add!(x, k * 2; width)).run(1)?, 11);
        assert_eq!(loky::closure!(|x: usize| table!(name => x + k, k => x).len()).run(1)?, 2);
        assert_eq!(loky::closure!(|_: u8| concat!("k", 1, stringify!(name)).len() + line!().min(0) as usize).run(1)?, 6);
        assert!(loky::closure!(|x: usize| if cfg!(all()) { x } else { unreachable!("{k}") }).run(1)? == 1);
        let error = loky::closure!(|x: usize| -> usize { panic!("{x} and {k}") }).run(1).err().and_then(|error| error.panic_message().map(str::to_owned));
        assert_eq!(error.as_deref(), Some("1 and 2"));
        Ok(())
    }
}
