//! A whole market in memory: accounts, both queues, insurance, fees and funding.

use ballast_engine::fixtures::risk::small_market;
use ballast_engine::funding::FundingState;
use ballast_engine::insurance::Insurance;
use ballast_engine::margin::MarginScale;
use ballast_engine::oracle::Mark;
use ballast_engine::position::Position;
use ballast_engine::queue::{CutStamp, Totals};
use ballast_engine::risk::{AdlParams, RiskParams};
use ballast_engine::trade::{open_interest_after, PartyInput};
use ballast_engine::units::{Atoms, LotPrice, Lots, Side};

use crate::bytes::Bytes;
use crate::store::Store;

/// How many traders there are.
pub const ACCOUNTS: usize = 8;
const DEPOSIT: i64 = 30_000_000;

/// A trader: money, position and node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Account {
    /// Free collateral, atoms.
    pub free: Atoms,
    /// Its position, as of its own funding index.
    pub position: Position,
    /// Its node in the queue of its side.
    pub node: Option<u32>,
    /// Slot of its last partial liquidation.
    pub last_step_slot: u64,
}

/// A whole market: everything that money moves between.
pub struct Ledger {
    /// Risk parameters.
    pub params: RiskParams,
    /// Traders by number.
    pub accounts: [Account; ACCOUNTS],
    /// Funding index and rates.
    pub funding: FundingState,
    /// Insurance and its window.
    pub insurance: Insurance,
    /// Oracle price of a lot, atoms, with its confidence.
    pub mark: Mark,
    /// Sum of long lots.
    pub open_interest: u64,
    /// Fees of the market, atoms.
    pub fees: u64,
    /// Everything ever paid in, atoms.
    pub deposits: i64,
    /// Slot of the next operation.
    pub slot: u64,
    queues: [Store; 2],
}

/// The small market, with deleveraging as the bytes say.
fn params(bytes: &mut Bytes<'_>) -> RiskParams {
    let mut bps = |most: u64| u32::try_from(bytes.within(0, most)).expect("small");
    let usual = small_market();
    let params = RiskParams {
        adl: AdlParams {
            rank_tolerance_bps: bps(3) * 100,
            max_close_bps: 10_000 - bps(3) * 3_000,
            min_profit_bps: bps(3) * 50,
            ..usual.adl
        },
        ..usual
    };
    params.validate(1_000_000).expect("valid");
    params
}

/// A price of 10,000 atoms, more or less, with its confidence.
pub fn mark(atoms: u64, confidence: u64) -> Mark {
    Mark {
        price: LotPrice::new(atoms).expect("within range"),
        confidence,
        average: None,
        scale: MarginScale::NONE,
    }
}

impl Ledger {
    /// Everybody with a deposit and no position.
    pub fn new(bytes: &mut Bytes<'_>) -> Self {
        let account = Account {
            free: Atoms::new(DEPOSIT),
            ..Account::default()
        };
        Self {
            params: params(bytes),
            accounts: [account; ACCOUNTS],
            funding: FundingState::starting(0),
            insurance: Insurance::default(),
            mark: mark(10_000, 20),
            open_interest: 0,
            fees: 0,
            deposits: DEPOSIT * i64::try_from(ACCOUNTS).expect("few"),
            slot: 1,
            queues: [Side::Long, Side::Short].map(|side| Store::new(side, ACCOUNTS)),
        }
    }

    /// The queue of a side.
    pub fn queue(&mut self, side: Side) -> &mut Store {
        let [long, short] = &mut self.queues;
        match side {
            Side::Long => long,
            Side::Short => short,
        }
    }

    /// The account with this node in the queue of a side.
    pub fn holder(&self, side: Side, node: u32) -> usize {
        let holds =
            |account: &Account| account.node == Some(node) && account.position.side() == Some(side);
        self.accounts.iter().position(holds).expect("a holder")
    }

    /// An account's position with funding settled.
    pub fn settled(&self, account: usize) -> Position {
        let position = self.accounts[account].position;
        position.settle(self.funding.index).expect("within range")
    }

    /// An account as a party of a trade.
    pub fn party(&self, account: usize, margin_to_add: u64) -> PartyInput {
        PartyInput {
            position: self.settled(account),
            free: self.accounts[account].free,
            margin_to_add,
        }
    }

    /// Replaces a position, its node and the open interest.
    pub fn set(&mut self, account: usize, after: Position, stamp: Option<CutStamp>) {
        let Account { position, node, .. } = self.accounts[account];
        let changes = [(position.lots, after.lots)];
        self.open_interest = open_interest_after(self.open_interest, &changes).expect("no more");
        let node = match (position.side(), after.side()) {
            (before, now) if before == now => {
                if let (Some(side), Some(node)) = (now, node) {
                    let mut queue = self.queue(side).queue();
                    let outcome = match stamp {
                        Some(stamp) => queue.update_cut(node, &after, stamp),
                        None => queue.update(node, &after),
                    };
                    outcome.expect("in the queue");
                }
                node
            }
            (before, now) => {
                if let (Some(side), Some(node)) = (before, node) {
                    self.queue(side).queue().remove(node).expect("in the queue");
                }
                let key = [u8::try_from(account).expect("few"); 32];
                now.map(|side| self.queue(side).queue().insert(key, &after).expect("room"))
            }
        };
        self.accounts[account].node = node;
        self.accounts[account].position = after;
    }

    /// Every invariant of the market.
    pub fn check(&self) {
        let total = self.insurance.balance + self.fees;
        let mut wealth = 0_i128;
        let (mut longs, mut net, mut nodes) = (0_i64, 0_i64, 0_u32);
        for Account {
            free,
            position,
            node,
            ..
        } in &self.accounts
        {
            assert_eq!(position.invariant(), Ok(()));
            assert!(!free.is_negative());
            let funding = position.lots.get() * position.funding_index.get();
            let own = [
                free.get(),
                position.margin.get(),
                funding,
                -position.entry_quote.get(),
            ];
            wealth += own.into_iter().map(i128::from).sum::<i128>();
            longs += position.lots.get().max(0);
            net += position.lots.get();
            nodes += u32::from(node.is_some());
            assert_eq!(node.is_some(), position.lots != Lots::ZERO);
            if let (Some(side), Some(node)) = (position.side(), node) {
                let [long, short] = &self.queues;
                let store = if side == Side::Long { long } else { short };
                let stored = store.view().entry(*node).expect("live").totals();
                assert_eq!(Ok(stored), Totals::of(position, side));
            }
        }
        assert_eq!(net, 0);
        assert_eq!(u64::try_from(longs), Ok(self.open_interest));
        assert_eq!(self.funding.invariant(), Ok(()));
        let queued: u32 = self.queues.iter().map(|store| store.view().len()).sum();
        assert_eq!(queued, nodes);
        for store in &self.queues {
            assert_eq!(store.view().invariant(), Ok(()));
        }
        assert_eq!(wealth + i128::from(total), i128::from(self.deposits));
    }
}
