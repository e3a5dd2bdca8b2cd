//! A pool's parameters: as they are chosen, and what a change of them changes.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::{accounts, addresses};
use ballast_engine::pool::{PoolMode, PoolParams};
use ballast_engine::risk::RiskParams;
use ballast_state::market::Market;
use ballast_state::pool::Pool;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value};

use super::failure::Usage;
use super::session::Session;
use super::state::name_of;

/// What a pool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Everything.
    Open,
    /// It takes nothing that enlarges its position.
    NoTakes,
    /// Nor does it take deposits; it closes its position without waiting.
    WindDown,
}

impl From<Mode> for PoolMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Open => Self::Open,
            Mode::NoTakes => Self::NoTakes,
            Mode::WindDown => Self::WindDown,
        }
    }
}

/// Declares a flag for each parameter.
macro_rules! parameters {
    ($($field:ident: $type:ty, $what:literal;)*) => {
        /// Parameters that shall be different; the others stay as they are on chain.
        #[derive(Clone, Debug, Default, Args)]
        pub struct PoolChoice {
            /// What the pool does.
            #[arg(long, value_enum)]
            mode: Option<Mode>,
            $(
                #[doc = $what]
                #[arg(long, value_name = "N")]
                $field: Option<$type>,
            )*
        }

        impl PoolChoice {
            /// `before` with what was chosen.
            fn over(&self, before: &PoolParams) -> PoolParams {
                let mode = self.mode.map(|mode| PoolMode::from(mode).number());
                PoolParams {
                    mode: mode.unwrap_or(before.mode),
                    $($field: self.$field.unwrap_or(before.$field),)*
                    ..*before
                }
            }
        }
    };
}

parameters! {
    cap_bps: u32, "Largest notional of the position, basis points of the pool's worth";
    margin_bps: u32, "Equity that the position is given, basis points of its notional";
    reserve_first_bps: u32, "Least discount at which lots that enlarge the position are taken, basis points";
    reserve_last_bps: u32, "Discount from which lots are taken up to the cap, basis points";
    take_cap_bps: u32, "Most notional taken in a window, basis points of the pool's worth";
    drawdown_bps: u32, "Fall of a share's worth from which on nothing more is taken, basis points";
    premium_bps: u32, "What insurance pays for lots that are taken at the mark, basis points";
    ask_bps: u32, "Price beyond the mark at which an unwind begins, basis points";
    slip_bps: u32, "Price short of the mark at which it ends, basis points";
    unwind_bps: u32, "Largest part of the position that one unwind closes, basis points";
    exit_bps: u32, "What a withdrawal is charged of the position's notional, basis points";
    keeper_bps: u32, "What a keeper gets of the notional that an unwind closes, basis points";
    window_slots: u64, "Length of the window of the take cap, slots";
    auction_slots: u64, "Slots in which the price of an unwind falls";
    unwind_interval_slots: u64, "Least slots between two unwinds";
    withdraw_delay_slots: u64, "Slots from a request to the first in which it is paid";
    withdraw_window_slots: u64, "Slots in which a request is paid";
}

/// A parameter that would be different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParamChange {
    /// Its name.
    pub field: &'static str,
    /// As it is on chain.
    pub before: u64,
    /// As it would be.
    pub after: u64,
}

/// What differs between parameters on chain and those that shall be.
pub fn changes(before: &PoolParams, after: &PoolParams) -> Vec<ParamChange> {
    let pairs = before.named().into_iter().zip(after.named());
    let different = pairs.filter(|((_, before), (_, after))| before != after);
    let change = different.map(|((field, before), (_, after))| ParamChange {
        field,
        before,
        after,
    });
    change.collect()
}

/// The same in words: `the pool's cap_bps 5000 -> 4000, keeper_bps 2 -> 1`.
pub fn change_words(changes: &[ParamChange]) -> String {
    if changes.is_empty() {
        return "the pool as it is; if it is stopped, it goes on".to_owned();
    }
    let one = |it: &ParamChange| format!("{} {} -> {}", it.field, it.before, it.after);
    let all: Vec<String> = changes.iter().map(one).collect();
    format!("the pool's {}", all.join(", "))
}

/// Parameters as JSON.
pub fn json(params: &PoolParams) -> Value {
    let fields = params.named().into_iter();
    let fields: Map<String, Value> = fields
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    fields.into()
}

/// Parameters in words.
pub fn words(params: &PoolParams) -> String {
    let one = |(name, value): (&str, u64)| format!("{name} {value}");
    let all = params.named().into_iter().map(one);
    all.collect::<Vec<_>>().join(", ")
}

/// Fails with the field and what is allowed, unless a market with the parameters `risk` may have a pool
/// with these.
pub fn require_sound(params: &PoolParams, risk: &RiskParams) -> Result<(), Usage> {
    let refused = params.check(risk);
    refused.map_err(|breach| Usage(format!("PoolParams: {breach}; docs/POOL.md says why")))
}

impl PoolChoice {
    /// The parameters that `pool` would have, and what of them would be different; nothing may be where the
    /// pool is stopped, which a change ends.
    ///
    /// # Errors
    /// Nothing would be different.
    fn changing(&self, pool: &Pool) -> Result<(PoolParams, Vec<ParamChange>), Usage> {
        let before = &pool.params;
        let after = self.over(before);
        let changes = changes(before, &after);
        if changes.is_empty() && pool.stopped == 0 {
            return Err(Usage(format!(
                "the pool has these parameters already: {}; name one that shall be different, such as --cap-bps 4000",
                words(before)
            )));
        }
        Ok((after, changes))
    }

    /// The same for the pool of a market, within the bounds of the market's parameters.
    pub async fn chosen(
        &self,
        session: &Session,
        (address, market): (&Pubkey, &Market),
    ) -> Result<(PoolParams, Vec<ParamChange>)> {
        let pool = of_markets(session, &[*address]).await?;
        let none = || {
            let name = name_of(market);
            Usage(format!(
                "{name} has no pool; `ballast pool create --market {name}` gives it one"
            ))
        };
        let (_, pool) = pool.first().ok_or_else(none)?;
        let (params, changes) = self.changing(pool)?;
        require_sound(&params, market.params())?;
        Ok((params, changes))
    }
}

/// The pools of those of these markets that have one.
pub async fn of_markets(session: &Session, markets: &[Pubkey]) -> Result<Vec<(Pubkey, Pool)>> {
    if markets.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Pubkey> = markets.iter().map(addresses::pool).collect();
    let (_, found) = session.cluster.accounts(&keys).await?;
    let found = markets.iter().zip(found);
    let found = found.filter_map(|(market, account)| Some((*market, account?)));
    let read = found.map(|(market, account)| Ok((market, accounts::pool(&account.data)?)));
    read.collect()
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable;

    use super::*;

    #[test]
    fn what_is_not_chosen_stays_as_it_is() {
        let choice = PoolChoice {
            mode: Some(Mode::NoTakes),
            cap_bps: Some(4_000),
            keeper_bps: Some(2),
            ..PoolChoice::default()
        };
        let mut pool = Pool::zeroed();
        pool.params = PoolParams::DEFAULT;
        let (after, changes) = choice.changing(&pool).expect("a change");
        let wanted = PoolParams {
            mode: 1,
            cap_bps: 4_000,
            ..PoolParams::DEFAULT
        };
        assert_eq!(after, wanted);
        assert_eq!(
            change_words(&changes),
            "the pool's mode 0 -> 1, cap_bps 5000 -> 4000"
        );
        pool.params = wanted;
        let refusal = choice.changing(&pool).expect_err("no change").to_string();
        assert!(
            refusal.contains("already: mode 1, cap_bps 4000"),
            "{refusal}"
        );
        pool.stopped = 1;
        let (same, none) = choice.changing(&pool).expect("the end of a stop");
        assert_eq!((same, none.len()), (wanted, 0));
    }

    #[test]
    fn every_parameter_has_its_name_and_flag() {
        // Every field has a value of its own, so that none stands for another.
        let mut bytes = [0_u8; 96];
        for (place, word) in bytes.chunks_mut(4).take(13).enumerate() {
            word[0] = u8::try_from(place + 1).expect("few");
        }
        for (place, word) in bytes[56..].chunks_mut(8).enumerate() {
            word[0] = u8::try_from(place + 14).expect("few");
        }
        let params: PoolParams = bytemuck::cast(bytes);
        let values: Vec<u64> = params.named().iter().map(|(_, value)| *value).collect();
        assert_eq!(values.len(), 18);
        assert_eq!(changes(&PoolParams::default(), &params).len(), 18);
        let json = json(&params);
        assert_eq!(json["withdraw_window_slots"], 18);
        assert_eq!(json["mode"], 1);
    }
}
