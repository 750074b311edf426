//! The life of a migration, undisturbed once, then with a fault at each place.

use std::sync::OnceLock;

use super::faults::{self, Fault, logged};
use super::points::{Place, places};
use super::stage::{LIFE, Stage, Step};
use super::writers::Writers;
use crate::support::Engine;

/// So often a table is used: each column that is added and dropped at once takes room in the rows of MariaDB, until error
/// 1118.
const TABLE: usize = 20;

/// So often the same command is given again after a fault.
const AGAIN: u32 = 3;

/// An undisturbed life: the places that each command passes, and what is there after it.
pub(super) struct Calm {
    places: Vec<(&'static str, Vec<Place>)>,
    after: Vec<(&'static str, Vec<Vec<String>>)>,
}

impl Calm {
    fn of(engine: Engine) -> Option<Self> {
        let mut stage = Stage::shared(engine)?;
        let mut calm = Self { places: Vec::new(), after: Vec::new() };
        for step in LIFE {
            stage.bring(step.from);
            let command = stage.project.command(step.arguments);
            let log = logged(command, stage.project.path());
            assert_eq!(stage.state(), step.to);
            calm.places.push((step.name, places(step.name, &log)));
            calm.after.push((step.name, stage.seen()));
        }
        Some(calm)
    }

    /// The places, by command.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'static str, &[Place])> {
        self.places.iter().map(|(command, places)| (*command, places.as_slice()))
    }

    /// What is there after a command.
    pub(super) fn after(&self, step: &Step) -> &[Vec<String>] {
        &self.after.iter().find(|(name, _)| *name == step.name).unwrap().1
    }
}

/// The undisturbed life, lived once; none without a server.
pub(super) fn calm(engine: Engine) -> Option<&'static Calm> {
    static POSTGRES: OnceLock<Option<Calm>> = OnceLock::new();
    static MARIADB: OnceLock<Option<Calm>> = OnceLock::new();
    let once = match engine {
        Engine::Postgres => &POSTGRES,
        Engine::MariaDb => &MARIADB,
    };
    once.get_or_init(|| Calm::of(engine)).as_ref()
}

impl Stage {
    /// Brings the migration into a state, undisturbed.
    pub(super) fn bring(&mut self, wanted: &str) {
        if self.state() == "purged" {
            self.anew();
        }
        while self.state() != wanted {
            let now = self.state();
            // The first way in the list that leads on; backwards only when there is none forwards.
            let name = match (now.as_str(), wanted) {
                ("pending", _) => "expand",
                ("expanded", "migrated" | "hidden") => "migrate",
                ("migrated", "hidden") => "contract",
                ("hidden", _) => "reveal",
                _ => "rollback",
            };
            let step = LIFE.iter().find(|step| step.name == name).unwrap();
            self.project.zdm(step.arguments).ended(0);
            assert_ne!(self.state(), now, "{} from {now}", step.name);
        }
    }
}

/// Which columns hold every value, by the state.
fn columns(state: &str) -> &'static [&'static str] {
    match state {
        "migrated" => &["name", "title"],
        "hidden" | "purged" => &["title"],
        _ => &["name"],
    }
}

/// One of so many places is tried when nothing is asked for: with one fault.
const THIN: usize = 5;

/// Whether a place is tried: all with `ZDM_FAULTS=all`, the second of eight shares with `2/8`, those whose name begins so
/// with anything else; a few when nothing is asked.
fn is_tried(engine: Engine, fault: Fault, at: &Place, number: usize) -> bool {
    let wanted = std::env::var("ZDM_FAULTS").unwrap_or_default();
    let name = format!("{engine}:{}:{}:{}", at.command, at.point, at.pass);
    match wanted.as_str() {
        "all" => true,
        share if share.contains('/') => {
            let (part, of) = share.split_once('/').unwrap();
            let (part, of): (usize, usize) = (part.parse().unwrap(), of.parse().unwrap());
            let own = faults::ALL.iter().position(|one| *one == fault).unwrap();
            (number + own) % of == part % of
        }
        "" => faults::ALL.get((number * 7 + 3) % (THIN * faults::ALL.len())) == Some(&fault),
        wanted => name.starts_with(wanted),
    }
}

/// Takes a migration through its life as often as there are places, with the fault at one of them each time.
pub(super) fn tried_at_every_point(engine: Engine, fault: Fault) {
    let Some(calm) = calm(engine) else { return };
    let stage = match fault {
        Fault::ServerCrash => Stage::alone(engine),
        _ => Stage::shared(engine),
    };
    let Some(mut stage) = stage else { return };
    let mut writers = Writers::on(&stage.db);
    let (mut number, mut tried, mut wrong) = (0, 0, Vec::new());
    for (step, (_, places)) in LIFE.iter().zip(calm.places()) {
        for at in places {
            number += 1;
            if !is_tried(engine, fault, at, number) {
                continue;
            }
            tried += 1;
            if stage.state() == "purged" || tried % TABLE == 0 {
                drop(writers);
                stage.anew();
                writers = Writers::on(&stage.db);
            }
            writers.let_new_in(false);
            stage.bring(step.from);
            writers.let_new_in(!matches!(step.name, "expand" | "rollback"));
            if let Err(what) = one(&stage, &writers, calm, step, fault, at) {
                wrong.push(format!("{}:{}:{}: {what}", at.command, at.point, at.pass));
                // What is left is no ground for the next place.
                drop(writers);
                stage.anew();
                writers = Writers::on(&stage.db);
            }
        }
    }
    let written = writers.written();
    drop(writers);
    eprintln!(
        "{engine}: {fault:?} at {tried} of {number} places; {written:?} writes since the last database"
    );
    assert!(wrong.is_empty(), "{fault:?} on {engine}:\n{}", wrong.join("\n"));
}

/// The fault at one place, the same command again, and a look at everything.
fn one(
    stage: &Stage,
    writers: &Writers,
    calm: &Calm,
    step: &Step,
    fault: Fault,
    at: &Place,
) -> Result<(), String> {
    let code = fault.meet(stage, step.arguments, at)?;
    if code == 0 && stage.state() != step.to {
        return Err(format!("it said that it was done, and is {}", stage.state()));
    }
    for _ in 0..AGAIN {
        if stage.state() == step.to {
            break;
        }
        let said = stage.project.zdm(step.arguments);
        if said.code != 0 {
            return Err(format!("the same command again ended with {}: {}", said.code, said.err));
        }
    }
    // Whatever was half done by a command that ended well is seen by one more.
    let last = stage.project.zdm(step.arguments);
    if last.code != 0 {
        return Err(format!("once more, it ended with {}: {}", last.code, last.err));
    }
    let (seen, expected) = (stage.seen(), calm.after(step));
    if seen != expected {
        let more = seen.iter().filter(|row| !expected.contains(row));
        let less = expected.iter().filter(|row| !seen.contains(row));
        let (more, less): (Vec<_>, Vec<_>) = (more.collect(), less.collect());
        return Err(format!("it left {more:?}, and lacks {less:?}"));
    }
    writers.check(&stage.db.session(), columns(step.to))
}
