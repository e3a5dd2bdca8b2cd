//! What a test does to a market: prices, the clock and gifts, as methods and over HTTP.
//!
//! | `POST` | body | does |
//! |---|---|---|
//! | `/control/price` | `{"ticks": 193000}`, with `"confidence_ticks"` and `"average_ticks"` if wanted | publishes it from now on |
//! | `/control/publish` | `{"on": false}` | whether the price is published again with every slot |
//! | `/control/clock` | `{"seconds": 60}` | lets time pass, and the slots it holds |
//! | `/control/fund` | `{"address": "...", "lamports": 1, "atoms": 1}` | gives SOL and collateral |

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::Router;
use ballast_sandbox::{MarketCookie, Quote, Sandbox};
use ballast_state::Pubkey;
use serde::de::DeserializeOwned;
use serde::Deserialize;

use crate::chain::Chain;
use crate::serve::lock;

/// Publishes prices and moves the clock.
pub struct Desk {
    pub(crate) chain: Arc<Mutex<Chain>>,
    published: Mutex<Published>,
}

/// What is published, and how far the clock is ahead of this machine's.
#[derive(Default)]
struct Published {
    price: Option<(MarketCookie, Price)>,
    paused: bool,
    ahead: i64,
}

/// A price in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Price {
    /// The price itself.
    pub ticks: u64,
    /// Half width of the confidence interval.
    #[serde(default)]
    pub confidence_ticks: u64,
    /// Moving average; the price itself where it is left out.
    pub average_ticks: Option<u64>,
}

impl Price {
    /// A certain price.
    #[must_use]
    pub const fn certain(ticks: u64) -> Self {
        Self {
            ticks,
            confidence_ticks: 0,
            average_ticks: None,
        }
    }
}

impl Desk {
    pub(crate) fn new(chain: Chain) -> Self {
        Self {
            chain: Arc::new(Mutex::new(chain)),
            published: Mutex::default(),
        }
    }

    fn published<T>(&self, work: impl FnOnce(&mut Published) -> T) -> T {
        work(
            &mut self
                .published
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Publishes a market's price now and with every slot that begins.
    pub fn publish(&self, market: &MarketCookie, price: Price) {
        self.published(|published| published.price = Some((market.clone(), price)));
        lock(&self.chain).change(|sandbox| set(sandbox, market, price));
    }

    /// Begins a slot at this time of the machine, unix seconds, and publishes the price again.
    pub fn tick(&self, now: i64) {
        let (price, ahead) = self.published(|published| {
            let price = published.price.clone().filter(|_| !published.paused);
            (price, published.ahead)
        });
        let mut chain = lock(&self.chain);
        chain.tick(now + ahead);
        if let Some((market, price)) = price {
            chain.change(|sandbox| set(sandbox, &market, price));
        }
    }

    /// Lets whole seconds pass, and the slots they hold; the clock stays ahead of this machine's.
    pub fn pass(&self, seconds: u32) {
        self.published(|published| published.ahead += i64::from(seconds));
        lock(&self.chain).pass(u64::from(seconds));
    }

    /// Gives an address SOL, in lamports, and collateral, in atoms.
    ///
    /// # Errors
    /// When the tokens cannot be made.
    pub fn fund(&self, address: &Pubkey, lamports: u64, atoms: u64) -> Result<(), String> {
        lock(&self.chain).change(|sandbox| {
            let had = sandbox.account(address).map_or(0, |it| it.lamports);
            sandbox.fund(address, had.saturating_add(lamports));
            if atoms == 0 {
                return Ok(());
            }
            let (mint, program) = (sandbox.mint(), sandbox.token_program());
            let tokens = sandbox.create_token_account(address, &mint, &program);
            tokens
                .and_then(|tokens| sandbox.mint_to(&tokens, atoms))
                .map(drop)
                .map_err(|error| error.to_string())
        })
    }
}

fn set(sandbox: &mut Sandbox, market: &MarketCookie, price: Price) {
    let quote = Quote {
        ticks: price.ticks,
        conf_ticks: price.confidence_ticks,
        ema_ticks: price.average_ticks.unwrap_or(price.ticks),
        publish_time: sandbox.time(),
    };
    sandbox.set_quote(market, &quote);
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

#[derive(Deserialize)]
struct Span {
    seconds: u32,
}

#[derive(Deserialize)]
struct Gift {
    address: String,
    #[serde(default)]
    lamports: u64,
    #[serde(default)]
    atoms: u64,
}

type Said = Result<&'static str, (StatusCode, String)>;

/// The pages under `/control`.
pub(crate) fn pages(desk: Arc<Desk>) -> Router<()> {
    Router::new()
        .route("/price", post(price))
        .route("/publish", post(publish))
        .route("/clock", post(clock))
        .route("/fund", post(fund))
        .with_state(desk)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| refused(error.to_string()))
}

const fn refused(problem: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, problem)
}

async fn price(State(desk): State<Arc<Desk>>, body: Bytes) -> Said {
    let price: Price = read(&body)?;
    let market = desk.published(|it| it.price.as_ref().map(|(market, _)| market.clone()));
    let market = market.ok_or_else(|| refused("there is no market: --seed-market".to_owned()))?;
    desk.publish(&market, price);
    Ok("ok")
}

async fn publish(State(desk): State<Arc<Desk>>, body: Bytes) -> Said {
    let switch: Switch = read(&body)?;
    desk.published(|published| published.paused = !switch.on);
    Ok("ok")
}

async fn clock(State(desk): State<Arc<Desk>>, body: Bytes) -> Said {
    let span: Span = read(&body)?;
    desk.pass(span.seconds);
    Ok("ok")
}

async fn fund(State(desk): State<Arc<Desk>>, body: Bytes) -> Said {
    let gift: Gift = read(&body)?;
    let address = gift.address.parse();
    let address = address.map_err(|_| refused(format!("`{}` is no address", gift.address)))?;
    desk.fund(&address, gift.lamports, gift.atoms)
        .map_err(refused)?;
    Ok("ok")
}
