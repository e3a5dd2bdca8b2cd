//! Attacks that were made on other exchanges' vaults, with their ratios, against a pool: a large position
//! is opened near the mark, left to be liquidated into the vault, and the price moved. What the pool
//! loses is at most its cap times the move.
//!
//! Sources are the public accounts of 2025: JELLY on March 26, the ETH whale on March 12, POPCAT on
//! November 12, and Fartcoin, where only the part of the vault that was lost is known.

use ballast_engine::pool::{Offer, PoolMode, PoolParams, PoolTaker};
use ballast_engine::position::Position;
use ballast_engine::risk::RiskParams;
use ballast_engine::units::Side;
use ballast_engine::volatility::ONE_PPM;
use ballast_engine::window::Window;

use crate::fixture::{params, position, price};

/// Atoms a lot when the position is left to be liquidated.
const MARK: u64 = 10_000;
/// What the vault of the replay is worth, atoms.
const VAULT: u64 = 1_000_000_000;

/// One of the attacks.
struct Replay {
    name: &'static str,
    /// Side of the position that the vault was left with.
    side: Side,
    /// Its notional, basis points of the vault.
    notional_bps: u64,
    /// How far the price then went against it, basis points.
    move_bps: u64,
}

/// The notional over the whole vault; a vault of one market is a small part of such a one, so every
/// attack is also made on a vault of a twentieth of the position.
const REPLAYS: [Replay; 4] = [
    // $4M short of a vault of $230M, times four.
    Replay {
        name: "JELLY",
        side: Side::Short,
        notional_bps: 174,
        move_bps: 30_000,
    },
    // $307M long of $451M; $4M lost.
    Replay {
        name: "ETH whale",
        side: Side::Long,
        notional_bps: 6_807,
        move_bps: 130,
    },
    // $25M long; $4.9M lost.
    Replay {
        name: "POPCAT",
        side: Side::Long,
        notional_bps: 500,
        move_bps: 1_960,
    },
    // 0.35% of the vault, at a move of a tenth.
    Replay {
        name: "Fartcoin",
        side: Side::Long,
        notional_bps: 350,
        move_bps: 1_000,
    },
];

/// What the pool holds after it was offered the whole position, piece by piece, at the deepest discount.
fn left_with(pool: &PoolParams, risk: &RiskParams, side: Side, lots: u64) -> u64 {
    let (mut held, mut left, mut taken) = (0_u64, lots, Window::default());
    let piece = lots.div_ceil(50);
    let sign = if side == Side::Long { 1 } else { -1 };
    let mut slot = 1_000;
    while left > 0 {
        let offered = piece.min(left);
        let size = i64::try_from(held).unwrap();
        let taker = PoolTaker {
            params: pool,
            mode: PoolMode::Open,
            low: VAULT,
            position: position(sign * size, MARK, size * i64::try_from(MARK).unwrap()),
            taken: taken.total().unwrap(),
            fallen: false,
            has_room: true,
            multiplier_ppm: ONE_PPM,
        };
        let offer = Offer {
            side,
            lots: offered,
            held: left,
            whole: lots,
            discount_bps: risk.liquidation_discount_max_bps,
            rescue: false,
        };
        let took = taker.take(risk, price(MARK), &offer).unwrap();
        taken = taken.rolled(slot, pool.window_slots).unwrap();
        taken = taken.with(took * MARK).unwrap();
        held += took;
        left -= offered;
        slot += 10;
    }
    held
}

/// What a position of `lots` on `side`, entered at the mark, loses to the move.
fn loss(side: Side, lots: u64, move_bps: u64) -> u64 {
    let signed = i64::try_from(lots).unwrap() * if side == Side::Long { 1 } else { -1 };
    let after = match side {
        Side::Long => MARK - MARK * move_bps.min(9_999) / 10_000,
        Side::Short => MARK + MARK * move_bps / 10_000,
    };
    let held: Position = position(signed, MARK, 0);
    let equity = held.equity(price(after)).unwrap().get();
    equity.min(0).unsigned_abs()
}

#[test]
fn no_known_attack_takes_more_than_the_cap_times_the_move() {
    let risk = params();
    let pool = PoolParams {
        reserve_last_bps: risk.liquidation_discount_max_bps,
        ..PoolParams::DEFAULT
    };
    for Replay {
        name,
        side,
        notional_bps,
        move_bps,
    } in REPLAYS
    {
        for (bps, small) in [(notional_bps, false), (200_000, true)] {
            let risk = RiskParams {
                tiers: risk.tiers.map(|tier| ballast_engine::risk::RiskTier {
                    notional_limit_atoms: tier.notional_limit_atoms * 1_000,
                    ..tier
                }),
                ..risk
            };
            let lots = VAULT / 10_000 * bps / MARK;
            let held = left_with(&pool, &risk, side, lots);
            let lost = loss(side, held, move_bps);
            let cap = VAULT / 10_000 * u64::from(pool.cap_bps);
            assert!(held * MARK <= cap, "{name}: {held} lots");
            assert!(lost <= cap / 10_000 * move_bps, "{name}: {lost}");
            let unbounded = loss(side, lots, move_bps);
            assert!(
                lost > 0 && lost <= unbounded,
                "{name}: {lost} of {unbounded}"
            );
            if small {
                // A vault that takes everything loses 40 times as much.
                assert!(unbounded >= 39 * lost, "{name}: {lost} of {unbounded}");
            }
        }
    }
}
