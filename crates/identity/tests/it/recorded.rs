//! Form descriptions against recorded answers, where those are at hand (`STOA_SHARED`, or `../shared` beside the
//! repository).

use std::path::PathBuf;

use serde_json::Value;

use crate::engines::settings;

fn recorded(name: &str) -> Option<Value> {
    let root = std::env::var_os("STOA_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("golden/pairs").join(name).with_extension("json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("{name}: skipped, {} is absent", path.display());
        return None;
    };
    let pair: Value = serde_json::from_str(&text).unwrap();
    Some(pair["response"]["json"].clone())
}

/// contracts/identity.md §6.1, §7.1, §7.3.
#[test]
fn forms() {
    for (name, ours) in [
        ("auth/login_form_get", identity::login_form("Peer")),
        ("auth/login_form_get_v2", identity::login_form("Peer")),
        (
            "registration/form_v1",
            identity::registration::registration_form(&settings(), "v1", 2026),
        ),
        (
            "registration/form_v2",
            identity::registration::registration_form(&settings(), "v2", 2026),
        ),
        (
            "registration/password_reset_form",
            identity::reset::password_reset_form("Peer"),
        ),
    ] {
        if let Some(theirs) = recorded(name) {
            assert_eq!(ours, theirs, "{name}");
        }
    }
}
