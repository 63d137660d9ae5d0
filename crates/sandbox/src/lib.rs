//! Authors' Python, confined (contract capa.md §6).
//!
//! A [`Sandbox`] keeps two warm interpreters, one plain and one with the scientific packages. Each is confined
//! before its first line of Python; a script runs in a child forked from it, which gives up still more and
//! lives for that script alone. docs/sandbox.md states the threat model and every layer.
//!
//! - [`Sandbox::run`] runs one [`Job`];
//! - [`RequestScripts`] is the port of crate `capa`, with one deadline for a whole request;
//! - [`Sandbox::layers`] tells which layers this machine gives.

mod cache;
mod error;
mod filter;
mod landlock_rules;
mod link;
mod private_root;
mod probe;
mod python;
mod runner;
mod settings;
mod spawn;
mod wire;
mod zygote;

pub use error::{Error, Failure};
pub use runner::{Job, RequestScripts, Sandbox};
pub use settings::{Layer, Layers, Limits, Settings};
