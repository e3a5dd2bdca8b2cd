//! Pools and stakes in words: every event, and the histories of a pool, its makers and its owners.

use std::collections::BTreeSet;

use ballast_client::addresses;
use ballast_engine::pool::PoolParams;
use ballast_sandbox::Wallet;
use ballast_state::events::{PoolReset, StakesRenewed};
use ballast_state::for_each_event;
use ballast_state::staged::Change;

use super::told::{kinds, past};
use super::*;
use crate::cluster::history::{FundChoice, Kind, Naming, Shares};

/// A pool that takes at the market's first discount, in a market that stakes may be put behind.
fn backed() -> Stage {
    let mut stage = Stage::new();
    let sol = stage.sol.clone();
    let params = PoolParams {
        cap_bps: 10_000,
        margin_bps: 5_000,
        reserve_first_bps: 5,
        reserve_last_bps: 25,
        slip_bps: 3,
        ..PoolParams::for_market(&sol.config.risk)
    };
    stage.sandbox.create_pool(&sol, params).expect("a pool");
    stage.sandbox.open_stakes(&sol).expect("stakes");
    stage
}

/// What a pool goes through: a deposit, a take of ann's long, margin, an unwind into cat's bid, and an exit.
struct Played {
    stage: Stage,
    owner: Wallet,
    cat: TraderCookie,
    keeper: TraderCookie,
    outcomes: Vec<TxOutcome>,
}

impl Played {
    fn new() -> Self {
        let mut stage = backed();
        let sol = stage.sol.clone();
        let [ann, ben, cat, keeper] = [(); 4].map(|()| stage.trader());
        stage.trade((&ann, 100), (&ben, 2_000), 10_000);
        let sandbox = &mut stage.sandbox;
        let owner = sandbox.create_wallet(2_000 * USD).expect("a wallet");
        let mut outcomes = Vec::new();
        outcomes.push(sandbox.create_share(&sol.pool(), &owner).expect("shares"));
        outcomes.push(sandbox.deposit_pool(&sol, &owner, 1_500 * USD).expect("in"));
        let bid = order(OrderSide::Bid, 5_000, 193_960, 0);
        sandbox.place_order(&sol, &cat, bid, &[]).expect("a bid");
        sandbox.set_price(&sol, 194_000);
        let cancel = sandbox.cancel_order(&sol, &cat, OrderRef::Id(1));
        cancel.expect("cancelled");
        let taken = sandbox.liquidate_into_pool(&sol, &ann.address, &keeper, &[]);
        outcomes.push(taken.expect("a take"));
        sandbox.set_price(&sol, 193_000);
        outcomes.push(sandbox.sync_pool(&sol).expect("margin"));
        sandbox
            .place_order(&sol, &cat, order(OrderSide::Bid, 5_000, 192_950, 0), &[])
            .expect("a bid");
        sandbox.advance_slots(150);
        sandbox.set_price(&sol, 193_000);
        outcomes.push(
            sandbox
                .unwind_pool(&sol, &keeper, &[cat.address])
                .expect("closed"),
        );
        outcomes.push(
            sandbox
                .request_pool(&sol, &owner, 1_000_000_000)
                .expect("asked"),
        );
        outcomes.push(sandbox.cancel_pool_request(&sol, &owner).expect("stays"));
        outcomes.push(
            sandbox
                .request_pool(&sol, &owner, 2_000_000_000)
                .expect("asked"),
        );
        sandbox.advance_slots(864_000);
        sandbox.set_price(&sol, 193_000);
        outcomes.push(sandbox.withdraw_pool(&sol, &owner, 0).expect("paid"));
        outcomes.push(sandbox.stop_pool(&sol).expect("stopped"));
        let params = PoolParams {
            cap_bps: 4_000,
            ..sandbox.pool(&sol).params
        };
        sandbox.advance_slots(1);
        let staged = sandbox
            .stage(Change::Pool(params), Some(&sol))
            .expect("staged");
        outcomes.push(sandbox.apply_pool(&sol, &staged).expect("in force"));
        Self {
            stage,
            owner,
            cat,
            keeper,
            outcomes,
        }
    }

    /// Lines of a trader account.
    fn history(&self, trader: Pubkey) -> Vec<crate::cluster::history::Entry> {
        let outcomes: Vec<&TxOutcome> = self.outcomes.iter().collect();
        self.stage.history_of(trader, &outcomes)
    }
}

#[test]
fn a_pool_s_account_has_its_history() {
    let played = Played::new();
    let lines = played.history(played.stage.sol.pool_trader());
    let expected = [
        Kind::Transfer,
        Kind::Fill,
        Kind::Margin,
        Kind::Fill,
        Kind::Transfer,
        Kind::Account,
        Kind::Account,
    ];
    let kinds: Vec<Kind> = kinds(&lines)
        .into_iter()
        .filter(|kind| *kind != Kind::Funding)
        .collect();
    assert_eq!(kinds, expected);
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.kind != Kind::Funding)
        .collect();
    assert_eq!(lines[0].amount_atoms, Some(1_500 * 1_000_000));
    // A fifth of 10 SOL, 25 basis points below the mark.
    assert_eq!((lines[1].side, lines[1].lots), (Some("buy"), Some(2_000)));
    assert_eq!(lines[1].price.as_deref(), Some("193.515"));
    let text = &lines[1].text;
    for part in [
        "bought 2.000 at 193.515, a discount of 0.97",
        "it is long 2.000 now",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        lines[2].text.contains("moved into the margin"),
        "{}",
        lines[2].text
    );
    assert!(lines[2].amount_atoms < Some(0));
    assert_eq!((lines[3].side, lines[3].lots), (Some("sell"), Some(400)));
    let text = &lines[3].text;
    for part in [
        "sold 0.400 of 0.400 that were due, at 192.950, 192.943 being the worst price",
        "to the keeper; it is long 1.600 now",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(lines[3].realized_atoms < Some(0) && lines[3].fee_atoms > Some(0));
    assert!(
        lines[4].text.contains("for 2000000000 shares"),
        "{}",
        lines[4].text
    );
    assert!(
        lines[5].text.contains("takes nothing that enlarges"),
        "{}",
        lines[5].text
    );
    let text = &lines[6].text;
    assert_eq!(
        text,
        "In force: the pool's cap_bps 10000 -> 4000; it was stopped and goes on."
    );
}

/// Whoever only called it took nothing over, and whoever's order was met was filled.
#[test]
fn a_keeper_of_a_take_took_nothing_and_a_maker_of_an_unwind_was_filled() {
    let played = Played::new();
    let keeper = played.history(played.keeper.address);
    assert!(keeper.is_empty(), "{keeper:?}");
    let maker = played.history(played.cat.address);
    assert_eq!(kinds(&maker), [Kind::Fill]);
    assert_eq!((maker[0].side, maker[0].lots), (Some("buy"), Some(400)));
    assert!(
        maker[0]
            .text
            .starts_with("Order 2 filled: bought 0.400 at 192.950"),
        "{}",
        maker[0].text
    );
}

#[test]
fn an_owner_s_shares_have_their_history() {
    let mut played = Played::new();
    let sol = played.stage.sol.clone();
    let owner = played.owner.clone();
    let sandbox = &mut played.stage.sandbox;
    played
        .outcomes
        .push(sandbox.create_share(&sol.stakes(), &owner).expect("shares"));
    played
        .outcomes
        .push(sandbox.stake(&sol, &owner, 50 * USD).expect("staked"));
    let all = sandbox.share(&sol.stakes(), &owner.address()).shares;
    played
        .outcomes
        .push(sandbox.request_unstake(&sol, &owner, all).expect("asked"));
    played
        .outcomes
        .push(sandbox.cancel_unstake(&sol, &owner).expect("stays"));
    played
        .outcomes
        .push(sandbox.request_unstake(&sol, &owner, all).expect("asked"));
    sandbox.advance_slots(1_080_000);
    sandbox.set_price(&sol, 193_000);
    played
        .outcomes
        .push(sandbox.unstake(&sol, &owner, 0).expect("paid"));
    played
        .outcomes
        .push(sandbox.close_share(&sol.stakes(), &owner).expect("closed"));

    let outcomes: Vec<&TxOutcome> = played.outcomes.iter().collect();
    let markets = [(sol.keys.market, played.stage.sandbox.market(&sol))];
    let naming = Naming::new(COLLATERAL, &markets);
    let of = |fund, owner| {
        let shares = Shares::new(fund, sol.keys.market, owner);
        let lines = shares.entries(&past(&outcomes), &naming);
        assert!(lines.iter().all(|line| line.kind == Kind::Shares));
        lines
    };
    let pool = of(FundChoice::Pool, owner.address());
    let amounts: Vec<_> = pool.iter().map(|line| line.amount_atoms).collect();
    let paid = pool[5].amount_atoms;
    assert_eq!(
        amounts,
        [None, Some(-1_500_000_000), None, None, None, paid]
    );
    assert!(paid > Some(1_900_000), "{paid:?}");
    let begins = [
        "An account for shares of",
        "1,500.00 put into the pool, for 1500000000000 shares; 1500000000000 of 1500000000000",
        "Asked for 1000000000 shares, worth 0.99",
        "1000000000 shares stay in the pool.",
        "Asked for 2000000000 shares, worth 1.99",
    ];
    for (line, begin) in pool.iter().zip(begins) {
        assert!(line.text.starts_with(begin), "{begin}: {}", line.text);
    }
    let stakes = of(FundChoice::Stakes, owner.address());
    let amounts: Vec<_> = stakes.iter().map(|line| line.amount_atoms).collect();
    let paid = Some(50_000_000);
    assert_eq!(
        amounts,
        [None, Some(-50_000_000), None, None, None, paid, None]
    );
    let shown = [
        "An account for shares of",
        "50.00 staked, for 50000000000 shares; 50.00 is staked in all.",
        "Asked for 50000000000 shares, worth 50.00: paid in 5 days, for 2 days, from slot ",
        "50000000000 shares stay staked.",
        "Asked for 50000000000 shares",
        "50.00 paid for 50000000000 shares; 0 shares are left.",
        "The account for shares of",
    ];
    for (line, begin) in stakes.iter().zip(shown) {
        assert!(line.text.starts_with(begin), "{begin}: {}", line.text);
    }
    assert!(of(FundChoice::Pool, Pubkey::default()).is_empty());
}

macro_rules! names {
    ($($name:ident $bytes:expr;)*) => {
        [$(stringify!($name)),*]
    };
}

#[test]
fn every_event_of_pools_and_stakes_has_a_sentence_and_fields() {
    let mut played = Played::new();
    let sol = played.stage.sol.clone();
    let state = played.stage.state();
    let sandbox = &mut played.stage.sandbox;
    let mut second = MarketConfig::sol();
    second.name[..8].copy_from_slice(b"ETH-PERP");
    second.risk.min_order_atoms = 1;
    let other = sandbox.create_market(&second).expect("a market");
    let params = PoolParams::for_market(&second.risk);
    let mut outcomes = vec![
        sandbox.create_pool(&other, params).expect("a pool"),
        sandbox.open_stakes(&other).expect("stakes"),
    ];
    outcomes.append(&mut played.outcomes);
    let owner = played.owner.clone();
    outcomes.push(sandbox.create_share(&sol.stakes(), &owner).expect("shares"));
    outcomes.push(sandbox.stake(&sol, &owner, 50 * USD).expect("staked"));
    outcomes.push(sandbox.request_unstake(&sol, &owner, 7_000).expect("asked"));
    outcomes.push(sandbox.cancel_unstake(&sol, &owner).expect("stays"));
    outcomes.push(
        sandbox
            .request_unstake(&sol, &owner, 50_000_000_000)
            .expect("asked"),
    );
    sandbox.advance_slots(1_080_000);
    sandbox.set_price(&sol, 193_000);
    outcomes.push(sandbox.unstake(&sol, &owner, 0).expect("paid"));
    outcomes.push(sandbox.close_share(&sol.stakes(), &owner).expect("closed"));
    let mut events: Vec<BallastEvent> = outcomes.into_iter().flat_map(|it| it.events).collect();
    events.push(BallastEvent::PoolReset(Box::new(PoolReset {
        market: sol.keys.market,
        pool: addresses::pool(&sol.keys.market),
        epoch: 1,
        shares: 5_000_000,
        atoms: 4,
    })));
    events.push(BallastEvent::StakesRenewed(Box::new(StakesRenewed {
        market: sol.keys.market,
        epoch: 2,
        rest_atoms: 3,
    })));
    let names = Names {
        collateral: COLLATERAL,
        market: Some(("SOL-PERP", state.units)),
    };
    let mut seen = BTreeSet::new();
    for event in &events {
        let (sentence, json) = (names.sentence(event), words::json(event));
        let name = event.name();
        if sentence == format!("{name}.") || json.as_object().is_none_or(|fields| fields.len() < 3)
        {
            continue;
        }
        assert!(
            sentence.ends_with('.') && !sentence.contains("atoms"),
            "{sentence}"
        );
        seen.insert(name);
    }
    let of_funds = |name: &&str| {
        ["Pool", "Share", "Stake", "Unstake"]
            .iter()
            .any(|begin| name.starts_with(begin))
    };
    let all = for_each_event!(names).into_iter().filter(of_funds);
    let missing: Vec<_> = all.filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
