//! Django's encodings, byte for byte.
