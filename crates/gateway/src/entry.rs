//! What history keeps of an event: one line for each thing it says, with the figures that are asked for.

use ballast_state::Pubkey;
use strum::{EnumString, IntoStaticStr, VariantNames};

/// What a line is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Lots that two traders exchanged.
    Fill,
    /// An order placed, cancelled or removed.
    Order,
    /// A forced reduction of a position below maintenance.
    Liquidation,
    /// A round of deleveraging: what it did to the bankrupt.
    Deleveraging,
    /// What a round of deleveraging did to a counterparty.
    Cut,
    /// Funding of a market.
    Funding,
    /// Collateral in or out, margin moved, profit held or released, positions settled.
    Transfer,
    /// A parameter, an authority, a pause or a mode changed, or is to.
    Parameter,
    /// A change of a market's insurance.
    Insurance,
    /// A trigger or protective steps set, cleared or closed.
    Trigger,
    /// A pool, or shares of a fund.
    Fund,
    /// Anything else.
    Other,
}

impl Kind {
    /// Its name in the database and in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A line. Which figures it has depends on its kind; see docs/GATEWAY.md.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Number of the event among those of its transaction.
    pub idx: u32,
    /// Number of the line among those of its event.
    pub sub: u32,
    /// What it is about; see [`Kind::name`].
    pub kind: &'static str,
    /// Name of the event.
    pub event: &'static str,
    /// The market.
    pub market: Option<Pubkey>,
    /// The trader account it is about.
    pub trader: Option<Pubkey>,
    /// The other one: a maker, a liquidator, a bankrupt.
    pub other: Option<Pubkey>,
    /// `buy` or `sell`, as of `trader`.
    pub side: Option<&'static str>,
    /// Lots.
    pub lots: Option<u64>,
    /// Price, ticks.
    pub price_ticks: Option<u64>,
    /// What the lots were paid, atoms.
    pub quote_atoms: Option<u64>,
    /// Fee of `trader`; negative a rebate.
    pub fee_atoms: Option<i64>,
    /// Fee of `other`.
    pub other_fee_atoms: Option<i64>,
    /// What moved; see the kind.
    pub amount_atoms: Option<i64>,
    /// Before: lots of the position, or a ledger, or an index.
    pub before: Option<i64>,
    /// After.
    pub after: Option<i64>,
    /// Oracle price, ticks.
    pub mark_ticks: Option<u64>,
    /// Id of an order, of a bankruptcy, of a staged change.
    pub number: Option<String>,
    /// A word more.
    pub detail: Option<&'static str>,
}

/// What history adds up, event by event, so that what is missing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Lots of a trader account's position in the market, signed.
    Position(Pubkey),
    /// Atoms of the market's insurance.
    Insurance,
    /// The part of fees that insurance gets, basis points.
    FeeShare,
    /// The market's funding index, atoms per lot.
    Funding,
    /// Atoms that a market which has ended has beside the positions that are paid in full: insurance, held profit and,
    /// where deficits were written off, what covers the claims once they are counted.
    Settlement,
    /// Number of the market's mode.
    Mode,
}

impl Sum {
    /// Its name in the database and in `/health`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Position(_) => POSITION,
            Self::Insurance => INSURANCE,
            Self::FeeShare => FEE_SHARE,
            Self::Funding => "funding_index",
            Self::Settlement => SETTLEMENT,
            Self::Mode => MODE,
        }
    }

    /// Whose it is; nobody's where the market has it.
    #[must_use]
    pub const fn trader(&self) -> Option<&Pubkey> {
        match self {
            Self::Position(trader) => Some(trader),
            Self::Insurance | Self::FeeShare | Self::Funding | Self::Settlement | Self::Mode => {
                None
            }
        }
    }
}

/// The name of [`Sum::Position`].
pub const POSITION: &str = "position";
/// The name of [`Sum::Insurance`].
pub const INSURANCE: &str = "insurance_atoms";
/// The name of [`Sum::Settlement`].
pub const SETTLEMENT: &str = "settlement_atoms";
/// The name of [`Sum::Mode`].
pub const MODE: &str = "mode";
/// The name of [`Sum::FeeShare`].
pub const FEE_SHARE: &str = "insurance_fee_share_bps";

/// A change of a sum, as far as its event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of the event among those of its transaction.
    pub idx: u32,
    /// Number of the change among those of its event.
    pub sub: u32,
    /// The market.
    pub market: Pubkey,
    /// Of what.
    pub of: Sum,
    /// How.
    pub moved: Moved,
}

/// How a sum changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// From so much to so much.
    FromTo(i64, i64),
    /// To so much.
    To(i64),
    /// By so much.
    By(i64),
    /// By the part that insurance gets of so many atoms of fees.
    Fees(i64),
    /// No event says.
    Unknown,
}
