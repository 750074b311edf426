//! `zdm report`.
