//! A decided round in plain words.

use ballast_engine::rank::{Class, INFINITE_SCORE};
use ballast_engine::units::Side;

use super::decision::{Decision, Fate, Place};
use super::from_report::side_name;
use super::situation::{Situation, Units};
use crate::report::money::{grouped, price, short, usd};
use crate::report::table::Table;

/// Traders of one fate that are shown.
const SHOWN: usize = 5;

/// The whole explanation, without a verdict.
pub fn explain(situation: &Situation, decision: &Decision, units: &Units) -> String {
    let voice = Voice {
        situation,
        decision,
        units,
    };
    [
        voice.bankruptcy(),
        voice.close_price(),
        voice.threshold(),
        format!("Who was cut, and why\n{}", voice.cuts()),
        format!("Why nobody was skipped\n{}", voice.spared()),
    ]
    .join("\n\n")
}

/// One trader's part in the round.
pub fn explain_trader(
    situation: &Situation,
    decision: &Decision,
    units: &Units,
    place: &Place,
) -> String {
    let voice = Voice {
        situation,
        decision,
        units,
    };
    voice.trader(place)
}

struct Voice<'a> {
    situation: &'a Situation,
    decision: &'a Decision,
    units: &'a Units,
}

impl Voice<'_> {
    fn bankruptcy(&self) -> String {
        let (position, summary) = (&self.situation.position, &self.decision.summary);
        let side = position.side().map_or("empty", side_name);
        let lots = position.size();
        let mut text = format!(
            "The bankruptcy\n  {} was {side} {} lots, entered at {}, with {} of margin. At the mark of {}\n  its equity was -{}: that is the deficit.",
            short(&self.situation.bankrupt),
            grouped(lots),
            self.per_lot(i128::from(position.entry_quote.get().abs()), lots),
            usd(position.margin.get()),
            self.per_lot(i128::from(self.situation.mark.get()), 1),
            amount(summary.deficit),
        );
        text.push_str(&match summary.insurance_paid {
            0 => format!(
                " Insurance held {} and paid nothing.",
                amount(self.situation.insurance_available)
            ),
            paid => format!(
                " Insurance held {} and paid {} of it.",
                amount(self.situation.insurance_available),
                amount(paid)
            ),
        });
        text
    }

    fn close_price(&self) -> String {
        let (position, decision) = (&self.situation.position, self.decision);
        let (close, summary) = (&decision.round.close, &decision.summary);
        let sign = i128::from(position.lots.get().signum());
        let bare =
            (i128::from(position.entry_quote.get()) - i128::from(position.margin.get())) * sign;
        let moved = match summary.insurance_paid {
            0 => String::new(),
            paid => format!(
                " moved by\n  {} a lot towards the mark by what insurance paid,",
                self.per_lot(i128::from(paid), close.lots)
            ),
        };
        format!(
            "The close price: {} ({} atoms for {} lots, exactly)\n  The bankruptcy price {},{moved} leaves the bankrupt with exactly nothing.\n  {} of {} lots were closed; their part of the deficit after insurance is {}, and the\n  counterparties gave up {} against the mark: overshoot {} atoms.",
            self.per_lot(i128::from(close.quote), close.lots),
            close.quote,
            grouped(close.lots),
            self.per_lot(bare, position.size()),
            grouped(summary.lots),
            grouped(position.size()),
            amount(summary.uncovered_closed),
            amount(summary.gave_up),
            i128::from(summary.gave_up) - i128::from(summary.uncovered_closed),
        )
    }

    fn threshold(&self) -> String {
        let decision = self.decision;
        let last = decision.cuts.last();
        let last = last.and_then(|done| self.place(&done.trader));
        let Some(last) = last else {
            return "The threshold\n  Nobody was cut.".to_owned();
        };
        let tolerance = match decision.round.rank_tolerance_bps {
            0 => "The tolerance is 0: nobody who ranks above may be spared.".to_owned(),
            bps => format!(
                "The tolerance is {}: a winner may be spared while it scores no more than that above.",
                percent(i128::from(bps))
            ),
        };
        let pass = if decision.reopened {
            format!(
                "\n  Everybody eligible was at the cap, so this round opened pass {}.",
                decision.round.epoch
            )
        } else {
            String::new()
        };
        format!(
            "The threshold: score {}\n  Score is profit % x effective leverage at the mark. The last one cut, {}, ranks {} of {}.\n  {tolerance}{pass}",
            score(last.score_q32),
            short(&last.trader),
            last.rank,
            decision.ranking.len(),
        )
    }

    fn cuts(&self) -> String {
        let mut table = Table::new(&[
            ">rank",
            "trader",
            ">score",
            ">entry e",
            ">bankruptcy b",
            ">leverage",
            ">profit",
            ">lots cut",
            "why so many",
            ">gave up",
            ">realized",
            ">margin released",
            ">to free collateral",
        ]);
        for done in &self.decision.cuts {
            let Some(place) = self.place(&done.trader) else {
                continue;
            };
            let cut = &done.cut;
            table.row([
                place.rank.to_string(),
                short(&done.trader),
                score(place.score_q32),
                self.entry(place),
                self.bankruptcy_price(place),
                self.leverage(place),
                self.profit(place),
                grouped(cut.lots),
                self.why(place, cut.lots, done.wanted),
                amount(cut.gave_up),
                usd(cut.realized.get()),
                usd(cut.payout.get() - cut.realized.get()),
                usd(cut.payout.get()),
            ]);
        }
        table.render()
    }

    /// Why a cut took as many lots as it did.
    fn why(&self, place: &Place, lots: u64, wanted: u64) -> String {
        let held = place.candidate.position.size();
        if lots == wanted {
            return format!("all that was left to close, of {}", grouped(held));
        }
        if lots == held {
            return "the whole position".to_owned();
        }
        let cap = percent(i128::from(self.decision.round.max_close_bps));
        match place.already_cut {
            0 => format!("the cap: {cap} of {}", grouped(held)),
            before => format!(
                "the cap: {cap} of {}, {} cut before",
                grouped(held.saturating_add(before)),
                grouped(before)
            ),
        }
    }

    fn spared(&self) -> String {
        let side = side_name(self.decision.round.side);
        let mut lines = vec![format!(
            "  {} {side} positions stood in the queue:",
            grouped(count(self.decision.ranking.len()))
        )];
        let cut = self.with(|fate| matches!(fate, Fate::Cut(_)));
        lines.push(format!("  {} were cut.", cut.len()));
        let cap = percent(i128::from(self.decision.round.max_close_bps));
        let groups = [
            (
                Fate::AtCap,
                format!(
                    "had been cut to the cap of {cap} in this pass and stand outside the ranking"
                ),
            ),
            (
                Fate::Insolvent,
                "would be insolvent at the close price and are never cut".to_owned(),
            ),
            (
                Fate::Below,
                if self.decision.round.rank_tolerance_bps == 0 {
                    "rank below the last one cut".to_owned()
                } else {
                    "rank below the last one cut, or above it within the tolerance".to_owned()
                },
            ),
            (Fate::Skipped, "WERE SKIPPED".to_owned()),
        ];
        for (fate, what) in groups {
            let places = self.with(|found| found == fate);
            if places.is_empty() && fate == Fate::Skipped {
                continue;
            }
            lines.push(format!("  {} {what}{}", places.len(), self.first(&places)));
        }
        lines.push(format!(
            "  The program's proof, run again: it visited {} of {} nodes and found {}.",
            self.decision.proof.visited,
            self.decision.ranking.len(),
            if self.decision.proof.found {
                "SOMEBODY"
            } else {
                "nobody who was skipped"
            }
        ));
        lines.join("\n")
    }

    fn first(&self, places: &[&Place]) -> String {
        if places.is_empty() {
            return ".".to_owned();
        }
        let mut shown: Vec<String> = places
            .iter()
            .take(SHOWN)
            .map(|place| {
                format!(
                    "\n      rank {:>4}  {}  score {}{}",
                    place.rank,
                    short(&place.trader),
                    score(place.score_q32),
                    class_note(place)
                )
            })
            .collect();
        let more = places.len().saturating_sub(SHOWN);
        if more > 0 {
            shown.push(format!("\n      and {more} more"));
        }
        format!(":{}", shown.concat())
    }

    fn trader(&self, place: &Place) -> String {
        let position = &place.candidate.position;
        let head = format!(
            "{} ranked {} of {} with score {}: {} lots entered at {}, bankrupt at {}, profit {} times leverage {}.",
            place.trader,
            place.rank,
            self.decision.ranking.len(),
            score(place.score_q32),
            position.lots.get(),
            self.entry(place),
            self.bankruptcy_price(place),
            self.profit(place),
            self.leverage(place),
        );
        let last = self.decision.cuts.last();
        let last = last.and_then(|done| self.place(&done.trader));
        let threshold = last.map_or(String::new(), |last| {
            format!("rank {} with score {}", last.rank, score(last.score_q32))
        });
        let why = match place.fate {
            Fate::Cut(lots) => {
                let done = self
                    .decision
                    .cuts
                    .iter()
                    .find(|done| done.trader == place.trader);
                let (wanted, gave_up) = done.map_or((0, 0), |done| (done.wanted, done.cut.gave_up));
                format!(
                    "It was cut by {} lots ({}) because it ranks at or above the last one cut, {threshold}. It gave up {} against the mark.",
                    grouped(lots),
                    self.why(place, lots, wanted),
                    amount(gave_up)
                )
            }
            Fate::AtCap => format!(
                "It was not cut: this pass has already cut {} of its lots, its cap.",
                grouped(place.already_cut)
            ),
            Fate::Insolvent => {
                "It was not cut: closing at the close price would leave it with less than nothing."
                    .to_owned()
            }
            Fate::Below => format!(
                "It was not cut: the lots were closed against higher ranks, down to {threshold}."
            ),
            Fate::Skipped => {
                format!("It WAS SKIPPED: it ranks above the last one cut, {threshold}.")
            }
        };
        format!("{head}\n{why}{}", class_note(place))
    }

    fn place(&self, trader: &str) -> Option<&Place> {
        self.decision
            .ranking
            .iter()
            .find(|place| place.trader == trader)
    }

    fn with(&self, wanted: impl Fn(Fate) -> bool) -> Vec<&Place> {
        let all = self.decision.ranking.iter();
        all.filter(|place| wanted(place.fate)).collect()
    }

    /// Atoms for lots as a price of one unit of the base asset, a hundredth of a tick.
    fn per_lot(&self, atoms: i128, lots: u64) -> String {
        let ticks = i128::from(lots.max(1)) * i128::from(self.units.atoms_per_lot_tick.max(1));
        let hundredths = u64::try_from((atoms.abs() * 100) / ticks).unwrap_or(u64::MAX);
        let tick_nano = self.units.tick_nano;
        let sign = if atoms < 0 { "-" } else { "" };
        if hundredths % 100 == 0 || tick_nano % 100 != 0 {
            return format!("{sign}{}", price(hundredths / 100, tick_nano));
        }
        format!("{sign}{}", price(hundredths, tick_nano / 100))
    }

    fn entry(&self, place: &Place) -> String {
        let exposure = &place.ranked.exposure;
        self.per_lot(i128::from(exposure.entry), exposure.lots)
    }

    fn bankruptcy_price(&self, place: &Place) -> String {
        let exposure = &place.ranked.exposure;
        self.per_lot(exposure.bankruptcy, exposure.lots)
    }

    fn profit(&self, place: &Place) -> String {
        let exposure = &place.ranked.exposure;
        let worth = self.worth(place);
        let gain = match exposure.side {
            Side::Long => worth - i128::from(exposure.entry),
            Side::Short => i128::from(exposure.entry) - worth,
        };
        percent(gain * 10_000 / i128::from(exposure.entry.max(1)))
    }

    /// Worth over equity, both at the mark.
    fn leverage(&self, place: &Place) -> String {
        let worth = self.worth(place);
        let exposure = &place.ranked.exposure;
        let equity = match exposure.side {
            Side::Long => worth - exposure.bankruptcy,
            Side::Short => exposure.bankruptcy - worth,
        };
        if equity <= 0 {
            return "no equity".to_owned();
        }
        let hundredths = worth * 100 / equity;
        format!("{}.{:02}x", hundredths / 100, hundredths % 100)
    }

    fn worth(&self, place: &Place) -> i128 {
        let lots = i128::from(place.ranked.exposure.lots);
        i128::from(self.situation.mark.get()) * lots
    }
}

fn class_note(place: &Place) -> &'static str {
    match place.ranked.class {
        Class::Winner => "",
        Class::Other => "  (no winner at the close price: after every winner)",
        Class::Ineligible => "  (insolvent at the close price)",
    }
}

/// A score with four decimals, cut off.
pub fn score(q32: i128) -> String {
    if q32 == INFINITE_SCORE {
        return "infinite".to_owned();
    }
    let sign = if q32 < 0 { "-" } else { "" };
    let scaled = q32.unsigned_abs().saturating_mul(1_000_000) >> 32;
    format!("{sign}{}.{:06}", scaled / 1_000_000, scaled % 1_000_000)
}

/// Basis points as per cent.
fn percent(bps: i128) -> String {
    let sign = if bps < 0 { "-" } else { "" };
    let bps = bps.unsigned_abs();
    if bps % 100 == 0 {
        return format!("{sign}{} %", bps / 100);
    }
    format!("{sign}{}.{:02} %", bps / 100, bps % 100)
}

fn amount(atoms: u64) -> String {
    usd(i64::try_from(atoms).unwrap_or(i64::MAX))
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
