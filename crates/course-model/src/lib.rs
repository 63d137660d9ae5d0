//! Field types, block types, inheritance and the course snapshot.
