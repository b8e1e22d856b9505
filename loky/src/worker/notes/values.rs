//! From the fields of an event or a span to values that can be sent. What users wrote to show them runs here, so under no
//! lock.

use std::error::Error;
use std::fmt::{self, Debug, Write};

use tracing::field::{Field, Visit};

use crate::text::start_of;
use crate::wire::note::{FIELDS_MAX, TEXT_MAX, TEXTS_MAX, Value, Values};

/// Takes in the fields that are visited.
pub(super) struct Visitor {
    pub(super) values: Values,
    /// How many bytes of text there may still be.
    room: usize,
}

/// As much of a text as there is room for.
struct Limited {
    text: String,
    room: usize,
}

impl Visitor {
    pub(super) fn new() -> Self {
        Self { values: Values::new(), room: TEXTS_MAX }
    }

    fn add(&mut self, field: &Field, value: Value) {
        if let Some(place) = u8::try_from(field.index()).ok().filter(|&place| usize::from(place) < FIELDS_MAX) {
            self.values.push((place, value));
        }
    }

    /// What `write` writes, as far as there is room.
    fn text(&mut self, write: impl FnOnce(&mut Limited) -> fmt::Result) -> String {
        let mut limited = Limited { text: String::new(), room: self.room.min(TEXT_MAX) };
        // It fails where there is no more room, or if that is what the user wrote: what there is by then is said.
        let _ = write(&mut limited);
        self.room -= limited.text.len();
        limited.text
    }
}

impl Write for Limited {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.room - self.text.len();
        if text.len() <= room {
            self.text.push_str(text);
            return Ok(());
        }
        self.text.push_str(start_of(text, room));
        Err(fmt::Error)
    }
}

impl Visit for Visitor {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = self.text(|text| write!(text, "{value:?}"));
        self.add(field, Value::Shown(text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.text(|text| text.write_str(value));
        self.add(field, Value::Text(text));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let text = self.text(|text| {
            write!(text, "{value}")?;
            let causes = std::iter::successors(value.source(), |&cause| cause.source());
            causes.into_iter().try_for_each(|cause| write!(text, ": {cause}"))
        });
        self.add(field, Value::Shown(text));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Value::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.add(field, Value::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.add(field, Value::U128(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::F64(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_where_a_character_ends() {
        let mut visitor = Visitor::new();
        let text = visitor.text(|text| write!(text, "{}", "ü".repeat(TEXT_MAX)));
        assert_eq!(text.len(), TEXT_MAX);
        assert_eq!(visitor.text(|text| text.write_str(&"€".repeat(TEXT_MAX))).len(), TEXT_MAX - TEXT_MAX % 3);
        assert_eq!(
            visitor.text(|text| text.write_str("more")).len(),
            TEXT_MAX % 3,
            "there is no more room in the note"
        );
    }
}
