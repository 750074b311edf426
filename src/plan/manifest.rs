//! What a build of a service tolerates and needs, read from the migrations folder that it was built with.

use super::migration::Migration;
use super::project::Project;
use crate::model::lease::Need;
use crate::model::manifest::Manifest;

/// The manifest of a service: it tolerates the migrations whose `tolerated_by` names it, and needs every migration of
/// the folder, each as far as its `deploy_after` says.
pub(crate) fn manifest(project: &Project, service: &str) -> Manifest {
    let tolerated = |migration: &&Migration| {
        migration.contract.tolerated_by.iter().any(|named| named == service)
    };
    Manifest {
        service: service.to_owned(),
        tolerates: project.migrations.iter().filter(tolerated).map(|one| one.id.clone()).collect(),
        needs: project.migrations.iter().map(need).collect(),
    }
}

fn need(migration: &Migration) -> Need {
    (migration.id.clone(), migration.deploy_after)
}
