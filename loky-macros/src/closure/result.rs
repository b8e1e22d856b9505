//! Results of closures that borrow for certain, as far as tokens tell: a string literal, or a reference that is taken at
//! the end of the body. Whatever else cannot travel is found by its type; these would be told in the words of lifetimes.

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
