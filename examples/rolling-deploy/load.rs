//! The load: clients that know what each user must be called, and check every answer.
//!
//! Each client alone writes its own users, so that it knows what they hold; it reads those of others, too. A name has a
//! number, `person 7 v12`, so that an old value is told from the newest one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::http::{self, Answer, Request};
use crate::{Result, wrong};

/// How many clients there are.
const CLIENTS: usize = 8;
/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub requests: usize,
    /// No answer, or one that says that it went wrong.
    pub failed: usize,
    /// An answer that is not what was written.
    pub wrong: usize,
    times: Vec<Duration>,
    /// The first few, in words.
    pub problems: Vec<String>,
}

impl Tally {
    /// The time that all answers but one in a hundred took less than.
    pub fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() * 99 / 100).copied().unwrap_or_default()
    }

    pub fn is_clean(&self) -> bool {
        self.failed == 0 && self.wrong == 0
    }

    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.wrong += other.wrong;
        self.times.extend(&other.times);
        self.problems.extend(other.problems.iter().cloned());
        self.problems.truncate(5);
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
        self.problems.truncate(5);
    }
}

/// What is known of one user.
#[derive(Debug, Default)]
struct Known {
    /// The number that was last written and acknowledged.
    acknowledged: AtomicU64,
    /// The number that was last sent.
    sent: AtomicU64,
    /// Whether it was added, and acknowledged.
    exists: AtomicBool,
}

/// The name with a number.
pub fn name(id: usize, number: u64) -> String {
    format!("person {id} v{number}")
}

struct Shared {
    proxy: SocketAddr,
    /// By key; the first of them are there from the start, the others are added.
    users: Vec<Known>,
    rows: usize,
    /// Between two requests of a client.
    pace: Duration,
    tally: Mutex<Tally>,
    is_over: AtomicBool,
}

/// The clients. They stop with this value.
pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

impl Load {
    /// Begins, on a table that has the users from 0 on, called `name(id, 0)`.
    pub fn start(proxy: SocketAddr, rows: usize, pace: Duration) -> Self {
        let users: Vec<Known> = (0..rows * 2).map(|_| Known::default()).collect();
        for user in users.iter().take(rows) {
            user.exists.store(true, Ordering::SeqCst);
        }
        let (tally, is_over) = (Mutex::default(), AtomicBool::new(false));
        let shared = Arc::new(Shared { proxy, users, rows, pace, tally, is_over });
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(client(number, Arc::clone(&shared)));
        }
        Self { shared, clients }
    }

    /// Waits for so many more answers.
    pub async fn answers(&self, count: usize) {
        let requests = || self.shared.tally().requests;
        let enough = requests() + count;
        while requests() < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was counted since this was last asked.
    pub fn take(&self) -> Tally {
        std::mem::take(&mut *self.shared.tally())
    }

    /// Ends it, reads all users, and compares.
    pub async fn end(mut self) -> Result<Tally> {
        self.shared.is_over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended?;
        }
        self.shared.compare_all().await?;
        Ok(self.take())
    }
}

async fn client(number: usize, shared: Arc<Shared>) {
    let mut pace = tokio::time::interval(shared.pace);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let own = |rows: std::ops::Range<usize>| {
        let id = rand::random_range(rows);
        id - id % CLIENTS + number
    };
    let mut added = shared.rows + number;
    while !shared.is_over.load(Ordering::SeqCst) {
        pace.tick().await;
        match rand::random_range(0..10) {
            0 if added < shared.users.len() => {
                shared.add(added).await;
                added += CLIENTS;
            }
            0..5 => {
                let id = own(0..shared.rows);
                shared.write(id).await;
                pace.tick().await;
                shared.read(id).await;
            }
            _ => shared.read(rand::random_range(0..added)).await,
        }
    }
}

impl Shared {
    /// The acknowledged number is read before, the sent one after: what lies between may be found.
    async fn read(&self, id: usize) {
        let Some(user) = self.users.get(id) else { return };
        let at_least = user.acknowledged.load(Ordering::SeqCst);
        if !user.exists.load(Ordering::SeqCst) {
            return;
        }
        let answer = self.ask("GET", id, "").await;
        let at_most = user.sent.load(Ordering::SeqCst);
        if let Some(found) = answer {
            self.compare(id, &found, at_least..=at_most);
        }
    }

    async fn write(&self, id: usize) {
        let Some(user) = self.users.get(id) else { return };
        let number = user.sent.fetch_add(1, Ordering::SeqCst) + 1;
        if self.ask("PUT", id, &name(id, number)).await.is_some() {
            user.acknowledged.store(number, Ordering::SeqCst);
        }
    }

    async fn add(&self, id: usize) {
        let Some(user) = self.users.get(id) else { return };
        let body = format!("person{id}@example.org {}", name(id, 0));
        if self.ask("POST", id, &body).await.is_some() {
            user.exists.store(true, Ordering::SeqCst);
        }
    }

    async fn ask(&self, method: &str, id: usize, body: &str) -> Option<String> {
        let answer = self.send(&Request::new(method, &format!("/users/{id}"), body)).await;
        answer.map_err(|problem| self.failed(&format!("{method} /users/{id}: {problem}"))).ok()
    }

    async fn send(&self, request: &Request) -> std::result::Result<String, String> {
        let sent = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, http::send(self.proxy, request)).await;
        let mut tally = self.tally();
        tally.requests += 1;
        tally.times.push(sent.elapsed());
        match answer {
            Ok(Ok(Answer { status: 200, body })) => Ok(body),
            Ok(Ok(Answer { status, body })) => Err(format!("{status} {body}")),
            Ok(Err(error)) => Err(format!("{error:?}")),
            Err(_) => Err("no answer".to_owned()),
        }
    }

    /// Every user is there once, and is called what it was last called; nobody writes any more.
    async fn compare_all(&self) -> Result<()> {
        let answer = self.send(&Request::new("GET", "/users", "")).await;
        let text = match answer {
            Ok(text) => text,
            Err(problem) => {
                self.failed(&format!("GET /users: {problem}"));
                return Ok(());
            }
        };
        let mut missing: Vec<bool> =
            self.users.iter().map(|user| user.exists.load(Ordering::SeqCst)).collect();
        for line in text.lines() {
            let (id, found) = line.split_once(' ').unwrap_or_default();
            let id: usize = id.parse()?;
            let Some(user) = self.users.get(id) else { return Err(wrong("an unknown user")) };
            let at_least = user.acknowledged.load(Ordering::SeqCst);
            self.compare(id, found, at_least..=user.sent.load(Ordering::SeqCst));
            if let Some(missing) = missing.get_mut(id) {
                *missing = false;
            }
        }
        for id in (0..).zip(missing).filter(|(_, missing)| *missing).map(|(id, _)| id) {
            self.wrong(&format!("user {id} is gone"));
        }
        Ok(())
    }

    fn compare(&self, id: usize, found: &str, numbers: std::ops::RangeInclusive<u64>) {
        let number = found.strip_prefix(&format!("person {id} v")).and_then(|n| n.parse().ok());
        if !number.is_some_and(|number| numbers.contains(&number)) {
            self.wrong(&format!("user {id} is \"{found}\", must be v{numbers:?}"));
        }
    }

    fn failed(&self, problem: &str) {
        let mut tally = self.tally();
        tally.failed += 1;
        tally.problem(format!("failed: {problem}"));
    }

    fn wrong(&self, problem: &str) {
        let mut tally = self.tally();
        tally.wrong += 1;
        tally.problem(format!("wrong: {problem}"));
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
