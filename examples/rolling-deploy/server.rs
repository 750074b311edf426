//! A throwaway server, and the databases in it.

use std::sync::Arc;

use zdm::scratch::{self, Durability, Scratch};

use crate::database::Database;
use crate::zdm::Zdm;
use crate::{Result, load};

/// The service's user.
const USER: &str = "api";
const PASSWORD: &str = "drill";

/// A family of servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    Postgres,
    MariaDb,
}

impl Engine {
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    pub fn called(name: &str) -> Option<Self> {
        match name {
            "postgres" => Some(Self::Postgres),
            "mariadb" => Some(Self::MariaDb),
            _ => None,
        }
    }
}

/// A server, and how zdm is run on it.
pub struct Server {
    engine: Engine,
    scratch: Scratch,
    admin: Arc<Database>,
    pub zdm: Zdm,
}

impl Server {
    pub async fn start(engine: Engine, zdm: Zdm) -> Result<Self> {
        let start = move || match engine {
            Engine::Postgres => scratch::postgres(Durability::Durable),
            Engine::MariaDb => scratch::mariadb(Durability::Durable),
        };
        let scratch = tokio::task::spawn_blocking(start).await??;
        let maintenance = match engine {
            Engine::Postgres => "postgres",
            Engine::MariaDb => "mysql",
        };
        let admin = Database::connect(&scratch.url(maintenance)).await?;
        admin
            .run(&match engine {
                Engine::Postgres => format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'"),
                Engine::MariaDb => format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'"),
            })
            .await?;
        Ok(Self { engine, scratch, admin, zdm })
    }

    /// Makes a database; its address for zdm, and for the service.
    pub async fn database(&self, title: &str) -> Result<(String, String)> {
        let name = title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        self.admin.run(&format!("CREATE DATABASE {name}")).await?;
        let scheme = if self.engine == Engine::Postgres { "postgres" } else { "mariadb" };
        let port = self.scratch.port();
        let service = format!("{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}/{name}");
        Ok((self.scratch.url(&name), service))
    }

    /// Fills the table with users, called as the load expects it, and lets the service at them.
    pub async fn fill(&self, database: &Database, rows: usize) -> Result<()> {
        for id in (0..rows).step_by(500) {
            let values = (id..rows.min(id + 500))
                .map(|id| format!("({id}, 'person{id}@example.org', '{}')", load::name(id, 0)))
                .collect::<Vec<_>>()
                .join(", ");
            database.run(&format!("INSERT INTO users (id, email, name) VALUES {values}")).await?;
        }
        let host = if self.engine == Engine::MariaDb { "@'%'" } else { "" };
        database.run(&format!("GRANT SELECT, INSERT, UPDATE ON users TO {USER}{host}")).await
    }
}
