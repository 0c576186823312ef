//! Service files: what a service gets and has to achieve, read, checked and written.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use record::ServiceProfile;
use workloads::UsageError;

mod check;
mod draft;
mod file;
mod kinds;
mod new;
mod refusal;
mod sound;

pub use check::check;
pub use new::{NewArgs, new};
use refusal::Refusal;

/// Largest profile file: a longer one is some other file.
const MAX_FILE: u64 = 64 * 1024;

/// Reads and checks a profile file.
///
/// # Errors
/// One sentence with file, line, key and what to do.
pub fn read(path: &Path) -> Result<ServiceProfile, UsageError> {
    let (file, text) = text_of(path)?;
    parse(&text).map_err(|refusal| refusal.in_file(&file, &text))
}

fn parse(text: &str) -> Result<ServiceProfile, Refusal> {
    sound::profile(&file::Profile::parse(text)?)
}

/// The file's name for messages, and its text.
fn text_of(path: &Path) -> Result<(String, String), UsageError> {
    let file = path.display().to_string();
    let refuse =
        |reason: String| Refusal { at: None, key: String::new(), reason }.in_file(&file, "");
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)).map_err(
        |error| {
            refuse(format!(
                "cannot be read: {error}: give a profile file (`profile new` writes one)"
            ))
        },
    )?;
    if bytes.len() as u64 > MAX_FILE {
        let reason = "is larger than 64 KiB: give a profile file (`profile new` writes one)";
        return Err(refuse(reason.to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        refuse("is not UTF-8 text: give a profile file (`profile new` writes one)".to_owned())
    })?;
    Ok((file, text))
}

#[cfg(test)]
mod contradictions;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;
