//! The key of one authority in the coalition's hands. Whatever it stages is not due before the delays of
//! GOVERNANCE.md are over, which is after a history ends; what it does at once it does.

use ballast_client::instructions::admin::{self, StagedKeys};
use ballast_client::instructions::wind_down;
use ballast_engine::pool::PoolParams;
use ballast_sandbox::{MarketCookie, Sandbox};
use ballast_state::exchange::{Delays, Role};
use ballast_state::pause::{LONGEST_PAUSE_SLOTS, PAUSE_ALL, PAUSE_LIQUIDATE, PAUSE_OPEN};
use ballast_state::staged::Change;
use rand::Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::attack::Attack;
use crate::ledger::BROKEN;
use crate::venue::Venue;

/// Which key the coalition has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Changes everything but risk parameters, after a week; pauses; cancels.
    Admin,
    /// Changes risk parameters, after two days.
    Risk,
    /// Pauses, cancels, makes markets reduce-only.
    Guardian,
    /// Owns the treasury's token account.
    Treasury,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Risk, Self::Guardian, Self::Treasury];
}

/// The holders of the roles, each a key of its own, with the delays of a deployment.
pub struct Authorities {
    admin: Keypair,
    risk: Keypair,
    guardian: Keypair,
    treasury: Keypair,
}

impl Authorities {
    /// Hands the roles out and raises the delays.
    pub fn appoint(sandbox: &mut Sandbox) -> Self {
        let keys = Self {
            admin: sandbox.admin_keypair(),
            risk: sandbox.funded_keypair(),
            guardian: sandbox.funded_keypair(),
            treasury: sandbox.funded_keypair(),
        };
        for (role, key) in [(Role::Risk, &keys.risk), (Role::Guardian, &keys.guardian)] {
            sandbox.hand_over(role, key).expect("a role");
        }
        sandbox.raise_delays(Delays::DEFAULT).expect("delays");
        keys
    }
}

/// One key, and what it has staged.
pub struct Stolen {
    key: Key,
    signer: Keypair,
    staged: Vec<(StagedKeys, Change)>,
    /// What went through.
    pub acts: u64,
}

impl Stolen {
    /// One of the authorities' keys.
    pub fn new(key: Key, all: &Authorities) -> Self {
        let signer = match key {
            Key::Admin => &all.admin,
            Key::Risk => &all.risk,
            Key::Guardian => &all.guardian,
            Key::Treasury => &all.treasury,
        };
        Self {
            key,
            signer: signer.insecure_clone(),
            staged: Vec::new(),
            acts: 0,
        }
    }

    /// One act of the key: allowed or not.
    pub fn act(&mut self, attack: &mut Attack, venue: &mut Venue) {
        let market = venue.market.clone();
        let done = match attack.below(8) {
            0..=2 => self.stage(attack, venue, &market),
            3 | 4 => self.apply(venue, &market),
            5 => self.cancel(attack, venue),
            6 => self.pause(attack, venue),
            _ => self.at_once(attack, venue, &market),
        };
        self.acts += u64::from(done);
    }

    fn stage(&mut self, attack: &mut Attack, venue: &mut Venue, market: &MarketCookie) -> bool {
        let mut changes = changes(self.signer.pubkey(), venue, market);
        let (change, of_market) = changes.swap_remove(attack.below(24) as usize % changes.len());
        let of = of_market.then_some(market);
        let result = venue.sandbox.send_staging(change, of, &self.signer);
        let stage = admin::StageChange {
            authority: self.signer.pubkey(),
            payer: venue.sandbox.payer(),
            market: of.map(|market| market.keys.market),
            change,
        };
        let done = venue.observe(format!("{:?} stages {}", self.key, change.kind()), result);
        if done {
            let staged = venue.sandbox.staged_keys(&stage.address());
            self.staged.push((staged, change));
        }
        done
    }

    /// Everything staged is tried, and nothing is due.
    fn apply(&mut self, venue: &mut Venue, market: &MarketCookie) -> bool {
        for (staged, change) in self.staged.clone() {
            let of = change.is_of_market().then_some(market);
            let result = match change {
                Change::Authority { .. } => venue.sandbox.accept_authority(&staged, &self.signer),
                _ => venue.sandbox.apply(&staged, of),
            };
            let done = venue.observe("a staged change is applied", result);
            assert!(!done, "{BROKEN}{change:?} took effect before its delay");
        }
        false
    }

    fn cancel(&mut self, attack: &mut Attack, venue: &mut Venue) -> bool {
        if self.staged.is_empty() {
            return false;
        }
        let at = attack.below(8) as usize % self.staged.len();
        let result = venue
            .sandbox
            .cancel_staged(&self.staged[at].0, &self.signer);
        let done = venue.observe("a staged change is cancelled", result);
        if done {
            self.staged.swap_remove(at);
        }
        done
    }

    fn pause(&mut self, attack: &mut Attack, venue: &mut Venue) -> bool {
        let pause = admin::SetPause {
            authority: self.signer.pubkey(),
            flags: attack.random.gen_range(0..=PAUSE_ALL),
            slots: attack.random.gen_range(1..=LONGEST_PAUSE_SLOTS).min(60),
        };
        let result = venue.sandbox.send(&[pause.instruction()], &[&self.signer]);
        venue.observe(format!("{:?} pauses {:b}", self.key, pause.flags), result)
    }

    /// What takes effect at once.
    fn at_once(&mut self, attack: &mut Attack, venue: &mut Venue, market: &MarketCookie) -> bool {
        let authority = self.signer.pubkey();
        let instruction = match attack.below(4) {
            0..=2 => admin::RaiseDelays {
                admin: authority,
                delays: Delays {
                    risk_slots: Delays::DEFAULT.risk_slots + u64::from(attack.below(1_000)),
                    ..Delays::DEFAULT
                },
            }
            .instruction(),
            _ => wind_down::SetReduceOnly {
                authority,
                market: market.keys.market,
            }
            .instruction(),
        };
        let result = venue.sandbox.send(&[instruction], &[&self.signer]);
        venue.observe(format!("{:?} acts at once", self.key), result)
    }
}

/// Changes that would pay, and whether each is of the market. A new kind of change is added here.
fn changes(
    thief: ballast_state::Pubkey,
    venue: &Venue,
    market: &MarketCookie,
) -> Vec<(Change, bool)> {
    let mut risk = venue.sandbox.market(market).risk;
    for tier in &mut risk.tiers {
        tier.maintenance_margin_bps = tier.maintenance_margin_bps * 2 / 3;
        tier.initial_margin_bps = tier.initial_margin_bps * 2 / 3;
    }
    risk.taker_fee_bps = 0;
    let hand_over = |role| Change::Authority {
        role,
        successor: thief,
    };
    vec![
        (Change::Risk(risk), true),
        (hand_over(Role::Risk), false),
        (hand_over(Role::Admin), false),
        (Change::Treasury(venue.coalition[0].wallet.tokens), false),
        (Change::Delays(Delays::default()), false),
        (Change::Delist, true),
        (Change::Reopen, true),
        (Change::Pool(PoolParams::for_market(&risk)), true),
        (
            Change::Pause {
                flags: PAUSE_OPEN,
                slots: LONGEST_PAUSE_SLOTS,
            },
            false,
        ),
    ]
}

/// Whether liquidation is paused.
pub fn is_liquidation_paused(sandbox: &Sandbox) -> bool {
    sandbox.exchange().pauses(sandbox.slot()) & PAUSE_LIQUIDATE != 0
}
