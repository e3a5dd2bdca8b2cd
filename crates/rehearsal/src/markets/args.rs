//! Command line options for several markets.

use anyhow::{ensure, Result};
use ballast_engine::cross::{MOST_LEGS, MOST_MARKETS};
use ballast_state::cross::LEAST_TOLERANCE_BPS;
use clap::Args;

use crate::args::RehearseArgs;

/// Markets of a rehearsal of several.
const LEAST_MARKETS: usize = 2;
/// Part of the accounts that is cross when the user names none, per cent.
const CROSS_SHARE: u64 = 50;

/// How many markets, and who has legs in them.
#[derive(Clone, Debug, Default, Args)]
pub struct MarketsArgs {
    /// Play so many markets at once, 2 to 8, with a part of the accounts cross, and again with all of them isolated.
    /// `--prices` names the prices of the first market, or once for each market those of all. Options of takers,
    /// triggers, the pool and the stakes belong to one market.
    #[arg(long, value_name = "N", value_parser = markets, conflicts_with_all = [
        "risk", "stake", "pool", "pool_cap_bps", "takers", "stop_loss_percent", "protected_percent", "policies",
    ])]
    pub markets: Option<usize>,
    /// Part of the accounts that is cross, per cent [default: 50].
    #[arg(long, value_name = "PERCENT", requires = "markets", value_parser = clap::value_parser!(u64).range(1..=100))]
    pub cross_share: Option<u64>,
    /// Most legs of an account, 1 to 4 [default: 4].
    #[arg(long, value_name = "N", requires = "markets", value_parser = legs)]
    pub legs: Option<usize>,
}

fn markets(text: &str) -> Result<usize, String> {
    within(
        text,
        LEAST_MARKETS,
        MOST_MARKETS,
        "markets stand on a board",
    )
}

fn legs(text: &str) -> Result<usize, String> {
    within(text, 1, MOST_LEGS, "legs are all that an account has")
}

fn within(text: &str, least: usize, most: usize, why: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().map_err(|error| error.to_string())?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(format!(
        "{number} is not in {least}..={most}: at most {most} {why}"
    ))
}

/// What the options come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketsChoice {
    /// Markets.
    pub markets: usize,
    /// Part of the accounts that is cross, per cent.
    pub cross_share: u64,
    /// Most legs of an account, no more than there are markets.
    pub legs: usize,
    /// Tolerance of the ranking, basis points.
    pub tolerance_bps: u32,
}

impl MarketsChoice {
    /// What the user chose; `None` for a rehearsal of one market.
    ///
    /// # Errors
    /// A tolerance that cross margin does not allow; prices that fit neither one market nor all.
    pub fn of(args: &RehearseArgs) -> Result<Option<Self>> {
        let Some(markets) = args.several.markets else {
            ensure!(
                args.prices.len() < 2,
                "one market has one file of prices: name --markets {} for {0} files",
                args.prices.len()
            );
            return Ok(None);
        };
        let files = args.prices.len();
        ensure!(
            files < 2 || files == markets,
            "--prices was given {files} times: name one file for the first market, or one for each of the {markets}"
        );
        let tolerance = args.rank_tolerance_bps;
        ensure!(
            tolerance == 0 || tolerance >= LEAST_TOLERANCE_BPS,
            "cross margin needs a --rank-tolerance-bps of {LEAST_TOLERANCE_BPS} at least"
        );
        Ok(Some(Self {
            markets,
            cross_share: args.several.cross_share.unwrap_or(CROSS_SHARE),
            legs: args.several.legs.unwrap_or(MOST_LEGS).min(markets),
            tolerance_bps: tolerance.max(LEAST_TOLERANCE_BPS),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn choice(arguments: &[&str]) -> Result<Option<MarketsChoice>, String> {
        let all = ["ballast-rehearsal"].iter().chain(arguments);
        let args = RehearseArgs::try_parse_from(all).map_err(|error| error.to_string())?;
        MarketsChoice::of(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn several_markets_are_chosen_by_option() {
        assert_eq!(choice(&[]), Ok(None));
        let chosen = MarketsChoice {
            markets: 4,
            cross_share: 50,
            legs: 4,
            tolerance_bps: 200,
        };
        assert_eq!(choice(&["--markets", "4"]), Ok(Some(chosen)));
        let fewer = ["--markets", "3", "--cross-share", "20", "--legs", "4"];
        let fewer = choice(&fewer).unwrap().unwrap();
        assert_eq!((fewer.cross_share, fewer.legs), (20, 3));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_reason() {
        for (arguments, reason) in [
            (vec!["--cross-share", "50"], "--markets <N>"),
            (vec!["--legs", "2"], "--markets <N>"),
            (vec!["--markets", "9"], "at most 8 markets"),
            (vec!["--markets", "1"], "not in 2..=8"),
            (vec!["--markets", "4", "--legs", "5"], "at most 4 legs"),
            (vec!["--markets", "4", "--legs", "0"], "not in 1..=4"),
            (vec!["--markets", "4", "--cross-share", "101"], "1..=100"),
            (vec!["--markets", "4", "--pool", "10"], "--pool <BPS>"),
            (
                vec!["--markets", "4", "--rank-tolerance-bps", "100"],
                "200 at least",
            ),
            (
                vec!["--markets", "3", "--prices", "a", "--prices", "b"],
                "one for each of the 3",
            ),
            (vec!["--prices", "a", "--prices", "b"], "--markets 2"),
        ] {
            let refusal = choice(&arguments).expect_err("refused");
            assert!(refusal.contains(reason), "{arguments:?}: {refusal}");
        }
    }
}
