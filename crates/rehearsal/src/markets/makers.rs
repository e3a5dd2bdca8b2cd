//! The market makers: in each market accounts of their own quote around its price.

use anyhow::Result;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_risk::makers::{MakerStyle, Stress};
use ballast_sandbox::TraderCookie;
use ballast_state::order_args::PlaceOrderArgs;

use super::diary::Diary;
use super::exchange::Exchange;
use super::plan::MarketsPlan;
use crate::crash::quoting::{best_of_others, requote, Desk};
use crate::crash::stage::engine;
use crate::scenario::flow::Flow;

/// Orders of one market maker for which each side of a book has room.
pub const ORDERS_A_MAKER: usize = 16;

/// Everybody who quotes.
pub struct Makers {
    markets: Vec<Quoting>,
    /// What happens by chance.
    flow: Flow,
}

/// Who quotes in one market.
struct Quoting {
    style: MakerStyle,
    stress: Stress,
    accounts: Vec<TraderCookie>,
}

impl Makers {
    /// Creates their accounts with their collateral.
    pub fn create(exchange: &mut Exchange, plan: &MarketsPlan, seed: u64) -> Result<Self> {
        let mut markets = Vec::new();
        for market in &plan.markets {
            let book = &market.book;
            let accounts =
                (0..book.makers).map(|_| exchange.sandbox.create_trader(book.maker_capital));
            markets.push(Quoting {
                style: MakerStyle {
                    depth_lots: book.depth_lots,
                    spread_bps: book.spread_bps,
                    min_lots: market.risk.min_position_lots,
                },
                stress: Stress::default(),
                accounts: accounts.collect::<Result<_, _>>()?,
            });
        }
        Ok(Self {
            markets,
            flow: Flow::new(seed),
        })
    }

    /// Every maker looks at the price of its market; those that do not miss it quote anew.
    pub fn quote(&mut self, exchange: &mut Exchange, diary: &mut Diary) -> Result<()> {
        for (number, quoting) in self.markets.iter_mut().enumerate() {
            quoting.stress.see(exchange.venues[number].quote.ticks);
            let stress = quoting.stress.bps();
            for maker in &quoting.accounts {
                if !self.flow.misses(stress) {
                    anew(exchange, diary, number, (&quoting.style, stress), maker)?;
                }
            }
        }
        Ok(())
    }
}

/// Cancels a maker's orders and places its ladder, in one transaction.
fn anew(
    exchange: &mut Exchange,
    diary: &mut Diary,
    number: usize,
    (style, stress): (&MakerStyle, u64),
    maker: &TraderCookie,
) -> Result<()> {
    let keys = exchange.venues[number].cookie.keys;
    let slot = exchange
        .sandbox
        .position(&exchange.venues[number].cookie, &maker.address);
    let cancels = slot.is_some_and(|slot| slot.order_count > 0);
    let quotes = quotes(exchange, number, (style, stress), maker)?;
    let instructions = requote(&keys, maker, cancels, &quotes);
    if instructions.is_empty() {
        return Ok(());
    }
    let result = exchange
        .sandbox
        .send(&instructions, &[&maker.wallet.keypair]);
    if let Err(error) = result {
        diary.refusals.push(format!("requote: {error}"));
    }
    Ok(())
}

fn quotes(
    exchange: &Exchange,
    number: usize,
    (style, stress): (&MakerStyle, u64),
    maker: &TraderCookie,
) -> Result<Vec<PlaceOrderArgs>> {
    let venue = &exchange.venues[number];
    let sandbox = &exchange.sandbox;
    let market = sandbox.market(&venue.cookie);
    let per_tick = venue.units.atoms_per_lot_tick;
    let slot = sandbox.position(&venue.cookie, &maker.address);
    let (position, reserved) = match slot {
        Some(slot) => (
            slot.position()?.settle(market.funding.index)?,
            slot.order_margin,
        ),
        None => (Position::default(), 0),
    };
    let desk = Desk {
        risk: market.params(),
        atoms_per_lot_tick: per_tick,
        ticks: venue.quote.ticks,
        mark: Mark {
            average: None,
            ..market.mark_at(&venue.price()).map_err(engine)?
        },
        position,
        purse: u64::try_from(sandbox.trader(&maker.address).free)? + reserved,
        others: best_of_others(&sandbox.book(&venue.cookie), &maker.address, per_tick)?,
        least_order: market.least_order_atoms(),
        now: sandbox.time(),
    };
    desk.quotes(style, stress)
}
