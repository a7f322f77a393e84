//! A few well-known works cited in several styles.

use super::*;
use crate::tex;

const WORKS: &str = r#"
@string{distill = "Distill"}
@article{goh2021multimodal,
  author = {Goh, Gabriel and Cammarata, Nick and Voss, Chelsea and Carter, Shan and Petrov, Michael and Schubert, Ludwig and Radford, Alec and Olah, Chris},
  title = {Multimodal Neurons in Artificial Neural Networks},
  journal = distill,
  year = {2021},
  note = {https://distill.pub/2021/multimodal-neurons},
  doi = {10.23915/distill.00030}
}
@inproceedings{radford2021clip,
  author = {Radford, Alec and Kim, Jong Wook and Hallacy, Chris},
  title = {Learning Transferable Visual Models From Natural Language Supervision},
  booktitle = {Proceedings of the 38th International Conference on Machine Learning},
  year = 2021,
  pages = {8748--8763}
}
@article{quiroga2005,
  title = "Invariant visual representation by single neurons in the human brain",
  author = "Quian Quiroga, Rodrigo and Reddy, Leila and Kreiman, Gabriel and Koch, Christof and Fried, Itzhak",
  journal = {Nature}, volume = 435, pages = {1102--1107}, year = 2005, doi = {10.1038/nature03687}
}
"#;

fn works() -> Bibliography {
    let (works, faults) = Bibliography::parse(WORKS);
    assert_eq!(faults, []);
    works
}

fn cite(key: &str) -> Citation {
    Citation { key: key.into(), ..Citation::default() }
}

fn ieee() -> CitationStyle {
    style("ieee").expect("a style")
}

/// The list of references of a bibliography all of which is cited.
fn listed(text: &str, name: &str) -> String {
    let (works, faults) = Bibliography::parse(text);
    let groups: Vec<Vec<Citation>> = works.keys().map(|key| vec![cite(key)]).collect();
    let style = style(name).expect(name);
    let cited = works.cited(&style, &groups, &|tex| format!("<math>{tex}</math>"));
    let mut lines: Vec<String> =
        faults.iter().map(|fault| format!("! {}", fault.message)).collect();
    lines.extend(cited.references.into_iter().map(|reference| reference.html));
    lines.join("\n")
}

fn shown(name: &str, groups: &[Vec<Citation>]) -> String {
    let cited = works().cited(&style(name).expect(name), groups, &tex::plain);
    let mut out = cited.citations.join("\n");
    for reference in cited.references {
        out += &format!(
            "\n{} | {} | {}",
            reference.key,
            reference.label.unwrap_or_default(),
            reference.html
        );
    }
    out
}

fn groups() -> Vec<Vec<Citation>> {
    vec![
        vec![Citation { narrative: true, ..cite("goh2021multimodal") }],
        vec![cite("quiroga2005"), cite("goh2021multimodal")],
        vec![Citation { supplement: Some("p. 3".into()), ..cite("radford2021clip") }],
        vec![Citation { supplement: Some("appendix <A>".into()), ..cite("quiroga2005") }],
        vec![cite("nobody")],
    ]
}

#[test]
fn numbers_stand_in_the_order_of_the_text() {
    insta::assert_snapshot!(shown("ieee", &groups()), @r###"
    <a class="cite" href="#ref-goh2021multimodal">G. Goh <i>et al. </i>[1]</a>
    <a class="cite" href="#ref-goh2021multimodal">[1]</a>, <a class="cite" href="#ref-quiroga2005">[2]</a>
    <a class="cite" href="#ref-radford2021clip">[3, p. 3]</a>
    <a class="cite" href="#ref-quiroga2005">[2, appendix &lt;A&gt;]</a>

    goh2021multimodal | [1] | G. Goh <i>et al.</i>, “Multimodal Neurons in Artificial Neural Networks,” <i>Distill</i>, 2021, doi: <a href="https://doi.org/10.23915/distill.00030">10.23915/distill.00030</a>.
    quiroga2005 | [2] | R. Quian Quiroga, L. Reddy, G. Kreiman, C. Koch, and I. Fried, “Invariant visual representation by single neurons in the human brain,” <i>Nature</i>, vol. 435, pp. 1102–1107, 2005, doi: <a href="https://doi.org/10.1038/nature03687">10.1038/nature03687</a>.
    radford2021clip | [3] | A. Radford, J. W. Kim, and C. Hallacy, “Learning Transferable Visual Models From Natural Language Supervision,” in <i>Proceedings of the 38th International Conference on Machine Learning</i>, 2021, pp. 8748–8763.
    "###);
}

#[test]
fn names_and_years_stand_in_the_order_of_the_names() {
    insta::assert_snapshot!(shown("apa", &groups()), @r###"
    <a class="cite" href="#ref-goh2021multimodal">Goh et al. (2021)</a>
    (<a class="cite" href="#ref-goh2021multimodal">Goh et al., 2021</a>; <a class="cite" href="#ref-quiroga2005">Quian Quiroga et al., 2005</a>)
    (<a class="cite" href="#ref-radford2021clip">Radford et al., 2021, p. 3</a>)
    (<a class="cite" href="#ref-quiroga2005">Quian Quiroga et al., 2005, appendix &lt;A&gt;</a>)

    goh2021multimodal |  | Goh, G., Cammarata, N., Voss, C., Carter, S., Petrov, M., Schubert, L., Radford, A., &amp; Olah, C. (2021). Multimodal Neurons in Artificial Neural Networks. <i>Distill</i>. <a href="https://doi.org/10.23915/distill.00030">https://doi.org/10.23915/distill.00030</a>
    quiroga2005 |  | Quian Quiroga, R., Reddy, L., Kreiman, G., Koch, C., &amp; Fried, I. (2005). Invariant visual representation by single neurons in the human brain. <i>Nature</i>, <i>435</i>, 1102–1107. <a href="https://doi.org/10.1038/nature03687">https://doi.org/10.1038/nature03687</a>
    radford2021clip |  | Radford, A., Kim, J. W., &amp; Hallacy, C. (2021). Learning Transferable Visual Models From Natural Language Supervision. <i>Proceedings of the 38th International Conference on Machine Learning</i>, 8748–8763.
    "###);
}

#[test]
fn every_style_shows_every_work() {
    assert!(styles().len() > 80 && styles().contains(&DEFAULT_STYLE) && style("nope").is_none());
    for name in styles() {
        let style = style(name).expect(name);
        let cited = works().cited(&style, &groups(), &tex::plain);
        assert_eq!(cited.citations.len(), 5, "{name}");
        assert_eq!(cited.references.len(), 3, "{name}");
        // Some leave out titles, others journals or years.
        let told = |r: &Reference| {
            let html = r.html.to_lowercase();
            ["neurons", "distill", "nature", "machine", "models"]
                .iter()
                .any(|word| html.contains(word))
        };
        assert!(cited.references.iter().all(told), "{name}: {:?}", cited.references);
        for (group, key) in [(0, "goh2021multimodal"), (1, "quiroga2005")] {
            let link = format!("<a class=\"cite\" href=\"#ref-{key}\">");
            assert!(cited.citations[group].contains(&link), "{name}: {}", cited.citations[group]);
        }
        assert!(cited.citations[4].is_empty());
    }
}

#[test]
fn nothing_in_a_bibliography_is_markup() {
    let (works, faults) = Bibliography::parse(
        "@misc{a<b, title = {<script>alert(1)</script> & $x < 1$ \\textit{y}}, author = {\"Q\" <b>}, url = {javascript:alert(1)}, year = 2020}\n",
    );
    let cited =
        works.cited(&ieee(), &[vec![cite("a<b")]], &|tex| format!("<math>{}</math>", tex.len()));
    let html = format!(
        "{:?} {:?}",
        cited.citations,
        cited.references.iter().map(|r| &r.html).collect::<Vec<_>>()
    );
    assert!(
        !html.contains("<script") && !html.contains("<b>") && !html.contains("href=\\\"javascript"),
        "{html} {faults:?}"
    );
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
                fault.message,
                fault.hint.clone().unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r###"
    "open": the entry `open` cannot be read: it is never closed [look for a brace or quotation mark that is not closed]
    "{in press}": `year` of `late` is left out: it is no date [a date is `2021` or `2021-03-04`]
    "good": the key `good` is already that of the entry on line 1 [each work needs a key of its own; the first is cited]
    "nope": `title` of `short` is left out: no `@string` defines `nope` [put a text between braces]
    "###);
}

#[test]
fn a_page_says_how_it_is_cited() {
    let meta = SelfMeta {
        key: "goh2021multimodal".into(),
        title: "Multimodal Neurons & 100% {more}".into(),
        authors: vec!["Gabriel Goh".into(), "Cammarata, Nick".into(), "Chelsea Voss".into()],
        date: Some("2021-03-04".into()),
        url: Some("https://distill.pub/2021/multimodal-neurons".into()),
        site: "Distill".into(),
    };
    let (plain, bibtex) = self_citation(&meta);
    assert_eq!(plain, "Goh, et al., \"Multimodal Neurons & 100% {more}\", Distill, 2021.");
    insta::assert_snapshot!(bibtex, @r###"
    @article{goh2021multimodal,
      author = {Goh, Gabriel and Cammarata, Nick and Voss, Chelsea},
      title = {{Multimodal Neurons \& 100\% \{more\}}},
      journal = {Distill},
      year = {2021},
      month = {3},
      url = {https://distill.pub/2021/multimodal-neurons}
    }
    "###);
    let (works, faults) = Bibliography::parse(&bibtex);
    assert!(works.has("goh2021multimodal") && faults.is_empty(), "{faults:?}");
    let cited = works.cited(&ieee(), &[vec![cite("goh2021multimodal")]], &tex::plain);
    assert!(cited.references[0].html.contains("Multimodal Neurons &amp; 100%"), "{cited:?}");
    let bare =
        SelfMeta { title: "T".into(), site: "S".into(), key: "t".into(), ..SelfMeta::default() };
    assert_eq!(self_citation(&bare).0, "\"T\", S.");
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
    ! `title` of `b` has a command that is not known, `\foo`, and shows it as it is written
    L. Øre, M. Naïf et al., “CO<sub>2</sub> and <i>Drosophila</i>: α of <math>\frac{1}{2}</math>, H<sub>2</sub>O for $5”. 2001.
    “<i>All</i> of \foo{it}”. 2002.
    "###);
    insta::assert_snapshot!(listed(text, "apa"), @r###"
    ! `title` of `b` has a command that is not known, `\foo`, and shows it as it is written
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
    let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
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
            assert!(text.get(fault.span.clone()).is_some() && fault.hint.is_some(), "{fault:?}");
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
    let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
    insta::assert_snapshot!(said.join("\n"), @r###"
    `title` of `x` is left out: the abbreviation `a` is defined through itself
    `crossref` of `y` leads back to itself
    `xdata` of `y` names an entry `nobody`, which there is not
    `xdata` of `y` leads back to itself
    `xdata` of `z` leads back to itself
    `note` of `w` is left out: no `@string` defines `d`
    "###);
    let doubled: String =
        (1..60).map(|n| format!("@string{{s{n} = s{} # s{}}}\n", n - 1, n - 1)).collect();
    let text = format!("@string{{s0 = {{0123456789}}}}\n{doubled}@misc{{x, title = s59}}\n");
    let (works, faults) = Bibliography::parse(&text);
    assert!(works.has("x") && faults.len() == 1, "{faults:?}");
    assert!(faults[0].message.contains("more than 64 KiB"), "{faults:?}");
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
fn groups_say_what_pandoc_s_do() {
    let group = |citation: Citation| vec![citation];
    let groups = [
        group(Citation {
            prefix: Some("see".into()),
            supplement: Some("p. 3".into()),
            ..cite("goh2021multimodal")
        }),
        group(Citation { authorless: true, supplement: Some("33".into()), ..cite("quiroga2005") }),
        group(Citation {
            narrative: true,
            supplement: Some("p. 33".into()),
            ..cite("goh2021multimodal")
        }),
        vec![
            Citation { prefix: Some("cf.".into()), ..cite("radford2021clip") },
            Citation { supplement: Some("and <more>".into()), ..cite("quiroga2005") },
        ],
        vec![cite("goh2021multimodal"), Citation { authorless: true, ..cite("quiroga2005") }],
    ];
    for name in ["ieee", "apa"] {
        let cited = works().cited(&style(name).expect(name), &groups, &tex::plain);
        insta::assert_snapshot!(
            format!("groups_{name}"),
            cited
                .citations
                .iter()
                .zip(&cited.spoken)
                .map(|(html, text)| format!("{html}\n    {text:?}\n"))
                .collect::<String>()
        );
    }
}

#[test]
fn no_style_stumbles_over_an_odd_work() {
    let odd = "@misc{a}\n@article{b, author={others}, year=0, pages={,}, volume={99999999999}, number={}}\n\
        @book{c, author={{} and , , and {}}, edition={-3}, volumes={x}, editor={and others}, year={-5}}\n\
        @inbook{d, title={$\\frac{}{}$}, chapter={\\textbf{}}, pages={9--1}, month=13, year=2020}\n\
        @thesis{e, author={given=Simon, family=Beumont, useprefix=true}, type={{}}, date={2020-02-31}}\n\
        @online{f, url={http://[}, urldate={12345}, title={\u{202e}x\\}, author={\\'}}\n\
        @patent{g, holder={A and B}, number={1--2--3}, date={1999/..}, title={{{{}}}}, ids={,}}\n\
        @weird{h, series={S}, maintitle={M}, volume={IV-1/W1}, eventdate={x}, venue={V}, langid={klingon}}\n\
        @proceedings{i, editor={X, Y, Z, W}, eventtitle={E}, venue={V}, eventdate={2020-01-01/2020-01-03}}\n";
    let (works, faults) = Bibliography::parse(odd);
    assert_eq!(works.keys().count(), 9, "{faults:?}");
    let groups: Vec<Vec<Citation>> = works
        .keys()
        .flat_map(|key| {
            let plain = cite(key);
            let narrative = Citation { narrative: true, ..cite(key) };
            let placed =
                Citation { authorless: true, supplement: Some("p. 3".into()), ..cite(key) };
            [vec![plain], vec![narrative], vec![placed]]
        })
        .collect();
    for name in styles() {
        let style = style(name).expect(name);
        let cited = works.cited(&style, &groups, &tex::plain);
        assert_eq!((cited.citations.len(), cited.references.len()), (27, 9), "{name}");
    }
}
