//! Open files and names of folders.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard one and returns it.
pub fn raise_file_limit() -> Option<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok()?;
    Some(hard)
}

/// A name for a folder that can be written as text, as long as this is held and this process lives: its own,
/// or that of the open folder below `/proc`.
#[derive(Debug)]
pub struct TextPath {
    text: String,
    _open: Option<fs::File>,
}

impl TextPath {
    /// Opens the folder if it needs another name.
    pub fn of(folder: &Path) -> io::Result<Self> {
        if let Some(text) = folder.to_str() {
            return Ok(TextPath { text: text.to_owned(), _open: None });
        }
        let open = fs::File::open(folder)?;
        let text = format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd());
        Ok(TextPath { text, _open: Some(open) })
    }

    /// The name as text.
    pub fn text(&self) -> String {
        self.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_folder_whose_name_is_no_text_can_be_reached_by_one_that_is() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join(OsStr::from_bytes(b"caf\xe9"));
        fs::create_dir(&folder).unwrap();
        let path = TextPath::of(&folder).unwrap();
        fs::write(Path::new(&path.text()).join("file"), "here").unwrap();
        assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "here");
        let plain = TextPath::of(parent.path()).unwrap();
        assert_eq!(Path::new(&plain.text()), parent.path());
    }
}
