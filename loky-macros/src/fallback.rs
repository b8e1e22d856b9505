//! What stands beside an error, so that the rest of the program still type-checks and no second error hides the first.

use proc_macro2::TokenStream;
use quote::quote;

use crate::mistakes::Mistakes;
use crate::options::Options;
use crate::path_form::{self, Bodies};
use crate::signature::Signature;

/// The mistakes, the function, and a path form that no program ever runs.
pub(crate) fn task(item: &TokenStream, signature: &Signature, options: &Options, mistakes: Mistakes) -> TokenStream {
    let errors = mistakes.into_tokens();
    let endless = || quote!(loop {});
    let bodies = Bodies { spawn: endless(), run: endless(), bind: endless() };
    let path_form = path_form::write(signature, options, &bodies);
    quote!(#errors #item #path_form)
}

/// The mistakes, and the item as it came.
pub(crate) fn item_alone(item: &TokenStream, mistakes: Mistakes) -> TokenStream {
    let errors = mistakes.into_tokens();
    quote!(#errors #item)
}
