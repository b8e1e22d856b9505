//! Everything that is wrong with one task, so that all of it is told at once, each at the tokens that are to blame.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    /// Notes a mistake that lies in `culprit`.
    pub(crate) fn note(&mut self, culprit: impl ToTokens, message: impl std::fmt::Display) {
        self.note_error(syn::Error::new_spanned(culprit, message));
    }

    pub(crate) fn note_error(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) const fn are_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().flat_map(|errors| errors.clone().into_iter()).count()
    }

    /// What makes the compiler report them.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(|errors| errors.to_compile_error()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0.into_iter().flatten().map(|error| error.to_string()).collect()
    }
}
