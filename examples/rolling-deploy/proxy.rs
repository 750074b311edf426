//! The balancer in front of the instances: sends each request to one that is ready, by the shares that it was told.
//!
//! It asks another instance only when the first has promised that nothing was begun. What may have been done is not done
//! again: a client hears of it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Result;
use crate::builds::Build;
use crate::http::{self, Answer, NOT_BEGUN, NoAnswer, Request};

/// How often each instance is asked whether it is ready.
const PROBE: Duration = Duration::from_millis(100);
/// How long a request waits for an instance that is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which instances get requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Route {
    /// All alike.
    Even,
    /// Those of one build.
    Only(Build),
    /// So many of a hundred requests go to a canary, the others to the rest.
    Canary(Build, u32),
}

/// What a build answered, for whoever judges a canary.
#[derive(Clone, Debug, Default)]
pub struct Health {
    pub answers: usize,
    pub errors: usize,
    times: Vec<Duration>,
}

impl Health {
    /// The time that half of the answers took less than.
    pub fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

struct Backend {
    name: String,
    build: Build,
    address: SocketAddr,
    is_ready: bool,
    is_leaving: bool,
    under_way: usize,
}

struct Inner {
    backends: Vec<Backend>,
    route: Route,
    health: BTreeMap<Build, Health>,
    turn: usize,
}

/// The balancer. It stops with this value.
pub struct Proxy {
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (backends, health) = (Vec::new(), BTreeMap::new());
        let inner = Inner { backends, route: Route::Even, health, turn: 0 };
        let inner = Arc::new(Mutex::new(inner));
        let mut tasks = JoinSet::new();
        tasks.spawn(probe(Arc::downgrade(&inner)));
        let serving = Arc::clone(&inner);
        tasks.spawn(async move {
            let mut requests = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        requests.spawn(pass_on(stream, Arc::clone(&serving)));
                    }
                    Some(_) = requests.join_next() => {}
                }
            }
        });
        Ok(Self { address, inner, _tasks: tasks })
    }

    /// Adds an instance. It gets requests as soon as it says that it is ready.
    pub fn add(&self, name: &str, build: Build, address: SocketAddr) {
        let name = name.to_owned();
        let (is_ready, is_leaving, under_way) = (false, false, 0);
        lock(&self.inner).backends.push(Backend {
            name,
            build,
            address,
            is_ready,
            is_leaving,
            under_way,
        });
    }

    /// Waits until an instance is ready.
    pub async fn is_ready(&self, name: &str) {
        let ready = |backend: &Backend| backend.name == name && backend.is_ready;
        while !lock(&self.inner).backends.iter().any(ready) {
            tokio::time::sleep(PROBE / 4).await;
        }
    }

    /// Sends an instance nothing more, waits for its last answer, and forgets it.
    pub async fn drain(&self, name: &str) {
        loop {
            {
                let mut inner = lock(&self.inner);
                for backend in inner.backends.iter_mut().filter(|backend| backend.name == name) {
                    backend.is_leaving = true;
                }
                inner.backends.retain(|backend| backend.name != name || backend.under_way > 0);
                if inner.backends.iter().all(|backend| backend.name != name) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Changes who gets requests from now on.
    pub fn route(&self, route: Route) {
        let mut inner = lock(&self.inner);
        inner.route = route;
        inner.health.clear();
    }

    /// What a build has answered since the last change.
    pub fn health(&self, build: Build) -> Health {
        lock(&self.inner).health.get(&build).cloned().unwrap_or_default()
    }
}

async fn probe(inner: Weak<Mutex<Inner>>) {
    let request = Request::new("GET", "/healthz/ready", "");
    while let Some(inner) = inner.upgrade() {
        let backends: Vec<_> = lock(&inner).backends.iter().map(|one| one.address).collect();
        for address in backends {
            let answer = tokio::time::timeout(PATIENCE, http::send(address, &request)).await;
            let is_ready = matches!(answer, Ok(Ok(Answer { status: 200, .. })));
            for backend in lock(&inner).backends.iter_mut().filter(|one| one.address == address) {
                backend.is_ready = is_ready;
            }
        }
        tokio::time::sleep(PROBE).await;
    }
}

async fn pass_on(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let Ok(request) = http::receive(&mut stream).await else { return };
    let answer = ask_somebody(&request, &inner).await;
    drop(http::answer(&mut stream, &answer).await);
}

async fn ask_somebody(request: &Request, inner: &Mutex<Inner>) -> Answer {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let chosen = lock(inner).choose();
        let Some((address, build)) = chosen else {
            tokio::time::sleep(PROBE / 10).await;
            continue;
        };
        let asked = Instant::now();
        let answer = http::send(address, request).await;
        let is_error = !matches!(answer, Ok(Answer { status: ..500, .. }));
        lock(inner).answered((address, build), asked.elapsed(), is_error);
        match answer {
            // It has begun nothing, by its own word: somebody else is asked.
            Ok(Answer { status: NOT_BEGUN, .. }) | Err(NoAnswer::NotSent) => {}
            Ok(answer) => return answer,
            Err(NoAnswer::Lost(error)) => return Answer { status: 502, body: error },
        }
    }
    Answer { status: 504, body: "no instance was ready".to_owned() }
}

impl Inner {
    /// Of the instances that may get this request, the next one.
    fn choose(&mut self) -> Option<(SocketAddr, Build)> {
        let is_for_canary = |percent: u32| rand::random_range(0..100) < percent;
        let route = match self.route {
            Route::Canary(build, percent) => Some((build, is_for_canary(percent))),
            Route::Only(build) => Some((build, true)),
            Route::Even => None,
        };
        let is_meant = |one: &Backend| {
            let is_chosen = route.is_none_or(|(build, is)| (one.build == build) == is);
            is_chosen && one.is_ready && !one.is_leaving
        };
        let mut candidates: Vec<_> = self.backends.iter_mut().filter(|one| is_meant(one)).collect();
        self.turn += 1;
        let next = self.turn.checked_rem(candidates.len())?;
        let backend = candidates.get_mut(next)?;
        backend.under_way += 1;
        Some((backend.address, backend.build))
    }

    fn answered(&mut self, (address, build): (SocketAddr, Build), took: Duration, is_error: bool) {
        for backend in self.backends.iter_mut().filter(|one| one.address == address) {
            backend.under_way -= 1;
        }
        let health = self.health.entry(build).or_default();
        health.answers += 1;
        health.errors += usize::from(is_error);
        health.times.push(took);
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
