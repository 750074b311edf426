//! What an orchestrator asks over HTTP: whether this instance may be sent work, and whether it lives.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::app::{Instance, Readiness};
use crate::error::{Error, ErrorKind};

/// How long a request may take to arrive, and its answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many connections may be open. One more ends the oldest: a probe takes milliseconds, so that is one which says
/// nothing, and it must not keep the others from being answered.
const AT_ONCE: usize = 64;

/// Answers `GET /ready` and `GET /live` for as long as it lives.
pub(super) struct Probe {
    instance: Arc<OnceLock<Instance>>,
    _server: JoinSet<()>,
}

impl Probe {
    /// Binds the address, and answers from now on: not ready, until there is an instance.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Failed`]: the address cannot be listened on.
    pub(super) async fn listen(address: SocketAddr) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::new(ErrorKind::Failed, format!("could not listen on {address}"))
                .caused_by(error)
                .hint("Nothing was started. Is the address of --listen in use, or not this machine's?")
        })?;
        let instance = Arc::new(OnceLock::new());
        let mut server = JoinSet::new();
        server.spawn(accept(listener, Arc::clone(&instance)));
        Ok(Self { instance, _server: server })
    }

    /// From now on it is this one that is asked for.
    pub(super) fn show(&self, instance: &Instance) {
        // There is one instance in the life of a process.
        drop(self.instance.set(instance.clone()));
    }
}

#[expect(clippy::infinite_loop, reason = "it ends with its task")]
async fn accept(listener: TcpListener, instance: Arc<OnceLock<Instance>>) {
    let mut connections = JoinSet::new();
    let mut open = VecDeque::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                open.push_back(connections.spawn(serve(stream, Arc::clone(&instance))));
            }
            Err(error) => {
                // Out of file descriptors, say: it may pass.
                tracing::warn!("could not accept a probe: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() > AT_ONCE
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
    }
}

async fn serve(stream: TcpStream, instance: Arc<OnceLock<Instance>>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let (status, text) = answer(request.method(), request.uri().path(), instance.get());
        let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
        *response.status_mut() = status;
        async { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer);
    match tokio::time::timeout(PATIENCE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a probe was not answered: {error}"),
        Err(_elapsed) => tracing::debug!("a probe was too slow"),
    }
}

/// The answer to a probe. Without an instance, the join is still under way.
fn answer(method: &Method, path: &str, instance: Option<&Instance>) -> (StatusCode, &'static str) {
    let asks = method == Method::GET || method == Method::HEAD;
    match (path, asks) {
        ("/ready", true) => match instance.map(Instance::readiness) {
            None => (StatusCode::SERVICE_UNAVAILABLE, "joining\n"),
            Some(Readiness::Serving) => (StatusCode::OK, "serving\n"),
            Some(Readiness::Draining) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            Some(Readiness::Suspended) => (StatusCode::SERVICE_UNAVAILABLE, "suspended\n"),
            Some(Readiness::Stopped) => (StatusCode::SERVICE_UNAVAILABLE, "stopped\n"),
        },
        ("/live", true) => match instance.map(Instance::live) {
            None | Some(true) => (StatusCode::OK, "live\n"),
            Some(false) => (StatusCode::SERVICE_UNAVAILABLE, "dead\n"),
        },
        ("/ready" | "/live", false) => (StatusCode::METHOD_NOT_ALLOWED, "GET /ready or /live\n"),
        _ => (StatusCode::NOT_FOUND, "there are /ready and /live\n"),
    }
}
