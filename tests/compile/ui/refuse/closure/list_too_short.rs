//! A list that forgets what cannot be copied.

fn main() {
    let (k, words) = (1, vec![String::from("a")]);
    let _a = loky::closure!([k] |n: usize| words[n].len() + k);
}
