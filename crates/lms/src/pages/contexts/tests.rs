//! Every template is rendered with every sample in every language, strictly, and looked through.

use std::collections::BTreeSet;

use axum::http::Request;
use web_kit::i18n::Catalogues;
use web_kit::{Page, PageContext, Settings, Viewer, WebKit};

use super::*;

fn kit() -> WebKit {
    WebKit::new(Settings::default(), &[super::super::templates()]).unwrap()
}

/// Renders all samples of a page for a visitor and for a signed-in person; gives (name, HTML).
fn rendered<C: PageContext>(kit: &WebKit, pages: &mut Vec<(String, String)>) {
    for language in ["en", "es", "ar"] {
        for signed_in in [false, true] {
            for (index, sample) in C::samples().iter().enumerate() {
                let mut request = Request::get("/dashboard?a=%22b")
                    .header("accept-language", language)
                    .body(())
                    .unwrap();
                if signed_in {
                    request.extensions_mut().insert(Viewer {
                        username: "amara".to_owned(),
                        name: "Amara <Lindqvist>".to_owned(),
                        is_staff: index == 1,
                        time_zone: Some("Europe/Lisbon".to_owned()),
                        language: None,
                    });
                }
                let page = Page::from_parts(kit, &request.into_parts().0);
                let html = page.html(sample).unwrap_or_else(|error| panic!("{error}"));
                let person = if signed_in { "person" } else { "visitor" };
                let name = C::TEMPLATE.trim_end_matches(".html");
                pages.push((format!("{name}-{index}-{language}-{person}"), html));
            }
        }
    }
}

fn all_pages() -> Vec<(String, String)> {
    let kit = kit();
    let mut pages = Vec::new();
    rendered::<LoginPage>(&kit, &mut pages);
    rendered::<StaticTabPage>(&kit, &mut pages);
    rendered::<AuthorizePage>(&kit, &mut pages);
    rendered::<AuthorizeErrorPage>(&kit, &mut pages);
    rendered::<LogoutPage>(&kit, &mut pages);
    rendered::<DashboardPage>(&kit, &mut pages);
    rendered::<CatalogPage>(&kit, &mut pages);
    rendered::<CourseAboutPage>(&kit, &mut pages);
    rendered::<CourseHomePage>(&kit, &mut pages);
    rendered::<UnitPage>(&kit, &mut pages);
    rendered::<crate::xblock::XBlockPage>(&kit, &mut pages);
    rendered::<crate::xblock::MissingBlockPage>(&kit, &mut pages);
    rendered::<DatesPage>(&kit, &mut pages);
    rendered::<ProgressPage>(&kit, &mut pages);
    rendered::<RegisterPage>(&kit, &mut pages);
    rendered::<PasswordAssistancePage>(&kit, &mut pages);
    rendered::<PasswordResetPage>(&kit, &mut pages);
    rendered::<web_kit::pages::ErrorPage>(&kit, &mut pages);
    rendered::<web_kit::pages::StudioToComePage>(&kit, &mut pages);
    pages
}

/// With `STOA_WRITE_PAGES=folder` the pages are also written there, to be looked at in a browser.
#[test]
fn every_template_renders_with_every_sample() {
    let pages = all_pages();
    let mut shown = BTreeSet::new();
    for (name, html) in &pages {
        assert!(html.starts_with("<!doctype html>"), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
        assert!(!html.contains("<script>alert"), "{name}");
        assert!(
            !html.contains(" style=\"") || name.starts_with("unit"),
            "style attribute in {name}"
        );
        shown.insert(name.split('-').next().unwrap_or_default().to_owned());
    }
    if let Some(folder) = std::env::var_os("STOA_WRITE_PAGES") {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, html) in &pages {
            std::fs::write(
                std::path::Path::new(&folder).join(format!("{name}.html")),
                html,
            )
            .unwrap();
        }
    }
    let templates: BTreeSet<_> = super::super::templates()
        .names()
        .into_iter()
        .filter(|name| !name.contains('/'))
        .map(|name| name.trim_end_matches(".html").to_owned())
        .collect();
    let missing: Vec<_> = templates.difference(&shown).collect();
    assert!(missing.is_empty(), "templates without samples: {missing:?}");
}

/// Names point at what is there; nothing has two owners.
#[test]
fn ids_are_unique_and_every_label_has_its_field() {
    for (name, html) in all_pages() {
        let mut ids = BTreeSet::new();
        for part in html.split(" id=\"").skip(1) {
            let id = part.split('"').next().unwrap_or_default();
            assert!(ids.insert(id), "{name}: id {id} twice");
        }
        for reference in ["for", "aria-labelledby", "aria-describedby"] {
            for part in html.split(&format!(" {reference}=\"")).skip(1) {
                for id in part
                    .split('"')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
                {
                    assert!(
                        ids.contains(id),
                        "{name}: {reference} names {id}, which is not there"
                    );
                }
            }
        }
    }
}

/// Every text of a template goes through translation, and both other languages have it.
#[test]
fn no_bare_text_and_no_missing_translation() {
    let mut sources: Vec<(String, String)> = Vec::new();
    for set in [super::super::templates(), web_kit::render::base_templates()] {
        for name in set.names() {
            let source = set.source(&name).unwrap();
            sources.push((name, source));
        }
    }
    let catalogues = Catalogues::load(None).unwrap();
    let mut problems = web_kit::i18n::audit::bare_texts(&sources);
    sources.push((
        "blocks.rs".to_owned(),
        include_str!("../blocks.rs").to_owned(),
    ));
    for (name, text) in [
        ("sign_in.rs", include_str!("../sign_in.rs")),
        ("dashboard.rs", include_str!("../dashboard.rs")),
        ("dates.rs", include_str!("../dates.rs")),
    ] {
        sources.push((name.to_owned(), text.to_owned()));
    }
    problems.extend(web_kit::i18n::audit::missing_translations(
        &sources,
        &catalogues,
    ));
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}
