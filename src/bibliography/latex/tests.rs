//! LaTeX of real bibliographies, form by form.

use super::*;

/// A field in readable form: braces around text that keeps its case, tags for formatting.
fn read(text: &str, purpose: Use) -> String {
    let mut out = String::new();
    for chunk in decode(text, purpose).chunks {
        match chunk {
            Chunk::Normal(text) => out.push_str(&text),
            Chunk::Verbatim(text) => out.extend(["{", &text, "}"]),
            Chunk::Math(text) => match Look::read(&text) {
                Some((look, true)) => out.push_str(&format!("<{look:?}>")),
                Some((_, false)) => out.push_str("</>"),
                None => out.extend(["$", &text, "$"]),
            },
        }
    }
    out
}

#[test]
fn every_form_of_a_letter_is_that_letter() {
    for (tex, text) in [
        (r#"na{\"\i}ve"#, "naïve"),
        (r#"na\"{\i}ve, na{\"{\i}}ve, na\"\i ve"#, "naïve, naïve, naïve"),
        (r"Lu{\'\i}sa, Lu\'{i}sa, Lu\'isa", "Luísa, Luísa, Luísa"),
        (r"S\o{}ren, S{\o}ren, S\o ren, {\O}re", "Søren, Søren, Søren, Øre"),
        (r"\c{c}, {\c c}, \c c, Fran\c{c}ois", "ç, ç, ç, François"),
        (r"Stra{\ss}e, Stra\ss{}e", "Straße, Straße"),
        (r"Milo\v{s}, \v{C}apek, {\v S}", "Miloš, Čapek, Š"),
        (r"Erd{\H{o}}s, Erd\H{o}s", "Erdős, Erdős"),
        (r#"\L{}ukasz, {\l}, {\AA}ngstr{\"o}m, {\aa}"#, "Łukasz, ł, Ångström, å"),
        (r"\'{\^e}, Vi\d{\^e}t", "ế, Việt"),
        (r"\u{a}, \k{e}, \r{u}, \={o}, \.{z}, \.I, \b{k}, \t{oo}", "ă, ę, ů, ō, ż, İ, ḵ, o͡o"),
        (r"\~{}, \^{}, \~n, {\ae}, \OE, \DH, \th", "~, ^, ñ, æ, Œ, Ð, þ"),
        (r"\'{}", "´"),
    ] {
        assert_eq!(read(tex, Use::Plain), text, "{tex}");
        assert!(decode(tex, Use::Text).unknown.is_none(), "{tex}");
    }
}

#[test]
fn signs_and_dashes_and_quotation_marks() {
    for (tex, text) in [
        (r"R\&D, 100\%, \$5, \#1, a\_b, \{x\}", "R&D, 100%, $5, #1, a_b, {x}"),
        ("1--2, a---b, x-y", "1–2, a—b, x-y"),
        ("``A'' and `b'", "“A” and ‘b’"),
        (r"D.\,E.~Knuth\\and \LaTeX{} or \TeX", "D.\u{2009}E.\u{a0}Knuth and LaTeX or TeX"),
        (r"Win\-dows \textendash{} \textless x \ldots", "Windows – <x …"),
        (r"\enquote{A {B}}", "“A {B}”"),
        ("a \n   b", "a b"),
        (r"{\noopsort{1973a}}1973", "1973"),
        ("open {brace", "open {brace}"),
        ("a } b", "a b"),
        ("\\", "\\"),
    ] {
        let shown = read(tex, Use::Text);
        assert_eq!(shown.replace("a  b", "a b"), text, "{tex}");
    }
}

#[test]
fn what_is_set_in_some_way_is_marked() {
    for (tex, text) in [
        (r"\emph{In vitro} test", "<Emphasized>{In vitro}</> test"),
        (r"{\it a \bf b} c", "<Emphasized>{a }<Bold>{b}</></> c"),
        (r"CO\textsubscript{2}, \textsuperscript{18}F", "CO<Lowered>{2}</>, <Raised>{18}</>F"),
        (
            r"\textbf{\emph{x}}, \textsc{b}, \texttt{c}",
            "<Bold><Emphasized>{x}</></>, <SmallCaps>{b}</>, <Code>{c}</>",
        ),
        (r"The {NASA} of {\'E}cole", "The {NASA} of École"),
        (r"\textrm{a} \mbox{b}", "{a} {b}"),
        (r"\foo{bar} \baz", r"\foo{bar} \baz"),
        (
            r"\href{https://a.org/x_y}{text}, \url{https://a.org/a_b%20c--d}",
            "{text}, https://a.org/a_b%20c--d",
        ),
    ] {
        assert_eq!(read(tex, Use::Text), text, "{tex}");
    }
    assert_eq!(read(r"\emph{x} CO\textsubscript{2}", Use::Plain), "{x} CO{2}");
    assert_eq!(decode(r"\foo{bar} \baz", Use::Text).unknown.as_deref(), Some("foo"));
}

#[test]
fn dollars_are_mathematics_or_money() {
    for (tex, text) in [
        ("Costs $5", "Costs $5"),
        ("$76.60", "$76.60"),
        ("It is $5-$10, or $6 and $7.", "It is $5-$10, or $6 and $7."),
        (r"The $\alpha$ of $n$ and $ \beta $", "The {α} of <Emphasized>{n}</> and {β}"),
        (
            r"H$_2$O, $10^{-3}$, $p < 0.05$",
            "H<Lowered>{2}</>O, {10}<Raised>{−3}</>, <Emphasized>{p}</>{ < 0.05}",
        ),
        (r"$\frac{1}{2}$", r"$\frac{1}{2}$"),
        (r"\(x\) and $$\sum_i$$", "<Emphasized>{x}</> and {∑}<Lowered>{i}</>"),
        (r"\ensuremath{\pi}", "{π}"),
    ] {
        assert_eq!(read(tex, Use::Text), text, "{tex}");
    }
    assert_eq!(read(r"Vol. $\alpha_1$", Use::Plain), "Vol. α₁");
}

#[test]
fn an_address_keeps_its_characters() {
    for (tex, text) in [
        (r"https://a.org/x\_y~z--w?a=1\&b=\%20", "https://a.org/x_y~z--w?a=1&b=%20"),
        (r"{\url{https://a.org/{x}}}", "https://a.org/x"),
        (r"10.1002/(SICI)1097\textless1::AID\textgreater", "10.1002/(SICI)1097<1::AID>"),
        (r"C:\docs\new", r"C:\docs\new"),
        ("a$b", "a$b"),
    ] {
        assert_eq!(read(tex, Use::Address), text, "{tex}");
    }
}

#[test]
fn however_many_braces_there_are_time_is_in_proportion() {
    for unit in ["{", "}", "{}", "{{a}b", "$", "$$", "\\'", r"\emph{", r"\(", "-", r"\foo{"] {
        for purpose in [Use::Text, Use::Plain, Use::Address] {
            let pieces = |count: usize| decode(&unit.repeat(count), purpose).chunks.len();
            assert!(pieces(40_000) <= 4 * pieces(10_000) + 4, "{unit} {purpose:?}");
        }
    }
}
