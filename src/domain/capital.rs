//! 大写: an amount in the characters that cannot be altered by a stroke, as vouchers carry it.
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

    proptest! {
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
