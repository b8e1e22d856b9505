//! Words we do not use: marks of unfinished work, and spellings and terms that the glossary replaces.

/// A word, where it is not used, and what to write instead. Words are put together here so that this file has none.
const WORDS: &[(&str, &str, &str)] = &[
    (concat!("TO", "DO"), "", "finish it, or open an issue"),
    (concat!("FIX", "ME"), "", "fix it"),
    (concat!("XX", "X"), "", "say what is meant"),
    (concat!("HA", "CK"), "", "say what is meant"),
    (concat!("sla", "ve"), "", "worker"),
    (concat!("cancel", "ed"), "", "cancelled"),
    (concat!("cancel", "ing"), "", "cancelling"),
    (concat!("behavi", "our"), "", "behavior"),
    (concat!("col", "our"), "", "color"),
    (concat!("hon", "our"), "", "honor"),
    (concat!("serial", "ise"), "", "serialize"),
    (concat!("initial", "ise"), "", "initialize"),
    (concat!("initial", "iser"), "", "initializer"),
    (concat!("jo", "b"), "loky", "call"),
    (concat!("jo", "bs"), "loky", "calls"),
];

/// Phrases in which such a word is somebody else's name.
const PHRASES: &[&str] = &[concat!("jo", "b control"), concat!("Jo", "b Object")];

pub(crate) fn complaints(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = PHRASES.iter().fold(line.to_owned(), |line, phrase| line.replace(phrase, ""));
        for (word, _, instead) in WORDS.iter().filter(|(_, root, _)| path.starts_with(root)) {
            if parts(&line).any(|part| part == *word) {
                found.push(format!("{path}:{}: `{word}`: {instead}", number + 1));
            }
        }
    }
    found
}

/// The words of a line; an identifier in snake case is several.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty())
}

mod tests {
    use super::complaints;

    #[test]
    fn a_word_is_seen_as_a_word() {
        let unfinished = concat!("// TO", "DO: more");
        assert_eq!(complaints("tests/src/a.rs", unfinished).len(), 1);
        assert_eq!(complaints("tests/src/a.rs", "// TODOS and mastodons").len(), 0);
        assert_eq!(complaints("loky/src/a.rs", concat!("fn next_jo", "b() {}")).len(), 1);
        assert_eq!(complaints("loky/src/a.rs", concat!("// as jo", "b control does")).len(), 0);
        assert_eq!(complaints("examples/a.rs", concat!("fn next_jo", "b() {}")).len(), 0);
    }
}
