//! The part of the documentation that a run of the benchmark writes: what stands between two comments.

/// Above the tables.
pub const BEGIN: &str = "<!-- measured: written by `cargo bench -p loky-benches -- --update-docs` -->";
/// Below the tables.
pub const END: &str = "<!-- end of measured -->";

/// The document with other tables.
///
/// # Errors
///
/// If the comments are not there, each once and in order.
pub fn replace_tables(document: &str, tables: &str) -> Result<String, String> {
    let parts: Vec<_> = document.split(BEGIN).collect();
    let [before, rest] = parts[..] else { return Err(format!("not exactly one `{BEGIN}`")) };
    let parts: Vec<_> = rest.split(END).collect();
    let [_, after] = parts[..] else { return Err(format!("not exactly one `{END}` after the other comment")) };
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, replace_tables};

    #[test]
    fn only_what_stands_between_the_comments_is_replaced() {
        let document = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = replace_tables(&document, "| new |\n").expect("both comments are there");
        assert_eq!(new, format!("a\n{BEGIN}\n\n| new |\n\n{END}\nb\n"));
        assert_eq!(replace_tables(&new, "| new |"), Ok(new.clone()));
    }

    #[test]
    fn a_document_without_the_comments_is_left_alone() {
        assert!(replace_tables("text", "t").is_err());
        assert!(replace_tables(&format!("{END}{BEGIN}"), "t").is_err());
    }
}
