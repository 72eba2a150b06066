//! How the platform signs and seals what it pushes, and opens the answer (official account, encrypting and decrypting
//! messages). By other crates than the receiver uses, and by hand where a mode is a few lines.
use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::generic_array::GenericArray;
use aes_gcm::aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// The last letter of a key may hold bits that count for nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// sha1 of the parts, sorted and joined.
pub fn sign(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(encoding_aes_key: &str) -> [u8; 32] {
    let bytes = LENIENT.decode(encoding_aes_key).unwrap_or_default();
    bytes.try_into().unwrap_or([0; 32])
}

/// Seals a message for an account.
pub fn seal(encoding_aes_key: &str, app_id: &str, message: &str, random: [u8; 16]) -> String {
    let mut plain = random.to_vec();
    plain.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    plain.extend(message.as_bytes());
    plain.extend(app_id.as_bytes());
    let fill = 32 - plain.len() % 32;
    plain.resize(plain.len() + fill, u8::try_from(fill).unwrap_or(32));
    let key = key_of(encoding_aes_key);
    let cipher = Aes256::new(GenericArray::from_slice(&key));
    let mut before = key[..16].to_vec();
    for block in plain.chunks_exact_mut(16) {
        block.iter_mut().zip(&before).for_each(|(byte, other)| *byte ^= other);
        cipher.encrypt_block(GenericArray::from_mut_slice(block));
        before = block.to_vec();
    }
    STANDARD.encode(plain)
}

/// Opens an answer; none when it is not for this account.
pub fn open(encoding_aes_key: &str, app_id: &str, sealed: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(sealed).ok().filter(|bytes| !bytes.is_empty() && bytes.len() % 32 == 0)?;
    let key = key_of(encoding_aes_key);
    let cipher = Aes256::new(GenericArray::from_slice(&key));
    let mut before = key[..16].to_vec();
    for block in bytes.chunks_exact_mut(16) {
        let sealed = block.to_vec();
        cipher.decrypt_block(GenericArray::from_mut_slice(block));
        block.iter_mut().zip(&before).for_each(|(byte, other)| *byte ^= other);
        before = sealed;
    }
    let fill = usize::from(*bytes.last()?);
    let text = bytes.get(16..bytes.len().checked_sub(fill)?)?;
    let (length, rest) = text.split_first_chunk::<4>()?;
    let (message, owner) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    (owner == app_id.as_bytes()).then(|| String::from_utf8_lossy(message).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_by_its_account_alone() {
        const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        for message in ["", "缴费", &"x".repeat(100)] {
            let sealed = seal(KEY, "wx1", message, [7; 16]);
            assert_eq!(open(KEY, "wx1", &sealed).as_deref(), Some(message));
            assert_eq!(open(KEY, "wx2", &sealed), None);
        }
    }
}
