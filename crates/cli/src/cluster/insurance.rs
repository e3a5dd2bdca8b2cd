//! `ballast insurance`: what it holds, what it may pay, and how to feed it.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use ballast_client::addresses;
use ballast_client::instructions::anyone as build;
use ballast_report::table::Table;
use ballast_state::market::Market;
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_signer::Signer;

use super::collateral::{quote_currency, source};
use super::failure::Computed;
use super::options::Sending;
use super::session::Session;
use super::state::{MarketState, Parts};
use super::units::percent_of_bps;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `insurance`.
#[derive(Clone, Debug, Args)]
pub struct InsuranceArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only this market [default: all].
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Give to the insurance of a market.
    Donate {
        /// Amount, as a decimal number of the quote currency.
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        /// Token account to pay from [default: the signer's associated token account].
        #[arg(long, value_name = "ADDRESS")]
        token_account: Option<Pubkey>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Pay what a market that was closed has left to the treasury, 30 days after its end; anybody.
    Withdraw {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        sending: Sending,
    },
    /// Move tokens between the vaults until the insurance vault of a market holds what its ledger
    /// says.
    Sweep {
        /// Number, name or address of the market.
        #[arg(long, value_name = "MARKET")]
        market: String,
        #[command(flatten)]
        sending: Sending,
    },
}

/// The insurance of a market as it is printed.
#[derive(Clone, Debug, Serialize)]
pub struct InsuranceView {
    market_index: u16,
    market: String,
    slot: u64,
    ledger_atoms: u64,
    ledger: String,
    vault: String,
    vault_atoms: u64,
    /// What a sweep would move into the vault; negative out of it.
    unswept_atoms: i128,
    /// What somebody has sent straight to the vault: a sweep gives it to insurance.
    stray_atoms: u64,
    available_atoms: u64,
    available: String,
    /// The part of the ledger that is staked.
    staked_atoms: u64,
    draw_cap_bps: u32,
    window_slots: u64,
    /// What was paid lately, as the cap counts it.
    paid_atoms: u64,
    /// Whether it pays nothing until what was paid lately is no more than the resume level.
    limited: bool,
    resume_bps: u32,
}

impl InsuranceView {
    /// Of a market and what its insurance vault holds.
    pub fn new(state: &MarketState, vault_atoms: u64) -> Result<Self> {
        let risk = &state.market.risk;
        let ledger = state
            .market
            .insurance_fund()
            .at(risk, state.slot)
            .computed()?;
        let available = state.insurance_available()?;
        let stray = stray(&state.market, vault_atoms);
        let collateral = state.units.collateral;
        Ok(Self {
            market_index: state.market.index,
            market: state.name(),
            slot: state.slot,
            ledger_atoms: ledger.balance,
            ledger: collateral.text(ledger.balance.into()),
            vault: state.market.insurance_vault.to_string(),
            vault_atoms,
            unswept_atoms: i128::from(ledger.balance) + i128::from(stray) - i128::from(vault_atoms),
            stray_atoms: stray,
            available_atoms: available,
            available: collateral.text(available.into()),
            draw_cap_bps: risk.insurance_draw_cap_bps,
            staked_atoms: ledger.staked,
            window_slots: risk.insurance_window_slots,
            paid_atoms: ledger.window.total().computed()?,
            limited: ledger.limited,
            resume_bps: risk.insurance_resume_bps,
        })
    }

    fn row(&self, state: &MarketState) -> [String; 7] {
        let atoms = |atoms: u64| state.units.collateral.show(atoms.into());
        [
            self.market.clone(),
            atoms(self.ledger_atoms),
            atoms(self.vault_atoms),
            atoms(self.available_atoms),
            atoms(self.staked_atoms),
            percent_of_bps(self.draw_cap_bps.into()),
            match (self.limited, self.paid_atoms) {
                (true, paid) => format!(
                    "{}, limited until {}",
                    atoms(paid),
                    percent_of_bps(self.resume_bps.into())
                ),
                (false, 0) => "none".to_owned(),
                (false, paid) => atoms(paid),
            },
        ]
    }
}

/// What a vault of `vault` atoms holds that nobody's ledger has.
fn stray(market: &Market, vault: u64) -> u64 {
    market.vault_total().stray(vault).unwrap_or(0)
}

/// The insurance of several markets as a table.
pub fn table(views: &[InsuranceView], states: &[MarketState]) -> String {
    let mut table = Table::new(&[
        "market",
        ">ledger",
        ">vault",
        ">may pay now",
        ">staked",
        ">cap of a window",
        ">paid lately",
    ]);
    for (view, state) in views.iter().zip(states) {
        table.row(view.row(state));
    }
    let mut text = table.render();
    for view in views
        .iter()
        .filter(|view| view.unswept_atoms != 0 || view.stray_atoms > 0)
    {
        text.push_str(&format!(
            "\n\nLedger and vault of {0} differ; `ballast insurance sweep --market {0}` brings them level.",
            view.market
        ));
    }
    text
}

/// Runs `ballast insurance`.
pub async fn run(session: &Session, args: &InsuranceArgs) -> Result<()> {
    match &args.action {
        None => show(session, args.market.as_deref()).await,
        Some(Action::Donate {
            amount,
            market,
            token_account,
            sending,
        }) => donate(session, amount, market, *token_account, *sending).await,
        Some(Action::Sweep { market, sending }) => sweep(session, market, *sending).await,
        Some(Action::Withdraw { market, sending }) => withdraw(session, market, *sending).await,
    }
}

async fn show(session: &Session, selector: Option<&str>) -> Result<()> {
    let decimals = session.exchange().await?.mint_decimals;
    let markets = match selector {
        Some(selector) => vec![session.find(selector).await?],
        None => session.cluster.markets().await?,
    };
    let (mut states, mut views) = (Vec::new(), Vec::new());
    for (address, market) in markets {
        let state = session
            .state(&address, &market, decimals, Parts::Market)
            .await?;
        let vault = session.tokens(&market.insurance_vault).await?;
        views.push(InsuranceView::new(&state, vault.unwrap_or(0))?);
        states.push(state);
    }
    session.answer(&views, || table(&views, &states))
}

async fn donate(
    session: &Session,
    amount: &str,
    market: &str,
    token_account: Option<Pubkey>,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let (address, market) = session.find(market).await?;
    let (collateral, units) = quote_currency(session).await?;
    let amount = units.atoms(amount)?;
    let owner = signer.pubkey();
    let source = source(session, &owner, token_account, (&collateral, units), amount).await?;
    let name = super::state::name_of(&market);
    let plan = Plan {
        command: "insurance donate",
        purpose: format!(
            "Give {} to the insurance of {name}",
            units.show(amount.into())
        ),
        instructions: vec![build::DonateInsurance {
            donor: owner,
            market: address,
            source,
            collateral,
            amount,
        }
        .instruction()],
        names: Names {
            collateral: units,
            market: None,
        },
    };
    writing::perform(session, signer, plan, sending).await
}

/// What a sweep says of a vault that is level.
#[derive(Clone, Debug, Serialize)]
struct Level {
    command: &'static str,
    market: String,
    /// Always true: nothing was sent.
    level: bool,
    vault_atoms: u64,
}

async fn sweep(session: &Session, market: &str, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let (address, market) = session.find(market).await?;
    let (collateral, units) = quote_currency(session).await?;
    let name = super::state::name_of(&market);
    let vault = session.tokens(&market.insurance_vault).await?;
    let level = vault == Some(market.insurance.balance);
    if level && stray(&market, market.insurance.balance) == 0 {
        let level = Level {
            command: "insurance sweep",
            market: name,
            level: true,
            vault_atoms: market.insurance.balance,
        };
        return session.answer(&level, || {
            format!(
                "The insurance vault of {} holds {}, as its ledger says: there is nothing to move.",
                level.market,
                units.show(level.vault_atoms.into())
            )
        });
    }
    let plan = Plan {
        command: "insurance sweep",
        purpose: format!(
            "Bring insurance vault {} of {name} level with its ledger",
            addresses::insurance_vault(&address)
        ),
        instructions: vec![build::SweepInsurance {
            market: address,
            collateral,
        }
        .instruction()],
        names: Names {
            collateral: units,
            market: None,
        },
    };
    writing::perform(session, signer, plan, sending).await
}
async fn withdraw(session: &Session, market: &str, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let (address, market) = session.find(market).await?;
    let (collateral, units) = quote_currency(session).await?;
    let treasury = session.exchange().await?.treasury;
    let plan = Plan {
        command: "insurance withdraw",
        purpose: format!(
            "Pay {} that insurance of {} has left to treasury {treasury}",
            units.show(market.insurance_fund().own().into()),
            super::state::name_of(&market)
        ),
        instructions: vec![build::WithdrawInsurance {
            market: address,
            treasury,
            collateral,
        }
        .instruction()],
        names: Names {
            collateral: units,
            market: None,
        },
    };
    writing::perform(session, signer, plan, sending).await
}
