//! Course archives to and from a tree of blocks.
