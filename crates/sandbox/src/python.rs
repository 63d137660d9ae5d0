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
    ("calc", true, include_str!("../python/calc/__init__.py")),
    ("calc.calc", false, include_str!("../python/calc/calc.py")),
    (
        "calc.functions",
        false,
        include_str!("../python/calc/functions.py"),
    ),
    (
        "calc.numbers",
        false,
        include_str!("../python/calc/numbers.py"),
    ),
    (
        "calc.parsing",
        false,
        include_str!("../python/calc/parsing.py"),
    ),
    (
        "calc.preview",
        false,
        include_str!("../python/calc/preview.py"),
    ),
    ("chem", true, include_str!("../python/chem/__init__.py")),
    (
        "chem.chemcalc",
        false,
        include_str!("../python/chem/chemcalc.py"),
    ),
    (
        "chem.chemtools",
        false,
        include_str!("../python/chem/chemtools.py"),
    ),
    (
        "chem.miller",
        false,
        include_str!("../python/chem/miller.py"),
    ),
    ("eia", false, include_str!("../python/eia.py")),
    ("loncapa", false, include_str!("../python/loncapa.py")),
    (
        "symmath",
        true,
        include_str!("../python/symmath/__init__.py"),
    ),
    (
        "symmath.formula",
        false,
        include_str!("../python/symmath/formula.py"),
    ),
    (
        "symmath.symmath_check",
        false,
        include_str!("../python/symmath/symmath_check.py"),
    ),
    (
        "verifiers",
        true,
        include_str!("../python/verifiers/__init__.py"),
    ),
    (
        "verifiers.draganddrop",
        false,
        include_str!("../python/verifiers/draganddrop.py"),
    ),
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
    "calc.preview",
    "chem.chemcalc",
    "chem.chemtools",
    "chem.miller",
    "verifiers.draganddrop",
    "eia",
    "loncapa",
    "symmath",
];

/// Packages of the scientific process; it runs without those that are not installed.
pub(crate) const SCIENCE: &[&str] = &["numpy", "scipy", "sympy"];

/// Their parts that scripts use most, imported with them.
pub(crate) const SCIENCE_PARTS: &[&str] = &[
    "numpy.random",
    "numpy.linalg",
    "numpy.fft",
    "scipy.special",
    "scipy.linalg",
    "scipy.integrate",
    "scipy.interpolate",
    "scipy.optimize",
    "scipy.stats",
];

/// Our modules by name, as the warm process reads them.
pub(crate) fn modules() -> Value {
    let map: Map<String, Value> = MODULES
        .iter()
        .map(|(name, package, source)| ((*name).to_owned(), json!([package, source])))
        .collect();
    Value::Object(map)
}
