//! `GET …/account/registration/`: the form's description (contracts/identity.md §7.1).

use serde_json::{Map, Value, json};

use crate::Settings;

/// How many years can be chosen as year of birth.
const YEARS: i32 = 120;

struct Field<'a> {
    name: &'a str,
    label: String,
    kind: &'a str,
    instructions: String,
    restrictions: Value,
    errors: Value,
    options: Option<Vec<(String, String)>>,
    default: Value,
    exposed: bool,
    required: bool,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self {
            name: "",
            label: String::new(),
            kind: "text",
            instructions: String::new(),
            restrictions: json!({}),
            errors: json!({}),
            options: None,
            default: "".into(),
            exposed: true,
            required: true,
        }
    }
}

impl Field<'_> {
    fn json(self) -> Value {
        let mut out = Map::new();
        let mut add = |key: &str, value: Value| out.insert(key.to_owned(), value);
        add("name", self.name.into());
        add("label", self.label.into());
        add("type", self.kind.into());
        add("defaultValue", self.default);
        add("placeholder", "".into());
        add("instructions", self.instructions.into());
        add("exposed", self.exposed.into());
        add("required", self.required.into());
        add("restrictions", self.restrictions);
        add("errorMessages", self.errors);
        add("supplementalLink", "".into());
        add("supplementalText", "".into());
        add("loginIssueSupportLink", "".into());
        if let Some(options) = self.options {
            let first = std::iter::once((String::new(), "--".to_owned()));
            let options: Vec<Value> = first
                .chain(options)
                .map(|(value, name)| {
                    let default = value.is_empty();
                    json!({ "value": value, "name": name, "default": default })
                })
                .collect();
            add("options", options.into());
        }
        Value::Object(out)
    }
}

fn choices(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(value, name)| ((*value).to_owned(), (*name).to_owned()))
        .collect()
}

/// Levels of education, in the form's order.
const EDUCATION: [(&str, &str); 9] = [
    ("p", "Doctorate"),
    ("m", "Master's or professional degree"),
    ("b", "Bachelor's degree"),
    ("a", "Associate degree"),
    ("hs", "Secondary/high school"),
    ("jhs", "Junior secondary/junior high/middle school"),
    ("el", "Elementary/primary school"),
    ("none", "No formal education"),
    ("other", "Other education"),
];

/// Genders, in the form's order.
const GENDERS: [(&str, &str); 3] = [
    ("m", "Male"),
    ("f", "Female"),
    ("o", "Other/Prefer Not to Say"),
];

/// The description of the registration form; `version` is `v1` or `v2`, `year` the current one.
#[must_use]
pub fn registration_form(settings: &Settings, version: &str, year: i32) -> Value {
    let platform = &settings.platform_name;
    let mut fields = vec![
        Field {
            name: "name",
            label: "Full Name".into(),
            instructions: "This name will be used on any certificates that you earn.".into(),
            restrictions: json!({ "max_length": 255 }),
            ..Field::default()
        },
        Field {
            name: "username",
            label: "Public Username".into(),
            instructions:
                "The name that will identify you in your courses. It cannot be changed later."
                    .into(),
            restrictions: json!({ "min_length": 2, "max_length": 30 }),
            ..Field::default()
        },
        Field {
            name: "email",
            label: "Email".into(),
            kind: "email",
            instructions: "This is what you will use to login.".into(),
            restrictions: json!({ "min_length": 3, "max_length": 254 }),
            ..Field::default()
        },
        Field {
            name: "password",
            label: "Password".into(),
            kind: "password",
            instructions: "Your password must contain at least 8 characters.".into(),
            restrictions: json!({ "min_length": 8, "max_length": 75 }),
            ..Field::default()
        },
    ];
    let mut extra = vec![
        Field {
            name: "year_of_birth",
            label: "Year of birth".into(),
            kind: "select",
            options: Some(
                (year - YEARS + 1..=year)
                    .rev()
                    .map(|y| (y.to_string(), y.to_string()))
                    .collect(),
            ),
            ..Field::default()
        },
        Field {
            name: "level_of_education",
            label: "Highest level of education completed".into(),
            kind: "select",
            errors: json!({
                "required": "Select the highest level of education you have completed"
            }),
            options: Some(choices(&EDUCATION)),
            ..Field::default()
        },
        Field {
            name: "gender",
            label: "Gender".into(),
            kind: "select",
            options: Some(choices(&GENDERS)),
            ..Field::default()
        },
        Field {
            name: "mailing_address",
            label: "Mailing address".into(),
            kind: "textarea",
            errors: json!({ "required": "Enter your mailing address" }),
            ..Field::default()
        },
        Field {
            name: "goals",
            label: format!("Tell us why you're interested in {platform}"),
            kind: "textarea",
            errors: json!({ "required": "Tell us your goals" }),
            ..Field::default()
        },
    ];
    for field in &mut extra {
        field.required = settings.extra_field(field.name) == "required";
        field.exposed = field.required;
    }
    extra.retain(|field| settings.extra_field(field.name) != "hidden");
    fields.append(&mut extra);
    if settings.extra_field("honor_code") != "hidden" {
        // The blanks inside are the platform's own.
        let gap = " ".repeat(18);
        fields.push(Field {
            name: "honor_code",
            label: format!(
                "By creating an account, you agree to the {gap}<a href='/honor' rel='noopener' \
                 target='_blank'>Terms of Service and Honor Code</a> {gap}and you acknowledge that \
                 {platform} and each Member process your personal data in accordance {gap}with the \
                 <a href='/privacy' rel='noopener' target='_blank'>Privacy Policy</a>."
            ),
            kind: "plaintext",
            errors: json!({
                "required": format!("You must agree to the {platform} Terms of Service and Honor Code")
            }),
            default: Value::Bool(false),
            required: settings.extra_field("honor_code") == "required",
            ..Field::default()
        });
    }
    json!({
        "method": "post",
        "submit_url": format!("/api/user/{version}/account/registration/"),
        "fields": fields.into_iter().map(Field::json).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §7.1: names and order of the default form.
    #[test]
    fn default_form() {
        let form = registration_form(&Settings::default(), "v1", 2026);
        let fields = form["fields"].as_array().unwrap();
        let names: Vec<&str> = fields.iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "name",
                "username",
                "email",
                "password",
                "year_of_birth",
                "level_of_education",
                "gender",
                "mailing_address",
                "goals",
                "honor_code"
            ]
        );
        let years = fields[4]["options"].as_array().unwrap();
        assert_eq!((years.len(), &years[120]["value"]), (121, &json!("1907")));
    }
}
