//! Split modulestore and contentstore over a document port.
