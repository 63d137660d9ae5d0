//! Contract tests of the domain over an embedded database.

mod learner;
