//! How files of BibTeX are read.

use super::*;

/// The list of references of a bibliography if all of its works are cited.
fn listed(text: &str, name: &str) -> String {
    let (works, faults) = Bibliography::parse(text);
    let groups: Vec<Vec<Citation>> = works.keys().map(|key| vec![cite(key)]).collect();
    let style = style(name).expect(name);
    let cited = works.cited(&style, &groups, &|tex| format!("<math>{tex}</math>"));
    let mut lines: Vec<String> =
        faults.iter().map(|fault| format!("! {}", fault.problem.message)).collect();
    lines.extend(cited.references.into_iter().map(|reference| reference.html));
    lines.join("\n")
}

#[test]
fn a_fault_costs_what_it_is_in() {
    let text = "@article{good, title = {Good}, year = 2020}\n\
        @article{open, title = {Open, year = 2020}\n\
        @article{late, title = {Late}, year = {in press}}\n\
        @article{good, title = {Again}}\n\
        @article{short, title = nope}\n\
        @article{last, title = {Last}}\n";
    let (works, faults) = Bibliography::parse(text);
    assert_eq!(works.keys().collect::<Vec<_>>(), ["good", "last", "late", "short"]);
    let said: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!(
                "{:?}: {} [{}]",
                &text[fault.span.clone()],
                fault.problem.message,
                fault.problem.hint.clone().unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r###"
    "open": the entry `open` cannot be read: it is never closed [look for an unclosed brace or quotation mark]
    "{in press}": `year` of `late` is left out: it is not a date [write a date as `2021` or `2021-03-04`]
    "good": the key `good` is already used by the entry on line 1 [give each work a key of its own; the first is cited]
    "nope": `title` of `short` is left out: `nope` is not defined by any `@string` [put a text between braces]
    "###);
}

#[test]
fn lists_of_pages_keep_their_commas() {
    let text = "@article{a, title={A}, journal={J}, year=2001, pages={34,37--39}}\n\
        @article{b, title={B}, journal={J}, year=2001, pages={12:1--12:20}}\n\
        @article{c, title={C}, journal={J}, year=2001, eid={e1234}}\n";
    insta::assert_snapshot!(listed(text, "ieee"), @r###"
    “A,” <i>J</i>, pp. 34, 37–39, 2001.
    “B,” <i>J</i>, p. 12:1–12:20, 2001.
    “C,” <i>J</i>, p. e1234, 2001.
    "###);
}

#[test]
fn who_published_a_work_is_shown() {
    let text = "@phdthesis{a, author={Ada Lovelace}, title={Thesis}, school={University of London}, address={London}, year=1843}\n\
        @techreport{b, author={Ada Lovelace}, title={Report}, institution={Bell Labs and Co}, number={TR-7}, year=1948}\n\
        @misc{c, author={Ada Lovelace}, title={Poster}, howpublished={Shown at a fair}, note={Out of print}, year=1950}\n\
        @misc{d, author={Ada Lovelace}, title={Page}, howpublished={\\url{https://example.org/a_b--c}}, year=1950}\n\
        @mastersthesis{e, author={Ada Lovelace}, title={Other}, school={{\\'E}cole}, year=1950}\n\
        @manual{f, title={Manual}, organization={Acme}, year=1950}\n\
        @book{g, author={Ada Lovelace}, title={Title}, subtitle={Subtitle}, publisher={P}, year=1950, edition={2}}\n";
    insta::assert_snapshot!(listed(text, "ieee"), @r###"
    A. Lovelace, “Thesis,” Doctoral dissertation, University of London, London, 1843.
    A. Lovelace, “Report,” Bell Labs and Co, technical report TR-7, 1948.
    A. Lovelace, “Poster.” Shown at a fair, 1950.
    A. Lovelace, “Page.” [Online]. Available: <a href="https://example.org/a_b--c">https://example.org/a_b--c</a>
    A. Lovelace, “Other,” Master&#39;s thesis, École, 1950.
    “Manual.” Acme, 1950.
    A. Lovelace, <i>Title: Subtitle</i>, 2nd ed. P, 1950.
    "###);
    insta::assert_snapshot!(listed(text, "apa"), @r###"
    Lovelace, A. (1843). <i>Thesis</i> [Doctoral dissertation]. University of London.
    Lovelace, A. (1948). <i>Report</i> (Technical Report No. TR-7). Bell Labs and Co.
    Lovelace, A. (1950c). <i>Other</i> [Master&#39;s thesis]. École.
    Lovelace, A. (1950b). <i>Page</i>. <a href="https://example.org/a_b--c">https://example.org/a_b--c</a>
    Lovelace, A. (1950a). <i>Poster</i>. Shown at a fair.
    Lovelace, A. (1950d). <i>Title: Subtitle</i> (2nd ed.). P.
    <i>Manual</i>. (1950). Acme.
    "###);
}

#[test]
fn latex_is_shown_as_what_it_means() {
    let text = "@misc{a, author={Lu{\\'\\i}sa {\\O}re and Milo{\\v{s}} Na{\\\"\\i}f and others}, \
        title={CO\\textsubscript{2} and {\\em Drosophila}: $\\alpha$ of $\\frac{1}{2}$, H$_2$O for \\$5}, year=2001}\n\
        @misc{b, title={\\emph{All} of \\foo{it}}, abstract={Costs $5}, price={$76.60}, year=2002}\n";
    insta::assert_snapshot!(listed(text, "ieee"), @r###"
    ! `title` of `b` has an unknown command, `\foo`, which is shown as written
    L. Øre, M. Naïf et al., “CO<sub>2</sub> and <i>Drosophila</i>: α of <math>\frac{1}{2}</math>, H<sub>2</sub>O for $5”. 2001.
    “<i>All</i> of \foo{it}”. 2002.
    "###);
    insta::assert_snapshot!(listed(text, "apa"), @r###"
    ! `title` of `b` has an unknown command, `\foo`, which is shown as written
    Øre, L., Naïf, M. et al. (2001). <i>CO</i><i><sub>2</sub></i><i> and </i>Drosophila<i>: α of </i><math>\frac{1}{2}</math><i>, H</i><i><sub>2</sub></i><i>O for $5</i>.
    All<i> of \foo{it}</i>. (2002).
    "###);
}

#[test]
fn whatever_form_an_entry_has_it_is_read() {
    let text = "\u{feff}% A comment with @misc{none, title={No}}\r\n\
        Words before: me@example.org, @, @nothing.\r\n\
        @comment{ @misc{hidden, title={H}} }\r\n\
        @preamble{ \"\\newcommand{\\x}{y}\" # \"z\" }\r\n\
        @STRING(jml = {Journal} # { of Learning})\r\n\
        @misc(paren, title={P (1)}, year=2002)\r\n\
        @Article{ key with blanks , Title = \"Q {\"}x{\"}\", journal = jml, month = jan # \"~12\", year = 2003, } % end\r\n\
        @misc{one, title={One}, year=2004} @misc{two, title={Two}, year=2004}\r\n\
        @misc{nocomma, title={N} year={2005}\r\n note={x}}\r\n\
        @misc{path, file={C:\\docs\\}, title={Path}, year=2006}\r\n\
        @misc{ids, ids={old, older}, title={Ids}, year=2007}\r\n\
        @misc{bare}\r\n";
    let (works, faults) = Bibliography::parse(text);
    let keys: Vec<&str> = works.keys().collect();
    assert_eq!(
        keys,
        ["bare", "ids", "key with blanks", "nocomma", "one", "paren", "path", "two"],
        "{faults:?}"
    );
    assert!(works.has("older") && !works.has("hidden") && !works.has("none"));
    let said: Vec<&str> = faults.iter().map(|fault| fault.problem.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "a comma is missing before `year` in the entry `nocomma`",
            "a comma is missing before `note` in the entry `nocomma`"
        ]
    );
    assert!(
        listed(text, "ieee").contains("<i>Journal of Learning</i>, Jan. 2003"),
        "{}",
        listed(text, "ieee")
    );
    assert_eq!(anchor("key with blanks"), "ref-key_with_blanks");
}

#[test]
fn one_bad_entry_costs_no_other() {
    for bad in [
        "@misc{bad, title = {Open {brace}, year = 2020}\n",
        "@misc{bad, title = \"Open, year = 2020}\n",
        "@misc{bad, title = {X}, year\n",
        "@misc{bad, title = }\n",
        "@misc{, title = {X}}\n",
        "@misc{title = {X}}\n",
        "@misc{bad title = {X}}\n",
        "@misc{bad, title = {X}}}\n@comment{ never closed\n",
        "@misc{bad, {X}}\n",
        "@string{never = {closed\n",
    ] {
        let text = format!("@misc{{a, title = {{A}}}}\n{bad}@misc{{z, title = {{Z}}}}\n");
        let (works, faults) = Bibliography::parse(&text);
        assert!(works.has("a") && works.has("z"), "{bad}: {faults:?}");
        let expected = usize::from(!bad.contains("}}}"));
        assert_eq!(faults.len(), expected, "{bad}: {faults:?}");
        for fault in faults {
            assert!(
                text.get(fault.span.clone()).is_some() && fault.problem.hint.is_some(),
                "{fault:?}"
            );
            let place = 22..22 + bad.len();
            assert!(place.contains(&fault.span.start), "{bad}: {fault:?}");
        }
    }
}

#[test]
fn what_leads_to_itself_is_said_and_not_followed() {
    let text = "@string{a = b # b}\n@string{b = a}\n@string{c = \"x\"}\n\
        @misc{x, title = a, crossref = {y}}\n@misc{y, title={Y}, crossref = {x}, xdata = {x, nobody}}\n\
        @xdata{z, publisher = {P}, xdata = {z}}\n@book{w, title={W}, xdata={z}, note = c # d}\n";
    let (works, faults) = Bibliography::parse(text);
    assert_eq!(works.keys().collect::<Vec<_>>(), ["w", "x", "y"]);
    let said: Vec<&str> = faults.iter().map(|fault| fault.problem.message.as_str()).collect();
    insta::assert_snapshot!(said.join("\n"), @r###"
    `title` of `x` is left out: the abbreviation `a` is defined through itself
    `crossref` of `y` leads back to itself
    `xdata` of `y` names the entry `nobody`, which does not exist
    `xdata` of `y` leads back to itself
    `xdata` of `z` leads back to itself
    `note` of `w` is left out: `d` is not defined by any `@string`
    "###);
    let doubled: String =
        (1..60).map(|n| format!("@string{{s{n} = s{} # s{}}}\n", n - 1, n - 1)).collect();
    let text = format!("@string{{s0 = {{0123456789}}}}\n{doubled}@misc{{x, title = s59}}\n");
    let (works, faults) = Bibliography::parse(&text);
    assert!(works.has("x") && faults.len() == 1, "{faults:?}");
    assert!(faults[0].problem.message.contains("exceeds 64 KiB"), "{faults:?}");
    let long: String =
        (0..20_000).map(|n| format!("@misc{{k{n}, crossref = {{k{}}}}}\n", n + 1)).collect();
    assert_eq!(Bibliography::parse(&long).0.keys().count(), 20_000);
}

#[test]
fn a_part_has_what_its_whole_says() {
    let text = "@inproceedings{part, author={Ada Lovelace}, title={Part}, crossref={whole}, pages={1--2}}\n\
        @inproceedings{own, author={Ada Lovelace}, title={Own}, crossref={whole}, year=1999}\n\
        @proceedings{whole, title={Proceedings of All}, year=2001, publisher={ACM}}\n";
    insta::assert_snapshot!(listed(text, "ieee"), @r###"
    A. Lovelace, “Own,” in <i>Proceedings of All</i>, ACM, 1999.
    A. Lovelace, “Part,” in <i>Proceedings of All</i>, ACM, 2001, pp. 1–2.
    <i>Proceedings of All</i>. ACM, 2001.
    "###);
}

#[test]
fn what_the_processor_gets_wrong_is_put_right() {
    let text = "@incollection{a, title={{A} b}, author={Ada Lovelace}, booktitle={The Book}, editor={Ann Brown}, volume=42, year=2001}\n\
        @inproceedings{b, title={B}, author={Ada Lovelace}, booktitle={{NAACL} Papers}, editor={Ann Brown}, year=2002}\n\
        @article{c, title={C}, author={Ada Lovelace}, journal={{IEEE} Trans. X}, doi={https://doi.org/10.1/x}, year={n.d.}}\n\
        @misc{d, title={D}, author={Ada Lovelace}, eprint={1412.6980}, archivePrefix={arXiv}, year=2014}\n";
    let list = listed(text, "apa");
    for part in [
        "A b. In A. Brown (Ed.), <i>The Book</i><i>: </i><i>Vol.</i><i> </i><i>42</i>.",
        "<i>NAACL Papers</i>.",
        "<i>IEEE Trans. X</i>. <a href=\"https://doi.org/10.1/x\">",
        "https://arxiv.org/abs/1412.6980",
    ] {
        assert!(list.contains(part), "{part}\n{list}");
    }
    assert!(!list.contains('!'), "{list}");
}
