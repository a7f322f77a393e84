//! The preview as a browser meets it: over HTTP.

mod common;

use std::io::Read as _;
use std::time::{Duration, Instant};

use common::Garden;
use common::preview::Preview;

fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("a.md", "One. See [[B]].\n");
    garden.note("b.md", "---\ntitle: B\n---\nTwo.\n");
    garden
}

#[test]
fn a_save_reaches_the_open_page_and_those_that_depend_on_it() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let (status, page) = preview.get("a.html");
    assert_eq!(status, 200);
    assert!(page.contains("One.") && page.contains("-/preview.js"));
    let news = preview.news();
    garden.note("a.md", "Changed. See [[B]].\n");
    let told = news.recv_timeout(Duration::from_secs(5)).expect("news");
    // The page itself and the home page with its excerpt; the sentence that B's page quotes is the same.
    assert_eq!(told, r#"{"type":"site","pages":["a.html","index.html"]}"#);
    assert!(preview.get("a.html").1.contains("Changed."));
    assert!(!garden.path("output").exists(), "a preview publishes nothing");
}

#[test]
fn every_way_of_saving_is_seen() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let shows = |text: &str| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if preview.get("a.html").1.contains(text) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    };
    garden.note("a.md", "In place.\n");
    assert!(shows("In place."));
    // Write beside it, then rename over it, as vim and many others do.
    garden.write("notes/.a.md.swp", "By a rename.\n");
    std::fs::rename(garden.path("notes/.a.md.swp"), garden.path("notes/a.md")).expect("a rename");
    assert!(shows("By a rename."));
    // Truncate, wait, write, as an editor under load does: the page never shows the empty note.
    garden.note("a.md", "");
    std::thread::sleep(Duration::from_millis(60));
    assert!(
        preview.get("a.html").1.contains("By a rename."),
        "an emptied note is not believed at once"
    );
    garden.note("a.md", "Truncated first.\n");
    assert!(shows("Truncated first."));
    garden.remove("notes/a.md");
    garden.note("a.md", "Removed first.\n");
    assert!(shows("Removed first."));
    // An error at its block, and gone again.
    garden.note("a.md", "```yaml analysis\nkind: nothing\n```\n");
    assert!(shows("problem-error"));
    garden.note("a.md", "Mended.\n");
    assert!(shows("Mended.") && !preview.get("a.html").1.contains("problem-error"));
    garden.write("neuronotes.yaml", "title: Another garden\n");
    assert!(shows("Another garden"));
    // A template of the garden's own, a fault in it, and without it again.
    garden.write("templates/partials/backlinks.html", "<p>Own template</p>\n");
    assert!(shows("Own template"));
    garden.write("templates/partials/backlinks.html", "<p>{{ nothing_like_it }}</p>\n");
    std::thread::sleep(Duration::from_millis(300));
    assert!(preview.get("a.html").1.contains("Own template"), "the last good page stands");
    garden.remove("templates/partials/backlinks.html");
    assert!(shows("Notes mentioning this note"));
}

#[test]
fn foreign_pages_are_refused_and_no_path_leads_out() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let port = preview.url.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    assert_eq!(preview.request("a.html", Some("evil.example"), None).0, 403);
    assert_eq!(preview.request("a.html", Some(&format!("evil.example:{port}")), None).0, 403);
    assert_eq!(preview.request("-/events", None, Some("https://evil.example")).0, 403);
    assert_eq!(preview.request("a.html", Some(&format!("127.0.0.1:{port}")), None).0, 200);
    for path in [
        "../neuronotes.yaml",
        "..%2fneuronotes.yaml",
        "%2e%2e/neuronotes.yaml",
        "notes/a.md",
        "/etc/passwd",
        "-/partial/x",
    ] {
        let (status, body) = preview.get(path);
        assert_eq!(status, 404, "{path}");
        assert!(!body.contains("models") && !body.contains("root:"), "{path}");
    }
    // Bytes that are no request end that connection and nothing else.
    let address = format!("127.0.0.1:{port}");
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    std::io::Write::write_all(&mut stream, b"\x00\xff\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(preview.get("a.html").0, 200);
}
