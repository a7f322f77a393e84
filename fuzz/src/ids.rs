//! The ids of elements in HTML, as a browser finds them.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// The ids of elements, as a browser finds them.
#[derive(Default)]
struct Ids(RefCell<Vec<String>>);

impl TokenSink for Ids {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind == TagKind::StartTag {
            let ids = tag.attrs.iter().filter(|attribute| &*attribute.name.local == "id");
            self.0.borrow_mut().extend(ids.map(|id| id.value.to_string()));
            if &*tag.name == "script" {
                return TokenSinkResult::RawData(RawKind::ScriptData);
            }
        }
        TokenSinkResult::Continue
    }
}

/// The ids in a text of HTML, in document order.
pub fn ids(html: &str) -> Vec<String> {
    let tokenizer = Tokenizer::new(Ids::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(html.into());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}
