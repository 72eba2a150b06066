//! Pages as brotli. Head and foot of a page are the same for everybody: they are compressed once, and well; what
//! stands between is compressed on each answer, quickly. The pieces are joined to one stream (RFC 7932, section 9.2: a
//! stream is a row of meta-blocks), so a browser sees nothing of it.
//!
//! Only text that stands in this program is kept: never a name, a number or an amount.
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{BrotliEncoderOperation, BrotliEncoderParameter as Parameter, BrotliEncoderStateStruct};
use brotli::interface::{InputPair, InputReferenceMut, PredictionModeContextMap, StaticCommand};
use poem::http::header::{ACCEPT_ENCODING, HeaderMap};

use super::assets;

/// Where the head that is the same for everybody ends.
const HEAD_ENDS: &str = "<title>";
/// More kinds of heads than the pages have in both languages; beyond it nothing is kept.
const KINDS: usize = 64;
/// The last meta-block: empty (RFC 7932, section 9.2: ISLAST and ISLASTEMPTY are set).
const END: u8 = 0b11;

/// Whether a browser says it takes brotli (RFC 9110, section 12.5.3).
pub fn is_taken(headers: &HeaderMap) -> bool {
    let all = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    let named = all.flat_map(|list| list.split(',')).map(|one| one.split_once(';').unwrap_or((one, "q=1")));
    let weight = |text: &str| text.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
    let mut brotli = named.filter(|(name, _)| name.trim().eq_ignore_ascii_case("br"));
    brotli.any(|(_, said)| weight(said).is_some_and(|weight| weight > 0.0))
}

/// A brotli stream of a text that is the same for everybody.
pub fn brotli_once(text: &str) -> Vec<u8> {
    brotli_of(text, Piece::First)
}

fn brotli_of(text: &str, piece: Piece) -> Vec<u8> {
    let mut stream = Vec::new();
    compress(text.as_bytes(), piece, &mut stream);
    stream.push(END);
    stream
}

/// A brotli stream of the page. One that only names its stylesheets and scripts is pressed in one piece: its head and
/// foot are short, and what differs is a tenth smaller when it may point at them.
pub fn brotli(page: &str) -> Vec<u8> {
    let (head, rest) = page.split_at(page.find(HEAD_ENDS).unwrap_or(0));
    if !head.contains("<style>") {
        return brotli_of(page, Piece::Whole);
    }
    let (middle, foot) = match feet().iter().find(|(text, _)| rest.ends_with(text)) {
        Some((text, pressed)) => (&rest[..rest.len() - text.len()], pressed.as_slice()),
        None => (rest, [].as_slice()),
    };
    let head = pressed_head(head);
    let mut stream = Vec::with_capacity(head.len() + middle.len() / 2 + foot.len() + 1);
    stream.extend_from_slice(&head);
    compress(middle.as_bytes(), Piece::Quick, &mut stream);
    stream.extend_from_slice(foot);
    stream.push(END);
    stream
}

/// The ends of pages, from the scripts on, that bring them and that name them, and what is sent for them.
fn feet() -> &'static [(String, Vec<u8>)] {
    static FEET: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
        let foot = |own: Option<&'static str>, linked: bool| {
            let element = |text| assets::element(text, linked);
            let own = own.map_or("", element);
            let text = format!("{}{own}\n</body>\n</html>", element(assets::js()));
            let mut pressed = Vec::new();
            compress(text.as_bytes(), Piece::Later, &mut pressed);
            (text, pressed)
        };
        let own = [None, Some(assets::fees_js()), Some(assets::pay_js())];
        own.into_iter().flat_map(|own| [foot(own, false), foot(own, true)]).collect()
    });
    &FEET
}

/// A head's text, and what is sent for it
type Pressed = (Box<str>, Arc<[u8]>);

/// The head as it was compressed before, or is now.
fn pressed_head(text: &str) -> Arc<[u8]> {
    static HEADS: RwLock<Vec<Pressed>> = RwLock::new(Vec::new());
    let heads = HEADS.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, pressed)) = heads.iter().find(|(known, _)| **known == *text) {
        return Arc::clone(pressed);
    }
    drop(heads);
    let mut pressed = Vec::new();
    compress(text.as_bytes(), Piece::First, &mut pressed);
    let pressed: Arc<[u8]> = pressed.into();
    let mut heads = HEADS.write().unwrap_or_else(PoisonError::into_inner);
    if heads.len() < KINDS && heads.iter().all(|(known, _)| **known != *text) {
        heads.push((text.into(), Arc::clone(&pressed)));
    }
    pressed
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// Begins the stream and says how far back it may point
    First,
    /// Goes on, pointing at nothing before itself
    Later,
    /// As [`Piece::Later`], compressed on each answer
    Quick,
    /// A short page by itself, compressed on each answer
    Whole,
}

/// Adds a piece, up to a whole byte. A piece that is empty is nothing, except the first.
fn compress(text: &[u8], piece: Piece, out: &mut Vec<u8>) {
    if text.is_empty() && matches!(piece, Piece::Later | Piece::Quick) {
        return;
    }
    let mut encoder = BrotliEncoderStateStruct::new(StandardAlloc::default());
    let (quality, window) = match piece {
        Piece::First | Piece::Later => (9, 18),
        // quality 4 costs three times as much for a twentieth less
        Piece::Quick => (2, 16),
        Piece::Whole => (5, 18),
    };
    let joined = match piece {
        Piece::First | Piece::Whole => Parameter::BROTLI_PARAM_APPENDABLE,
        Piece::Later | Piece::Quick => Parameter::BROTLI_PARAM_CATABLE,
    };
    for (parameter, value) in [
        (Parameter::BROTLI_PARAM_QUALITY, quality),
        (Parameter::BROTLI_PARAM_LGWIN, window),
        (Parameter::BROTLI_PARAM_SIZE_HINT, u32::try_from(text.len()).unwrap_or(u32::MAX)),
        (joined, 1),
        (Parameter::BROTLI_PARAM_BARE_STREAM, 1),
    ] {
        encoder.set_parameter(parameter, value);
    }
    let mut nobody = |_: &mut PredictionModeContextMap<InputReferenceMut>,
                      _: &mut [StaticCommand],
                      _: InputPair,
                      _: &mut StandardAlloc| ();
    let (mut left, mut taken) = (text.len(), 0);
    let mut buffer = [0; 4096];
    loop {
        let (mut room, mut written) = (buffer.len(), 0);
        let finish = BrotliEncoderOperation::BROTLI_OPERATION_FINISH;
        let going = encoder.compress_stream(
            finish,
            &mut left,
            text,
            &mut taken,
            &mut room,
            &mut buffer,
            &mut written,
            &mut None,
            &mut nobody,
        );
        out.extend_from_slice(&buffer[..written]);
        if !going || encoder.is_finished() || (written == 0 && left == 0 && !encoder.has_more_output()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::web::view::tests::every_page;

    #[test]
    fn brotli_is_sent_to_whom_takes_it() {
        let takes = |list: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, list.parse().unwrap());
            is_taken(&headers)
        };
        assert!(takes("gzip, deflate, br") && takes("BR;q=0.5") && takes("gzip, br; q=1.0, zstd"));
        assert!(!takes("gzip") && !takes("br;q=0") && !takes("brotli") && !takes(""));
        assert!(!is_taken(&HeaderMap::new()));
    }

    fn read(stream: &[u8]) -> String {
        let mut text = Vec::new();
        brotli::BrotliDecompress(&mut &stream[..], &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_page_comes_out_as_it_went_in_the_first_time_and_the_next() {
        let foot = &feet()[1].0;
        let page = |name: &str| format!("<style>a{{color:red}}</style><title>缴费</title>{name}{foot}");
        for name in ["林知夏", "", "<p>", &"很长的名字".repeat(9_000)] {
            assert_eq!(read(&brotli(&page(name))), page(name));
        }
    }

    #[test]
    fn what_has_neither_head_nor_foot_comes_out_too() {
        for text in ["", "a", "ab", "缴费", "<title>", "a<title>", "<title>a", "<title>缴费</title><title>"] {
            assert_eq!(read(&brotli(text)), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_out_as_it_went_in(head in "\\PC{0,200}", middle in "\\PC{0,3000}", at in 0..6_usize) {
            let page = format!("{head}<title>{middle}{}", feet()[at].0);
            prop_assert_eq!(read(&brotli(&page)), page);
        }
    }

    /// What is kept must be the same for everybody.
    #[test]
    fn of_every_page_only_what_stands_in_the_program_is_kept() {
        let mut heads = std::collections::BTreeSet::new();
        for (_, sample) in every_page() {
            let page = sample.html;
            assert!(feet().iter().any(|(text, _)| page.ends_with(text)), "{}", sample.name);
            heads.insert(page[..page.find(HEAD_ENDS).unwrap()].to_owned());
            assert_eq!(read(&brotli(&page)), page, "{}", sample.name);
        }
        assert!(heads.len() <= 8, "{} kinds of heads", heads.len());
        let own = ["林知夏", "2023", "csrf-token", "启明大学"];
        assert!(heads.iter().all(|head| own.iter().all(|word| !head.contains(word))));
    }
}
