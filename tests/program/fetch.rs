//! Weights over HTTP and from files, with servers that break off, lie or are not there; and the commands.
//!
//! The digests of real weights cannot be met by small files. So what ends well is asked of the library, with
//! files that have digests of their own, and what ends badly also of the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common;
use crate::common::Garden;
use crate::common::server::{Reply, Server};
use neuronotes::weights::fetch::{Doing, Fetch, Fetched, Origin, Patience, Wanted, Watcher};
use neuronotes_core::problem::Problem;
use neuronotes_core::sha256::Hasher;

const LENGTH: usize = 1_000_000;

/// Bytes among which no two pieces are alike.
fn content() -> Vec<u8> {
    (0..LENGTH as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn fetch_of(content: &[u8], origin: Origin, folder: &Path) -> Fetch {
    let mut hasher = Hasher::default();
    hasher.update(content);
    let (name, file) = ("W".to_owned(), "w.pt".to_owned());
    let patience = Patience {
        pauses: vec![Duration::from_millis(1); 3],
        silence: Duration::from_millis(500),
        attempts: 50,
        longest: 4_000_000,
    };
    let wanted = Wanted { name, file, sha256: hasher.digest() };
    Fetch { wanted, origin, folder: folder.to_owned(), verify: false, patience }
}

/// What was said.
#[derive(Default)]
struct Log(Vec<String>);

impl Watcher for Log {
    fn say(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
    fn step(&mut self, _: Doing, _: u64, _: Option<u64>) {}
    fn rest(&mut self) {}
}

/// A folder of weights, and what may lie in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(part: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.path("w.pt.part"), part).expect("write");
        place
    }

    fn fetch(&self, server: &Server) -> Result<Fetched, Problem> {
        self.run(&fetch_of(&content(), Origin::Url(server.url()), self.0.path()))
    }

    fn run(&self, fetch: &Fetch) -> Result<Fetched, Problem> {
        fetch.run(&mut Log::default())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = common::files(self.0.path()).into_keys().collect();
        names.retain(|name| !name.ends_with(".lock"));
        names
    }

    fn is_whole(&self) {
        assert_eq!(self.names(), ["w.pt"]);
        assert!(fs::read(self.path("w.pt")).expect("a file") == content());
    }

    fn is_empty(&self) {
        assert!(self.names().is_empty(), "{:?}", self.names());
    }
}

#[test]
fn a_file_comes_whole_and_only_once() {
    let server = Server::of(content(), |_| Reply::Right);
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(place.fetch(&server), Ok(Fetched::Before));
    assert_eq!(server.offsets(), [None]);
}

#[test]
fn a_file_that_is_there_is_compared_where_that_is_asked_for() {
    let server = Server::of(content(), |_| Reply::Right);
    let place = Place::new();
    fs::write(place.path("w.pt"), "damaged").expect("write");
    let mut fetch = fetch_of(&content(), Origin::Url(server.url()), place.0.path());
    assert_eq!(place.run(&fetch), Ok(Fetched::Before));
    fetch.verify = true;
    assert_eq!(place.run(&fetch), Ok(Fetched::Now));
    assert_eq!(place.run(&fetch), Ok(Fetched::Before));
    place.is_whole();
    assert_eq!(server.offsets(), [None]);
}

#[test]
fn after_a_broken_connection_only_the_rest_comes() {
    let server = Server::of(content(), |n| if n == 0 { Reply::Cut(300_000) } else { Reply::Right });
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.offsets(), [None, Some(300_000)]);
    assert_eq!(server.sent(), LENGTH);
}

#[test]
fn a_connection_on_which_nothing_comes_is_given_up() {
    let server =
        Server::of(content(), |n| if n == 0 { Reply::Hang(300_000) } else { Reply::Right });
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.offsets(), [None, Some(300_000)]);
}

#[test]
fn what_an_earlier_fetch_left_is_gone_on_with() {
    let server = Server::of(content(), |_| Reply::Right);
    let place = Place::with(&content()[..400_000]);
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.offsets(), [Some(400_000)]);
    assert_eq!(server.sent(), LENGTH - 400_000);
    // Killed between the last byte and the renaming: nothing is asked for.
    let place = Place::with(&content());
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn what_an_earlier_fetch_left_may_be_wrong() {
    let other = vec![7; 400_000];
    let longer = [content(), other.clone()].concat();
    for (part, offsets) in [(other, [Some(400_000), None]), (longer, [Some(1_400_000), None])] {
        let server = Server::of(content(), |_| Reply::Right);
        let place = Place::with(&part);
        assert_eq!(place.fetch(&server), Ok(Fetched::Now));
        place.is_whole();
        assert_eq!(server.offsets(), offsets);
    }
}

#[test]
fn a_server_that_ignores_ranges_gives_the_whole() {
    let server = Server::of(content(), |_| Reply::Whole);
    let place = Place::with(&content()[..400_000]);
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.offsets(), [Some(400_000)]);
}

#[test]
fn a_file_that_changes_while_it_is_fetched_is_fetched_again() {
    // The first piece is of another file of the same length.
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
    let old = [head.into_bytes(), vec![7; 300_000]].concat();
    let server = Server::of(content(), move |n| match n {
        0 => Reply::Raw(old.clone()),
        _ => Reply::Right,
    });
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!(server.offsets(), [None, Some(300_000), None]);
}

#[test]
fn a_wrong_file_leaves_nothing_behind() {
    let server = Server::of(b"<html>Please sign in</html>".to_vec(), |_| Reply::Right);
    let place = Place::new();
    let fetch = fetch_of(&content(), Origin::Url(server.url()), place.0.path());
    let error = place.run(&fetch).expect_err("another file");
    let mut hasher = Hasher::default();
    hasher.update(b"<html>Please sign in</html>");
    let (found, expected) = (hasher.digest().to_string(), fetch.wanted.sha256.to_string());
    assert!(error.message.contains(&found) && error.message.contains(&expected), "{error}");
    assert!(error.hint.expect("a hint").contains("--from"));
    place.is_empty();
    assert_eq!(server.asked().len(), 1, "it is not asked for again");
    // After an earlier fetch, it may have been that one's fault: once more, and no more.
    let place = Place::with(b"<html>");
    place.fetch(&server).expect_err("another file");
    place.is_empty();
    assert_eq!(server.offsets(), [None, Some(6), None]);
}

#[test]
fn a_server_that_says_no_is_not_asked_again() {
    for (status, what) in [(404, "was not found"), (403, "was denied"), (400, "cannot be fetched")]
    {
        let server = Server::of(content(), move |_| Reply::Status(status));
        let place = Place::new();
        let error = place.fetch(&server).expect_err("no file");
        assert!(error.message.contains(what) && error.message.contains(&server.url()), "{error}");
        assert!(error.hint.expect("a hint").contains("`--from URL` or `--from FILE`"));
        place.is_empty();
        assert_eq!(server.asked().len(), 1);
    }
    let server = Server::of(content(), |n| if n < 2 { Reply::Status(503) } else { Reply::Right });
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_server_that_breaks_off_again_and_again_is_borne_as_long_as_something_comes() {
    let server = Server::of(content(), |_| Reply::Cut(50_000));
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    assert_eq!((server.asked().len(), server.sent()), (20, LENGTH));
    // No more comes after the second time: three more attempts, and what came stays.
    let server = Server::of(content(), |n| Reply::Cut(if n < 2 { 50_000 } else { 0 }));
    let place = Place::new();
    let error = place.fetch(&server).expect_err("it never ends");
    assert!(error.message.contains("was interrupted 5 times"), "{error}");
    assert_eq!(
        error.hint.as_deref(),
        Some("100000 bytes were kept: run the same command again to resume")
    );
    assert_eq!(place.names(), ["w.pt.part"]);
    // One byte at a time would take for ever.
    let server = Server::of(content(), |_| Reply::Cut(1));
    let error = Place::new().fetch(&server).expect_err("too slow");
    assert!(error.message.contains("was interrupted 50 times"), "{error}");
    // A server that gives only the whole starts from nothing each time.
    let server = Server::of(content(), |n| match n {
        0 => Reply::Cut(50_000),
        _ => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n1234567".to_vec()),
    });
    Place::new().fetch(&server).expect_err("it never ends");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn lengths_are_not_believed() {
    let raw = |head: &str, body: &[u8]| {
        [format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat()
    };
    let after = |first: Vec<u8>| {
        let serve = move |n| if n == 0 { Reply::Raw(first.clone()) } else { Reply::Right };
        Server::of(content(), serve)
    };
    let rest = &content()[400_000..];
    // Another part than was asked for, none at all, and more than announced.
    for head in [
        "206 Partial Content\r\nContent-Range: bytes 0-599999/1000000",
        "206 Partial Content",
        "206 Partial Content\r\nContent-Range: bytes 400000-400009/400010",
    ] {
        let server = after(raw(head, rest));
        let place = Place::with(&content()[..400_000]);
        assert_eq!(place.fetch(&server), Ok(Fetched::Now), "{head}");
        place.is_whole();
        assert_eq!(server.offsets(), [Some(400_000), None]);
    }
    // A part of unknown whole is right where its digest is.
    let server = after(raw("206 Partial Content\r\nContent-Range: bytes 400000-999999/*", rest));
    let place = Place::with(&content()[..400_000]);
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    // Without any length, too.
    let server = after(raw("200 OK", &content()));
    let place = Place::new();
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    // What is too long is not even begun, and what never ends is ended.
    for first in [
        raw("200 OK\r\nContent-Length: 9000000000000", b"1"),
        raw("200 OK", &content().repeat(5)),
        raw(
            "200 OK\r\nTransfer-Encoding: chunked",
            &[b"4C4B40\r\n", &*content().repeat(5)].concat(),
        ),
    ] {
        let place = Place::new();
        let error = place.fetch(&after(first)).expect_err("too long");
        assert!(error.message.contains("more than the limit of 4000000"), "{error}");
        place.is_empty();
    }
    // No HTTP at all.
    let server = Server::of(content(), |_| Reply::Raw(b"\0\xff nonsense\r\n\r\n".to_vec()));
    let place = Place::new();
    place.fetch(&server).expect_err("nonsense");
    place.is_empty();
}

#[test]
fn a_file_of_this_machine_is_copied_and_verified() {
    let place = Place::new();
    let elsewhere = Place::new();
    let source = elsewhere.path("mine.bin");
    fs::write(&source, content()).expect("write");
    let fetch = |source: &Path| fetch_of(&content(), Origin::File(source.into()), place.0.path());
    assert_eq!(place.run(&fetch(&source)), Ok(Fetched::Now));
    place.is_whole();
    fs::remove_file(place.path("w.pt")).expect("removed");
    fs::write(&source, "another").expect("write");
    let error = place.run(&fetch(&source)).expect_err("another file");
    assert!(error.message.contains("is not W: its 7 bytes have the sha256"), "{error}");
    place.is_empty();
    // The unfinished file is no source for itself.
    fs::write(place.path("w.pt.part"), &content()[..10]).expect("write");
    let error = place.run(&fetch(&place.path("w.pt.part"))).expect_err("itself");
    assert!(error.message.contains("is the unfinished file itself"), "{error}");
    assert_eq!(fs::read(place.path("w.pt.part")).expect("a file").len(), 10);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_to_be_so() {
    let place = Place::new();
    fs::write(place.path("file"), "").expect("write");
    let server = Server::of(content(), |_| Reply::Right);
    let folder = place.path("file/models");
    let fetch = fetch_of(&content(), Origin::Url(server.url()), &folder);
    let error = place.run(&fetch).expect_err("no folder");
    assert!(error.message.contains(&folder.display().to_string()), "{error}");
    assert!(error.hint.expect("a hint").contains("NEURONOTES_CACHE"));
    assert!(server.asked().is_empty());
}

#[test]
fn two_fetches_of_one_file_take_turns() {
    let server = Server::of(content(), |_| Reply::Slow(20_000));
    let place = Place::new();
    let fetch = fetch_of(&content(), Origin::Url(server.url()), place.0.path());
    let run = || {
        let mut log = Log::default();
        (fetch.run(&mut log), log.0)
    };
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(run);
        let begun = Instant::now();
        while server.asked().is_empty() && begun.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(1));
        }
        (run(), one.join().expect("an end"))
    });
    place.is_whole();
    assert_eq!((one.0, two.0), (Ok(Fetched::Before), Ok(Fetched::Now)));
    assert_eq!(one.1, ["another process is fetching W; waiting for it"]);
    assert_eq!(server.asked().len(), 1);
}

/// Where the child below fetches from and to.
const CHILD: [&str; 2] = ["FETCH_URL", "FETCH_FOLDER"];

#[test]
#[ignore = "the test below runs it, to kill it"]
fn a_child_that_fetches() {
    let [url, folder] = CHILD.map(|name| std::env::var(name).expect("run by the test below"));
    let fetch = fetch_of(&content(), Origin::Url(url), Path::new(&folder));
    fetch.run(&mut Log::default()).expect("fetched");
}

#[test]
fn a_fetch_that_is_killed_goes_on_where_it_was() {
    let server = Server::of(content(), |n| if n < 2 { Reply::Slow(5_000) } else { Reply::Right });
    let place = Place::new();
    let mut before = 0;
    for _ in 0..2 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "fetch::a_child_that_fetches", "--ignored"])
            .envs(CHILD.into_iter().zip([server.url(), place.0.path().display().to_string()]))
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        let length = || fs::metadata(place.path("w.pt.part")).map_or(0, |meta| meta.len());
        let begun = Instant::now();
        while length() < before + 50_000 && begun.elapsed() < Duration::from_secs(20) {
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        child.wait().expect("an end");
        assert_eq!(place.names(), ["w.pt.part"], "no final name before the end");
        assert!(length() >= before + 50_000);
        before = length();
    }
    assert_eq!(place.fetch(&server), Ok(Fetched::Now));
    place.is_whole();
    let offsets = server.offsets();
    assert!(offsets[1].is_some_and(|from| from >= 50_000), "{offsets:?}");
    assert_eq!(offsets[2].map(|from| from as u64), Some(before));
    assert_eq!(server.asked()[2].sent as u64, LENGTH as u64 - before);
}

/// The program, with a cache folder of its own.
fn program(cache: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(common::program());
    command.args(arguments).env("NEURONOTES_CACHE", cache.0.path()).current_dir(cache.0.path());
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command.output().expect("neuronotes runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_program_refuses_what_is_not_the_model() {
    let cache = Place::new();
    let server = Server::of(b"not RN50".to_vec(), |_| Reply::Right);
    let run = program(&cache, &["model", "fetch", "rn-50", "--from", &server.url()]);
    assert_eq!(run.status.code(), Some(2));
    let text = said(&run);
    assert!(
        text.contains("afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762")
            && text.contains("\nhint: it was removed"),
        "{text}"
    );
    cache.is_empty();
    // An address that ends in `/` is a copy of OpenAI's folder.
    let base = format!("http://{}/clip/", server.address);
    program(&cache, &["model", "fetch", "RN50", "--from", &base]);
    let line = server.asked()[1].line.clone();
    assert_eq!(
        line,
        "GET /clip/afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762/RN50.pt HTTP/1.1"
    );
    let run = program(&cache, &["model", "fetch", "RN5O"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(said(&run).contains("hint: did you mean `RN50`"), "{}", said(&run));
}

#[test]
fn without_a_network_the_program_says_so_at_once() {
    let cache = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/RN50.pt", port.local_addr().expect("an address"));
    drop(port);
    for (url, why) in [(url.as_str(), "refused"), ("http://no-such-host.invalid/RN50.pt", "")] {
        let begun = Instant::now();
        let run = program(&cache, &["model", "fetch", "RN50", "--from", url]);
        // How long a name takes to be not found is the system's affair.
        let soon = why.is_empty() || begun.elapsed() < Duration::from_secs(15);
        let text = said(&run);
        assert_eq!(run.status.code(), Some(2), "{text}");
        assert!(text.contains("cannot be reached") && text.contains(why), "{text}");
        assert!(text.contains("hint: ") && text.contains("HTTPS_PROXY"), "{text}");
        assert!(soon, "{text}");
        cache.is_empty();
    }
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    let cache = Place::new();
    let proxy = Server::of(Vec::new(), |_| Reply::Status(403));
    let mut command = Command::new(common::program());
    command.args(["model", "fetch", "RN50"]).env("NEURONOTES_CACHE", cache.0.path());
    command.env("HTTPS_PROXY", format!("http://{}", proxy.address)).env_remove("ALL_PROXY");
    let run = command.env_remove("NO_PROXY").env_remove("no_proxy").output().expect("it runs");
    assert_eq!(run.status.code(), Some(2));
    let asked: Vec<String> = proxy.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(asked, ["CONNECT openaipublic.azureedge.net:443 HTTP/1.1"], "{}", said(&run));
}

#[test]
fn models_are_listed_with_what_is_there() {
    let cache = Place::new();
    fs::create_dir(cache.path("models")).expect("a folder");
    fs::write(cache.path("models/RN50.pt"), "12345").expect("write");
    fs::write(cache.path("models/ViT-B-32.pt.part"), "1234567").expect("write");
    let run = program(&cache, &["model", "list"]);
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    let folder = cache.0.path().display().to_string();
    let text = String::from_utf8_lossy(&run.stdout).replace(&folder, "CACHE");
    insta::assert_snapshot!(text);
    // In a garden, its own models too.
    let garden = Garden::new();
    garden.write("w.pt", "123");
    garden.write("neuronotes.yaml", "models: { mine: w.pt, gone: gone.pt, rn50: {}, no: {} }\n");
    let root = garden.root().display().to_string();
    let run = program(&cache, &["model", "list", "--root", &root]);
    let text = String::from_utf8_lossy(&run.stdout).replace(&folder, "CACHE");
    let own = text.replace(&root, "GARDEN").split("GARDEN").nth(1).expect("its part").to_owned();
    insta::assert_snapshot!(own);
}

#[test]
fn a_garden_names_models_that_are_not_there_yet() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let models = |more: &str| {
        garden.write("neuronotes.yaml", &config.replace("models:\n", &format!("models:\n{more}")));
    };
    let block = |model: &str| {
        format!(
            "```yaml analysis\nkind: feature_vis\nlayer: visual.layer4.0\nunit: 3\nmodel: {model}\n```\n"
        )
    };
    garden.note("a.md", &format!("{}\n{}", block("RN50x4"), block("emoji")));
    models("  RN50x4: {}\n");
    let cache = Place::new();
    let check = || {
        let mut command = garden.command(&["check"]);
        let output = command.env("NEURONOTES_CACHE", cache.0.path()).output().expect("it runs");
        (output.status.code(), said(&output))
    };
    let (code, text) = check();
    assert_eq!(code, Some(1));
    assert!(text.contains("notes/a.md:5:8") && text.contains("1 error"), "{text}");
    assert!(text.contains("the weights of RN50x4 were not found"), "{text}");
    assert!(text.contains("`neuronotes model fetch RN50x4` fetches its weights"), "{text}");
    // There, it is read; here it is other weights under that name.
    let emoji = common::repository().join("models/emoji-clip.safetensors");
    fs::create_dir(cache.path("models")).expect("a folder");
    fs::copy(&emoji, cache.path("models/RN50x4.pt")).expect("a copy");
    let (code, text) = check();
    assert_eq!(code, Some(0), "{text}");
    // A digest that does not fit is said with the one that is expected, at the block.
    let found = neuronotes_core::sha256::Sha256::of_file(&emoji).expect("a digest").to_string();
    models(&format!("  RN50x4: {{ sha256: {found} }}\n"));
    assert_eq!(check().0, Some(0));
    let wrong = "5".repeat(64);
    models(&format!("  RN50x4: {{ sha256: \"{wrong}\" }}\n"));
    let (code, text) = check();
    assert_eq!(code, Some(1));
    assert!(text.contains("notes/a.md:5:8"), "{text}");
    assert!(text.contains(&found) && text.contains(&format!("not {wrong}")), "{text}");
    // A name that nobody knows is an error in the configuration.
    models("  RN50x5: {}\n");
    let (_, text) = check();
    assert!(
        text.contains("neuronotes.yaml:4:3") && text.contains("did you mean `RN50x4`"),
        "{text}"
    );
}
