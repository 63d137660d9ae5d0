//! Routers and handlers of Studio.
