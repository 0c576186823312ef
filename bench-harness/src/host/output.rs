//! What a program prints, where it can be started and succeeds.

use std::path::Path;
use std::process::Command;

/// The standard output of a program that is started in this folder, without white space around it; `None` if it fails.
pub(super) fn output(program: &str, args: &[&str], folder: Option<&Path>) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
