//! Password encodings of every age that auth_user.password may hold (contracts/identity.md §6, §14).
//!
//! Verifying costs tens to hundreds of milliseconds by design: callers run it off their event loop.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::encoding::b64_encode;
use crate::signing::constant_time_eq;

/// Rounds of new PBKDF2-SHA256 hashes (Django 4.2).
pub const DEFAULT_ITERATIONS: u32 = 600_000;
/// Characters of a new hash's salt.
pub const SALT_LENGTH: usize = 22;
/// Random characters after the `!` of an unusable password.
pub const UNUSABLE_SUFFIX_LENGTH: usize = 40;

/// Bits that a salt must carry, or the hash is renewed at the next login.
const SALT_ENTROPY: f64 = 128.0;
/// More rounds than any installation uses; a stored number beyond it is broken, not a reason to spin.
const MAX_ITERATIONS: u32 = 20_000_000;
/// Memory limit of Django's scrypt, bytes.
const MAX_SCRYPT_MEMORY: u64 = 64 << 20;
/// Memory limit for a stored argon2 hash, KiB.
const MAX_ARGON2_MEMORY: u32 = 1 << 20;

/// Ways to hash that Django knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `pbkdf2_sha256`, the one new hashes use.
    Pbkdf2Sha256,
    /// `pbkdf2_sha1`
    Pbkdf2Sha1,
    /// `argon2` (i, d or id)
    Argon2,
    /// `bcrypt_sha256`: bcrypt of the hexadecimal SHA-256
    BcryptSha256,
    /// `bcrypt`
    Bcrypt,
    /// `scrypt`
    Scrypt,
    /// `md5` with a salt
    Md5,
    /// `sha1` with a salt
    Sha1,
}

impl Algorithm {
    /// The word before the first `$`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pbkdf2Sha256 => "pbkdf2_sha256",
            Self::Pbkdf2Sha1 => "pbkdf2_sha1",
            Self::Argon2 => "argon2",
            Self::BcryptSha256 => "bcrypt_sha256",
            Self::Bcrypt => "bcrypt",
            Self::Scrypt => "scrypt",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        [
            Self::Pbkdf2Sha256,
            Self::Pbkdf2Sha1,
            Self::Argon2,
            Self::BcryptSha256,
            Self::Bcrypt,
            Self::Scrypt,
            Self::Md5,
            Self::Sha1,
        ]
        .into_iter()
        .find(|algorithm| algorithm.name() == name)
    }

    /// Which algorithm made an encoded password; none for unusable, unsalted and unknown ones.
    #[must_use]
    pub fn of(encoded: &str) -> Option<Self> {
        if !is_usable(encoded) || unsalted_digest(encoded).is_some() {
            return None;
        }
        Self::by_name(encoded.split('$').next().unwrap_or_default())
    }
}

/// Digests without salt of Django's first years.
enum Unsalted<'a> {
    Md5(&'a str),
    Sha1(&'a str),
}

fn unsalted_digest(encoded: &str) -> Option<Unsalted<'_>> {
    if encoded.len() == 32 && !encoded.contains('$') {
        return Some(Unsalted::Md5(encoded));
    }
    match (
        encoded.len(),
        encoded.strip_prefix("md5$$"),
        encoded.strip_prefix("sha1$$"),
    ) {
        (37, Some(digest), _) => Some(Unsalted::Md5(digest)),
        (46, _, Some(digest)) => Some(Unsalted::Sha1(digest)),
        _ => None,
    }
}

/// Whether the account can sign in with some password at all: unusable ones start with `!`.
#[must_use]
pub fn is_usable(encoded: &str) -> bool {
    !encoded.starts_with('!')
}

/// Encodes a password with PBKDF2 (`pbkdf2_sha256` unless said otherwise).
///
/// # Errors
/// The salt is empty or holds a `$`; the rounds are zero or beyond all reason; the algorithm is not PBKDF2.
pub fn make_password(
    algorithm: Algorithm,
    password: &str,
    salt: &str,
    iterations: u32,
) -> Result<String, Error> {
    check_salt(salt)?;
    if iterations == 0 || iterations > MAX_ITERATIONS {
        return Err(Error::malformed("iterations out of range"));
    }
    let hash = match algorithm {
        Algorithm::Pbkdf2Sha256 => {
            let mut out = [0u8; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(
                password.as_bytes(),
                salt.as_bytes(),
                iterations,
                &mut out,
            );
            b64_encode(&out)
        }
        Algorithm::Pbkdf2Sha1 => {
            let mut out = [0u8; 20];
            pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt.as_bytes(), iterations, &mut out);
            b64_encode(&out)
        }
        _ => return Err(Error::malformed("new passwords use PBKDF2")),
    };
    Ok(format!("{}${iterations}${salt}${hash}", algorithm.name()))
}

fn check_salt(salt: &str) -> Result<(), Error> {
    if salt.is_empty() || salt.contains('$') {
        return Err(Error::malformed(
            "salt must be provided and cannot contain $.",
        ));
    }
    Ok(())
}

fn fields<const N: usize>(encoded: &str) -> Result<[&str; N], Error> {
    let parts: Vec<&str> = encoded.splitn(N, '$').collect();
    <[&str; N]>::try_from(parts).map_err(|_| Error::malformed("not enough fields"))
}

fn integer(text: &str) -> Result<u32, Error> {
    text.trim()
        .parse()
        .map_err(|_| Error::malformed("not a number"))
}

/// Whether a password is the one that was encoded. Unusable and unknown encodings are simply not it.
///
/// # Errors
/// The encoding names a known algorithm but is broken inside. A login treats this as a wrong password.
pub fn check_password(password: &str, encoded: &str) -> Result<bool, Error> {
    if !is_usable(encoded) {
        return Ok(false);
    }
    match unsalted_digest(encoded) {
        Some(Unsalted::Md5(digest)) => {
            return Ok(constant_time_eq(
                &hex::encode(Md5::digest(password.as_bytes())),
                digest,
            ));
        }
        Some(Unsalted::Sha1(digest)) => {
            return Ok(constant_time_eq(
                &hex::encode(Sha1::digest(password.as_bytes())),
                digest,
            ));
        }
        None => {}
    }
    let Some(algorithm) = Algorithm::of(encoded) else {
        return Ok(false);
    };
    match algorithm {
        Algorithm::Pbkdf2Sha256 | Algorithm::Pbkdf2Sha1 => {
            let [_, iterations, salt, _] = fields::<4>(encoded)?;
            let iterations = match integer(iterations)? {
                0 => DEFAULT_ITERATIONS,
                n => n,
            };
            let again = make_password(algorithm, password, salt, iterations)?;
            Ok(constant_time_eq(&again, encoded))
        }
        Algorithm::Argon2 => check_argon2(password, encoded),
        Algorithm::BcryptSha256 => {
            let digest = hex::encode(Sha256::digest(password.as_bytes()));
            check_bcrypt(digest.as_bytes(), encoded)
        }
        Algorithm::Bcrypt => check_bcrypt(password.as_bytes(), encoded),
        Algorithm::Scrypt => check_scrypt(password, encoded),
        Algorithm::Md5 | Algorithm::Sha1 => {
            let [name, salt, _] = fields::<3>(encoded)?;
            check_salt(salt)?;
            let salted = format!("{salt}{password}");
            let digest = if algorithm == Algorithm::Md5 {
                hex::encode(Md5::digest(salted.as_bytes()))
            } else {
                hex::encode(Sha1::digest(salted.as_bytes()))
            };
            Ok(constant_time_eq(
                &format!("{name}${salt}${digest}"),
                encoded,
            ))
        }
    }
}

fn check_argon2(password: &str, encoded: &str) -> Result<bool, Error> {
    let rest = encoded.strip_prefix("argon2").unwrap_or_default();
    let variant = if rest.starts_with("$argon2i$") {
        argon2::Algorithm::Argon2i
    } else if rest.starts_with("$argon2d$") {
        argon2::Algorithm::Argon2d
    } else if rest.starts_with("$argon2id") {
        argon2::Algorithm::Argon2id
    } else {
        return Err(Error::malformed("not an argon2 hash"));
    };
    // From here on the reference answers false to whatever is broken.
    Ok(argon2_matches(variant, password, rest).unwrap_or(false))
}

fn argon2_matches(variant: argon2::Algorithm, password: &str, rest: &str) -> Option<bool> {
    let engine = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone),
    );
    let mut parts = rest.split('$').skip(2);
    let mut part = parts.next()?;
    let mut version = argon2::Version::V0x10;
    if let Some(number) = part.strip_prefix("v=") {
        version = match number {
            "19" => argon2::Version::V0x13,
            "16" => argon2::Version::V0x10,
            _ => return None,
        };
        part = parts.next()?;
    }
    let (mut memory, mut time, mut lanes) = (None, None, None);
    for setting in part.split(',') {
        let (key, value) = setting.split_once('=')?;
        let value: u32 = value.parse().ok()?;
        match key {
            "m" => memory = Some(value),
            "t" => time = Some(value),
            "p" => lanes = Some(value),
            _ => return None,
        }
    }
    let salt = engine.decode(parts.next()?).ok()?;
    let hash = engine.decode(parts.next()?).ok()?;
    if parts.next().is_some() || memory? > MAX_ARGON2_MEMORY || time? > 1024 || lanes? > 256 {
        return None;
    }
    let params = argon2::Params::new(memory?, time?, lanes?, Some(hash.len())).ok()?;
    let mut out = vec![0u8; hash.len()];
    argon2::Argon2::new(variant, version, params)
        .hash_password_into(password.as_bytes(), &salt, &mut out)
        .ok()?;
    Some(subtle::ConstantTimeEq::ct_eq(out.as_slice(), hash.as_slice()).into())
}

fn check_bcrypt(password: &[u8], encoded: &str) -> Result<bool, Error> {
    let bad = || Error::malformed("Invalid salt");
    let engine = GeneralPurpose::new(
        &alphabet::BCRYPT,
        GeneralPurposeConfig::new()
            .with_encode_padding(false)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let (name, data) = encoded.split_once('$').ok_or_else(bad)?;
    let mut parts = data.splitn(4, '$').skip(1);
    let version = parts.next().ok_or_else(bad)?;
    let cost_text = parts.next().ok_or_else(bad)?;
    let rest = parts.next().ok_or_else(bad)?;
    if !matches!(version, "2a" | "2b" | "2x" | "2y") || cost_text.len() != 2 {
        return Err(bad());
    }
    let cost: u32 = cost_text.parse().map_err(|_| bad())?;
    if !(4..=31).contains(&cost) {
        return Err(bad());
    }
    let salt_text = rest.get(..22).ok_or_else(bad)?;
    let salt: [u8; 16] = engine
        .decode(salt_text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(bad)?;
    // The algorithm hashes the text with its closing NUL and stops at 72 bytes.
    let mut input = password.to_vec();
    input.push(0);
    input.truncate(72);
    let output = bcrypt::bcrypt(cost, salt, &input);
    let hash = engine.encode(output.get(..23).unwrap_or_default());
    let again = format!(
        "{name}$${version}${cost_text}${}{hash}",
        engine.encode(salt)
    );
    Ok(constant_time_eq(&again, encoded))
}

fn check_scrypt(password: &str, encoded: &str) -> Result<bool, Error> {
    let bad = || Error::malformed("Invalid scrypt parameters");
    let [name, work, salt, block, lanes, _] = fields::<6>(encoded)?;
    check_salt(salt)?;
    let (n, r, p) = (integer(work)?, integer(block)?, integer(lanes)?);
    if !n.is_power_of_two() || n < 2 || p == 0 || p > 1024 {
        return Err(bad());
    }
    let memory = 128 * u64::from(r) * (u64::from(n) + u64::from(p) + 2);
    if memory > MAX_SCRYPT_MEMORY {
        return Err(bad());
    }
    let params = scrypt::Params::new(n.trailing_zeros() as u8, r, p).map_err(|_| bad())?;
    let mut out = [0u8; 64];
    scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut out).map_err(|_| bad())?;
    let again = format!("{name}${n}${salt}${r}${p}${}", b64_encode(&out));
    Ok(constant_time_eq(&again, encoded))
}

/// Whether a hash that just matched should be replaced by a new one: another algorithm, other rounds, or a salt of
/// less than 128 bits (contracts/identity.md §6).
#[must_use]
pub fn must_update(encoded: &str, wanted_iterations: u32) -> bool {
    if Algorithm::of(encoded) != Some(Algorithm::Pbkdf2Sha256) {
        return true;
    }
    let Ok([_, iterations, salt, _]) = fields::<4>(encoded) else {
        return true;
    };
    iterations.parse() != Ok(wanted_iterations)
        || (salt.chars().count() as f64) * 62f64.log2() < SALT_ENTROPY
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// contracts/identity.md §1, pbkdf2 vector.
    #[test]
    fn contract_vector() {
        let encoded = make_password(
            Algorithm::Pbkdf2Sha256,
            "correct horse",
            "saltsaltsalt",
            1000,
        )
        .unwrap();
        assert_eq!(
            encoded,
            "pbkdf2_sha256$1000$saltsaltsalt$F7o7+5VTVzFAO998X6s3AHrDsJVdMiIlgndIMe19NvY="
        );
        assert!(check_password("correct horse", &encoded).unwrap());
        assert!(!check_password("correct", &encoded).unwrap());
        assert!(must_update(&encoded, DEFAULT_ITERATIONS));
    }

    /// contracts/identity.md §14: hashes of every age.
    #[test]
    fn unsalted_digests() {
        let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
        assert!(check_password("password", md5).unwrap());
        assert!(check_password("password", &format!("md5$${md5}")).unwrap());
        assert!(!check_password("passwort", md5).unwrap());
        let sha1 = "sha1$$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8";
        assert!(check_password("password", sha1).unwrap());
        assert_eq!(Algorithm::of(md5), None);
    }

    #[test]
    fn fresh_hash_needs_no_update() {
        let encoded = format!("pbkdf2_sha256$600000${}$x", "a".repeat(22));
        assert!(!must_update(&encoded, DEFAULT_ITERATIONS));
        assert!(must_update(
            "pbkdf2_sha256$600000$short$x",
            DEFAULT_ITERATIONS
        ));
    }

    proptest! {
        #[test]
        fn broken_encodings_never_panic(tail in "[$a-z0-9=,.]{0,40}", pick in 0usize..8) {
            let name = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt", "md5", ""]
                [pick];
            // Rounds above a thousand would only make this slow.
            prop_assume!(!tail.chars().collect::<Vec<_>>().windows(4).any(|w| w.iter().all(char::is_ascii_digit)));
            let _ = check_password("x", &format!("{name}${tail}"));
        }
    }
}
