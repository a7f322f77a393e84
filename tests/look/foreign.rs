//! A page of another site beside the preview.

use crate::chromium::{browser, open, value, wait};
use crate::common::preview::Preview;
use crate::garden::checked;
use crate::tab::{awaited, click};

/// Answers to every request with this page, at a port of its own.
fn elsewhere(html: String) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 4096];
            let read = std::io::Read::read(&mut stream, &mut head).unwrap_or(0);
            let own = "neuronotes.take(\"graph\", \"of this page itself\")";
            let is_script = String::from_utf8_lossy(&head[..read]).starts_with("GET /own.js");
            let (kind, body) =
                if is_script { ("text/javascript", own) } else { ("text/html", &*html) };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    port
}

#[test]
fn a_foreign_page_reads_nothing_of_the_preview_and_can_lead_to_it() {
    let Some(browser) = browser() else { return };
    let garden = checked();
    garden.note("secret.md", "---\ntitle: Secret\ndraft: true\n---\nA draft.\n");
    let preview = Preview::of(&garden);
    let site = &preview.url;
    let page = format!(
        "<!doctype html><title>Elsewhere</title><script>window.taken = []; window.told = []; \
         window.neuronotes = {{ take: (name, data) => taken.push([name, data]) }}; \
         const done = name => told.push(name);</script>\
         {}<script src=\"/own.js\" onload=\"done('own')\"></script>\
         <img src=\"{site}-/partial/x\" onerror=\"done('picture')\"><iframe src=\"{site}\" onload=\"done('frame')\"></iframe>\
         <script>fetch('{site}search/meta.js').then(() => done('read'), () => done('fetch')); \
         fetch('{site}-/retry', {{ method: 'POST', mode: 'no-cors', body: '{{}}' }}).then(() => done('sent'), () => done('post')); \
         new EventSource('{site}-/events').onerror = () => done('events');</script>\
         <a id=\"link\" href=\"{site}text.html\">a link</a>",
        ["graph-data.js", "search/meta.js", "search/t0.js", "search/e0.js", "previews/0.js"]
            .map(|path| format!("<script src=\"{site}{path}\" onload=\"done('script')\" onerror=\"done('refused')\"></script>"))
            .concat()
    );
    let port = elsewhere(page);
    // Of another site, and of this one with another port.
    for host in ["127.0.0.1", "localhost", "elsewhere.localhost"] {
        let tab = open(&browser, &format!("http://{host}:{port}/"));
        let count = |what: &str| format!("told.filter(name => name === {what:?}).length");
        wait(
            &tab,
            &format!(
                "{} === 5 && {} && {} && {}",
                count("refused"),
                count("fetch"),
                count("events"),
                count("post")
            ),
        );
        wait(&tab, &format!("{} && {}", count("own"), count("frame")));
        assert_eq!(
            value(&tab, "taken"),
            serde_json::json!([["graph", "of this page itself"]]),
            "{host}"
        );
        for what in ["script", "read", "sent"] {
            assert_eq!(value(&tab, &count(what)), 0, "{what} from {host}");
        }
        assert_eq!(value(&tab, "window.frames[0].length"), 0);
        click(&tab, "#link");
        wait(&tab, "location.pathname === '/text.html' && document.querySelector('h1')");
    }
    // What is refused there is there for the preview's own page.
    let tab = open(&browser, site);
    assert_eq!(awaited(&tab, "fetch('search/meta.js').then(answer => answer.status)"), 200);
}
