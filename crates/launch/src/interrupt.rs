//! What a program that starts others does on Ctrl-C, and when it is asked to end.

use std::io;

use crate::child::{stop, stopped};

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
pub const EXIT_CODE: u8 = 130;

/// From now on the first SIGINT, SIGTERM or SIGHUP [stops](stop) what is running, and the second ends
/// this process at once. Under `nohup`, SIGHUP stays ignored. To be called before any thread is started, and not
/// by a process that is measured.
///
/// # Errors
/// If the system refuses.
pub fn stop_on_interrupt() -> io::Result<()> {
    machine::on_interrupt(|| {
        if stopped() {
            std::process::exit(EXIT_CODE.into());
        }
        stop();
    })
}
