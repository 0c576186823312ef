//! `profile new` on a terminal: a few questions whose defaults come from an example.

use std::io::{BufRead, Write};

use anyhow::Context;
use clap::ValueEnum;
use worker::selection::UsageError;

use super::ServiceProfile;
use super::draft::{self, Changes, Rate, draft, written_size, written_time};
use super::file::RawProfile;
use super::kinds::Kind;
use super::values;

/// Longest answer that is read, bytes.
const MAX_ANSWER: u64 = 4_096;

/// Who answers, and where the questions go.
pub(super) struct Dialogue<In, Out> {
    pub(super) answers: In,
    pub(super) questions: Out,
}

impl<In: BufRead, Out: Write> Dialogue<In, Out> {
    /// Asks for the kind and for all that is not given, until it makes sense together.
    ///
    /// # Errors
    /// If the answers end before the questions do.
    pub(super) fn hold(&mut self, given: &Changes) -> anyhow::Result<(Kind, Changes)> {
        self.say("Which service is most like yours?")?;
        for kind in Kind::value_variants() {
            let about = kind.to_possible_value().and_then(|value| value.get_help().cloned());
            let about = about.map(|about| about.to_string()).unwrap_or_default();
            self.say(&format!("  {:10} {about}", kind.to_string()))?;
        }
        let kind = |text: &str| {
            let known = Kind::value_variants().iter().copied();
            known.into_iter().find(|kind| kind.to_string() == text).ok_or_else(|| {
                format!("{} is none of these: give one of the names above", values::quoted(text))
            })
        };
        let kind = self.ask("Kind", Kind::Gateway.to_string(), kind)?;
        let mut changes = given.clone();
        loop {
            self.all(kind, given, &mut changes)?;
            let Err(refusal) = ServiceProfile::parse(&draft(kind, &changes)) else {
                return Ok((kind, changes));
            };
            let refusal = refusal.in_command("profile new");
            if given.is_complete() {
                return Err(refusal.into());
            }
            self.say(&format!("{refusal}"))?;
        }
    }

    /// Asks once for everything that is not given.
    fn all(&mut self, kind: Kind, given: &Changes, changes: &mut Changes) -> anyhow::Result<()> {
        let now = RawProfile::parse(&draft(kind, changes)).expect("single values are right");
        let class = &now.classes[0];
        let of = |what: &str| format!("{what} of a request of the class {}", class.name.get_ref());
        if given.name.is_none() {
            let default = now.name.get_ref().clone();
            changes.name = Some(self.ask("Name of the service", default, values::name)?);
        }
        if given.connections.is_none() {
            let default = now.load.connections.get_ref().to_string();
            changes.connections = Some(self.ask("Connections", default, draft::connections)?);
        }
        if given.rate.is_none() {
            let question = "Requests a second, or none for as many as can be served in time";
            let rate = now.load.rate.as_ref().map(|rate| rate.get_ref().to_string());
            let default = rate.unwrap_or_else(|| "none".to_owned());
            changes.rate = Some(self.ask::<Rate>(question, default, draft::rate)?);
        }
        if given.wait.is_none() {
            let default = written_time(*class.wait.get_ref());
            changes.wait = Some(self.ask(&of("Waiting"), default, values::wait)?);
        }
        if given.cpu.is_none() {
            let default = written_time(*class.cpu.get_ref());
            changes.cpu = Some(self.ask(&of("Computing"), default, values::cpu)?);
        }
        if given.payload.is_none() {
            let default = written_size(*class.payload.get_ref());
            changes.payload =
                Some(self.ask(&of("Size of the answer"), default, values::payload)?);
        }
        if given.p99.is_none() {
            let default = written_time(*now.objective.p99.get_ref());
            let question = "99 of 100 requests answered within";
            changes.p99 = Some(self.ask(question, default, values::objective)?);
        }
        if given.optimise.is_none() {
            let default = now.objective.optimise.get_ref().to_string();
            let question = "What is to be best beyond that: throughput, p99, cpu or memory";
            changes.optimise = Some(self.ask(question, default, str::parse)?);
        }
        Ok(())
    }

    /// Asks until the answer can be used.
    fn ask<T>(
        &mut self,
        question: &str,
        default: String,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        loop {
            write!(self.questions, "{question} [{default}]: ")
                .and_then(|()| self.questions.flush())
                .context("cannot ask")?;
            let mut line = Vec::new();
            let mut limited = std::io::Read::take(&mut self.answers, MAX_ANSWER);
            limited.read_until(b'\n', &mut line).context("cannot read the answers")?;
            if line.is_empty() {
                let reason = format!(
                    "profile new: the input ended before an answer to {question:?}: answer all questions, or give --kind"
                );
                return Err(UsageError(reason).into());
            }
            let line = String::from_utf8_lossy(&line);
            let answer = if line.trim().is_empty() { default.as_str() } else { line.trim() };
            match read(answer) {
                Ok(answer) => return Ok(answer),
                Err(reason) => self.say(&format!("  {reason}"))?,
            }
        }
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.questions, "{line}").context("cannot ask")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::Optimise;

    /// What the answers make, and what was asked.
    fn hold(answers: &str, given: &Changes) -> (anyhow::Result<(Kind, Changes)>, String) {
        let mut dialogue = Dialogue { answers: answers.as_bytes(), questions: Vec::new() };
        let outcome = dialogue.hold(given);
        (outcome, String::from_utf8(dialogue.questions).unwrap())
    }

    #[test]
    fn nothing_but_the_enter_key_makes_the_example() {
        let (outcome, asked) = hold(&"\n".repeat(9), &Changes::default());
        let (kind, changes) = outcome.unwrap();
        assert_eq!(kind, Kind::Gateway);
        let own = ServiceProfile::parse(&draft(kind, &changes)).unwrap();
        assert_eq!(own, ServiceProfile::parse(kind.text()).unwrap());
        assert!(asked.contains("\nKind [gateway]: Name of the service [API gateway]: "), "{asked}");
    }

    #[test]
    fn what_is_given_is_not_asked_and_what_cannot_be_is_asked_again() {
        let given = Changes {
            name: Some("mine".to_owned()),
            rate: Some(Rate(None)),
            optimise: Some(Optimise::Cpu),
            ..Changes::default()
        };
        let answers = "klingon\nbatch\n0\n64\nsoon\n10ms\n\n1 KiB\n\n";
        let (outcome, asked) = hold(answers, &given);
        let (kind, changes) = outcome.unwrap();
        assert_eq!((kind, changes.connections), (Kind::Batch, Some(64)));
        assert_eq!(changes.wait, Some(Duration::from_millis(10)));
        assert_eq!(changes.payload, Some(1024));
        assert!(!asked.contains("Name of") && !asked.contains("a second"), "{asked}");
        for reason in ["\"klingon\" is none of these", "0 is out of range", "\"soon\" is no time"] {
            assert!(asked.contains(reason), "{reason}: {asked}");
        }
    }

    #[test]
    fn answers_that_contradict_each_other_are_asked_again_with_themselves_as_default() {
        let (enter, one_connection) = ("\n".repeat(8), "\n\n1\n\n\n\n\n\n\n");
        let answers = format!("{one_connection}\n500\n{enter}");
        let (outcome, asked) = hold(&answers, &Changes::default());
        assert!(asked.contains("profile new: load.connections: 1 are too few"), "{asked}");
        assert!(asked.contains("Connections [1]: "), "{asked}");
        assert!(outcome.is_ok(), "{asked}");
    }

    #[test]
    fn the_end_of_the_input_is_a_refusal() {
        for answers in ["", "crud\n", "crud\nno end"] {
            let (outcome, _) = hold(answers, &Changes::default());
            let error = outcome.unwrap_err();
            assert!(error.is::<UsageError>(), "{error}");
            assert!(error.to_string().contains("the input ended before an answer"), "{error}");
        }
    }
}
