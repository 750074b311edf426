//! A MariaDB with a binary log, and a real replica of it: for what only replication can show.

use std::process::Command;

use super::own::{Ground, Own};
use super::{Db, Session};

/// A primary and its replica. They end with the value.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The address of the primary, without a database.
    pub(crate) primary: String,
    /// The address of the replica, without a database.
    pub(crate) replica: String,
    servers: [Own; 2],
    _ground: Ground,
}

/// Starts both; `None` where the programs of a database's server are not to be found, which skips by name.
pub(crate) fn pair(db: &Db) -> Option<Pair> {
    let ground = Ground::find(db)?;
    ground.set_up("primary");
    let copied = Command::new("cp")
        .arg("-a")
        .args([ground.place("primary"), ground.place("replica")])
        .status();
    assert!(copied.unwrap().success());
    let servers = [("primary", 1), ("replica", 2)].map(|(name, number)| {
        let options = ["--log-bin=log", "--binlog-format=ROW", &format!("--server-id={number}")];
        ground.start(name, &options.map(str::to_owned))
    });
    let [primary, replica] = &servers;
    let session = Session::open(&format!("{}/mysql", replica.url));
    session.run(&format!(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'zdm', \
         MASTER_PASSWORD = 'secret', MASTER_CONNECT_RETRY = 1",
        primary.port
    ));
    session.run("START SLAVE");
    let (primary, replica) = (primary.url.clone(), replica.url.clone());
    Some(Pair { primary, replica, servers, _ground: ground })
}

impl Pair {
    /// Ends the replica as `kill -9` does.
    pub(crate) fn lose_replica(&mut self) {
        let [_, replica] = &mut self.servers;
        replica.kill();
    }
}
