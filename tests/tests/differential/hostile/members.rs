//! Counterparties on the edges of every rule.

use crate::model::Holding;
use crate::pick::Pick;

/// Fractions of the mark at which counterparties enter, in the order of their profit.
const ENTRIES: [(i128, i128); 7] = [(2, 1), (8, 5), (4, 3), (5, 4), (10, 9), (1, 1), (9, 10)];

/// Fractions at which nobody wins.
const LOSING: [(i128, i128); 4] = [(9, 10), (4, 5), (1, 1), (19, 20)];

/// A counterparty to be.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Entry price, ticks.
    pub entry: i128,
    /// Lots, unsigned.
    pub lots: i128,
    /// Equity at the mark.
    pub equity: i128,
}

/// What the counterparties are fitted to.
pub struct Plan {
    /// Sign of their lots.
    pub sign: i128,
    /// Mark, ticks.
    pub mark: i128,
    /// Atoms of a tick of a lot.
    pub atoms: i128,
    /// Tolerance, basis points.
    pub tolerance: i128,
    /// The bankrupt.
    pub bankrupt: Holding,
    /// Most members.
    pub most: i128,
    /// Whether all of them lose.
    pub losing: bool,
}

impl Plan {
    /// Clusters of one score or nearly so, among others.
    pub fn members(&self, pick: &mut Pick) -> Vec<Member> {
        let wanted = usize::try_from(pick.within(6, self.most)).expect("few");
        let mut members: Vec<Member> = Vec::new();
        while members.len() < wanted {
            match pick.weighted(&[60, 20, 10, 10]) {
                0 => self.cluster(pick, &mut members),
                1 => self.pair(pick, &mut members),
                2 => members.push(self.mirror(pick)),
                _ => members.push(self.at_close(pick)),
            }
        }
        members.truncate(wanted);
        members
    }

    /// Different entries, one score, give or take.
    fn cluster(&self, pick: &mut Pick, members: &mut Vec<Member>) {
        let scale = self.mark * self.atoms * pick.within(20, 200) / 10;
        let tolerance = self.tolerance;
        let lots = pick.within(10, 2_000);
        for _ in 0..pick.within(1, 6) {
            let entry = self.entry(pick) + pick.one(&[0, 0, 0, 1, -1]);
            let lots = pick.one(&[lots, lots, lots * 2, lots + 1]);
            let gain = (self.mark - entry).abs();
            let exact = scale * gain * lots / entry;
            let equity = match pick.weighted(&[35, 15, 20, 20, 10]) {
                0 => exact,
                1 => exact + pick.within(-2, 2),
                2 => exact * 10_000 / (10_000 + tolerance) + pick.within(-1, 1),
                3 => exact * (10_000 + tolerance) / 10_000 + pick.within(-1, 1),
                _ => lots * self.mark * self.atoms * pick.within(1, 3_000) / 10_000,
            };
            let member = Member {
                entry,
                lots,
                equity,
            };
            members.push(member);
            if pick.percent(25) {
                members.push(member);
            }
        }
    }

    /// Two whose scores differ by exactly the tolerance, or by an atom more or less.
    fn pair(&self, pick: &mut Pick, members: &mut Vec<Member>) {
        let entry = self.entry(pick);
        let lots = pick.within(10, 2_000);
        let profit = (self.mark - entry).abs() * lots * self.atoms;
        let unit = profit / 10_000 + pick.within(1, lots * self.mark * self.atoms / 100_000 + 1);
        let off = pick.one(&[0, 0, 1, -1]);
        for equity in [unit * 10_000, unit * (10_000 + self.tolerance) + off] {
            members.push(Member {
                entry,
                lots,
                equity,
            });
        }
    }

    /// As many lots as the bankrupt and exactly its bankruptcy price, or an atom off.
    fn mirror(&self, pick: &mut Pick) -> Member {
        let lots = self.bankrupt.size();
        let deficit = -self.bankrupt.equity(self.mark * self.atoms);
        Member {
            entry: self.mark * pick.one(&[10, 9, 11]) / 10,
            lots,
            equity: deficit + pick.one(&[0, 0, 1, -1]),
        }
    }

    /// Enters at the close price, as nearly as ticks allow.
    fn at_close(&self, pick: &mut Pick) -> Member {
        let lots = pick.within(10, 2_000);
        let close = self.bankrupt.bankruptcy() / (self.bankrupt.size() * self.atoms);
        Member {
            entry: close + pick.one(&[0, 0, 1, -1]),
            lots,
            equity: lots * self.mark * self.atoms * pick.within(10, 3_000) / 10_000,
        }
    }

    fn entry(&self, pick: &mut Pick) -> i128 {
        let (up, down) = if self.losing {
            pick.one(&LOSING)
        } else {
            pick.one(&ENTRIES)
        };
        if self.sign < 0 {
            self.mark * up / down
        } else {
            self.mark * down / up
        }
    }
}
