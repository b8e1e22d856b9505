//! Results of closures that borrow for certain, as far as tokens tell: a string literal, or a reference that is taken
//! at the end of the body. Whatever else cannot travel is found by its type; these would be told in the words of
//! lifetimes.

use syn::{Block, Expr, ExprLit, Lit, Stmt};

use super::bare;
use crate::mistakes::Mistakes;

/// Notes each value at an end of the body that is a reference.
pub(super) fn refuse_borrowed(body: &Expr, mistakes: &mut Mistakes) {
    const WHY: &str = "a result comes from another process, where nothing can be borrowed";
    match bare(body) {
        text @ Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            mistakes.note(text, format!("{WHY}: return a `String`, by `.to_owned()`"));
        }
        reference @ Expr::Reference(_) => mistakes.note(reference, format!("{WHY}: return the owned value")),
        Expr::Block(block) if block.label.is_none() => at_the_end(&block.block, mistakes),
        Expr::If(branch) => {
            at_the_end(&branch.then_branch, mistakes);
            if let Some((_, otherwise)) = &branch.else_branch {
                refuse_borrowed(otherwise, mistakes);
            }
        }
        Expr::Match(choice) => choice.arms.iter().for_each(|arm| refuse_borrowed(&arm.body, mistakes)),
        _ => {}
    }
}

fn at_the_end(block: &Block, mistakes: &mut Mistakes) {
    if let Some(Stmt::Expr(value, None)) = block.stmts.last() {
        refuse_borrowed(value, mistakes);
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn count(body: &Expr) -> usize {
        let mut mistakes = Mistakes::default();
        refuse_borrowed(body, &mut mistakes);
        mistakes.count()
    }

    #[test]
    fn references_at_each_end_of_a_body_are_seen() {
        assert_eq!(count(&parse_quote!("text")), 1);
        assert_eq!(
            count(&parse_quote!({
                let x = 1;
                &x
            })),
            1
        );
        assert_eq!(
            count(&parse_quote!(if x {
                "a"
            } else if y {
                "b"
            } else {
                ("c")
            })),
            3
        );
        assert_eq!(
            count(&parse_quote!(match x {
                0 => &y,
                1 => {
                    "b"
                }
                _ => c,
            })),
            2
        );
    }

    #[test]
    fn what_only_passes_through_a_reference_is_no_result() {
        assert_eq!(count(&parse_quote!("text".to_owned())), 0);
        assert_eq!(
            count(&parse_quote!({
                "text";
            })),
            0
        );
        assert_eq!(count(&parse_quote!(f(&x, if y { "a" } else { "b" }))), 0);
        assert_eq!(count(&parse_quote!(*&x)), 0);
    }
}
