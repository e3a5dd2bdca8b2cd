//! Cross margin as stored: the board with the marks of its markets, the cross queues, and the legs of a
//! trader account as the engine takes them.
//!
//! The board is a plain account: a discriminator, then [`CrossBoard`]. A cross queue is one too: a
//! discriminator, then the engine's queue.

use ballast_engine::{
    cross::{
        board::{Drifts, Report},
        Board, CrossDraws, CrossError, LegTerms, MOST_MARKETS, SLACK,
    },
    oracle::Mark,
    risk::RiskParams,
    units::Side,
};

use crate::{
    derives::*,
    error::{ensure, BallastError, Result},
    market::{Market, Touched},
    Pubkey,
};

mod block;
mod legs;
mod scene;

pub use block::{BlockDone, BlockOutcome, BlockParty};
pub use legs::{LegSlot, Legs, Present};
pub use scene::{LegBefore, Scene, Subject, Trouble};

/// First bytes of the board's account.
pub const BOARD_DISCRIMINATOR: [u8; 8] = [94, 148, 103, 44, 15, 117, 43, 111];
/// First bytes of an initialised cross queue.
pub const CROSS_QUEUE_DISCRIMINATOR: [u8; 8] = [65, 147, 84, 87, 226, 110, 83, 76];
/// Layout version written by this program.
pub const BOARD_VERSION: u32 = 1;
/// Most slots for which a mark of the board may serve for opening: about 40 seconds. Who takes collateral out
/// chooses among the prices of that time, and of the age that the market takes prices at before it; an admin
/// enables a market at once.
pub const MOST_AGE_SLOTS: u32 = 100;
/// Least tolerance of the ranking in a market with cross margin, basis points: twice what a fresh record may
/// flatter by.
pub const LEAST_TOLERANCE_BPS: u32 = 200;

/// What a market allows of legs, and where they stand. 80 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CrossMarket {
    /// Cross queue of the long legs. Written once.
    pub queue_long: Pubkey,
    /// Cross queue of the short legs. Written once.
    pub queue_short: Pubkey,
    /// Most lots that the legs of a side may hold together. Written once.
    pub most_lots: u64,
    /// The part of what insurance may pay in a window that legs may get, basis points; 10,000 is no cap.
    /// Written once.
    pub draw_cap_bps: u32,
    /// Zero.
    pub _padding: u32,
}

/// Arguments of `enable_cross`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnableCrossArgs {
    /// Most lots that the legs of a side may hold together.
    pub most_lots: u64,
    /// The part of what insurance may pay in a window that legs may get, basis points.
    pub draw_cap_bps: u32,
    /// Slots for which a mark serves for opening, 1..=[`MOST_AGE_SLOTS`].
    pub max_age_slots: u32,
}

/// The board of an exchange. PDA `["board"]`.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct CrossBoard {
    /// [`BOARD_VERSION`].
    pub version: u32,
    /// Zero.
    pub _padding: u32,
    /// What each market of the board allows, by its place.
    pub markets: [CrossMarket; MOST_MARKETS],
    /// Their marks and where these have been.
    pub board: Board,
}

const _: () = {
    assert!(core::mem::size_of::<CrossMarket>() == 80);
    assert!(core::mem::offset_of!(CrossBoard, markets) == 8);
    assert!(core::mem::offset_of!(CrossBoard, board) == 648);
    // What the runtime lets a program create.
    assert!(CrossBoard::SPACE <= 10_240);
};

impl CrossBoard {
    /// Bytes of the account, discriminator included.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Place of a market on the board.
    ///
    /// # Errors
    /// `CrossDisabled`.
    pub fn place(&self, market: &Market) -> Result<usize> {
        let place = usize::from(market.cross).checked_sub(1);
        place.ok_or(BallastError::CrossDisabled)
    }

    /// What the market at `place` allows.
    ///
    /// # Errors
    /// `CrossDisabled`.
    pub fn market(&self, place: usize) -> Result<&CrossMarket> {
        let market = self.markets.get(place);
        market.ok_or(BallastError::CrossDisabled)
    }

    /// Adds a market with its first mark; its place.
    ///
    /// # Errors
    /// `BoardFull`, `CrossLimits`.
    pub fn enable(
        &mut self,
        key: &Pubkey,
        queues: [Pubkey; 2],
        args: &EnableCrossArgs,
        report: &Report,
    ) -> Result<usize> {
        let sound = args.most_lots > 0
            && args.draw_cap_bps <= 10_000
            && (1..=MOST_AGE_SLOTS).contains(&args.max_age_slots);
        ensure(sound, BallastError::CrossLimits)?;
        let age = args.max_age_slots;
        let place = self.board.add(key.to_bytes(), 0, age, report)?;
        let [queue_long, queue_short] = queues;
        let market = self.markets.get_mut(place);
        *market.ok_or(BallastError::BoardFull)? = CrossMarket {
            queue_long,
            queue_short,
            most_lots: args.most_lots,
            draw_cap_bps: args.draw_cap_bps,
            _padding: 0,
        };
        Ok(place)
    }

    /// How far records can be off where `market` stands as `touched`.
    ///
    /// # Errors
    /// `CrossDisabled`, `BoardLayout`.
    pub fn drifts(&self, market: &Market, touched: &Touched) -> Result<Drifts> {
        let place = self.place(market)?;
        let rate = LegTerms::of(market.params()).maintenance_bps();
        let (mark, index) = (touched.mark.price, touched.funding_index);
        Ok(self.board.drifts(place, mark, index, rate, SLACK)?)
    }

    /// What insurance and held profit may pay of the deficit of a leg in `market`, atoms, where `draws` were
    /// paid lately.
    ///
    /// # Errors
    /// `CrossDisabled`, `Overflow`.
    pub fn cover(&self, market: &Market, draws: &CrossDraws, slot: u64) -> Result<u64> {
        let cap = self.market(self.place(market)?)?.draw_cap_bps;
        let (insurance, cover) = (market.insurance_fund(), market.deficit_cover(slot)?);
        Ok(draws.cover(cap, &insurance, market.params(), cover, slot)?)
    }
}

impl CrossMarket {
    /// The cross queue of `side`.
    #[must_use]
    pub const fn queue(&self, side: Side) -> Pubkey {
        match side {
            Side::Long => self.queue_long,
            Side::Short => self.queue_short,
        }
    }
}

/// What a market that stands as `touched` reports to the board in `slot`.
#[must_use]
pub fn report(market: &Market, touched: &Touched, slot: u64) -> Report {
    Report {
        terms: LegTerms::of(market.params()),
        mark: Mark {
            average: None,
            ..touched.mark
        },
        funding_index: touched.funding_index,
        publish_time: touched.price.publish_time,
        slot,
    }
}

/// `CrossTolerance` of a ranking with a tolerance below [`LEAST_TOLERANCE_BPS`].
fn require_tolerance(risk: &RiskParams) -> Result<()> {
    let tolerance = risk.adl.rank_tolerance_bps;
    ensure(
        tolerance >= LEAST_TOLERANCE_BPS,
        BallastError::CrossTolerance,
    )
}

impl Market {
    /// Fails unless cross margin may be enabled: it has not been, and the ranking has a tolerance of
    /// [`LEAST_TOLERANCE_BPS`].
    ///
    /// # Errors
    /// `CrossEnabledAlready`, `CrossTolerance`.
    pub fn require_cross_possible(&self) -> Result<()> {
        ensure(self.cross == 0, BallastError::CrossEnabledAlready)?;
        require_tolerance(&self.risk)
    }

    /// Fails where these risk parameters may not be in force: a market with cross margin keeps a tolerance of
    /// [`LEAST_TOLERANCE_BPS`].
    ///
    /// # Errors
    /// `CrossTolerance`.
    pub fn require_cross_tolerance(&self, risk: &RiskParams) -> Result<()> {
        match self.cross {
            0 => Ok(()),
            _ => require_tolerance(risk),
        }
    }

    /// Fails where legs are open: what they claim is not known before they have left.
    ///
    /// # Errors
    /// `CrossLegsOpen`.
    pub const fn require_no_legs(&self) -> Result<()> {
        ensure(self.cross_legs == 0, BallastError::CrossLegsOpen)
    }

    /// Fails where legs stand in the ranking, which the calls for isolated positions alone do not look at.
    ///
    /// # Errors
    /// `CrossRanked`.
    pub const fn require_isolated(&self) -> Result<()> {
        ensure(self.cross_legs == 0, BallastError::CrossRanked)
    }

    /// Counts legs that came or went.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn count_legs(&mut self, more: i16) -> Result<()> {
        let legs = self.cross_legs.checked_add_signed(more);
        self.cross_legs = legs.ok_or(BallastError::Overflow)?;
        Ok(())
    }
}

impl From<CrossError> for BallastError {
    fn from(error: CrossError) -> Self {
        match error {
            CrossError::Engine(error) => error.into(),
            CrossError::TooManyLegs => Self::CrossTooManyLegs,
            CrossError::NoLeg => Self::NoPosition,
            CrossError::BelowInitial | CrossError::LessHealthy => Self::CrossBelowInitial,
            CrossError::LegOrder => Self::CrossLegOrder,
            CrossError::MarkStale => Self::CrossMarkStale,
            CrossError::MarkFrozen => Self::CrossMarkFrozen,
            CrossError::MarkOlder => Self::PriceOlder,
            CrossError::RecordStale { .. } => Self::CrossRecordStale,
            CrossError::BoardFull => Self::BoardFull,
            CrossError::EntryUnknown => Self::CrossDisabled,
            CrossError::BoardLayout => Self::BoardLayout,
            CrossError::InterestLimit => Self::OpenInterestLimit,
        }
    }
}
