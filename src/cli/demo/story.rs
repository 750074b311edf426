//! The story, chapter by chapter.

use std::time::{Duration, Instant};

use super::client::Client;
use super::fleet::{Build, Fleet};
use super::project::{Folder, MIGRATION, OPERATION};
use super::table::{self, Check, DATABASE};
use super::tally::{Tally, Written};
use super::terminal::{Show, Terminal};
use crate::cli::output::{Output, Stop};
use crate::engine::scratch::Scratch;
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;
use crate::report::human::time::grouped as count;

/// How many processes each build has.
const PROCESSES: u64 = 4;
/// How long the applications work between two commands.
const MEANWHILE: Duration = Duration::from_secs(2);

/// Tells it. A failure of the story is an error.
pub(super) async fn tell(
    server: &Scratch,
    engine: Engine,
    rows: u64,
    output: &Output,
) -> Result<(), Stop> {
    let begun = Instant::now();
    let folder = Folder::new(server.room().join("shop"), engine)
        .map_err(|error| failed("could not write the demo's files").caused_by(error))?;
    let terminal = Terminal { output, folder: &folder, url: server.url(DATABASE) };
    let mut stage = Stage::set(server, engine, rows, &terminal).await?;
    stage.old_build(&terminal).await?;
    stage.plan_and_expand(&terminal).await?;
    stage.new_build(&terminal).await?;
    stage.contract(&terminal).await?;
    stage.end(&terminal, begun).await
}

/// Everything that the chapters share.
struct Stage {
    engine: Engine,
    rows: u64,
    admin: Client,
    old: Build,
    new: Build,
    old_fleet: Option<Fleet>,
    new_fleet: Option<Fleet>,
    /// Of processes that have ended, and of comparisons of the whole table.
    tally: Tally,
    written: Written,
    problems: Vec<String>,
}

impl Stage {
    /// Makes the database, the table and the application's user.
    async fn set(
        server: &Scratch,
        engine: Engine,
        rows: u64,
        terminal: &Terminal<'_>,
    ) -> Result<Self, Stop> {
        let maintenance = if engine.is_mysql_family() { "mysql" } else { "postgres" };
        let mut first = Client::connect(&server.url(maintenance)).await.map_err(said)?;
        first.run(&format!("CREATE DATABASE {DATABASE}")).await.map_err(said)?;
        let password = uuid::Uuid::new_v4().simple().to_string();
        table::add_user(&mut first, engine, &password).await.map_err(said)?;
        let mut admin = Client::connect(&server.url(DATABASE)).await.map_err(said)?;
        terminal.chapter(
            "A shop with 200,000 users".replace("200,000", &count(rows)).as_str(),
            &format!(
                "A {} of its own, on 127.0.0.1:{}, in a temporary directory; it is gone when this ends.\n\
                 Migration 0001 makes the table \"users\".",
                engine.title(),
                server.port()
            ),
        )?;
        terminal.prompt(&format!(
            "export DATABASE_URL={}://owner@127.0.0.1:{}/{DATABASE}",
            engine.as_str(),
            server.port()
        ))?;
        terminal.zdm(&["expand"], Show::Lines(6), 0).await?;
        table::fill(&mut admin, engine, rows).await.map_err(said)?;
        let url = format!(
            "{}://{}:{password}@127.0.0.1:{}/{DATABASE}",
            engine.as_str(),
            table::USER,
            server.port()
        );
        let build = |name, column, first_share| {
            let manifest = terminal.folder.manifest(name);
            Build { name, column, manifest, first_share, rows, url: url.clone() }
        };
        let (old, new) = (build("build-1", "name", 0), build("build-2", "display_name", PROCESSES));
        let (tally, written, problems) = (Tally::default(), Written::new(), Vec::new());
        Ok(Self {
            engine,
            rows,
            admin,
            old,
            new,
            old_fleet: None,
            new_fleet: None,
            tally,
            written,
            problems,
        })
    }

    async fn old_build(&mut self, terminal: &Terminal<'_>) -> Result<(), Stop> {
        terminal.say(
            "Four processes of build 1 start. They read and write \"users.name\" all the time, with prepared statements,\n\
             and compare every row that they read. Each holds a lease on the database, by the library zdm::app.",
        )?;
        self.manifest(terminal, &self.old).await?;
        self.old_fleet = Some(Fleet::start(&self.old, PROCESSES).await?);
        self.look(terminal).await
    }

    async fn plan_and_expand(&mut self, terminal: &Terminal<'_>) -> Result<(), Stop> {
        terminal
            .folder
            .add_migration()
            .map_err(|error| failed("could not write the demo's files").caused_by(error))?;
        terminal.chapter(
            "The next build wants \"display_name\" instead of \"name\"",
            "One file says so:",
        )?;
        terminal.cat(&format!("migrations/{MIGRATION}/migration.toml"), OPERATION)?;
        terminal.say("What will happen, and what does it cost?")?;
        terminal.zdm(&["plan"], Show::Steps, 0).await?;
        terminal.chapter(
            "Before the deployment: expand and migrate",
            "Expand adds the new column, and triggers that keep both alike. Migrate fills it for all rows that are there,\n\
             in small batches, compares, and adds the constraints. Build 1 works on and notices nothing.",
        )?;
        terminal.zdm(&["expand"], Show::Lines(20), 0).await?;
        self.look(terminal).await?;
        terminal.zdm(&["migrate"], Show::Live(30), 0).await?;
        self.look(terminal).await
    }

    async fn new_build(&mut self, terminal: &Terminal<'_>) -> Result<(), Stop> {
        terminal.chapter(
            "The deployment begins: four processes of build 2 start",
            "They know \"display_name\" only; its image holds what it tolerates and needs:",
        )?;
        self.manifest(terminal, &self.new).await?;
        self.new_fleet = Some(Fleet::start(&self.new, PROCESSES).await?);
        terminal
            .say("Now both builds write, each its own column, and read what the other wrote.")?;
        self.look(terminal).await?;
        terminal.chapter(
            "Too early: contract would break build 1, so it is refused (exit code 4)",
            "",
        )?;
        let refusal = terminal.zdm(&["contract"], Show::Lines(30), 4).await?;
        for number in 1..=PROCESSES {
            let name = format!("{}-{number}", self.old.name);
            if !refusal.contains(&name) {
                return Err(failed(&format!("the refusal does not name {name}")).into());
            }
        }
        self.look(terminal).await
    }

    async fn contract(&mut self, terminal: &Terminal<'_>) -> Result<(), Stop> {
        terminal.chapter("The deployment ends: the processes of build 1 are stopped", "")?;
        if let Some(fleet) = self.old_fleet.take() {
            self.stopped(fleet).await?;
        }
        let (tally, problems) =
            table::check(&mut self.admin, self.rows, Check::Both(&self.written))
                .await
                .map_err(said)?;
        terminal.say(&format!(
            "Both columns are compared in {} rows: {} differ.",
            count(tally.checked),
            count(tally.wrong)
        ))?;
        self.tally += tally;
        self.problems.extend(problems);
        terminal.say("Nobody needs \"name\" any more: contract takes it out of sight.")?;
        terminal.zdm(&["contract"], Show::Live(30), 0).await?;
        self.look(terminal).await?;
        terminal.chapter("Somebody starts build 1 again, by mistake", "")?;
        let late = Fleet::start(&self.old, 1).await?;
        let words = late.refusal();
        late.stop().await?;
        let Some(words) = words else {
            return Err(failed("build 1 was let in after its contract").into());
        };
        terminal.prompt("./build-1")?;
        terminal.indented(&format!("refused: {words}"), 10)?;
        terminal.chapter("Where things stand", "")?;
        terminal.zdm(&["status"], Show::Lines(30), 0).await?;
        Ok(())
    }

    async fn end(&mut self, terminal: &Terminal<'_>, begun: Instant) -> Result<(), Stop> {
        self.look(terminal).await?;
        if let Some(fleet) = self.new_fleet.take() {
            self.stopped(fleet).await?;
        }
        let (tally, problems) = table::check(&mut self.admin, self.rows, Check::New(&self.written))
            .await
            .map_err(said)?;
        self.tally += tally;
        self.problems.extend(problems);
        let Tally { statements, failed: lost, checked, wrong } = self.tally;
        terminal.chapter("The sum", &format!(
            "statements run by the applications  {:>12}\n  failed                            {:>12}\n\
             rows checked                        {:>12}\n  wrong                             {:>12}\n\
             Every acknowledged write was found again. {} s on {}; nothing is left behind.",
            count(statements), count(lost), count(checked), count(wrong), begun.elapsed().as_secs(), self.engine.title()
        ).replace("Every acknowledged write was found again. ", if self.tally.is_clean() { "Every acknowledged write was found again. " } else { "" }))?;
        if self.tally.is_clean() && self.problems.is_empty() {
            return Ok(());
        }
        let mut error = failed("the applications did not run undisturbed");
        for problem in &self.problems {
            error = error.detail(problem.clone());
        }
        Err(error.into())
    }

    /// Writes what a build tolerates and needs, as its image holds it.
    async fn manifest(&self, terminal: &Terminal<'_>, build: &Build) -> Result<(), Stop> {
        let text = terminal.zdm(&["manifest", "--service", "api"], Show::Lines(10), 0).await?;
        let written = std::fs::write(&build.manifest, format!("{text}\n"));
        written.map_err(|error| failed("could not write a manifest").caused_by(error))?;
        Ok(())
    }

    /// Lets the applications work for a moment, and tells how they are.
    async fn look(&mut self, terminal: &Terminal<'_>) -> Result<(), Stop> {
        tokio::time::sleep(MEANWHILE).await;
        let mut tally = self.tally;
        let mut processes = 0;
        let mut problems = self.problems.clone();
        for fleet in [&self.old_fleet, &self.new_fleet].into_iter().flatten() {
            tally += fleet.tally();
            processes += usize::try_from(PROCESSES).unwrap_or_default();
            problems.extend(fleet.problems());
        }
        terminal.applications(tally, processes)?;
        for problem in problems.iter().take(5) {
            terminal.indented(problem, 1)?;
        }
        Ok(())
    }

    async fn stopped(&mut self, fleet: Fleet) -> Result<(), Stop> {
        let (tally, mut written, problems) = fleet.stop().await?;
        self.tally += tally;
        self.written.append(&mut written);
        self.problems.extend(problems);
        Ok(())
    }
}

fn said(error: String) -> Stop {
    failed("the demo's database said no").detail(error).into()
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::Failed, message)
}
