//! Hashing off the event loop, and the password rules (contracts/identity.md §6).

use django_compat::passwords as hashers;

use crate::{Error, Result, random};

/// Fewest characters of a new password.
pub const MIN_LENGTH: usize = 8;
/// Most characters of a new password.
pub const MAX_LENGTH: usize = 75;
/// From this likeness on a password is too similar to an attribute.
const MAX_SIMILARITY: f64 = 0.7;

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Hashing(error.to_string()))
}

/// Encodes a password (NFKC form) with fresh salt.
pub async fn encode(password: String, iterations: u32) -> Result<String> {
    let salt = random::text(hashers::SALT_LENGTH)?;
    let algorithm = hashers::Algorithm::Pbkdf2Sha256;
    blocking(move || hashers::make_password(algorithm, &password, &salt, iterations))
        .await?
        .map_err(|error| Error::Hashing(error.to_string()))
}

/// Whether a password (NFKC form) fits an encoding. A broken or unusable encoding fits nothing and takes as long.
pub async fn check(password: &str, encoded: &str, iterations: u32) -> Result<bool> {
    if !hashers::is_usable(encoded)
        || hashers::Algorithm::of(encoded).is_none() && encoded.len() < 32
    {
        burn(password.to_owned(), iterations).await?;
        return Ok(false);
    }
    let (password, encoded) = (password.to_owned(), encoded.to_owned());
    blocking(move || hashers::check_password(&password, &encoded).unwrap_or(false)).await
}

/// Spends the time of one check, so that unknown users answer no faster than known ones.
pub async fn burn(password: String, iterations: u32) -> Result<()> {
    encode(password, iterations).await.map(|_| ())
}

/// A password that nothing fits.
pub fn unusable() -> Result<String> {
    Ok(format!(
        "!{}",
        random::text(hashers::UNUSABLE_SUFFIX_LENGTH)?
    ))
}

/// What a password must not resemble; empty texts are not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attributes<'a> {
    /// Username.
    pub username: &'a str,
    /// First name.
    pub first_name: &'a str,
    /// Last name.
    pub last_name: &'a str,
    /// E-mail address.
    pub email: &'a str,
}

/// The rules that a new password breaks, as the platform's sentences, in its order.
#[must_use]
pub fn broken_rules(password: &str, attributes: Option<Attributes<'_>>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(attributes) = attributes
        && let Some(name) = similar_attribute(password, attributes)
    {
        out.push(format!("The password is too similar to the {name}."));
    }
    let length = password.chars().count();
    if length < MIN_LENGTH {
        out.push(format!(
            "This password is too short. It must contain at least {MIN_LENGTH} characters."
        ));
    }
    if length > MAX_LENGTH {
        out.push(format!(
            "This password is too long. It must contain no more than {MAX_LENGTH} characters."
        ));
    }
    out
}

fn similar_attribute(password: &str, attributes: Attributes<'_>) -> Option<&'static str> {
    let password = password.to_lowercase();
    [
        (attributes.username, "username"),
        (attributes.first_name, "first name"),
        (attributes.last_name, "last name"),
        (attributes.email, "email address"),
    ]
    .into_iter()
    .find(|(value, _)| {
        let value = value.to_lowercase();
        let words = value.split(|ch: char| !ch.is_alphanumeric() && ch != '_');
        words
            .chain(std::iter::once(value.as_str()))
            .any(|part| is_similar(&password, part))
    })
    .map(|(_, name)| name)
}

fn is_similar(password: &str, part: &str) -> bool {
    let (long, short) = (password.chars().count(), part.chars().count());
    if short == 0 || long >= 10 * short {
        return false;
    }
    let mut left: Vec<char> = part.chars().collect();
    let mut common = 0usize;
    for ch in password.chars() {
        if let Some(at) = left.iter().position(|&other| other == ch) {
            left.swap_remove(at);
            common += 1;
        }
    }
    2.0 * common as f64 / (long + short) as f64 >= MAX_SIMILARITY
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §6: the sentences and their order.
    #[test]
    fn rules() {
        let who = Attributes {
            username: "alice",
            email: "alice@example.com",
            ..Default::default()
        };
        assert_eq!(
            broken_rules("alice1", Some(who)),
            [
                "The password is too similar to the username.",
                "This password is too short. It must contain at least 8 characters."
            ]
        );
        assert!(broken_rules("Passw0rd-x1", Some(who)).is_empty());
        assert!(broken_rules("alice1234567", None).is_empty());
        assert_eq!(broken_rules(&"x".repeat(76), None).len(), 1);
        assert_eq!(
            broken_rules(
                "exampleexample",
                Some(Attributes {
                    email: "a@example.com",
                    ..who
                })
            ),
            Vec::<String>::new()
        );
        assert_eq!(
            broken_rules(
                "example1",
                Some(Attributes {
                    email: "a@example.com",
                    ..who
                })
            ),
            ["The password is too similar to the email address."]
        );
    }

    #[tokio::test]
    async fn hashing() {
        let encoded = encode("Passw0rd-x1".into(), 10).await.unwrap();
        assert!(check("Passw0rd-x1", &encoded, 10).await.unwrap());
        assert!(!check("x", &encoded, 10).await.unwrap());
        assert!(!check("x", &unusable().unwrap(), 10).await.unwrap());
    }
}
