//! Folders with which something is wrong while the program runs.
//!
//! Small file systems are mounted in a namespace of their own (`unshare`). Where a machine does not let that be done,
//! this is said, and the system's limit of a file's size, or permissions, stand in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Garden, Run, files};

/// What is wrong with a folder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// So many bytes are left in it.
    Room(u64),
    /// Nothing can be written in it.
    ReadOnly,
}

/// Runs `neuronotes` while something is wrong with a folder of the garden; says what is in the folder afterwards.
pub fn during(
    garden: &Garden,
    folder: &str,
    fault: Fault,
    arguments: &[&str],
) -> (Run, BTreeMap<String, Vec<u8>>) {
    let folder = garden.path(folder);
    fs::create_dir_all(&folder).expect("a folder");
    let aside = tempfile::tempdir().expect("a temporary folder");
    let script = match fault {
        // What was there is there again, and then so much room is left.
        Fault::Room(_) => {
            "cp -a \"$1/.\" \"$2\" && mount -t tmpfs -o size=16m none \"$1\" && cp -a \"$2/.\" \"$1\" || exit 99\n\
             used=$(df -k --output=used \"$1\" | tail -1) && mount -o remount,size=$((used + $3 / 1024 + 8))k \"$1\" || exit 99\n\
             [ \"$3\" != 0 ] || head -c 99999 /dev/zero >\"$1/.full\" 2>/dev/null\n"
        }
        Fault::ReadOnly => {
            "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" || exit 99\n"
        }
    };
    let script = format!(
        "{script}folder=$1; aside=$2; shift 3\n\"$@\"; code=$?\nrm -rf \"$aside\"; cp -a \"$folder\" \"$aside\"; exit $code\n"
    );
    let room = match fault {
        Fault::Room(room) => room,
        Fault::ReadOnly => 0,
    };
    let asked = garden.command(arguments);
    let in_namespace = Command::new("unshare").args(["-r", "-m", "true"]).output();
    if in_namespace.is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("unshare");
        command.args(["-r", "-m", "sh", "-c", &script, "sh"]).arg(&folder).arg(aside.path());
        command.arg(room.to_string()).arg(asked.get_program()).args(asked.get_args());
        let run = Run(with_environment(command, &asked).output().expect("unshare runs"));
        if run.code() != 99 {
            return (run, files(aside.path()));
        }
        eprintln!("{}", run.stderr());
    }
    let run = otherwise(&folder, fault, &asked);
    (run, files(&folder))
}

fn with_environment(mut command: Command, from: &Command) -> Command {
    for (name, value) in from.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Without mounts: a limit of a file's size for a full disk, permissions for a folder that cannot be written to.
fn otherwise(folder: &Path, fault: Fault, asked: &Command) -> Run {
    eprintln!(
        "THIS MACHINE MOUNTS NOTHING FOR A TEST: a limit or permissions stand in for {fault:?}"
    );
    let script = match fault {
        // In blocks of 512 bytes: no file may have more than a quarter of the room.
        Fault::Room(room) => {
            format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", (room / 4 / 512).max(100))
        }
        Fault::ReadOnly => {
            "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; fi; exec \"$@\"".to_owned()
        }
    };
    let mode = |mode: u32| {
        let each = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
        for entry in each.filter(|entry| entry.file_type().is_dir()) {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(entry.path(), permissions).expect("permissions");
        }
    };
    if fault == Fault::ReadOnly {
        mode(0o555);
    }
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(asked.get_program()).args(asked.get_args());
    let run = Run(with_environment(command, asked).output().expect("sh runs"));
    if fault == Fault::ReadOnly {
        mode(0o755);
    }
    run
}
