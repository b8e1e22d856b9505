//! The interface as it is recorded, so that whoever reviews a change sees what it does to users.

use std::collections::BTreeSet;

use crate::interface::Piece;

pub(crate) const PATH: &str = "loky/api.txt";

const HEAD: &str = "\
# What users can name: a declaration on each line, behind the features without which it is not there.
# Written by `LOKY_TESTS_WRITE=1 cargo test -p loky-tests --test tidy interface`, and compared by the same test. A line
# that is new adds something; one that has gone or changed breaks programs, and is told in CHANGELOG.md.
";

/// What stands in the record if these are all pieces.
pub(crate) fn text(pieces: &[Piece]) -> String {
    let lines: BTreeSet<_> =
        pieces.iter().filter(|piece| !piece.is_silent()).map(|piece| piece.line() + "\n").collect();
    HEAD.lines().map(|line| line.to_owned() + "\n").chain(["\n".to_owned()]).chain(lines).collect()
}

/// How the record differs from what there is.
pub(crate) fn complaints(recorded: &str, found: &str) -> Vec<String> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (recorded.lines().collect(), found.lines().collect());
    let gone = old.difference(&new).map(|line| format!("{PATH} has what is not there: {line}"));
    let come = new.difference(&old).map(|line| format!("{PATH} lacks: {line}"));
    let differs = (recorded != found).then(|| {
        "if that is meant, write it anew: LOKY_TESTS_WRITE=1 cargo test -p loky-tests --test tidy interface".to_owned()
    });
    gone.chain(come).chain(differs).collect()
}

mod tests {
    use super::complaints;

    #[test]
    fn every_difference_is_told_and_how_to_record_it() {
        assert!(complaints("a\nb\n", "a\nb\n").is_empty());
        let found = complaints("a\nb\n", "a\nc\n");
        assert!(found[0].ends_with(": b") && found[1].ends_with(": c") && found[2].contains("LOKY_TESTS_WRITE=1"));
        assert_eq!(
            complaints("a\n\nb\n", "a\nb\n").len(),
            2,
            "an order or a space that differs is a difference as well"
        );
    }
}
