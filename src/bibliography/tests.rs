//! A few well-known works cited in several styles.

mod entries;
mod hostile;

use super::*;
use crate::author::Author;
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
fn a_page_says_how_it_is_cited() {
    let meta = SelfMeta {
        key: "goh2021multimodal".into(),
        title: "Multimodal Neurons & 100% {more}".into(),
        authors: ["Gabriel Goh", "Cammarata, Nick", "Chelsea Voss"].map(Author::named).into(),
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
