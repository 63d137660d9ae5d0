//! SQLite and MySQL under one small layer.
