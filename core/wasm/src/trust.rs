use std::fmt;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::error::LoadCause;

/// Which files may be loaded.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The SHA-256 the file has to have, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// Whose signatures count.
    pub keys: Vec<PublicKey>,
    /// Whether a file without a signature is refused.
    pub require_signed: bool,
}

/// The ed25519 key of somebody who signs plugins.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes in base64; none if they are no key.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        let bytes = <[u8; 32]>::try_from(bytes).ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", STANDARD.encode(self.0.as_bytes()))
    }
}

impl Trust {
    /// Refuses bytes that are not trusted. The signature of `x.wasm`, 64 bytes in base64 over the
    /// whole file, stands in `x.wasm.sig`.
    pub(crate) fn check(&self, file: &Path, bytes: &[u8]) -> Result<(), LoadCause> {
        if let Some(expected) = &self.sha256 {
            let found = digest(bytes);
            if found != *expected {
                let expected = expected.clone();
                return Err(LoadCause::OtherDigest { expected, found });
            }
        }
        if !self.require_signed && self.keys.is_empty() {
            return Ok(());
        }
        let mut name = file.as_os_str().to_owned();
        name.push(".sig");
        let text = match fs::read_to_string(&name) {
            Ok(text) => text,
            Err(_) if self.require_signed => return Err(LoadCause::Unsigned),
            Err(_) => return Ok(()),
        };
        let signature = STANDARD.decode(text.trim()).ok();
        let signature = signature.and_then(|bytes| Signature::from_slice(&bytes).ok());
        let signature = signature.ok_or(LoadCause::BadSignature)?;
        let is_signed = |key: &PublicKey| key.0.verify_strict(bytes, &signature).is_ok();
        if self.keys.iter().any(is_signed) {
            Ok(())
        } else {
            Err(LoadCause::BadSignature)
        }
    }
}

/// The SHA-256 of these bytes in lower-case hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn signed(bytes: &[u8], by: &SigningKey) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.wasm");
        let signature = STANDARD.encode(by.sign(bytes).to_bytes());
        fs::write(folder.path().join("x.wasm.sig"), signature).unwrap();
        (folder, file)
    }

    fn key(of: &SigningKey) -> PublicKey {
        PublicKey::parse(&STANDARD.encode(of.verifying_key().as_bytes())).unwrap()
    }

    #[test]
    fn a_file_is_what_its_digest_says() {
        let pinned = |digest: &str| Trust {
            sha256: Some(digest.to_owned()),
            ..Trust::default()
        };
        let path = Path::new("/nowhere/x.wasm");

        assert_eq!(pinned(&digest(b"bytes")).check(path, b"bytes"), Ok(()));
        assert!(matches!(
            pinned(&digest(b"bytes")).check(path, b"other"),
            Err(LoadCause::OtherDigest { .. })
        ));
    }

    #[test]
    fn a_signature_counts_if_a_trusted_key_made_it_over_these_bytes() {
        let (ours, theirs) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let trust = Trust {
            keys: vec![key(&ours)],
            require_signed: true,
            ..Trust::default()
        };

        let (_folder, good) = signed(b"bytes", &ours);
        let (_folder, bad) = signed(b"bytes", &theirs);

        assert_eq!(trust.check(&good, b"bytes"), Ok(()));
        assert_eq!(trust.check(&good, b"other"), Err(LoadCause::BadSignature));
        assert_eq!(trust.check(&bad, b"bytes"), Err(LoadCause::BadSignature));
        let unsigned = Path::new("/nowhere/x.wasm");
        assert_eq!(trust.check(unsigned, b"bytes"), Err(LoadCause::Unsigned));
    }

    #[test]
    fn a_bad_signature_is_refused_even_where_none_is_required() {
        let (ours, theirs) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let trust = Trust {
            keys: vec![key(&ours)],
            ..Trust::default()
        };
        let (_folder, bad) = signed(b"bytes", &theirs);

        assert_eq!(trust.check(&bad, b"bytes"), Err(LoadCause::BadSignature));
        assert_eq!(trust.check(Path::new("/nowhere/x.wasm"), b"bytes"), Ok(()));
    }
}
