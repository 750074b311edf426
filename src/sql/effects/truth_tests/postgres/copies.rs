//! Copies of the base database, on which statements are executed.

use std::cell::{OnceCell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};

use super::blocked;
use super::observed::{self, Observed};
use crate::support::{Db, Session};

/// What the server says to a statement that cannot run in a transaction.
const ACTIVE_TRANSACTION: &str = "25001";

/// Tables whose rows nobody has counted yet.
const UNANALYSED: &str = "SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'm') AND reltuples <= 0 \
     AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";

/// A database that is copied, and its last copy: as long as statements are rolled back it can be used again.
pub(super) struct Copies<'d> {
    db: &'d Db,
    last: RefCell<Option<(String, Copy)>>,
}

/// A copy; dropped with the value.
pub(super) struct Copy {
    name: String,
    /// The address of the server's own database.
    admin: String,
    url: String,
    /// Where statements are run that are taken back.
    session: OnceCell<Session>,
}

impl<'d> Copies<'d> {
    pub(super) fn new(db: &'d Db) -> Self {
        Self { db, last: RefCell::new(None) }
    }

    /// A new copy, after the setup of a row.
    pub(super) fn fresh(&self, setup: &str) -> Result<Copy, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("copy{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let server = self.db.url.rsplit_once('/').unwrap().0;
        let copy = Copy {
            admin: format!("{server}/postgres"),
            url: format!("{server}/{name}"),
            name: name.clone(),
            session: OnceCell::new(),
        };
        let admin = Session::open(&copy.admin);
        // A run that was killed leaves its copies behind.
        admin.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        admin.run(&format!("CREATE DATABASE {name} TEMPLATE {}", self.db.name));
        if !setup.is_empty() {
            let session = copy.session();
            session.try_run(setup)?;
            for table in session.rows(UNANALYSED) {
                session.run(&format!("ANALYZE {}", table[0]));
            }
        }
        Ok(copy)
    }

    /// What a statement does after a setup.
    pub(super) fn observed(&self, setup: &str, sql: &str) -> Result<Observed, String> {
        let known = self.last.borrow_mut().take();
        let copy = match known {
            Some((last, copy)) if last == setup => copy,
            _ => self.fresh(setup)?,
        };
        let outcome = observed::in_transaction(copy.session.get_or_init(|| copy.session()), sql);
        match outcome {
            Err(error) if error.starts_with(ACTIVE_TRANSACTION) => {
                let locks = blocked::locks(self, copy, setup, sql)?;
                let copy = self.fresh(setup)?;
                let alone = observed::alone(&copy.session(), sql)?;
                Ok(Observed { locks, ..alone })
            }
            outcome => {
                *self.last.borrow_mut() = Some((setup.to_owned(), copy));
                outcome
            }
        }
    }
}

impl Copy {
    /// A connection to it.
    pub(super) fn session(&self) -> Session {
        let session = Session::open(&self.url);
        session.run("SET max_parallel_maintenance_workers = 0");
        session.run("SET max_parallel_workers_per_gather = 0");
        session
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        drop(Session::open(&self.admin).try_run(&statement));
    }
}
