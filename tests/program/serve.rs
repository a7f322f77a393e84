//! The preview as a browser meets it: over HTTP.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use crate::common;
use crate::common::Garden;
use crate::common::preview::Preview;

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
    let [own, other, home] = ["a.html", "b.html", "index.html"].map(|page| preview.news(page));
    garden.note("a.md", "One. See [[B]].\n\nMore.\n");
    let told = own.next();
    assert_eq!(told["type"], "patch");
    // The paragraph, and nothing before or after it.
    assert_eq!(told["lines"], serde_json::json!(["<p>More.</p>"]));
    garden.note("a.md", "Changed. See [[B]].\n");
    assert!(own.next()["lines"].to_string().contains("Changed."));
    // The sentence that B's page quotes is the same; the home page shows the excerpt.
    assert!(other.is_quiet());
    assert!(home.next()["lines"].to_string().contains("Changed."));
    assert!(preview.get("a.html").1.contains("Changed."));
    assert!(!garden.path("output").exists(), "a preview publishes nothing");
    // Another title is a change of the page that it is a backlink of.
    garden.note("a.md", "---\ntitle: Another\n---\nChanged. See [[B]].\n");
    assert!(other.next()["lines"].to_string().contains("Another"));
    // The same bytes, or another time of change, are no news.
    own.next();
    garden.note("a.md", "---\ntitle: Another\n---\nChanged. See [[B]].\n");
    assert!(own.is_quiet());
}

#[test]
fn generations_grow_and_a_patch_fits_the_page_that_it_is_for() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let news = preview.news("a.html");
    let mut page = preview.get("a.html").1;
    let mut before = 0;
    for text in ["Two.\n", "Two.\n\n## Three\n\nFour.\n\n## Five\n", "Six. [[B]]\n", "Seven.\n"] {
        garden.note("a.md", text);
        let told = news.next_of("patch");
        let generation = told["generation"].as_u64().expect("a number");
        assert!(generation > before, "{generation} after {before}");
        before = generation;
        let digest = |text: &str| neuronotes_core::digest::Digest::of(text.as_bytes()).hex();
        assert_eq!(told["base"], digest(&page));
        let lines: Vec<&str> = page.split('\n').collect();
        let place =
            |name: &str| usize::try_from(told[name].as_u64().expect("a count")).expect("small");
        let middle = told["lines"].as_array().expect("lines").iter();
        let middle: Vec<&str> = middle.map(|line| line.as_str().expect("text")).collect();
        let (first, last) = (&lines[..place("first")], &lines[lines.len() - place("last")..]);
        page = [first, &middle, last].concat().join("\n");
        assert_eq!(told["page"], digest(&page));
        assert_eq!(page, preview.get("a.html").1);
    }
    garden.remove("notes/a.md");
    assert_eq!(news.next()["type"], "gone");
    assert_eq!(preview.get("a.html").0, 404);
    garden.note("a.md", "Back.\n");
    assert_eq!(news.next()["type"], "fetch");
}

#[test]
fn what_is_wrong_outside_notes_is_told_to_every_page_and_taken_back() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let news = preview.news("a.html");
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}titel: A\n"));
    let problems = news.next_of("problems");
    assert_eq!(problems["problems"][0]["place"], "neuronotes.yaml:9:1");
    assert!(problems["problems"][0]["hint"].to_string().contains("title"), "{problems}");
    // A page that is opened later hears of it too.
    assert_eq!(preview.news("b.html").next()["type"], "problems");
    garden.write("neuronotes.yaml", &config);
    assert_eq!(news.next_of("problems")["problems"], serde_json::json!([]));
    garden.write("templates/partials/card.html", "{% if %}");
    let problems = news.next_of("problems");
    assert_eq!(problems["problems"][0]["place"], "templates/partials/card.html:1:1");
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
    assert_eq!(preview.post("-/retry", Some("https://evil.example"), "{}"), 403);
    assert_eq!(preview.post("-/seen", None, "nonsense"), 400);
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

/// An answer: its status, its headers and its body.
struct Got {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Asks for something with these headers.
fn ask(method: &str, url: &str, headers: &[(&str, &str)]) -> Got {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(()).expect("a request")).expect("an answer");
    let text = |value: &ureq::http::HeaderValue| value.to_str().expect("text").to_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = headers.collect();
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec().expect("a body");
    Got { status: answer.status().as_u16(), headers, body }
}

#[test]
fn everything_has_its_media_type_and_is_kept_from_other_sites() {
    let garden = garden();
    garden.note(
        "b.md",
        "---\ntitle: B\n---\n![[clip.mp4]] [t](table.csv) [d](drawing.svg) [u](unknown.zzz)\n",
    );
    for name in ["clip.mp4", "table.csv", "drawing.svg", "unknown.zzz"] {
        garden.note(name, "some bytes");
    }
    let preview = Preview::of(&garden);
    let page = preview.get("b.html").1;
    let named = |start: &str| {
        let at = page.find(start).unwrap_or_else(|| panic!("{start} in {page}"));
        page[at..].split('"').next().expect("a name").to_owned()
    };
    let javascript = "text/javascript; charset=utf-8";
    for (path, media_type) in [
        ("".to_owned(), "text/html; charset=utf-8"),
        ("b.html".to_owned(), "text/html; charset=utf-8"),
        ("-/preview.js".to_owned(), javascript),
        ("-/preview.css".to_owned(), "text/css; charset=utf-8"),
        (named("garden-"), javascript),
        (named("find-"), javascript),
        (named("style-"), "text/css; charset=utf-8"),
        ("search/meta.js".to_owned(), javascript),
        ("previews/0.js".to_owned(), javascript),
        ("graph-data.js".to_owned(), javascript),
        ("files/clip.mp4".to_owned(), "video/mp4"),
        ("files/table.csv".to_owned(), "text/csv; charset=utf-8"),
        ("files/drawing.svg".to_owned(), "image/svg+xml; charset=utf-8"),
        ("files/unknown.zzz".to_owned(), "application/octet-stream"),
    ] {
        let url = format!("{}{path}", preview.url);
        let got = ask("GET", &url, &[("sec-fetch-site", "same-origin")]);
        assert_eq!((got.status, got.header("content-type")), (200, media_type), "{path}");
        for (header, value) in [
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("content-security-policy", "frame-ancestors 'self'"),
        ] {
            assert_eq!(got.header(header), value, "{path}");
        }
        for site in ["cross-site", "same-site"] {
            let given = [
                ("sec-fetch-site", site),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "script"),
            ];
            let refused = ask("GET", &url, &given);
            assert_eq!(refused.status, 403, "{path} for {site}");
            assert_eq!(refused.header("cross-origin-resource-policy"), "same-origin");
        }
    }
    // A link on another site can be followed; a frame there shows nothing.
    let navigate = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let to = |dest| {
        ask(
            "GET",
            &format!("{}b.html", preview.url),
            &[navigate[0], navigate[1], ("sec-fetch-dest", dest)],
        )
        .status
    };
    assert_eq!((to("document"), to("iframe")), (200, 403));
    // What a browser asks before it lets a foreign page ask is refused.
    let given = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    assert_eq!(ask("OPTIONS", &format!("{}-/retry", preview.url), &given).status, 403);
    assert_eq!(ask("PUT", &preview.url, &[]).status, 405);
}

#[test]
fn a_film_comes_in_the_parts_that_are_asked_for() {
    let garden = garden();
    garden.note("b.md", "---\ntitle: B\n---\n![[clip.mp4]]\n");
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(garden.path("notes/clip.mp4"), &bytes).expect("a film");
    let preview = Preview::of(&garden);
    preview.shows("b.html", "clip.mp4");
    let url = format!("{}files/clip.mp4", preview.url);
    let whole = ask("GET", &url, &[]);
    assert!(whole.status == 200 && whole.body == bytes);
    assert_eq!(
        (whole.header("accept-ranges"), whole.header("content-length")),
        ("bytes", "800000")
    );
    let tag = whole.header("etag").to_owned();
    let part = ask("GET", &url, &[("range", "bytes=100000-299999")]);
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 100000-299999/800000"));
    assert_eq!(
        (part.header("content-length"), part.header("content-type")),
        ("200000", "video/mp4")
    );
    assert!(part.body == bytes[100_000..300_000]);
    let end = ask("GET", &url, &[("range", "bytes=-10"), ("if-range", &tag)]);
    assert_eq!((end.status, &*end.body), (206, &bytes[799_990..]));
    let beyond = ask("GET", &url, &[("range", "bytes=800000-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */800000"));
    let head = ask("HEAD", &url, &[]);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "800000", 0));
    // Another film under the same name: its parts are not put to those of the last one.
    std::fs::write(garden.path("notes/clip.mp4"), vec![1; 900_000]).expect("a film");
    let other = ask("GET", &url, &[("range", "bytes=0-9"), ("if-range", &tag)]);
    assert_eq!((other.status, other.body.len()), (200, 900_000));
    // Bytes that are made, not read, come in parts too.
    let part = ask("GET", &format!("{}search/meta.js", preview.url), &[("range", "bytes=0-3")]);
    assert_eq!((part.status, part.body.len()), (206, 4));
}

/// Kilobytes that a process holds in memory of its own.
#[cfg(target_os = "linux")]
fn held(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number")
}

#[test]
#[cfg(target_os = "linux")]
fn a_film_of_any_length_costs_no_memory_and_keeps_nobody_waiting() {
    let garden = garden();
    garden.note("b.md", "---\ntitle: B\n---\n![[clip.mp4]]\n");
    let film = std::fs::File::create(garden.path("notes/clip.mp4")).expect("a film");
    film.set_len(400 << 20).expect("a length");
    let preview = Preview::of(&garden);
    preview.shows("b.html", "clip.mp4");
    let before = held(preview.id());
    let url = format!("{}files/clip.mp4", preview.url);
    // Several browsers that take a little and then nothing any more.
    let mut open: Vec<_> = (0..4).map(|_| ureq::get(&url).call().expect("an answer")).collect();
    for answer in &mut open {
        let mut some = [0; 1 << 16];
        answer.body_mut().as_reader().read_exact(&mut some).expect("bytes");
    }
    assert_eq!(preview.get("a.html").0, 200, "another page meanwhile");
    assert!(held(preview.id()) < before + (64 << 10), "{} kB, before {before}", held(preview.id()));
    let mut whole = ureq::get(&url).call().expect("an answer");
    let count =
        std::io::copy(&mut whole.body_mut().as_reader(), &mut std::io::sink()).expect("bytes");
    assert_eq!(count, 400 << 20);
    assert!(held(preview.id()) < before + (64 << 10), "{} kB, before {before}", held(preview.id()));
}

/// Threads of a process.
#[cfg(target_os = "linux")]
fn threads(id: u32) -> usize {
    std::fs::read_dir(format!("/proc/{id}/task")).expect("a process").count()
}

/// A connection that has asked for something, and of whose answer nothing was read.
#[cfg(target_os = "linux")]
fn asking(preview: &Preview, path: &str) -> std::net::TcpStream {
    use std::io::Write as _;
    let host = preview.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut stream = std::net::TcpStream::connect(&host).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    stream
}

#[test]
#[cfg(target_os = "linux")]
fn however_many_read_slowly_or_say_little_others_are_answered() {
    let garden = garden();
    garden.note("b.md", "---\ntitle: B\n---\n![[clip.mp4]]\n");
    let film = std::fs::File::create(garden.path("notes/clip.mp4")).expect("a film");
    film.set_len(64 << 20).expect("a length");
    let preview = Preview::of(&garden);
    preview.shows("b.html", "clip.mp4");
    let before = threads(preview.id());
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut stream = asking(&preview, "files/clip.mp4");
        stream.read_exact(&mut [0; 100]).expect("the answer begins");
        open.push(stream);
    }
    // Heads that never end.
    let host = preview.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    for _ in 0..200 {
        let mut stream = std::net::TcpStream::connect(&host).expect("a connection");
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHo").expect("bytes");
        open.push(stream);
    }
    assert_eq!(preview.get("a.html").0, 200, "another page meanwhile");
    assert!(threads(preview.id()) <= before + 20, "no thread waits for any of them");
    let whole = ask("GET", &format!("{}files/clip.mp4", preview.url), &[]);
    assert_eq!((whole.status, whole.body.len()), (200, 64 << 20));
    // Those that were slow get all of it too.
    let mut rest = Vec::new();
    open[0].read_to_end(&mut rest).expect("the rest");
    assert!(rest.len() > (64 << 20) - 100, "{}", rest.len());
}

/// `serve` of a garden in a process that may open so many files.
#[cfg(target_os = "linux")]
fn with_handles(garden: &Garden, handles: usize) -> Preview {
    let plain = garden.command(&["serve", "--port", "0"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("ulimit -n {handles} && exec \"$0\" \"$@\"")]);
    command.arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Preview::by(command)
}

#[test]
#[cfg(target_os = "linux")]
fn eighty_open_pages_and_sixty_handles_keep_no_save_from_the_page() {
    let garden = garden();
    garden.note("b.md", "---\ntitle: B\n---\n![[clip.mp4]]\n");
    let film = std::fs::File::create(garden.path("notes/clip.mp4")).expect("a film");
    film.set_len(64 << 20).expect("a length");
    let preview = with_handles(&garden, 60);
    let mut open = Vec::new();
    for _ in 0..12 {
        let mut stream = asking(&preview, "-/events?page=a.html");
        stream.read_exact(&mut [0; 100]).expect("the answer begins");
        open.push(stream);
    }
    // The first ones are told to rest, and their streams end.
    let mut told = String::new();
    open[0].read_to_string(&mut told).expect("it ends");
    assert!(told.contains(r#"{"type":"rest"}"#), "{told}");
    open.extend((0..68).map(|_| asking(&preview, "-/events?page=a.html")));
    garden.note("a.md", "Saved. See [[B]].\n");
    preview.shows("a.html", "Saved.");
    // Films that nobody takes have the handles of their files too.
    open.extend((0..40).map(|_| asking(&preview, "files/clip.mp4")));
    garden.note("a.md", "Saved again. See [[B]].\n");
    garden.note("new.md", "New.\n");
    preview.shows("a.html", "Saved again.");
    preview.shows("new.html", "New.");
    let news = preview.news("a.html");
    drop(open);
    garden.note("a.md", "At last. See [[B]].\n");
    assert!(news.next_of("patch")["lines"].to_string().contains("At last."));
}

#[test]
#[cfg(target_os = "linux")]
fn where_no_file_can_be_opened_all_stays_and_is_read_when_one_can() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let garden = garden();
    let preview = Preview::of(&garden);
    preview.shows("a.html", "One.");
    let id = Pid::from_raw(i32::try_from(preview.id()).expect("a number"));
    // The connections so far are closed.
    std::thread::sleep(Duration::from_millis(300));
    let open = std::fs::read_dir(format!("/proc/{}/fd", preview.id())).expect("a process");
    let used: BTreeSet<u64> =
        open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    // Three are left, of which the browser's connection takes one.
    let last = (0..).filter(|number| !used.contains(number)).nth(2).expect("a number");
    let maximum = getrlimit(Resource::Nofile).maximum;
    let few = Rlimit { current: Some(last + 1), maximum };
    let before = prlimit(id, Resource::Nofile, few).expect("a lower limit");
    garden.note("a.md", "Two. See [[B]].\n");
    garden.note("b.md", "---\ntitle: Bee\n---\nTwo.\n");
    garden.note("c.md", "Three.\n");
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace("A test garden", "Another garden"));
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(100));
        let (status, page) = preview.get("a.html");
        assert!(status == 200 && page.contains("One.") && page.contains("A test garden"), "{page}");
        assert_eq!(preview.get("b.html").0, 200);
    }
    prlimit(id, Resource::Nofile, before).expect("the old limit");
    preview.shows("a.html", "Two.");
    preview.shows("a.html", "Another garden");
    preview.shows("b.html", "Bee");
    preview.shows("c.html", "Three.");
}

#[test]
fn other_names_are_answered_where_they_were_allowed() {
    let garden = garden();
    let preview = Preview::of(&garden);
    for own in ["localhost:8000", "notes.localhost", "127.0.0.1:9", "[::1]:8000"] {
        assert_eq!(preview.request("a.html", Some(own), None).0, 200, "{own}");
    }
    let (status, said) = preview.request("a.html", Some("gpu-box:8000"), None);
    assert!(status == 403 && said.contains("--allow-host gpu-box"), "{said}");
    assert_eq!(preview.request("a.html", Some("192.168.1.5:4321"), None).0, 403);
    assert_eq!(
        preview.request("a.html", Some("localhost:8000"), Some("http://localhost:8000")).0,
        200
    );
    assert_eq!(
        preview.request("a.html", Some("localhost:8000"), Some("http://localhost:3000")).0,
        403
    );
    drop(preview);
    let arguments =
        ["serve", "--port", "0", "--allow-host", "gpu-box", "--allow-host", "hub.example.org"];
    let preview = Preview::by(garden.command(&arguments));
    let asked =
        |given: &[(&str, &str)]| ask("GET", &format!("{}a.html", preview.url), given).status;
    let hub = ("host", "hub.example.org");
    assert_eq!(
        asked(&[hub, ("sec-fetch-site", "same-origin"), ("origin", "https://hub.example.org")]),
        200
    );
    assert_eq!(asked(&[("host", "gpu-box:8000"), ("sec-fetch-site", "none")]), 200);
    assert_eq!(asked(&[("host", "evil.example"), ("sec-fetch-site", "none")]), 403);
    // Where the browser does not say who asks, it has to show the token.
    assert_eq!(asked(&[hub]), 403);
    preview.says("?token=");
    let said = preview.said();
    let token =
        said.split("?token=").nth(1).expect("a token").split_whitespace().next().expect("one");
    let greeted = ask("GET", &format!("{}?token={token}", preview.url), &[hub]);
    let cookie = greeted.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert_eq!(asked(&[hub, ("cookie", &cookie)]), 200);
    for wrong in ["*", "https://", "a b"] {
        let run = garden.run(&["serve", "--allow-host", wrong]);
        assert!(run.code() == 2 && run.stderr().contains("--allow-host"), "{}", run.stderr());
    }
}

#[test]
fn beyond_this_machine_nobody_is_answered_without_the_token() {
    let garden = garden();
    let preview = Preview::by(garden.command(&["serve", "--port", "0", "--listen", "0.0.0.0"]));
    preview.says("warning: everybody who can reach 0.0.0.0");
    let (address, token) = preview.url.split_once("?token=").expect("an address with a token");
    let port = address.trim_end_matches('/').rsplit(':').next().expect("a port");
    let here = format!("http://127.0.0.1:{port}/");
    for path in [
        "",
        "a.html",
        "search/meta.js",
        "-/events",
        "-/preview.js",
        "?token=wrong",
        "a.html?token=",
    ] {
        assert_eq!(ask("GET", &format!("{here}{path}"), &[]).status, 403, "{path}");
        let given = [("sec-fetch-site", "same-origin"), ("host", "localhost")];
        assert_eq!(ask("GET", &format!("{here}{path}"), &given).status, 403, "{path}");
    }
    let deep = ask("GET", &format!("{here}deep/a.html?token={token}"), &[]);
    assert_eq!((deep.status, deep.header("location")), (307, &*format!("../?token={token}")));
    let greeted = ask("GET", &format!("{here}?token={token}"), &[("sec-fetch-site", "none")]);
    let cookie = greeted.header("set-cookie");
    assert!(greeted.status == 200 && cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(
        !String::from_utf8_lossy(&greeted.body).contains("<p>One."),
        "the page comes with the cookie"
    );
    let cookie = cookie.split(';').next().expect("a cookie");
    assert_eq!(ask("GET", &format!("{here}a.html"), &[("cookie", cookie)]).status, 200);
    let given = [("cookie", cookie), ("host", "evil.example")];
    assert_eq!(
        ask("GET", &format!("{here}a.html"), &given).status,
        403,
        "a name that was pointed here"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn another_user_of_the_machine_is_refused_until_it_shows_the_token() {
    use rustix::process::Uid;
    let garden = garden();
    let preview = Preview::of(&garden);
    let as_other = |path: &str, headers: &[(&str, &str)]| {
        let address = format!("{}{path}", preview.url);
        // The kernel gives users to threads; this one ends with what it asks.
        std::thread::scope(|scope| {
            let asks = || {
                rustix::thread::set_thread_uid(Uid::from_raw(65_534)).ok()?;
                Some(ask("GET", &address, headers))
            };
            scope.spawn(asks).join().expect("no panic")
        })
    };
    let Some(refused) = as_other("", &[]) else {
        eprintln!("NOT TESTED: what another user of this machine gets; only root can ask as one");
        return;
    };
    assert_eq!(refused.status, 403);
    let text = String::from_utf8_lossy(&refused.body);
    assert!(text.contains("another user of this machine (user id 65534)"), "{text}");
    for (path, headers) in [
        ("-/events?page=index.html", &[][..]),
        ("index.html", &[("Sec-Fetch-Site", "same-origin")]),
        ("index.html?token=guess", &[]),
    ] {
        assert_eq!(as_other(path, headers).expect("asked").status, 403, "{path}");
    }
    preview.says("first open http");
    let said = preview.said();
    assert_eq!(said.matches("another user of this machine").count(), 1, "said once: {said}");
    let (_, token) = said.split_once("?token=").expect("an address with the token");
    let token = token.split_whitespace().next().expect("a token");
    let greeted = as_other(&format!("?token={token}"), &[]).expect("asked");
    let cookie = greeted.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert_eq!(as_other("index.html", &[("Cookie", &cookie)]).expect("asked").status, 200);
    assert_eq!(preview.get("index.html").0, 200, "this user needs none");
}

#[test]
fn a_page_that_is_not_there_is_the_gardens_and_says_where_it_went() {
    let garden = garden();
    garden.note("deep/c.md", "---\ntitle: Sea\n---\nA text of its own.\n\nAnd more of it.\n");
    let preview = Preview::of(&garden);
    let (status, page) = preview.get("very/deep/nothing.html");
    assert_eq!(status, 404);
    for part in [
        "Page not found",
        "A test garden",
        "../../-/preview.js",
        "href=\"../../a.html\"",
        "href=\"../../style-",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("href=\"/") && !page.contains("src=\"/"), "{page}");
    let news = preview.news("deep/c.html");
    // Renamed and moved at once.
    std::fs::create_dir_all(garden.path("notes/far")).expect("a folder");
    std::fs::rename(garden.path("notes/deep/c.md"), garden.path("notes/far/d.md"))
        .expect("renamed");
    let mut told = news.next_of("gone");
    while told["moved"].is_null() {
        told = news.next_of("gone");
    }
    assert_eq!(told["moved"], serde_json::json!({ "title": "Sea", "href": "far/d.html" }));
    let (status, page) = preview.get("deep/c.html");
    assert!(status == 404 && page.contains("href=\"../far/d.html\">Sea</a>"), "{page}");
    // Renamed again, with another text in part; and by its front matter alone.
    garden.remove("notes/far/d.md");
    preview.misses("far/d.html");
    garden.note("e.md", "---\ntitle: Sea\n---\nA text of its own.\n\nAnd something else.\n");
    preview.shows("e.html", "something else");
    assert!(preview.get("deep/c.html").1.contains("href=\"../e.html\">Sea</a>"));
    garden.note("e.md", "---\ntitle: Sea\nslug: ocean\n---\nA text of its own.\n");
    preview.shows("ocean.html", "A text of its own.");
    assert!(preview.get("e.html").1.contains("href=\"ocean.html\">Sea</a>"));
    assert!(preview.get("deep/c.html").1.contains("href=\"../ocean.html\">Sea</a>"));
    // What was deleted leads nowhere.
    garden.remove("notes/a.md");
    preview.misses("a.html");
    assert!(!preview.get("a.html").1.contains("another address"));
}

#[test]
fn a_configuration_that_is_removed_is_told_on_every_page_and_a_broken_template_is_readable() {
    let garden = garden();
    let preview = Preview::of(&garden);
    let news = preview.news("a.html");
    let config = garden.read("neuronotes.yaml");
    garden.remove("neuronotes.yaml");
    let told = news.next_of("problems");
    assert_eq!(told["problems"][0]["place"], "neuronotes.yaml:1:1");
    assert!(told["problems"][0]["message"].to_string().contains("removed"), "{told}");
    preview.says("the configuration was removed");
    garden.write("neuronotes.yaml", &config);
    assert_eq!(news.next_of("problems")["problems"], serde_json::json!([]));
    drop((news, preview));
    garden.write("templates/note.html", "{{ nothing_like_it }}");
    let preview = Preview::of(&garden);
    let (status, page) = preview.get("a.html");
    assert_eq!(status, 500);
    for part in
        ["templates/note.html:1", "problem-error", "href=\"style-", "src=\"-/preview.js\"", "<main"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    let news = preview.news("a.html");
    garden.remove("templates/note.html");
    assert_eq!(news.next_of("fetch")["type"], "fetch");
}

/// A script in the lab's place: it begins three requests together and dies; after that, unit 4 kills any lab that comes to
/// it, and the results of the others are there already, in the folder `ready`.
#[cfg(unix)]
const DYING: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
runs=$(cat runs 2>/dev/null || echo 0)
echo $((runs + 1)) >runs
echo '{"type":"ready","device":"cpu","device_name":"a script","libtorch":"0","version":"0"}'
n=0
while read -r line; do
  case "$line" in *'"type":"run"'*) ;; *) continue ;; esac
  unit=$(printf %s "$line" | sed 's/.*"unit":\([0-9]*\).*/\1/')
  key=$(sed -n "s/^$unit //p" keys)
  echo "$unit" >>asked
  n=$((n + 1))
  echo '{"type":"progress","key":"'$key'","stage":"optimising","step":0,"total":1,"unit":"step","seconds_left":null,"picture":null}'
  if [ "$runs" = 0 ]; then
    if [ $n = 3 ]; then kill -9 $$; fi
    continue
  fi
  if [ "$unit" = 4 ]; then kill -9 $$; fi
  cp -R ready/. "$5"/v1/records/
  echo '{"type":"done","key":"'$key'","seconds":1.0}'
done
"#;

#[test]
#[cfg(unix)]
fn of_a_sweep_whose_lab_dies_only_the_one_at_fault_fails() {
    use neuronotes::site;
    use neuronotes::workspace::Workspace;

    let garden = Garden::new();
    let block = "kind: feature_vis\nlayer: image_block_4/0/Add_6\nsweep: { unit: [3, 4, 5] }\n";
    garden.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    let mut keys = String::new();
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    for (key, request) in site::wishes(&mut workspace).missing {
        keys.push_str(&format!("{} {key}\n", request.params["unit"]));
        let store = &workspace.store;
        let record = common::results::record(store, &request, 2.5, 0);
        if request.params["unit"] != 4 {
            store.commit(&record).expect("a record");
        }
    }
    drop(workspace);
    // Outside the garden: a change in it would make the preview try again what failed.
    let aside = tempfile::tempdir().expect("a temporary folder");
    std::fs::rename(garden.path(".neuronotes/store/v1/records"), aside.path().join("ready"))
        .expect("put aside");
    std::fs::create_dir(garden.path(".neuronotes/store/v1/records")).expect("a folder");
    std::fs::write(aside.path().join("keys"), &keys).expect("keys");
    // A process of its own writes it: a program that this one starts meanwhile would hold it open.
    let lab = aside.path().join("lab");
    let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
    let written = std::process::Command::new("sh")
        .args(["-c", write, "sh"])
        .arg(&lab)
        .arg(DYING)
        .status()
        .expect("sh runs");
    assert!(written.success());
    let preview = Preview::with_lab(&garden, &lab);
    let begun = Instant::now();
    let page = loop {
        let page = preview.get("a.html").1;
        if page.contains("was killed") && page.contains("2 of 3 measured") {
            break page;
        }
        let asked = std::fs::read_to_string(aside.path().join("asked")).unwrap_or_default();
        assert!(begun.elapsed() < Duration::from_secs(10), "{asked}\n{page}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(page.matches("was killed").count(), 1, "{page}");
}

/// A script in the lab's place that writes down what it is told, and fails what it is asked.
#[cfg(unix)]
const FAILING: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 9
echo '{"type":"ready","device":"cpu","device_name":"a script","libtorch":"0","version":"0"}'
while read -r line; do
  printf '%s\n' "$line" >>told
  case "$line" in
  *'"type":"run"'*)
    n=$(cat count 2>/dev/null || echo 0)
    n=$((n + 1))
    echo $n >count
    key=$(head -n 1 keys)
    cat said 2>/dev/null
    [ -e silent ] || echo '{"type":"failed","key":"'$key'","message":"it broke at try '$n'","hint":null,"cause":"deterministic"}'
    ;;
  esac
done
"#;

/// Keys of what a garden wants, in the order of its notes.
#[cfg(unix)]
fn keys(garden: &Garden) -> Vec<String> {
    let mut workspace = neuronotes::workspace::Workspace::open(garden.root()).expect("a garden");
    let missing = neuronotes::site::wishes(&mut workspace).missing;
    missing.iter().map(|(key, _)| key.hex()).collect()
}

/// A folder with the script in it, and the keys that it speaks of.
#[cfg(unix)]
fn failing(garden: &Garden) -> tempfile::TempDir {
    let aside = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(aside.path().join("keys"), keys(garden).join("\n")).expect("keys");
    let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
    let mut sh = std::process::Command::new("sh");
    let written = sh.args(["-c", write, "sh"]).arg(aside.path().join("lab")).arg(FAILING).status();
    assert!(written.expect("sh runs").success());
    aside
}

#[test]
#[cfg(unix)]
fn what_failed_by_itself_is_measured_again_only_when_somebody_asks_for_it() {
    let garden = Garden::new();
    let block = "kind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\n";
    garden.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    let aside = failing(&garden);
    let preview = Preview::with_lab(&garden, &aside.path().join("lab"));
    preview.shows("a.html", "it broke at try 1");
    let page = preview.get("a.html").1;
    let key = keys(&garden).remove(0);
    assert!(page.contains(&format!("data-retry=\"{key}\"")), "{page}");
    // Another text, another caption: it is remembered.
    garden.note("a.md", &format!("Text.\n\n```yaml analysis\n{block}caption: A caption.\n```\n"));
    preview.shows("a.html", "A caption.");
    preview.shows("a.html", "it broke at try 1");
    let news = preview.news("a.html");
    assert_eq!(preview.post("-/retry", None, &format!("{{\"key\":\"{key}\"}}")), 204);
    preview.shows("a.html", "it broke at try 2");
    assert_eq!(news.next()["type"], "patch");
    // A published page has no such button.
    drop(preview);
    garden.run(&["build"]);
    assert!(!garden.page("a.html").contains("data-retry"));
}

#[test]
#[cfg(unix)]
fn what_is_in_a_window_comes_first_then_the_note_that_was_saved() {
    let garden = Garden::new();
    let block = |unit: u32, size: u32| {
        format!(
            "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {unit}\nsize: {size}\n```\n\n"
        )
    };
    // Of other sizes, so that none keeps another company.
    garden.note("a.md", &(block(1, 64) + &block(2, 72)));
    garden.note("b.md", &(block(3, 80) + &block(4, 96)));
    let aside = failing(&garden);
    std::fs::write(aside.path().join("silent"), "").expect("a mark");
    let all = keys(&garden);
    let preview = Preview::with_lab(&garden, &aside.path().join("lab"));
    let last_order = || {
        let told = std::fs::read_to_string(aside.path().join("told")).unwrap_or_default();
        let mut orders = told.lines().filter(|line| line.contains(r#""type":"order""#));
        let order: serde_json::Value =
            serde_json::from_str(orders.next_back().unwrap_or("null")).expect("JSON");
        let groups = order["groups"].as_array().cloned().unwrap_or_default();
        let keys = groups.iter().flat_map(|group| group.as_array().expect("a group").clone());
        let place = |key: serde_json::Value| all.iter().position(|known| key == known.as_str());
        keys.map(|key| place(key).map_or(9, |place| place)).collect::<Vec<usize>>()
    };
    let becomes = |expected: &[usize]| {
        let until = Instant::now() + Duration::from_secs(10);
        while !last_order().starts_with(expected) {
            assert!(Instant::now() < until, "{:?} does not begin with {expected:?}", last_order());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let news = preview.news("b.html");
    assert_eq!(
        preview.post("-/seen", None, &format!("{{\"tab\":0,\"keys\":[\"{}\"]}}", all[3])),
        204
    );
    becomes(&[3]);
    garden.note("b.md", &format!("Saved.\n\n{}{}", block(3, 80), block(4, 96)));
    assert_eq!(news.next_of("patch")["type"], "patch");
    becomes(&[3, 2]);
    garden.note("a.md", &format!("Saved.\n\n{}{}", block(1, 64), block(2, 72)));
    becomes(&[3, 0, 1, 2]);
    // Nothing is in the window any more.
    assert_eq!(preview.post("-/seen", None, r#"{"tab":0,"keys":[]}"#), 204);
    becomes(&[0, 1]);
}

#[test]
#[cfg(unix)]
fn a_result_over_the_scanned_part_is_marked_and_gives_way_to_the_whole() {
    let garden = Garden::new();
    let block = "kind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 3\n";
    garden.note("a.md", &format!("```yaml analysis\nid: a\n{block}```\n"));
    let aside = failing(&garden);
    std::fs::write(aside.path().join("silent"), "").expect("a mark");
    let mut workspace = neuronotes::workspace::Workspace::open(garden.root()).expect("a garden");
    let (key, request) = neuronotes::site::wishes(&mut workspace).missing.remove(0);
    let store = &workspace.store;
    // What the lab would have measured over some shards: any other request will do.
    let mut part = request.clone();
    part.dataset.as_mut().expect("a data set").shards.clear();
    let record = common::results::record(store, &part, 4.5, 0);
    store.commit(&record).expect("a record");
    let said = format!(
        "{{\"type\":\"partial\",\"key\":\"{key}\",\"part\":\"{}\",\"images\":1234,\"shards\":3}}",
        record.key
    );
    // It says so when it is asked for the whole.
    std::fs::write(aside.path().join("said"), said + "\n").expect("an event");
    let preview = Preview::with_lab(&garden, &aside.path().join("lab"));
    preview.shows("a.html", "Partial result, of 1,234 of 1,494 images");
    let page = preview.get("a.html").1;
    assert!(page.contains("<svg") && page.contains("aria-busy=\"true\""), "{page}");
    assert!(!page.contains("class=\"stale\""), "{page}");
    let news = preview.news("a.html");
    common::results::commit_used(store, &request);
    store.commit(&common::results::record(store, &request, 5.5, 0)).expect("a record");
    assert_eq!(preview.post("-/seen", None, &format!("{{\"tab\":0,\"keys\":[\"{key}\"]}}")), 204);
    news.next_of("patch");
    let page = preview.get("a.html").1;
    assert!(!page.contains("Partial result") && !page.contains("aria-busy"), "{page}");
    // A site has no partial results.
    drop(preview);
    garden.built();
    assert!(!garden.page("a.html").contains("Partial result"));
}

/// A result may be committed after a page was made and before the preview looks for what is missing: then the lab is not
/// asked for it any more, and no event announces it.
#[test]
#[cfg(unix)]
fn a_result_that_no_event_announces_reaches_the_page() {
    let garden = Garden::new();
    let block = "kind: feature_vis\nlayer: image_block_4/0/Add_6\nsweep: { unit: [3, 4] }\n";
    garden.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    let aside = failing(&garden);
    std::fs::write(aside.path().join("silent"), "").expect("a mark");
    let all = keys(&garden);
    let preview = Preview::with_lab(&garden, &aside.path().join("lab"));
    preview.says("measuring on");
    let news = preview.news("a.html");
    let page = preview.get("a.html").1;
    assert!(page.contains("0 of 2 measured"), "{page}");
    // As another process does.
    let mut workspace = neuronotes::workspace::Workspace::open(garden.root()).expect("a garden");
    let missing = neuronotes::site::wishes(&mut workspace).missing;
    for (at, (key, request)) in missing.iter().enumerate() {
        assert_eq!(key.hex(), all[at]);
        let record = common::results::record(&workspace.store, request, 2.5, 0);
        workspace.store.commit(&record).expect("a record");
        // The window shows something else, so that the preview looks for what is missing, and in which order.
        let seen = format!("{{\"tab\":0,\"keys\":[\"{}\"]}}", all[1 - at]);
        assert_eq!(preview.post("-/seen", None, &seen), 204);
        let patch = news.next_of("patch").to_string();
        assert!(patch.contains("2.5"), "{patch}");
    }
    let page = preview.get("a.html").1;
    assert!(!page.contains("of 2 measured") && page.matches("2.5").count() >= 2, "{page}");
}

#[test]
fn a_note_that_makes_something_panic_ends_no_preview() {
    let garden = Garden::empty();
    garden.write("_config.yml", "title: A garden\n");
    garden.write("_notes/good.md", "---\ntitle: Good\n---\nAll is fine. See [[Bad]].\n");
    garden.write("_notes/bad.md", "---\ntitle: Bad\n---\nFine so far.\n");
    let preview = Preview::of(&garden);
    preview.shows("notes/bad.html", "Fine so far.");
    // The library that evaluates Liquid takes a number of twenty digits for a defect of its own; others are mended.
    let front = "---\ntitle: Bad\n---\n";
    for (text, said) in [
        ("Number {{ 99999999999999999999 }}.\n", "internal error while evaluating the Liquid"),
        ("Loop {% for i in (1..1000000000) %}{% endfor %}.\n", "takes more than 20,000,000 steps"),
        ("Open {%}.\n", "is never closed"),
    ] {
        garden.write("_notes/bad.md", &format!("{front}{text}"));
        preview.says(said);
        // What cannot be evaluated is shown as it is written, with what is wrong.
        preview.shows("notes/bad.html", text.split(' ').next().expect("a word"));
        assert!(preview.get("notes/bad.html").1.contains(said), "{said}");
        assert!(preview.get("notes/good.html").1.contains("All is fine."));
    }
    assert!(preview.said().contains("please report it"), "{}", preview.said());
    assert!(!preview.said().contains("panicked at"), "{}", preview.said());
    garden.write("_notes/good.md", "---\ntitle: Good\n---\nAll is well. See [[Bad]].\n");
    preview.shows("notes/good.html", "All is well.");
    // In front of a heading without its end, as somebody types it.
    let text = "# See <a href=\"good.html\">b";
    for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
        garden.write("_notes/bad.md", &text[..end]);
    }
    preview.shows("notes/bad.html", "See");
    garden.write("_notes/bad.md", &format!("{front}Fine again.\n"));
    preview.shows("notes/bad.html", "Fine again.");
}
