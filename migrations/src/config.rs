//! What is to be set up: a file in TOML. `migrations/localnet.toml` explains every key.

use std::path::Path;

use anchor_lang::prelude::Pubkey;
use anyhow::anyhow;
use anyhow::{bail, Context, Result};
use ballast_client::addresses::{book_space, max_queue_capacity, MAX_ACCOUNT_BYTES};
use ballast_client::amount::{Unit, NANO_DECIMALS};
use ballast_client::price::feed_id;
use ballast_engine::risk::RiskParams;
use ballast_risk::file::RiskFile;
use ballast_state::book_account::MIN_BOOK_ORDERS;
use ballast_state::exchange::Delays;
use ballast_state::market::NAME_BYTES;
use ballast_state::oracle_config::{OracleConfig, ORACLE_PULL, ORACLE_PUSH};
use serde::Deserialize;

/// What the file of a deployment says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Authorities and collateral of the exchange.
    #[serde(default)]
    pub exchange: Exchange,
    /// Its markets, in the order of their creation.
    #[serde(default)]
    pub markets: Vec<Market>,
}

/// Authorities and collateral of the exchange.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Mint of the quote currency.
    pub mint: Option<String>,
    /// Who sets risk parameters; the admin by default.
    pub risk_authority: Option<String>,
    /// Who pauses; the admin by default.
    pub guardian: Option<String>,
    /// Slots for which risk parameters wait.
    #[serde(default = "risk_delay")]
    pub risk_delay_slots: u64,
    /// Slots for which everything else waits.
    #[serde(default = "admin_delay")]
    pub admin_delay_slots: u64,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            mint: None,
            risk_authority: None,
            guardian: None,
            risk_delay_slots: risk_delay(),
            admin_delay_slots: admin_delay(),
        }
    }
}

impl Exchange {
    /// For how long changes wait.
    pub const fn delays(&self) -> Delays {
        Delays {
            risk_slots: self.risk_delay_slots,
            admin_slots: self.admin_delay_slots,
        }
    }
}

const fn risk_delay() -> u64 {
    Delays::DEFAULT.risk_slots
}

const fn admin_delay() -> u64 {
    Delays::DEFAULT.admin_slots
}

/// A market as it should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name, by which an existing one is found.
    pub name: String,
    /// Feed id of Pyth's pull oracle.
    pub feed_id: Option<String>,
    /// Price account of Pyth's legacy push oracle.
    pub push_account: Option<String>,
    /// Quote currency per base unit in one tick.
    pub tick: String,
    /// Base units in one lot.
    pub lot: String,
    /// Positions each queue has room for.
    pub queue_positions: usize,
    /// Orders a side the book has room for.
    pub book_orders: usize,
    /// Quote currency given to insurance when the market is created.
    #[serde(default = "nothing")]
    pub insurance: String,
    /// Risk parameters; in the file also the name of another file of nothing else, as `ballast calibrate`
    /// writes it, from the folder of this one on.
    pub risk: RiskFile,
}

fn nothing() -> String {
    "0".to_owned()
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, has unknown keys, or names a market twice.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = Self::of(&text, folder).and_then(Self::checked);
        config.with_context(|| format!("{} is not as it should be", path.display()))
    }

    /// The text of a file in that folder, with the risk parameters that other files state.
    fn of(text: &str, folder: &Path) -> Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        let markets = table.get_mut("markets").and_then(|all| all.as_array_mut());
        let risks = markets.into_iter().flatten();
        let mut is_elsewhere = false;
        for risk in risks.filter_map(|market| market.get_mut("risk")) {
            if let Some(file) = risk.as_str() {
                *risk = toml::Value::try_from(RiskFile::load(&folder.join(file))?)?;
                is_elsewhere = true;
            }
        }
        if is_elsewhere {
            return Ok(table.try_into()?);
        }
        // What is wrong is told with its line.
        Ok(toml::from_str(text)?)
    }

    fn checked(self) -> Result<Self> {
        let config = self;
        for (index, market) in config.markets.iter().enumerate() {
            let before = &config.markets[..index];
            if before.iter().any(|other| other.name == market.name) {
                bail!("the market {} is named twice", market.name);
            }
            market.padded_name()?;
            market.risk_params()?;
        }
        config.authorities()?;
        let delays = config.exchange.delays();
        delays
            .validate()
            .context("exchange.risk_delay_slots and exchange.admin_delay_slots")?;
        Ok(config)
    }

    /// Whether every key of the exchange is one.
    ///
    /// # Errors
    /// The first that is not.
    pub fn authorities(&self) -> Result<()> {
        let exchange = &self.exchange;
        for (field, named) in [
            ("mint", &exchange.mint),
            ("risk_authority", &exchange.risk_authority),
            ("guardian", &exchange.guardian),
        ] {
            if let Some(text) = named {
                key(text).with_context(|| format!("exchange.{field}"))?;
            }
        }
        Ok(())
    }
}

impl Market {
    /// The name as the program keeps it.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn padded_name(&self) -> Result<[u8; NAME_BYTES]> {
        let mut padded = [0; NAME_BYTES];
        let bytes = self.name.as_bytes();
        match padded.get_mut(..bytes.len()) {
            Some(room) if !bytes.is_empty() => room.copy_from_slice(bytes),
            _ => bail!("a market's name has 1 to {NAME_BYTES} bytes: {}", self.name),
        }
        Ok(padded)
    }

    /// Whether everything of it can be meant, over a quote currency of so many decimals.
    ///
    /// # Errors
    /// The first field that cannot, with its bounds.
    pub fn check(&self, mint_decimals: u8) -> Result<()> {
        let most = max_queue_capacity();
        let orders = (MAX_ACCOUNT_BYTES - book_space(0)) / (book_space(1) - book_space(0));
        for (field, value, least, most) in [
            ("queue_positions", self.queue_positions, 1, most),
            ("book_orders", self.book_orders, MIN_BOOK_ORDERS, orders),
        ] {
            if !(least..=most).contains(&value) {
                bail!(
                    "market {}: {field} is {value}, expected {least} to {most}",
                    self.name
                );
            }
        }
        self.padded_name()?;
        let unit_atoms = 10_u64.checked_pow(mint_decimals.into());
        self.risk_params_in(unit_atoms)?;
        self.insurance_atoms(mint_decimals)?;
        let oracle = self.oracle(mint_decimals)?;
        let checked = oracle.validate(mint_decimals);
        checked.map_err(|error| anyhow!("market {}: {error}", self.name))
    }

    /// The risk parameters.
    ///
    /// # Errors
    /// When the program would refuse them, amounts aside.
    pub fn risk_params(&self) -> Result<RiskParams> {
        self.risk_params_in(None)
    }

    fn risk_params_in(&self, unit_atoms: Option<u64>) -> Result<RiskParams> {
        let context = || format!("market {}", self.name);
        self.risk.params(unit_atoms).with_context(context)
    }

    /// What insurance is given when the market is created, atoms of a quote currency of so many
    /// decimals.
    ///
    /// # Errors
    /// When it is no number of atoms.
    pub fn insurance_atoms(&self, mint_decimals: u8) -> Result<u64> {
        let read = Unit::atom(mint_decimals).read(&self.insurance);
        read.map_err(|error| anyhow!("market {}: insurance {error}", self.name))
    }

    /// Price source and units, for a quote currency of so many decimals.
    ///
    /// # Errors
    /// Not exactly one price source; a lot at one tick that is no whole number of atoms.
    pub fn oracle(&self, mint_decimals: u8) -> Result<OracleConfig> {
        let named = |field: &str| format!("market {}: {field}", self.name);
        let (kind, feed_id, push_account) = match (&self.feed_id, &self.push_account) {
            (Some(feed), None) => {
                let feed = feed_id(feed).with_context(|| named("feed_id"))?;
                (ORACLE_PULL, feed, Pubkey::default())
            }
            (None, Some(account)) => {
                let account = key(account).with_context(|| named("push_account"))?;
                (ORACLE_PUSH, [0; 32], account)
            }
            _ => bail!("market {} needs one of feed_id and push_account", self.name),
        };
        let nano = |what: &str, text: &str| {
            let read = Unit::nano(1).read_above_zero(text);
            read.map_err(|error| anyhow!("market {}: {what} {error}", self.name))
        };
        let (tick_nano, lot_nano) = (nano("tick", &self.tick)?, nano("lot", &self.lot)?);
        let worth = u128::from(tick_nano) * u128::from(lot_nano);
        let one = 10_u128.pow(u32::from(mint_decimals));
        let nano_squared = 10_u128.pow(2 * u32::from(NANO_DECIMALS));
        let product = worth
            .checked_mul(one)
            .context("tick and lot are too large")?;
        if product % nano_squared != 0 {
            bail!(
                "market {}: a lot at one tick is not a whole number of atoms of the quote currency",
                self.name
            );
        }
        Ok(OracleConfig {
            kind,
            feed_id,
            push_account,
            tick_nano,
            atoms_per_lot_tick: u64::try_from(product / nano_squared)?,
            lot_nano,
            ..OracleConfig::default()
        })
    }
}

/// Reads an address in base58.
///
/// # Errors
/// When the text is none.
pub fn key(text: &str) -> Result<Pubkey> {
    match text.parse() {
        Ok(key) => Ok(key),
        Err(problem) => bail!("`{text}` is not an address ({problem})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALNET: &str = include_str!("../localnet.toml");

    fn parse(text: &str) -> Result<Config> {
        Config::of(text, Path::new("")).and_then(Config::checked)
    }

    #[test]
    fn risk_parameters_may_stand_in_a_file_of_their_own() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/risk-file-test");
        std::fs::create_dir_all(&folder).unwrap();
        let whole = parse(LOCALNET).unwrap();
        let risk = toml::to_string(&whole.markets[0].risk).unwrap();
        std::fs::write(folder.join("risk.toml"), risk).unwrap();
        let before = &LOCALNET[..LOCALNET.find("[markets.risk]").unwrap()];
        std::fs::write(
            folder.join("deploy.toml"),
            format!("{before}\nrisk = \"risk.toml\"\n"),
        )
        .unwrap();
        let config = Config::read(&folder.join("deploy.toml")).unwrap();
        assert_eq!(config.markets[0].risk, whole.markets[0].risk);
        std::fs::write(folder.join("risk.toml"), "taker_fee_bps = 5").unwrap();
        let error = Config::read(&folder.join("deploy.toml")).unwrap_err();
        assert!(
            format!("{error:#}").contains("states no risk parameters"),
            "{error:#}"
        );
    }

    #[test]
    fn the_file_for_a_local_cluster_is_one_the_program_accepts() {
        let config = parse(LOCALNET).unwrap();
        let market = &config.markets[0];
        let oracle = market.oracle(6).unwrap();
        assert!(oracle.validate(6).is_ok());
        assert_eq!(oracle.atoms_per_lot_tick, 1);
        assert_eq!(&market.padded_name().unwrap()[..9], b"SOL-PERP\0");
        assert!(market.check(6).is_ok());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let twice = format!(
            "{LOCALNET}\n{}",
            &LOCALNET[LOCALNET.find("[[markets]]").unwrap()..]
        );
        assert!(parse(&twice).is_err(), "named twice");
        let unknown = LOCALNET.replace("taker_fee_bps", "taker_fees_bps");
        assert!(parse(&unknown).is_err(), "unknown key");
        let config = parse(LOCALNET).unwrap();
        let mut market = config.markets[0].clone();
        assert!(market.oracle(5).is_err(), "a tenth of an atom");
        market.insurance = "0.0000001".to_owned();
        let error = market.insurance_atoms(6).unwrap_err().to_string();
        assert!(
            error.contains("SOL-PERP: insurance 0.0000001 is not"),
            "{error}"
        );
        market.tick = "0".to_owned();
        let error = market.oracle(6).unwrap_err().to_string();
        assert!(error.contains("tick 0 is not above zero"), "{error}");
        market.push_account = Some(Pubkey::default().to_string());
        assert!(market.oracle(6).is_err(), "two price sources");
        market.name = "A-VERY-LONG-MARKET-NAME".to_owned();
        assert!(market.padded_name().is_err());
    }

    #[test]
    fn a_file_is_checked_as_a_whole_with_field_and_bound() {
        let config = parse(LOCALNET).unwrap();
        let market = &config.markets[0];
        market.check(6).unwrap();
        let refusal = |change: fn(&mut Market)| {
            let mut market = market.clone();
            change(&mut market);
            format!("{:#}", market.check(6).unwrap_err())
        };
        assert_eq!(
            refusal(|market| market.queue_positions = 1_000_000),
            "market SOL-PERP: queue_positions is 1000000, expected 1 to 100822"
        );
        assert!(refusal(|market| market.book_orders = 2).contains("book_orders is 2, expected 16"));
        let feed = refusal(|market| market.feed_id = Some("0xef".to_owned()));
        assert!(feed.contains("SOL-PERP: feed_id"), "{feed}");
        let tick = refusal(|market| market.tick = "0.0000000001".to_owned());
        assert!(tick.contains("SOL-PERP: tick"), "{tick}");
        let authority = LOCALNET.replace("[exchange]", "[exchange]\nrisk_authority = 'x'");
        let error = format!("{:#}", parse(&authority).unwrap_err());
        assert!(error.contains("exchange.risk_authority"), "{error}");
    }

    #[test]
    fn a_risk_refusal_names_fields_and_values() {
        let text = LOCALNET.replace("price_band_bps = 500", "price_band_bps = 20000");
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(
            error.contains("risk.price_band_bps is 20000, allowed 10 to 3000"),
            "{error}"
        );
        let text = LOCALNET.replace(
            "initial_margin_bps = 500, maintenance_margin_bps = 250",
            "initial_margin_bps = 200, maintenance_margin_bps = 250",
        );
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(
            error.contains("risk.tiers[0].initial_margin_bps is 200, allowed 500 to 10000"),
            "{error}"
        );
        let text = LOCALNET.replace(
            "open_interest_upper_bps = 0",
            "open_interest_upper_bps = 5000",
        );
        assert!(parse(&text).is_ok());
        let text = text.replace(
            "open_interest_lower_bps = 0",
            "open_interest_lower_bps = 5000",
        );
        let error = format!("{:#}", parse(&text).unwrap_err());
        assert!(
            error.contains("risk.open_interest_lower_bps is 5000, allowed 0 to 4999"),
            "{error}"
        );
    }
}
