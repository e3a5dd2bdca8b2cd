//! A node over the embedded exchange, as its clients speak to it: `crates/rpc`, and JSON by hand.

mod control;
mod faults;
mod reading;
mod sending;
mod sockets;

use std::sync::Arc;

use ballast_node::scene::{self, Scene};
use ballast_node::{Node, Settings};
use ballast_rpc::cluster::Cluster;
use ballast_rpc::endpoint::Endpoint;
use ballast_rpc::sender::{FeePolicy, Sender};
use ballast_sandbox::{Options, Sandbox, TraderCookie};
use serde_json::{json, Value};

/// A market with people in it, behind a node.
struct Market {
    node: Node,
    scene: Scene,
}

impl Market {
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let mut sandbox = Sandbox::empty(&Options::default()).expect("the built program");
        sandbox.initialize_exchange().expect("an exchange");
        let node = Node::serve(sandbox, settings).await.expect("free ports");
        let scene = node.with(scene::seed).expect("a market");
        Self { node, scene }
    }

    /// A client of the node, of the crate that keepers and commands use.
    fn cluster(&self) -> Arc<Cluster> {
        let url = Endpoint::new(self.node.url());
        let settings = ballast_rpc::settings::Settings::resolve(Some(&url), None, None);
        Arc::new(Cluster::new(&settings.expect("settings")))
    }

    /// Sends what a trader signs and pays.
    fn sender(&self, trader: &TraderCookie) -> Sender {
        let payer = Arc::new(trader.wallet.keypair.insecure_clone());
        Sender::new(self.cluster(), payer, FeePolicy::default())
    }

    /// The answer to a request, as it comes.
    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let client = reqwest::Client::new();
        let sent = client.post(self.node.url()).json(&request).send().await;
        let answer: Value = sent.expect("an answer").json().await.expect("JSON");
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&"2.0".into(), &7.into())
        );
        answer
    }

    /// The result of a request that succeeds.
    async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The error of a request that does not.
    async fn error(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        assert!(answer["result"].is_null(), "{method}: {answer}");
        answer["error"].clone()
    }
}
