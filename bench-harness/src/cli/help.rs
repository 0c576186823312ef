//! What the program says about itself: help, completions and manual pages.

use std::io::Write;
use std::path::Path;
use std::process::exit;

use anyhow::Context;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use clap_mangen::Man;
use textwrap::core::display_width;
use workloads::UsageError;

use crate::cli::args::Cli;
use report::layout::Look;

/// Reads the command line; on `--help`, or if it makes no sense, says so and ends the process.
pub(super) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if error.kind() != ErrorKind::DisplayHelp {
            error.exit();
        }
        let text = wrapped(&error.render().ansi().to_string(), Look::of_stdout().columns);
        // As clap does: whoever closes the pipe has read enough.
        let mut out = anstream::stdout();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        exit(0)
    })
}

/// Help whose lines fit, with the rest of a line below its explanation.
///
/// clap's `wrap_help` would do it, and bring a crate for terminals into every strategy that is measured:
/// they share clap with the harness, and with other features the worker would be built twice.
fn wrapped(help: &str, columns: usize) -> String {
    let mut out = String::new();
    for line in help.lines() {
        let hanging = " ".repeat(explanation(line).min(columns * 2 / 3));
        let options = textwrap::Options::new(columns)
            .subsequent_indent(&hanging)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(line, options) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

/// The column in which the explanation of an option or command begins: after the first gap of two spaces,
/// or with the text where there is no gap.
fn explanation(line: &str) -> usize {
    let text = line.trim_start();
    let gap = text.find("  ").map_or(0, |gap| {
        let (term, rest) = text.split_at(gap);
        display_width(term) + rest.len() - rest.trim_start().len()
    });
    line.len() - text.len() + gap
}

/// The script with which a shell completes this program's command lines.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    let program = Cli::command();
    // Made anew, as the shells would offer hidden commands too.
    let mut command = clap::Command::new(env!("CARGO_PKG_NAME"))
        .args(program.get_arguments().cloned())
        .subcommands(program.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
    clap_complete::generate(shell, &mut command, env!("CARGO_PKG_NAME"), &mut script);
    String::from_utf8(script).expect("the names of options are text")
}

/// The manual page of the program.
pub(super) fn manual() -> String {
    let mut page = Vec::new();
    // `help` has no page of its own.
    Man::new(Cli::command().disable_help_subcommand(true))
        .render(&mut page)
        .expect("memory takes everything");
    String::from_utf8(page).expect("help is text")
}

/// Writes the manual pages of the program and of every subcommand.
///
/// # Errors
/// If the folder cannot be made or a page cannot be written.
pub(super) fn write_manual(folder: &Path) -> anyhow::Result<()> {
    let place = folder.display();
    std::fs::create_dir_all(folder).map_err(|error| {
        UsageError(format!("--out {place}: {error}: give a folder that can be written to"))
    })?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("cannot write to {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command that users see, beginning with the program itself.
    fn commands() -> Vec<clap::Command> {
        let mut program = Cli::command();
        program.build();
        let visible = |command: &&clap::Command| !command.is_hide_set();
        let own = |command: &&clap::Command| command.get_name() != "help";
        let mut commands: Vec<_> =
            program.get_subcommands().filter(visible).filter(own).cloned().collect();
        commands.insert(0, program);
        commands
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_fits_and_ends_with_examples_that_are_understood() {
        for mut command in commands() {
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                for columns in [60, 80, 100] {
                    let text = wrapped(&help, columns);
                    assert!(text.lines().all(|line| display_width(line) <= columns), "{text}");
                }
                let (_, examples) = help.split_once("\nExamples:\n").expect(&help);
                let lines: Vec<_> = examples.lines().filter(|line| !line.is_empty()).collect();
                assert!(lines.len() % 2 == 0 && (2..=8).contains(&lines.len()), "{examples}");
                for example in lines.chunks(2) {
                    assert!(example[0].starts_with("  # "), "{examples}");
                    let (_, line) = example[1].split_once("bench-harness").expect(examples);
                    let ends = |word: &&str| !["|", ">"].contains(word);
                    let words = line.trim_end_matches(')').split_whitespace().take_while(ends);
                    if let Err(error) =
                        Cli::try_parse_from(["bench-harness"].into_iter().chain(words))
                    {
                        panic!("{}: {error}", example[1]);
                    }
                }
            }
        }
    }

    /// Those of commands right below the program are tested with the rest of its help.
    #[test]
    fn commands_of_commands_end_with_examples_that_are_understood() {
        let program = Cli::command();
        let commands = program.get_subcommands().flat_map(clap::Command::get_subcommands);
        let mut tried = 0;
        for command in commands {
            let help = command.get_after_help().expect("every command has examples").to_string();
            let lines = help.lines().filter_map(|line| line.trim().strip_prefix("bench-harness"));
            for line in lines {
                let words = line.split_whitespace().take_while(|word| *word != ">");
                if let Err(error) = Cli::try_parse_from(["bench-harness"].into_iter().chain(words))
                {
                    panic!("{line}: {error}");
                }
                tried += 1;
            }
        }
        assert!(tried > 1);
    }

    #[test]
    fn what_is_wrapped_stays_below_its_explanation() {
        let help =
            "Options:\n  -q, --quiet  Say nothing on standard error\n      plain words go on";
        assert_eq!(
            wrapped(help, 30),
            "Options:\n  -q, --quiet  Say nothing on\n               standard error\n      plain words go on\n"
        );
    }
}
