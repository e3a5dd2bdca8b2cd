//! What a run is going to do, decided from the file and the cluster before anything is sent.

use anchor_lang::prelude::Pubkey;
use anyhow::{anyhow, bail, ensure, Context, Result};
use ballast_client::addresses::{self, book_space, queue_space};
use ballast_client::amount::{grouped_decimal, truncated_decimal};
use ballast_client::token::{associated_token, token_amount};
use ballast_state::exchange::Delays;
use ballast_state::market::Market as MarketAccount;
use ballast_state::seeds::PROGRAM_DATA_ADDRESS;

use crate::config::{key, Config, Market};
use crate::deployment::{Deployment, FOR_FEES, SMALL_ACCOUNTS};
use crate::exchange::TEST_DECIMALS;
use crate::market::{account_seed, PARTS};

/// What a run is allowed to do.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Make a mint and tokens, on a cluster of this machine.
    pub create_test_mint: bool,
    /// Replace risk parameters that differ.
    pub update_risk: bool,
}

/// What a run is going to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// In sentences, in order.
    pub steps: Vec<String>,
    /// The first step that is about a market.
    markets_from: usize,
    /// Lamports that the admin has to have, fees aside.
    lamports: u64,
    /// Atoms of the quote currency that insurance is to get.
    insurance: u64,
}

/// The exchange as the plan finds it.
struct Found {
    mint: Option<Pubkey>,
    decimals: u8,
    markets: Vec<(Pubkey, MarketAccount)>,
    admin: Pubkey,
    risk_authority: Pubkey,
    delays: Delays,
    exists: bool,
}

impl Plan {
    /// Checks the whole file against the cluster, and says what it takes. Nothing is sent.
    ///
    /// # Errors
    /// Whatever would stop the run later: a program that is not there, a key that may not, a mint
    /// that is none, sizes, prices, risk parameters, money.
    pub async fn of(deployment: &Deployment, config: &Config, allowed: Allowed) -> Result<Self> {
        let found = found(deployment, config, allowed).await?;
        for market in &config.markets {
            market.check(found.decimals)?;
        }
        let mut plan = Self::default();
        plan.exchange(deployment, &found).await?;
        plan.markets_from = plan.steps.len();
        let mut number = found.markets.len();
        for market in &config.markets {
            plan.market(deployment, &found, market, &mut number, allowed)
                .await?;
        }
        plan.delays(&found, config.exchange.delays());
        plan.money(deployment, &found, allowed).await?;
        Ok(plan)
    }

    async fn exchange(&mut self, deployment: &Deployment, found: &Found) -> Result<()> {
        if found.exists {
            return Ok(());
        }
        self.lamports += SMALL_ACCOUNTS;
        let upgrade = deployment.account(&PROGRAM_DATA_ADDRESS).await?;
        // Discriminant, slot, then an optional key.
        let authority = upgrade.and_then(|account| match account.data.get(12) {
            Some(1) => Some(Pubkey::new_from_array(
                account.data.get(13..45)?.try_into().ok()?,
            )),
            _ => None,
        });
        if let Some(authority) = authority.filter(|key| *key != deployment.admin()) {
            bail!(
                "the exchange of this program is created by its upgrade authority {authority}, and {} signs; choose its key with --keypair",
                deployment.admin()
            );
        }
        if found.mint.is_none() {
            self.steps.push(format!(
                "make a mint for tests with {TEST_DECIMALS} decimals, of which {} may make tokens",
                deployment.admin()
            ));
        }
        self.steps.push(format!(
            "create the exchange {} over mint {}",
            addresses::exchange(),
            found
                .mint
                .map_or_else(|| "made so".to_owned(), |mint| mint.to_string())
        ));
        Ok(())
    }

    async fn market(
        &mut self,
        deployment: &Deployment,
        found: &Found,
        wanted: &Market,
        number: &mut usize,
        allowed: Allowed,
    ) -> Result<()> {
        let padded = wanted.padded_name()?;
        let named = found.markets.iter().filter(|(_, it)| it.name == padded);
        let named: Vec<_> = named.collect();
        let name = &wanted.name;
        match named.as_slice() {
            [] => {}
            [(_, market)] => {
                let params = wanted.risk_params()?;
                if *market.params() != params && allowed.update_risk {
                    let follows = params.check_after(market.params());
                    follows.map_err(|breach| {
                        anyhow!("market {name}: {breach}, after what is in force")
                    })?;
                    ensure!(
                        found.risk_authority == deployment.admin(),
                        "market {name}: its risk parameters are set by {}, and {} signs; choose its key with --keypair",
                        found.risk_authority,
                        deployment.admin()
                    );
                    let when = match found.delays.risk_slots {
                        0 => "apply them".to_owned(),
                        slots => format!("which wait for {slots} slots, and apply them if due"),
                    };
                    self.steps
                        .push(format!("stage other risk parameters of {name}, {when}"));
                }
                return Ok(());
            }
            _ => bail!("two markets are called {name}; rename one in the configuration"),
        }
        ensure!(
            found.admin == deployment.admin(),
            "market {name} is created by the admin {}, and {} signs; choose its key with --keypair",
            found.admin,
            deployment.admin()
        );
        self.lamports += SMALL_ACCOUNTS;
        let spaces = [
            queue_space(wanted.queue_positions),
            queue_space(wanted.queue_positions),
            book_space(wanted.book_orders),
        ];
        for (part, space) in PARTS.iter().zip(spaces) {
            let address = account_seed(&deployment.admin(), name, part)?;
            match deployment.account(&address).await? {
                Some(account) => crate::market::usable(&account, space, &address, name, part)?,
                None => self.lamports += deployment.rent(space).await?,
            }
        }
        let insurance = wanted.insurance_atoms(found.decimals)?;
        self.insurance = self
            .insurance
            .checked_add(insurance)
            .context("the insurance of all markets together is too much")?;
        self.steps.push(format!(
            "create market {number}, {name}: room for {} positions a side and {} orders a side, {} of insurance",
            wanted.queue_positions,
            wanted.book_orders,
            grouped_decimal(insurance.into(), found.decimals, 2)
        ));
        *number += 1;
        Ok(())
    }

    /// Says for how long changes wait once everything is set up, loudly where they do not.
    fn delays(&mut self, found: &Found, wanted: Delays) {
        let raises = wanted.risk_slots > found.delays.risk_slots
            || wanted.admin_slots > found.delays.admin_slots;
        if raises {
            self.steps.push(format!(
                "let changes of risk parameters wait for {} slots from then on, and everything else for {}",
                wanted.risk_slots, wanted.admin_slots
            ));
        } else if !found.exists && wanted.are_short() {
            self.steps.push(
                "leave it so that AUTHORITIES ACT AT ONCE: the configuration asks for no delay"
                    .to_owned(),
            );
        }
    }

    /// Whether the admin can pay, or what has to be made for it.
    async fn money(
        &mut self,
        deployment: &Deployment,
        found: &Found,
        allowed: Allowed,
    ) -> Result<()> {
        if self.steps.is_empty() {
            return Ok(());
        }
        let mut needed = Vec::new();
        if self.insurance > 0 {
            let held = match found.mint {
                Some(mint) => held(deployment, &mint).await?,
                None => 0,
            };
            let missing = self.insurance.saturating_sub(held);
            let amount = |atoms: u64| grouped_decimal(atoms.into(), found.decimals, 2);
            match (missing, allowed.create_test_mint) {
                (0, _) => {}
                (_, true) => self.steps.insert(
                    self.markets_from,
                    format!("make {} of tokens for insurance", amount(missing)),
                ),
                (_, false) => bail!(
                    "{} holds {} of the quote currency, mint {}, and insurance is to get {}: send it {}",
                    deployment.admin(),
                    amount(held),
                    found.mint.unwrap_or_default(),
                    amount(self.insurance),
                    amount(missing)
                ),
            }
        }
        let (held, wanted) = (deployment.lamports().await?, self.lamports + FOR_FEES);
        if held < wanted {
            let missing = sol(wanted - held);
            ensure!(
                deployment.is_local(),
                "{} holds {} SOL and needs {} for rent and fees: send it {missing}",
                deployment.admin(),
                sol(held),
                sol(wanted)
            );
            needed.push(format!(
                "take {missing} SOL from the faucet of this local cluster for {}",
                deployment.admin()
            ));
        }
        needed.append(&mut self.steps);
        self.steps = needed;
        self.steps.push(format!(
            "in all {} SOL of rent, which stays in the accounts, and at most {} SOL of fees",
            sol(self.lamports),
            sol(FOR_FEES)
        ));
        Ok(())
    }
}

/// What the admin's associated token account of a mint holds, atoms.
async fn held(deployment: &Deployment, mint: &Pubkey) -> Result<u64> {
    let account = deployment.account(mint).await?;
    let program = account.map(|account| account.owner).unwrap_or_default();
    let collateral = ballast_client::instructions::Collateral {
        mint: *mint,
        token_program: program,
    };
    let tokens = associated_token(&deployment.admin(), &collateral);
    let account = deployment.account(&tokens).await?;
    Ok(account
        .and_then(|account| token_amount(&account.data))
        .unwrap_or(0))
}

/// The exchange and its markets, or what it would be made over.
async fn found(deployment: &Deployment, config: &Config, allowed: Allowed) -> Result<Found> {
    let program = deployment.account(&ballast_state::ID).await?;
    ensure!(
        program.is_some_and(|account| account.executable),
        "the program {} is not on this cluster: deploy it first, as docs/OPERATING.md says",
        ballast_state::ID
    );
    config.authorities()?;
    if deployment.account(&addresses::exchange()).await?.is_some() {
        let exchange = deployment.cluster.exchange().await?;
        return Ok(Found {
            mint: Some(exchange.collateral_mint),
            decimals: exchange.mint_decimals,
            markets: deployment.cluster.markets().await?,
            admin: exchange.admin,
            risk_authority: exchange.risk_authority,
            delays: exchange.delays(),
            exists: true,
        });
    }
    let mint = config.exchange.mint.as_deref().map(key).transpose()?;
    let decimals = match mint {
        Some(mint) => decimals_of(deployment, &mint).await?,
        None => {
            ensure!(
                allowed.create_test_mint,
                "the exchange needs a mint: name it in the configuration, or make one on a local cluster with --create-test-mint"
            );
            deployment.require_local("--create-test-mint")?;
            TEST_DECIMALS
        }
    };
    Ok(Found {
        mint,
        decimals,
        markets: Vec::new(),
        admin: deployment.admin(),
        risk_authority: deployment.admin(),
        delays: Delays::default(),
        exists: false,
    })
}

/// The decimals of a mint.
async fn decimals_of(deployment: &Deployment, mint: &Pubkey) -> Result<u8> {
    let account = deployment.account(mint).await?;
    let account = account.with_context(|| format!("there is no mint {mint} on this cluster"))?;
    // Authority, supply, decimals, whether it is initialized.
    match account.data.get(44..46) {
        Some([decimals, 1]) if account.data.len() >= 82 => Ok(*decimals),
        _ => bail!("{mint} is not a mint"),
    }
}

/// Lamports as SOL.
fn sol(lamports: u64) -> String {
    truncated_decimal(lamports.into(), 9, 9)
}
