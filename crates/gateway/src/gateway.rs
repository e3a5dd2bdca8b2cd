//! The gateway: what all of its tasks share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use anyhow::{Context, Result};
use ballast_view::state::MarketState;
use tokio::sync::Notify;

use crate::alerts::{self, Desk};
use crate::chain::nodes::Nodes;
use crate::chain::world::World;
use crate::config::Config;
use crate::forecasts::Forecasts;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::scene::{Ranked, Scene};
use crate::store::Store;
use crate::vitals::Vitals;

/// Everything that tasks share.
pub struct Gateway {
    /// What it was told.
    pub config: Config,
    /// The nodes.
    pub nodes: Nodes,
    /// History.
    pub store: Arc<Store>,
    /// Who listens to what.
    pub hub: Hub,
    /// Figures about itself.
    pub metrics: Metrics,
    /// Who is told of what.
    pub alerts: Desk,
    /// How likely positions are to be deleveraged.
    pub forecasts: Forecasts,
    /// Transactions of the program have landed.
    pub landed: Notify,
    /// Accounts have changed.
    pub changed: Notify,
    world: Mutex<World>,
    scenes: RwLock<BTreeMap<u16, Scene>>,
    vitals: Mutex<Vitals>,
}

impl Gateway {
    /// With a database that is open.
    ///
    /// # Errors
    /// When no node's address means anything, a figure cannot be registered, or the key for Web Push not be read.
    pub fn new(config: Config, store: Arc<Store>) -> Result<Arc<Self>> {
        let nodes = config.nodes()?;
        let prices = config.price.iter();
        let prices = prices.map(|price| (price.market, price.account));
        Ok(Arc::new(Self {
            nodes: Nodes::new(&nodes),
            store,
            hub: Hub::default(),
            metrics: Metrics::new()?,
            alerts: Desk::new(&config.alerts)?,
            forecasts: Forecasts::default(),
            landed: Notify::new(),
            changed: Notify::new(),
            world: Mutex::new(World::new(prices.collect())),
            scenes: RwLock::default(),
            vitals: Mutex::new(Vitals::new(Instant::now())),
            config,
        }))
    }

    /// Opens the database of a configuration for the chain that its first node names.
    ///
    /// # Errors
    /// When no node answers, or the database cannot be opened.
    pub async fn open(config: Config) -> Result<Arc<Self>> {
        let place = config.place(|name| std::env::var(name).ok());
        let chain = chain_name(&config).await?;
        let shown = place.to_string();
        let store = tokio::task::spawn_blocking(move || Store::open(place, &chain)).await?;
        let store = store.with_context(|| shown)?;
        let gateway = Self::new(config, store)?;
        alerts::resume(&gateway).await?;
        Ok(gateway)
    }

    /// The accounts that are followed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes or reads how it is.
    pub fn vitals<T>(&self, change: impl FnOnce(&mut Vitals) -> T) -> T {
        change(&mut self.vitals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A market as it is shown; `None` before it was read.
    pub fn scene(&self, index: u16) -> Option<Scene> {
        let scenes = self.scenes.read().unwrap_or_else(PoisonError::into_inner);
        scenes.get(&index).cloned()
    }

    /// All markets as they are shown.
    pub fn scenes(&self) -> Vec<Scene> {
        let scenes = self.scenes.read().unwrap_or_else(PoisonError::into_inner);
        scenes.values().cloned().collect()
    }

    /// Shows a market as it is now, with the ranking of before until there is another.
    pub fn set_state(&self, index: u16, state: Arc<MarketState>) -> Scene {
        let mut scenes = self.scenes.write().unwrap_or_else(PoisonError::into_inner);
        let ranked = scenes.get(&index).and_then(|before| before.ranked.clone());
        let scene = Scene { state, ranked };
        scenes.insert(index, scene.clone());
        scene
    }

    /// Shows another ranking of a market.
    pub fn set_ranked(&self, index: u16, ranked: Option<Arc<Ranked>>) {
        let mut scenes = self.scenes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(scene) = scenes.get_mut(&index) {
            scene.ranked = ranked;
        }
    }
}

/// The chain and the program, so that a database is not filled from two.
async fn chain_name(config: &Config) -> Result<String> {
    let nodes = Nodes::new(&config.nodes()?);
    let mut problem = None;
    for _ in 0..nodes.len() {
        match nodes.now().confirmed.rpc.get_genesis_hash().await {
            Ok(hash) => return Ok(format!("program {} of chain {hash}", ballast_state::ID)),
            Err(error) => problem = Some(error),
        }
        nodes.leave();
    }
    let problem = problem.map_or_else(String::new, |error| error.to_string());
    anyhow::bail!("no node answers: {problem}")
}
