//! Converts the system's events to what happened to paths. Reads the disk only if an event does not say whether it is
//! about a folder.

use std::path::Path;

use notify::Event;
use notify::event::{
    AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode,
};

use super::change::Sign;
use super::noise::is_note;

/// Whether to drop an event on arrival: opening and reading a file is not a change, and causes many events while the
/// garden is read. Closing a file after writing is one.
pub fn is_access(event: &Event) -> bool {
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
    matches!(event.kind, EventKind::Access(_)) && event.kind != closed && !event.need_rescan()
}

/// What an event says about paths below `root`; `None` if it does not say which paths. `known` are folders that are
/// or were watched.
pub fn signs(
    root: &Path,
    event: &Event,
    known: impl Fn(&str) -> bool,
) -> Option<Vec<(String, Sign)>> {
    if event.need_rescan() || event.paths.is_empty() {
        return None;
    }
    let names: Vec<String> = event.paths.iter().filter_map(|path| name(root, path)).collect();
    let is_folder = |name: &str| known(name) || root.join(name).is_dir();
    let one = |name: &String| match event.kind {
        EventKind::Access(_) => Some(Sign::Done),
        EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder) => {
            Some(Sign::Folder)
        }
        // A link to a folder, too.
        EventKind::Create(_) if is_folder(name) => Some(Sign::Folder),
        EventKind::Create(_) => Some(Sign::Begun),
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => {
            Some(if known(name) { Sign::Folder } else { Sign::Gone })
        }
        EventKind::Modify(ModifyKind::Metadata(_)) => match is_folder(name) {
            // Only a change of readability matters; folders' dates do not.
            true if known(name) == root.join(name).read_dir().is_ok() => None,
            true => Some(Sign::Folder),
            false => Some(Sign::Done),
        },
        EventKind::Modify(ModifyKind::Name(_)) if is_folder(name) => Some(Sign::Folder),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Sign::Done),
        // Systems that do not say which end of a renaming this is.
        EventKind::Modify(ModifyKind::Name(_)) => {
            let there = root.join(name).symlink_metadata().is_ok();
            Some(if there { Sign::Done } else { Sign::Gone })
        }
        _ => (!is_folder(name)).then_some(Sign::Begun),
    };
    if let (EventKind::Modify(ModifyKind::Name(RenameMode::Both)), [from, to]) =
        (event.kind, &*names)
    {
        if is_folder(from) || is_folder(to) {
            return Some([from, to].map(|name| (name.clone(), Sign::Folder)).into());
        }
        // A note that becomes another note will not come back; one that becomes a backup will.
        let left = if is_note(from) && is_note(to) { Sign::Moved } else { Sign::Gone };
        return Some(vec![(from.clone(), left), (to.clone(), Sign::Done)]);
    }
    Some(names.iter().filter_map(|name| Some((name.clone(), one(name)?))).collect())
}

/// A path relative to the garden, with `/`.
fn name(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, Flag, MetadataKind};

    fn of(kind: EventKind, paths: &[&str]) -> Option<Vec<(String, Sign)>> {
        let root = Path::new("/nowhere");
        let mut event = Event::new(kind);
        event.paths = paths.iter().map(|path| root.join(path)).collect();
        signs(root, &event, |name| name == "notes" || name == "notes/deep")
    }

    fn rename(mode: RenameMode, paths: &[&str]) -> Vec<(String, Sign)> {
        of(EventKind::Modify(ModifyKind::Name(mode)), paths).expect("paths")
    }

    #[test]
    fn each_kind_of_event_has_its_sign() {
        let one = |kind| of(kind, &["notes/a.md"]).and_then(|signs| signs.first().map(|s| s.1));
        let close = |mode| EventKind::Access(AccessKind::Close(mode));
        assert_eq!(one(EventKind::Create(CreateKind::File)), Some(Sign::Begun));
        assert_eq!(one(EventKind::Modify(ModifyKind::Data(DataChange::Any))), Some(Sign::Begun));
        assert_eq!(one(close(AccessMode::Write)), Some(Sign::Done));
        assert_eq!(
            one(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any))),
            Some(Sign::Done)
        );
        assert_eq!(one(EventKind::Remove(RemoveKind::File)), Some(Sign::Gone));
        assert!(is_access(&Event::new(close(AccessMode::Read))));
        assert!(is_access(&Event::new(EventKind::Access(AccessKind::Open(AccessMode::Any)))));
        assert!(!is_access(&Event::new(close(AccessMode::Write))));
        let folder = |kind| of(kind, &["notes/deep"]).map(|signs| signs[0].1);
        assert_eq!(folder(EventKind::Remove(RemoveKind::Folder)), Some(Sign::Folder));
        assert_eq!(rename(RenameMode::From, &["notes/deep"])[0].1, Sign::Folder);
    }

    #[test]
    fn a_note_that_becomes_a_note_is_believed_and_one_that_becomes_a_backup_is_not() {
        let both = |to| rename(RenameMode::Both, &["notes/a.md", to]);
        assert_eq!(both("notes/A.md")[0], ("notes/a.md".into(), Sign::Moved));
        assert_eq!(both("notes/A.md")[1], ("notes/A.md".into(), Sign::Done));
        assert_eq!(both("notes/a.md~")[0].1, Sign::Gone);
        assert_eq!(both("notes/.a.md")[0].1, Sign::Gone);
    }

    #[test]
    fn lost_events_come_first_whatever_the_event_is() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(signs(Path::new("/nowhere"), &event, |_| false), None);
        assert!(!is_access(&Event::new(EventKind::Access(AccessKind::Any)).set_flag(Flag::Rescan)));
        assert_eq!(of(EventKind::Any, &[]), None);
    }
}
