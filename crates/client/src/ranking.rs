//! The list of counterparties that `auto_deleverage` accepts.
//!
//! [`plan`] plays the whole round on copies of the accounts with the engine that
//! the program runs, so its list is in order, complete, and says beforehand who
//! loses how many lots at what price. [`ranking`] gives the whole queue in order,
//! for display.

use core::cmp::Ordering;

use ballast_engine::adl::{Bankruptcy, Cut, CutDone, Deleveraging, Summary};
use ballast_engine::position::Position;
use ballast_engine::proof::best_below;
use ballast_engine::queue::{QueueEntry, QueueRef};
use ballast_engine::rank::{score_q32, Class, ClosePrice, Exposure, Ranked, Round};
use ballast_engine::standing::light_of;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};
use ballast_engine::EngineError;
use ballast_state::market::Market;
use ballast_state::position_slot::PositionSlot;
use ballast_state::Pubkey;

use crate::funding;
use crate::moment::Moment;

pub use ballast_state::instructions::MAX_COUNTERPARTIES;

/// What a keeper wants closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Trader account of the bankrupt.
    pub bankrupt: Pubkey,
    /// Most counterparties to cut; [`MAX_COUNTERPARTIES`] is the limit in any case.
    pub max_counterparties: usize,
    /// Counterparties to list beyond the ones needed, so that the round still
    /// closes everything when one of them shrinks before the transaction lands. As
    /// far as [`MAX_COUNTERPARTIES`] allows.
    pub spares: usize,
}

/// One counterparty of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlannedCut {
    /// Trader account.
    pub trader: Pubkey,
    /// Node in the queue.
    pub node: u32,
    /// The position before the cut, funding paid.
    pub before: Position,
    /// What the program will do to it.
    pub cut: CutDone,
}

/// A round as the program will play it.
#[derive(Clone, Debug)]
pub struct AdlPlan {
    /// Trader account of the bankrupt.
    pub bankrupt: Pubkey,
    /// Trader accounts to list, in order; cuts first, then spares.
    pub counterparties: Vec<Pubkey>,
    /// The cuts, in order.
    pub cuts: Vec<PlannedCut>,
    /// What the ranking depends on.
    pub round: Round,
    /// The bankrupt position before insurance pays, funding paid.
    pub bankrupt_before: Position,
    /// The bankrupt position afterwards.
    pub bankrupt_after: Position,
    /// Whether the round opens a pass because everybody eligible is at the cap of the
    /// one before.
    pub reopens: bool,
    /// Sums over the cuts.
    pub summary: Summary,
}

/// A position of a queue as the ranking sees it.
#[derive(Clone, Copy, Debug)]
pub struct RankedEntry {
    /// Trader account.
    pub trader: Pubkey,
    /// Node in the queue.
    pub node: u32,
    /// Age in the queue: the smaller is the older.
    pub sequence: u64,
    /// The position, funding paid.
    pub position: Position,
    /// Winner, other, or never to be cut.
    pub class: Class,
    /// Score in units of 2^-32, rounded down.
    pub score_q32: i128,
    /// Lots that may be cut before the cap.
    pub cap_left: u64,
    /// Lots cut in the passes that count.
    pub already_cut: u64,
    /// Indicator: 5 in the first fifth, 1 in the last, 0 when it cannot be cut.
    pub light: u8,
}

/// The market's funding index at a moment, as every instruction accrues it.
pub fn funding_index_at(market: &Market, moment: &Moment) -> Result<FundingIndex, EngineError> {
    Ok(funding::state_at(market, moment)?.index)
}

/// Begins a round as the program would. `queue` is the one opposite to the bankrupt, `taker` the
/// price of the best order of somebody else that would take lots of the position. Gives the
/// bankrupt position, funding paid, and the round before anybody is cut.
///
/// Errors are the engine's: `NotBankrupt`, `InsuranceCanPay`, `BookCanAbsorb`, `NoPosition`, ...
pub fn begin(
    market: &Market,
    queue: &QueueRef<'_>,
    bankrupt: &PositionSlot,
    moment: &Moment,
    taker: Option<LotPrice>,
) -> Result<(Position, Deleveraging), EngineError> {
    let funding_index = funding_index_at(market, moment)?;
    let position = Position {
        lots: Lots::new(bankrupt.lots)?,
        entry_quote: Atoms::new(bankrupt.entry_quote),
        margin: Atoms::new(bankrupt.margin),
        funding_index: FundingIndex::new(bankrupt.funding_index),
    }
    .settle(funding_index)?;
    let risk = market.params();
    let distress = bankrupt.distress();
    let epoch = queue.header().pass_at(distress.pass_epoch, moment.slot)?;
    let round = Deleveraging::begin(&Bankruptcy {
        position,
        mark: moment.lot_price(market)?,
        funding_index,
        insurance_available: market.deficit_cover(moment.slot)?,
        past_grace: market.past_grace(&distress, moment.slot),
        taker,
        max_lots: position.size(),
        least_lots: risk.min_position_lots,
        params: &risk.adl,
        epoch,
        passes: epoch,
    })?;
    Ok((position, round))
}

/// Plays a round: begins it like the program would, then cuts the highest ranked
/// counterparty again and again. `queue` is the one opposite to the bankrupt. The book is not
/// asked; see [`begin`].
///
/// Errors are those of [`begin`], without `BookCanAbsorb`.
pub fn plan(
    market: &Market,
    queue: &QueueRef<'_>,
    bankrupt: &PositionSlot,
    moment: &Moment,
    request: &Request,
) -> Result<AdlPlan, EngineError> {
    let (position, mut round) = begin(market, queue, bankrupt, moment, None)?;
    let passes = queue.header().adl_epoch;
    let reopens = round.round().epoch == passes && round.pass_is_used_up(queue)?;
    if reopens {
        round.open_pass(passes.checked_add(1).ok_or(EngineError::Overflow)?)?;
    }
    let (counterparties, cuts) = walk(&mut round, queue, request)?;
    Ok(AdlPlan {
        bankrupt: request.bankrupt,
        counterparties,
        cuts,
        round: *round.round(),
        bankrupt_before: position,
        bankrupt_after: round.bankrupt_after()?,
        reopens,
        summary: round.finish()?,
    })
}

/// All positions of a queue, the first to be cut first.
pub fn ranking(queue: &QueueRef<'_>, round: &Round) -> Result<Vec<RankedEntry>, EngineError> {
    let mut entries = Vec::new();
    for step in queue.iter() {
        let (node, entry) = step?;
        let exposure = Exposure::of_entry(entry, round.side, round.funding_index);
        entries.push((node, *entry, Ranked::new(round, &exposure)?));
    }
    let mut failure = None;
    entries.sort_by(|(_, _, a), (_, _, b)| {
        b.compare(a).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let eligible = entries.iter().filter(|(_, _, ranked)| cuttable(ranked));
    let total = u32::try_from(eligible.count()).map_err(|_| EngineError::Overflow)?;
    (0_u32..)
        .zip(&entries)
        .map(|(rank, (node, entry, ranked))| {
            Ok(RankedEntry {
                trader: Pubkey::new_from_array(entry.trader),
                node: *node,
                sequence: entry.sequence,
                position: position_of(entry, round.side, round.funding_index)?,
                class: ranked.class,
                score_q32: score_q32(round, &ranked.exposure)?,
                cap_left: round.cap_left(u64::from(entry.lots), entry.stamp())?,
                already_cut: round.lots_cut(entry.stamp()),
                light: light_of(ranked.class, rank, total),
            })
        })
        .collect()
}

/// A round to rank `side` by when nobody is bankrupt: everything closes at the
/// mark and no earlier cut counts.
pub fn display_round(
    market: &Market,
    side: Side,
    epoch: u32,
    moment: &Moment,
) -> Result<Round, EngineError> {
    let mark = moment.lot_price(market)?;
    let adl = &market.params().adl;
    Ok(Round {
        side,
        mark,
        close: ClosePrice {
            quote: i64::try_from(mark.get()).map_err(|_| EngineError::Overflow)?,
            lots: 1,
        },
        funding_index: funding_index_at(market, moment)?,
        min_profit_bps: adl.min_profit_bps,
        rank_tolerance_bps: adl.rank_tolerance_bps,
        max_close_bps: adl.max_close_bps,
        least_lots: u32::try_from(market.params().min_position_lots)
            .map_err(|_| EngineError::SizeOutOfRange)?,
        epoch,
    })
}

/// The position behind a queue node, funding paid up to `funding_index`.
pub fn position_of(
    entry: &QueueEntry,
    side: Side,
    funding_index: FundingIndex,
) -> Result<Position, EngineError> {
    let exposure = Exposure::of_entry(entry, side, funding_index);
    let quote = i128::from(exposure.entry);
    let (signed_quote, margin) = match side {
        Side::Long => (quote, quote - exposure.bankruptcy),
        Side::Short => (-quote, exposure.bankruptcy - quote),
    };
    let atoms = |number| i64::try_from(number).map_err(|_| EngineError::Overflow);
    Ok(Position {
        lots: Lots::on_side(side, exposure.lots)?,
        entry_quote: Atoms::new(atoms(signed_quote)?),
        margin: Atoms::new(atoms(margin)?),
        funding_index,
    })
}

fn walk(
    round: &mut Deleveraging,
    queue: &QueueRef<'_>,
    request: &Request,
) -> Result<(Vec<Pubkey>, Vec<PlannedCut>), EngineError> {
    let (mut listed, mut cuts) = (Vec::new(), Vec::new());
    let mut spares = request.spares;
    let mut after = None;
    loop {
        // Who is next is not looked for where nobody more is listed.
        let closed = round.remaining_lots() == 0;
        let full = listed.len() == MAX_COUNTERPARTIES;
        if full || (closed && spares == 0) || (!closed && cuts.len() == request.max_counterparties)
        {
            break;
        }
        let Some(node) = best_below(queue, round.round(), after.as_ref())? else {
            break;
        };
        let entry = queue.entry(node)?;
        let trader = Pubkey::new_from_array(entry.trader);
        let ranking = *round.round();
        after = Some(Exposure::of_entry(
            entry,
            ranking.side,
            ranking.funding_index,
        ));
        if round.remaining_lots() > 0 {
            let before = position_of(entry, ranking.side, ranking.funding_index)?;
            match round.cut(&before, entry.sequence, entry.stamp())? {
                Cut::Done(cut) => cuts.push(PlannedCut {
                    trader,
                    node,
                    before,
                    cut,
                }),
                Cut::Skipped(_) => continue,
            }
        } else {
            spares = spares.saturating_sub(1);
        }
        listed.push(trader);
    }
    Ok((listed, cuts))
}

fn cuttable(ranked: &Ranked) -> bool {
    ranked.class > Class::Ineligible
}
