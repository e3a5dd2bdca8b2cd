//! How many tests passed, and how long each suite took.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Suites that take less are shown in one line.
const SHORT: Duration = Duration::from_secs(1);

/// Numbers of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Adds those of another run.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// What the closing line of a suite says (`test result: ok. 3 passed; 0 failed; ...`); none for
    /// any other line.
    pub fn of_result_line(line: &str) -> Option<Self> {
        let (_, figures) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let figure = |name: &str| {
            let found = figures
                .split("; ")
                .find_map(|part| part.strip_suffix(name))?;
            found.trim().parse().ok()
        };
        Some(Self {
            passed: figure("passed")?,
            failed: figure("failed")?,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The suites of a run of nextest.
#[derive(Debug, Default)]
pub struct Suites(BTreeMap<String, Suite>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Suite {
    counts: Counts,
    /// All its tests one after the other.
    time: Duration,
}

impl Suites {
    /// Where nextest writes what it did, as `.config/nextest.toml` says.
    pub fn report(root: &Path) -> PathBuf {
        root.join("target/nextest/default/junit.xml")
    }

    /// The suites in a report; none where there is no report, since no test was run.
    ///
    /// # Errors
    /// A sentence, where the report is not as nextest writes it.
    pub fn read(report: &Path) -> Result<Option<Self>, String> {
        match std::fs::read_to_string(report) {
            Ok(text) => Self::parse(&text)
                .map(Some)
                .map_err(|problem| format!("{}: {problem}", report.display())),
            Err(_) => Ok(None),
        }
    }

    fn parse(junit: &str) -> Result<Self, String> {
        let document = roxmltree::Document::parse(junit).map_err(|problem| problem.to_string())?;
        let mut suites = BTreeMap::<String, Suite>::new();
        let cases = document.descendants();
        for case in cases.filter(|node| node.has_tag_name("testcase")) {
            let attribute = |name| {
                let missing = || format!("a test has no `{name}`");
                case.attribute(name).ok_or_else(missing)
            };
            let suite = suites
                .entry(attribute("classname")?.to_owned())
                .or_default();
            let seconds = attribute("time")?
                .parse()
                .map_err(|_| "a time is not a number")?;
            suite.time += Duration::try_from_secs_f64(seconds)
                .map_err(|_| "a time is not a length of time")?;
            let fails = |node: roxmltree::Node<'_, '_>| {
                node.has_tag_name("failure") || node.has_tag_name("error")
            };
            if case.children().any(fails) {
                suite.counts.failed += 1;
            } else {
                suite.counts.passed += 1;
            }
        }
        Ok(Self(suites))
    }

    /// All suites together.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.0.values().for_each(|suite| counts.add(suite.counts));
        counts
    }
}

/// A table, the longest suite first.
impl fmt::Display for Suites {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut long: Vec<_> = self.0.iter().collect();
        long.sort_by_key(|(_, suite)| std::cmp::Reverse(suite.time));
        let short = long.split_off(long.partition_point(|(_, suite)| suite.time >= SHORT));
        writeln!(out, "\n{:<44} {:>6} {:>9}", "suite", "tests", "seconds")?;
        let mut row = |name: &str, suite: &Suite| {
            let tests = suite.counts.passed + suite.counts.failed;
            let seconds = suite.time.as_secs_f64();
            writeln!(out, "{name:<44} {tests:>6} {seconds:>9.1}")
        };
        for (name, suite) in long {
            row(name, suite)?;
        }
        if short.is_empty() {
            return Ok(());
        }
        let mut rest = Suite::default();
        for (_, suite) in &short {
            rest.counts.add(suite.counts);
            rest.time += suite.time;
        }
        row(&format!("{} shorter ones", short.len()), &rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0" time="3.0">
    <testsuite name="engine::book" tests="2" disabled="0" errors="0" failures="1">
        <testcase name="a" classname="engine::book" time="2.250"/>
        <testcase name="b" classname="engine::book" time="0.5">
            <failure type="test failure">panicked</failure>
        </testcase>
    </testsuite>
    <testsuite name="engine" tests="2" disabled="0" errors="0" failures="0">
        <testcase name="c" classname="engine" time="0.125"/>
        <testcase name="d" classname="engine" time="0.125"><system-out>ok</system-out></testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn suites_are_counted_and_timed() {
        let suites = Suites::parse(JUNIT).expect("a report");
        assert_eq!(
            suites.counts(),
            Counts {
                passed: 3,
                failed: 1
            }
        );
        let lines: Vec<String> = suites
            .to_string()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "",
                "suite tests seconds",
                "engine::book 2 2.8",
                "1 shorter ones 2 0.2"
            ]
        );
        let broken = JUNIT.replace("2.250", "long");
        assert!(Suites::parse(&broken).is_err());
    }

    #[test]
    fn closing_lines_of_suites_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; finished in 0.10s";
        let counts = Counts {
            passed: 12,
            failed: 3,
        };
        assert_eq!(Counts::of_result_line(line), Some(counts));
        assert_eq!(counts.to_string(), "12 passed, 3 failed");
        assert_eq!(Counts::of_result_line("test some::test ... ok"), None);
    }
}
