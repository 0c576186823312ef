//! A run from its beginning, or from where it was interrupted, to its end.

use std::path::{Path, PathBuf};
use std::time::Instant;

use analysis::setting;
use analysis::setting::Setting;
use analysis::{Rounds, Run};
use record::journal::Journal;
use workloads::UsageError;

use crate::interrupt::{BEFORE_MEASURING, stop_on_interrupt, unless_interrupted};
use crate::noise::Gate;
use crate::prepare::{Prepared, Settings, prepare, scratch_in};
use crate::programs::{Program, Source, own_program};
use crate::progress::Teller;
use crate::session::{Processes, Session};

/// Starts a run and carries it out. Returns its folder, or `None` if it was interrupted.
///
/// # Errors
/// If the settings cannot be met, a strategy cannot be built, or the journal cannot be written.
pub(crate) fn start(settings: Settings) -> anyhow::Result<Option<PathBuf>> {
    stop_on_interrupt()?;
    let teller = settings.teller;
    let option = settings.source.option();
    let prepared = unless_interrupted(prepare(settings), teller, BEFORE_MEASURING)?;
    let Some(prepared) = prepared else { return Ok(None) };
    let Prepared { folder, scratch, programs, plan, host, sources, begin } = prepared;
    let journal = Journal::create(&folder, &plan, &host, sources.as_ref())?;
    let rounds = Rounds::of(&plan);
    let (peer, programs, scratch) = (&own_program()?, &programs[..], scratch.path());
    Session { folder: &folder, plan: &plan, programs, peer, scratch, begin, option, teller }
        .carry_out(&mut Processes, &mut Gate::new(), journal, rounds)
}

/// Goes on with a run that was interrupted. Returns its folder, or `None` if it was interrupted again.
///
/// # Errors
/// If the folder is not a run, its programs or its machine have changed, or the journal cannot be written.
pub(crate) fn resume(
    folder: &Path,
    bin_dir: Option<PathBuf>,
    teller: Teller,
) -> anyhow::Result<Option<PathBuf>> {
    let run = Run::read(folder)?;
    let mut strategies: Vec<_> = run.plan.entries.iter().map(|e| e.strategy.clone()).collect();
    strategies.dedup();
    stop_on_interrupt()?;
    let source = Source::new(bin_dir, strategies)?;
    let programs = unless_interrupted(source.programs(teller), teller, BEFORE_MEASURING)?;
    let Some(programs) = programs else { return Ok(None) };
    let scratch = scratch_in(folder)?;
    let host = crate::host::observe(&source, &programs, scratch.path());
    let obstacles =
        setting::obstacles(&Setting::of_run(&run), &Setting::here(hashes(&programs), &host));
    if !obstacles.is_empty() {
        return Err(UsageError(format!(
            "--resume {}: what it was measured with has changed since, {}, and its measurements must not be \
             mixed with others: restore that, or start a new run",
            folder.display(),
            obstacles.join("; ")
        ))
        .into());
    }
    let journal = Journal::reopen(folder)?;
    // It may have been written to until it was locked.
    let run = Run::read(folder)?;
    journal.keep(run.whole_bytes())?;
    let begin = Instant::now();
    let begin = begin.checked_sub(run.spent()).unwrap_or(begin);
    let rounds = Rounds::resumed(&run.plan, run.cases);
    let (peer, programs, scratch) = (&own_program()?, &programs[..], scratch.path());
    let option = source.option();
    Session { folder, plan: &run.plan, programs, peer, scratch, begin, option, teller }.carry_out(
        &mut Processes,
        &mut Gate::new(),
        journal,
        rounds,
    )
}

/// The hash of each strategy's program.
fn hashes(programs: &[Program]) -> impl Iterator<Item = (&str, &str)> {
    programs.iter().map(|program| (program.strategy.as_str(), program.hash.as_str()))
}
