//! The node over HTTP and websocket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{header, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::Router;
use ballast_sandbox::world::SLOT_MILLIS;
use ballast_sandbox::Sandbox;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::chain::Chain;
use crate::control::{self, Desk};
use crate::socket;

/// Most bytes of a request.
const MOST_BYTES: usize = 50 * 1_024;
/// Most websockets at a time.
const MOST_SOCKETS: usize = 256;

/// How a node is served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The port of its RPC, on this machine only; the websocket is at the next, as with a validator. 0:
    /// ports that are free.
    pub port: u16,
    /// Whether slots pass by themselves, each of [`SLOT_MILLIS`], with the time of this machine.
    pub real_time: bool,
    /// Whether whoever reaches it may set prices and the clock: [`crate::control`].
    pub control: bool,
}

/// A node that is served. It ends when it is dropped.
pub struct Node {
    desk: Arc<Desk>,
    rpc: SocketAddr,
    websocket: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

/// What every request gets.
#[derive(Clone)]
struct Served {
    desk: Arc<Desk>,
    sockets: Arc<Semaphore>,
}

/// The chain, whatever happened to whoever had it before.
pub fn lock(chain: &Mutex<Chain>) -> MutexGuard<'_, Chain> {
    chain.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    /// Serves an exchange.
    ///
    /// # Errors
    /// When the ports are taken.
    pub async fn serve(sandbox: Sandbox, settings: Settings) -> std::io::Result<Self> {
        let (first, second) = listeners(settings.port).await?;
        let (rpc, websocket) = (first.local_addr()?, second.local_addr()?);
        let desk = Arc::new(Desk::new(Chain::new(sandbox)));
        let served = Served {
            desk: desk.clone(),
            sockets: Arc::new(Semaphore::new(MOST_SOCKETS)),
        };
        let mut pages = Router::new()
            .route("/", post(answer).get(upgrade))
            .with_state(served);
        if settings.control {
            pages = pages.nest("/control", control::pages(desk.clone()));
        }
        let pages = pages
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .layer(middleware::from_fn(for_pages));
        let mut tasks: Vec<JoinHandle<()>> = [first, second]
            .map(|listener| tokio::spawn(listen(listener, pages.clone())))
            .into();
        if settings.real_time {
            tasks.push(tokio::spawn(pass(desk.clone())));
        }
        Ok(Self {
            desk,
            rpc,
            websocket,
            tasks,
        })
    }

    /// The URL of its RPC.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    /// The URL of its websocket.
    #[must_use]
    pub fn websocket_url(&self) -> String {
        format!("ws://{}", self.websocket)
    }

    /// Does something to the exchange; subscribers are told, and its transactions are history.
    pub fn with<T>(&self, work: impl FnOnce(&mut Sandbox) -> T) -> T {
        lock(&self.desk.chain).change(work)
    }

    /// What publishes prices and moves the clock.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Listeners at a port and the next; at any two where the port is 0.
async fn listeners(port: u16) -> std::io::Result<(TcpListener, TcpListener)> {
    let here = Ipv4Addr::LOCALHOST;
    if port != 0 {
        let second = port
            .checked_add(1)
            .ok_or(std::io::ErrorKind::AddrNotAvailable)?;
        return Ok((
            TcpListener::bind((here, port)).await?,
            TcpListener::bind((here, second)).await?,
        ));
    }
    // Clients that are told one URL look for the websocket at the next port.
    let mut problem = std::io::ErrorKind::AddrInUse.into();
    for _ in 0..64 {
        let first = TcpListener::bind((here, 0)).await?;
        let Some(next) = first.local_addr()?.port().checked_add(1) else {
            continue;
        };
        match TcpListener::bind((here, next)).await {
            Ok(second) => return Ok((first, second)),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

async fn listen(listener: TcpListener, pages: Router) {
    if let Err(error) = axum::serve(listener, pages).await {
        tracing::error!(%error, "the node is no longer served");
    }
}

/// Slots that pass by themselves.
async fn pass(desk: Arc<Desk>) {
    let mut slots = tokio::time::interval(Duration::from_millis(SLOT_MILLIS));
    loop {
        slots.tick().await;
        let passing = desk.clone();
        let passed = tokio::task::spawn_blocking(move || passing.tick(now()));
        if passed.await.is_err() {
            return;
        }
    }
}

/// Unix seconds.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

async fn answer(State(served): State<Served>, body: Bytes) -> Response {
    let answering = tokio::task::spawn_blocking(move || {
        lock(&served.desk.chain).answer_body(&body).to_string()
    });
    match answering.await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn upgrade(State(served): State<Served>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(permit) = served.sockets.try_acquire_owned() else {
        let said = format!("at most {MOST_SOCKETS} websockets");
        return (StatusCode::SERVICE_UNAVAILABLE, said).into_response();
    };
    let chain = served.desk.chain.clone();
    upgrade
        .max_message_size(MOST_BYTES)
        .on_upgrade(move |websocket| async move {
            socket::serve(websocket, chain).await;
            drop(permit);
        })
}

/// Lets pages of every origin ask: there is nothing here that only some may see.
async fn for_pages(request: Request, next: Next) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let any = HeaderValue::from_static("*");
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, any.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, any);
    response
}
