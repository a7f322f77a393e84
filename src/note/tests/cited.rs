//! The sentences that claims cite by a name at the end of their block.

use super::*;

/// The sentences of a note that its names cite, by name.
fn sentences(source: &str) -> Vec<(String, Option<String>)> {
    let found = note(source);
    let of = |anchor: &Anchor| {
        let sentence = anchor.sentence.as_ref().map(|sentence| sentence.text.clone());
        (anchor.id.clone(), sentence)
    };
    found.anchors.iter().map(of).collect()
}

fn marked(source: &str, ids: &[&str]) -> String {
    let claim = |id: &&str| ClaimShown {
        id: (*id).to_owned(),
        says: "expected > 3, measured \"2\"".to_owned(),
        href: "#vis".to_owned(),
    };
    let claims: Vec<ClaimShown> = ids.iter().map(claim).collect();
    let mark = "<a class=\"claim-mark\" href=\"#vis\" title=\"expected &gt; 3, measured &quot;2&quot;\"><span aria-hidden=\"true\">⚠\u{FE0E}</span> ";
    let html = render(source, Parts { claims: &claims, ..Parts::default() });
    html.replace(mark, "<a!>")
}

fn html_of(source: &str) -> String {
    render(source, Parts::default())
}

#[test]
fn the_last_sentence_of_a_block_is_cited() {
    for (source, sentence) in [
        ("All are hands. ^x", "All are hands."),
        ("Look. All are hands, e.g. these. ^x", "All are hands, e.g. these."),
        ("Look.\nAll of [[them]] are *hands*. ^x", "All of them are hands."),
        ("Look. *All* are hands.\n^x", "All are hands."),
        ("Look. *All are. Hands* of ==men==. ^x", "All are. Hands of men."),
        ("Look.[^1] All are hands.[^1] ^x\n\n[^1]: No.", "All are hands."),
        ("Look. All `a.b. C` are. ^x", "All a.b. C are."),
        ("- One. Two. ^x\n  - Three.", "Two."),
        ("> Quoted. Said. ^x", "Said."),
        ("Größe. Alle &amp; Hände. ^x", "Alle & Hände."),
        ("A <b>b. C</b> d. E. ^x", "A b. C d. E."),
    ] {
        let expected = vec![("x".to_owned(), Some(sentence.to_owned()))];
        assert_eq!(sentences(source), expected, "{source:?}");
    }
    let several = "Look. *All* are hands. ^x\nThe next (\"two\").  ^y-2\nNot a name ^z\nor 10 ^2 and. Last `= a.b`. ^w";
    let cited = ["x", "y-2", "w"].map(str::to_owned);
    let texts = ["All are hands.", "The next (\"two\").", "Last \u{fdd0}0\u{fdd1}."];
    let texts = texts.map(|text| Some(text.to_owned()));
    let mut found: Vec<_> = cited.into_iter().zip(texts).collect();
    // The name of the block is found first.
    found.rotate_right(1);
    assert_eq!(sentences(several), found);
    assert!(html_of(several).contains("^z\nor 10 ^2"), "{}", html_of(several));
    let noted =
        "Look. All are hands.[^1] ^x\nMore [^1]. [^1] ^y\nNo end [^1] ^z\nof it.\n\n[^1]: No.";
    let found: Vec<String> = sentences(noted).into_iter().filter_map(|(_, text)| text).collect();
    assert_eq!(found, ["All are hands.", "More ."]);
    let alone = "| a |\n| --- |\n| b |\n\n^x";
    assert_eq!(sentences(alone), [("x".to_owned(), None)]);
}

#[test]
fn a_sentence_whose_claim_fails_is_marked() {
    assert_eq!(
        marked("Look. All are *hands*. ^x", &["x"]),
        "<p><span class=\"block-anchor\" id=\"^x\"></span>Look. <span class=\"claim-fails\">All are <em>hands</em>.</span> <a!>does not hold</a></p>\n"
    );
    // A sentence that begins in an element takes it whole.
    assert_eq!(
        marked("Look. *All are. Hands.* ^x", &["x"]),
        "<p><span class=\"block-anchor\" id=\"^x\"></span>Look. <span class=\"claim-fails\"><em>All are. Hands.</em></span> <a!>does not hold</a></p>\n"
    );
    assert_eq!(
        marked("- One. ^x\n- Two. ^y\n", &["y"]),
        "<ul>\n<li><span class=\"block-anchor\" id=\"^x\"></span>One.</li>\n<li><span class=\"block-anchor\" id=\"^y\"></span><span class=\"claim-fails\">Two.</span> <a!>does not hold</a></li>\n</ul>\n"
    );
    assert_eq!(
        marked("Look. One of it. ^x\nTwo [are](a.html). ^y\nThree.", &["y"]),
        "<p>Look. <span class=\"block-anchor\" id=\"^x\"></span>One of it.\n<span class=\"block-anchor\" id=\"^y\"></span><span class=\"claim-fails\">Two <a class=\"external\" rel=\"noopener\" href=\"a.html\">are</a>.</span> <a!>does not hold</a>\nThree.</p>\n"
    );
    // The first block with a name has it.
    let twice = marked("One. ^x\n\nTwo. ^x\n", &["x"]);
    assert_eq!(twice.matches("claim-fails").count(), 1, "{twice}");
    assert_eq!(
        marked("> quote\n\n^x\n", &["x"]),
        "<span class=\"block-anchor\" id=\"^x\"></span><blockquote>\n<p>quote</p>\n</blockquote>\n<p class=\"claim-fails-above\"><a!>The above does not hold</a></p>\n"
    );
}

#[test]
fn nothing_is_marked_where_claims_hold() {
    let source = "Look. *All* are hands. ^x\n\n- One. ^y\n";
    assert_eq!(marked(source, &[]), marked(source, &["z"]));
    assert!(!marked(source, &[]).contains("claim"));
}

#[test]
fn a_caption_has_names_too() {
    let block = "```yaml analysis\nid: a\nkind: unit_summary\nlayer: text\nunit: 1\ncaption: \"Twelve. All are hands, `= a.mean | .1f` of them. ^hands\"\n```\n";
    let found = note(block);
    let [anchor] = &found.anchors[..] else { panic!("{:?}", found.anchors) };
    assert_eq!(anchor.id, "hands");
    let block = &found.blocks[0];
    assert_eq!((&anchor.span, &block.caption_anchors[..]), (&block.span, &[anchor.clone()][..]));
    let sentence = anchor.sentence.clone().expect("a sentence");
    assert_eq!(Some(sentence.span), block.fields.get("caption").map(|field| field.span.clone()));
    assert_eq!(fill(&sentence.text, |_| Some("3")), "All are hands, 3 of them.");
    assert_eq!(found.anchor("^hands").as_deref(), Some("^hands"));
    // A name of the prose comes first, and the caption has it no more.
    let twice = note(&format!("{}\nProse. ^hands\n", found.source));
    assert_eq!(twice.anchors.len(), 1);
    assert!(!twice.anchors[0].in_caption && twice.blocks[0].caption_anchors.is_empty());
    assert!(twice.problems.iter().any(|problem| problem.message.contains("`^hands` is already")));
    let caption = "All are hands. ^hands";
    let shown =
        |known: &[&str]| render(caption, Parts { names: Some(("e1-", known)), ..Parts::default() });
    assert_eq!(
        shown(&["hands"]),
        "<p><span class=\"block-anchor\" id=\"e1-^hands\"></span>All are hands.</p>\n"
    );
    assert_eq!(shown(&[]), "<p>All are hands.</p>\n");
}
