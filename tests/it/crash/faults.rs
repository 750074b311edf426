//! The faults: what each does to a command that has come to a point, and how the command may end then.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::points::Place;
use super::stage::Stage;
use crate::cli::{Said, said};
use crate::engine::{Running, state_table, until};
use crate::support::{Db, Engine, Network, Proxy};

/// One thing that goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// `kill -9` of zdm.
    Kill,
    /// The server ends its sessions: each connection before or after a COMMIT.
    SessionsEnded,
    /// What it sends next arrives, but the answer does not, and the connection is gone: in a COMMIT, say.
    AnswerLost,
    Terminate,
    Interrupt,
    SecondRun,
    /// `kill -9` of the server, which then starts again.
    ServerCrash,
    StateRefuses,
    LockHeld,
    StatementTimeout,
    Serialization,
    Deadlock,
    UserTrigger,
}

/// All of them, in this order.
pub(super) const ALL: &[Fault] = &[
    Fault::Kill,
    Fault::SessionsEnded,
    Fault::AnswerLost,
    Fault::Terminate,
    Fault::Interrupt,
    Fault::SecondRun,
    Fault::ServerCrash,
    Fault::StateRefuses,
    Fault::LockHeld,
    Fault::StatementTimeout,
    Fault::Serialization,
    Fault::Deadlock,
    Fault::UserTrigger,
];

/// The row that a user's trigger refuses.
const REFUSED_ROW: u32 = 333;

/// How long a fault lasts that goes away while the command runs.
const MOMENT: Duration = Duration::from_millis(150);

/// A run takes seconds at most; one that is stuck ends here.
const PATIENCE: Duration = Duration::from_mins(1);

impl Fault {
    /// The exit codes with which the command may end: it goes on by itself where it can.
    fn ends(self) -> &'static [i32] {
        match self {
            Self::Kill => &[-1],
            Self::SessionsEnded | Self::AnswerLost | Self::ServerCrash => &[0],
            Self::LockHeld | Self::SecondRun => &[0],
            Self::Serialization | Self::Deadlock => &[0, 6],
            Self::StatementTimeout | Self::StateRefuses | Self::UserTrigger => &[0, 1],
            Self::Terminate => &[0, 143],
            Self::Interrupt => &[0, 130],
        }
    }

    /// Runs a command into the fault at a place, and returns its exit code. `Err`: it ended otherwise than it may, or never came there.
    pub(super) fn meet(self, stage: &Stage, arguments: &[&str], at: &Place) -> Result<i32, String> {
        let ended = match self {
            Self::Kill => {
                let mut command = stage.project.command(arguments);
                command.env("ZDM_FAULT", place(at));
                Some(said(command))
            }
            _ => self.at_a_stop(stage, arguments, at)?,
        };
        match ended {
            None if at.point.starts_with("batch-") => Ok(0),
            None => Err("the command did not come to the point".to_owned()),
            Some(Said { code: 0, .. }) if at.point.starts_with("batch-") => Ok(0),
            Some(ended) if self.ends().contains(&ended.code) => Ok(ended.code),
            Some(ended) => Err(format!("it ended with {}: {}", ended.code, ended.err)),
        }
    }

    /// The command stops at the place, the fault comes, the command goes on. None: it never stopped.
    fn at_a_stop(
        self,
        stage: &Stage,
        arguments: &[&str],
        at: &Place,
    ) -> Result<Option<Said>, String> {
        let db = &stage.db;
        let proxy = (self == Self::AnswerLost).then(|| Proxy::before(&db.url));
        let mut command = stage.project.command(arguments);
        if let Some(proxy) = &proxy {
            command.env("DATABASE_URL", proxy.url(&db.url));
        }
        command.env("ZDM_FAULT_STOP", place(at));
        let known = sessions(db);
        let running = Running::start(command);
        if !has_stopped(running.pid()) {
            ended(running).ended(0);
            return Ok(None);
        }
        let go_on = || running.signal("CONT");
        let after: Box<dyn FnOnce() -> Result<(), String>> = match self {
            Self::Kill => unreachable!("it does not stop"),
            Self::SessionsEnded => {
                end_sessions(db, &known);
                go_on();
                Box::new(|| Ok(()))
            }
            Self::AnswerLost => {
                let proxy = proxy.as_ref().unwrap();
                proxy.set(Network::Deaf);
                go_on();
                sleep(Duration::from_millis(40));
                proxy.set(Network::Down);
                proxy.set(Network::Up);
                Box::new(|| Ok(()))
            }
            Self::Terminate | Self::Interrupt => {
                running.signal(if self == Self::Terminate { "TERM" } else { "INT" });
                go_on();
                Box::new(|| Ok(()))
            }
            Self::SecondRun => {
                let second = Running::start(stage.project.command(arguments));
                sleep(MOMENT);
                go_on();
                Box::new(|| match ended(second) {
                    // It may have come just after the end of the first.
                    Said { code: 0 | 6, .. } => Ok(()),
                    other => {
                        Err(format!("the second run ended with {}: {}", other.code, other.err))
                    }
                })
            }
            Self::ServerCrash => {
                stage.crash();
                go_on();
                Box::new(|| Ok(()))
            }
            Self::LockHeld => {
                let holder = db.session();
                holder.run("START TRANSACTION");
                let table = holder.start("SELECT count(*) FROM users");
                let row = holder.start("SELECT id FROM users WHERE id = 600 FOR UPDATE");
                go_on();
                sleep(MOMENT);
                drop((table.answer(), row.answer()));
                holder.run("COMMIT");
                Box::new(|| Ok(()))
            }
            Self::StateRefuses | Self::UserTrigger => {
                let refusal = Refusal::begin(db, self);
                go_on();
                Box::new(move || {
                    refusal.end();
                    Ok(())
                })
            }
            Self::StatementTimeout | Self::Serialization | Self::Deadlock => {
                let refusal = Refusal::begin(db, self);
                go_on();
                sleep(MOMENT);
                refusal.end();
                Box::new(|| Ok(()))
            }
        };
        let ended = ended(running);
        after()?;
        Ok(Some(ended))
    }
}

fn place(at: &Place) -> String {
    format!("{}:{}", at.point, at.pass)
}

/// Waits for the stop of a process (`true`), or its end, which is left for its parent to see.
pub(super) fn has_stopped(pid: u32) -> bool {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid), options).unwrap().is_some_and(|status| status.stopped())
}

/// Waits for the end, but not for ever.
pub(super) fn ended(mut running: Running) -> Said {
    let begun = Instant::now();
    while !running.has_ended() {
        if begun.elapsed() > PATIENCE {
            running.signal("KILL");
            let said = running.end();
            return Said { err: format!("stuck; {}", said.err), ..said };
        }
        sleep(Duration::from_millis(2));
    }
    running.end()
}

impl Stage {
    /// The server dies and comes back.
    fn crash(&self) {
        let server = self.server.as_ref().unwrap();
        let mut server = server.borrow_mut();
        server.crash();
        server.start_again().unwrap();
        drop(server);
        until("the server", || crate::support::Session::try_open(&self.db.url).is_ok());
    }
}

/// The sessions on the database, by number.
fn sessions(db: &Db) -> Vec<String> {
    let sql = match db.engine {
        Engine::Postgres => "SELECT pid FROM pg_stat_activity WHERE datname = current_database()",
        Engine::MariaDb => "SELECT id FROM information_schema.processlist WHERE db = database()",
    };
    db.rows(sql).into_iter().flatten().collect()
}

/// Ends every session that was not there before zdm.
fn end_sessions(db: &Db, known: &[String]) {
    let session = db.session();
    for id in sessions(db).iter().filter(|id| !known.contains(id)) {
        if *id != session.backend.to_string() {
            let sql = match db.engine {
                Engine::Postgres => format!("SELECT pg_terminate_backend({id})"),
                Engine::MariaDb => format!("KILL {id}"),
            };
            // The test's own short sessions have ended by now.
            drop(session.try_run(&sql));
        }
    }
}

/// What a server says, by the fault: the SQLSTATE of PostgreSQL, the number of MariaDB.
fn code(fault: Fault) -> (&'static str, u16) {
    match fault {
        // query_canceled; ER_STATEMENT_TIMEOUT
        Fault::StatementTimeout => ("57014", 1969),
        // serialization_failure; ER_CHECKREAD
        Fault::Serialization => ("40001", 1020),
        // deadlock_detected; ER_LOCK_DEADLOCK
        Fault::Deadlock => ("40P01", 1213),
        _ => ("P0001", 1644),
    }
}

/// For as long as it lasts, triggers refuse writes: to the state, or to one row of the table.
struct Refusal {
    holder: crate::support::Session,
    engine: Engine,
}

impl Refusal {
    fn begin(db: &Db, fault: Fault) -> Self {
        let holder = db.session();
        let what = if fault == Fault::UserTrigger { "row" } else { "state" };
        let (state, number) = code(fault);
        match db.engine {
            Engine::Postgres => {
                holder.run(&format!("INSERT INTO refused VALUES ('{what}', '{state}')"));
            }
            // A lock by name: under LOCK TABLES a trigger reads no other table.
            Engine::MariaDb => {
                holder.run(&format!("SELECT GET_LOCK('{} {what} {number}', 5)", db.name));
            }
        }
        Self { holder, engine: db.engine }
    }

    fn end(self) {
        self.holder.run(match self.engine {
            Engine::Postgres => "DELETE FROM refused",
            Engine::MariaDb => "SELECT RELEASE_ALL_LOCKS()",
        });
    }
}

/// The triggers through which writes are refused.
pub(super) fn furnish(db: &Db) {
    let state = ["migration", "step", "backfill", "fence"].map(|name| state_table(db, name));
    if db.engine == Engine::Postgres {
        db.run(
            "CREATE TABLE refused (what text, state text);
             CREATE SCHEMA test;
             CREATE FUNCTION test.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
             DECLARE code text;
             BEGIN
               SELECT state INTO code FROM public.refused WHERE what = TG_ARGV[0] LIMIT 1;
               IF code IS NOT NULL THEN RAISE EXCEPTION 'refused by a test' USING ERRCODE = code; END IF;
               RETURN COALESCE(NEW, OLD);
             END $$",
        );
        for table in state {
            db.run(&format!(
                "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} \
                 FOR EACH ROW EXECUTE FUNCTION test.refuse('state')"
            ));
        }
        db.run(&format!(
            "CREATE TRIGGER a_refusal BEFORE UPDATE ON users FOR EACH ROW WHEN (NEW.id = {REFUSED_ROW}) \
             EXECUTE FUNCTION test.refuse('row')"
        ));
        return;
    }
    let faults =
        [Fault::StateRefuses, Fault::StatementTimeout, Fault::Serialization, Fault::Deadlock];
    let refuse = |what: &str, fault| {
        let number = code(fault).1;
        format!(
            "IF IS_USED_LOCK(CONCAT(DATABASE(), ' {what} {number}')) IS NOT NULL THEN \
             SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'refused by a test'; END IF; "
        )
    };
    let every: String = faults.iter().map(|fault| refuse("state", *fault)).collect();
    for table in state {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            db.run(&format!(
                "CREATE TRIGGER refuse_{table}_{event} BEFORE {event} ON {table} FOR EACH ROW BEGIN {every}END"
            ));
        }
    }
    let row = refuse("row", Fault::UserTrigger);
    db.run(&format!(
        "CREATE TRIGGER a_refusal BEFORE UPDATE ON users FOR EACH ROW \
         BEGIN IF NEW.id = {REFUSED_ROW} THEN {row}END IF; END"
    ));
}

/// Runs a command with its points written to a file; returns what is in it.
pub(super) fn logged(mut command: Command, folder: &std::path::Path) -> String {
    let log = folder.join("points");
    drop(std::fs::remove_file(&log));
    command.env("ZDM_FAULT_LOG", &log);
    said(command).ended(0);
    std::fs::read_to_string(log).unwrap_or_default()
}
