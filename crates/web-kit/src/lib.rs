//! Extractors, errors, templates and telemetry of the web roles.
