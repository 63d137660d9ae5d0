//! The Python package that travels inside the program: the warm process, the worker and the modules that
//! scripts may import. Nothing of it is written to a file.

use serde_json::{Map, Value, json};

/// Given on the interpreter's command line; reads everything else from the control socket.
pub(crate) const BOOTSTRAP: &str = include_str!("../python/bootstrap.py");

/// The warm process.
pub(crate) const ZYGOTE: &str = include_str!("../python/zygote.py");

/// Tells where the interpreter's files are.
pub(crate) const PROBE: &str = include_str!("../python/probe.py");

/// Module name, whether it is a package, its source.
const MODULES: &[(&str, bool, &str)] = &[
    ("stoa_worker", false, include_str!("../python/worker.py")),
    ("random2", false, include_str!("../python/random2.py")),
];

/// Modules imported by the warm process from the standard library, so that a script's `import` costs nothing.
pub(crate) const WARM: &[&str] = &[
    "math",
    "cmath",
    "re",
    "json",
    "random",
    "decimal",
    "fractions",
    "itertools",
    "functools",
    "collections",
    "collections.abc",
    "operator",
    "string",
    "datetime",
    "time",
    "copy",
    "textwrap",
    "html",
    "io",
    "zipfile",
    "traceback",
    "resource",
    "ast",
    "statistics",
    "numbers",
    "bisect",
    "heapq",
    "calendar",
    "types",
    "typing",
    "xml.etree.ElementTree",
    "html.parser",
    "hashlib",
    "base64",
    "pprint",
    "unicodedata",
    "__future__",
    "linecache",
    "encodings.idna",
    "random2",
];

/// Packages of the scientific process; it runs without those that are not installed.
pub(crate) const SCIENCE: &[&str] = &["numpy", "scipy", "sympy"];

/// Our modules by name, as the warm process reads them.
pub(crate) fn modules() -> Value {
    let map: Map<String, Value> = MODULES
        .iter()
        .map(|(name, package, source)| ((*name).to_owned(), json!([package, source])))
        .collect();
    Value::Object(map)
}
