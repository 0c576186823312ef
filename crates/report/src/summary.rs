//! `summary.json`: the report as data, and the JSON Schema that says what is in it.

use crate::rounding;
use analysis::Report;
use record::journal::to_json;

/// What `summary.json` holds, as a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("../../../schemas/summary.schema.json");

/// The whole report.
pub fn render(report: &Report) -> String {
    to_json(&rounding::rounded(report))
}

/// What was decided, for `decision.json`; `None` where nothing was to be decided.
pub(crate) fn decision(report: &Report) -> Option<String> {
    rounding::rounded(report).decision.as_ref().map(to_json)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use protocol::{Failure, FailureKind, How};
    use serde_json::Value;

    use super::*;
    use analysis::Run;
    use analysis::fixtures::{run, walls};
    use record::journal::Outcome;

    fn generated() -> String {
        let mut schema = schemars::schema_for!(Report).to_value();
        schema["title"] = "summary.json".into();
        schema["description"] =
            "What `bench-harness report` says of a run, computed once. Times are nanoseconds."
                .into();
        to_json(&schema)
    }

    fn problems(summary: &Value) -> Vec<String> {
        let schema = serde_json::from_str(SCHEMA).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        validator.iter_errors(summary).map(|error| error.to_string()).collect()
    }

    #[test]
    fn the_published_schema_is_that_of_the_types() {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/summary.schema.json");
            std::fs::write(path, generated()).unwrap();
            return;
        }
        assert_eq!(
            SCHEMA,
            generated(),
            "make it again: UPDATE_DOCS=1 cargo test -p bench-harness --bins published_schema"
        );
    }

    #[test]
    fn real_output_fits_the_schema() {
        let failure = Failure::new(FailureKind::Crashed, "it said nothing");
        let example = run(
            "endpoints/a",
            &[
                ("tokio", walls(&[1_000, 1_010, 990], How::misuse("f", "l"))),
                ("rayon", walls(&[10, 11, 10], How::fair("f", "l"))),
                ("smol", vec![Outcome::Failed(failure)]),
            ],
        );
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/reference-quick");
        for run in [example, Run::read(&reference).unwrap()] {
            let summary: Value = serde_json::from_str(&render(&Report::of(&run))).unwrap();
            assert_eq!(problems(&summary), [""; 0]);
        }
    }

    #[test]
    fn what_is_missing_or_unheard_of_does_not_fit_the_schema() {
        let report = Report::of(&run("map", &[("tokio", walls(&[10, 11, 10], None))]));
        let whole: Value = serde_json::from_str(&render(&report)).unwrap();
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove("cases");
        assert!(!problems(&without).is_empty());
        let mut unheard_of = whole.clone();
        unheard_of["cases"][0]["metric"] = "beauty".into();
        assert!(!problems(&unheard_of).is_empty());
        assert_eq!(problems(&whole), [""; 0]);
    }
}
