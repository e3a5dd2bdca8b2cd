//! Something between a keeper and its node that makes trouble when told to.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{copy_bidirectional, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a node that is overloaded says.
const UNAVAILABLE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// How long the other side of a refused connection may take to say something.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Answers every request with an error and keeps no connection.
    Refuse,
}

/// A node's RPC and its websocket, each behind a proxy. Dropping it closes everything.
pub struct Proxy {
    /// The RPC behind it.
    pub url: String,
    mode: watch::Sender<Mode>,
    listeners: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// Before the node at `port` (RPC) and the next (websocket), on `own` and the next.
    ///
    /// # Errors
    /// When the ports are taken.
    pub async fn start(own: u16, port: u16) -> Result<Self> {
        let (mode, _) = watch::channel(Mode::Pass);
        let mut listeners = Vec::new();
        for offset in [0, 1] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, own + offset)).await;
            let listener = listener.with_context(|| format!("port {} is taken", own + offset))?;
            listeners.push(tokio::spawn(serve(
                listener,
                port + offset,
                mode.subscribe(),
            )));
        }
        Ok(Self {
            url: format!("http://127.0.0.1:{own}"),
            mode,
            listeners,
        })
    }

    /// Does this from now on; what is open in another mode is cut.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

async fn serve(listener: TcpListener, port: u16, mode: watch::Receiver<Mode>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(connection(client, port, mode.clone()));
    }
}

/// One connection, until it ends or the mode changes.
async fn connection(mut client: TcpStream, port: u16, mut mode: watch::Receiver<Mode>) {
    if *mode.borrow_and_update() == Mode::Refuse {
        let mut request = [0; 4_096];
        let _said = tokio::time::timeout(PATIENCE, client.read(&mut request)).await;
        let _cut = client.write_all(UNAVAILABLE).await;
        return;
    }
    let Ok(mut node) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    tokio::select! {
        _ended = copy_bidirectional(&mut client, &mut node) => {}
        _changed = mode.changed() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what it hears, once for each connection.
    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ended = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        port
    }

    async fn hear(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
        let mut heard = vec![0; bytes];
        stream.read_exact(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn it_passes_on_then_cuts_and_refuses_then_passes_on() {
        let port = echo().await;
        let (mode, receiver) = watch::channel(Mode::Pass);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let own = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, port, receiver));

        let mut open = TcpStream::connect(own).await.unwrap();
        open.write_all(b"hello").await.unwrap();
        assert_eq!(hear(&mut open, 5).await, b"hello");

        mode.send_replace(Mode::Refuse);
        let mut rest = Vec::new();
        open.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty(), "cut");
        let mut refused = TcpStream::connect(own).await.unwrap();
        refused.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(hear(&mut refused, UNAVAILABLE.len()).await, UNAVAILABLE);

        mode.send_replace(Mode::Pass);
        let mut again = TcpStream::connect(own).await.unwrap();
        again.write_all(b"again").await.unwrap();
        assert_eq!(hear(&mut again, 5).await, b"again");
    }
}
