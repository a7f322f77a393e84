//! Notes are CommonMark: every example of its specification is rendered as a note is, and held against what it shows.
//!
//! Compared are elements, attributes and text as a browser's own reader takes them. What a note's HTML has besides by
//! design is taken off first, piece by piece, and nothing else is. Where notes read an example otherwise than CommonMark,
//! [`EXCEPTIONS`] says why; one that is no longer otherwise must leave that list.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use neuronotes::note::{Parts, render};

/// Examples that notes read otherwise, by the numbers of the specification, each with the reason.
const EXCEPTIONS: &[(u32, &str)] = &[
    (142, "a listing in Ruby is coloured"),
    (143, "a listing in Ruby is coloured"),
    (548, "[[foo]] is a wikilink"),
    (559, "[[*foo* bar]] is a wikilink, whose target is no Markdown"),
    (590, "![[foo]] is an embed"),
];

/// The elements around which white space means nothing, as CommonMark's own comparison has them.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "button",
    "canvas",
    "caption",
    "col",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "iframe",
    "li",
    "map",
    "object",
    "ol",
    "output",
    "p",
    "pre",
    "progress",
    "script",
    "section",
    "style",
    "table",
    "tbody",
    "td",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
    "video",
];

#[test]
fn every_example_of_the_specification_is_read_as_it_says() {
    let examples = examples();
    assert_eq!(examples.len(), 652);
    let exceptions: BTreeMap<u32, &str> = EXCEPTIONS.iter().copied().collect();
    assert_eq!(exceptions.len(), EXCEPTIONS.len(), "an exception is listed twice");
    let mut wrong = String::new();
    for (number, Example { section, markdown, html }) in (1..).zip(&examples) {
        let shown = rendered(markdown);
        let (ours, theirs) = (normal(&shown, true), normal(html, false));
        match (exceptions.get(&number), ours == theirs) {
            (None, false) => {
                let _ = write!(
                    wrong,
                    "\nexample {number} ({section})\n{markdown}\nexpected {theirs:#?}\nis {ours:#?}\n"
                );
            }
            (Some(reason), true) => {
                let _ = write!(wrong, "\nexample {number} is no exception any more ({reason})\n");
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_differs_is_seen() {
    let same = |ours: &str, theirs: &str| normal(ours, true) == normal(theirs, false);
    assert!(same("<p>a <em>b</em>\n&lt;</p>\n", "<p>a <em>b</em> &#60;</p>"));
    assert!(same(
        "\n<h1 id=\"\">a <a class=\"anchor\" href=\"#\" aria-label=\"Link to this section\">#</a></h1>\n",
        "<h1>a</h1>"
    ));
    assert!(same("<img alt=\"a\" src=\"b\" loading=\"lazy\">", "<img src=\"b\" alt=\"a\" />"));
    for (ours, theirs) in [
        ("<p>a</p>", "<p>b</p>"),
        ("<p>a</p>", "a"),
        ("<p>a b</p>", "<p>ab</p>"),
        ("<p><em>a</em></p>", "<p><strong>a</strong></p>"),
        ("<p><em>a</em> b</p>", "<p><em>a b</em></p>"),
        ("<pre><code>a  b</code></pre>", "<pre><code>a b</code></pre>"),
        ("<a href=\"b\">a</a>", "<a href=\"c\">a</a>"),
        ("<a href=\"b\" class=\"internal\">a</a>", "<a href=\"b\">a</a>"),
        ("<a class=\"external\" href=\"b\">a</a>", "<a href=\"b\">a</a>"),
        ("<h1 id=\"x\">a</h1>", "<h1>a</h1>"),
        ("<h1>a #</h1>", "<h1>a</h1>"),
        ("<p>a <a class=\"anchor\" href=\"#\">#</a></p>", "<p>a</p>"),
        ("<ol start=\"2\"><li>a</li></ol>", "<ol><li>a</li></ol>"),
        ("<p>a</p><!-- b -->", "<p>a</p>"),
    ] {
        assert!(!same(ours, theirs), "{ours}");
    }
}

/// A note's Markdown as its page has it, with nothing of the garden put in.
fn rendered(markdown: &str) -> String {
    let parts = Parts::default();
    render(markdown, parts)
}

struct Example {
    section: String,
    markdown: String,
    html: String,
}

/// The examples in the order of their numbers. Each stands between fences of 32 signs, its two halves apart by a line with
/// only a point; `→` is a tabulator.
fn examples() -> Vec<Example> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/commonmark/spec.txt");
    let text = fs::read_to_string(path).expect("the specification");
    let fence = "`".repeat(32);
    let (mut found, mut section) = (Vec::new(), String::new());
    let mut lines = text.lines().take_while(|line| *line != "<!-- END TESTS -->");
    while let Some(line) = lines.next() {
        if line == format!("{fence} example") {
            let mut half = |end: &str| {
                let lines = lines.by_ref().take_while(|line| *line != end);
                lines.map(|line| line.replace('→', "\t") + "\n").collect::<String>()
            };
            let (markdown, html) = (half("."), half(&fence));
            found.push(Example { section: section.clone(), markdown, html });
        } else if let Some(heading) = line.strip_prefix('#') {
            heading.trim_start_matches('#').trim().clone_into(&mut section);
        }
    }
    found
}

/// HTML as a list of tags and texts: attributes by name, white space that means nothing taken out. Of our own also what
/// pages have besides.
fn normal(html: &str, ours: bool) -> Vec<String> {
    let sink = Tokens::default();
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(html.into());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut tokens = tokenizer.sink.found.into_inner();
    if ours {
        tokens = without_additions(tokens);
    }
    spaced(tokens)
}

/// A tag, text, or anything else.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Open { name: String, attributes: BTreeMap<String, String> },
    Close(String),
    Text(String),
    Other(String),
}

impl Part {
    fn is_block(&self) -> bool {
        matches!(self, Self::Open { name, .. } | Self::Close(name) if BLOCKS.contains(&&**name))
    }

    fn attributes(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Open { attributes, .. } => Some(attributes),
            _ => None,
        }
    }
}

/// What the reader found.
#[derive(Default)]
struct Tokens {
    found: RefCell<Vec<Part>>,
}

impl TokenSink for Tokens {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut found = self.found.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                let next = content(&tag);
                let name = tag.name.to_string();
                let attributes = tag.attrs.iter();
                let attributes =
                    attributes.map(|a| (a.name.local.to_string(), a.value.to_string()));
                found.push(match tag.kind {
                    TagKind::StartTag => Part::Open { name, attributes: attributes.collect() },
                    TagKind::EndTag => Part::Close(name),
                });
                return next;
            }
            Token::CharacterTokens(text) => {
                if let Some(Part::Text(before)) = found.last_mut() {
                    before.push_str(&text);
                } else {
                    found.push(Part::Text(text.to_string()));
                }
            }
            Token::NullCharacterToken => found.push(Part::Text("\0".into())),
            Token::CommentToken(text) => found.push(Part::Other(format!("<!--{text}-->"))),
            Token::DoctypeToken(doctype) => found.push(Part::Other(format!("{doctype:?}"))),
            Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

/// How what follows a tag is read: a script holds no tags.
fn content(tag: &Tag) -> TokenSinkResult<()> {
    match (tag.kind, &*tag.name) {
        (TagKind::StartTag, "script") => TokenSinkResult::RawData(RawKind::ScriptData),
        (TagKind::StartTag, "style") => TokenSinkResult::RawData(RawKind::Rawtext),
        (TagKind::StartTag, "textarea" | "title") => TokenSinkResult::RawData(RawKind::Rcdata),
        _ => TokenSinkResult::Continue,
    }
}

/// What a note's HTML has besides: headings' links to themselves and their empty anchors, since nothing of a garden is put
/// in; the class of links to other sites; pictures that load when they are seen.
fn without_additions(parts: Vec<Part>) -> Vec<Part> {
    let mut left: Vec<Part> = Vec::with_capacity(parts.len());
    let mut heading = false;
    let mut parts = parts.into_iter().peekable();
    while let Some(mut part) = parts.next() {
        let is_self_link = heading
            && part.attributes().is_some_and(|attributes| {
                let is = |name: &str, value: &str| attributes.get(name).is_some_and(|v| v == value);
                attributes.len() == 3
                    && is("class", "anchor")
                    && is("href", "#")
                    && is("aria-label", "Link to this section")
            });
        if is_self_link {
            let text = parts.next();
            assert_eq!(text, Some(Part::Text("#".into())));
            assert_eq!(parts.next(), Some(Part::Close("a".into())));
            continue;
        }
        match &mut part {
            Part::Open { name, attributes } => {
                heading |= is_heading(name);
                let has =
                    |name: &str, value: &str| attributes.get(name).is_some_and(|v| v == value);
                if is_heading(name) && has("id", "") {
                    attributes.remove("id");
                } else if name == "a" && has("class", "external") && has("rel", "noopener") {
                    attributes.remove("class");
                    attributes.remove("rel");
                } else if name == "pre" && has("tabindex", "0") {
                    // What is wider than the page is moved by the keyboard.
                    attributes.remove("tabindex");
                } else if name == "img" && has("loading", "lazy") {
                    attributes.remove("loading");
                }
            }
            Part::Close(name) => heading &= !is_heading(name),
            Part::Text(_) | Part::Other(_) => {}
        }
        left.push(part);
    }
    left
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Without the white space that means nothing: runs of it outside `pre` are one space, and beside blocks none.
fn spaced(parts: Vec<Part>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut pre = 0;
    let blocks: Vec<bool> = parts.iter().map(Part::is_block).collect();
    for (at, part) in parts.into_iter().enumerate() {
        match part {
            Part::Open { name, attributes } => {
                pre += usize::from(name == "pre");
                let attributes =
                    attributes.iter().map(|(name, value)| format!(" {name}={value:?}"));
                out.push(format!("<{name}{}>", attributes.collect::<String>()));
            }
            Part::Close(name) => {
                pre -= usize::from(name == "pre" && pre > 0);
                out.push(format!("</{name}>"));
            }
            Part::Text(text) if pre > 0 => out.push(text),
            Part::Text(text) => {
                let mut text = collapsed(&text);
                if at == 0 || blocks[at - 1] {
                    text = text.trim_start_matches(' ').to_owned();
                }
                if blocks.get(at + 1).is_none_or(|block| *block) {
                    text = text.trim_end_matches(' ').to_owned();
                }
                if !text.is_empty() {
                    out.push(text);
                }
            }
            Part::Other(text) => out.push(text),
        }
    }
    out
}

fn collapsed(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let space = matches!(letter, ' ' | '\t' | '\n' | '\r');
        if !(space && out.ends_with(' ')) {
            out.push(if space { ' ' } else { letter });
        }
    }
    out
}
