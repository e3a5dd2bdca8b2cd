//! An event's round in plain words.

use ballast_client::amount::grouped;
use ballast_engine::rank::Class;
use ballast_report::figures::{short, usd};
use ballast_state::Pubkey;

use super::explanation::Explanation;
use crate::decision::{Decision, Done, Place};
use crate::words::{amount, percent, score, Voice};

impl Explanation<'_> {
    /// In plain words; only about the counterparties whose account begins with `trader`, if given.
    pub fn text(&self, trader: Option<&str>) -> String {
        let recorded = &self.recorded;
        let body = match &self.decided {
            None => "The engine does not accept this round as it is recorded.".to_owned(),
            Some((situation, decision)) => {
                let voice = Voice {
                    situation,
                    decision,
                    units: &recorded.units,
                };
                match trader {
                    None => whole(self, &voice),
                    Some(trader) => about(&voice, decision, trader),
                }
            }
        };
        format!(
            "Auto-deleveraging of bankruptcy {}, {}, slot {}\nTransaction {}\n\n{body}\n\n{}",
            recorded.event.bankruptcy_id,
            recorded.market,
            grouped(recorded.slot),
            recorded.signature,
            verdict(self)
        )
    }
}

fn whole(explanation: &Explanation, voice: &Voice) -> String {
    [
        format!(
            "The bankruptcy\n{} {}",
            voice.deficit(),
            insurance(explanation)
        ),
        voice.close_price(),
        order(explanation, voice),
        format!("What it cost them\n{}", voice.transfers()),
        format!("Why nobody was skipped\n{}", proven(explanation)),
    ]
    .join("\n\n")
}

fn insurance(explanation: &Explanation) -> String {
    let event = explanation.recorded.event;
    let held = amount(event.insurance_before_atoms);
    let insurance = match event.insurance_paid_atoms {
        0 => format!("Insurance held {held} and paid nothing."),
        paid if paid == event.deficit_before_atoms => format!(
            "Insurance held {held}\n  and paid all of it, so this call had to wait until the grace period was over."
        ),
        paid => format!("Insurance held {held}\n  and paid {} of it.", amount(paid)),
    };
    match event.held_paid_atoms {
        0 => insurance,
        paid => format!(
            "{insurance}\nProfit held in the market paid {}.",
            amount(paid)
        ),
    }
}

fn order(explanation: &Explanation, voice: &Voice) -> String {
    let event = explanation.recorded.event;
    let tolerance = match event.rank_tolerance_bps {
        0 => "nobody who ranks above the last one may be spared".to_owned(),
        bps => format!(
            "nobody may be spared who scores more than {} above the last one",
            percent(i128::from(bps))
        ),
    };
    let pass = if event.pass_opened {
        format!(
            "This call opened pass {}, because everybody eligible stood at the cap of the one before.",
            event.epoch
        )
    } else {
        format!("This was pass {} of the queue.", event.epoch)
    };
    let threshold = voice.last().map_or_else(
        || "Nobody was cut.".to_owned(),
        |last| {
            format!(
                "The threshold is the score of the last one, {}: {tolerance}.",
                score(last.score_q32)
            )
        },
    );
    let kept = if event.session == Pubkey::default() {
        "Each of them ranks after the one before: class, score, distance to bankruptcy, age."
    } else {
        "The session had proven their order before; positions may have changed since."
    };
    let stage = match explanation.recorded.cross {
        Some(cross) if cross.to_equity => {
            "\n  No account could bear the cut of a lot and keep maintenance: they were cut as far as their equity lasts."
        }
        _ => "",
    };
    format!(
        "Who was cut, in which order\n{}\n  {kept}\n  {threshold}\n  {pass}{stage}",
        voice.ranks("place")
    )
}

fn proven(explanation: &Explanation) -> String {
    let event = explanation.recorded.event;
    let nodes = |count| match count {
        1 => "1 node".to_owned(),
        many => format!("{} nodes", grouped(many)),
    };
    if let Some(cross) = explanation.recorded.cross {
        let counted = match cross.by_record {
            true => "Records counted as they stood, since the bankruptcy had waited for so long.",
            false => "What a record may flatter was taken off it.",
        };
        return format!(
            "  The program's own proof is part of this transaction: after the cuts it walked both queues, {}\n  of isolated positions and {} of legs, for somebody who may be cut and ranks above the last one.\n  Had it found one, the transaction would have failed with AdlSkippedCounterparty or\n  AdlStaleCounterparty. It succeeded. {counted}",
            nodes(event.nodes_visited),
            nodes(cross.nodes_visited)
        );
    }
    let nodes = nodes(event.nodes_visited);
    if event.session == Pubkey::default() {
        return format!(
            "  The program's own proof is part of this transaction: after the cuts it walked the queue, {nodes}\n  of it, for somebody who may be cut and ranks above the last one. Had it found one, the\n  transaction would have failed with AdlSkippedCounterparty. It succeeded."
        );
    }
    format!(
        "  The program's own proof is session {}: over several transactions it walked the queue,\n  {nodes} of it, and kept the highest ranked at the frozen mark. Only a session at its end is\n  executed, and only against those it kept.",
        event.session
    )
}

fn about(voice: &Voice, decision: &Decision, trader: &str) -> String {
    let places = decision.ranking.iter();
    let found: Vec<&Place> = places
        .filter(|one| one.trader.starts_with(trader))
        .collect();
    if found.is_empty() {
        return format!(
            "Nobody whose account begins with {trader} was cut. Of those who were not, the event says nothing:\nthe program found none of them above the last one cut."
        );
    }
    let told = found.into_iter().filter_map(|place| {
        let done = decision
            .cuts
            .iter()
            .find(|done| done.trader == place.trader);
        done.map(|done| one(voice, place, done))
    });
    told.collect::<Vec<_>>().join("\n\n")
}

fn one(voice: &Voice, place: &Place, done: &Done) -> String {
    let cut = &done.cut;
    format!(
        "{}\n  Place {} of the cuts, with score {}{}.{} It was cut by {} of {} ({}).\n  It gave up {} against the mark, realized {} and got {} of margin back.",
        place.trader,
        place.rank,
        score(place.score_q32),
        match place.ranked.class {
            Class::Winner | Class::Ineligible => "",
            Class::Other => ", no winner at the close price: after every winner",
        },
        voice.stands_for(place),
        voice.size(cut.lots),
        voice.size(place.candidate.position.size()),
        voice.why(place, done),
        amount(cut.gave_up),
        usd(cut.realized.get()),
        usd(cut.payout.get() - cut.realized.get()),
    )
}

fn verdict(explanation: &Explanation) -> String {
    let audit = &explanation.audit;
    let mut text = String::from("Verdict\n");
    if explanation.verified() {
        text.push_str(&format!(
            "  The engine decided the round of {} again: {} figures compared, all agree.\n",
            short(&explanation.recorded.event.bankrupt.to_string()),
            audit.figures
        ));
    } else {
        text.push_str(&format!(
            "  {} of {} figures DISAGREE:\n",
            audit.faults.len(),
            audit.figures
        ));
        for fault in &audit.faults {
            text.push_str(&format!(
                "    {}: recorded {}, recomputed {}\n",
                fault.field, fault.recorded, fault.recomputed
            ));
        }
    }
    text.push_str("  Not verifiable from the transaction:");
    for what in explanation.not_verifiable() {
        text.push_str(&format!("\n    - {what}"));
    }
    text
}
