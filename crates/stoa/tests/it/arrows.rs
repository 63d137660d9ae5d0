//! design.md, Layout: dependencies between the crates go one way, and pure crates stay pure.

use std::collections::BTreeMap;

/// The layers from the ground up; a crate may use those of its own layer that stand before it, and all below.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "pure",
        &[
            "opaque-keys",
            "course-model",
            "olx",
            "calc",
            "capa",
            "grading",
            "django-compat",
        ],
    ),
    ("ground", &["entropy", "sandbox", "db"]),
    ("stores", &["records", "modulestore", "blobs"]),
    (
        "domain",
        &["enrollment", "identity", "courseware", "authoring"],
    ),
    ("web", &["web-kit"]),
    ("handlers", &["lms", "studio"]),
    ("program", &["stoa"]),
];

/// Programs beside the product.
const TOOLS: &[&str] = &["stoa-vectors"];

/// Crates that mean input, output, a clock or a network to those who use them.
const NOT_PURE: &[&str] = &[
    "tokio", "axum", "sqlx", "reqwest", "hyper", "tower", "mongodb", "redis",
];

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let metadata = crate::metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let members = metadata["workspace_members"].as_array().unwrap();
    packages
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap();
            let used = used
                .iter()
                .filter(|dependency| dependency["kind"].is_null());
            let names = used.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
            (
                package["name"].as_str().unwrap().to_owned(),
                names.collect(),
            )
        })
        .collect()
}

fn rank(name: &str) -> Option<(usize, usize)> {
    LAYERS.iter().enumerate().find_map(|(layer, (_, crates))| {
        crates
            .iter()
            .position(|known| *known == name)
            .map(|place| (layer, place))
    })
}

#[test]
fn every_crate_has_its_layer() {
    for name in dependencies().keys() {
        assert!(
            rank(name).is_some() || TOOLS.contains(&name.as_str()),
            "{name} has no layer"
        );
    }
}

#[test]
fn arrows_go_one_way() {
    let all = dependencies();
    for (name, used) in &all {
        let Some(own) = rank(name) else { continue };
        for other in used.iter().filter(|other| all.contains_key(*other)) {
            let below = rank(other).unwrap_or_else(|| panic!("{name} uses the tool {other}"));
            assert!(below < own, "{name} reaches up to {other}");
        }
    }
}

#[test]
fn pure_crates_see_no_input_or_output() {
    let all = dependencies();
    for name in LAYERS[0].1 {
        for used in &all[*name] {
            assert!(!NOT_PURE.contains(&used.as_str()), "{name} uses {used}");
        }
    }
}

#[test]
fn domain_crates_do_not_see_axum_and_only_db_sees_sqlx() {
    let all = dependencies();
    for (name, used) in &all {
        let below_the_web = rank(name).is_some_and(|(layer, _)| layer < 4);
        assert!(
            !(below_the_web && used.iter().any(|u| u == "axum")),
            "{name} uses axum"
        );
        assert!(
            name == "db" || !used.iter().any(|u| u == "sqlx"),
            "{name} uses sqlx"
        );
    }
}
