//! Traders: wallets of their own, accounts, deposits, trades.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::instructions::orders;
use ballast_client::instructions::trader::{self, Party};
use ballast_client::token::associated_token;
use ballast_client::{accounts, addresses};
use ballast_rpc::sender::Landed;
use ballast_state::instructions::BlockTradeArgs;
use ballast_state::order_args::PlaceOrderArgs;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::venue::Venue;

/// Somebody who trades.
pub struct Person {
    /// Who they are in messages.
    pub name: String,
    /// Key of their wallet, which owns the trader account.
    pub owner: Keypair,
    /// Their trader account.
    pub trader: Pubkey,
}

impl Person {
    fn party(&self) -> Party {
        Party {
            trader: self.trader,
            authority: self.owner.pubkey(),
        }
    }
}

impl Venue {
    /// A new wallet with tokens, all deposited in a new trader account. The mint authority pays.
    ///
    /// # Errors
    /// When the transaction does not land.
    pub async fn person(&self, name: String, atoms: u64) -> Result<Person> {
        self.person_of(name, Keypair::new(), atoms).await
    }

    /// The same for a wallet that is there.
    ///
    /// # Errors
    /// When the transaction does not land.
    pub async fn person_of(&self, name: String, owner: Keypair, atoms: u64) -> Result<Person> {
        let (admin, wallet) = (self.sender.payer(), owner.pubkey());
        let tokens = associated_token(&wallet, &self.collateral);
        let account = addresses::trader(&wallet, 0);
        let [create, mint] = self.wealth(&wallet, atoms)?;
        let instructions = [
            create,
            mint,
            trader::CreateTrader {
                payer: admin,
                owner: wallet,
                sub_id: 0,
            }
            .instruction(),
            trader::Deposit {
                depositor: wallet,
                trader: account,
                source: tokens,
                collateral: self.collateral,
                amount: atoms,
            }
            .instruction(),
        ];
        let landed = self.send(&instructions, &[&owner]).await;
        landed.with_context(|| format!("{name} could not be set up"))?;
        Ok(Person {
            name,
            owner,
            trader: account,
        })
    }

    /// A trade that two agreed on.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn trade(
        &self,
        taker: &Person,
        maker: &Person,
        terms: BlockTradeArgs,
    ) -> Result<Landed> {
        let trade = trader::BlockTrade {
            keys: self.keys,
            taker: taker.party(),
            maker: maker.party(),
            args: terms,
        }
        .instruction();
        let landed = self.send(&[trade], &[&taker.owner, &maker.owner]).await;
        landed.with_context(|| format!("{} did not trade with {}", taker.name, maker.name))
    }

    /// An order; `makers` are those whose orders it may meet.
    ///
    /// # Errors
    /// When it does not land.
    pub async fn order(
        &self,
        person: &Person,
        order: PlaceOrderArgs,
        makers: &[Pubkey],
    ) -> Result<Landed> {
        let authority = person.owner.pubkey();
        let place = orders::PlaceOrder {
            authority,
            keys: self.keys,
            trader: person.trader,
            args: order,
            makers,
        }
        .instruction();
        let landed = self.send(&[place], &[&person.owner]).await;
        landed.with_context(|| format!("the order of {} failed", person.name))
    }

    /// Signed lots of a trader's position; 0 without one.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn lots(&self, trader: &Pubkey) -> Result<i64> {
        let (_, found) = self.cluster.accounts(&[*trader]).await?;
        let account = found.into_iter().flatten().next();
        let account = account.context("the trader account is gone")?;
        let state = accounts::trader(&account.data)?;
        let slot = state.find(&self.keys.market);
        Ok(slot
            .and_then(|index| state.positions.get(index))
            .map_or(0, |position| position.lots))
    }
}
