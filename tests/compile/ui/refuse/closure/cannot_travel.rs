//! Closures that cannot be sent, whatever they capture: each mistake at its own tokens, all of them at once.

struct Model {
    bias: f64,
}

impl Model {
    fn listed(&self) {
        let k = 1.0;
        let _ = loky::closure!([k] |x: f64| x * k + self.bias);
        let _ = loky::closure!(|x: u8| format!("{self} {x}"));
    }
}

fn main() {
    let k = 1;
    let _ = loky::closure!();
    let _ = loky::closure!(k + 1);
    let _ = loky::closure!(|x, all: &mut Vec<u8>, name: Option<&str>, _: Vec<_>| x + k);
    let _ = loky::closure!(|what: impl ToString, any: &dyn ToString, text: &'static str| -> &str { k });
    let _ = loky::closure!([k, k, &k, k.len()] |x: i64| x * k);
}
