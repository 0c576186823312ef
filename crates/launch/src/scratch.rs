//! A folder for input files that goes when it is no longer needed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that is removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    /// Folders above it that were made for it, the nearest first: they go too if nothing else is in them.
    made: Vec<PathBuf>,
}

impl Scratch {
    /// Makes `folder`, and what lies above it, where they are missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(folder: &Path) -> io::Result<Self> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let above = folder.ancestors().skip(1).take_while(is_missing);
        let above: Vec<_> = above.map(Path::to_owned).collect();
        fs::create_dir_all(folder)?;
        // A later change of the current folder must not matter.
        let made = above.iter().map(fs::canonicalize).collect::<io::Result<_>>()?;
        Ok(Scratch { folder: fs::canonicalize(folder)?, made })
    }

    /// Makes a folder of its own among the system's temporary ones.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn temporary() -> io::Result<Self> {
        Scratch::temporary_in(&std::env::temp_dir())
    }

    fn temporary_in(parent: &Path) -> io::Result<Self> {
        let mut number = 0;
        loop {
            let name = format!("strategy-scratch-{}-{number}", std::process::id());
            let folder = parent.join(name);
            match fs::create_dir(&folder) {
                // Left behind by a process that was killed and had the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => return made.map(|()| Scratch { folder, made: Vec::new() }),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is made again or ignored.
        let _ = fs::remove_dir_all(&self.folder);
        for folder in &self.made {
            // Refused where something was written meanwhile, which is then kept.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_with_its_owner() {
        let (one, two) = (Scratch::temporary().unwrap(), Scratch::temporary().unwrap());
        assert_ne!(one.path(), two.path());
        fs::write(one.path().join("file"), "").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().exists());
    }

    #[test]
    fn what_another_process_left_behind_is_no_hindrance() {
        let parent = Scratch::temporary().unwrap();
        let name = format!("strategy-scratch-{}-0", std::process::id());
        fs::create_dir(parent.path().join(&name)).unwrap();
        let scratch = Scratch::temporary_in(parent.path()).unwrap();
        assert_ne!(scratch.path(), parent.path().join(&name));
        drop(scratch);
        assert!(parent.path().join(&name).exists());
    }

    #[test]
    fn folders_above_go_unless_they_were_there_or_hold_something() {
        let parent = Scratch::temporary().unwrap();
        let run = parent.path().join("results/run");
        drop(Scratch::create(&run.join("scratch")).unwrap());
        assert!(!parent.path().join("results").exists() && parent.path().exists());
        let scratch = Scratch::create(&run.join("scratch")).unwrap();
        fs::write(run.join("plan.json"), "{}").unwrap();
        drop(scratch);
        assert!(run.join("plan.json").exists() && !run.join("scratch").exists());
        fs::remove_file(run.join("plan.json")).unwrap();
        drop(Scratch::create(&run.join("scratch")).unwrap());
        assert!(run.exists(), "it was there before");
    }
}
