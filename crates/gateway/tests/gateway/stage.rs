//! A market with people in it behind a node, and gateways that follow it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use ballast_client::moment::Moment;
use ballast_client::ranking::{plan, Request};
use ballast_engine::units::Side;
use ballast_gateway::chain::history;
use ballast_gateway::config::Config;
use ballast_gateway::gateway::Gateway;
use ballast_gateway::store::read::everything;
use ballast_gateway::store::sql::Line;
use ballast_gateway::{api, follow, Tasks};
use ballast_node::scene::{self, Scene, USD};
use ballast_node::{Node, Settings};
use ballast_sandbox::{Options, Sandbox, TraderCookie};
use ballast_state::book_account::OrderSide;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs};
use serde_json::Value;

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Serves pages at an address of its own; its URL.
pub async fn opened(pages: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, pages).await });
    url
}

/// A market behind a node, all of whose transactions are history.
pub struct Stage {
    pub node: Node,
    pub scene: Scene,
    pub keeper: TraderCookie,
}

impl Stage {
    pub async fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let options = Options {
            start_time: since.map_or(0, |since| since.as_secs().cast_signed()),
            ..Options::default()
        };
        let sandbox = Sandbox::empty(&options).expect("the built program");
        let node = Node::serve(sandbox, Settings::default()).await;
        let node = node.expect("free ports");
        let (scene, keeper) = node.with(|sandbox| {
            sandbox.initialize_exchange().expect("an exchange");
            let scene = scene::seed(sandbox).expect("a market");
            let keeper = sandbox.create_trader(100_000 * USD).expect("a keeper");
            (scene, keeper)
        });
        Self {
            node,
            scene,
            keeper,
        }
    }

    /// Lets slots pass.
    pub fn pass(&self, slots: u64) {
        self.node.with(|sandbox| sandbox.advance_slots(slots));
    }

    /// A price.
    pub fn price(&self, ticks: u64) {
        self.node
            .with(|sandbox| sandbox.set_price(&self.scene.market, ticks));
    }

    /// Somebody deposits an atom, a slot later.
    pub fn deposit(&self) {
        self.node.with(|sandbox| {
            sandbox.advance_slots(1);
            let deposited = sandbox.deposit(&self.scene.shorts[5], 1);
            deposited.expect("a deposit");
        });
    }

    /// Somebody buys a little from the maker, a slot later.
    pub fn buy(&self, lots: u64) {
        self.node.with(|sandbox| {
            sandbox.advance_slots(1);
            sandbox.set_price(&self.scene.market, 200_000);
            let taken = PlaceOrderArgs {
                side: OrderSide::Bid,
                kind: OrderKind::Market,
                lots,
                ..PlaceOrderArgs::default()
            };
            let taker = &self.scene.shorts[5];
            let maker = [self.scene.maker.address];
            let placed = sandbox.place_order(&self.scene.market, taker, taken, &maker);
            placed.expect("an order");
        });
    }

    /// The maker leaves and the price falls by a tenth: the first longs are liquidated and deleveraged.
    pub fn crash(&self) {
        let (market, keeper) = (&self.scene.market, &self.keeper);
        let mut refused = Vec::new();
        self.node.with(|sandbox| {
            let left = sandbox.cancel_all_orders(market, &self.scene.maker, None);
            left.expect("the orders");
        });
        for ticks in [193_000, 180_000] {
            self.pass(2);
            self.price(ticks);
            self.node.with(|sandbox| {
                for long in &self.scene.longs {
                    // Only some of them are to be liquidated.
                    let step = sandbox.liquidate(market, &long.address, keeper, 500 * USD);
                    refused.extend(step.err().map(|error| format!("{:?}", error.name)));
                    let _ = sandbox.flag_bankruptcy(market, &long.address);
                }
            });
        }
        self.pass(200);
        self.price(180_000);
        self.node.with(|sandbox| {
            for long in &self.scene.longs {
                let Some(slot) = sandbox.position(market, &long.address) else {
                    continue;
                };
                let queue = sandbox.queue(market, Side::Short);
                let moment = Moment {
                    slot: sandbox.slot(),
                    unix_timestamp: sandbox.time(),
                    price_ticks: 180_000,
                };
                let request = Request {
                    bankrupt: long.address,
                    max_counterparties: 8,
                    spares: 0,
                };
                let stored = sandbox.market(market);
                let queue = queue.queue().expect("a queue");
                match plan(&stored, &queue, &slot, &moment, &request) {
                    Ok(round) => {
                        let done = sandbox.auto_deleverage_plan(market, keeper, &round);
                        refused.extend(done.err().map(|error| format!("{:?}", error.name)));
                    }
                    // Not everybody is bankrupt.
                    Err(error) => refused.push(format!("{error:?}")),
                }
            }
            let stored = sandbox.market(market);
            assert!(
                stored.liquidations > 0,
                "nobody was liquidated: {refused:?}"
            );
            assert!(stored.adl_rounds > 0, "nobody was deleveraged: {refused:?}");
        });
        // So that all of it is final.
        self.pass(40);
    }

    /// A configuration for a gateway that follows it.
    pub fn config(&self, store: &str) -> Config {
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[[node]]\nrpc = \"{}\"\nwebsocket = \"{}\"\n[follow]\nfinal_ms = 50\npoll_ms = 200\n[store]\n{store}\n",
            self.node.url(),
            self.node.websocket_url()
        );
        Config::parse(&text).expect("a configuration")
    }

    /// A gateway with its history in a file, which follows nothing yet.
    pub async fn in_file(&self, path: &Path) -> Arc<Gateway> {
        let config = self.config(&format!("sqlite = \"{}\"", path.display()));
        Gateway::open(config).await.expect("a database")
    }

    /// A gateway that follows the chain and is asked at an address.
    pub async fn served(&self, path: &Path) -> Served {
        let gateway = self.in_file(path).await;
        serve(gateway).await
    }
}

/// Begins to follow and to answer.
pub async fn serve(gateway: Arc<Gateway>) -> Served {
    let following = follow(&gateway);
    let (address, serving) = api::serve(&gateway).await.expect("a port");
    let served = Served {
        gateway,
        address,
        _tasks: [following, serving],
    };
    served
        .until("/health", |health| {
            health["status"] == "healthy" && health["history"]["compared_seconds_ago"].is_number()
        })
        .await;
    served
}

/// A gateway that answers, until this is dropped.
pub struct Served {
    pub gateway: Arc<Gateway>,
    pub address: SocketAddr,
    _tasks: [Tasks; 2],
}

impl Served {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What a page answers, which must be JSON.
    pub async fn json(&self, path: &str) -> Value {
        let answer = reqwest::get(self.url(path)).await.expect("an answer");
        let text = answer.text().await.expect("text");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"))
    }

    /// Asks a page again and again until it answers what is wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut looks = tokio::time::interval(LOOK);
        let begun = std::time::Instant::now();
        loop {
            looks.tick().await;
            let said = self.json(path).await;
            if wanted(&said) {
                return said;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} still says {said}");
        }
    }
}

/// Reads everything that the node has.
pub async fn read_once(gateway: &Arc<Gateway>) {
    history::once(gateway).await.expect("history");
}

/// Every row that follows from the chain.
pub async fn rows(gateway: &Gateway) -> Vec<Line> {
    gateway
        .store
        .read(|sql| everything(sql))
        .await
        .expect("rows")
}
