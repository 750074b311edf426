//! The ground of a verification: a database of its own, on a server that was named or that zdm starts.

use crate::database::connection::Connection;
use crate::database::target::{DatabaseUrl, Target};
use crate::engine::failure;
use crate::engine::scratch::{self, Durability, Scratch, ScratchError};
use crate::error::{Error, ErrorKind};
use crate::model::server::Engine;

/// A database that nobody else uses. It is dropped by [`Ground::leave`].
pub(super) struct Ground {
    /// Its address.
    pub(super) target: Target,
    /// A connection to another database of the server, which makes and drops it.
    admin: Connection,
    name: String,
    /// The server, when it is zdm's own.
    server: Option<Scratch>,
}

impl Ground {
    /// Makes the database. `url`: on this server; else on a throwaway one.
    pub(super) async fn prepare(
        url: Option<&DatabaseUrl>,
        engine: Engine,
        schemas: &[String],
    ) -> Result<Self, Error> {
        let (server, url) = if let Some(url) = url {
            (None, url.clone())
        } else {
            let server = start(engine).await?;
            let database = if engine.is_mysql_family() { "mysql" } else { "postgres" };
            let url = DatabaseUrl::new(server.url(database));
            (Some(server), url)
        };
        let name = format!("zdm_verify_{}", uuid::Uuid::new_v4().simple());
        let target = |url: DatabaseUrl, schemas: &[String]| Target {
            url,
            role: None,
            schemas: schemas.to_vec(),
            application_name: "zdm verify".to_owned(),
        };
        let outside = target(url.clone(), &[]);
        let opened = Connection::open(&outside).await;
        let mut admin = opened.map_err(|error| failure::connecting(&outside, error))?;
        let own = url.at_database(&name).ok_or_else(|| {
            Error::usage(format!("cannot put another database into the address {url}"))
                .hint("Write it as postgres://user@host/name, without a dbname option.")
        })?;
        admin.run(&format!("CREATE DATABASE {name}")).await.map_err(|error| {
            Error::new(ErrorKind::Failed, "could not make a database on the scratch server")
                .hint("The user of --scratch-url must be allowed to create databases.")
                .caused_by(error)
        })?;
        Ok(Self { target: target(own, schemas), admin, name, server })
    }

    /// Whether the server is thrown away afterwards, so that roles may be made on it.
    pub(super) fn is_own_server(&self) -> bool {
        self.server.is_some()
    }

    /// Makes a role that a statement names, without rights and login.
    pub(super) async fn make_role(&mut self, name: &str) -> bool {
        let name = crate::sql::quote::ident(Engine::Postgres, name);
        self.admin.run(&format!("CREATE ROLE {name}")).await.is_ok()
    }

    /// Drops the database; a throwaway server goes with everything.
    pub(super) async fn leave(mut self) -> Result<(), Error> {
        if self.server.is_none() {
            let force = if self.admin.engine().is_mysql_family() { "" } else { " WITH (FORCE)" };
            let dropped = self.admin.run(&format!("DROP DATABASE {}{force}", self.name)).await;
            dropped.map_err(|error| {
                let name = &self.name;
                Error::new(ErrorKind::Failed, format!("could not drop database \"{name}\""))
                    .hint("It holds no data: drop it by hand.")
                    .caused_by(error)
            })?;
        }
        self.admin.close().await;
        Ok(())
    }
}

async fn start(engine: Engine) -> Result<Scratch, Error> {
    let started = tokio::task::spawn_blocking(move || scratch::start(engine, Durability::Fast));
    let started = started.await.map_err(|error| {
        Error::new(ErrorKind::Failed, "could not start a server").caused_by(error)
    })?;
    started.map_err(|error| no_server(&error))
}

fn no_server(error: &ScratchError) -> Error {
    let failure = Error::new(ErrorKind::Failed, error.to_string());
    let install = error.install().unwrap_or_default();
    failure.hint(format!("Name a server with --scratch-url. {install}").trim_end())
}
