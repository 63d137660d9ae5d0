//! Course, usage, asset and library keys.
