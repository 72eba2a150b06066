//! 验证码 of an electronic voucher: what whoever holds one types to learn whether it is genuine.
use std::fmt;

use subtle::ConstantTimeEq;

use super::id_number::normalise;

/// Crockford's base 32: no I, L, O or U, so that nothing typed from paper can be mistaken.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of five bits each: sixty bits cannot be tried out against a limit of tries
const LENGTH: usize = 12;

/// 验证码: twelve characters, written `7KQ2-M9XD-PW4T`. Compared in a time that does not tell where two differ; never
/// shown in a log.
#[derive(Clone)]
pub struct VoucherCode([u8; LENGTH]);

impl VoucherCode {
    /// The first sixty bits of a mac.
    pub fn of(mac: &[u8; 8]) -> VoucherCode {
        let bits = u64::from_be_bytes(*mac);
        VoucherCode(std::array::from_fn(|at| ALPHABET[(bits >> (59 - 5 * at)) as usize & 31]))
    }

    /// Reads what a person typed or a code held: any case, blanks and hyphens forgiven, O is 0, I and L are 1.
    pub fn parse(text: &str) -> Option<VoucherCode> {
        let plain = normalise(text).to_ascii_uppercase();
        let typed = plain.chars().filter(|c| !matches!(c, '-' | '—' | '–' | ' '));
        let read = |c: char| match c {
            'O' => Some(b'0'),
            'I' | 'L' => Some(b'1'),
            c => u8::try_from(c).ok().filter(|byte| ALPHABET.contains(byte)),
        };
        let read: Option<Vec<u8>> = typed.map(read).collect();
        read?.try_into().ok().map(VoucherCode)
    }

    /// As it stands in an address.
    pub fn plain(&self) -> String {
        self.0.iter().map(|byte| char::from(*byte)).collect()
    }

    /// As people read it.
    pub fn grouped(&self) -> String {
        let plain = self.plain();
        [&plain[..4], &plain[4..8], &plain[8..]].join("-")
    }
}

impl PartialEq for VoucherCode {
    fn eq(&self, other: &VoucherCode) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for VoucherCode {}

impl fmt::Debug for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VoucherCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = VoucherCode::of(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        assert_eq!(code.grouped(), "04HM-ASW9-NF6Y");
        for typed in
            ["04HMASW9NF6Y", "04hm-asw9-nf6y", " 04HM ASW9 NF6Y ", "O4HM—ASW9—NF6Y", "０４ＨＭ－ＡＳＷ９－ＮＦ６Ｙ"]
        {
            assert_eq!(VoucherCode::parse(typed), Some(code.clone()), "{typed}");
        }
        for wrong in ["", "04HM-ASW9-NF6", "04HM-ASW9-NF6YY", "04HM-ASW9-NF6U", "04HM-ASW9-NF6字"] {
            assert_eq!(VoucherCode::parse(wrong), None, "{wrong}");
        }
        assert_eq!(VoucherCode::parse("IL00-0000-0000").map(|code| code.grouped()), Some("1100-0000-0000".into()));
        assert_eq!(format!("{code:?}"), "VoucherCode(…)");
    }

    proptest! {
        #[test]
        fn sixty_bits_make_a_code_and_every_one_counts(mac: [u8; 8], bit in 4..64usize) {
            let code = VoucherCode::of(&mac);
            prop_assert_eq!(VoucherCode::parse(&code.grouped()), Some(code.clone()));
            let other = u64::from_be_bytes(mac) ^ 1 << (63 - (bit - 4));
            prop_assert_ne!(VoucherCode::of(&other.to_be_bytes()), code);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = VoucherCode::parse(&text);
        }
    }
}
