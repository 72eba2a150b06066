//! 大写: an amount in the characters that cannot be altered by a stroke, as vouchers carry it; and in English words, for
//! whoever reads no Chinese.
//!
//! By 《正确填写票据和结算凭证的基本规定》 (支付结算办法, annex 1, of the People's Bank of China): 人民币 stands directly
//! before the amount; 整 follows where the amount ends at 元 or 角, never after 分; zeros between digits are one 零; zeros
//! between 元 and 分 are one 零. Where the rules leave a 零 open (the last zero before 万, 亿 or 元) none is written.
use super::money::Fen;

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
/// Within a group of four digits, from the left
const PLACES: [&str; 4] = ["仟", "佰", "拾", ""];
/// Of groups of four digits, from the right. Eight groups hold every amount there is.
const GROUPS: [&str; 5] = ["", "万", "亿", "万亿", "亿亿"];

/// `人民币玖仟零玖拾玖元玖角伍分`; an amount below zero is 负.
pub fn capitals(amount: Fen) -> String {
    let fen = amount.get().unsigned_abs();
    let (yuan, part) = (fen / 100, fen % 100);
    let sign = if amount < Fen::ZERO { "负" } else { "" };
    let mut out = format!("人民币{sign}");
    if yuan > 0 || part == 0 {
        out += &whole(yuan);
        out.push('元');
    }
    out += &parts(yuan > 0, part / 10, part % 10);
    out
}

/// 角 and 分, and what ends an amount without 分.
fn parts(after_yuan: bool, jiao: u64, fen: u64) -> String {
    let digit = |value: u64| DIGITS[(value % 10) as usize];
    match (jiao, fen) {
        (0, 0) => "整".to_owned(),
        (0, fen) if after_yuan => format!("零{}分", digit(fen)),
        (0, fen) => format!("{}分", digit(fen)),
        (jiao, 0) => format!("{}角整", digit(jiao)),
        (jiao, fen) => format!("{}角{}分", digit(jiao), digit(fen)),
    }
}

fn whole(yuan: u64) -> String {
    if yuan == 0 {
        return DIGITS[0].to_owned();
    }
    let groups: Vec<u64> = (0..GROUPS.len() as u32).map(|at| yuan / 10_000u64.pow(at) % 10_000).collect();
    let (mut out, mut skipped) = (String::new(), false);
    for (group, name) in groups.into_iter().zip(GROUPS).rev() {
        if group == 0 {
            // zeros that nothing follows are not said
            skipped |= !out.is_empty();
            continue;
        }
        if !out.is_empty() && (skipped || group < 1000) {
            out += DIGITS[0];
        }
        out += &four(group);
        out += name;
        skipped = false;
    }
    out
}

/// One to four digits, without what stands before the first that is not zero.
fn four(group: u64) -> String {
    let (mut out, mut zero) = (String::new(), false);
    for (at, place) in PLACES.iter().enumerate() {
        let digit = group / 10u64.pow(3 - at as u32) % 10;
        if digit == 0 {
            zero = !out.is_empty();
            continue;
        }
        if zero {
            out += DIGITS[0];
        }
        out += DIGITS[digit as usize];
        out += place;
        zero = false;
    }
    out
}

const UNITS: [&str; 20] = [
    "",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const TENS: [&str; 10] = ["", "", "Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
/// Of groups of three digits, from the right. Six groups hold every amount there is.
const THOUSANDS: [&str; 6] = ["", "Thousand", "Million", "Billion", "Trillion", "Quadrillion"];

/// `One Thousand One Hundred Yuan and Five Fen Only`, as on cheques: "and" stands once, before the fen, and 角 are tens
/// of fen. An amount below zero is `Minus`.
pub fn english(amount: Fen) -> String {
    let fen = amount.get().unsigned_abs();
    let (yuan, part) = (fen / 100, fen % 100);
    let sign = if amount < Fen::ZERO { "Minus " } else { "" };
    match (yuan, part) {
        (0, 0) => format!("{sign}Zero Yuan Only"),
        (0, part) => format!("{sign}{} Fen Only", hundreds(part)),
        (yuan, 0) => format!("{sign}{} Yuan Only", thousands(yuan)),
        (yuan, part) => format!("{sign}{} Yuan and {} Fen Only", thousands(yuan), hundreds(part)),
    }
}

fn thousands(number: u64) -> String {
    let groups = THOUSANDS.iter().zip(0u32..6).rev().map(|(name, at)| (number / 1000u64.pow(at) % 1000, name));
    let said = groups.filter(|(group, _)| *group > 0).map(|(group, name)| format!("{} {name}", hundreds(group)));
    said.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// One to 999.
fn hundreds(number: u64) -> String {
    let unit = |at: u64| UNITS[(at % 20) as usize];
    let below = match number % 100 {
        0 => String::new(),
        small @ 1..20 => unit(small).to_owned(),
        round if round % 10 == 0 => TENS[(round / 10) as usize].to_owned(),
        other => format!("{}-{}", TENS[(other / 10) as usize], unit(other % 10)),
    };
    match (number / 100, below.as_str()) {
        (0, _) => below,
        (hundred, "") => format!("{} Hundred", unit(hundred)),
        (hundred, _) => format!("{} Hundred {below}", unit(hundred)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(fen: i64) -> String {
        capitals(Fen::new(fen))
    }

    #[test]
    fn the_rules_own_examples_and_the_corners_are_written_as_the_rules_say() {
        for (fen, words) in [
            (140_950, "人民币壹仟肆佰零玖元伍角整"),
            (600_714, "人民币陆仟零柒元壹角肆分"),
            (168_032, "人民币壹仟陆佰捌拾元叁角贰分"),
            (10_700_053, "人民币壹拾万柒仟元伍角叁分"),
            (1_640_902, "人民币壹万陆仟肆佰零玖元零贰分"),
            (32_504, "人民币叁佰贰拾伍元零肆分"),
            (0, "人民币零元整"),
            (1, "人民币壹分"),
            (50, "人民币伍角整"),
            (1_000, "人民币壹拾元整"),
            (100_005, "人民币壹仟元零伍分"),
            (909_995, "人民币玖仟零玖拾玖元玖角伍分"),
            (Fen::MAX.get(), "人民币玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
            (10_000_000_000, "人民币壹亿元整"),
            (10_000_000_500, "人民币壹亿零伍元整"),
            (10_000_500_000, "人民币壹亿零伍仟元整"),
            (10_050_000_000, "人民币壹亿零伍拾万元整"),
            (20_000_500, "人民币贰拾万零伍元整"),
            (1_005_000_000, "人民币壹仟零伍万元整"),
            (-6_500, "人民币负陆拾伍元整"),
        ] {
            assert_eq!(of(fen), words, "{fen}");
        }
    }

    /// The other way round: every digit is written with its place, then the zeros are taken out of the text.
    fn naively(fen: u64) -> String {
        let places = ["元", "拾", "佰", "仟", "万", "拾", "佰", "仟", "亿", "拾", "佰", "仟"];
        let yuan = format!("{:012}", fen / 100);
        let digits = yuan.chars().zip(places.iter().rev());
        let mut text: String =
            digits.map(|(digit, place)| format!("{}{place}", DIGITS[digit.to_digit(10).unwrap() as usize])).collect();
        for place in ["仟", "佰", "拾"] {
            text = text.replace(&format!("零{place}"), "零");
        }
        while text.contains("零零") {
            text = text.replace("零零", "零");
        }
        for place in ["亿", "万", "元"] {
            text = text.replace(&format!("零{place}"), place);
        }
        let text = text.trim_start_matches(['零', '亿', '万', '元']);
        let text = text.replace("亿万", "亿零").replace("零零", "零").replace("零元", "元");
        let [jiao, part] = [fen / 10 % 10, fen % 10].map(|digit| DIGITS[digit as usize]);
        let tail = format!("{jiao}角{part}分").replace("零角零分", "整").replace("零角", "零").replace("零分", "整");
        match (text.as_str(), tail.as_str()) {
            ("", "整") => "人民币零元整".to_owned(),
            ("", tail) => format!("人民币{}", tail.trim_start_matches('零')),
            (text, tail) => format!("人民币{text}{tail}"),
        }
    }

    #[test]
    fn every_small_amount_is_written_alike_both_ways() {
        for fen in 0..200_000 {
            assert_eq!(of(fen as i64), naively(fen), "{fen}");
        }
    }

    #[test]
    fn in_english_the_corners_are_written_as_on_cheques() {
        for (fen, words) in [
            (110_005, "One Thousand One Hundred Yuan and Five Fen Only"),
            (0, "Zero Yuan Only"),
            (1, "One Fen Only"),
            (10, "Ten Fen Only"),
            (99, "Ninety-Nine Fen Only"),
            (100, "One Yuan Only"),
            (1_005, "Ten Yuan and Five Fen Only"),
            (1_900, "Nineteen Yuan Only"),
            (2_000, "Twenty Yuan Only"),
            (11_113, "One Hundred Eleven Yuan and Thirteen Fen Only"),
            (100_000_000, "One Million Yuan Only"),
            (100_000_100, "One Million One Yuan Only"),
            (
                123_456_789,
                "One Million Two Hundred Thirty-Four Thousand Five Hundred Sixty-Seven Yuan \
                 and Eighty-Nine Fen Only",
            ),
            (
                Fen::MAX.get(),
                "Ninety-Nine Million Nine Hundred Ninety-Nine Thousand Nine Hundred Ninety-Nine Yuan \
                 and Ninety-Nine Fen Only",
            ),
            (-6_500, "Minus Sixty-Five Yuan Only"),
        ] {
            assert_eq!(english(Fen::new(fen)), words, "{fen}");
        }
        assert!(english(Fen::new(i64::MAX)).starts_with("Ninety-Two Quadrillion "));
        assert!(english(Fen::new(i64::MIN)).starts_with("Minus Ninety-Two Quadrillion "));
    }

    /// The other way round: adds up what the words say. None for a word that is no part of an amount.
    fn read(words: &str) -> Option<i64> {
        let (mut fen, mut group, mut whole) = (0, 0, 0);
        for word in words.split([' ', '-']).filter(|word| !matches!(*word, "Zero" | "and" | "Only")) {
            let unit = UNITS.iter().skip(1).position(|known| *known == word).map(|at| at as i64 + 1);
            let ten = TENS.iter().skip(2).position(|known| *known == word).map(|at| (at as i64 + 2) * 10);
            let power = THOUSANDS.iter().skip(1).position(|known| *known == word).map(|at| 1000i64.pow(at as u32 + 1));
            match (word, unit.or(ten), power) {
                (_, Some(value), _) => group += value,
                ("Hundred", ..) => group *= 100,
                (_, _, Some(power)) => (whole, group) = (whole + group * power, 0),
                ("Yuan", ..) => (fen, whole, group) = ((whole + group) * 100, 0, 0),
                ("Fen", ..) => (fen, group) = (fen + group, 0),
                _ => return None,
            }
        }
        Some(fen)
    }

    #[test]
    fn every_small_amount_in_english_reads_back_as_itself() {
        for fen in 0..200_000 {
            assert_eq!(read(&english(Fen::new(fen))), Some(fen), "{}", english(Fen::new(fen)));
        }
    }

    proptest! {
        #[test]
        fn any_amount_in_english_reads_back_as_itself(fen in 0..i64::MAX, zeros in 0..16u32) {
            // amounts with many zeros are the hard ones
            for fen in [fen, fen / 10i64.pow(zeros) * 10i64.pow(zeros), fen / 10i64.pow(zeros)] {
                let words = english(Fen::new(fen));
                prop_assert_eq!(read(&words), Some(fen), "{}", &words);
                prop_assert!(words.ends_with(" Only") && !words.contains("  ") && words.is_ascii(), "{}", &words);
            }
        }

        #[test]
        fn any_amount_is_written_alike_both_ways(fen in 0..10_000_000_000_000u64, zeros in 0..10u32) {
            // amounts with many zeros are the hard ones
            let fen = fen / 10u64.pow(zeros) * 10u64.pow(zeros);
            prop_assert_eq!(of(fen as i64), naively(fen));
            let odd = fen / 1_000_000 * 1_000_000 + fen % 7;
            prop_assert_eq!(of(odd as i64), naively(odd));
        }

        #[test]
        fn no_amount_makes_the_writer_panic(fen in proptest::num::i64::ANY) {
            prop_assert!(capitals(Fen::new(fen)).starts_with("人民币"));
        }
    }
}
