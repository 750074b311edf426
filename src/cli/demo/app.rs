//! One process of the demo's application: `zdm demo-app`, which the story starts eight times.
//!
//! Build 1 knows the column `name`, build 2 knows `display_name`. Each process owns a share of the rows, which it alone
//! writes, so that it knows what they must hold; it reads the rows of all.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::client::{Client, Param};
use super::tally::{Message, Tally, Written};
use crate::app::{Instance, Readiness};
use crate::cli::args::DemoAppArgs;
use crate::cli::output::{Output, Stop};
use crate::error::Error;

/// How many processes share the rows: four of each build.
pub(super) const SHARES: u64 = 8;
/// Between two turns: some load, but not all that the machine can do.
const PAUSE: Duration = Duration::from_millis(4);
/// How often the story hears the counts.
const TELL: Duration = Duration::from_millis(250);

/// Joins, works until standard input ends, leaves.
pub(super) async fn run(args: &DemoAppArgs, url: &str, output: &Output) -> Result<(), Stop> {
    let say = |message: &Message| output.data(&format!("{}\n", message.line()));
    let manifest = std::fs::read_to_string(&args.manifest).map_err(|error| {
        Error::usage(format!("could not read the manifest {}", args.manifest.display()))
            .caused_by(error)
    })?;
    let builder = Instance::builder("api").version(&args.build).instance(&args.instance);
    let joined = builder.manifest(manifest).database_url(url).join().await;
    let instance = match joined {
        Ok(instance) => instance,
        Err(refused) => return say(&Message::Refused(refused.to_string())),
    };
    let client = match Client::connect(url).await {
        Ok(client) => client,
        Err(error) => return say(&Message::Problem(format!("could not connect: {error}"))),
    };
    say(&Message::Joined)?;
    let column = args.column.clone();
    let mut app = App {
        column,
        share: args.share,
        rows: args.rows,
        client,
        turn: 0,
        tally: Tally::default(),
        written: Written::new(),
        problems: Vec::new(),
    };
    work(&mut app, &instance, &say).await?;
    instance.leave().await;
    for (key, value) in &app.written {
        say(&Message::Wrote(*key, value.clone()))?;
    }
    say(&Message::Tally(app.tally))
}

/// Turn after turn, until the story closes the pipe or the lease is gone for good.
async fn work(
    app: &mut App,
    instance: &Instance,
    say: &impl Fn(&Message) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut told = Instant::now();
    let end = end_of_input();
    loop {
        match instance.readiness() {
            Readiness::Serving => app.turn().await,
            Readiness::Suspended | Readiness::Draining => {}
            Readiness::Stopped => return Ok(()),
        }
        for problem in app.problems.drain(..) {
            say(&Message::Problem(problem))?;
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            say(&Message::Tally(app.tally))?;
        }
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Cancelled when standard input ends: the wish to stop, and what happens when the story is killed.
///
/// On a thread of its own, as nothing can end the waiting for input, and the process must not wait for it.
fn end_of_input() -> CancellationToken {
    let token = CancellationToken::new();
    let end = token.clone().drop_guard();
    drop(std::thread::spawn(move || {
        let _end = end;
        // Nothing is ever written into it.
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    }));
    token
}

struct App {
    column: String,
    share: u64,
    rows: u64,
    client: Client,
    turn: u64,
    tally: Tally,
    written: Written,
    problems: Vec<String>,
}

impl App {
    /// Changes a row of its own and reads it back; reads another one; now and then adds one.
    async fn turn(&mut self) {
        self.turn += 1;
        let own = self.share + 1 + SHARES * rand::random_range(0..(self.rows / SHARES).max(1));
        let value = format!("person {own} v{}", self.turn);
        self.update(own, &value).await;
        self.compare(own, &value).await;
        let other = rand::random_range(1..=self.rows);
        self.compare(other, &format!("person {other} v")).await;
        if self.turn.is_multiple_of(20) {
            self.insert().await;
        }
    }

    async fn update(&mut self, id: u64, value: &str) {
        let sql = format!("UPDATE users SET {} = ? WHERE id = ?", self.column);
        let changed = self.client.execute(&sql, &[Param::Text(value), Param::Key(key(id))]).await;
        match self.done(&sql, changed) {
            Some(1) => drop(self.written.insert(key(id), value.to_owned())),
            Some(count) => self.failed(format!("{sql}: changed {count} rows instead of 1")),
            None => {}
        }
    }

    /// A row must hold a text that begins so.
    async fn compare(&mut self, id: u64, begin: &str) {
        let sql = format!("SELECT {} FROM users WHERE id = ?", self.column);
        let found = self.client.text(&sql, &[Param::Key(key(id))]).await;
        let Some(found) = self.done(&sql, found) else { return };
        self.tally.checked += 1;
        if !found.as_deref().is_some_and(|found| found.starts_with(begin)) {
            self.tally.wrong += 1;
            self.problems.push(format!("row {id} holds {found:?} instead of \"{begin}\""));
        }
    }

    async fn insert(&mut self) {
        let sql = format!("INSERT INTO users (email, {}) VALUES (?, ?) RETURNING id", self.column);
        let email = format!("{}-{}@example.org", self.share, self.turn);
        let value = format!("person {email} v0");
        let added = self.client.key(&sql, &[Param::Text(&email), Param::Text(&value)]).await;
        if let Some(key) = self.done(&sql, added) {
            self.written.insert(key, value);
        }
    }

    fn done<T>(&mut self, sql: &str, outcome: Result<T, String>) -> Option<T> {
        self.tally.statements += 1;
        outcome.map_err(|error| self.failed(format!("{sql}: {error}"))).ok()
    }

    fn failed(&mut self, problem: String) {
        self.tally.failed += 1;
        self.problems.push(problem);
    }
}

fn key(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}
