//! A data set that is large enough to be scanned in pieces, as the garden plans, shows and publishes it.

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::dataset::piece::LARGEST;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;

use crate::common::Garden;
use crate::common::results::{fill, picture};

const BLOCK: &str = "# A note\n\n```yaml analysis\nid: hist\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\n\
                     unit: 3\n```\n";

/// A garden with a folder of a few more pictures than a piece may have.
fn garden() -> Garden {
    let garden = Garden::of(&[("a.md", BLOCK)]);
    let config = garden.read("neuronotes.yaml");
    let emoji = config.lines().find(|line| line.contains("emoji.tar")).expect("the data set");
    garden.write("neuronotes.yaml", &config.replace(emoji, "  emoji: data"));
    std::fs::create_dir_all(garden.path("data")).expect("a folder");
    let png = picture([9, 9, 9]);
    for at in 0..=LARGEST {
        std::fs::write(garden.path(&format!("data/{at:05}.png")), &png).expect("a picture");
    }
    garden
}

/// The block's request.
fn request(garden: &Garden) -> Request {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let plan = site::wishes(&mut workspace).plan;
    workspace.save_digests();
    (*plan.requests[0].1).clone()
}

fn scans(request: &Request) -> Vec<Digest> {
    let scans = request.uses.iter().filter(|used| used.kind == scan::NAME);
    scans.map(Request::key).collect()
}

#[test]
fn a_large_folder_is_planned_in_pieces_and_one_more_picture_costs_one_of_them() {
    let garden = garden();
    let before = request(&garden);
    let pieces = scans(&before);
    assert!(pieces.len() > 1, "{}", pieces.len());
    let shards = &before.dataset.as_ref().expect("a data set").shards;
    let counts = shards.iter().map(|shard| shard.count.expect("a count"));
    assert_eq!(counts.sum::<u64>(), LARGEST as u64 + 1);
    assert_eq!(fill(&garden), 1);
    let run = garden.built();
    assert!(run.summary().contains("0 figures measured, 1 stored"), "{}", run.stderr());
    let said = format!("in {} pieces", pieces.len());
    assert!(garden.page("a.html").contains(&said), "How this was measured");
    let explained = garden.run(&["explain", "a#hist"]).stdout();
    assert!(explained.contains(&said), "{explained}");
    assert!(explained.contains("over emoji, piece 2 of"), "{explained}");
    let list = garden.run(&["dataset", "list"]).stdout();
    assert!(list.contains("4,097 pictures") && !list.contains("shards"), "{list}");
    let info = garden.run(&["dataset", "info", "emoji"]).stdout();
    for wanted in [
        "sizes      6 × 4 pixels (of 1,366 of them); ",
        &format!("pieces     {}, each scanned by itself", pieces.len()),
        "each layer of emoji takes ",
        "the time is unknown until this model has scanned something",
    ] {
        assert!(info.contains(wanted), "{wanted}\n{info}");
    }

    // What was frozen has the same keys without the pictures.
    let frozen = garden.run(&["freeze"]);
    assert_eq!(frozen.code(), 0, "{}", frozen.stderr());
    std::fs::rename(garden.path("data"), garden.path("away")).expect("renamed");
    let run = garden.run(&["build", "--frozen"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    std::fs::rename(garden.path("away"), garden.path("data")).expect("renamed");

    std::fs::write(garden.path("data/02000-more.png"), picture([1, 2, 3])).expect("a picture");
    std::fs::write(garden.path("data/00001.txt"), "a caption").expect("a caption");
    let after = scans(&request(&garden));
    let new = after.iter().filter(|key| !pieces.contains(key)).count();
    assert_eq!((after.len(), new), (pieces.len(), 1));
    let explained = garden.run(&["explain", "a#hist"]).stdout();
    assert!(explained.contains("not measured yet"), "{explained}");
    // Without the picture, all is there again.
    std::fs::remove_file(garden.path("data/02000-more.png")).expect("removed");
    assert_eq!(scans(&request(&garden)), pieces);
}
