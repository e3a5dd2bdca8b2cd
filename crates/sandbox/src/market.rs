//! The exchange and its markets: set-up, authorities and prices.

use ballast_client::addresses;
use ballast_client::instructions::admin::{self, MarketAccounts};
use ballast_client::instructions::{Collateral, MarketKeys};
use ballast_state::instructions::CreateMarketArgs;
use ballast_state::instructions::InitializeExchangeArgs;
use ballast_state::pause::LONGEST_PAUSE_SLOTS;
use ballast_state::staged::Change;
use ballast_state::Pubkey;
use solana_account::Account;
use solana_signer::Signer;

use crate::config::{MarketConfig, Options, PriceSource};
use crate::cookie::MarketCookie;
use crate::outcome::{TxError, TxResult};
use crate::pyth::{PythPrice, EXPONENT, PULL_PROGRAM, PUSH_PROGRAM};
use crate::world::{Sandbox, SetupError};

/// A price to publish, in ticks of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The price itself.
    pub ticks: u64,
    /// Half width of the confidence interval.
    pub conf_ticks: u64,
    /// Moving average.
    pub ema_ticks: u64,
    /// Unix seconds of publication.
    pub publish_time: i64,
}

impl Sandbox {
    /// A sandbox with an initialised exchange and the default SOL market.
    pub fn with_sol_market(options: &Options) -> Result<(Self, MarketCookie), SetupError> {
        Self::with_market(options, &MarketConfig::sol())
    }

    /// A sandbox with an initialised exchange and one market.
    pub fn with_market(
        options: &Options,
        config: &MarketConfig,
    ) -> Result<(Self, MarketCookie), SetupError> {
        let mut sandbox = Self::empty(options)?;
        sandbox.initialize_exchange()?;
        let market = sandbox.create_market(config)?;
        Ok((sandbox, market))
    }

    /// The collateral mint and its token program.
    pub fn collateral(&self) -> Collateral {
        Collateral {
            mint: self.mint(),
            token_program: self.token_program(),
        }
    }

    /// Creates the exchange; the sandbox's admin holds every role.
    pub fn initialize_exchange(&mut self) -> TxResult {
        let instruction = admin::InitializeExchange {
            payer: self.payer(),
            admin: self.admin(),
            collateral: self.collateral(),
            args: InitializeExchangeArgs {
                risk_authority: self.admin(),
                guardian: self.admin(),
            },
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Creates a zeroed account of `space` bytes (at most 10 MiB) owned by the
    /// program, at the top level of a transaction, as queues and books must be.
    pub fn create_program_account(&mut self, space: usize) -> Result<Pubkey, TxError> {
        let keypair = self.next_keypair();
        let instruction = solana_system_interface::instruction::create_account(
            &self.payer(),
            &keypair.pubkey(),
            self.rent(space),
            space as u64,
            &ballast_state::ID,
        );
        self.send(&[instruction], &[&keypair])?;
        Ok(keypair.pubkey())
    }

    /// Creates a market with two new queues, a book and a price account, and publishes
    /// its start price.
    pub fn create_market(&mut self, config: &MarketConfig) -> Result<MarketCookie, TxError> {
        self.create_market_after(config, 0)
    }

    /// The same, so many slots after the market was staged.
    pub fn create_market_after(
        &mut self,
        config: &MarketConfig,
        slots: u64,
    ) -> Result<MarketCookie, TxError> {
        let space = addresses::queue_space(config.queue_capacity);
        let accounts = MarketAccounts {
            queue_long: self.create_program_account(space)?,
            queue_short: self.create_program_account(space)?,
            book: self.create_program_account(addresses::book_space(config.book_capacity))?,
        };
        let price = self.next_keypair().pubkey();
        let index = self.exchange().market_count;
        let args = CreateMarketArgs {
            name: config.name,
            oracle: config.oracle(price),
            risk: config.risk,
        };
        let staged = self.stage(Change::CreateMarket(args), None)?;
        if slots > 0 {
            self.advance_slots(slots);
        }
        let instruction = admin::CreateMarket {
            payer: self.payer(),
            admin: self.admin(),
            index,
            accounts,
            collateral: self.collateral(),
            staged,
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])?;
        let market = addresses::market(index);
        let cookie = MarketCookie {
            index,
            keys: MarketKeys {
                market,
                queue_long: accounts.queue_long,
                queue_short: accounts.queue_short,
                book: accounts.book,
                price,
            },
            insurance_vault: addresses::insurance_vault(&market),
            config: config.clone(),
        };
        self.markets.push(cookie.clone());
        self.set_price(&cookie, config.start_price_ticks);
        Ok(cookie)
    }

    /// Pauses for as long as the flags may last, signed by the admin; without flags lifts it.
    pub fn set_pause(&mut self, flags: u32) -> TxResult {
        let instruction = admin::SetPause {
            authority: self.admin(),
            flags,
            slots: LONGEST_PAUSE_SLOTS,
        }
        .instruction();
        self.send(&[instruction], &[&self.admin_keypair()])
    }

    /// Publishes a certain price (confidence 0, moving average equal) now.
    pub fn set_price(&mut self, market: &MarketCookie, ticks: u64) {
        let publish_time = self.time();
        self.set_quote(
            market,
            &Quote {
                ticks,
                conf_ticks: 0,
                ema_ticks: ticks,
                publish_time,
            },
        );
    }

    /// Publishes a quote for a market.
    pub fn set_quote(&mut self, market: &MarketCookie, quote: &Quote) {
        let price = market.pyth_price(quote, self.slot());
        self.set_pyth_price(market, &price);
    }

    /// Writes a market's price account, in the layout of the market's source.
    pub fn set_pyth_price(&mut self, market: &MarketCookie, price: &PythPrice) {
        let (owner, data) = match market.config.source {
            PriceSource::Pull => (PULL_PROGRAM, price.pull_account_data()),
            PriceSource::Push => (PUSH_PROGRAM, price.push_account_data()),
        };
        let account = Account {
            lamports: self.rent(data.len()),
            data,
            owner,
            executable: false,
            rent_epoch: u64::MAX,
        };
        self.set_account(&market.keys.price, account);
    }
}

impl MarketCookie {
    /// A quote as Pyth would publish it: mantissas of exponent -8, or -9 where ticks are that small.
    ///
    /// # Panics
    /// If a mantissa leaves the range of an `i64`.
    pub fn pyth_price(&self, quote: &Quote, slot: u64) -> PythPrice {
        let fine = !self.config.tick_nano.is_multiple_of(10);
        let mantissa = |ticks: u64| -> u64 {
            let nano = u128::from(ticks) * u128::from(self.config.tick_nano);
            let nano = if fine { nano } else { nano / 10 };
            u64::try_from(nano).expect("price fits a Pyth mantissa")
        };
        let signed = |ticks| i64::try_from(mantissa(ticks)).expect("price fits a Pyth mantissa");
        PythPrice {
            feed_id: self.config.feed_id,
            price: signed(quote.ticks),
            conf: mantissa(quote.conf_ticks),
            exponent: if fine { EXPONENT - 1 } else { EXPONENT },
            ema_price: signed(quote.ema_ticks),
            publish_time: quote.publish_time,
            posted_slot: slot,
            partial_signatures: None,
        }
    }
}
