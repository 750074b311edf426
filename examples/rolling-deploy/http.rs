//! As much of HTTP/1.1 as a service, a proxy and a client of one's own need: one request a connection.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Result, wrong};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub body: String,
}

impl Request {
    pub fn new(method: &str, path: &str, body: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), body: body.to_owned() }
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// The one status that promises that nothing was begun, so that another instance may be asked.
pub const NOT_BEGUN: u16 = 503;

impl Answer {
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, body: body.into() }
    }

    pub fn not_begun(why: &str) -> Self {
        Self { status: NOT_BEGUN, body: why.to_owned() }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Nobody listens: nothing was begun.
    NotSent,
    /// The connection ended: nobody knows what was done.
    Lost(String),
}

/// Sends one request.
pub async fn send(to: SocketAddr, request: &Request) -> std::result::Result<Answer, NoAnswer> {
    let Ok(mut stream) = TcpStream::connect(to).await else { return Err(NoAnswer::NotSent) };
    let exchange = async {
        let Request { method, path, body } = request;
        write(&mut stream, &format!("{method} {path} HTTP/1.1\r\nHost: {to}"), body).await?;
        let (head, body) = read(&mut stream).await?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Answer { status: status.ok_or_else(|| wrong("no status"))?, body })
    };
    exchange.await.map_err(|error: crate::Error| NoAnswer::Lost(error.to_string()))
}

/// Reads a request.
pub async fn receive(stream: &mut TcpStream) -> Result<Request> {
    let (head, body) = read(stream).await?;
    let mut words = head.split(' ');
    match (words.next(), words.next()) {
        (Some(method), Some(path)) => Ok(Request::new(method, path, &body)),
        _ => Err(wrong("no request")),
    }
}

/// Writes an answer.
pub async fn answer(stream: &mut TcpStream, answer: &Answer) -> Result<()> {
    write(stream, &format!("HTTP/1.1 {} -", answer.status), &answer.body).await
}

async fn write(stream: &mut TcpStream, head: &str, body: &str) -> Result<()> {
    let length = body.len();
    let text = format!("{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    Ok(stream.write_all(text.as_bytes()).await?)
}

/// The first line, and the body.
async fn read(stream: &mut TcpStream) -> Result<(String, String)> {
    let mut text = Vec::new();
    loop {
        if stream.read_buf(&mut text).await? == 0 {
            return Err(wrong("the connection ended in the middle"));
        }
        let so_far = String::from_utf8_lossy(&text);
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let length = length.map_or(Ok(0), str::parse)?;
        if body.len() >= length {
            return Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()));
        }
    }
}
