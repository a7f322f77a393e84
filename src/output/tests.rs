//! Files are written and removed as they should be, whatever else is in the folder.

use super::*;
use crate::site::Sink as _;

fn write(
    output: &mut Output,
    files: BTreeMap<String, Content>,
    store: &Store,
) -> (Changes, Vec<Diagnostic>) {
    let writer = output.writer(store, &|_, _| {});
    for (path, content) in files {
        writer.take(path, content);
    }
    let done = writer.done();
    output.finish(done)
}

fn site(pages: &[(&str, &str)]) -> BTreeMap<String, Content> {
    let page =
        |html: &str| Content::Page { key: Digest::of(html.as_bytes()), html: Ok(html.into()) };
    pages.iter().map(|(path, html)| ((*path).to_owned(), page(html))).collect()
}

#[test]
fn only_what_differs_is_written_and_only_its_own_files_are_removed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let folder = dir.path().join("output");
    let write = |pages: &[(&str, &str)]| {
        let mut digests = FileDigests::default();
        let mut output = Output::open(&folder, &dir.path().join("cache"), &mut digests);
        let (changes, problems) = self::write(&mut output, site(pages), &store);
        assert_eq!(problems, []);
        changes
    };
    let first = write(&[("a.html", "a"), ("x/y/b.html", "b")]);
    assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 2, "nothing is left over");
    assert_eq!(first.written, ["a.html", "x/y/b.html"]);
    fs::write(folder.join("CNAME"), "notes.example").expect("a file of the user's");
    let second = write(&[("a.html", "a"), ("x/y/b.html", "b")]);
    assert_eq!(second, Changes { kept: 2, ..Changes::default() });
    let third = write(&[("a.html", "A")]);
    assert_eq!((third.written, third.removed), (vec!["a.html".into()], vec!["x/y/b.html".into()]));
    assert!(!folder.join("x").exists() && folder.join("CNAME").exists());
}

#[test]
fn a_page_changed_by_hand_is_put_right_and_never_removed_by_mistake() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let folder = dir.path().join("output");
    let mut digests = FileDigests::default();
    let open =
        |digests: &mut FileDigests| Output::open(&folder, &dir.path().join("cache"), digests);
    let pages = site(&[("a.html", "a")]);
    let key = Digest::of(b"a");
    write(&mut open(&mut digests), pages, &store);
    assert!(open(&mut digests).is_current("a.html", key));
    fs::write(folder.join("a.html"), "by hand").expect("a change");
    assert!(!open(&mut digests).is_current("a.html", key));
    let (changes, _) = write(&mut open(&mut digests), BTreeMap::new(), &store);
    assert_eq!(changes.removed, Vec::<String>::new());
    assert!(folder.join("a.html").exists());
}

#[test]
fn what_a_build_wrote_that_never_came_to_its_end_is_known_to_the_next() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let folder = dir.path().join("output");
    let open = || Output::open(&folder, &dir.path().join("cache"), &mut FileDigests::default());
    let (_, problems) = write(&mut open(), site(&[("a.html", "a"), ("b.html", "b")]), &store);
    assert_eq!(problems, []);
    // Killed after its files were written.
    let killed = open();
    let writer = killed.writer(&store, &|_, _| {});
    for (path, content) in site(&[("a.html", "A"), ("x/c.html", "c")]) {
        writer.take(path, content);
    }
    drop(writer.done());
    assert!(folder.join("x/c.html").exists());
    fs::write(folder.join("mine.html"), "mine").expect("a file of the user's");
    let (changes, problems) = write(&mut open(), site(&[("b.html", "b")]), &store);
    assert_eq!((changes.removed, problems), (vec!["a.html".into(), "x/c.html".into()], vec![]));
    assert!(folder.join("mine.html").exists() && !folder.join("x").exists());
    assert_eq!(open().journal.left(), []);
}

#[test]
#[cfg(unix)]
fn a_list_that_somebody_else_made_removes_and_writes_nothing_elsewhere() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (cache, folder) = (dir.path().join("cache"), dir.path().join("output"));
    let outside = dir.path().join("outside");
    fs::create_dir_all(folder.join("a")).expect("a folder");
    fs::create_dir_all(outside.join("empty")).expect("a folder");
    fs::write(outside.join("secret.txt"), "secret").expect("a file");
    std::os::unix::fs::symlink(&outside, folder.join("link")).expect("a link");
    let secret = outside.join("secret.txt").display().to_string();
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let open = || Output::open(&folder, &cache, &mut FileDigests::default());
    for path in ["../outside/secret.txt", &secret, "a/../../outside/secret.txt", "link/secret.txt"]
    {
        let entry = Entry { key: None, digest: Digest::of(b"secret") };
        let forged = BTreeMap::from([(path.to_owned(), entry)]);
        let json = serde_json::to_vec(&forged).expect("JSON");
        write_atomic(&open().manifest_path, &seal::seal(&json)).expect("written");
        let (changes, problems) = write(&mut open(), site(&[("a.html", "a")]), &store);
        assert_eq!(changes.removed, [""; 0], "{path}");
        assert!(problems[0].message.contains("the list of written files was damaged"), "{path}");
    }
    let (changes, problems) =
        write(&mut open(), site(&[("link/b.html", "b"), ("../c.html", "c")]), &store);
    assert_eq!((changes.written.len(), problems.len()), (0, 2), "{problems:?}");
    let left = fs::read_dir(&outside).expect("the folder").count();
    assert_eq!((left, outside.join("empty").exists()), (2, true));
    assert_eq!(fs::read_to_string(&secret).expect("the file"), "secret");
}

#[test]
fn a_damaged_picture_is_reported_and_never_published() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let digest = store.put_blob(b"picture").expect("a blob");
    let from = store.blob_path(&digest);
    fs::write(&from, b"PICTURE").expect("damage");
    let files = [("figures/p.png".to_owned(), Content::Copy { from, digest })].into();
    let folder = dir.path().join("output");
    let mut output = Output::open(&folder, dir.path(), &mut FileDigests::default());
    let (changes, problems) = write(&mut output, files, &store);
    assert_eq!((changes.written.len(), problems.len()), (0, 1));
    assert!(!folder.join("figures/p.png").exists());
}
