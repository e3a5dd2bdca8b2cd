//! What is answered over HTTP.

mod alerts;
pub mod answer;
pub mod doors;
mod files;
mod history;
mod markets;
mod parameters;
mod ranks;
mod risk;
mod stream;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::body::{to_bytes, Body};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{from_fn_with_state, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::Router;
use tokio::net::TcpListener;
use utoipa::OpenApi;

use crate::gateway::Gateway;
use crate::Tasks;
use answer::{shown, tagged, Answer, Refusal};
use doors::{Doors, Guests, Peer};
use files::Files;

/// Bytes of an answer that is tagged.
const TAGGED_BYTES: usize = 32_000_000;
/// What a file of comma-separated values and whatever is posted cost, requests.
const DEAR: u32 = 10;
/// What costs more than looking something up.
const WORK: u32 = 4;

/// The description of everything here.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ballast gateway",
        description = "History, rankings and streams of a Ballast exchange. Figures are decimal strings. Every line of history names its transaction, which any node can be asked for."
    ),
    paths(
        markets::exchange,
        markets::list,
        markets::one,
        markets::book,
        markets::queue,
        markets::place,
        markets::gap,
        markets::candles,
        history::all,
        history::of_market,
        history::of_market_csv,
        history::trader,
        history::account,
        history::of_trader,
        history::of_trader_csv,
        history::transaction,
        parameters::of_market,
        ranks::ranks,
        risk::risk,
        stream::websocket,
        stream::events,
        alerts::challenge,
        alerts::sign_in,
        alerts::list,
        alerts::subscribe,
        alerts::end,
        alerts::test,
        alerts::push_key,
        alerts::end_push,
        health,
        metrics,
        description,
    )
)]
struct Description;

/// What every request passes.
#[derive(Clone)]
struct Hall {
    gateway: Arc<Gateway>,
    guests: Arc<Guests>,
}

/// All pages.
fn pages(gateway: &Arc<Gateway>, guests: &Arc<Guests>, files: Files) -> Router {
    let hall = Hall {
        gateway: Arc::clone(gateway),
        guests: Arc::clone(guests),
    };
    let files = Arc::new(files);
    let limits = gateway.config.limits;
    Router::new()
        .route("/v1/exchange", get(markets::exchange))
        .route("/v1/markets", get(markets::list))
        .route("/v1/markets/{market}", get(markets::one))
        .route("/v1/markets/{market}/book", get(markets::book))
        .route("/v1/markets/{market}/queue", get(markets::queue))
        .route("/v1/markets/{market}/queue/{trader}", get(markets::place))
        .route("/v1/markets/{market}/gap", get(markets::gap))
        .route("/v1/markets/{market}/risk", get(risk::risk))
        .route("/v1/markets/{market}/candles", get(markets::candles))
        .route("/v1/markets/{market}/history", get(history::of_market))
        .route(
            "/v1/markets/{market}/history.csv",
            get(history::of_market_csv),
        )
        .route(
            "/v1/markets/{market}/parameters",
            get(parameters::of_market),
        )
        .route("/v1/history", get(history::all))
        .route("/v1/traders/{trader}", get(history::trader))
        .route("/v1/traders/{trader}/account", get(history::account))
        .route("/v1/traders/{trader}/history", get(history::of_trader))
        .route(
            "/v1/traders/{trader}/history.csv",
            get(history::of_trader_csv),
        )
        .route("/v1/transactions/{signature}", get(history::transaction))
        .route("/v1/adl-ranks", get(ranks::ranks))
        .route("/v1/ws", get(stream::websocket))
        .route("/v1/stream", get(stream::events))
        .route("/v1/sessions/challenge", post(alerts::challenge))
        .route("/v1/sessions", post(alerts::sign_in))
        .route("/v1/alerts", get(alerts::list).post(alerts::subscribe))
        .route("/v1/alerts/{id}", delete(alerts::end))
        .route("/v1/alerts/{id}/test", post(alerts::test))
        .route("/v1/push-key", get(alerts::push_key))
        .route("/v1/push/end", post(alerts::end_push))
        .route("/v1/openapi.json", get(description))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(Arc::clone(gateway))
        .fallback(move |request: Request| {
            let files = Arc::clone(&files);
            async move {
                match *request.method() {
                    Method::GET | Method::HEAD => files.answer(request.uri().path()),
                    _ => StatusCode::NOT_FOUND.into_response(),
                }
            }
        })
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(from_fn_with_state(hall, pass))
}

/// Serves; the address it listens on.
///
/// # Errors
/// When it cannot listen, or the app's files cannot be read.
pub async fn serve(gateway: &Arc<Gateway>) -> Result<(SocketAddr, Tasks)> {
    let config = &gateway.config;
    let files = match &config.app {
        Some(folder) => Files::read(folder)?,
        None => Files::default(),
    };
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.with_context(|| format!("cannot listen at {}", config.listen))?;
    let bound = listener.local_addr()?;
    let guests = Guests::new(config.limits, config.behind_proxy);
    let pages = pages(gateway, &guests, files);
    let service = pages.into_make_service_with_connect_info::<Peer>();
    let doors = Doors { listener, guests };
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(doors, service).await {
            tracing::error!(%error, "nothing is served any more");
        }
    });
    Ok((bound, Tasks(vec![serving])))
}

/// Who asks, how often, and for how long; what every answer says.
async fn pass(
    State(hall): State<Hall>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let metrics = &hall.gateway.metrics;
    metrics.requests.inc();
    metrics
        .connections
        .set(i64::try_from(hall.guests.count()).unwrap_or(i64::MAX));
    let asker = asker(&hall.gateway, peer, request.headers());
    let path = request.uri().path().to_owned();
    let cost = cost(request.method(), &path);
    let mut response = if !hall.guests.may_ask(asker, cost) {
        metrics.refused.inc();
        let told = Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests: ask less often",
        );
        ([(header::RETRY_AFTER, "1")], told).into_response()
    } else if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        answered(&hall.gateway, request, next, &path).await
    };
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

/// Headers of every answer. Pages of every origin may read what is public, and nothing here depends on cookies.
const ALWAYS: [(&str, &str); 6] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, POST, DELETE"),
    (
        "access-control-allow-headers",
        "authorization, content-type, if-none-match",
    ),
    ("access-control-expose-headers", "etag, retry-after"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// What a request costs: more where a file is written, a node is asked, or a whole queue is walked.
fn cost(method: &Method, path: &str) -> u32 {
    let walks = path.contains("/queue/") || path.ends_with("/gap") || path.ends_with("/risk");
    let asks = path.starts_with("/v1/traders/") && !path.contains("/history");
    if *method == Method::POST || path.ends_with(".csv") {
        DEAR
    } else if walks || asks {
        WORK
    } else {
        1
    }
}

/// The address that asks: of the connection, or what the proxy says.
fn asker(gateway: &Gateway, peer: Peer, headers: &HeaderMap) -> IpAddr {
    let told = || {
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?;
        forwarded
            .to_str()
            .ok()?
            .rsplit(',')
            .next()?
            .trim()
            .parse()
            .ok()
    };
    let proxied = gateway.config.behind_proxy.then(told).flatten();
    proxied.unwrap_or_else(|| peer.0.ip())
}

async fn answered(gateway: &Gateway, request: Request, next: Next, path: &str) -> Response {
    let streams = ["/v1/ws", "/v1/stream"].contains(&path);
    let tags = request.method() == Method::GET && !streams && path != "/metrics";
    let asked = request.headers().clone();
    if streams {
        return next.run(request).await;
    }
    let seconds = Duration::from_secs(gateway.config.limits.seconds);
    let Ok(response) = tokio::time::timeout(seconds, next.run(request)).await else {
        return Refusal::new(StatusCode::REQUEST_TIMEOUT, "it took too long").into_response();
    };
    if !tags || response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    match to_bytes(body, TAGGED_BYTES).await {
        Ok(body) => tagged(&asked, Response::from_parts(parts, Body::empty()), body),
        Err(_) => Refusal::not_now("the answer is too large").into_response(),
    }
}

/// Whether all is well, and whether history is complete: 503 when it is unwell.
#[utoipa::path(get, path = "/health", tag = "operation",
    responses((status = 200, body = crate::vitals::Health), (status = 503, body = crate::vitals::Health)))]
async fn health(State(gateway): State<Arc<Gateway>>) -> Answer {
    let report = gateway.vitals(|vitals| vitals.report(Instant::now()));
    let mut response = shown(&report)?;
    if !report.problems.is_empty() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, content_type = "text/plain", body = String)))]
async fn metrics(State(gateway): State<Arc<Gateway>>) -> Answer {
    let metrics = &gateway.metrics;
    let (listeners, sent, slow) = gateway.hub.figures();
    metrics
        .listeners
        .set(i64::try_from(listeners).unwrap_or(i64::MAX));
    metrics
        .messages
        .set(i64::try_from(sent).unwrap_or(i64::MAX));
    metrics.slow.set(i64::try_from(slow).unwrap_or(i64::MAX));
    metrics
        .node
        .set(i64::try_from(gateway.nodes.number()).unwrap_or(i64::MAX));
    let (made, failed) = gateway.nodes.requests();
    metrics
        .rpc_requests
        .set(i64::try_from(made).unwrap_or(i64::MAX));
    metrics
        .rpc_errors
        .set(i64::try_from(failed).unwrap_or(i64::MAX));
    let text = metrics.text().map_err(anyhow::Error::from)?;
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Ok((kind, text).into_response())
}

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "operation",
    responses((status = 200, body = serde_json::Value)))]
async fn description() -> Answer {
    shown(&Description::openapi())
}
