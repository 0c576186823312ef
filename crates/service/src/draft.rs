//! How an example becomes the profile of another service: some values are replaced, comments stay.

use std::ops::Range;
use std::time::Duration;

use clap::Args;
use toml::Spanned;

use crate::file::Profile;
use crate::kinds::Kind;
use record::service::Optimise;
use record::values;

/// What is to be other than in the example; what concerns a class concerns the first.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Changes {
    /// What the service is called
    #[arg(long, value_name = "TEXT", value_parser = values::name)]
    pub name: Option<String>,
    /// Clients, each with one request under way at most
    #[arg(long, value_name = "N", value_parser = connections, allow_negative_numbers = true)]
    pub connections: Option<u64>,
    /// Requests a second, or `none` for as many as can be served in time
    #[arg(long, value_name = "N", value_parser = rate, allow_negative_numbers = true)]
    pub rate: Option<Rate>,
    /// How long a request of the first class waits for others, such as 20ms
    #[arg(long, value_name = "TIME", value_parser = values::wait)]
    pub wait: Option<Duration>,
    /// How long it computes, such as 50us
    #[arg(long, value_name = "TIME", value_parser = values::cpu)]
    pub cpu: Option<Duration>,
    /// Size of its answer, such as 4KiB
    #[arg(long, value_name = "SIZE", value_parser = values::payload)]
    pub payload: Option<u64>,
    /// Time within which 99 of 100 requests have to be answered
    #[arg(long, value_name = "TIME", value_parser = values::objective)]
    pub p99: Option<Duration>,
    /// What is to be best beyond that: throughput, p99, cpu or memory
    #[arg(long, value_name = "WHAT", value_parser = optimise)]
    pub optimise: Option<Optimise>,
}

/// Requests a second, or as many as can be served in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(pub Option<u64>);

pub(crate) fn connections(text: &str) -> Result<u64, String> {
    values::connections(whole(text)?)
}

pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    match text {
        "none" => Ok(Rate(None)),
        text => values::rate(whole(text)?).map(|rate| Rate(Some(rate))),
    }
}

fn optimise(text: &str) -> Result<Optimise, String> {
    text.parse()
}

fn whole(text: &str) -> Result<i128, String> {
    let no_number =
        |_| format!("{} is no whole number: write one such as 500", values::quoted(text));
    text.parse().map_err(no_number)
}

/// The example of a kind with these changes. Whether it makes sense is not looked at.
pub(crate) fn draft(kind: Kind, changes: &Changes) -> String {
    let text = kind.text();
    let raw = Profile::parse(text).expect("examples can be read");
    let class = &raw.classes[0];
    let mut edits = Edits { text, edits: Vec::new() };
    let Changes { name, connections, rate, wait, cpu, payload, p99, optimise } = changes;
    edits.value(&raw.name, name.as_deref().map(text_literal));
    edits.value(&raw.load.connections, connections.map(|number| number.to_string()));
    if let Some(Rate(rate)) = rate {
        edits.rate(raw.load.rate.as_ref(), *rate);
    }
    edits.value(&class.wait, wait.map(|time| text_literal(&written_time(time))));
    edits.value(&class.cpu, cpu.map(|time| text_literal(&written_time(time))));
    edits.value(&class.payload, payload.map(|size| text_literal(&written_size(size))));
    edits.value(&raw.objective.p99, p99.map(|time| text_literal(&written_time(time))));
    edits.value(&raw.objective.optimise, optimise.map(|best| text_literal(&best.to_string())));
    edits.apply()
}

/// A time as a profile holds it, to the last digit.
pub(crate) fn written_time(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

/// A size as a profile holds it, to the last digit.
pub(crate) fn written_size(bytes: u64) -> String {
    match bytes {
        0 => "0B".to_owned(),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes}B"),
    }
}

/// TOML's basic string. Names hold no control characters, so that nothing else needs escaping.
fn text_literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Changes to a text that do not overlap.
struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl Edits<'_> {
    /// Puts this in place of a value, if there is anything to put.
    fn value<T>(&mut self, old: &Spanned<T>, new: Option<String>) {
        if let Some(new) = new {
            self.replace(old.span(), new);
        }
    }

    /// Replaces a piece of a line, and keeps the comment after it in its column if there is room.
    fn replace(&mut self, old: Range<usize>, mut new: String) {
        let rest = &self.text[old.end..];
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let mut end = old.end;
        if rest[gap..].starts_with('#') {
            end += gap;
            let column = end - old.start;
            let wide = new.chars().count();
            new.push_str(&" ".repeat(column.saturating_sub(wide).max(2)));
        }
        self.edits.push((old.start..end, new));
    }

    /// Sets the rate, or makes a comment of it. Examples without one hold it as a comment.
    fn rate(&mut self, old: Option<&Spanned<u64>>, new: Option<u64>) {
        const COMMENTED: &str = "# rate = ";
        match (old, new) {
            (Some(old), Some(new)) => self.replace(old.span(), new.to_string()),
            (Some(old), None) => {
                let line = self.text[..old.span().start].rfind('\n').map_or(0, |end| end + 1);
                self.edits.push((line..line, "# ".to_owned()));
            }
            (None, Some(new)) => {
                let start = self.text.find(COMMENTED).expect("examples show the rate");
                let number = start + COMMENTED.len();
                let digits = self.text[number..].find(|c: char| !c.is_ascii_digit());
                let end = number + digits.expect("the line does not end the file");
                self.replace(start..end, format!("rate = {new}"));
            }
            (None, None) => {}
        }
    }

    fn apply(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| range.start);
        let mut out = self.text.to_owned();
        for (range, new) in self.edits.into_iter().rev() {
            out.replace_range(range, &new);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_example_is_accepted_short_and_runs_on_two_cpus() {
        for kind in Kind::value_variants() {
            let text = draft(*kind, &Changes::default());
            assert_eq!(text, kind.text());
            assert!(text.lines().count() < 60, "{kind}");
            let profile = crate::parse(&text).unwrap();
            assert!(profile.offered_cpus().unwrap_or(0.0) < 1.2, "{kind}");
            assert!(profile.candidates().len() > 1, "{kind}");
        }
    }

    #[test]
    fn what_is_changed_is_changed_in_every_example_and_nothing_else_is() {
        let changes = Changes {
            name: Some("\"quick\" \\ dirty".to_owned()),
            connections: Some(77_777),
            rate: Some(Rate(Some(111))),
            wait: Some(Duration::from_micros(1_500)),
            cpu: Some(Duration::from_nanos(1_234)),
            payload: Some(5_000),
            p99: Some(Duration::from_secs(61)),
            optimise: Some(Optimise::Memory),
        };
        for kind in Kind::value_variants() {
            let text = draft(*kind, &changes);
            let changed = crate::parse(&text).unwrap_or_else(|r| panic!("{kind}: {r:?}\n{text}"));
            let mut expected = crate::parse(kind.text()).unwrap();
            expected.name = "\"quick\" \\ dirty".to_owned();
            expected.load.connections = 77_777;
            expected.load.rate = Some(111);
            expected.classes[0].wait = Duration::from_micros(1_500);
            expected.classes[0].cpu = Duration::from_nanos(1_234);
            expected.classes[0].payload_bytes = 5_000;
            expected.objective.p99 = Duration::from_secs(61);
            expected.objective.optimise = Optimise::Memory;
            assert_eq!(changed, expected);
            assert_eq!(
                text.matches('#').count() + 1,
                kind.text().matches('#').count() + usize::from(changed_rate(*kind))
            );
        }
    }

    /// Whether the example has a rate of its own, so that no comment goes when one is set.
    fn changed_rate(kind: Kind) -> bool {
        crate::parse(kind.text()).unwrap().load.rate.is_some()
    }

    #[test]
    fn a_rate_can_be_taken_out_and_put_back() {
        for kind in Kind::value_variants() {
            let none = Changes { rate: Some(Rate(None)), ..Changes::default() };
            let text = draft(*kind, &none);
            assert_eq!(crate::parse(&text).unwrap().load.rate, None, "{text}");
            assert!(text.contains("# rate = "), "{text}");
        }
    }

    #[test]
    fn comments_stay_in_their_column_while_there_is_room() {
        let changes = Changes { connections: Some(7), ..Changes::default() };
        let line = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("connections"));
            line.unwrap().to_owned()
        };
        let (old, new) = (line(Kind::Gateway.text()), line(&draft(Kind::Gateway, &changes)));
        assert_eq!(old.find('#').unwrap(), new.find('#').unwrap(), "{old}\n{new}");
    }

    #[test]
    fn what_is_written_is_read_the_same() {
        for size in [0, 1, 1_000, 1_024, 1_536, 1 << 20] {
            assert_eq!(values::payload(&written_size(size)), Ok(size));
        }
        for ns in [0, 1, 1_500, 20_000_000, 59_999_999_999] {
            let time = Duration::from_nanos(ns);
            assert_eq!(values::wait(&written_time(time)), Ok(time));
        }
    }

    #[test]
    fn numbers_on_the_command_line_are_whole_and_in_range() {
        assert_eq!(connections("500"), Ok(500));
        assert_eq!((rate("none"), rate("20")), (Ok(Rate(None)), Ok(Rate(Some(20)))));
        assert!(connections("-1").unwrap_err().ends_with("give 1 to 100,000"));
        assert!(rate("2e3").unwrap_err().ends_with("write one such as 500"));
    }
}
