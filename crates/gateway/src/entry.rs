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

/// A change of a position, as far as its event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number of the event among those of its transaction.
    pub idx: u32,
    /// Number of the change among those of its event.
    pub sub: u32,
    /// The market.
    pub market: Pubkey,
    /// The trader account.
    pub trader: Pubkey,
    /// How.
    pub lots: Moved,
}

/// How a position changed, signed lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// From so many to so many.
    FromTo(i64, i64),
    /// To so many.
    To(i64),
    /// By so many.
    By(i64),
}
