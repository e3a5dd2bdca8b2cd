//! `/metrics` and `/health` over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::State;
use axum::http::{header, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::Router;
use tokio::net::TcpListener;

use crate::config::Limits;
use crate::health::{Report, Vitals};
use crate::identity::Secrets;
use crate::metrics::Metrics;

/// What the pages show; the keeper writes it.
#[derive(Clone)]
pub struct Board {
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// When it is well.
    pub limits: Limits,
    vitals: Arc<Mutex<Vitals>>,
    secrets: Secrets,
}

impl Board {
    /// A board without anything on it.
    #[must_use]
    pub fn new(metrics: Metrics, limits: Limits, secrets: Secrets) -> Self {
        Self {
            metrics,
            limits,
            vitals: Arc::default(),
            secrets,
        }
    }

    /// Changes or reads the vitals.
    pub fn vitals<T>(&self, change: impl FnOnce(&mut Vitals) -> T) -> T {
        change(&mut self.vitals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How it is.
    #[must_use]
    pub fn report(&self) -> Report {
        self.vitals(|vitals| vitals.assess(&self.limits, Instant::now()))
    }

    fn health(&self) -> (StatusCode, String) {
        let report = self.report();
        let status = match report.is_healthy() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = serde_json::to_string(&report).unwrap_or_default();
        (status, self.secrets.hide(&body))
    }
}

/// Serves the board until the process ends; the address it listens on.
///
/// # Errors
/// When it cannot listen there.
pub async fn serve(listen: SocketAddr, board: Board) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await?;
    let bound = listener.local_addr()?;
    let pages = Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .with_state(board);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, pages).await {
            tracing::error!(%error, "metrics are no longer served");
        }
    });
    Ok(bound)
}

async fn metrics(State(board): State<Board>) -> impl IntoResponse {
    board.vitals(|vitals| {
        for (market, published) in &vitals.prices {
            let age = vitals.price_age(*published, Instant::now()).unwrap_or(-1);
            let market = market.to_string();
            board
                .metrics
                .price_age
                .with_label_values(&[market.as_str()])
                .set(age);
        }
    });
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    match board.metrics.text() {
        Ok(text) => (StatusCode::OK, kind, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, kind, error.to_string()),
    }
}

async fn health(State(board): State<Board>) -> impl IntoResponse {
    let (status, body) = board.health();
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}

#[cfg(test)]
mod tests {
    use super::*;
    async fn page(address: SocketAddr, path: &str) -> (StatusCode, String) {
        let url = format!("http://{address}{path}");
        let answer = reqwest::get(url).await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn pages_follow_the_board() {
        let board = Board::new(
            Metrics::new().unwrap(),
            Limits::default(),
            Secrets::default(),
        );
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = serve(free, board.clone()).await.unwrap();
        let (status, unwell) = page(address, "/health").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{unwell}");
        assert!(unwell.contains("\"status\":\"unhealthy\""), "{unwell}");
        board.vitals(|vitals| {
            let now = Instant::now();
            vitals.ready = true;
            vitals.answered_at = Some(now);
            vitals.see_slot(9, now);
            vitals.clock = Some((50, now));
            vitals.prices.insert(2, Some(47));
        });
        let (status, well) = page(address, "/health").await;
        assert_eq!(status, StatusCode::OK, "{well}");
        let (_, metrics) = page(address, "/metrics").await;
        assert!(
            metrics.contains("ballast_keeper_price_age_seconds{market=\"2\"} 3"),
            "{metrics}"
        );
        assert_eq!(page(address, "/").await.0, StatusCode::NOT_FOUND);
    }
}
