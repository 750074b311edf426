//! What an outage of the database, or a stuck application, does to an instance.

use std::sync::mpsc;
use std::time::Instant;

use zdm::app::Readiness;

use super::{PATIENCE, TTL, api, install, join, until, value, wait};
use crate::support::{self, Db, Network, Proxy};

#[test]
fn a_stopped_database_suspends_an_instance_and_never_stops_it() {
    support::each(|db| goes_away(db, Network::Down));
}

#[test]
fn a_silent_network_suspends_an_instance_and_never_stops_it() {
    support::each(|db| goes_away(db, Network::Silent));
}

/// The database is away for several TTLs.
fn goes_away(db: &Db, outage: Network) {
    install(db);
    let proxy = Proxy::before(&db.url);
    let (tell, told) = mpsc::channel();
    let builder = api(&proxy.url(&db.url)).on_change(move |now| tell.send(now).unwrap());
    let instance = join(builder).unwrap();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));

    proxy.set(outage);
    let began = Instant::now();
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Suspended));
    assert!(!instance.ready());
    // It may have been renewed just before; it was not renewed after.
    assert!(began.elapsed() < TTL, "{:?}", began.elapsed());
    while began.elapsed() < 3 * TTL {
        assert!(!instance.ready() && instance.live());
        std::thread::sleep(TTL / 20);
    }

    proxy.set(Network::Up);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
    assert!(instance.ready() && instance.live());
    wait(instance.leave());
}

#[test]
fn a_short_outage_is_not_noticed() {
    support::each(|db| {
        install(db);
        let proxy = Proxy::before(&db.url);
        let (tell, told) = mpsc::channel();
        let builder = api(&proxy.url(&db.url)).on_change(move |now| tell.send(now).unwrap());
        let instance = join(builder).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
        proxy.set(Network::Down);
        std::thread::sleep(TTL / 10);
        proxy.set(Network::Up);
        let beat = || value(db, "SELECT max(beat) FROM zdm_lease").parse::<u32>().unwrap();
        let before = beat();
        until("renewals", || beat() >= before + 3);
        assert!(instance.ready());
        assert!(told.try_recv().is_err());
    });
}

#[test]
fn leaving_during_an_outage_takes_no_longer_than_it_must() {
    support::each(|db| {
        install(db);
        let proxy = Proxy::before(&db.url);
        let instance = join(api(&proxy.url(&db.url))).unwrap();
        proxy.set(Network::Silent);
        let began = Instant::now();
        wait(instance.leave());
        assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
        assert!(!instance.ready());
    });
}

#[test]
fn the_deadline_is_watched_while_the_runtime_of_the_application_is_stuck() {
    support::each(|db| {
        install(db);
        let proxy = Proxy::before(&db.url);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (tell, told) = mpsc::channel();
            let builder = api(&proxy.url(&db.url)).on_change(move |now| tell.send(now).unwrap());
            let instance = builder.join().await.unwrap();
            // The one thread of the runtime is blocked from here to the end, for more than a lease: it is kept.
            assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Serving));
            std::thread::sleep(2 * TTL);
            assert!(instance.ready());
            proxy.set(Network::Down);
            assert_eq!(told.recv_timeout(PATIENCE), Ok(Readiness::Suspended));
            assert!(!instance.ready());
        });
    });
}
