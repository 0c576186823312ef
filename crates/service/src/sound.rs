//! Whether the values of a profile make sense together, and what the service is then.

use toml::Spanned;
use workloads::traffic::MAX_CLASSES;

use crate::draft::written_time;
use crate::file;
use crate::refusal::Refusal;
use record::models;
use record::service::{Limits, Load, Objective, Preferences, RequestClass, ServiceProfile};
use record::values::{MAX_CONNECTIONS, grouped, quoted, time};

/// By how much the shares may miss 1.
const TOLERANCE: f64 = 0.001;
/// What p99 leaves out, of a thousand requests.
const BEYOND_P99: u32 = 10;

/// The service that the file describes.
///
/// # Errors
/// The first contradiction.
pub(crate) fn profile(raw: &file::Profile) -> Result<ServiceProfile, Refusal> {
    let profile = ServiceProfile {
        name: raw.name.get_ref().clone(),
        load: Load { connections: *raw.load.connections.get_ref(), rate: value(&raw.load.rate) },
        classes: classes(&raw.classes)?,
        objective: Objective {
            p99: *raw.objective.p99.get_ref(),
            optimise: *raw.objective.optimise.get_ref(),
        },
        limits: Limits {
            memory_bytes: value(&raw.limits.memory),
            threads: value(&raw.limits.threads),
        },
        preferences: preferences(&raw.preferences)?,
    };
    check_objective(&profile, raw)?;
    check_load(&profile, raw)?;
    Ok(profile)
}

fn value<T: Copy>(value: &Option<Spanned<T>>) -> Option<T> {
    value.as_ref().map(|value| *value.get_ref())
}

fn classes(raw: &[file::Class]) -> Result<Vec<RequestClass>, Refusal> {
    for (index, class) in raw.iter().enumerate() {
        if raw[..index].iter().any(|earlier| earlier.name.get_ref() == class.name.get_ref()) {
            let name = quoted(class.name.get_ref());
            let reason = format!("{name} is the name of two classes: give each its own");
            return Err(Refusal::new(class.name.span(), "class.name", reason));
        }
    }
    let last = raw.last().expect("a file without a class has been refused");
    let refuse = |reason| Err(Refusal::new(last.share.span(), "class.share", reason));
    if raw.len() > MAX_CLASSES {
        let count = raw.len();
        return refuse(format!(
            "{count} classes are too many: join them to {MAX_CLASSES} or fewer"
        ));
    }
    let shares: Vec<_> = raw.iter().map(|class| *class.share.get_ref()).collect();
    let sum: f64 = shares.iter().sum();
    // Decimal fractions are not exact.
    if (sum - 1.0).abs() > TOLERANCE + 1e-9 {
        let sum = (sum * 1e6).round() / 1e6;
        return refuse(format!("the shares add up to {sum}: make them add up to 1"));
    }
    let class = |(raw, per_mille): (&file::Class, u32)| RequestClass {
        name: raw.name.get_ref().clone(),
        per_mille,
        wait: *raw.wait.get_ref(),
        cpu: *raw.cpu.get_ref(),
        payload_bytes: *raw.payload.get_ref(),
        blocking: raw.blocking,
    };
    Ok(raw.iter().zip(per_mille(&shares)).map(class).collect())
}

/// Whole shares of a thousand that add up to it, at least one for each: by largest remainder.
fn per_mille(shares: &[f64]) -> Vec<u32> {
    let sum: f64 = shares.iter().sum();
    let exact: Vec<_> = shares.iter().map(|share| share / sum * 1e3).collect();
    let mut whole: Vec<_> = exact.iter().map(|exact| (exact.floor() as u32).max(1)).collect();
    loop {
        let off = |index: &usize| exact[*index] - f64::from(whole[*index]);
        let by_need = |a: &usize, b: &usize| off(a).total_cmp(&off(b));
        match whole.iter().sum::<u32>() {
            1_000 => return whole,
            ..1_000 => {
                let neediest = (0..whole.len()).max_by(by_need).expect("there is a class");
                whole[neediest] += 1;
            }
            _ => {
                // A thousand is more than there can be classes, so that one has more than its least.
                let spare = (0..whole.len()).filter(|&index| whole[index] > 1).min_by(by_need);
                whole[spare.expect("one has more than its least")] -= 1;
            }
        }
    }
}

/// Refuses an objective that the classes themselves miss.
fn check_objective(profile: &ServiceProfile, raw: &file::Profile) -> Result<(), Refusal> {
    let p99 = profile.objective.p99;
    let takes = |class: &RequestClass| class.wait + class.cpu;
    let slow: Vec<_> = profile.classes.iter().filter(|class| takes(class) > p99).collect();
    let refuse = |why: String| {
        let reason = format!("{} cannot be met: {why}", written_time(p99));
        Err(Refusal::new(raw.objective.p99.span(), "objective.p99", reason))
    };
    let alone = slow.iter().filter(|class| class.per_mille >= BEYOND_P99);
    if let Some(class) = alone.max_by_key(|class| takes(class)) {
        let (name, least) = (quoted(&class.name), written_time(takes(class)));
        return refuse(format!("the class {name} alone takes {least}: give {least} or more"));
    }
    let beyond: u32 = slow.iter().map(|class| class.per_mille).sum();
    let Some(least) = slow.iter().map(|class| takes(class)).max() else { return Ok(()) };
    if beyond >= BEYOND_P99 {
        let (names, least) = (slow.iter().map(|class| quoted(&class.name)), written_time(least));
        let names: Vec<_> = names.collect();
        let (names, share) = (names.join(", "), f64::from(beyond) / 10.0);
        return refuse(format!(
            "the classes {names} take longer and are {share} % of all requests: give {least} or more"
        ));
    }
    Ok(())
}

/// Refuses a rate at which more requests are under way than there are connections to carry them.
fn check_load(profile: &ServiceProfile, raw: &file::Profile) -> Result<(), Refusal> {
    let (Some(under_way), Some(rate)) = (profile.under_way(), profile.load.rate) else {
        return Ok(());
    };
    let connections = profile.load.connections;
    // A load that just fits does not fail by rounding.
    let under_way = under_way * (1.0 - 1e-9);
    if under_way <= connections as f64 {
        return Ok(());
    }
    let needed = under_way.ceil() as u64;
    let highest = (rate as f64 * connections as f64 / under_way).floor() as u64;
    let more = (needed <= MAX_CONNECTIONS).then(|| format!("{} or more", grouped(needed)));
    let fewer = (highest > 0).then(|| format!("a rate of {} or less", grouped(highest)));
    let ways: Vec<_> = more.into_iter().chain(fewer).collect();
    let reason = format!(
        "{} are too few: {} requests a second of {} each keep {} busy (Little's law): give {}",
        grouped(connections),
        grouped(rate),
        time((profile.mean_wait() + profile.mean_cpu()).as_nanos() as f64),
        grouped(needed),
        ways.join(", or "),
    );
    Err(Refusal::new(raw.load.connections.span(), "load.connections", reason))
}

fn preferences(raw: &file::Preferences) -> Result<Preferences, Refusal> {
    known("preferences.order", &raw.order)?;
    known("preferences.exclude", &raw.exclude)?;
    let names = |list: &[Spanned<String>]| list.iter().map(|name| name.get_ref().clone()).collect();
    let preferences = Preferences {
        maintained_only: raw.maintained_only,
        no_async: raw.no_async,
        callable_from_sync: raw.callable_from_sync,
        order: names(&raw.order),
        exclude: names(&raw.exclude),
    };
    for name in &raw.order {
        let model = models::find(name.get_ref());
        let left_out = model.and_then(|model| preferences.leaves_out(model));
        let Some((key, why)) = left_out else { continue };
        let way_out = match key {
            "exclude" => "take it out of order or of exclude".to_owned(),
            _ => format!("take it out of order or set {key} = false"),
        };
        // `maintained_only` may be left out of the file and holds all the same.
        let reason = format!("{} is left out by {key} ({why}): {way_out}", quoted(name.get_ref()));
        return Err(Refusal::new(name.span(), "preferences.order", reason));
    }
    if models::choices().all(|model| preferences.leaves_out(model).is_some()) {
        // Without `exclude`, threads would be left.
        let last = raw.exclude.last().expect("a model is excluded");
        let free = Preferences { exclude: Vec::new(), ..preferences };
        let free: Vec<_> = models::choices()
            .filter(|model| free.leaves_out(model).is_none())
            .map(|model| model.name)
            .collect();
        let reason = format!("no model is left: take {} out of exclude", free.join(" or "));
        return Err(Refusal::new(last.span(), "preferences.exclude", reason));
    }
    Ok(preferences)
}

/// Refuses names that are no model's, or come twice.
fn known(key: &'static str, names: &[Spanned<String>]) -> Result<(), Refusal> {
    for (index, name) in names.iter().enumerate() {
        let shown = quoted(name.get_ref());
        let reason = if !models::choices().any(|model| model.name == name.get_ref()) {
            let all: Vec<_> = models::choices().map(|model| model.name).collect();
            format!("{shown} is unknown: the models are {}", all.join(", "))
        } else if names[..index].iter().any(|earlier| earlier.get_ref() == name.get_ref()) {
            format!("{shown} comes twice: name it once")
        } else {
            continue;
        };
        return Err(Refusal::new(name.span(), key, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_whole_and_add_up() {
        assert_eq!(per_mille(&[1.0]), [1_000]);
        assert_eq!(per_mille(&[0.9, 0.1]), [900, 100]);
        assert_eq!(per_mille(&[0.29, 0.71]), [290, 710]);
        assert_eq!(per_mille(&[0.333, 0.333, 0.333]).iter().sum::<u32>(), 1_000);
        assert_eq!(per_mille(&[0.999, 0.001, 0.001]), [998, 1, 1]);
        for count in 1..=MAX_CLASSES {
            let mut shares = vec![0.001; count];
            shares[0] = 1.0 - 0.001 * (count - 1) as f64;
            let whole = per_mille(&shares);
            assert_eq!(whole.iter().sum::<u32>(), 1_000);
            assert!(whole.iter().all(|&share| share > 0));
        }
    }
}
