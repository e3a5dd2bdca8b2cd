//! A fund: the shares of a market's pool, and those of the stakes behind its insurance.
//!
//! Nothing is counted: what all own together is the sum over its members.

use ballast_state::error::BallastError;

use super::number::{ceil, floor, part};
use super::refusal::{require, Verdict, NOT_THERE};

/// Shares of every fund that nobody owns; one atom belongs to them.
const NOBODYS: i128 = 1_000;
/// Most shares.
const MOST: i128 = 1 << 62;
/// A fund of which an atom stands for as many shares is spent.
const SPENT: i128 = 1_000_000;

/// What somebody asked to be paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Shares.
    pub shares: i128,
    /// What they were worth, atoms.
    pub value: i128,
    /// When it was asked.
    pub slot: u64,
}

/// An account for shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shareholder {
    /// Epoch of the fund that the shares are of.
    pub epoch: u32,
    /// Shares.
    pub shares: i128,
    /// What of them is to leave.
    pub request: Option<Request>,
}

/// A payment to who leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Atoms.
    pub atoms: i128,
    /// Shares that end.
    pub shares: i128,
    /// What the request remembered.
    pub then: i128,
    /// What its shares are worth.
    pub now: i128,
    /// Whether a part of the request is left.
    pub partial: bool,
}

/// A fund and its members, by their wallets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Times that the shares ended.
    pub epoch: u32,
    /// Accounts for shares; none where there is no account.
    pub members: Vec<Option<Shareholder>>,
}

impl Fund {
    /// A fund without members, of so many wallets.
    pub fn new(wallets: usize) -> Self {
        Self {
            epoch: 0,
            members: vec![None; wallets],
        }
    }

    /// What a wallet has in this epoch.
    pub fn member(&self, wallet: usize) -> Verdict<Shareholder> {
        let member = self.members[wallet].ok_or(NOT_THERE)?;
        let nothing = Shareholder {
            epoch: self.epoch,
            ..Shareholder::default()
        };
        Ok(if member.epoch == self.epoch {
            member
        } else {
            nothing
        })
    }

    fn current(&self) -> impl Iterator<Item = &Shareholder> {
        let members = self.members.iter().flatten();
        members.filter(|member| member.epoch == self.epoch)
    }

    /// All shares that somebody owns.
    pub fn shares(&self) -> i128 {
        self.current().map(|member| member.shares).sum()
    }

    /// Those that are to leave.
    pub fn requested(&self) -> i128 {
        let requests = self.current().filter_map(|member| member.request);
        requests.map(|request| request.shares).sum()
    }

    /// What shares are worth where the fund is worth `atoms`.
    pub fn value(&self, shares: i128, atoms: i128) -> i128 {
        floor(&part(shares, atoms + 1, self.shares() + NOBODYS))
    }

    /// Whether nobody shares any more in a fund worth `atoms`.
    pub fn is_spent(&self, atoms: i128) -> bool {
        (atoms + 1) * SPENT <= self.shares()
    }

    /// Sells shares of a fund worth `worth` for `atoms`.
    pub fn join(&mut self, wallet: usize, atoms: i128, worth: i128) -> Verdict<()> {
        let mut member = self.member(wallet)?;
        require(!self.is_spent(worth), BallastError::FundSpent)?;
        let all = self.shares();
        let bought = floor(&part(atoms, all + NOBODYS, worth + 1));
        require(bought > 0, BallastError::ZeroAmount)?;
        require(all + bought <= MOST, BallastError::FundFull)?;
        member.shares += bought;
        self.members[wallet] = Some(member);
        Ok(())
    }

    /// Remembers what shares of a fund worth `worth` are worth now, for who wants to leave.
    pub fn ask(&mut self, wallet: usize, shares: i128, worth: i128, slot: u64) -> Verdict<()> {
        let mut member = self.member(wallet)?;
        require(shares > 0, BallastError::ZeroAmount)?;
        require(shares <= member.shares, BallastError::SharesMissing)?;
        member.request = Some(Request {
            shares,
            value: self.value(shares, worth),
            slot,
        });
        self.members[wallet] = Some(member);
        Ok(())
    }

    /// Takes a request back.
    pub fn stay(&mut self, wallet: usize) -> Verdict<()> {
        let mut member = self.member(wallet)?;
        let asked = member.request.is_some();
        require(asked, BallastError::RequestMissing)?;
        member.request = None;
        self.members[wallet] = Some(member);
        Ok(())
    }

    /// The request of a wallet, where its time has come.
    pub fn due(&self, wallet: usize, slot: u64, delay: u64, window: u64) -> Verdict<Request> {
        let member = self.member(wallet)?;
        let Some(request) = member.request else {
            return Err(BallastError::RequestMissing.into());
        };
        let first = request.slot + delay;
        require(slot >= first, BallastError::RequestTooEarly)?;
        require(slot < first + window, BallastError::RequestLapsed)?;
        Ok(request)
    }

    /// Pays a request out of a fund worth `worth`: the lesser of then and now, `most` atoms at most.
    /// Where that is less, as large a part of the shares ends, rounded up, and what is remembered of the
    /// rest is its part, rounded down.
    pub fn pay(&mut self, wallet: usize, worth: i128, most: i128) -> Verdict<Paid> {
        let mut member = self.member(wallet)?;
        let request = member.request.ok_or(BallastError::RequestMissing)?;
        let now = self.value(request.shares, worth);
        let due = now.min(request.value);
        let mut paid = Paid {
            atoms: due,
            shares: request.shares,
            then: request.value,
            now,
            partial: false,
        };
        member.request = None;
        if most < due {
            paid.atoms = most;
            paid.shares = ceil(&part(request.shares, most, due));
            let left = request.shares - paid.shares;
            paid.partial = left > 0;
            member.request = paid.partial.then(|| Request {
                shares: left,
                value: floor(&part(request.value, due - most, due)),
                slot: request.slot,
            });
        }
        member.shares -= paid.shares;
        self.members[wallet] = Some(member);
        Ok(paid)
    }

    /// Ends all shares; nobody has to be told.
    pub fn end_epoch(&mut self) {
        self.epoch += 1;
    }

    /// Opens an account for shares.
    pub fn open(&mut self, wallet: usize) {
        self.members[wallet] = Some(Shareholder {
            epoch: self.epoch,
            ..Shareholder::default()
        });
    }
}
