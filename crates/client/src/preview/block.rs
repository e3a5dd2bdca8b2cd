//! What a block trade would do of whom one or both trade a leg.

use ballast_engine::cross::Values;
use ballast_engine::oracle::{Now, OraclePrice};
use ballast_engine::trade::{self, PartyInput, TradeTerms};
use ballast_engine::units::{Lots, Ticks};
use ballast_state::cross::{BlockDone, BlockOutcome, BlockParty, CrossBoard, LegBefore};
use ballast_state::error::BallastError;
use ballast_state::instructions::BlockTradeCrossArgs;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;

use crate::cross::{LegWritten, Site};

/// Everything that such a trade meets.
#[derive(Clone, Debug)]
pub struct BlockScene<'a> {
    /// Where the market is.
    pub key: Pubkey,
    /// The market.
    pub market: &'a Market,
    /// Its price.
    pub price: OraclePrice,
    /// Slot and time.
    pub now: Now,
    /// The board.
    pub board: &'a CrossBoard,
    /// The taker's account.
    pub taker: &'a Trader,
    /// The maker's account.
    pub maker: &'a Trader,
}

/// What it would do.
#[derive(Clone, Debug)]
pub struct BlockPreview {
    /// Both parties, and what the market gets.
    pub done: BlockDone,
    /// The taker's account, where it trades a leg.
    pub taker: Option<LegStands>,
    /// The maker's.
    pub maker: Option<LegStands>,
}

/// The account of a leg after the trade.
#[derive(Clone, Debug)]
pub struct LegStands {
    /// What it is worth and needs.
    pub values: Values,
    /// The account, for the records that have to be renewed.
    pub written: LegWritten,
}

/// A party before the trade, its slot claimed.
struct Party<'a> {
    trader: Trader,
    stands: Stands<'a>,
}

enum Stands<'a> {
    Isolated(PartyInput),
    Leg(Box<LegBefore<'a>>),
}

impl<'a> Party<'a> {
    fn of(
        site: &'a Site<'_>,
        trader: &Trader,
        leg: bool,
        margin_to_add: u64,
    ) -> Result<Self, BallastError> {
        let mut trader = *trader;
        if leg || trader.find_cross(&site.key).is_some() {
            let before = site.scene().leg_before(&mut trader)?;
            return Ok(Self {
                trader,
                stands: Stands::Leg(before),
            });
        }
        let free = trader.free();
        let position = site.market.settled(trader.slot_or_claim(&site.key)?)?;
        Ok(Self {
            trader,
            stands: Stands::Isolated(PartyInput {
                position,
                free,
                margin_to_add,
            }),
        })
    }

    const fn party(&self) -> BlockParty<'_> {
        match &self.stands {
            Stands::Isolated(input) => BlockParty::Isolated(*input),
            Stands::Leg(leg) => BlockParty::Leg(&leg.legs, leg.place),
        }
    }

    /// How the account stands after the trade, where it trades a leg.
    fn after(
        &self,
        site: &Site<'_>,
        outcome: &BlockOutcome,
    ) -> Result<Option<LegStands>, BallastError> {
        let (Stands::Leg(leg), BlockOutcome::Leg(trade, _)) = (&self.stands, outcome) else {
            return Ok(None);
        };
        let scene = site.scene();
        let written = LegWritten::of(&self.trader, leg.index, &trade.position, trade.pool)?;
        let values = scene.check_traded(&written.trader, written.index, &leg.values, trade)?;
        Ok(Some(LegStands { values, written }))
    }
}

/// Plays a block trade.
///
/// # Errors
/// What the program would answer, but for what is not in these accounts: a pause, a wrong signer, a queue that is
/// full or not listed, the lots that all legs of a side may hold, and profit that the market lacks.
pub fn block(
    scene: &BlockScene<'_>,
    args: &BlockTradeCrossArgs,
) -> Result<BlockPreview, BallastError> {
    let terms = TradeTerms {
        lots: Lots::new(args.trade.lots)?,
        price: Ticks::new(args.trade.price_ticks),
    };
    let mut market = *scene.market;
    let before = [
        scene.taker.held_in(&scene.key)?,
        scene.maker.held_in(&scene.key)?,
    ];
    let action = trade::action(&before[0], &before[1], terms.lots);
    let touched = market.touch(scene.price, action, scene.now, 0)?;
    let site = Site::new(scene.key, &market, touched, scene.board, scene.now.slot);
    let (leg, margin) = (args.taker_leg, args.trade.taker_margin);
    let taker = Party::of(&site, scene.taker, leg, margin)?;
    let (leg, margin) = (args.maker_leg, args.trade.maker_margin);
    let maker = Party::of(&site, scene.maker, leg, margin)?;
    let parties = (&taker.party(), &maker.party());
    let moment = (scene.now, 0);
    let done = site.scene().block_trade(&market, &terms, parties, moment)?;
    Ok(BlockPreview {
        taker: taker.after(&site, &done.taker)?,
        maker: maker.after(&site, &done.maker)?,
        done: *done,
    })
}
