//! The scenarios. Each tries contract at every moment: it must say no until no old instance is left.

use std::time::Duration;

use crate::Result;
use crate::builds::Build;
use crate::proxy::{Health, Route};
use crate::server::Server;
use crate::stage::{Contract, Stage};
use crate::table::Scene;
use crate::{Size, wrong};

const SHOP: &str = "shop/zdm.toml";

/// A scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    RollingUpdate,
    BlueGreen,
    Canary,
    Abort,
    PhaseSwitch,
    SelectStar,
}

impl Scenario {
    pub const ALL: &[Self] = &[
        Self::RollingUpdate,
        Self::BlueGreen,
        Self::Canary,
        Self::Abort,
        Self::PhaseSwitch,
        Self::SelectStar,
    ];
    /// Those of which each asks something else of zdm.
    pub const SHORT: &[Self] =
        &[Self::RollingUpdate, Self::Abort, Self::PhaseSwitch, Self::SelectStar];

    fn title(self) -> &'static str {
        match self {
            Self::RollingUpdate => "rolling update",
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
            Self::Abort => "abort in the middle",
            Self::PhaseSwitch => "deploy_after = \"expand\"",
            Self::SelectStar => "a build that says SELECT *",
        }
    }

    /// Plays it in a database of its own.
    pub async fn play(self, server: &Server, size: Size) -> Result<Scene> {
        let config = match self {
            Self::PhaseSwitch => "shop-phase-switch/zdm.toml",
            Self::SelectStar => "shop/zdm-while-a-build-selects-star.toml",
            Self::RollingUpdate | Self::BlueGreen | Self::Canary | Self::Abort => SHOP,
        };
        let mut stage = Stage::set(server, self.title(), config, size).await?;
        let played = match self {
            Self::RollingUpdate => rolling_update(&mut stage).await,
            Self::BlueGreen => blue_green(&mut stage).await,
            Self::Canary => canary(&mut stage).await,
            Self::Abort => abort(&mut stage).await,
            Self::PhaseSwitch => phase_switch(&mut stage).await,
            Self::SelectStar => select_star(&mut stage).await,
        };
        played.map_err(|error| wrong(&format!("{}: {error}", self.title())))?;
        stage.end().await
    }
}

/// Build 1 runs, and the database is made ready for build 2.
async fn begin(stage: &mut Stage, instances: usize) -> Result<()> {
    stage.start(Build::One, instances).await?;
    stage.moment(format!("{instances} of build 1"), Contract::NothingToDo).await?;
    stage.zdm.must(&["expand"], 0).await?;
    stage.moment("expand", Contract::NothingToDo).await?;
    stage.zdm.must(&["migrate"], 0).await?;
    stage.moment("migrate", Contract::Blocked).await
}

/// Eight instances, one at a time.
async fn rolling_update(stage: &mut Stage) -> Result<()> {
    let all = stage.size.instances;
    begin(stage, all).await?;
    for replaced in 1..=all {
        stage.start(Build::Two, 1).await?;
        stage.stop(Build::One, 1).await?;
        let says = if replaced < all { Contract::Blocked } else { Contract::Done };
        stage.moment(format!("{replaced} of {all} replaced"), says).await?;
    }
    stage.is_refused(Build::One).await?;
    stage.moment("once more", Contract::NothingToDo).await
}

/// All at once, and back for as long as blue stands by; and back even from behind contract.
async fn blue_green(stage: &mut Stage) -> Result<()> {
    let half = stage.size.instances / 2;
    begin(stage, half).await?;
    stage.proxy.route(Route::Only(Build::One));
    stage.start(Build::Two, half).await?;
    stage.moment("green is started", Contract::Blocked).await?;
    stage.proxy.route(Route::Only(Build::Two));
    stage.moment("green serves, blue stands by", Contract::Blocked).await?;
    stage.proxy.route(Route::Only(Build::One));
    stage.moment("back to blue, within the window", Contract::Blocked).await?;
    stage.proxy.route(Route::Only(Build::Two));
    stage.moment("green serves again", Contract::Blocked).await?;
    stage.stop(Build::One, half).await?;
    stage.moment("the window ends, blue is stopped", Contract::Done).await?;
    stage.zdm.must(&["rollback", "0002"], 0).await?;
    stage.start(Build::One, half).await?;
    stage.proxy.route(Route::Only(Build::One));
    stage.moment("rollback of the contract, blue serves", Contract::Blocked).await
}

/// 5, 25, 50 and 100 %; two builds that are bad go back by themselves.
async fn canary(stage: &mut Stage) -> Result<()> {
    let half = stage.size.instances / 2;
    begin(stage, half).await?;
    for build in [Build::TwoWithErrors, Build::TwoSlow] {
        match raise(stage, build).await? {
            Some(fault) => {
                stage.moment(format!("{}: {fault}", build.name()), Contract::Blocked).await?;
            }
            None => return Err(wrong(&format!("{} was not stopped", build.name()))),
        }
    }
    if let Some(fault) = raise(stage, Build::Two).await? {
        return Err(wrong(&format!("the good build was stopped: {fault}")));
    }
    stage.stop(Build::One, half).await?;
    stage.moment("build 1 is stopped", Contract::Done).await
}

/// Gives a build more and more requests. If it is bad, build 1 gets all again, and the words are why.
async fn raise(stage: &mut Stage, build: Build) -> Result<Option<String>> {
    for percent in [5, 25, 50, 100] {
        let wanted = (stage.size.instances / 2 * percent as usize / 100).max(1);
        let missing = wanted.saturating_sub(stage.count(build));
        stage.start(build, missing).await?;
        stage.proxy.route(Route::Canary(build, percent));
        if let Some(fault) = judge(stage, build).await {
            stage.proxy.route(Route::Only(Build::One));
            stage.stop(build, stage.count(build)).await?;
            return Ok(Some(format!("{fault}, back from {percent} %")));
        }
        stage.moment(format!("{}: {percent} %", build.name()), Contract::Blocked).await?;
    }
    Ok(None)
}

/// Whether a canary is worse than build 1 is at the same time. It is looked at twice: one hiccup is none of its doing.
async fn judge(stage: &Stage, build: Build) -> Option<String> {
    let mut fault = None;
    for look in 1..=2 {
        while stage.proxy.health(build).answers < stage.size.canary_answers * look {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        fault = compare(&stage.proxy.health(build), &stage.proxy.health(Build::One));
        fault.as_ref()?;
    }
    fault
}

fn compare(canary: &Health, stable: &Health) -> Option<String> {
    let Health { answers, errors, .. } = *canary;
    let (late, usual) = (canary.median(), stable.median());
    if errors * 5 > answers {
        Some(format!("{errors} errors of {answers}"))
    } else if late > usual * 3 + Duration::from_millis(200) {
        Some(format!("{} ms, not {}", late.as_millis(), usual.as_millis()))
    } else {
        None
    }
}

/// The deployment is given up when half is replaced, and its migration, too.
async fn abort(stage: &mut Stage) -> Result<()> {
    let all = (stage.size.instances / 2).max(2);
    let half = all / 2;
    begin(stage, all).await?;
    for _ in 0..half {
        stage.start(Build::Two, 1).await?;
        stage.stop(Build::One, 1).await?;
    }
    stage.moment(format!("{half} of {all} replaced"), Contract::Blocked).await?;
    stage.zdm.must(&["rollback", "0002"], 4).await?;
    stage.note("rollback, while build 2 runs", "(rollback: refused (4))");
    stage.start(Build::One, half).await?;
    stage.stop(Build::Two, half).await?;
    stage.moment("build 1 is back", Contract::Blocked).await?;
    stage.zdm.must(&["rollback", "0002"], 0).await?;
    stage.note("rollback, when build 2 is gone", "(rollback: done (0))");
    stage.moment("as before", Contract::NothingToDo).await
}

/// Build 2 starts before the rows are filled, and changes over to the new column by itself.
async fn phase_switch(stage: &mut Stage) -> Result<()> {
    let half = stage.size.instances / 2;
    stage.start(Build::One, half).await?;
    stage.moment(format!("{half} of build 1"), Contract::NothingToDo).await?;
    stage.zdm.must(&["expand"], 0).await?;
    stage.start(Build::TwoPhaseSwitch, half).await?;
    stage.moment("build 2 beside it, rows not filled", Contract::NothingToDo).await?;
    stage.zdm.must(&["migrate"], 0).await?;
    stage.moment("migrate", Contract::Blocked).await?;
    stage.stop(Build::One, half).await?;
    stage.moment("build 1 is stopped", Contract::Done).await
}

/// zdm.toml says that such a build is known to run, so that no column comes while it does.
async fn select_star(stage: &mut Stage) -> Result<()> {
    let half = stage.size.instances / 2;
    stage.start(Build::One, half).await?;
    stage.start(Build::OneSelectStar, 1).await?;
    stage.moment(format!("{half} of build 1, and one that says it"), Contract::NothingToDo).await?;
    let text = stage.zdm.must(&["expand"], 3).await?;
    if !text.contains("result-shape") {
        return Err(wrong(&format!("another refusal: {text}")));
    }
    stage.note("expand, while SELECT * runs", "(expand: refused (3))");
    stage.moment("all as before", Contract::NothingToDo).await?;
    stage.start(Build::One, 1).await?;
    stage.stop(Build::OneSelectStar, 1).await?;
    stage.zdm.config = SHOP;
    stage.zdm.must(&["expand"], 0).await?;
    stage.note("expand, when it is replaced", "(expand: done (0))");
    stage.zdm.must(&["migrate"], 0).await?;
    stage.moment("migrate", Contract::Blocked).await
}
