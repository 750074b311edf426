//! Is a database what its journal says? Facts go in, findings with a way out come out.
//!
//! `zdm verify` and `zdm doctor` fetch the facts (`engine::health`); nothing is judged there.

pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod finding;
pub(crate) mod indexes;
pub(crate) mod rights;
pub(crate) mod state;
pub(crate) mod traces;
pub(crate) mod triggers;

pub(crate) use finding::Finding;
