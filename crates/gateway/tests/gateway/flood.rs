//! Somebody asks for more than anybody may, and the others are served.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::stage::{serve, Served, Stage};
use crate::streams::Socket;

/// A connection from an address of this machine: all of 127.0.0.0/8 are.
async fn from(address: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    socket.connect(to).await
}

/// What is answered to bytes, as far as it comes before the connection ends.
async fn answer(mut stream: TcpStream, request: &[u8]) -> String {
    // A gateway that has enough closes at once: then there is nothing to read.
    let _ = stream.write_all(request).await;
    let mut read = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await;
    String::from_utf8_lossy(&read).into_owned()
}

const GREEDY: [u8; 4] = [127, 0, 0, 9];
const HONEST: [u8; 4] = [127, 0, 0, 1];

async fn gateway(stage: &Stage, folder: &std::path::Path) -> Served {
    let mut config = stage.config(&format!("sqlite = \"{}\"", folder.join("a").display()));
    config.limits.connections_each = 16;
    config.limits.requests_each = 5;
    config.limits.burst_each = 200;
    config.limits.behind = 8;
    serve(
        ballast_gateway::gateway::Gateway::open(config)
            .await
            .expect("a database"),
    )
    .await
}

#[tokio::test]
async fn connections_of_one_address_leave_room_for_the_others() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = gateway(&stage, folder.path()).await;
    let mut held = Vec::new();
    for _ in 0..200 {
        if let Ok(stream) = from(GREEDY, gateway.address).await {
            held.push(stream);
        }
    }
    // Those beyond what it may have are closed.
    let mut open = 0;
    for stream in &mut held {
        let mut byte = [0];
        let closed = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut byte)).await;
        open += u32::from(closed.is_err());
    }
    assert!((1..=16).contains(&open), "{open} of 200 are open");
    let request = b"GET /v1/markets HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let honest = answer(from(HONEST, gateway.address).await.unwrap(), request).await;
    assert!(honest.starts_with("HTTP/1.1 200"), "{honest}");
    let greedy = answer(from(GREEDY, gateway.address).await.unwrap(), request).await;
    assert!(greedy.is_empty(), "{greedy}");
    drop(held);
}

#[tokio::test]
async fn requests_bodies_and_headers_beyond_the_limits_are_refused_and_others_answered() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = gateway(&stage, folder.path()).await;
    let request = b"GET /v1/markets HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut refused = 0;
    for _ in 0..400 {
        let stream = from(GREEDY, gateway.address).await.unwrap();
        let said = answer(stream, request).await;
        refused += u32::from(said.starts_with("HTTP/1.1 429"));
    }
    assert!(refused >= 100, "{refused} of 400 were refused");
    let honest = answer(from(HONEST, gateway.address).await.unwrap(), request).await;
    assert!(honest.starts_with("HTTP/1.1 200"), "{honest}");

    let large = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 40000\r\n\r\n{}",
        "x".repeat(40_000)
    );
    let said = answer(
        from([127, 0, 0, 7], gateway.address).await.unwrap(),
        large.as_bytes(),
    )
    .await;
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 413"),
        "{said}"
    );
    let header = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(1_000_000)
    );
    let said = answer(
        from([127, 0, 0, 7], gateway.address).await.unwrap(),
        header.as_bytes(),
    )
    .await;
    assert!(!said.starts_with("HTTP/1.1 200"), "{said}");
    let csv = b"GET /v1/markets/0/history.csv HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut files = 0;
    for _ in 0..40 {
        let said = answer(from([127, 0, 0, 8], gateway.address).await.unwrap(), csv).await;
        files += u32::from(said.starts_with("HTTP/1.1 200"));
    }
    assert!((1..=25).contains(&files), "{files} of 40 files");
}

#[tokio::test]
async fn a_listener_that_does_not_read_is_let_go_and_the_others_hear_everything() {
    let (stage, folder) = (Stage::new().await, tempfile::tempdir().unwrap());
    let gateway = gateway(&stage, folder.path()).await;
    // Fifteen connections that subscribe and never read.
    let mut deaf = Vec::new();
    for _ in 0..15 {
        let mut stream = from(GREEDY, gateway.address).await.unwrap();
        let upgrade = b"GET /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade).await.unwrap();
        let text = br#"{"op":"subscribe","topics":["market:0","book:0","queue:0"]}"#;
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(text);
        stream.write_all(&frame).await.unwrap();
        deaf.push(stream);
    }
    let mut honest = Socket::open(&gateway).await;
    honest
        .ask(json!({"op": "subscribe", "topics": ["market:0"]}))
        .await;
    let mut seq = honest.of("market:0").await["seq"].as_u64().unwrap();
    let begun = Instant::now();
    for step in 0..60_u64 {
        let ticks = 199_000 + step;
        stage.price(ticks);
        let wanted = format!("199.0{step:02}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned();
        loop {
            let message = honest.of("market:0").await;
            seq += 1;
            assert_eq!(message["seq"].as_u64(), Some(seq), "none is missed");
            if message["data"]["price"] == wanted.as_str() {
                break;
            }
        }
    }
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    drop(deaf);
}
