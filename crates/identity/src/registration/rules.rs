//! What the registration form demands of its fields.

use crate::passwords::{Attributes, broken_rules};
use crate::{Form, Settings};

use super::suggestions::MAX_USERNAME;

/// Shortest username.
const MIN_USERNAME: usize = 2;
/// Longest e-mail address.
pub(crate) const MAX_EMAIL: usize = 254;
/// Longest name.
pub(crate) const MAX_NAME: usize = 255;

/// Codes of ISO 3166-1.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET \
    FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ \
    IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML \
    MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS \
    PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
    TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether a text is the code of a country.
#[must_use]
pub fn is_country_code(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.split_whitespace().any(|known| known == code)
}

/// Whether a text has the form of an e-mail address, as Django judges it.
#[must_use]
pub fn is_valid_email(email: &str) -> bool {
    let Some((user, domain)) = email.rsplit_once('@') else {
        return false;
    };
    is_valid_user_part(user) && is_valid_domain(domain)
}

fn is_valid_user_part(user: &str) -> bool {
    if let Some(inner) = user
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        let mut chars = inner.chars();
        while let Some(ch) = chars.next() {
            let escaped = if ch == '\\' { chars.next() } else { None };
            let fine = match escaped {
                Some(next) => next.is_ascii() && !matches!(next, '\n' | '\r' | '\0'),
                None => ch.is_ascii() && !matches!(ch, '\0' | '\t' | '\n' | '\r' | '"' | '\\'),
            };
            if !fine {
                return false;
            }
        }
        return !inner.is_empty();
    }
    !user.is_empty()
        && user.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{}|~-".contains(&b))
        })
}

fn is_valid_domain(domain: &str) -> bool {
    if domain == "localhost" {
        return true;
    }
    if let Some(literal) = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return literal.parse::<std::net::IpAddr>().is_ok();
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let Some((top, rest)) = labels.split_last() else {
        return false;
    };
    let label = |text: &str, at_least: usize| {
        let count = text.chars().count();
        count >= at_least
            && count <= 63
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.chars().all(|ch| {
                ch.is_ascii_alphanumeric() || ch == '-' || (!ch.is_ascii() && ch.is_alphanumeric())
            })
    };
    !rest.is_empty()
        && rest.iter().all(|part| label(part, 1))
        && label(top, 2)
        && top.chars().any(|ch| !ch.is_ascii_digit())
}

/// What is wrong with a username.
pub(crate) fn username_error(username: &str, settings: &Settings) -> Option<&'static str> {
    let length = username.chars().count();
    if !(MIN_USERNAME..=MAX_USERNAME).contains(&length) {
        return Some("Username must be between 2 and 30 characters long.");
    }
    if settings.enable_unicode_username {
        let fine = username
            .chars()
            .all(|ch| ch.is_alphanumeric() || " .@_+-".contains(ch));
        return (!fine)
            .then_some("Usernames can only contain letters, numerals, and @/./+/-/_ characters.");
    }
    let fine = username
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (!fine).then_some(
        "Usernames can only contain letters (A-Z, a-z), numerals (0-9), underscores (_), and hyphens (-).",
    )
}

/// Whether a name holds markup.
pub(crate) fn has_markup(name: &str) -> bool {
    name.contains(['<', '>'])
}

fn accepted(form: &Form, name: &str) -> bool {
    form.get(name)
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Every field that the form refuses, in the form's order, with its sentence. `without_password`: another
/// provider vouches for the user.
pub(crate) fn broken_fields(
    form: &Form,
    settings: &Settings,
    without_password: bool,
) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut add = |field: &str, text: &str| out.push((field.to_owned(), text.to_owned()));
    let username = form.text("username").trim();
    let username_error = username_error(username, settings);
    if let Some(text) = username_error {
        add("username", text);
    }
    let email = form.text("email").trim();
    if email.chars().count() > MAX_EMAIL {
        add("email", "Email cannot be more than 254 characters long");
    } else if !is_valid_email(email) {
        add("email", "A properly formatted e-mail is required");
    }
    let password = django_compat::ids::nfkc(form.text("password"));
    if without_password {
        // Another provider vouches for the user.
    } else if password.is_empty() {
        add("password", "This field is required.");
    } else {
        let attributes = Attributes {
            username,
            email,
            ..Attributes::default()
        };
        let attributes = username_error.is_none().then_some(attributes);
        if let Some(first) = broken_rules(&password, attributes).first() {
            add("password", first);
        }
    }
    let name = form.text("name").trim();
    if name.is_empty() {
        add(
            "name",
            "Your legal name must be a minimum of one character long",
        );
    } else if name.chars().count() > MAX_NAME {
        add(
            "name",
            "Your legal name is too long. It must not exceed 255 characters",
        );
    } else if has_markup(name) {
        add(
            "name",
            "Full Name cannot contain the following characters: < >",
        );
    } else if name.contains("://") {
        add("name", "Enter a valid name");
    }
    let honor = settings.extra_field("honor_code");
    let terms = settings.extra_field("terms_of_service");
    let terms_accepted = if form.get("terms_of_service").is_some() {
        accepted(form, "terms_of_service")
    } else {
        accepted(form, "honor_code")
    };
    if (honor != "hidden" || terms != "hidden") && !terms_accepted {
        add("terms_of_service", "You must accept the terms of service.");
    }
    if honor == "required" && !accepted(form, "honor_code") {
        add("honor_code", "To enroll, you must follow the honor code.");
    }
    for (field, text) in [
        ("level_of_education", "A level of education is required"),
        ("gender", "Your gender is required"),
        ("year_of_birth", "Your year of birth is required"),
        ("mailing_address", "Your mailing address is required"),
        ("goals", "A description of your goals is required"),
        ("city", "A city is required"),
        ("country", "A country is required"),
        (
            "confirm_email",
            "You are missing one or more required fields",
        ),
    ] {
        if settings.extra_field(field) == "required" && form.text(field).trim().is_empty() {
            add(field, text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §7.1: addresses as Django judges them.
    #[test]
    fn email_forms() {
        for good in [
            "a@b.co",
            "a.b+c@x-y.org",
            "\"a b\"@x.org",
            "a@localhost",
            "a@[127.0.0.1]",
            "ü@x.org",
        ] {
            assert_eq!(is_valid_email(good), !good.starts_with('ü'), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b.c",
            "a b@c.de",
            "a@-b.de",
            "a..b@c.de",
            "a@b.123",
        ] {
            assert!(!is_valid_email(bad), "{bad}");
        }
    }

    /// contracts/identity.md §7.1, §13 row 38.
    #[test]
    fn an_empty_form() {
        let broken = broken_fields(&Form::default(), &Settings::default(), false);
        let fields: Vec<&str> = broken.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "username",
                "email",
                "password",
                "name",
                "terms_of_service",
                "honor_code"
            ]
        );
    }
}
