//! A request of every call.

use ballast_wasm::request::{Counterparties, Positions, StandingOf};
use borsh::BorshSerialize;

use crate::stage::Stage;

fn bytes(request: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(request).expect("bytes")
}

/// The calls in their order, each with a request that has an answer.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let (stage, long, shorts) = Stage::crash();
    let market = stage.market();
    let (long, short) = (
        stage.trader_account(&long),
        stage.trader_account(&shorts[2]),
    );
    let positions = Positions {
        trader: short.clone(),
        decimals: 6,
        markets: vec![market.clone()],
    };
    let standing = StandingOf {
        market: market.clone(),
        trader: short.clone(),
    };
    let counterparties = Counterparties {
        market: market.clone(),
        bankrupt: long.clone(),
        most: 8,
        spares: 2,
    };
    vec![
        ("positions", bytes(&positions)),
        ("standing", bytes(&standing)),
        ("counterparties", bytes(&counterparties)),
    ]
}
