//! What stands beside an error, so that the rest of the program still type-checks and no second error hides the first.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::{self, Bodies};
use crate::mistakes::Mistakes;
use crate::options::Options;
use crate::signature::Signature;

/// The mistakes, the function, and a path form that no program ever runs.
pub(crate) fn task(item: &TokenStream, signature: &Signature, options: &Options, mistakes: Mistakes) -> TokenStream {
    // A method's path form would stand inside an impl block, where no type can.
    if signature.is_method {
        return item_alone(item, mistakes);
    }
    let errors = mistakes.into_tokens();
    let endless = || quote!(loop {});
    let bodies = Bodies { spawn: endless(), run: endless(), bind: endless() };
    let path_form = expand::path_form(signature, options, &bodies);
    quote!(#errors #item #path_form)
}

/// The mistakes, and the item as it came.
pub(crate) fn item_alone(item: &TokenStream, mistakes: Mistakes) -> TokenStream {
    let errors = mistakes.into_tokens();
    quote!(#errors #item)
}
