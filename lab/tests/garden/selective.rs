//! Selectivity and the quiz from a note to the page: numbers in prose, what cannot be tested, and the page of a quiz.

use neuronotes_core::kind::quiz::Quiz;

use super::{block, garden};

#[test]
fn a_unit_is_tested_on_what_it_was_not_chosen_by_and_quizzed() {
    let garden = garden();
    let colours = "by: word\ncategories: { warm: [red, white], cold: [blue], grey: grey }\n";
    let layer = "```yaml analysis\nkind: selectivity\nlayer: image_block_4/0/Add_6\n";
    let tested = block("selectivity", 3, &format!("id: tested\npermutations: 200\n{colours}"));
    let chosen = format!(
        "{layer}id: chosen\npermutations: 200\nby: word\ncategories: [square]\nchoose: {{ captions: [red, grey] }}\n```\n\n"
    );
    let quiz = block("quiz", 3, "id: quiz\nreferences: 1\ncatch: 1\n");
    let prose = "Warm `= tested.rows[name=warm].auc | .3f` of `= tested.images`; `= quiz.trials_scored` trials.\n\n";
    garden.note("a.md", &format!("{prose}{tested}{quiz}"));
    let first = garden.built();
    assert!(first.summary().contains("no problems found"), "{}", first.stderr());
    let page = garden.page("a.html");
    assert!(
        page.contains("3 rows have no interval, with fewer than 5 images of one kind"),
        "{page}"
    );
    assert!(page.contains("max-T over 200 permutations"), "{page}");
    // The data of the quiz's page, and that the page says nothing else.
    let (_, link) = page.split_once("<p class=\"sheet-link\"><a href=\"").expect("a link");
    let (file, id) = link.split('"').next().and_then(|link| link.split_once('#')).expect("a name");
    assert_eq!(id, "quiz");
    let own = String::from_utf8(garden.output()[file].clone()).expect("text");
    let start = "<script type=\"application/json\" id=\"data\">";
    let (_, data) = own.split_once(start).expect("the data");
    let data: Quiz =
        serde_json::from_str(data.split_once("</script>").expect("its end").0).expect("a quiz");
    assert!(data.is_whole() && data.trials.len() == 2 && data.images.len() == 4);
    assert!(page.contains("1 of 20 trials, as many as the images are enough for"), "{page}");
    assert!(!own.contains("square") && !own.contains("image_block"), "nothing tells what it is");

    // All images that are tested on are squares: there is nothing to compare them with.
    garden.note("a.md", &format!("{tested}{chosen}"));
    let second = garden.build();
    assert_eq!(second.code(), 1);
    let said = second.stderr();
    assert!(
        said.contains("no category can be tested: each has all or none of the 3 images"),
        "{said}"
    );
    // Too few images for a trial.
    garden.note("a.md", &quiz.replace("references: 1", "references: 2"));
    let third = garden.build();
    assert!(
        third.stderr().contains("a trial needs 6 images, and the data set has 5"),
        "{}",
        third.stderr()
    );
}
