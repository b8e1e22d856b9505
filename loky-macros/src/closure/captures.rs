//! Finds what a closure captures: the names in its body that nothing in it binds.
//!
//! A macro sees names, not what they mean. A local variable begins with a lower-case letter and stands alone where an
//! expression does; so do few other things. What is caught beyond that (a function that is used as a value) can travel,
//! too; what is missed is an error of the compiler that asks for a list. Nothing here knows how captures travel.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    AngleBracketedGenericArguments, Arm, Attribute, Block, Expr, ExprCall, ExprClosure, ExprConst, ExprForLoop, ExprIf,
    ExprLet, ExprPath, ExprRepeat, ExprWhile, Item, Local, Macro, PatIdent, Path, Stmt, Type, UseTree,
};

use super::{invocation, scan};

/// The captures of a closure, in the order of their first use. `self` is not among them.
pub(super) fn find(closure: &ExprClosure) -> Vec<Ident> {
    let mut search = Search::default();
    search.visit_expr_closure(closure);
    search.found
}

/// Walks through the body in the order in which it is written, so that a name is bound from where it is bound.
#[derive(Default)]
pub(super) struct Search {
    /// The names bound at the place that is looked at; an inner scope is a longer list.
    bound: Vec<Ident>,
    found: Vec<Ident>,
}

impl Search {
    /// Notes a name that stands where a value does.
    pub(super) fn meet(&mut self, name: &Ident) {
        if is_like_a_variable(name) && !self.bound.contains(name) && !self.found.contains(name) {
            self.found.push(name.clone());
        }
    }

    /// From here to the end of the scope, the name is the closure's own.
    pub(super) fn bind(&mut self, name: &Ident) {
        self.bound.push(name.clone());
    }

    /// What `walk` binds is bound in it alone.
    pub(super) fn scoped(&mut self, walk: impl FnOnce(&mut Self)) {
        let outside = self.bound.len();
        walk(self);
        self.bound.truncate(outside);
    }

    pub(super) fn visit_statements(&mut self, statements: &[Stmt]) {
        self.scoped(|search| {
            search.bind_items(statements);
            statements.iter().for_each(|statement| search.visit_stmt(statement));
        });
    }

    /// Items are visible in the whole block, also above where they stand.
    fn bind_items(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Item(Item::Fn(item)) => self.bind(&item.sig.ident),
                Stmt::Item(Item::Const(item)) => self.bind(&item.ident),
                Stmt::Item(Item::Static(item)) => self.bind(&item.ident),
                Stmt::Item(Item::Struct(item)) => self.bind(&item.ident),
                Stmt::Item(Item::Use(item)) => self.bind_imports(&item.tree),
                _ => {}
            }
        }
    }

    fn bind_imports(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.bind_imports(&path.tree),
            UseTree::Name(name) => self.bind(&name.ident),
            UseTree::Rename(rename) => self.bind(&rename.rename),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.bind_imports(item)),
            UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let (None, Some(name)) = (&path.qself, path.path.get_ident()) {
            self.meet(name);
        }
    }

    /// What is called by its name is a function as a rule, and a function needs no capture.
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if !matches!(&*call.func, Expr::Path(_)) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.scoped(|search| visit::visit_expr_closure(search, closure));
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.scoped(|search| visit::visit_arm(search, arm));
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.visit_statements(&block.stmts);
    }

    fn visit_expr_if(&mut self, branch: &'ast ExprIf) {
        self.scoped(|search| {
            search.visit_expr(&branch.cond);
            search.visit_block(&branch.then_branch);
        });
        if let Some((_, otherwise)) = &branch.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, repeated: &'ast ExprWhile) {
        self.scoped(|search| visit::visit_expr_while(search, repeated));
    }

    fn visit_expr_for_loop(&mut self, repeated: &'ast ExprForLoop) {
        self.visit_expr(&repeated.expr);
        self.scoped(|search| {
            search.visit_pat(&repeated.pat);
            search.visit_block(&repeated.body);
        });
    }

    /// The value is looked at before the pattern binds: in `let k = k + 1` the second `k` is another one.
    fn visit_expr_let(&mut self, binding: &'ast ExprLet) {
        self.visit_expr(&binding.expr);
        self.visit_pat(&binding.pat);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.visit_local_init(init);
        }
        self.visit_pat(&local.pat);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.bind(&pattern.ident);
        if let Some((_, inner)) = &pattern.subpat {
            self.visit_pat(inner);
        }
    }

    /// A length is a constant, which can use no variable; so are the other places that are not walked into.
    fn visit_expr_repeat(&mut self, array: &'ast ExprRepeat) {
        self.visit_expr(&array.expr);
    }

    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}

    fn visit_type(&mut self, _: &'ast Type) {}

    fn visit_angle_bracketed_generic_arguments(&mut self, _: &'ast AngleBracketedGenericArguments) {}

    fn visit_path(&mut self, _: &'ast Path) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    /// An item captures nothing.
    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        invocation::visit(self, invocation);
    }

    /// What `syn` does not understand.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        scan::visit(self, tokens.clone());
    }
}

/// Whether a name alone, where a value stands, is that of a variable as a rule.
fn is_like_a_variable(name: &Ident) -> bool {
    let is_upper = name.unraw().to_string().starts_with(char::is_uppercase);
    // Rust reads `self`, `crate` and the other words of its own as identifiers, too; `parse2` refuses them.
    !is_upper && syn::parse2::<Ident>(name.to_token_stream()).is_ok()
}
