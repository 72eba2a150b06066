//! What a number that somebody types must look like: a small part of regular expressions.
//!
//! A pattern is a row of letters, digits, `-` and classes such as `[0-9A-Z]`, each with `{3}` or `{1,4}` behind it if
//! it may come more than once. It has to fit as a whole.

/// The longest text a pattern may take, in characters
pub const LONGEST: usize = 32;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    /// First and last of each range
    ranges: Vec<(char, char)>,
    least: usize,
    most: usize,
}

impl Pattern {
    /// None: it is none, or would take more than [`LONGEST`] characters.
    pub fn parse(text: &str) -> Option<Pattern> {
        let mut rest = text;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (ranges, after) = ranges(rest)?;
            let (least, most, after) = times(after)?;
            parts.push(Part { ranges, least, most });
            rest = after;
        }
        let longest: usize = parts.iter().map(|part| part.most).sum();
        (1..=LONGEST).contains(&longest).then_some(Pattern { parts })
    }

    pub fn fits(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().take(LONGEST + 1).collect();
        // where a match of the parts so far may end
        let mut ends = vec![0];
        for part in &self.parts {
            let mut next = Vec::new();
            for start in ends {
                let run = letters[start..].iter().take(part.most).take_while(|letter| part.takes(**letter)).count();
                next.extend((part.least..=run).map(|count| start + count));
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
        }
        ends.contains(&letters.len())
    }
}

impl Part {
    fn takes(&self, letter: char) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter))
    }
}

fn plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-'
}

fn ranges(text: &str) -> Option<(Vec<(char, char)>, &str)> {
    let Some(inside) = text.strip_prefix('[') else {
        let letter = text.chars().next().filter(|letter| plain(*letter))?;
        return Some((vec![(letter, letter)], &text[1..]));
    };
    let (class, rest) = inside.split_once(']')?;
    let letters: Vec<char> = class.chars().collect();
    if letters.is_empty() || !letters.iter().all(|letter| plain(*letter)) {
        return None;
    }
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        match letters[at..] {
            [first, '-', last, ..] if first <= last => {
                ranges.push((first, last));
                at += 3;
            }
            [one, ..] => {
                ranges.push((one, one));
                at += 1;
            }
            [] => break,
        }
    }
    Some((ranges, rest))
}

fn times(text: &str) -> Option<(usize, usize, &str)> {
    let Some(inside) = text.strip_prefix('{') else { return Some((1, 1, text)) };
    let (count, rest) = inside.split_once('}')?;
    let (least, most) = count.split_once(',').unwrap_or((count, count));
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    (least <= most && (1..=LONGEST).contains(&most)).then_some((least, most, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_and_a_card_fit_as_a_whole_or_not() {
        let room = Pattern::parse("[1-9][0-9]{0,1}-[0-9]{3,4}").unwrap();
        for (text, fits) in [("3-412", true), ("12-1012", true), ("0-412", false), ("3-41", false), ("3-41234", false)]
        {
            assert_eq!(room.fits(text), fits, "{text}");
        }
        assert!(!room.fits("") && !room.fits("3-412 ") && !room.fits("x3-412"));
        let card = Pattern::parse("[0-9A-Z]{1,3}[0-9]{4}").unwrap();
        assert!(card.fits("12345") && card.fits("AB11234") && !card.fits("ABCD1234") && !card.fits("1234"));
        assert!(Pattern::parse("[-0-9]{3}").unwrap().fits("1-2"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", ".*", "[0-9", "[]", "a{2", "a{3,1}", "a{0}", "a{33}", "[0-9]{20}[0-9]{20}", "(a|b)", "\\d"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }
}
