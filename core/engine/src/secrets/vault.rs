//! What has to be read again and must not be readable in a copy of the database: AES-256-GCM under
//! a key of the ring, `v1.` and base64url of nonce and ciphertext.

use aes_gcm::aead::{Aead, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roster_domain::{Error, Result};

use super::Keys;
use crate::system::random;

const VERSION: &str = "v1.";
const NONCE: usize = 12;

impl Keys {
    /// Encrypts a text. It is decrypted in the same place only: a secret of one user is none of
    /// another's.
    pub(crate) fn lock(&self, place: &str, text: &str) -> Result<String> {
        let nonce = random::<NONCE>()?;
        let vault = self.vaults().next();
        let vault = vault.ok_or_else(|| Error::internal("no key to encrypt with"))?;
        let payload = Payload {
            msg: text.as_bytes(),
            aad: place.as_bytes(),
        };
        let sealed = vault
            .encrypt(&nonce.into(), payload)
            .map_err(|error| Error::internal(error.to_string()))?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Decrypts a text of this place by whichever key of the ring encrypted it.
    pub(crate) fn unlock(&self, place: &str, text: &str) -> Result<String> {
        let unreadable = || Error::internal("what is encrypted cannot be read with any secret");
        let bytes = text
            .strip_prefix(VERSION)
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let bytes = bytes.ok_or_else(unreadable)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or_else(unreadable)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| unreadable())?;
        let payload = |vault: &aes_gcm::Aes256Gcm| {
            let payload = Payload {
                msg: sealed,
                aad: place.as_bytes(),
            };
            vault.decrypt(&nonce.into(), payload).ok()
        };
        let plain = self.vaults().find_map(payload).ok_or_else(unreadable)?;
        String::from_utf8(plain).map_err(|_| unreadable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Secret;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|s| Secret::new(*s)).collect::<Vec<_>>()).expect("a secret")
    }

    #[test]
    fn what_a_previous_secret_encrypted_is_read() {
        let old = keys(&["old"]).lock("here", "text").expect("encrypted");

        let read = |keys: Keys, place| keys.unlock(place, &old).ok();
        assert_eq!(read(keys(&["new", "old"]), "here").as_deref(), Some("text"));
        assert_eq!(read(keys(&["new"]), "here"), None);
        assert_eq!(read(keys(&["old"]), "there"), None);
    }

    #[test]
    fn the_same_text_is_encrypted_differently_and_none_of_it_shows() {
        let keys = keys(&["secret"]);
        let (one, two) = (keys.lock("here", "text"), keys.lock("here", "text"));

        assert_ne!(one.as_ref().ok(), two.as_ref().ok());
        assert!(!one.expect("encrypted").contains("text"));
        for broken in ["", "v1.", "v1.AAAA", "text", "v2.AAAA"] {
            assert!(keys.unlock("here", broken).is_err(), "{broken}");
        }
    }
}
