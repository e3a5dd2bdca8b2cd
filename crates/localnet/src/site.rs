//! The web app, with what only a visitor of this machine may do: be given money, let the price jump.
//!
//! | `POST` | body | does |
//! |---|---|---|
//! | `/localnet/fund` | `{"address": "..."}` | gives a wallet SOL and collateral |
//! | `/localnet/jump` | `{"move": "crash"}` or `"rally"` | lets the price jump |

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{ensure, Context, Result};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{header, HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::Router;
use ballast_localnet::population::USD;
use ballast_localnet::venue::{airdrop, Venue};
use ballast_state::Pubkey;
use serde_json::{json, Value};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::node::Node;
use crate::prices::Move;
use crate::Args;

/// Collateral that a visitor gets, atoms.
const GIFT: u64 = 10_000 * USD;
/// Largest file of the app, in bytes: what is larger is none of it.
const MOST_BYTES: u64 = 16 << 20;

/// The page, served.
pub struct Site {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Served {
    files: HashMap<String, (&'static str, Bytes)>,
    venue: Arc<Venue>,
    asks: mpsc::Sender<Move>,
}

impl Site {
    /// Serves the app for a node and a gateway, on this machine only.
    ///
    /// # Errors
    /// When the app is not built, or the port is taken.
    pub async fn serve(
        args: &Args,
        (node, gateway): (&Node, &str),
        venue: Arc<Venue>,
        asks: mpsc::Sender<Move>,
    ) -> Result<Self> {
        let mut files = HashMap::new();
        read(&args.app, "", &mut files)
            .with_context(|| format!("the app in {} cannot be read", args.app.display()))?;
        ensure!(files.contains_key("/index.html"), "the app is not built");
        let config = json!({
            "nodes": [{ "rpc": node.url() }],
            "gateway": gateway,
            "localnet": true,
        });
        files.insert(
            "/config.json".into(),
            (kind("json"), config.to_string().into()),
        );
        let pages = Router::new()
            .route("/localnet/fund", post(fund))
            .route("/localnet/jump", post(jump))
            .fallback(file)
            .with_state(Arc::new(Served { files, venue, asks }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await;
        let listener = listener
            .with_context(|| format!("port {} is taken: choose another by --port", args.port))?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, pages).await {
                tracing::error!(%error, "the page is no longer served");
            }
        });
        Ok(Self { address, serving })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

/// Every file below a folder by its path.
fn read(
    folder: &Path,
    above: &str,
    files: &mut HashMap<String, (&'static str, Bytes)>,
) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{above}/{}", entry.file_name().to_string_lossy());
        let about = entry.metadata()?;
        if about.is_dir() {
            read(&entry.path(), &path, files)?;
        } else if about.len() <= MOST_BYTES {
            let ending = path.rsplit('.').next().unwrap_or_default();
            files.insert(
                path.clone(),
                (kind(ending), std::fs::read(entry.path())?.into()),
            );
        }
    }
    Ok(())
}

fn kind(ending: &str) -> &'static str {
    match ending {
        "css" => "text/css",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

async fn file(State(served): State<Arc<Served>>, uri: Uri) -> Response {
    let path = match uri.path() {
        "/" => "/index.html",
        other => other,
    };
    let Some((kind, bytes)) = served.files.get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes.clone()).into_response()
}

type Said = Result<&'static str, (StatusCode, String)>;

fn field(body: &[u8], name: &str) -> Result<String, (StatusCode, String)> {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = value[name].as_str().map(str::to_owned);
    text.ok_or_else(|| {
        (
            StatusCode::BAD_REQUEST,
            format!("expected {{\"{name}\": \"...\"}}"),
        )
    })
}

async fn fund(State(served): State<Arc<Served>>, body: Bytes) -> Said {
    let text = field(&body, "address")?;
    let address: Result<Pubkey, _> = text.parse();
    let wallet =
        address.map_err(|_| (StatusCode::BAD_REQUEST, format!("`{text}` is no address")))?;
    let given = give(&served.venue, &wallet).await;
    given.map_err(|problem| (StatusCode::BAD_GATEWAY, format!("{problem:#}")))?;
    Ok("ok")
}

async fn give(venue: &Venue, wallet: &Pubkey) -> Result<()> {
    airdrop(&venue.cluster, wallet).await?;
    venue.send(&venue.wealth(wallet, GIFT)?, &[]).await?;
    Ok(())
}

async fn jump(State(served): State<Arc<Served>>, body: Bytes) -> Said {
    let name = field(&body, "move")?;
    let wanted = Move::named(&name);
    let wanted = wanted.ok_or_else(|| {
        (
            StatusCode::BAD_REQUEST,
            format!("`{name}` is none of crash, rally"),
        )
    })?;
    let sent = served.asks.try_send(wanted);
    sent.map_err(|_| {
        (
            StatusCode::TOO_MANY_REQUESTS,
            "a jump is under way".to_owned(),
        )
    })?;
    Ok("ok")
}
