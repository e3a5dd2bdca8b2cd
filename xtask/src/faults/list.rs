//! The faults: each a piece of a source, and what stands there in its stead while it is on.

/// A fault of the program.
#[derive(Debug)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// The source.
    pub file: &'static str,
    /// A piece of it that occurs once.
    pub right: &'static str,
    /// What stands for it, with [`SWITCH`] for whether the fault is on.
    pub wrong: &'static str,
    /// The test of the suite whose histories have to notice it.
    pub test: &'static str,
}

/// Histories of isolated positions in one market.
pub const POSITIONS: &str = "a_coalition_gains_what_others_agreed_to_lose_and_no_more";
/// Histories of legs in two markets.
pub const LEGS: &str = "legs_in_two_markets_give_a_coalition_no_more";

/// Stands in [`Fault::wrong`] for whether the fault is on.
pub const SWITCH: &str = "FAULT";

/// All of them; the number of a fault is its place here, from 1.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "healthy-liquidated",
        what: "positions above maintenance are liquidated",
        file: "crates/engine/src/liquidation/waterfall.rs",
        right: "if equity.positive_part() >= maintenance {",
        wrong: "if equity.positive_part() >= maintenance && !FAULT {",
        test: POSITIONS,
    },
    Fault {
        name: "maker-off-price",
        what: "makers are filled a tick off their price",
        file: "crates/engine/src/matching.rs",
        right: "let notional = order.price().notional(lots)?;",
        wrong: "let mut notional = order.price().notional(lots)?;
    if FAULT {
        notional = notional.wrapping_add(lots);
    }",
        test: POSITIONS,
    },
    Fault {
        name: "half-initial-margin",
        what: "initial margin is half of what it should be",
        file: "crates/engine/src/margin.rs",
        right:
            "let brackets = rounded_up(scaled(params, notional, |tier| tier.initial_margin_bps)?)?;",
        wrong: "let part = if FAULT { 2 } else { 1 };
    let brackets = rounded_up(scaled(params, notional, |tier| tier.initial_margin_bps / part)?)?;",
        test: POSITIONS,
    },
    Fault {
        name: "margin-leaves-unchecked",
        what: "all margin may be taken out",
        file: "crates/engine/src/trade.rs",
        right: "check_initial(params, mark, &after)?;",
        wrong: "if !FAULT {
        check_initial(params, mark, &after)?;
    }",
        test: POSITIONS,
    },
    Fault {
        name: "makers-below-maintenance",
        what: "makers are filled below maintenance margin",
        file: "crates/engine/src/matching.rs",
        right: "if equity.is_negative() || equity.positive_part() < required {",
        wrong: "if !FAULT && (equity.is_negative() || equity.positive_part() < required) {",
        test: POSITIONS,
    },
    Fault {
        name: "stale-prices",
        what: "prices of any age are used",
        file: "crates/engine/src/oracle/clock.rs",
        right: "if self.is_older_than(self.age_limit(action, price), price) {",
        wrong: "if !FAULT && self.is_older_than(self.age_limit(action, price), price) {",
        test: POSITIONS,
    },
    Fault {
        name: "older-prices",
        what: "prices older than one recorded are used",
        file: "crates/engine/src/oracle/clock.rs",
        right: "if price.publish_time < self.last_publish_time {",
        wrong: "if !FAULT && price.publish_time < self.last_publish_time {",
        test: POSITIONS,
    },
    Fault {
        name: "choice-of-half-a-minute",
        what: "opening and margin out take prices as old as a flagged position's liquidation does",
        file: "crates/engine/src/oracle/clock.rs",
        right: "Action::Open | Action::Reduce | Action::RemoveMargin => false,",
        wrong: "Action::Open | Action::Reduce | Action::RemoveMargin => FAULT,",
        test: POSITIONS,
    },
    Fault {
        name: "insurance-pays-all-for-a-part",
        what: "insurance pays the whole deficit where some lots are closed",
        file: "crates/engine/src/liquidation/waterfall.rs",
        right: "let share = deficit.insurance_for(closed)?;",
        wrong: "let share = deficit.insurance_for(if FAULT {
            self.input.position.size()
        } else {
            closed
        })?;",
        test: POSITIONS,
    },
    Fault {
        name: "profit-not-held",
        what: "profit leaves a market that is short of it",
        file: "programs/ballast/src/instructions/profit.rs",
        right: "if short_of == 0 {",
        wrong: "if short_of == 0 || FAULT {",
        test: POSITIONS,
    },
    Fault {
        name: "accrues-at-the-new-price",
        what: "what has passed is charged at the price just read",
        file: "crates/state/src/market.rs",
        right: "let judged = self.known(now, pauses).judge(action, &price)?;",
        wrong: "let judged = self.known(now, pauses).judge(action, &price)?;
        if FAULT && judged.fit {
            self.last_price = price.into();
        }",
        test: POSITIONS,
    },
    Fault {
        name: "rewards-without-bound",
        what: "a rescue earns its flat reward, whatever it saved",
        file: "crates/engine/src/reward.rs",
        right: "let most = Bps::new(REWARD_SHARE_BPS).floor_of(saved)?;",
        wrong: "let mut most = Bps::new(REWARD_SHARE_BPS).floor_of(saved)?;
    if FAULT {
        most = u64::MAX;
    }",
        test: POSITIONS,
    },
    Fault {
        name: "delegates-block-trade",
        what: "a delegate block-trades without its owner's leave",
        file: "crates/state/src/trader.rs",
        right: "self.owner == *signer || self.delegate_flags & DELEGATE_BLOCK_TRADES != 0,",
        wrong:
            "FAULT || self.owner == *signer || self.delegate_flags & DELEGATE_BLOCK_TRADES != 0,",
        test: POSITIONS,
    },
    Fault {
        name: "changes-at-once",
        what: "a staged change takes effect before its delay is over",
        file: "crates/state/src/staged.rs",
        right: "ensure(slot >= ready, BallastError::StagedTooEarly)?;",
        wrong: "ensure(FAULT || slot >= ready, BallastError::StagedTooEarly)?;",
        test: POSITIONS,
    },
    Fault {
        name: "released-while-short",
        what: "held profit is released although the market is short of it",
        file: "crates/engine/src/held.rs",
        right: "_ if shortfall == 0 => claim.shares,",
        wrong: "_ if shortfall == 0 || FAULT => claim.shares,",
        test: POSITIONS,
    },
    Fault {
        name: "pool-leaves-unchecked",
        what: "all of the pool that legs share may be taken out",
        file: "programs/ballast/src/instructions/cross/move_cross.rs",
        right: "enough.map_err(BallastError::from)?;",
        wrong: "if !FAULT {
                enough.map_err(BallastError::from)?;
            }",
        test: LEGS,
    },
    Fault {
        name: "leaves-its-loss-behind",
        what: "a leg leaves whatever it leaves behind",
        file: "crates/engine/src/cross/convert.rs",
        right: "rest.check_opening()?;",
        wrong: "if !FAULT {
            rest.check_opening()?;
        }",
        test: LEGS,
    },
    Fault {
        name: "profit-carries-risk",
        what: "profit that is not realised counts for opening legs",
        file: "crates/engine/src/cross/checks.rs",
        right: "if weight_bps == 0 {",
        wrong: "if FAULT {
        return Ok(result);
    }
    if weight_bps == 0 {",
        test: LEGS,
    },
    Fault {
        name: "old-marks-serve",
        what: "marks of the board serve for opening however old they are",
        file: "crates/engine/src/cross/board.rs",
        right: "if self.age(slot) > u64::from(self.max_age_slots) {",
        wrong: "if !FAULT && self.age(slot) > u64::from(self.max_age_slots) {",
        test: LEGS,
    },
    Fault {
        name: "legs-not-asked-for",
        what: "rounds pass over every leg that they are not shown",
        file: "crates/engine/src/cross/entry.rs",
        right: "self.is_witnessed(slot) && self.is_too_weak_for(round)",
        wrong: "FAULT || self.is_witnessed(slot) && self.is_too_weak_for(round)",
        test: LEGS,
    },
    Fault {
        name: "a-leg-bears-it-all",
        what: "a leg is paid all of its account's deficit, not its share",
        file: "crates/engine/src/cross/share.rs",
        right: "if open.count() == 1 {",
        wrong: "if open.count() == 1 || FAULT {",
        test: LEGS,
    },
    Fault {
        name: "insurance-drained-by-legs",
        what: "legs get all that insurance may pay, not their part of it",
        file: "crates/engine/src/cross/limits.rs",
        right: "Ok(cover.min(left))",
        wrong: "Ok(if FAULT { cover } else { cover.min(left) })",
        test: LEGS,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn every_fault_fits_the_source() {
        let root = workspace::root().unwrap();
        for fault in FAULTS {
            let source = std::fs::read_to_string(root.join(fault.file)).unwrap();
            let found = source.matches(fault.right).count();
            assert_eq!(found, 1, "{}: {}", fault.name, fault.file);
            assert!(fault.wrong.contains(SWITCH), "{}", fault.name);
        }
    }

    #[test]
    fn names_are_distinct() {
        let mut names: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAULTS.len());
    }
}
