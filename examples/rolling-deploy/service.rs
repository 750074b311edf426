//! The service: users by number, over HTTP. Its interface is the same in every build; the column behind it is not.
//!
//! What it does for zdm: it joins before it serves, begins nothing while it is not ready, and leaves when its last
//! request is done.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use zdm::Instance;

use crate::builds::Build;
use crate::database::{Database, User, Value};
use crate::http::{self, Answer, Request};
use crate::{Result, wrong};

/// How long it answers, after it has begun to drain, those that have not heard of it.
const GRACE: Duration = Duration::from_millis(250);
/// How late [`Build::TwoSlow`] is.
const SLOW: Duration = Duration::from_millis(400);

/// Runs one instance, until SIGTERM, or until whoever started it is gone. Its first line on stdout says where it listens, or
/// why it was refused.
pub async fn serve(build: Build, name: &str) -> Result<()> {
    let url = std::env::var("DATABASE_URL")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let builder = Instance::builder("api").version(build.name()).instance(name);
    let joined = builder.manifest(build.manifest()).database_url(&url).join().await;
    let instance = match joined {
        Ok(instance) => instance,
        Err(refused) => {
            println!("refused: {refused}");
            return Ok(());
        }
    };
    let database = Database::connect(&url).await?;
    let app = Arc::new(App { build, instance, database, begun: AtomicU64::new(0) });
    println!("listening on {}", listener.local_addr()?);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut requests = JoinSet::new();
    let mut parent_is_gone = end_of_input();
    loop {
        tokio::select! {
            stream = listener.accept() => drop(requests.spawn(Arc::clone(&app).handle(stream?.0))),
            Some(_) = requests.join_next() => {}
            _ = terminate.recv() => break,
            reason = app.instance.stopped() => {
                eprintln!("{name}: stopping: {reason:?}");
                break;
            }
            _ = &mut parent_is_gone => break,
        }
    }
    // From here on /healthz/ready says no, and new requests are sent on to somebody else.
    app.instance.drain();
    let grace = tokio::time::sleep(GRACE);
    tokio::pin!(grace);
    loop {
        tokio::select! {
            stream = listener.accept() => drop(requests.spawn(Arc::clone(&app).handle(stream?.0))),
            () = &mut grace => break,
        }
    }
    drop(listener);
    while requests.join_next().await.is_some() {}
    // The last statement is done: nobody has to wait for the lease to expire.
    app.instance.leave().await;
    Ok(())
}

/// Heard when standard input ends. On a thread of its own, as nothing can end the waiting for input.
fn end_of_input() -> oneshot::Receiver<()> {
    let (end, heard) = oneshot::channel();
    drop(std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(end);
    }));
    heard
}

struct App {
    build: Build,
    instance: Instance,
    database: Arc<Database>,
    /// How many requests were begun.
    begun: AtomicU64,
}

impl App {
    async fn handle(self: Arc<Self>, mut stream: TcpStream) {
        // Whoever hangs up wants no answer.
        let Ok(request) = http::receive(&mut stream).await else { return };
        let answer = self.answer(&request).await;
        drop(http::answer(&mut stream, &answer).await);
    }

    async fn answer(&self, request: &Request) -> Answer {
        let yes_or_no = |yes: bool| if yes { Answer::ok("yes") } else { Answer::not_begun("no") };
        match request.path.as_str() {
            "/healthz/live" => return yes_or_no(self.instance.live()),
            "/healthz/ready" => return yes_or_no(self.instance.ready()),
            _ => {}
        }
        // The lease first, for each request: without it nothing may be begun.
        if !self.instance.ready() {
            return Answer::not_begun("not ready");
        }
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        match self.build {
            Build::TwoWithErrors if number.is_multiple_of(2) => {
                return Answer::not_begun("a fault of this build");
            }
            Build::TwoSlow => tokio::time::sleep(SLOW).await,
            _ => {}
        }
        match self.users(request).await {
            Ok(answer) => answer,
            Err(error) => Answer { status: 500, body: format!("{}: {error:?}", self.build.name()) },
        }
    }

    /// `GET /users` and `/users/7`, `PUT /users/7` with a name, `POST /users/7` with an address and a name.
    async fn users(&self, request: &Request) -> Result<Answer> {
        let id = match request.path.strip_prefix("/users/") {
            Some(id) => Value::Key(id.parse()?),
            None => return self.all().await,
        };
        let (build, database) = (self.build, &self.database);
        let written = build.writes();
        let changed = match request.method.as_str() {
            "GET" => {
                let sql = format!("{} WHERE id = ?", self.select()?);
                let found = database.users(&sql, &[id]).await?;
                return Ok(match found.into_iter().next() {
                    Some(User { name, .. }) => Answer::ok(name),
                    None => Answer { status: 404, body: String::new() },
                });
            }
            "PUT" => {
                let sql = format!("UPDATE users SET {written} = ? WHERE id = ?");
                database.execute(&sql, &[Value::Text(&request.body), id]).await?
            }
            "POST" => {
                let (email, name) = request.body.split_once(' ').unwrap_or_default();
                let columns = match build {
                    Build::OneSelectStar => String::new(),
                    _ => format!("(id, email, {written})"),
                };
                let sql = format!("INSERT INTO users {columns} VALUES (?, ?, ?)");
                database.execute(&sql, &[id, Value::Text(email), Value::Text(name)]).await?
            }
            _ => return Ok(Answer { status: 405, body: String::new() }),
        };
        if changed == 1 { Ok(Answer::ok("done")) } else { Err(wrong("no row was changed")) }
    }

    async fn all(&self) -> Result<Answer> {
        let users = self.database.users(&self.select()?, &[]).await?;
        let lines: Vec<_> = users.iter().map(|user| format!("{} {}", user.id, user.name)).collect();
        Ok(Answer::ok(lines.join("\n")))
    }

    fn select(&self) -> Result<String> {
        Ok(match self.build {
            Build::OneSelectStar => "SELECT * FROM users".to_owned(),
            build => format!("SELECT id, email, {} FROM users", build.reads(&self.instance)?),
        })
    }
}
