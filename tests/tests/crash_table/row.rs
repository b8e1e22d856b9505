//! Rows: one place, one way, one state; all that can be, and the few that together show every pair of two.

use std::collections::BTreeSet;

use loky_tests::{Case, cases};
use serde::{Deserialize, Serialize};

use crate::dimensions::{Dimension, How, Place, State};
use crate::table::{Reads, reads};

pub(crate) const CASES: &[Case] = cases![every_pair_that_can_be_is_in_the_suite, every_row_has_a_name_of_its_own];

/// Who strikes where, how, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) how: How,
    pub(crate) state: State,
}

impl Row {
    pub(crate) fn reads(self) -> Reads {
        reads(self.place, self.how)
    }

    /// The name of its test.
    pub(crate) fn name(self) -> String {
        format!("crash_54_{}_{}_{}", self.place.name(), self.how.name(), self.state.name())
    }

    /// The row of this name.
    pub(crate) fn named(name: &str) -> Self {
        all().into_iter().find(|row| row.name() == name).expect("the name of a row")
    }

    /// Each two of its three dimensions, as the numbers of their values.
    fn pairs(self) -> [(usize, usize, usize); 3] {
        let number = [index(self.place), index(self.how), index(self.state)];
        [(0, number[0], number[1]), (1, number[0], number[2]), (2, number[1], number[2])]
    }
}

fn index<D: Dimension>(value: D) -> usize {
    D::ALL.iter().position(|other| *other == value).expect("every value is listed")
}

/// The full product.
fn product() -> Vec<Row> {
    let with = |place, how| State::ALL.iter().map(move |&state| Row { place, how, state });
    let at = |place| How::ALL.iter().flat_map(move |&how| with(place, how));
    Place::ALL.iter().flat_map(|&place| at(place)).collect()
}

/// Every row that can be.
pub(crate) fn all() -> Vec<Row> {
    product().into_iter().filter(|row| !matches!(row.reads(), Reads::CannotBe(_))).collect()
}

/// Few of them that show every pair of two: each place with each way once, in states that take turns, and what is
/// missing then.
pub(crate) fn suite() -> Vec<Row> {
    let takes_its_turn = |row: &Row| (index(row.place) + index(row.how)) % State::ALL.len() == index(row.state);
    let (mut suite, others): (Vec<Row>, Vec<Row>) = all().into_iter().partition(takes_its_turn);
    let mut shown: BTreeSet<_> = suite.iter().flat_map(|row| row.pairs()).collect();
    for row in others {
        if row.pairs().iter().any(|pair| !shown.contains(pair)) {
            shown.extend(row.pairs());
            suite.push(row);
        }
    }
    suite
}

fn every_pair_that_can_be_is_in_the_suite() {
    let (suite, product) = (suite(), product());
    for pair in product.iter().flat_map(|row| row.pairs()) {
        let mut rows = product.iter().filter(|row| row.pairs().contains(&pair));
        let is_shown = suite.iter().any(|row| row.pairs().contains(&pair));
        assert!(is_shown || rows.all(|row| matches!(row.reads(), Reads::CannotBe(_))), "{:?}", rows.next());
    }
    assert!(suite.len() < all().len() / 3, "{} of {} are no small part", suite.len(), all().len());
}

fn every_row_has_a_name_of_its_own() {
    for row in all() {
        assert_eq!(Row::named(&row.name()), row);
    }
}
