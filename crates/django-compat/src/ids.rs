//! Ids and names that Open edX derives: anonymous ids, retired names, normal forms, cache keys
//! (contracts/identity.md §5 "sub", §8, §9; edx-platform's `safe_key`).

use blake2::Blake2b;
use blake2::digest::consts::U16;
use sha1::Sha1;
use sha2::Digest;
use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};
use unicode_normalization::UnicodeNormalization;

use crate::encoding::{is_python_space, quote_plus};

/// Longest key that memcached takes.
const MAX_CACHE_KEY: usize = 250;

/// The anonymous id of a user, for one course key or (empty or absent) for all: SHAKE128 over the secret.
/// A stored row of student_anonymoususerid wins over this value; callers look there first.
#[must_use]
pub fn anonymous_user_id(secret: &str, user_id: i64, course_id: Option<&str>) -> String {
    let mut hasher = Shake128::default();
    hasher.update(secret.as_bytes());
    hasher.update(user_id.to_string().as_bytes());
    if let Some(course_id) = course_id {
        hasher.update(course_id.as_bytes());
    }
    let mut out = [0u8; 16];
    hasher.finalize_xof().read(&mut out);
    hex::encode(out)
}

/// A retired username or e-mail: `format` with `{}` replaced by SHA1(salt ‖ lower-cased original).
#[must_use]
pub fn retired_value(original: &str, salt: &str, format: &str) -> String {
    let mut hasher = Sha1::new();
    Digest::update(&mut hasher, salt.as_bytes());
    Digest::update(&mut hasher, original.to_lowercase().as_bytes());
    format.replacen("{}", &hex::encode(hasher.finalize()), 1)
}

/// A name's retired form under every salt, oldest first. The last one is the current.
#[must_use]
pub fn all_retired_values(original: &str, salts: &[impl AsRef<str>], format: &str) -> Vec<String> {
    salts
        .iter()
        .map(|salt| retired_value(original, salt.as_ref(), format))
        .collect()
}

/// `BaseUserManager.normalize_email`: the domain in lower case.
#[must_use]
pub fn normalize_email(email: &str) -> String {
    match email.trim_matches(is_python_space).rsplit_once('@') {
        Some((name, domain)) => format!("{name}@{}", domain.to_lowercase()),
        None => email.to_owned(),
    }
}

/// MD5 in hexadecimal: names of stored profile images, keys of legacy rows. No protection of anything.
#[must_use]
pub fn md5_hex(text: &str) -> String {
    hex::encode(md5::Md5::digest(text.as_bytes()))
}

/// Unicode NFKC: the normal form of usernames and of passwords before hashing.
#[must_use]
pub fn nfkc(text: &str) -> String {
    text.nfkc().collect()
}

/// A cache key as edx-platform stores it: `prefix:version:key`, each quoted; longer than 250 characters, its
/// BLAKE2b-128 in hexadecimal.
#[must_use]
pub fn cache_key(key: &str, prefix: &str, version: &str) -> String {
    let combined = format!(
        "{}:{}:{}",
        quote_plus(prefix),
        quote_plus(version),
        quote_plus(key)
    );
    if combined.len() > MAX_CACHE_KEY {
        hex::encode(Blake2b::<U16>::digest(combined.as_bytes()))
    } else {
        combined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §1: anonymous ids and retired names.
    #[test]
    fn contract_vectors() {
        let secret = "contract-secret-key-0123456789abcdef";
        assert_eq!(
            anonymous_user_id(secret, 3, None),
            "9bd5cf8a78425df7ad566f3cf640fd89"
        );
        assert_eq!(
            anonymous_user_id(secret, 3, Some("course-v1:edX+DemoX+1")),
            "379d7dda64be7c40e5bc517bff04d6ee"
        );
        let names = all_retired_values("Alice", &["abc", "123"], "retired__user_{}");
        assert_eq!(
            names.last().unwrap(),
            "retired__user_5cae1da6a9542aa98018ebcf4b76ec0fde5c5637"
        );
    }

    #[test]
    fn normal_forms() {
        assert_eq!(normalize_email("A.b+C@Gmail.COM"), "A.b+C@gmail.com");
        assert_eq!(normalize_email(" plain "), " plain ");
        assert_eq!(nfkc("ｆｕｌｌ"), "full");
    }
}
