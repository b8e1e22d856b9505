//! `#[loky::tasks]` on an impl block: finds the methods in it that are to be tasks.
//!
//! An attribute on the method alone sees neither the type nor its generics, and could put nothing beside the block.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, ImplItem, ImplItemFn, ItemImpl, Meta};

use crate::expand;
use crate::fallback;
use crate::home::Home;
use crate::mistakes::Mistakes;
use crate::options::Options;
use crate::signature::Signature;

/// The block, whose tasks are said to be so no more, and what stands behind it.
pub(crate) fn write(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let options = Options::parse_block(options, &mut mistakes);
    let Ok(mut block) = syn::parse2::<ItemImpl>(item.clone()) else {
        mistakes.note(item, "`#[loky::tasks]` goes on an impl block; a free function has `#[loky::task]`");
        return fallback::item_alone(item, mistakes);
    };
    let behind = behind(&mut block, &options, &mut mistakes);
    let errors = mistakes.into_tokens();
    quote!(#errors #block #(#behind)*)
}

fn behind(block: &mut ItemImpl, options: &Options, mistakes: &mut Mistakes) -> Vec<TokenStream> {
    let home = Home::of(block);
    let block_cfgs: Vec<_> = block.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
    let mut behind = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let Some(attribute) = take_attribute(method) else { continue };
        let before = mistakes.count();
        let options = options.with(own_options(&attribute), mistakes);
        let mut signature = Signature::check(&method.attrs, &method.vis, &method.sig, Some(&home), mistakes);
        signature.cfgs.extend(block_cfgs.clone());
        // What stands beside a mistake would only be another one.
        if mistakes.count() == before {
            behind.push(expand::method(method, &signature, &options));
        }
    }
    if behind.is_empty() && mistakes.are_none() {
        mistakes
            .note(&block.self_ty, "no function of this block is a task: put `#[loky::task]` on those that shall be");
    }
    behind
}

/// Takes `#[loky::task]` away from a method: it has been found.
fn take_attribute(method: &mut ImplItemFn) -> Option<Attribute> {
    let is_ours = |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "task");
    let place = method.attrs.iter().position(is_ours)?;
    Some(method.attrs.remove(place))
}

fn own_options(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        // `#[task = "…"]`: refused as what it is.
        Meta::NameValue(wrong) => wrong.value.to_token_stream(),
    }
}
