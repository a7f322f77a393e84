//! What a job of Ray runs: a line for the shell that Ray starts, `/bin/sh`, and its environment.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::Place;
use crate::config::Profile;

/// Seconds that Ray leaves to a worker between asking it to end and killing it; 3 if nothing is said. A worker needs up to 5 to end
/// its lab.
const LEAVE: u32 = 10;

/// The line that a job runs.
pub(super) fn write(profile: &Profile, place: &Place, job: &str, probe: Option<&str>) -> String {
    let mut words = vec![
        quoted_path(&place.lab),
        "work".to_owned(),
        "--store".to_owned(),
        quoted_path(&place.store),
        "--pool".to_owned(),
        quoted(&place.pool),
        "--device".to_owned(),
        quoted(&profile.device),
        "--idle".to_owned(),
        profile.idle.as_secs().to_string(),
    ];
    if let Some(time) = profile.time {
        words.extend(["--minutes".to_owned(), (time.as_secs() / 60).max(1).to_string()]);
    }
    if let Some(probe) = probe {
        words.extend(["--probe".to_owned(), quoted(probe)]);
    }
    let logs = quoted_path(&place.logs_there);
    let log = quoted_path(&place.logs_there.join(format!("{job}.log")));
    // Where the folder cannot be written to, the worker says itself what is wrong, and Ray keeps that.
    let output = format!("if [ -w {logs} ]; then exec >>{log} 2>&1; fi");
    let head = profile.head.as_ref().map(|head| format!("{}\n", head.trim_end()));
    // With `exec`, Ray's signals reach the worker itself.
    format!("{output}\n{}exec {}", head.unwrap_or_default(), words.join(" "))
}

/// The environment of a job. It is shown in Ray's list of jobs: nothing secret.
pub(super) fn environment(job: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("NEURONOTES_JOB", job.to_owned()),
        ("RAY_JOB_STOP_WAIT_TIME_S", LEAVE.to_string()),
    ])
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A word as the shell reads it: unchanged, whatever is in it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:=".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::config::EngineName;

    #[test]
    fn the_shell_passes_on_what_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        for word in
            ["plain", "", "a b", "it's", "$HOME `id` \"x\" \\ *", "'", "new\nline", "-x", "ä"]
        {
            let line = format!("printf %s {}", quoted(word));
            let output = Command::new("/bin/sh").args(["-c", &line]).output().expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
        let store = folder.path().join("it's a store");
        let logs = store.join("logs");
        std::fs::create_dir_all(&logs).expect("a folder");
        let place = Place {
            pool: "p".into(),
            jobs: "nn-0-p".into(),
            store,
            logs: logs.clone(),
            logs_there: logs.clone(),
            lab: "/bin/echo".into(),
        };
        let mut profile = Profile::new(EngineName::Ray, 0..0);
        profile.time = Some(Duration::from_secs(2 * 3600));
        profile.head = Some("greeting=hello\necho $greeting\n".into());
        let line = write(&profile, &place, "nn-0-p-1-0", Some("n1"));
        let output = Command::new("/bin/sh").args(["-c", &line]).output().expect("a shell");
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        let said = std::fs::read_to_string(logs.join("nn-0-p-1-0.log")).expect("a log");
        let expected = format!(
            "hello\nwork --store {} --pool p --device auto --idle 60 --minutes 120 --probe n1\n",
            place.store.display()
        );
        assert_eq!(said, expected);
        // Without the folder, everything goes to Ray.
        let place = Place { logs_there: folder.path().join("none"), ..place };
        let line = write(&profile, &place, "nn-0-p-1-0", None);
        let output = Command::new("/bin/sh").args(["-c", &line]).output().expect("a shell");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("hello\nwork --store "));
    }
}
