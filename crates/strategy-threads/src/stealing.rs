//! Where a worker finds its next task.

use std::iter;

use crossbeam::deque::{Injector, Stealer, Worker};

/// The search order that crossbeam's documentation gives: own deque, then the injector in batches,
/// then the others.
pub(crate) fn find_task<T>(
    local: &Worker<T>,
    injector: &Injector<T>,
    stealers: &[Stealer<T>],
) -> Option<T> {
    local.pop().or_else(|| {
        iter::repeat_with(|| {
            injector
                .steal_batch_and_pop(local)
                .or_else(|| stealers.iter().map(Stealer::steal).collect())
        })
        .find(|steal| !steal.is_retry())
        .and_then(|steal| steal.success())
    })
}
