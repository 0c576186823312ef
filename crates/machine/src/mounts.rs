//! On which file system a folder lies.

use std::path::Path;

/// The type of the file system with a path, such as `ext4` or `tmpfs`, from what `/proc/self/mountinfo` says
/// (proc_pid_mountinfo(5)). The path is absolute and without links.
pub fn file_system(path: &Path, mountinfo: &str) -> Option<String> {
    let mount = |line: &str| {
        let (mount, details) = line.split_once(" - ")?;
        let point = unescaped(mount.split(' ').nth(4)?);
        let kind = details.split(' ').next()?.to_owned();
        path.starts_with(&point).then_some((point.len(), kind))
    };
    // Of two mounts at one place the later covers the earlier.
    mountinfo.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// Blanks and the like are written as a backslash and three octal digits.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                out.push(code.into());
                out.push_str(&part[3..]);
            }
            None => {
                out.push('\\');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_decides() {
        let mounts = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            29 22 0:25 / /dev/shm rw,nosuid - tmpfs tmpfs rw\n\
            30 22 0:26 / /tmp/with\\040blank rw shared:1 - tmpfs tmpfs rw\n\
            31 22 0:27 / /srv rw - xfs /dev/vdb rw\n\
            32 31 0:28 / /srv rw - overlay overlay rw\n";
        let at = |path: &str| file_system(Path::new(path), mounts).unwrap();
        assert_eq!(at("/root/run"), "ext4");
        assert_eq!(at("/dev/shm/run"), "tmpfs");
        assert_eq!(at("/dev/shmoo"), "ext4");
        assert_eq!(at("/tmp/with blank/run"), "tmpfs");
        assert_eq!(at("/srv/run"), "overlay");
        assert_eq!(file_system(Path::new("/"), ""), None);
    }
}
