//! Whether a folder's file system reports every change. Only Linux tells the type of a folder's file system;
//! elsewhere events are trusted.

use std::path::Path;

/// File systems that others can change without an event here: network file systems, those of other hosts, and those
/// implemented by programs, which can be backed by anything. The numbers are those of `linux/magic.h` and of
/// coreutils' `src/stat.c`, whose list of remote file systems similarly decides whether `tail -f` trusts events.
///
/// Differences from that list: 9p is included, because WSL and virtual machines use it for their hosts' folders;
/// overlayfs is not, because in a container, where it is the root, its folders give events and only its files do not.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SILENT: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x6E66_7364, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x6573_5546, "FUSE (such as sshfs)"),
    (0x0102_1997, "9p (such as a Windows folder in WSL)"),
    (0x786F_4256, "VirtualBox's shared folders"),
    (0xBACB_ACBC, "VMware's shared folders"),
    (0x7C7C_6673, "Parallels' shared folders"),
    (0x00C3_6400, "Ceph"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564C, "NCP"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x1983_0326, "BeeGFS"),
    (0xAAD7_AAEA, "PanFS"),
    (0xBEEF_DEAD, "StorNext"),
    (0x0131_11A8, "IBRIX"),
    (0x6175_6673, "AUFS"),
];

/// The name of a folder's file system, if it does not report every change.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn silent(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    named(kind as u32)
}

/// The name of a folder's file system, if it does not report every change.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn silent(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn named(kind: u32) -> Option<&'static str> {
    SILENT.iter().find(|(number, _)| *number == kind).map(|(_, name)| *name)
}

/// Why events are unavailable, and what helps.
pub fn cause(error: &notify::Error) -> String {
    const FOLDERS: &str = "the limit of watched folders for this user is reached; as root, \
                           `sysctl fs.inotify.max_user_watches=524288` raises it";
    const WATCHERS: &str = "the limit of watchers for this user is reached; as root, \
                            `sysctl fs.inotify.max_user_instances=1024` raises it";
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => FOLDERS.to_owned(),
        // inotify's limits come as "no space left on device" and "too many open files".
        notify::ErrorKind::Io(cause) => match cause.raw_os_error() {
            Some(28) if cfg!(target_os = "linux") => FOLDERS.to_owned(),
            Some(24) if cfg!(target_os = "linux") => WATCHERS.to_owned(),
            _ => format!("file events are unavailable ({cause})"),
        },
        _ => format!("file events are unavailable ({error})"),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_of_this_machine_gives_events_and_foreign_ones_do_not() {
        assert_eq!(silent(Path::new("/proc/self")), None);
        assert_eq!(silent(Path::new("/there/is/no/such/folder")), None);
        assert_eq!(named(0x6969), Some("NFS"));
        assert_eq!(named(0xFF53_4D42), Some("CIFS"));
        let names: Vec<&str> = [0xEF53, 0x0102_1994, 0x9123_683E, 0x5846_5342, 0x794C_7630]
            .into_iter()
            .filter_map(named)
            .collect();
        assert!(names.is_empty(), "ext4, tmpfs, btrfs, xfs and overlayfs tell: {names:?}");
    }

    #[test]
    fn limits_say_what_raises_them() {
        let full = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
        assert!(cause(&full).contains("max_user_watches"));
        let many = notify::Error::io(std::io::Error::from_raw_os_error(24));
        assert!(cause(&many).contains("max_user_instances"));
    }
}
