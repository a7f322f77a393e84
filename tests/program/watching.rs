//! The preview follows real programs: editors, git, rsync, and folders that come and go.
//!
//! `NEURONOTES_NO_EDITORS=1` leaves out what needs programs that are not on every machine, and says so. Without it, a
//! program that is missing is a failure: `cargo xtask test` installs them where it can.
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::common;
use crate::common::Garden;
use crate::common::preview::Preview;

/// A garden with a note and its preview, and with what may only be there once the preview is seen to work.
fn garden() -> (Garden, Preview) {
    let garden = Garden::new();
    garden.note("a.md", "At first.\n");
    garden.note("b.md", "Another.\n");
    let preview = Preview::of(&garden);
    preview.shows("a.html", "At first.");
    (garden, preview)
}

/// Whether tests with other people's programs are run.
fn programs() -> bool {
    let left_out = std::env::var_os("NEURONOTES_NO_EDITORS").is_some_and(|value| value == "1");
    if left_out {
        eprintln!("NEURONOTES_NO_EDITORS is set: nothing is tested with other programs");
    }
    !left_out
}

/// Runs a program to its end, which must be a good one.
fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    let output = command.output().unwrap_or_else(|error| {
        let hint = "`cargo xtask test` installs it; NEURONOTES_NO_EDITORS=1 leaves this test out";
        panic!("{program} does not start ({error}): {hint}")
    });
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{said}", output.status);
    said
}

/// A path as an argument.
fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// Saves the note three times, as quickly as a program can, and looks whether the page follows. `save` is given the
/// note's path and its new text.
fn follows(save: impl Fn(&str, &str)) -> Garden {
    let (garden, preview) = garden();
    let path = text(&garden.path("notes/a.md"));
    for round in 1..=3 {
        let new = format!("Saved {round} times.");
        save(&path, &new);
        preview.shows("a.html", &new);
    }
    preview.shows("b.html", "Another.");
    garden
}

fn vim(options: &str) {
    if !programs() {
        return;
    }
    let garden = follows(|path, new| {
        // In folders for temporary files it makes none by itself.
        let set = format!("set backupskip= {options}");
        let change = format!("%s/.*/{new}/");
        let arguments = ["-u", "NONE", "-i", "NONE", "-es", "-c", &set, "-c", &change, "-c", "wq"];
        run("vim", &[&arguments[..], &[path]].concat());
    });
    let kept = garden.path("notes/a.md~").exists();
    assert_eq!(kept, options.split(' ').any(|option| option == "backup"), "the backup");
}

#[test]
fn vim_that_copies_a_backup_and_writes_in_place() {
    vim("writebackup backupcopy=yes");
}

#[test]
fn vim_that_renames_the_note_to_a_backup() {
    vim("writebackup backupcopy=no");
}

#[test]
fn vim_that_chooses_how_to_back_up() {
    vim("writebackup backupcopy=auto");
}

#[test]
fn vim_that_keeps_a_copied_backup() {
    vim("backup writebackup backupcopy=yes");
}

#[test]
fn vim_that_keeps_a_renamed_backup() {
    vim("backup writebackup backupcopy=no");
}

#[test]
fn vim_without_a_backup() {
    vim("nobackup nowritebackup");
}

fn emacs(copying: &str) {
    if !programs() {
        return;
    }
    let garden = follows(|path, new| {
        // In folders for temporary files it keeps none by itself.
        let lisp = format!(
            "(progn (setq make-backup-files t backup-by-copying {copying} create-lockfiles t \
             backup-enable-predicate (lambda (name) t)) (find-file \"{path}\") (erase-buffer) \
             (insert \"{new}\\n\") (save-buffer))"
        );
        run("emacs", &["-Q", "--batch", "--eval", &lisp]);
    });
    assert!(garden.path("notes/a.md~").exists(), "the backup");
}

#[test]
fn emacs_that_renames_the_note_to_a_backup() {
    emacs("nil");
}

#[test]
fn emacs_that_copies_a_backup() {
    emacs("t");
}

/// nano in a terminal: `script` gives it one. Keys are pressed when it has drawn what it edits.
fn nano(options: &str) -> Garden {
    follows(|path, new| {
        let nano = format!("nano --ignorercfiles {options} '{path}'");
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", &nano, "/dev/null"]).env("TERM", "xterm");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("script, of util-linux, starts");
        let mut screen = child.stdout.take().expect("a screen");
        let mut keys = child.stdin.take().expect("keys");
        let mut seen = Vec::new();
        let mut wait = |what: &str| {
            let mut bytes = [0; 4096];
            while !String::from_utf8_lossy(&seen).contains(what) {
                let n = screen.read(&mut bytes).expect("the screen");
                let shown = String::from_utf8_lossy(&seen).into_owned();
                assert!(n > 0, "nano ended without `{what}` (is it installed?):\n{shown}");
                seen.extend_from_slice(&bytes[..n]);
            }
        };
        let mut press = |what: &str| keys.write_all(what.as_bytes()).expect("keys");
        wait("Exit");
        // Cut the line, type another one, write it out under the same name, end.
        press(&format!("\x0b{new}"));
        press("\x0f");
        wait("File Name to Write");
        press("\r");
        wait("Wrote");
        press("\x18");
        drop(keys);
        assert!(child.wait().expect("nano ends").success());
    })
}

#[test]
fn nano_that_writes_in_place() {
    if programs() {
        nano("");
    }
}

#[test]
fn nano_that_makes_a_backup() {
    if programs() {
        let garden = nano("--backup");
        assert!(garden.path("notes/a.md~").exists(), "the backup");
    }
}

/// As VS Code saves a file: opened with `O_TRUNC`, written at once, its data synchronised, closed (`writeFile` in its
/// `diskFileSystemProvider.ts`). Where the disk is slow, the file is empty for a while.
#[test]
fn vs_code_that_truncates_and_writes_never_shows_an_empty_note() {
    let (garden, preview) = garden();
    for round in 1..=3 {
        let before = preview.get("a.html").1;
        let mut file = fs::File::create(garden.path("notes/a.md")).expect("truncated");
        let until = Instant::now() + Duration::from_millis(60);
        while Instant::now() < until {
            assert_eq!(preview.get("a.html").1, before, "the emptied note");
        }
        let new = format!("Saved {round} times.\n");
        file.write_all(new.as_bytes()).expect("written");
        file.sync_data().expect("synchronised");
        drop(file);
        preview.shows("a.html", new.trim());
    }
}

/// As VS Code saves where it is asked to do so in one piece, and as many others do: a file beside it with an ending of
/// its own, renamed over the note (`doWriteFileAtomic` there, with the ending `.vsctmp`).
#[test]
fn vs_code_that_renames_a_file_into_place() {
    let garden = follows(|path, new| {
        let beside = format!("{path}.vsctmp");
        let mut file = fs::File::create(&beside).expect("a file");
        file.write_all(new.as_bytes()).expect("written");
        file.sync_data().expect("synchronised");
        drop(file);
        fs::rename(beside, path).expect("renamed");
    });
    assert!(!garden.path("notes/a.md.vsctmp").exists());
}

#[test]
fn sed_in_place() {
    follows(|path, new| {
        run("sed", &["-i", "-e", &format!("s/.*/{new}/"), path]);
    });
}

/// A copy of a note with this text, in a folder of its own, to be brought over.
fn elsewhere(new: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.md");
    fs::write(&path, format!("{new}\n")).expect("a file");
    let path = text(&path);
    (folder, path)
}

#[test]
fn rsync_that_renames_a_file_into_place() {
    if programs() {
        follows(|path, new| {
            let (_folder, from) = elsewhere(new);
            run("rsync", &["-a", "--ignore-times", &from, path]);
        });
    }
}

#[test]
fn rsync_that_writes_in_place() {
    if programs() {
        follows(|path, new| {
            let (_folder, from) = elsewhere(new);
            run("rsync", &["-a", "--ignore-times", "--inplace", &from, path]);
        });
    }
}

#[test]
fn git_that_checks_out_another_branch_over_200_notes() {
    let garden = Garden::new();
    let git = |arguments: &[&str]| {
        let root = text(garden.root());
        let who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0"];
        run("git", &[&["-C", &root], &who[..], arguments].concat());
    };
    let write = |name: &str, branch: &str| garden.note(name, &format!("{name} on {branch}.\n"));
    let changed: Vec<String> = (0..200).map(|n| format!("n{n}.md")).collect();
    let first_only = ["first.md", "folder/first.md"];
    let second_only = ["second.md", "other/deep/second.md"];
    git(&["init", "-q", "-b", "first"]);
    for name in changed.iter().map(String::as_str).chain(first_only) {
        write(name, "first");
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "first"]);
    git(&["checkout", "-q", "-b", "second"]);
    git(&["rm", "-q", "-r", "notes/first.md", "notes/folder"]);
    for name in changed.iter().map(String::as_str).chain(second_only) {
        write(name, "second");
    }
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "second"]);
    let preview = Preview::of(&garden);
    let page = |name: &str| name.replace(".md", ".html");
    for (branch, here, gone) in [
        ("first", first_only, second_only),
        ("second", second_only, first_only),
        ("first", first_only, second_only),
    ] {
        git(&["checkout", "-q", branch]);
        for name in changed.iter().map(String::as_str).chain(here) {
            preview.shows(&page(name), &format!("{name} on {branch}."));
        }
        for name in gone {
            preview.misses(&page(name));
        }
    }
}

#[test]
fn a_folder_that_is_moved_out_and_in_again() {
    let (garden, preview) = garden();
    garden.note("deep/c.md", "In a folder.\n");
    garden.note("deep/deeper/d.md", "Deeper.\n");
    preview.shows("deep/c.html", "In a folder.");
    preview.shows("deep/deeper/d.html", "Deeper.");
    // On the same file system, so that it is a renaming and no copying.
    let beside = tempfile::tempdir_in(garden.root().parent().expect("a folder")).expect("a folder");
    let away = beside.path().join("away");
    fs::rename(garden.path("notes/deep"), &away).expect("moved out");
    preview.misses("deep/c.html");
    preview.misses("deep/deeper/d.html");
    fs::write(away.join("deeper/d.md"), "Changed outside.\n").expect("a file");
    fs::rename(&away, garden.path("notes/again")).expect("moved in");
    preview.shows("again/c.html", "In a folder.");
    preview.shows("again/deeper/d.html", "Changed outside.");
    garden.note("again/deeper/d.md", "Changed inside.\n");
    preview.shows("again/deeper/d.html", "Changed inside.");
    // Renamed in place, and changed there.
    fs::rename(garden.path("notes/again"), garden.path("notes/deep")).expect("renamed");
    preview.shows("deep/deeper/d.html", "Changed inside.");
    preview.misses("again/deeper/d.html");
    garden.note("deep/deeper/d.md", "Under its old name.\n");
    preview.shows("deep/deeper/d.html", "Under its old name.");
}

#[test]
fn a_folder_that_is_copied_in_and_removed() {
    let (garden, preview) = garden();
    let source = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..60).map(|n| format!("f{}/f{n}/c{n}", n % 7)).collect();
    for name in &names {
        let path = source.path().join(format!("{name}.md"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, format!("Copied to {name}.\n")).expect("a file");
    }
    for round in 0..3 {
        run("cp", &["-r", &text(source.path()), &text(&garden.path("notes/copy"))]);
        for name in &names {
            preview.shows(&format!("copy/{name}.html"), &format!("Copied to {name}."));
        }
        // Each of the folders is watched by now.
        for name in names.iter().step_by(9) {
            garden.note(&format!("copy/{name}.md"), &format!("Round {round}.\n"));
            preview.shows(&format!("copy/{name}.html"), &format!("Round {round}."));
        }
        fs::remove_dir_all(garden.path("notes/copy")).expect("removed");
        for name in &names {
            preview.misses(&format!("copy/{name}.html"));
        }
    }
}

#[test]
fn a_note_that_is_renamed_only_in_its_case() {
    let (garden, preview) = garden();
    garden.note("lower.md", "Renamed.\n");
    preview.shows("lower.html", "<h1>lower</h1>");
    fs::rename(garden.path("notes/lower.md"), garden.path("notes/LOWER.md")).expect("renamed");
    // The address is the same.
    preview.shows("lower.html", "<h1>LOWER</h1>");
    fs::rename(garden.path("notes/LOWER.md"), garden.path("notes/lower.md")).expect("renamed");
    preview.shows("lower.html", "<h1>lower</h1>");
}

#[test]
fn a_note_that_is_emptied_or_removed_for_good() {
    let (garden, preview) = garden();
    garden.note("a.md", "");
    let until = Instant::now() + Duration::from_secs(10);
    while preview.get("a.html").1.contains("At first.") {
        assert!(Instant::now() < until, "the note stays empty");
    }
    garden.remove("notes/b.md");
    preview.misses("b.html");
}

/// The system keeps only so many events for a program that does not read them. This one is stopped until there are
/// more.
#[test]
#[cfg(target_os = "linux")]
fn more_events_than_the_system_keeps() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("the limit");
    let limit: usize = limit.trim().parse().expect("a number");
    let (garden, preview) = garden();
    let id = preview.id().to_string();
    run("sh", &["-c", &format!("kill -STOP {id}")]);
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let state = fs::read_to_string(format!("/proc/{id}/stat")).expect("its state");
        if state.rsplit(')').next().is_some_and(|rest| rest.trim().starts_with('T')) {
            break;
        }
        assert!(Instant::now() < until, "{state}");
    }
    // Each renaming is two events, for the file that goes and the one that comes.
    let (one, two) = (garden.path("notes/one.png"), garden.path("notes/two.png"));
    fs::write(&one, "a picture").expect("a file");
    for _ in 0..limit / 4 + 500 {
        fs::rename(&one, &two).expect("renamed");
        fs::rename(&two, &one).expect("renamed");
    }
    // Of these nothing is heard any more.
    garden.note("a.md", "After the storm.\n");
    garden.note("new/c.md", "In a folder that nobody heard of.\n");
    garden.remove("notes/b.md");
    run("sh", &["-c", &format!("kill -CONT {id}")]);
    preview.shows("a.html", "After the storm.");
    preview.says("events were lost");
    preview.shows("new/c.html", "In a folder that nobody heard of.");
    preview.misses("b.html");
    // And it goes on as before, in the folder that was found too.
    garden.note("new/c.md", "Heard of again.\n");
    preview.shows("new/c.html", "Heard of again.");
}

/// A user of whom the system watches only a few folders: a namespace of users has limits of its own.
#[test]
#[cfg(target_os = "linux")]
fn more_folders_than_the_system_watches() {
    let lower = "echo 4 >/proc/sys/user/max_inotify_watches";
    let namespace = ["--user", "--map-root-user", "sh", "-c"];
    let mut command = Command::new("unshare");
    command.args(namespace).arg(lower);
    let output = command.output().expect("unshare, of util-linux, starts");
    if !output.status.success() {
        eprintln!(
            "NOT TESTED: this machine allows no namespaces of users, so the limit of watched folders \
             cannot be lowered: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    let garden = Garden::new();
    garden.note("a.md", "At first.\n");
    let serve = || {
        let mut command = Command::new("unshare");
        command
            .args(namespace)
            .arg(format!("{lower} && exec \"$0\" \"$@\""))
            .arg(common::program());
        command.args(["serve", "--port", "0", "--root"]).arg(garden.root());
        command.env("NEURONOTES_LAB", garden.path("there-is-no-lab"));
        Preview::by(command)
    };
    let preview = serve();
    preview.says("watching by file events");
    preview.shows("a.html", "At first.");
    for n in 0..6 {
        garden.note(&format!("f{n}/c.md"), "In a new folder.\n");
        preview.shows(&format!("f{n}/c.html"), "In a new folder.");
    }
    preview.says("polling every 0.7 s from now on, since the limit of watched folders");
    for n in 0..6 {
        garden.note(&format!("f{n}/c.md"), "Changed there.\n");
    }
    for n in 0..6 {
        preview.shows(&format!("f{n}/c.html"), "Changed there.");
    }
    // The same limit at the start says what raises it.
    drop(preview);
    let preview = serve();
    preview.says("polling every 0.7 s, since");
    preview.says("`sysctl fs.inotify.max_user_watches=524288` raises it");
    garden.note("a.md", "Seen by looking.\n");
    preview.shows("a.html", "Seen by looking.");
}

/// Unmounts at the end of a test, however it ends.
struct Mount(tempfile::TempDir);

impl Drop for Mount {
    fn drop(&mut self) {
        let folder = text(self.0.path());
        for (program, arguments) in
            [("fusermount", &["-u", "-z"][..]), ("fusermount3", &["-u", "-z"]), ("umount", &["-l"])]
        {
            let mut command = Command::new(program);
            command.args(arguments).arg(&folder).stderr(Stdio::null());
            if command.status().is_ok_and(|status| status.success()) {
                return;
            }
        }
        eprintln!("{folder} cannot be unmounted");
    }
}

/// A garden by way of a file system that does not tell of changes made in the folder behind it.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_on_a_file_system_that_gives_no_events() {
    if !programs() {
        return;
    }
    let garden = Garden::new();
    garden.note("a.md", "At first.\n");
    let mount = Mount(tempfile::tempdir().expect("a temporary folder"));
    let mut bindfs = Command::new("bindfs");
    bindfs.args([garden.root(), mount.0.path()]);
    let output = bindfs.output().expect(
        "bindfs starts: `cargo xtask test` installs it; NEURONOTES_NO_EDITORS=1 leaves this test out",
    );
    if !output.status.success() {
        // Containers without /dev/fuse allow no such file system to anybody.
        assert!(
            fs::File::options().read(true).write(true).open("/dev/fuse").is_err(),
            "bindfs fails: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        eprintln!(
            "NOT TESTED: this machine lets nobody mount a file system (/dev/fuse cannot be opened). \
             Polling is tested in a plain folder instead, and the choice of it is not."
        );
        std::mem::forget(mount);
        return polls(
            &garden,
            Preview::by(garden.command(&["serve", "--port", "0", "--watch", "poll"])),
        );
    }
    let serve = |how: &[&str]| {
        let mut command = Command::new(common::program());
        command.args(["serve", "--port", "0", "--root"]).arg(mount.0.path()).args(how);
        command.env("NEURONOTES_LAB", mount.0.path().join("there-is-no-lab"));
        Preview::by(command)
    };
    let preview = serve(&[]);
    preview.says("polling every 0.7 s, since FUSE (such as sshfs) gives no events for changes made elsewhere");
    polls(&garden, preview);
    // That the file system is one without events is no assumption: with events alone, nothing is seen.
    garden.note("a.md", "At first.\n");
    let preview = serve(&["--watch", "native"]);
    preview.says("watching by file events, although FUSE");
    preview.shows("a.html", "At first.");
    garden.note("a.md", "Behind its back.\n");
    std::thread::sleep(Duration::from_secs(2));
    assert!(preview.get("a.html").1.contains("At first."), "it gives events after all");
}

#[test]
fn a_plain_folder_that_is_polled() {
    let garden = Garden::new();
    garden.note("a.md", "At first.\n");
    let preview = Preview::by(garden.command(&["serve", "--port", "0", "--watch", "poll"]));
    preview.says("polling every 0.7 s, as requested");
    polls(&garden, preview);
}

/// What must be seen by looking alone.
fn polls(garden: &Garden, preview: Preview) {
    preview.shows("a.html", "At first.");
    // Of a server whose clock goes wrong, so that no file of it ever looks settled.
    let date = SystemTime::now() + Duration::from_secs(3600);
    for text in ["At once..", "At secnd.", "At third."] {
        // As many bytes, and the same date.
        garden.note("a.md", &format!("{text}\n"));
        let file = fs::File::options().write(true).open(garden.path("notes/a.md")).expect("a file");
        file.set_modified(date).expect("a date");
        drop(file);
        preview.shows("a.html", text);
    }
    garden.note("deep/new.md", "New.\n");
    preview.shows("deep/new.html", "New.");
    fs::rename(garden.path("notes/deep/new.md"), garden.path("notes/deep/NEW.md"))
        .expect("renamed");
    preview.shows("deep/new.html", "<h1>NEW</h1>");
    fs::rename(garden.path("notes/deep"), garden.path("notes/moved")).expect("renamed");
    preview.shows("moved/new.html", "New.");
    preview.misses("deep/new.html");
    garden.remove("notes/moved/NEW.md");
    preview.misses("moved/new.html");
    garden.write("neuronotes.yaml", "title: Another garden\n");
    preview.shows("a.html", "Another garden");
}

#[test]
fn how_it_learns_of_changes_is_said() {
    let (_garden, preview) = garden();
    let said = preview.said();
    assert!(said.contains("(watching by file events; Ctrl-C ends it)"), "{said}");
}
