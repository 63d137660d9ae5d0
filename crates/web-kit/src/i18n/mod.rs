//! Languages: gettext catalogues, plural forms, dates and numbers as people of a language write them.
//!
//! Catalogues are the `.po` files under `locale/`, one folder per language, inside the program. A text is looked up by
//! its English wording; what a catalogue does not have is shown in English. Placeholders are named, `{count}`, so that
//! translators may move them.

pub mod audit;
mod format;
mod negotiate;
mod plural;
pub mod po;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use rust_embed::RustEmbed;

pub use format::DateStyle;
pub use negotiate::{COOKIE, negotiate};

use plural::Plural;

#[derive(RustEmbed)]
#[folder = "../../locale/"]
struct Files;

/// Why a catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line of a `.po` file that means nothing.
    #[error("{file}:{line}: {text}")]
    Syntax {
        /// The file, as given.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        text: String,
    },
    /// A file of an operator's folder that could not be read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// One language with its texts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Locale(Arc<Catalogue>);

#[derive(Debug)]
struct Catalogue {
    code: String,
    name: String,
    rtl: bool,
    plural: Plural,
    /// Context and English text, joined as in compiled catalogues, → forms.
    texts: HashMap<String, Vec<String>>,
}

/// Separates the context from the text in a key, as in compiled catalogues.
const CONTEXT_END: char = '\u{4}';

impl Locale {
    /// English without a catalogue: what everything falls back to.
    #[must_use]
    pub fn english() -> Self {
        Self(Arc::new(Catalogue {
            code: "en".to_owned(),
            name: "English".to_owned(),
            rtl: false,
            plural: Plural::default(),
            texts: HashMap::new(),
        }))
    }

    fn parse(code: &str, file: &str, text: &str) -> Result<Self, Error> {
        let parsed = po::parse(file, text)?;
        let header = parsed.header();
        let plural = header
            .get("plural-forms")
            .map(|forms| Plural::parse(forms))
            .transpose()
            .map_err(|text| Error::Syntax {
                file: file.to_owned(),
                line: 1,
                text,
            })?
            .unwrap_or_default();
        let name = header
            .get("x-language-name")
            .cloned()
            .unwrap_or_else(|| code.to_owned());
        let texts = parsed
            .entries
            .into_iter()
            .filter(|entry| !entry.fuzzy && !entry.id.is_empty() && entry.is_translated())
            .map(|entry| (key(entry.context.as_deref(), &entry.id), entry.forms))
            .collect();
        let rtl = is_rtl(code);
        Ok(Self(Arc::new(Catalogue {
            code: code.to_ascii_lowercase().replace('_', "-"),
            name,
            rtl,
            plural,
            texts,
        })))
    }

    /// Code as Open edX writes it: `en`, `es-419`, `ar`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Name in the language itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// `rtl` or `ltr`.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        if self.0.rtl { "rtl" } else { "ltr" }
    }

    /// A text in this language, or as it is.
    #[must_use]
    pub fn gettext<'a>(&'a self, text: &'a str) -> &'a str {
        self.lookup(None, text)
            .and_then(|forms| forms.first())
            .map_or(text, String::as_str)
    }

    /// A text whose meaning depends on `context`.
    #[must_use]
    pub fn pgettext<'a>(&'a self, context: &str, text: &'a str) -> &'a str {
        self.lookup(Some(context), text)
            .and_then(|forms| forms.first())
            .map_or(text, String::as_str)
    }

    /// The form for a count; `{count}` is left for the caller to fill.
    #[must_use]
    pub fn ngettext<'a>(&'a self, one: &'a str, many: &'a str, count: u64) -> &'a str {
        match self.lookup(None, one) {
            Some(forms) if forms.len() > 1 => {
                let form = self.0.plural.index(count);
                forms
                    .get(form)
                    .or_else(|| forms.last())
                    .map_or(many, String::as_str)
            }
            _ if count == 1 => one,
            _ => many,
        }
    }

    fn lookup(&self, context: Option<&str>, text: &str) -> Option<&Vec<String>> {
        if self.0.texts.is_empty() {
            return None;
        }
        self.0.texts.get(&key(context, text))
    }
}

/// Whether text of a language runs from the right.
#[must_use]
pub fn is_rtl(code: &str) -> bool {
    let base = code.split(['-', '_']).next().unwrap_or(code);
    [
        "ar", "dv", "fa", "he", "iw", "ku", "ps", "sd", "ug", "ur", "yi",
    ]
    .contains(&base)
}

fn key(context: Option<&str>, text: &str) -> String {
    match context {
        Some(context) => format!("{context}{CONTEXT_END}{text}"),
        None => text.to_owned(),
    }
}

/// Fills named placeholders: `fill("Unit {n}", &[("n", "3")])`. An unknown name stays as it is.
#[must_use]
pub fn fill<'a>(text: &'a str, values: &[(&str, &str)]) -> Cow<'a, str> {
    if !text.contains('{') {
        return Cow::Borrowed(text);
    }
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let known = after.split_once('}').and_then(|(name, tail)| {
            let value = values.iter().find(|(known, _)| *known == name)?.1;
            Some((value, tail))
        });
        if let Some((value, tail)) = known {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

/// All languages at hand; cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogues(Arc<BTreeMap<String, Locale>>);

impl Catalogues {
    /// Reads the catalogues inside the program, then those of an operator's folder, laid out alike, which win text by
    /// text.
    pub fn load(folder: Option<&Path>) -> Result<Self, Error> {
        let mut locales = BTreeMap::new();
        locales.insert("en".to_owned(), Locale::english());
        for path in Files::iter() {
            let Some(code) = path.strip_suffix("/LC_MESSAGES/stoa.po") else {
                continue;
            };
            let Some(file) = Files::get(&path) else {
                continue;
            };
            let locale = Locale::parse(code, &path, &String::from_utf8_lossy(&file.data))?;
            locales.insert(locale.code().to_owned(), locale);
        }
        if let Some(folder) = folder {
            add_folder(folder, &mut locales)?;
        }
        Ok(Self(Arc::new(locales)))
    }

    /// The language of this code, if there is one.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&Locale> {
        self.0.get(code)
    }

    /// English, which is always there.
    #[must_use]
    pub fn english(&self) -> Locale {
        self.0.get("en").cloned().unwrap_or_else(Locale::english)
    }

    /// All languages by code.
    pub fn iter(&self) -> impl Iterator<Item = &Locale> {
        self.0.values()
    }
}

fn add_folder(folder: &Path, locales: &mut BTreeMap<String, Locale>) -> Result<(), Error> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let path = entry.path().join("LC_MESSAGES").join("stoa.po");
        if !path.is_file() {
            continue;
        }
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|source| Error::Io {
            file: file.clone(),
            source,
        })?;
        let code = entry.file_name().to_string_lossy().into_owned();
        let theirs = Locale::parse(&code, &file, &text)?;
        let merged = match locales.remove(theirs.code()) {
            Some(ours) => merge(&ours, &theirs),
            None => theirs,
        };
        locales.insert(merged.code().to_owned(), merged);
    }
    Ok(())
}

fn merge(ours: &Locale, theirs: &Locale) -> Locale {
    let mut texts = ours.0.texts.clone();
    texts.extend(
        theirs
            .0
            .texts
            .iter()
            .map(|(key, forms)| (key.clone(), forms.clone())),
    );
    Locale(Arc::new(Catalogue {
        code: ours.0.code.clone(),
        name: ours.0.name.clone(),
        rtl: ours.0.rtl,
        plural: theirs.0.plural.clone(),
        texts,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARABIC: &str = concat!(
        "msgid \"\"\nmsgstr \"\"\n\"Language: ar\\n\"\n",
        "\"Plural-Forms: nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : ",
        "n%100>=11 && n%100<=99 ? 4 : 5;\\n\"\n\n",
        "msgid \"{count} point\"\nmsgid_plural \"{count} points\"\n",
        "msgstr[0] \"zero\"\nmsgstr[1] \"one\"\nmsgstr[2] \"two\"\nmsgstr[3] \"few\"\nmsgstr[4] \"many\"\nmsgstr[5] \"other\"\n",
        "\nmsgctxt \"month\"\nmsgid \"May\"\nmsgstr \"mayo\"\n",
    );

    #[test]
    fn chooses_plural_forms() {
        let locale = Locale::parse("ar", "x", ARABIC).unwrap();
        let form = |count| locale.ngettext("{count} point", "{count} points", count);
        let got: Vec<_> = [0, 1, 2, 5, 11, 100].into_iter().map(form).collect();
        assert_eq!(got, ["zero", "one", "two", "few", "many", "other"]);
        assert_eq!(locale.direction(), "rtl");
        assert_eq!(locale.pgettext("month", "May"), "mayo");
        assert_eq!(locale.gettext("May"), "May");
        assert_eq!(
            locale.ngettext("{count} day", "{count} days", 1),
            "{count} day"
        );
        assert_eq!(
            locale.ngettext("{count} day", "{count} days", 0),
            "{count} days"
        );
    }

    #[test]
    fn fills_named_places() {
        assert_eq!(
            fill("{a} of {b}: {a}{", &[("a", "1"), ("b", "{a}")]),
            "1 of {a}: 1{"
        );
        assert_eq!(fill("{x}", &[]), "{x}");
    }

    #[test]
    fn all_embedded_catalogues_load() {
        let catalogues = Catalogues::load(None).unwrap();
        let codes: Vec<_> = catalogues.iter().map(Locale::code).collect();
        assert_eq!(codes, ["ar", "en", "es"]);
    }
}
