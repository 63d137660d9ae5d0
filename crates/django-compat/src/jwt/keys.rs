//! Keys of tokens: shared secrets and RSA keys in JWK form.

use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use ring::{hmac, signature};
use serde_json::{Map, Value, json};

use super::TokenError;
use crate::encoding::b64u_decode;

/// Signature algorithms that are ever accepted; `none` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC SHA-256
    Hs256,
    /// HMAC SHA-384
    Hs384,
    /// HMAC SHA-512
    Hs512,
    /// RSA PKCS#1 v1.5, SHA-256
    Rs256,
    /// RSA PKCS#1 v1.5, SHA-384
    Rs384,
    /// RSA PKCS#1 v1.5, SHA-512
    Rs512,
}

impl Algorithm {
    /// Reads the header's `alg` (case matters).
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            _ => return None,
        })
    }

    /// The header's `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }
}

/// A key that verifies.
#[derive(Clone)]
pub enum Key {
    /// A shared secret (HS algorithms).
    Secret(Vec<u8>),
    /// An RSA public key: modulus and exponent, big-endian.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Exponent.
        e: Vec<u8>,
    },
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Key::Secret(…)",
            Self::Rsa { .. } => "Key::Rsa(…)",
        })
    }
}

fn member(jwk: &Value, name: &str) -> Result<Vec<u8>, TokenError> {
    let text = jwk
        .get(name)
        .and_then(Value::as_str)
        .ok_or(TokenError::Key)?;
    b64u_decode(text).map_err(|_| TokenError::Key)
}

impl Key {
    /// Reads a JWK of type `oct` or `RSA`.
    ///
    /// # Errors
    /// [`TokenError::Key`]
    pub fn from_jwk(jwk: &Value) -> Result<Self, TokenError> {
        match jwk.get("kty").and_then(Value::as_str) {
            Some("oct") => Ok(Self::Secret(member(jwk, "k")?)),
            Some("RSA") => Ok(Self::Rsa {
                n: member(jwk, "n")?,
                e: member(jwk, "e")?,
            }),
            _ => Err(TokenError::Key),
        }
    }

    /// Whether this key made the signature under this algorithm.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], given: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Secret(secret), Algorithm::Hs256) => {
                hmac_verify(hmac::HMAC_SHA256, secret, message, given)
            }
            (Self::Secret(secret), Algorithm::Hs384) => {
                hmac_verify(hmac::HMAC_SHA384, secret, message, given)
            }
            (Self::Secret(secret), Algorithm::Hs512) => {
                hmac_verify(hmac::HMAC_SHA512, secret, message, given)
            }
            (Self::Rsa { n, e }, Algorithm::Rs256) => {
                rsa_verify(&signature::RSA_PKCS1_2048_8192_SHA256, n, e, message, given)
            }
            (Self::Rsa { n, e }, Algorithm::Rs384) => {
                rsa_verify(&signature::RSA_PKCS1_2048_8192_SHA384, n, e, message, given)
            }
            (Self::Rsa { n, e }, Algorithm::Rs512) => {
                rsa_verify(&signature::RSA_PKCS1_2048_8192_SHA512, n, e, message, given)
            }
            _ => false,
        }
    }
}

fn hmac_verify(kind: hmac::Algorithm, secret: &[u8], message: &[u8], given: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(kind, secret), message, given).is_ok()
}

fn rsa_verify(
    kind: &'static signature::RsaParameters,
    n: &[u8],
    e: &[u8],
    message: &[u8],
    given: &[u8],
) -> bool {
    PublicKeyComponents {
        n: strip(n),
        e: strip(e),
    }
    .verify(kind, message, given)
    .is_ok()
}

/// Big numbers without leading zeros, as ring wants them.
fn strip(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// The keys of a JWK set (`{"keys": […]}`), those that are no RSA or secret key left out.
#[must_use]
pub fn key_set(set: &Value) -> Vec<Key> {
    set.get("keys")
        .and_then(Value::as_array)
        .map(|keys| {
            keys.iter()
                .filter_map(|jwk| Key::from_jwk(jwk).ok())
                .collect()
        })
        .unwrap_or_default()
}

/// The public half of an RSA JWK: `kty`, `kid`, `n`, `e`.
#[must_use]
pub fn public_jwk(private: &Value) -> Value {
    let mut out = Map::new();
    for name in ["kty", "kid", "n", "e"] {
        if let Some(value) = private.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    json!(out)
}

/// A key that signs.
pub enum SigningKey {
    /// HS256 with JWT_SECRET_KEY's bytes.
    Secret(Vec<u8>),
    /// RS512 with JWT_PRIVATE_SIGNING_JWK.
    Rsa {
        /// The key pair.
        pair: Box<KeyPair>,
        /// The JWK's `kid`, if any.
        kid: Option<String>,
    },
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "SigningKey::Secret(…)",
            Self::Rsa { .. } => "SigningKey::Rsa(…)",
        })
    }
}

impl SigningKey {
    /// Reads a private RSA JWK with all its numbers.
    ///
    /// # Errors
    /// [`TokenError::Key`] when a number is missing or they do not belong together.
    pub fn from_private_jwk(jwk: &Value) -> Result<Self, TokenError> {
        let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"]
            .iter()
            .map(|name| member(jwk, name))
            .collect::<Result<Vec<_>, _>>()?;
        let [modulus, exponent, private, prime1, prime2, dp, dq, qi] = numbers.as_slice() else {
            return Err(TokenError::Key);
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: strip(modulus),
                e: strip(exponent),
            },
            d: strip(private),
            p: strip(prime1),
            q: strip(prime2),
            dP: strip(dp),
            dQ: strip(dq),
            qInv: strip(qi),
        };
        let pair = KeyPair::from_components(&components).map_err(|_| TokenError::Key)?;
        let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self::Rsa {
            pair: Box::new(pair),
            kid,
        })
    }

    /// The header's `alg` of tokens that this key signs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::Hs256,
            Self::Rsa { .. } => Algorithm::Rs512,
        }
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        match self {
            Self::Secret(_) => None,
            Self::Rsa { kid, .. } => kid.as_deref(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        match self {
            Self::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
            Self::Rsa { pair, .. } => {
                let mut out = vec![0; pair.public().modulus_len()];
                // PKCS#1 v1.5 is deterministic; ring asks for randomness to blind the computation.
                pair.sign(
                    &signature::RSA_PKCS1_SHA512,
                    &SystemRandom::new(),
                    message,
                    &mut out,
                )
                .map_err(|_| TokenError::Key)?;
                Ok(out)
            }
        }
    }
}
