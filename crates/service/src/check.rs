//! `profile check`: what a profile file means on this machine.

use std::path::PathBuf;

use protocol::units;
use workloads::UsageError;

use protocol::clean;
use record::service::{Limits, Optimise, Preferences, RequestClass, ServiceProfile};
use record::values::{grouped, number, size, time};

/// Columns of what a line is about.
const LABEL: usize = 12;
/// From this share of the CPUs on, requests queue for longer than they compute.
const NEAR: f64 = 0.7;

/// The summaries of the files that can be used, and why the others cannot. `foreseen` says what is worth knowing of
/// measuring a service, or why it cannot be measured.
pub fn check(
    files: &[PathBuf],
    columns: usize,
    foreseen: impl Fn(&ServiceProfile) -> Result<Vec<String>, UsageError>,
) -> (String, Vec<UsageError>) {
    let cpus = machine::limits::Limits::of_this_process().cpus();
    let (mut summaries, mut refusals) = (Vec::new(), Vec::new());
    for file in files {
        let read = || {
            let profile = crate::read(file)?;
            let foreseen = foreseen(&profile)
                .map_err(|refusal| UsageError(format!("{}: {refusal}", file.display())))?;
            Ok((profile, foreseen))
        };
        match read() {
            Ok((profile, foreseen)) => {
                let title = clean(&format!("{} ({})", profile.name, file.display()));
                let notes = [profile.lacks(), foreseen].concat();
                let summary = summary(&profile, cpus, &notes, columns);
                summaries.push(format!("{title}\n{summary}"));
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    (summaries.join("\n"), refusals)
}

/// What the profile says, in lines that fit.
fn summary(profile: &ServiceProfile, cpus: f64, lacks: &[String], columns: usize) -> String {
    let mut lines = vec![("load".to_owned(), load(profile))];
    lines.extend(profile.classes.iter().map(|each| ("class".to_owned(), class(each))));
    let mut say = |label: &str, text: String| lines.push((label.to_owned(), text));
    let [wait, cpu] = [profile.mean_wait(), profile.mean_cpu()].map(|mean| mean.as_nanos() as f64);
    say("a request", format!("waits {} and computes {} on average", time(wait), time(cpu)));
    if let Some((offered, under_way)) = profile.offered_cpus().zip(profile.under_way()) {
        let (offered, under_way) = (number(offered), number(under_way));
        let cpus = number(cpus);
        say("offered", format!("computing for {offered} of {cpus} CPUs allowed here"));
        say("under way", format!("{under_way} requests on average if none has to queue"));
    }
    say("objective", objective(profile));
    if profile.limits != Limits::default() {
        say("limits", limits(&profile.limits));
    }
    say("models", models(profile));
    let left_out = profile.left_out().into_iter().chain(profile.beyond_limits());
    let left_out: Vec<_> = left_out.map(|(name, why)| format!("{name}: {why}")).collect();
    if !left_out.is_empty() {
        say("left out", left_out.join("; "));
    }
    for note in notes(profile, cpus).iter().chain(&profile.reservations()).chain(lacks) {
        say("note", note.clone());
    }
    let mut out = String::new();
    for (label, text) in lines {
        let first = format!("  {label:LABEL$}");
        let hanging = " ".repeat(first.len());
        let options = textwrap::Options::new(columns)
            .initial_indent(&first)
            .subsequent_indent(&hanging)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        out.push_str(&textwrap::fill(&text, options));
        out.push('\n');
    }
    out
}

fn load(profile: &ServiceProfile) -> String {
    let connections = grouped(profile.load.connections);
    match profile.load.rate {
        Some(rate) => format!("{connections} connections, {} requests a second", grouped(rate)),
        None => format!("{connections} connections, as many requests as can be served in time"),
    }
}

fn class(class: &RequestClass) -> String {
    let RequestClass { name, per_mille, wait, cpu, payload_bytes, blocking } = class;
    let share = f64::from(*per_mille) / 10.0;
    let how = if *blocking { " in a blocking call" } else { "" };
    let [waits, cpu] = [wait, cpu].map(|each| time(each.as_nanos() as f64));
    let waits =
        if wait.is_zero() { "does not wait".to_owned() } else { format!("waits {waits}{how}") };
    let answer = size(*payload_bytes);
    format!("{}, {share} %: {waits}, computes {cpu}, answers {answer}", clean(name))
}

fn objective(profile: &ServiceProfile) -> String {
    let within = time(profile.objective.p99.as_nanos() as f64);
    let best = match profile.objective.optimise {
        Optimise::Throughput => "the most requests a second",
        Optimise::P99 => "the shortest p99",
        Optimise::Cpu => "the least CPU time a request",
        Optimise::Memory => "the least memory",
    };
    format!("99 of 100 requests within {within}; beyond that, {best}")
}

fn limits(limits: &Limits) -> String {
    let memory = limits.memory_bytes.map(|bytes| format!("{} of memory", size(bytes)));
    let threads = limits.threads.map(|threads| format!("{} threads", grouped(threads)));
    memory.into_iter().chain(threads).collect::<Vec<_>>().join(", ")
}

fn models(profile: &ServiceProfile) -> String {
    let Preferences { order, callable_from_sync, .. } = &profile.preferences;
    let models = profile.within_limits();
    let models = match models.is_empty() {
        true => "none keeps to limits.threads".to_owned(),
        false => models.join(", "),
    };
    let order = if order.is_empty() {
        String::new()
    } else {
        format!("; on a tie {}", order.join(", then "))
    };
    let sync = if *callable_from_sync { "; called from synchronous code" } else { "" };
    format!("{models}{order}{sync}")
}

/// What is worth knowing before measuring, and does not lie with the machine.
fn notes(profile: &ServiceProfile, cpus: f64) -> Vec<String> {
    let mut notes = Vec::new();
    let offered = profile.offered_cpus().unwrap_or(0.0);
    if let Some(rate) = profile.load.rate.filter(|_| offered > cpus) {
        let most = (rate as f64 * cpus / offered) as u64;
        notes.push(format!(
            "computing alone would keep {} CPUs busy, and {} are allowed here: no model can serve more than {} requests a second",
            number(offered),
            number(cpus),
            grouped(most),
        ));
    } else if offered > NEAR * cpus {
        notes.push(format!(
            "computing alone keeps {} of the CPUs busy: requests will queue, and the load generator needs CPU time too",
            units::percent(offered / cpus),
        ));
    }
    let connections = profile.load.connections;
    if let Some(limit) = profile.limits.threads.filter(|&limit| limit < connections) {
        notes.push(format!(
            "models that take a thread for each of {} connections exceed limits.threads, {}",
            grouped(connections),
            grouped(limit),
        ));
    }
    let answers = profile.answers_bytes();
    if let Some(limit) = profile.limits.memory_bytes.filter(|&limit| limit < answers) {
        notes.push(format!(
            "answers to {} connections at once take {}, more than limits.memory, {}",
            grouped(connections),
            size(answers),
            size(limit),
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use textwrap::core::display_width;

    use super::*;
    use crate::kinds::Kind;

    fn profile() -> ServiceProfile {
        crate::parse(Kind::Crud.text()).unwrap()
    }

    #[test]
    fn models_that_break_a_limit_are_named_beforehand() {
        let mut relay = record::fixtures::service(Optimise::Cpu);
        (relay.load.connections, relay.limits.threads) = (800, Some(300));
        let text = summary(&relay, 2.0, &[], 200);
        assert!(text.contains("threads: it holds a thread for each of 800 connections"), "{text}");
        assert!(models(&relay).starts_with("tokio, smol"), "{}", models(&relay));
    }

    #[test]
    fn a_summary_names_everything_and_fits() {
        let mut profile = profile();
        profile.load.rate = Some(20_000);
        profile.load.connections = 1_000;
        profile.classes[0].payload_bytes = 1 << 20;
        profile.limits = Limits { memory_bytes: Some(512 << 20), threads: Some(300) };
        profile.preferences.no_async = true;
        profile.preferences.callable_from_sync = true;
        profile.preferences.order = vec!["threads".to_owned()];
        let text = summary(&profile, 2.0, &["this machine is small".to_owned()], 1_000);
        for part in [
            "1,000 connections, 20,000 requests a second",
            "in a blocking call",
            "of 2 CPUs allowed here",
            "512 MiB of memory, 300 threads",
            "none keeps to limits.threads; on a tie threads; called from synchronous code",
            "tokio: async (preferences.no_async)",
            "async-std: discontinued (preferences.maintained_only)",
            "no model can serve more than ",
            "exceed limits.threads, 300",
            "at once take 1000 MiB, more than limits.memory, 512 MiB",
            "this machine is small",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let quota = summary(&profile, 1.5, &[], 1_000);
        assert!(quota.contains("of 1.5 CPUs allowed here"), "{quota}");
        let narrow = summary(&profile, 2.0, &[], 60);
        assert!(narrow.lines().all(|line| display_width(line) <= 60), "{narrow}");
    }

    #[test]
    fn load_near_the_cpus_is_noted_and_load_that_is_far_is_not() {
        let mut profile = profile();
        profile.limits = Limits::default();
        let cpu = profile.mean_cpu().as_secs_f64();
        let mut notes_at = |cpus: f64| {
            profile.load.rate = Some((cpus / cpu) as u64);
            notes(&profile, 2.0)
        };
        assert_eq!(notes_at(1.0), [""; 0]);
        assert!(notes_at(1.8)[0].contains("will queue"));
        assert!(notes_at(2.2)[0].contains("no model can serve more than"));
        profile.load.rate = None;
        assert_eq!(notes(&profile, 2.0), [""; 0]);
        assert!(
            summary(&profile, 2.0, &[], 100).contains("as many requests as can be served in time")
        );
    }
}
