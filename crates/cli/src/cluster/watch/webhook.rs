//! Alerts to a webhook: in order, each until it is taken or given up.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use ballast_rpc::endpoint::Endpoint;
use serde_json::Value;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts for one alert.
const ATTEMPTS: u32 = 6;
/// Time before the second attempt; every further one waits twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Where alerts go.
pub struct Webhook {
    queue: UnboundedSender<Value>,
    worker: JoinHandle<()>,
}

impl Webhook {
    /// Starts delivering to `url`.
    ///
    /// # Errors
    /// When `url` is not one of the web.
    pub fn start(receiver: &Endpoint) -> Result<Self> {
        Self::with_wait(receiver, FIRST_WAIT)
    }

    fn with_wait(receiver: &Endpoint, first_wait: Duration) -> Result<Self> {
        // What was given is not repeated: it may be a key.
        let url = reqwest::Url::parse(receiver.url());
        let url = url.context("the webhook is not a URL: expected http:// or https://")?;
        let web = matches!(url.scheme(), "http" | "https");
        ensure!(
            web,
            "{receiver} is not a webhook: expected http:// or https://"
        );
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let (queue, alerts) = unbounded_channel();
        let worker = tokio::spawn(work(client, url, alerts, first_wait));
        Ok(Self { queue, worker })
    }

    /// Queues an alert.
    pub fn send(&self, alert: Value) {
        // The worker ends only after the queue.
        let _ = self.queue.send(alert);
    }

    /// Waits until everything queued is delivered or given up.
    pub async fn finish(self) {
        drop(self.queue);
        let _ = self.worker.await;
    }
}

async fn work(
    client: reqwest::Client,
    url: reqwest::Url,
    mut alerts: UnboundedReceiver<Value>,
    first_wait: Duration,
) {
    while let Some(alert) = alerts.recv().await {
        if let Err(error) = deliver(&client, &url, &alert, first_wait).await {
            eprintln!("ballast: the webhook did not take an alert, given up: {error:#}");
        }
    }
}

/// Posts an alert, again with growing pauses while that fails.
async fn deliver(
    client: &reqwest::Client,
    url: &reqwest::Url,
    alert: &Value,
    first_wait: Duration,
) -> Result<()> {
    let mut wait = first_wait;
    let mut attempt = 1;
    loop {
        let sent = client.post(url.clone()).json(alert).send().await;
        let error = match sent.and_then(reqwest::Response::error_for_status) {
            Ok(_) => return Ok(()),
            // The URL may hold a secret.
            Err(error) => error.without_url(),
        };
        // What the receiver finds wrong with the request stays wrong.
        let refused = error
            .status()
            .is_some_and(|status| status.is_client_error() && status != 429 && status != 408);
        if refused || attempt == ATTEMPTS {
            return Err(error.into());
        }
        attempt += 1;
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    /// A receiver that answers with these statuses, one a request.
    async fn receiver(statuses: &[u16]) -> (MockServer, Webhook) {
        let server = MockServer::start().await;
        for status in statuses {
            // The first that has not answered yet answers.
            Mock::given(method("POST"))
                .and(path("/hook"))
                .respond_with(ResponseTemplate::new(*status))
                .up_to_n_times(1)
                .expect(1)
                .mount(&server)
                .await;
        }
        let url = Endpoint::new(format!("{}/hook", server.uri()));
        let webhook = Webhook::with_wait(&url, Duration::ZERO).expect("a URL");
        (server, webhook)
    }

    /// What the receiver was sent, in order.
    async fn received(server: &MockServer) -> Vec<Value> {
        let requests = server.received_requests().await.expect("recorded");
        requests
            .iter()
            .map(|request| request.body_json().expect("JSON"))
            .collect()
    }

    #[tokio::test]
    async fn an_alert_is_sent_until_it_is_taken_and_they_stay_in_order() {
        let (server, webhook) = receiver(&[500, 429, 200, 204]).await;
        webhook.send(json!({"number": 1}));
        webhook.send(json!({"number": 2}));
        webhook.finish().await;
        let sent = [1, 1, 1, 2].map(|number| json!({ "number": number }));
        assert_eq!(received(&server).await, sent);
    }

    #[tokio::test]
    async fn a_refused_request_is_not_repeated() {
        let (server, webhook) = receiver(&[404, 200]).await;
        webhook.send(json!({"number": 1}));
        webhook.send(json!({"number": 2}));
        webhook.finish().await;
        let sent = [1, 2].map(|number| json!({ "number": number }));
        assert_eq!(received(&server).await, sent);
    }

    #[tokio::test]
    async fn only_the_web_is_a_webhook() {
        for bad in ["", "nowhere", "ftp://host/x", "file:///etc/passwd"] {
            assert!(Webhook::start(&Endpoint::new(bad)).is_err(), "{bad}");
        }
        assert!(Webhook::start(&Endpoint::new("https://example.org/hook")).is_ok());
    }
}
