//! Which control groups this process is in, of version 1 and 2, and what they and all their parents say.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// The control groups of this process, as files below some root, so that tests can bring their own.
#[derive(Debug, Clone)]
pub(super) struct Groups {
    hierarchies: Vec<Hierarchy>,
}

/// One tree of control groups with the place of this process in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    /// What it controls; empty for version 2, whose groups say so by the files that they have.
    controllers: Vec<String>,
    /// From the group of this process up to the outermost one that can be seen.
    folders: Vec<PathBuf>,
}

/// The version of a hierarchy: its files have other names and forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

/// A control group on the way from this process to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group<'a> {
    pub(super) version: Version,
    folder: &'a Path,
}

impl Groups {
    /// The groups of this process.
    pub(super) fn of_this_process() -> Self {
        Groups::below(Path::new("/"))
    }

    /// The groups of this process as a tree of files below `root` describes them: none where `/proc` tells
    /// nothing.
    pub(super) fn below(root: &Path) -> Self {
        let read = |path| fs::read(root.join(path)).unwrap_or_default();
        let mounts = mounts(&read("proc/self/mountinfo"));
        let groups = read("proc/self/cgroup");
        let hierarchies = groups
            .split(|&byte| byte == b'\n')
            .filter_map(|line| Hierarchy::of(line, &mounts, root))
            .collect();
        Groups { hierarchies }
    }

    /// The groups of this process under a controller, its own first.
    pub(super) fn under(&self, controller: &str) -> impl Iterator<Item = Group<'_>> {
        let controls = move |hierarchy: &&Hierarchy| {
            hierarchy.version == Version::Two
                || hierarchy.controllers.iter().any(|c| c == controller)
        };
        self.hierarchies.iter().filter(controls).flat_map(|hierarchy| {
            let version = hierarchy.version;
            hierarchy.folders.iter().map(move |folder| Group { version, folder })
        })
    }
}

impl Group<'_> {
    /// The number that a file of the group holds; `None` for `max`, and where there is no such file.
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }

    /// The number behind a word in a file of such lines.
    pub(super) fn field(&self, file: &str, word: &str) -> Option<u64> {
        self.text(file)?.lines().find_map(|line| {
            let (key, value) = line.split_once(' ')?;
            if key == word { value.trim().parse().ok() } else { None }
        })
    }

    pub(super) fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }
}

/// Where a hierarchy, or a part of it, can be seen.
struct Mount {
    version: Version,
    /// Controllers of version 1, among other options.
    options: Vec<String>,
    /// The group that is seen at the top.
    root: PathBuf,
    point: PathBuf,
}

/// The mounted hierarchies, from `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
fn mounts(mountinfo: &[u8]) -> Vec<Mount> {
    mountinfo.split(|&byte| byte == b'\n').filter_map(mount).collect()
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&byte| byte == b' ').skip(3);
    let (root, point) = (unescaped(words.next()?), unescaped(words.next()?));
    let mut kind = words.skip_while(|word| *word != b"-").skip(1);
    let version = match kind.next()? {
        b"cgroup" => Version::One,
        b"cgroup2" => Version::Two,
        _ => return None,
    };
    let options = String::from_utf8_lossy(kind.nth(1)?);
    let options = options.split(',').map(str::to_owned).collect();
    Some(Mount { version, options, root, point })
}

/// A path in which blanks and the like are written as `\040`.
fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..3).filter(|_| *first == b'\\');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

impl Hierarchy {
    /// From a line of `/proc/self/cgroup` (cgroups(7)), if the hierarchy is mounted.
    fn of(line: &[u8], mounts: &[Mount], root: &Path) -> Option<Self> {
        let mut parts = line.splitn(3, |&byte| byte == b':').skip(1);
        let controllers = String::from_utf8_lossy(parts.next()?).into_owned();
        let own = PathBuf::from(OsString::from_vec(parts.next()?.to_vec()));
        let version = if controllers.is_empty() { Version::Two } else { Version::One };
        let controllers: Vec<_> =
            controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let is_its = |mount: &&Mount| {
            mount.version == version
                && controllers.iter().all(|controller| mount.options.contains(controller))
        };
        let below = |point: &Path| root.join(point.strip_prefix("/").unwrap_or(point));
        // The mount that shows the most parents. Where none shows the group, as under a name space that it
        // is not in, what is mounted is the nearest that can be seen.
        let seen = mounts.iter().filter(is_its).filter_map(|mount| {
            let within = own.strip_prefix(&mount.root).ok()?;
            let leads_out = within.components().any(|part| part == Component::ParentDir);
            let folder = below(&mount.point).join(within);
            (!leads_out && folder.is_dir()).then_some((mount, folder))
        });
        let seen = seen.min_by_key(|(mount, _)| mount.root.as_os_str().len());
        let (top, own) = match seen {
            Some((mount, folder)) => (below(&mount.point), folder),
            None => {
                let point = below(&mounts.iter().find(is_its)?.point);
                (point.clone(), point)
            }
        };
        let folders =
            own.ancestors().take_while(|folder| folder.starts_with(&top)).map(Path::to_owned);
        Some(Hierarchy { version, controllers, folders: folders.collect() })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Files below a folder that stands for the root of a machine.
    pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn numbers(files: &[(&str, &str)], controller: &str, file: &str) -> Vec<Option<u64>> {
        let root = tree(files);
        let groups = Groups::below(root.path());
        groups.under(controller).map(|group| group.number(file)).collect()
    }

    #[test]
    fn version_2_is_read_from_its_own_group_up_to_the_top() {
        let files = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("sys/fs/cgroup/pids.max", "max\n"),
            ("sys/fs/cgroup/a/pids.max", "7\n"),
            ("sys/fs/cgroup/a/b/pids.max", "9\n"),
        ];
        assert_eq!(numbers(&files, "pids", "pids.max"), [Some(9), Some(7), None]);
    }

    #[test]
    fn version_1_and_hybrid_mounts_are_told_apart_by_controller() {
        let files = [
            ("proc/self/cgroup", "5:cpu,cpuacct:/q\n4:memory:/m\n1:name=systemd:/\n0::/\n"),
            (
                "proc/self/mountinfo",
                "30 23 0:27 / / rw - ext4 /dev/vda rw\n\
                 32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n\
                 35 31 0:32 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n\
                 41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
            ),
            ("sys/fs/cgroup/cpu,cpuacct/q/n", "1"),
            ("sys/fs/cgroup/my memory/m/n", "2"),
            ("sys/fs/cgroup/unified/n", "3"),
        ];
        assert_eq!(numbers(&files, "cpu", "n"), [Some(1), None, Some(3)]);
        assert_eq!(numbers(&files, "memory", "n"), [Some(2), None, Some(3)]);
        assert_eq!(numbers(&files, "pids", "n"), [Some(3)]);
    }

    #[test]
    fn inside_a_container_the_mount_shows_part_of_the_tree() {
        let mounted = "1 0 0:2 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let own = |path| [("proc/self/cgroup", path), ("proc/self/mountinfo", mounted)];
        let file = ("sys/fs/cgroup/memory/n", "5");
        let deeper = ("sys/fs/cgroup/memory/deep/n", "4");
        let read =
            |path, more: &[(&str, &str)]| numbers(&[&own(path)[..], more].concat(), "memory", "n");
        assert_eq!(read("4:memory:/docker/x\n", &[file]), [Some(5)]);
        assert_eq!(read("4:memory:/docker/x/deep\n", &[file, deeper]), [Some(4), Some(5)]);
        // The name space of its groups is another: the path leads nowhere.
        let other = ("sys/fs/cgroup/other/n", "3");
        assert_eq!(read("4:memory:/../other\n", &[file, other]), [Some(5)]);
    }

    #[test]
    fn without_files_there_are_no_groups() {
        assert_eq!(numbers(&[], "memory", "n"), []);
        let not_mounted = [("proc/self/cgroup", "0::/a\n"), ("proc/self/mountinfo", "")];
        assert_eq!(numbers(&not_mounted, "memory", "n"), []);
    }

    #[test]
    fn a_field_is_found_by_its_whole_word() {
        let root = tree(&[
            ("proc/self/cgroup", "0::/\n"),
            ("proc/self/mountinfo", "1 0 0:2 / /c rw - cgroup2 none rw\n"),
            ("c/memory.events", "oom 1\noom_kill 2\n"),
        ]);
        let groups = Groups::below(root.path());
        let group = groups.under("memory").next().unwrap();
        assert_eq!(group.field("memory.events", "oom_kill"), Some(2));
        assert_eq!(group.field("memory.events", "kill"), None);
    }
}
