//! The drill: a service is deployed in every way that there is, while its schema changes under load.
//!
//! `make drill` builds and runs it: see docs/drill.md. The service is `service.rs`; start reading there, then `play.rs`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "an application, not a part of the library"
)]

mod builds;
mod database;
mod http;
mod load;
mod play;
mod process;
mod proxy;
mod server;
mod service;
mod stage;
mod table;
mod zdm;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use builds::Build;
use play::Scenario;
use server::{Engine, Server};
use table::Scene;
use zdm::Zdm;

pub type Error = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Error>;

/// An error in words.
pub fn wrong(words: &str) -> Error {
    words.into()
}

/// How large the drill is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Of each build in a rolling update; the others take half.
    pub instances: usize,
    /// A multiple of the clients.
    pub rows: usize,
    /// Between two requests of a client.
    pub pace: Duration,
    /// How many answers a moment lasts at least.
    pub answers: usize,
    /// From how many answers a canary is judged.
    pub canary_answers: usize,
}

const WHOLE: Drill = Drill {
    size: Size {
        instances: 8,
        rows: 4_000,
        pace: Duration::from_millis(40),
        answers: 40,
        canary_answers: 20,
    },
    environment: None,
    scenarios: Scenario::ALL,
    at_once: 1,
};
const SHORT: Drill = Drill {
    size: Size {
        instances: 2,
        rows: 800,
        pace: Duration::from_millis(80),
        answers: 10,
        canary_answers: 6,
    },
    environment: Some("short"),
    scenarios: Scenario::SHORT,
    at_once: Scenario::SHORT.len(),
};

/// What is played, and how.
#[derive(Clone, Copy)]
struct Drill {
    size: Size,
    /// Of zdm.toml.
    environment: Option<&'static str>,
    scenarios: &'static [Scenario],
    /// How many of them are played at the same time.
    at_once: usize,
}

const USAGE: &str = "rolling-deploy [--short] [postgres] [mariadb]";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["serve", build, name] => match Build::called(build) {
            Some(build) => service::serve(build, name).await,
            None => Err(wrong("no such build")),
        },
        ["--short", engines @ ..] => drill(engines, SHORT).await,
        engines => drill(engines, WHOLE).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays all scenarios on each server, and prints the table.
async fn drill(engines: &[&str], drill: Drill) -> Result<()> {
    let begun = Instant::now();
    let named = if engines.is_empty() { &["postgres", "mariadb"] } else { engines };
    let engines: Option<Vec<_>> = named.iter().map(|name| Engine::called(name)).collect();
    let engines = engines.ok_or_else(|| wrong(USAGE))?;
    let playing = engines.into_iter().map(|engine| on(engine, drill));
    let mut is_clean = true;
    for played in futures_util::future::join_all(playing).await {
        let (engine, scenes) = played?;
        println!("{}", table::table(engine.title(), &scenes));
        is_clean &= scenes.iter().all(|scene| scene.sum().is_clean());
    }
    println!("{} s", begun.elapsed().as_secs());
    if is_clean { Ok(()) } else { Err(wrong("requests failed, or answers were wrong")) }
}

async fn on(engine: Engine, drill: Drill) -> Result<(Engine, Vec<Scene>)> {
    let this = std::env::current_exe()?;
    let program = this.ancestors().nth(2).map(|folder| folder.join("zdm")).unwrap_or_default();
    if !program.exists() {
        return Err(wrong("the program zdm is not built: cargo build"));
    }
    let environment = drill.environment;
    let zdm = Zdm { program, config: "", environment, url: String::new() };
    let server = Server::start(engine, zdm).await?;
    let title = engine.title();
    let server = &server;
    let play = async |scenario: &Scenario| {
        let scene = scenario.play(server, drill.size).await;
        let scene = scene.map_err(|error| wrong(&format!("{title}: {error}")))?;
        eprintln!("{title}, {}: {} requests", scene.title, scene.sum().requests);
        Ok::<_, Error>(scene)
    };
    let mut scenes = Vec::new();
    for together in drill.scenarios.chunks(drill.at_once) {
        let playing = together.iter().map(play);
        for played in futures_util::future::join_all(playing).await {
            scenes.push(played?);
        }
    }
    Ok((engine, scenes))
}
