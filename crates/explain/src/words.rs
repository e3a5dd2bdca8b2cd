//! A decided round in plain words.

use ballast_client::amount::{grouped_decimal, truncated_decimal, Unit};
use ballast_engine::cross::cut::Bearing;
use ballast_engine::rank::{Class, INFINITE_SCORE};
use ballast_engine::units::Side;
use ballast_report::figures::{price, short, usd};
use ballast_report::table::Table;

use crate::decision::{Decision, Done, Fate, Place};
use crate::situation::{Situation, Units};

/// Traders of one fate that are shown.
const SHOWN: usize = 3;

/// A round and the units to tell it in.
pub struct Voice<'a> {
    /// What was decided from.
    pub situation: &'a Situation,
    /// What was decided.
    pub decision: &'a Decision,
    /// Units of amounts.
    pub units: &'a Units,
}

impl Voice<'_> {
    /// The whole explanation, without a verdict.
    pub fn explain(&self) -> String {
        [
            format!("The bankruptcy\n{}", self.bankruptcy()),
            self.close_price(),
            self.threshold(),
            format!("Who was cut, and why\n{}", self.ranks("rank")),
            format!("What it cost them\n{}", self.transfers()),
            format!("Why nobody was skipped\n{}", self.spared()),
        ]
        .join("\n\n")
    }

    fn bankruptcy(&self) -> String {
        let summary = &self.decision.summary;
        let insurance = amount(self.situation.insurance_available);
        let paid = match summary.insurance_paid {
            0 => format!("Insurance held {insurance} and paid nothing."),
            paid if paid == summary.deficit => format!(
                "Insurance held {insurance} and paid\n  all of it, so this call had to wait until the grace period was over."
            ),
            paid => format!("Insurance held {insurance} and paid\n  {} of it.", amount(paid)),
        };
        format!("{} {paid}", self.deficit())
    }

    /// What the bankrupt held, and what it lacked.
    pub fn deficit(&self) -> String {
        let (position, summary) = (&self.situation.position, &self.decision.summary);
        let lots = position.size();
        format!(
            "  {} was {} {}, entered at {}, with {} of margin.\n  At the mark of {} its equity was -{}: that is the deficit.",
            short(&self.situation.bankrupt),
            position.side().map_or("empty", Side::name),
            self.size(lots),
            self.per_lot(i128::from(position.entry_quote.get().abs()), lots),
            usd(position.margin.get()),
            self.per_lot(i128::from(self.situation.mark.get()), 1),
            amount(summary.deficit),
        )
    }

    /// The close price, and what the closed lots came to.
    pub fn close_price(&self) -> String {
        let position = &self.situation.position;
        let (close, summary) = (&self.decision.round.close, &self.decision.summary);
        let sign = i128::from(position.lots.get().signum());
        let entry = i128::from(position.entry_quote.get());
        let bare = (entry - i128::from(position.margin.get())) * sign;
        let bare = self.per_lot(bare, position.size());
        let why = match summary.insured {
            0 => "That is the bankruptcy price: it leaves the bankrupt with exactly nothing.".to_owned(),
            paid => format!(
                "The bankruptcy price {bare} moved towards the mark by what insurance paid, {} for each\n  unit: it leaves the bankrupt with exactly nothing.",
                self.per_lot(i128::from(paid), close.lots)
            ),
        };
        format!(
            "The close price: {}\n  {why} Exactly {} for {}.\n  {} of {} were closed at it. Their part of the deficit after insurance is {}; the\n  counterparties gave up {} against the mark: overshoot {}.",
            self.per_lot(i128::from(close.quote), close.lots),
            exactly(close.quote.into()),
            self.size(close.lots),
            self.size(summary.lots),
            self.size(position.size()),
            amount(summary.uncovered_closed),
            amount(summary.gave_up),
            exactly(i128::from(summary.gave_up) - i128::from(summary.uncovered_closed)),
        )
    }

    fn threshold(&self) -> String {
        let decision = self.decision;
        let Some(last) = self.last() else {
            return "The threshold\n  Nobody was cut.".to_owned();
        };
        let tolerance = match decision.round.rank_tolerance_bps {
            0 => "The tolerance is 0: nobody who ranks above the last one may be spared.".to_owned(),
            bps => format!(
                "The tolerance is {}: nobody may be spared who scores more than that above the last one.",
                percent(i128::from(bps))
            ),
        };
        let mut text = format!(
            "The threshold: score {}\n  That is the score of the last one cut, {}, rank {} of {}.\n  {tolerance}",
            score(last.score_q32),
            short(&last.trader),
            last.rank,
            decision.ranking.len(),
        );
        if decision.reopened {
            text.push_str(&format!(
                "\n  Everybody eligible stood at the cap of the pass before, so this round opened pass {}.",
                decision.round.epoch
            ));
        }
        text
    }

    /// Those who were cut, with their scores. `place` heads the column of their ranks.
    pub fn ranks(&self, place: &str) -> String {
        let place = format!(">{place}");
        let mut table = Table::new(&[
            place.as_str(),
            "trader",
            ">score",
            ">profit",
            ">leverage",
            ">entry e",
            ">bankruptcy b",
            ">size",
            ">cut",
            "why so much",
        ]);
        for done in &self.decision.cuts {
            let Some(place) = self.place(&done.trader) else {
                continue;
            };
            table.row([
                place.rank.to_string(),
                short(&done.trader),
                score(place.score_q32),
                self.profit(place),
                self.leverage(place),
                self.entry(place),
                self.bankruptcy_price(place),
                self.size(place.candidate.position.size()),
                self.size(done.cut.lots),
                self.why(place, done),
            ]);
        }
        format!(
            "{}\n  score = profit % x effective leverage at the mark p; leverage = p / |p - b|",
            table.render()
        )
    }

    /// What the cuts cost and paid.
    pub fn transfers(&self) -> String {
        let mut table = Table::new(&[
            "trader",
            ">cut",
            ">gave up against the mark",
            ">realized",
            ">margin released",
            ">to free collateral",
        ]);
        for done in &self.decision.cuts {
            let cut = &done.cut;
            table.row([
                short(&done.trader),
                self.size(cut.lots),
                amount(cut.gave_up),
                usd(cut.realized.get()),
                usd(cut.payout.get() - cut.realized.get()),
                match self
                    .place(&done.trader)
                    .and_then(|place| place.candidate.leg)
                {
                    Some(_) => format!("{} to the pool", usd(cut.payout.get())),
                    None => usd(cut.payout.get()),
                },
            ]);
        }
        table.render()
    }

    /// With what a leg stands in the ranking; nothing of an isolated position.
    pub fn stands_for(&self, place: &Place) -> String {
        let Some(leg) = place.candidate.leg else {
            return String::new();
        };
        format!(
            " It is a leg: all of its account's equity stands behind it, {},\n  of which {} was needed.",
            usd(leg.equity.get()),
            amount(leg.requirement)
        )
    }

    /// Why a cut took as many lots as it did.
    pub fn why(&self, place: &Place, done: &Done) -> String {
        let held = place.candidate.position.size();
        let cap = percent(i128::from(self.decision.round.max_close_bps));
        if let (true, Some(leg)) = (done.shortened, place.candidate.leg) {
            return format!(
                "the account could bear no more: {} held, {} needed",
                usd(leg.equity.get()),
                match self.situation.bearing {
                    Bearing::Maintenance => amount(leg.requirement),
                    Bearing::Equity => "nothing".to_owned(),
                }
            );
        }
        // At the cap it takes no more, whatever is left of the round.
        if done.cut.lots == done.wanted && done.cut.lots < place.cap_left {
            return "all that was left to close".to_owned();
        }
        match place.already_cut {
            _ if done.cut.lots == held => "the whole position".to_owned(),
            0 => format!("cap of {cap}"),
            before => format!(
                "cap of {cap} of {}, {} cut before",
                self.size(held.saturating_add(before)),
                self.size(before)
            ),
        }
    }

    fn spared(&self) -> String {
        let cap = percent(i128::from(self.decision.round.max_close_bps));
        let groups = [
            (
                Fate::AtCap,
                format!("stand at the cap of {cap}: this pass has cut them before"),
            ),
            (
                Fate::Tolerated,
                "score more than the last one cut, but within the tolerance".to_owned(),
            ),
            (Fate::Below, "rank below the last one cut".to_owned()),
            (
                Fate::Insolvent,
                "would be insolvent at the close price: never cut".to_owned(),
            ),
            (Fate::Skipped, "WERE SKIPPED".to_owned()),
        ];
        let ranking = &self.decision.ranking;
        let mut lines = vec![format!(
            "  {} {} positions stood in the queue. Cut: {}. Of the others",
            ranking.len(),
            self.decision.round.side.name(),
            self.decision.cuts.len()
        )];
        for (fate, what) in groups {
            let places: Vec<&Place> = ranking.iter().filter(|place| place.fate == fate).collect();
            if !places.is_empty() || [Fate::AtCap, Fate::Below, Fate::Insolvent].contains(&fate) {
                lines.push(format!("  {:>5} {what}{}", places.len(), first(&places)));
            }
        }
        let proof = &self.decision.proof;
        lines.push(format!(
            "  The program's proof, run again over this queue, visits {} nodes and finds {}.",
            proof.visited,
            if proof.found {
                "SOMEBODY WHO WAS SKIPPED"
            } else {
                "nobody who was skipped"
            }
        ));
        lines.join("\n")
    }

    /// One counterparty's part in the round.
    pub fn explain_trader(&self, place: &Place) -> String {
        let head = format!(
            "{}\n  {} {} entered at {}, bankrupt at {}. Profit {} times leverage {} gives score {}:\n  rank {} of {}{}.",
            place.trader,
            place.candidate.position.side().map_or("empty", Side::name),
            self.size(place.candidate.position.size()),
            self.entry(place),
            self.bankruptcy_price(place),
            self.profit(place),
            self.leverage(place),
            score(place.score_q32),
            place.rank,
            self.decision.ranking.len(),
            class_note(place),
        );
        let last = self.last().map_or(String::new(), |last| {
            format!("rank {} with score {}", last.rank, score(last.score_q32))
        });
        let done = self.done(&place.trader);
        let why = match (place.fate, done) {
            (Fate::Cut(lots), Some(done)) => format!(
                "It was cut by {} ({}): the cuts reached down to {last}.\n  It gave up {} against the mark, realized {} and got {} of margin back.",
                self.size(lots),
                self.why(place, done),
                amount(done.cut.gave_up),
                usd(done.cut.realized.get()),
                usd(done.cut.payout.get() - done.cut.realized.get())
            ),
            (Fate::Cut(_), None) | (Fate::Skipped, _) => {
                format!("It WAS SKIPPED: it ranks above the last one cut, {last}.")
            }
            (Fate::AtCap, _) => format!(
                "It was not cut: this pass had cut {} of it before, its cap.",
                self.size(place.already_cut)
            ),
            (Fate::Insolvent, _) => {
                "It was not cut: at the close price it would have less than nothing.".to_owned()
            }
            (Fate::Below, _) => format!(
                "It was not cut: the lots were closed against higher ranks, down to {last}."
            ),
            (Fate::Tolerated, _) => format!(
                "It was not cut: it is above {last}, but by no more than the tolerance."
            ),
        };
        format!("{head}\n  {why}")
    }

    fn place(&self, trader: &str) -> Option<&Place> {
        let mut ranking = self.decision.ranking.iter();
        ranking.find(|place| place.trader == trader)
    }

    fn done(&self, trader: &str) -> Option<&Done> {
        self.decision.cuts.iter().find(|done| done.trader == trader)
    }

    /// The last one cut.
    pub fn last(&self) -> Option<&Place> {
        let last = self.decision.cuts.last();
        last.and_then(|done| self.place(&done.trader))
    }

    /// Atoms for lots as a price of one unit of the base asset, to a hundredth of a tick.
    fn per_lot(&self, atoms: i128, lots: u64) -> String {
        let ticks = i128::from(lots.max(1)) * i128::from(self.units.atoms_per_lot_tick.max(1));
        let hundredths = u64::try_from(atoms.abs() * 100 / ticks).unwrap_or(u64::MAX);
        let sign = if atoms < 0 { "-" } else { "" };
        let tick = self.units.tick_nano;
        if hundredths.is_multiple_of(100) || !tick.is_multiple_of(100) {
            return format!("{sign}{}", price(hundredths / 100, tick));
        }
        format!("{sign}{}", price(hundredths, tick / 100))
    }

    /// Lots as a size in the base asset.
    pub fn size(&self, lots: u64) -> String {
        Unit::nano(self.units.lot_nano).show(lots, 0)
    }

    fn entry(&self, place: &Place) -> String {
        let exposure = &place.ranked.exposure;
        self.per_lot(i128::from(exposure.entry), exposure.lots)
    }

    fn bankruptcy_price(&self, place: &Place) -> String {
        let exposure = &place.ranked.exposure;
        self.per_lot(exposure.bankruptcy, exposure.lots)
    }

    /// Unrealised profit at the mark, as a part of the entry.
    fn profit(&self, place: &Place) -> String {
        let position = &place.candidate.position;
        let gain = position.pnl(self.situation.mark).map_or(0, |pnl| pnl.get());
        percent(i128::from(gain) * 10_000 / i128::from(place.ranked.exposure.entry.max(1)))
    }

    /// Worth over equity, both at the mark.
    fn leverage(&self, place: &Place) -> String {
        let position = &place.candidate.position;
        let mark = self.situation.mark;
        let equity = position.equity(mark).map_or(0, |equity| equity.get());
        if equity <= 0 {
            return "no equity".to_owned();
        }
        let worth = i128::from(position.notional(mark).unwrap_or(0));
        let hundredths = worth * 100 / i128::from(equity);
        format!("{}x", truncated_decimal(hundredths, 2, 2))
    }
}

/// The first of a group, each on a line.
fn first(places: &[&Place]) -> String {
    if places.is_empty() {
        return String::new();
    }
    let shown = places.iter().take(SHOWN).map(|place| {
        format!(
            "\n          rank {:>4}  {}  score {}{}",
            place.rank,
            short(&place.trader),
            score(place.score_q32),
            class_note(place)
        )
    });
    let mut text: String = std::iter::once(":".to_owned()).chain(shown).collect();
    if places.len() > SHOWN {
        text.push_str(&format!("\n          and {} more", places.len() - SHOWN));
    }
    text
}

fn class_note(place: &Place) -> &'static str {
    match place.ranked.class {
        Class::Winner | Class::Ineligible => "",
        Class::Other => ", no winner at the close price: after every winner",
    }
}

/// A score with six decimals, the nearest.
pub fn score(q32: i128) -> String {
    if q32 == INFINITE_SCORE {
        return "infinite".to_owned();
    }
    let halves = q32.unsigned_abs().saturating_mul(1_000_000) >> 31;
    let scaled = halves.div_ceil(2);
    let nearest = i128::try_from(scaled).unwrap_or(i128::MAX);
    truncated_decimal(if q32 < 0 { -nearest } else { nearest }, 6, 6)
}

/// Basis points as per cent.
pub fn percent(bps: i128) -> String {
    let places = if bps % 100 == 0 { 0 } else { 2 };
    format!("{} %", truncated_decimal(bps, 2, places))
}

/// Atoms as dollars, to the last of them.
fn exactly(atoms: i128) -> String {
    let sign = if atoms < 0 { "-" } else { "" };
    let size = i128::try_from(atoms.unsigned_abs()).unwrap_or(i128::MAX);
    format!("{sign}${}", grouped_decimal(size, 6, 2))
}

/// Atoms as dollars.
pub fn amount(atoms: u64) -> String {
    usd(i64::try_from(atoms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
