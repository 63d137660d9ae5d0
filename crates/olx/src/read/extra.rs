//! About pages, updates, handouts, tabs and tag templates (olx.md §6).

use std::sync::Arc;

use course_model::BlockKey;
use course_model::block_types::block_type_or_hidden;
use serde_json::Value;

use super::Loader;
use super::loader::Module;
use crate::error::Fault;

/// Folders of extra content with the types of their blocks.
pub(crate) const FOLDERS: [(&str, &str); 4] = [
    ("info", "course_info"),
    ("tabs", "static_tab"),
    ("custom_tags", "custom_tag_template"),
    ("about", "about"),
];

impl Loader<'_, '_, '_> {
    /// Reads the extra content; files below a folder of the run's name override.
    pub(super) fn load_extra_content(&mut self, course: &BlockKey, run: &str) {
        for (folder, kind) in FOLDERS {
            for folder in [format!("{folder}/"), format!("{folder}/{run}/")] {
                let files: Vec<_> = self
                    .folder
                    .files(&folder)
                    .into_iter()
                    .map(|(name, _)| name)
                    .collect();
                for name in files {
                    let hidden = name.starts_with('.');
                    if !name.contains('/') && !name.ends_with('~') && !hidden {
                        self.extra_file(&folder, &name, kind, course);
                    }
                }
            }
        }
    }

    fn extra_file(&mut self, folder: &str, name: &str, kind: &str, course: &BlockKey) {
        let path = format!("{folder}{name}");
        let file: Arc<str> = path.as_str().into();
        let read = self.folder.text(&path).and_then(|text| {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            if !path.contains(".json") {
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                let stem = if stem.is_empty() { name } else { stem };
                return Ok(Some((stem, "data", Value::String(text))));
            }
            let parts: Vec<&str> = name.split('.').collect();
            let [slug, field, _] = parts.as_slice() else {
                return Ok(None);
            };
            let value = serde_json::from_str(&text)
                .map_err(|error| Fault::new(&file, error.line() as u32, error.to_string()))?;
            Ok(Some((*slug, *field, value)))
        });
        match read {
            Ok(Some((slug, field, value))) => {
                if !crate::source::is_block_id(slug) {
                    self.track(Fault::new(
                        &file,
                        0,
                        format!("ERROR: no block id: {slug:?}"),
                    ));
                    return;
                }
                self.extra_value(BlockKey::new(kind, slug), field, value, &file, course);
            }
            Ok(None) => self.remark(&file, 0, "not of the form name.field.json: ignored"),
            Err(mut fault) => {
                fault.text = format!("ERROR: {}", fault.text);
                self.track(fault);
            }
        }
    }

    fn extra_value(
        &mut self,
        key: BlockKey,
        field: &str,
        value: Value,
        file: &Arc<str>,
        course: &BlockKey,
    ) {
        let tab = self.tab_of(&key, course);
        let kind = block_type_or_hidden(&key.block_type);
        let mut fields = super::loader::Raw::new();
        fields.insert(field.to_owned(), value);
        if !self.modules.contains_key(&key)
            && let Some(tab) = tab
        {
            for (field, from) in [
                ("display_name", "name"),
                ("course_staff_only", "course_staff_only"),
            ] {
                if let Some(value) = tab.get(from) {
                    fields.insert(field.to_owned(), value.clone());
                }
            }
        }
        match self.store(key.clone(), kind, fields, Vec::new(), file, 0) {
            Ok(fresh) => match self.modules.get_mut(&key) {
                Some(module) => {
                    module.settings.extend(fresh.settings);
                    module.content.extend(fresh.content);
                }
                None => {
                    self.modules.insert(key, fresh);
                }
            },
            Err(mut fault) => {
                fault.text = format!("ERROR: {}", fault.text);
                self.track(fault);
            }
        }
    }

    /// Gives a course without overview page the one that new courses have.
    pub(super) fn default_overview(&mut self) {
        let key = BlockKey::new("about", "overview");
        if self.modules.contains_key(&key) {
            return;
        }
        let mut fields = super::loader::Raw::new();
        fields.insert("display_name".to_owned(), Value::from("overview"));
        fields.insert(
            "data".to_owned(),
            Value::from(course_model::DEFAULT_OVERVIEW),
        );
        let kind = block_type_or_hidden("about");
        let file: Arc<str> = "about/overview.html".into();
        if let Ok(module) = self.store(key.clone(), kind, fields, Vec::new(), &file, 0) {
            self.modules.insert(key, module);
        }
    }

    /// The course's tab that shows a static tab.
    fn tab_of(&self, key: &BlockKey, course: &BlockKey) -> Option<Value> {
        if &*key.block_type != "static_tab" {
            return None;
        }
        let root: &Module = self.modules.get(course)?;
        let tabs = root
            .settings
            .get("tabs")
            .or_else(|| root.content.get("tabs"))?;
        let slug = Some(&*key.block_id);
        let mut tabs = tabs.as_array()?.iter();
        tabs.find(|tab| tab.get("url_slug").and_then(Value::as_str) == slug)
            .cloned()
    }
}
