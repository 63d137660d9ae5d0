//! Tests of imports, exports and what follows a publish, over embedded stores.

mod support;
mod world;
