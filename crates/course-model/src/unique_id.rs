//! The default of fields that have a value of their own for every block (XBlock's `UNIQUE_ID`).

use opaque_keys::UsageKey;
use sha1::{Digest, Sha1};

/// The value that a field such as `discussion_id` has on a block that sets none: a hash of the key under
/// which the field would be stored (courseware.md §12.3).
#[must_use]
pub fn unique_id(usage_key: &UsageKey, field: &str) -> String {
    let mut key = String::new();
    for part in [usage_key.to_string().as_str(), field] {
        if part.starts_with(['.', '_']) {
            key.push_str(&encoded('_'));
        }
        for char in part.chars() {
            key.push_str(&encoded(char));
        }
        key.push('/');
    }
    key.push_str("NONE.NONE");
    hex::encode(Sha1::digest(key.as_bytes()))
}

fn encoded(char: char) -> String {
    let short = match char {
        '.' => "..",
        '/' => "._",
        '\\' => ".-",
        ',' => "_.",
        '_' => "__",
        ' ' => "_-",
        '+' => "-.",
        ':' => "-_",
        '-' => "--",
        other if other.is_alphanumeric() => return other.to_string(),
        other => return format!("_{}_", u32::from(other)),
    };
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use opaque_keys::UsageKey;

    use super::unique_id;

    // Recorded: `django_comment_common_discussionsidmapping` of the demo course.
    #[test]
    fn a_discussion_without_id_takes_one_from_its_key() {
        let key = "block-v1:OpenedX+DemoX+DemoCourse+type@discussion+block@\
                   01b57eb7ba284241bd61462a99798516";
        assert_eq!(
            unique_id(&UsageKey::parse(key).unwrap(), "discussion_id"),
            "b51022f7e50af3870802e6e21d09c342eb6b17b4"
        );
    }
}
