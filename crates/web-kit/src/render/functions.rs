//! Functions and filters that templates have.
//!
//! | name | meaning |
//! |---|---|
//! | `_("Unit {n}", n=3)` | text in the page's language, placeholders filled, then escaped like anything printed |
//! | `pgettext("context", "text", …)` | the same where one English word has several meanings |
//! | `ngettext("{count} point", "{count} points", n, …)` | the form for a count, `{count}` filled with its number |
//! | `value\|date(zone, "date")` | an RFC 3339 moment told in a zone; styles: [`crate::i18n::DateStyle`] |
//! | `value\|number(decimals)`, `value\|percent` | figures of the language |
//! | `direction("ar")` | `rtl` or `ltr`, for content in a language of its own |
//! | `static_url("app.css")` | address of a built file, its name with the hash |
//! | `value\|html` | the value is HTML already: authors' content and the problem engine's output, nothing else |
//! | `icon("next")`, `icon("next", dir=true)` | a small drawing; `dir` mirrors it where text runs from the right |

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};

use crate::assets;
use crate::i18n::{DateStyle, Locale, fill};

pub(super) fn add(environment: &mut Environment<'static>, locale: Locale) {
    let texts = locale.clone();
    environment.add_function("_", move |text: &str, values: Kwargs| {
        filled(texts.gettext(text), &values, None)
    });
    let texts = locale.clone();
    environment.add_function(
        "pgettext",
        move |context: &str, text: &str, values: Kwargs| {
            filled(texts.pgettext(context, text), &values, None)
        },
    );
    let texts = locale.clone();
    environment.add_function(
        "ngettext",
        move |one: &str, many: &str, count: u64, values: Kwargs| {
            let number = texts.number(count as f64, 0);
            filled(texts.ngettext(one, many, count), &values, Some(number))
        },
    );
    let texts = locale.clone();
    environment.add_filter("date", move |moment: &str, zone: &str, style: &str| {
        let moment = DateTime::parse_from_rfc3339(moment)
            .map_err(|error| invalid(format!("not a moment: {moment}: {error}")))?;
        let style = DateStyle::named(style)
            .ok_or_else(|| invalid(format!("no such style of date: {style}")))?;
        // A zone that nobody knows is a person's old setting, not a reason to lose the page.
        let zone = zone.parse::<Tz>().unwrap_or(Tz::UTC);
        Ok::<_, Error>(texts.date(moment.with_timezone(&Utc), zone, style))
    });
    let texts = locale.clone();
    environment.add_filter("number", move |value: f64, decimals: Option<usize>| {
        texts.number(value, decimals.unwrap_or(2))
    });
    environment.add_filter("percent", move |value: f64| locale.percent(value));
    environment.add_filter("html", |value: &str| {
        Value::from_safe_string(value.to_owned())
    });
    environment.add_function("direction", |code: &str| {
        if crate::i18n::is_rtl(code) {
            "rtl"
        } else {
            "ltr"
        }
    });
    environment.add_function("static_url", |name: &str| assets::url(name));
    environment.add_function("icon", |name: &str, options: Kwargs| icon(name, &options));
}

fn invalid(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

fn filled(text: &str, values: &Kwargs, count: Option<String>) -> Result<String, Error> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for name in values.args() {
        let value: Value = values.get(name)?;
        if value.is_undefined() {
            return Err(invalid(format!("the value of {{{name}}} is undefined")));
        }
        pairs.push((name.to_owned(), value.to_string()));
    }
    if let Some(count) = count {
        pairs.push(("count".to_owned(), count));
    }
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Ok(fill(text, &pairs).into_owned())
}

fn icon(name: &str, options: &Kwargs) -> Result<Value, Error> {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if !is_plain {
        return Err(invalid(format!("no such icon: {name}")));
    }
    let mirrored: Option<bool> = options.get("dir")?;
    let class: Option<&str> = options.get("class")?;
    options.assert_all_used()?;
    let class = match (class, mirrored) {
        (Some(class), _) => class,
        (None, Some(true)) => "s-icon s-icon--dir",
        (None, _) => "s-icon",
    };
    let sprite = assets::url("icons.svg");
    Ok(Value::from_safe_string(format!(
        "<svg class=\"{class}\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><use href=\"{sprite}#i-{name}\"/></svg>"
    )))
}
