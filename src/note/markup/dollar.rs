//! Dollar signs: hides signs of prices from the Markdown parser.
//!
//! The parser takes any `$…$` without spaces inside its signs for a formula, and so `$5-$10` too. Pandoc and GitHub
//! do not if a digit follows the second sign. The first sign is then masked by a meaningless character and the text
//! parsed again, since what follows may be a formula after all.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag};

/// Maximum number of parses. Each leaves at most half of the signs.
const MOST: usize = 20;

/// Markdown with masked dollar signs.
pub(super) struct Masked {
    /// The masked text, of the same length.
    pub(super) text: String,
    mask: char,
}

/// Masks what only looks like mathematics; `None` if nothing does.
pub(super) fn masked(markdown: &str, options: Options) -> Option<Masked> {
    if !markdown.as_bytes().windows(2).any(|pair| pair[0] == b'$' && pair[1].is_ascii_digit()) {
        return None;
    }
    // A control character that is not in the note; ordinary notes have none.
    let mask = (1..32_u8).find(|byte| {
        !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x0b) && !markdown.as_bytes().contains(byte)
    })?;
    let mut bytes = markdown.as_bytes().to_vec();
    let mut changed = false;
    for _ in 0..MOST {
        let text = String::from_utf8(bytes.clone()).ok()?;
        let prices: Vec<Range<usize>> = Parser::new_ext(&text, options)
            .into_offset_iter()
            .filter(|(event, range)| {
                let after = bytes.get(range.end).copied();
                matches!(event, Event::InlineMath(_)) && after.is_some_and(|b| b.is_ascii_digit())
            })
            .map(|(_, range)| range)
            .collect();
        if prices.is_empty() {
            break;
        }
        changed = true;
        for price in prices {
            bytes[price.start] = mask;
        }
    }
    let text = String::from_utf8(bytes).ok().filter(|_| changed)?;
    Some(Masked { text, mask: char::from(mask) })
}

impl Masked {
    /// An event without the mask.
    pub(super) fn restored(&self, event: Event<'_>) -> Event<'static> {
        let text = |text: CowStr<'static>| match text.contains(self.mask) {
            true => text.replace(self.mask, "$").into(),
            false => text,
        };
        match event.into_static() {
            Event::Text(inner) => Event::Text(text(inner)),
            Event::Code(inner) => Event::Code(text(inner)),
            Event::Html(inner) => Event::Html(text(inner)),
            Event::InlineHtml(inner) => Event::InlineHtml(text(inner)),
            Event::InlineMath(inner) => Event::InlineMath(text(inner)),
            Event::DisplayMath(inner) => Event::DisplayMath(text(inner)),
            Event::FootnoteReference(inner) => Event::FootnoteReference(text(inner)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => Event::Start(Tag::Link {
                link_type,
                dest_url: text(dest_url),
                title: text(title),
                id: text(id),
            }),
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Image {
                    link_type,
                    dest_url: text(dest_url),
                    title: text(title),
                    id: text(id),
                })
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(text(info))))
            }
            Event::Start(Tag::FootnoteDefinition(name)) => {
                Event::Start(Tag::FootnoteDefinition(text(name)))
            }
            other => other,
        }
    }
}
