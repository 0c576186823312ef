//! What Linux says about this process's memory. A port to another system touches this file only.

use std::fs;

/// Memory at one moment, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footprint {
    /// Resident memory of the process that is not part of a file, counted page by page. Pages of the program
    /// itself come in when they are first run, whatever it allocates.
    pub(crate) resident: u64,
    /// What the kernel holds for it: page tables, and for its threads their kernel stacks and descriptors.
    pub(crate) kernel: Kernel,
}

/// The kernel's side of a footprint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    /// Page tables of the process.
    page_tables: u64,
    threads: u64,
    /// Kernel stacks and descriptors of all processes together: the kernel does not tell them apart.
    for_all_threads: u64,
}

impl Kernel {
    /// What came in addition since `earlier`. What belongs to all processes together is taken into
    /// account only if this one has more threads than it had: without them it is the others' noise.
    pub(crate) fn since(&self, earlier: &Kernel) -> u64 {
        let threads = if self.threads > earlier.threads {
            self.for_all_threads.saturating_sub(earlier.for_all_threads)
        } else {
            0
        };
        threads + self.page_tables.saturating_sub(earlier.page_tables)
    }
}

/// The memory of this process now, if the platform tells.
pub(crate) fn footprint() -> Option<Footprint> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let system = fs::read_to_string("/proc/meminfo").ok()?;
    // The counter in `status` may lag behind by some pages for each thread.
    let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    Some(Footprint {
        resident: kib(&rollup, "Anonymous:")? * 1024,
        kernel: Kernel {
            page_tables: kib(&status, "VmPTE:")? * 1024,
            threads: kib(&status, "Threads:")?,
            for_all_threads: (kib(&system, "KernelStack:")? + kib(&system, "SUnreclaim:")?) * 1024,
        },
    })
}

/// The number after a field's name.
fn kib(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn memory_that_is_touched_is_resident() {
        let before = footprint().unwrap();
        let touched = black_box(vec![1_u8; 64 << 20]);
        let after = footprint().unwrap();
        let grown = after.resident - before.resident;
        assert!((60 << 20..72 << 20).contains(&grown), "{grown} bytes");
        assert!(after.kernel.page_tables - before.kernel.page_tables >= 64 << 10);
        drop(touched);
    }

    #[test]
    fn what_all_processes_share_counts_only_with_more_threads() {
        let kernel = |page_tables, threads, for_all_threads| Kernel {
            page_tables,
            threads,
            for_all_threads,
        };
        let before = kernel(100, 2, 1_000);
        assert_eq!(kernel(150, 2, 9_000).since(&before), 50);
        assert_eq!(kernel(150, 3, 1_400).since(&before), 450);
        assert_eq!(kernel(150, 3, 900).since(&before), 50);
    }
}
