//! The long run against the reference model.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cargo;
use crate::program::BALLAST;

/// Each option with the variable the tests read and what a long run takes.
const OPTIONS: [(&str, &str, u64); 3] = [
    ("--ops", "BALLAST_DIFF_OPS", 1_000_000),
    ("--lists", "BALLAST_HOSTILE_LISTS", 100_000),
    ("--seed", "BALLAST_SEED", 1),
];

/// Builds the program and compares it with the reference model for as long as the arguments say.
pub fn run(args: &[OsString]) -> Result<ExitCode, String> {
    let variables = variables(args)?;
    let root = cargo::root();
    let program = BALLAST.ensure_built(&root)?;
    let mut tests = cargo::cargo();
    tests
        .current_dir(&root)
        .env("BALLAST_SO", program)
        .envs(variables.map(|(name, number)| (name, number.to_string())))
        .args(["test", "--locked", "--workspace", "--test", "differential"])
        .args(["--", "--nocapture", "--test-threads", "1"]);
    Ok(cargo::exit_code(cargo::status(&mut tests)?))
}

/// The variables to set: `--option N` or `--option=N`, in any order, the last one counts.
fn variables(args: &[OsString]) -> Result<[(&'static str, u64); 3], String> {
    let mut variables = OPTIONS.map(|(_, variable, number)| (variable, number));
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        let (name, joined) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg.into_owned(), None),
        };
        let place = OPTIONS.iter().position(|(option, ..)| *option == name);
        let place = place.ok_or_else(|| format!("differential does not know `{name}`."))?;
        let value = joined.or_else(|| args.next().map(|value| value.into_owned()));
        let number = value.and_then(|value| value.replace('_', "").parse().ok());
        variables[place].1 = number.ok_or_else(|| format!("`{name}` takes a number."))?;
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(args: &[&str]) -> Result<[u64; 3], String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        variables(&args).map(|variables| variables.map(|(_, number)| number))
    }

    #[test]
    fn options_set_what_they_name() {
        assert_eq!(numbers(&[]), Ok([1_000_000, 100_000, 1]));
        let args = ["--seed", "7", "--lists=5", "--ops", "2_000"];
        assert_eq!(numbers(&args), Ok([2_000, 5, 7]));
        assert!(numbers(&["--ops"]).is_err());
        assert!(numbers(&["--ops", "many"]).is_err());
        assert!(numbers(&["--opts", "1"]).is_err());
    }
}
