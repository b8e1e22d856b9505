//! A captured value is the call's own, and can be given away once; what is captured by reference, not at all.

fn consume(lent: &Vec<u8>) {
    let _b = loky::closure!(|x: u8| {
        let mut all = *lent;
        all.push(x);
        all
    });
}

fn main() {
    let word = String::from("a");
    let _a = loky::closure!(|x: u8| {
        let moved = word;
        (moved, word, x)
    });
    consume(&vec![1]);
}
