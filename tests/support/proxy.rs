//! A network that can fail: a proxy before a server.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the network does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Network {
    /// It works.
    Up,
    /// Connections end, and no new one is taken: the server is stopped.
    Down,
    /// Everything is held back without a word: a cable was pulled.
    Silent,
    /// What the client says arrives; what the server answers is lost.
    Deaf,
}

/// Listens on a port of its own, for as long as the test process lives.
pub(crate) struct Proxy {
    port: u16,
    server: Arc<Mutex<String>>,
    network: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// Starts one before the server of a URL.
    pub(crate) fn before(url: &str) -> Self {
        let server = Arc::new(Mutex::new(address(url).to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let network = Arc::new(AtomicU8::new(Network::Up as u8));
        let open = Arc::new(Mutex::new(Vec::new()));
        let proxy = Self {
            port,
            server: Arc::clone(&server),
            network: Arc::clone(&network),
            open: Arc::clone(&open),
        };
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if network.load(Ordering::SeqCst) == Network::Down as u8 {
                    continue;
                }
                let address = server.lock().unwrap().clone();
                let Ok(server) = TcpStream::connect(address) else { continue };
                for (from, to, what) in
                    [(&client, &server, What::Questions), (&server, &client, What::Answers)]
                {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let network = Arc::clone(&network);
                    std::thread::spawn(move || copy(from, to, what, &network));
                }
                open.lock().unwrap().extend([client, server]);
            }
        });
        proxy
    }

    /// Leads to the server of another URL from the next connection on.
    pub(crate) fn lead_to(&self, url: &str) {
        address(url).clone_into(&mut self.server.lock().unwrap());
    }

    /// The URL with the proxy's port instead of the server's.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(address(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Makes the network do this from now on.
    pub(crate) fn set(&self, network: Network) {
        self.network.store(network as u8, Ordering::SeqCst);
        if network == Network::Down {
            for stream in self.open.lock().unwrap().drain(..) {
                // It may have ended by itself.
                drop(stream.shutdown(Shutdown::Both));
            }
        }
    }
}

/// In which direction bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Questions,
    Answers,
}

fn copy(mut from: TcpStream, mut to: TcpStream, what: What, network: &AtomicU8) {
    let mut buffer = vec![0; 1 << 16];
    while let Some(read @ [_, ..]) = from.read(&mut buffer).ok().and_then(|read| buffer.get(..read))
    {
        while network.load(Ordering::SeqCst) == Network::Silent as u8 {
            std::thread::sleep(Duration::from_millis(5));
        }
        if what == What::Answers && network.load(Ordering::SeqCst) == Network::Deaf as u8 {
            continue;
        }
        if to.write_all(read).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Both));
}

fn address(url: &str) -> &str {
    let after_user = url.rsplit_once('@').unwrap().1;
    after_user.split('/').next().unwrap()
}
