//! What every scenario begins with: a database of its own, a load, a proxy; and what it is made of.

use crate::builds::Build;
use crate::database::Database;
use crate::load::Load;
use crate::process::{Process, Started};
use crate::proxy::{Proxy, Route};
use crate::server::Server;
use crate::table::{Moment, Scene};
use crate::zdm::Zdm;
use crate::{Result, Size, wrong};

/// What contract must say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contract {
    /// There is nothing that it could take away: exit code 0.
    NothingToDo,
    /// Exit code 4, with the name of each old instance.
    Blocked,
    /// Exit code 0, and the old column is out of sight.
    Done,
}

/// A scenario's stage.
pub struct Stage {
    pub size: Size,
    pub proxy: Proxy,
    pub zdm: Zdm,
    /// The database, as the service's own user.
    url: String,
    load: Option<Load>,
    instances: Vec<Process>,
    /// How many were ever started.
    started: usize,
    scene: Scene,
}

impl Stage {
    /// Makes the table, and fills it.
    pub async fn set(
        server: &Server,
        title: &'static str,
        config: &'static str,
        size: Size,
    ) -> Result<Self> {
        let (admin, url) = server.database(title).await?;
        let zdm = Zdm { config, url: admin, ..server.zdm.clone() };
        zdm.must(&["expand", "--to", "0001"], 0).await?;
        let admin = Database::connect(&zdm.url).await?;
        server.fill(&admin, size.rows).await?;
        let proxy = Proxy::start().await?;
        let (load, instances) = (None, Vec::new());
        let scene = Scene { title, moments: Vec::new() };
        Ok(Self { size, proxy, zdm, url, load, instances, started: 0, scene })
    }

    /// The load, from the first time that it is asked for.
    fn load(&mut self) -> &Load {
        let start = || Load::start(self.proxy.address, self.size.rows, self.size.pace);
        self.load.get_or_insert_with(start)
    }

    /// Starts so many instances of a build, and waits until all are ready.
    pub async fn start(&mut self, build: Build, count: usize) -> Result<()> {
        let names: Vec<_> = (1..=count)
            .map(|number| format!("{}-{}", build.name(), self.started + number))
            .collect();
        self.started += count;
        let starting = names.iter().map(|name| Process::start(build, name, &self.url));
        for started in futures_util::future::join_all(starting).await {
            match started? {
                Started::Serving(process) => {
                    self.proxy.add(&process.name, build, process.address);
                    self.instances.push(*process);
                }
                Started::Refused(words) => return Err(wrong(&words)),
            }
        }
        for name in &names {
            self.proxy.is_ready(name).await;
        }
        Ok(())
    }

    /// Stops the oldest instances of a build: no new requests, the last answer, SIGTERM.
    pub async fn stop(&mut self, build: Build, count: usize) -> Result<()> {
        for _ in 0..count {
            let found = self.instances.iter().position(|process| process.build == build);
            let at = found.ok_or_else(|| wrong(&format!("no {} runs", build.name())))?;
            let process = self.instances.remove(at);
            self.proxy.drain(&process.name).await;
            process.stop().await?;
        }
        Ok(())
    }

    /// How many instances of a build run.
    pub fn count(&self, build: Build) -> usize {
        self.instances.iter().filter(|process| process.build == build).count()
    }

    /// Lets the load run for a moment, tries contract, and writes down what was counted and said.
    pub async fn moment(&mut self, what: impl Into<String>, expected: Contract) -> Result<()> {
        let answers = self.size.answers;
        self.load().answers(answers).await;
        let code = match expected {
            Contract::NothingToDo | Contract::Done => 0,
            Contract::Blocked => 4,
        };
        let what = what.into();
        let text = self.zdm.must(&["contract"], code).await;
        let text = text.map_err(|error| wrong(&format!("{what}: {error}")))?;
        let old = self.instances.iter().filter(|process| process.build.is_old());
        let said = match expected {
            Contract::Blocked => {
                for process in old.clone() {
                    if !text.contains(&process.name) {
                        let name = &process.name;
                        return Err(wrong(&format!("contract does not name {name}\n{text}")));
                    }
                }
                format!("refused (4), names {} old", old.count())
            }
            Contract::NothingToDo => "nothing to do (0)".to_owned(),
            Contract::Done => "done (0)".to_owned(),
        };
        if expected == Contract::Done && !self.zdm.must(&["status"], 0).await?.contains("hidden") {
            return Err(wrong(&format!("{what}: contract has done nothing\n{text}")));
        }
        self.note(what, said);
        Ok(())
    }

    /// Writes down what was counted since the last moment, and what somebody said.
    pub fn note(&mut self, what: impl Into<String>, said: impl Into<String>) {
        let tally = self.load().take();
        self.scene.moments.push(Moment { what: what.into(), tally, said: said.into() });
    }

    /// Somebody starts a build that must be refused.
    pub async fn is_refused(&mut self, build: Build) -> Result<()> {
        self.started += 1;
        let name = format!("{}-{}", build.name(), self.started);
        match Process::start(build, &name, &self.url).await? {
            Started::Serving(_) => Err(wrong(&format!("{name} was let in"))),
            Started::Refused(words) => {
                let answers = self.size.answers;
                self.load().answers(answers).await;
                let (_, why) = words.split_once("0002_users_display_name ").unwrap_or_default();
                let (why, _) = why.split_once(',').unwrap_or_default();
                self.note(format!("{} starts late", build.name()), format!("(refused: it {why})"));
                Ok(())
            }
        }
    }

    /// Ends the load, compares all users, stops everybody.
    pub async fn end(mut self) -> Result<Scene> {
        let mut scene = self.scene;
        let tally = self.load.map(Load::end).ok_or_else(|| wrong("no load"))?.await?;
        scene.moments.push(Moment { what: "all users".to_owned(), tally, said: String::new() });
        self.proxy.route(Route::Even);
        let stopping = self.instances.drain(..).map(Process::stop);
        for stopped in futures_util::future::join_all(stopping).await {
            stopped?;
        }
        Ok(scene)
    }
}
