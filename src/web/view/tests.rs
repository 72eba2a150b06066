//! Renders every page in every state and language and holds what must be true of each.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::samples::kit::{Sample, outside};
use super::samples::{
    around, binding, enrolling, entry, ereceipts, joining, living, other, pay_for_me, paying, posters, records,
};
use crate::domain::bilingual::Lang;
use crate::web::assets::{scripts, sheets};
use crate::web::html::Frame;
use crate::web::press;

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

fn pages(frame: &Frame) -> Vec<Sample> {
    let here = [entry::all(frame), around::all(frame), binding::all(frame), joining::all(frame)];
    let money = [paying::all(frame), other::all(frame), living::all(frame), records::all(frame), enrolling::all(frame)];
    let last = [ereceipts::all(frame), posters::all(frame), pay_for_me::all(frame)];
    here.into_iter().chain(money).chain(last).flatten().collect()
}

pub fn every_page() -> impl Iterator<Item = (Lang, Sample)> {
    LANGS.into_iter().flat_map(|lang| pages(&outside(lang)).into_iter().map(move |page| (lang, page)))
}

/// Bytes after brotli, the way the server compresses.
fn packed(text: &str, quality: u32) -> usize {
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 4096, quality, 22);
    std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
    drop(writer);
    out.len()
}

/// The tags of a page: name and attributes, without `<` and `>`.
fn tags(html: &str) -> Vec<&str> {
    let body = html.split("<body").nth(1).unwrap().split("<script>").next().unwrap();
    body.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).collect()
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// What one page looks like in the snapshots: without the stylesheet and the script, one element a line.
fn bare(html: &str) -> String {
    let text = |html: String, inlined: &str| html.replace(inlined, "");
    sheets().into_iter().chain(scripts()).fold(html.to_owned(), text).replace("><", ">\n<")
}

/// With JIAOFEI_TEST_ARTEFACTS set, every page stands there as a file to be looked at.
#[test]
fn every_page_renders_and_is_kept_to_be_looked_at() {
    let folder = std::env::var_os("JIAOFEI_TEST_ARTEFACTS").map(|root| PathBuf::from(root).join("pages"));
    for (lang, care) in [(Lang::Zh, false), (Lang::Zh, true), (Lang::En, false), (Lang::En, true)] {
        for page in pages(&Frame { care, ..outside(lang) }) {
            assert!(page.html.trim_end().ends_with("</html>"), "{}", page.name);
            assert_eq!(page.html.contains(" data-care>"), care, "{}", page.name);
            if let Some(folder) = &folder {
                fs::create_dir_all(folder).unwrap();
                let size = if care { "-care" } else { "" };
                fs::write(folder.join(format!("{}-{}{size}.html", page.name, lang.tag())), &page.html).unwrap();
            }
        }
    }
}

#[test]
fn every_page_says_the_same_as_last_time() {
    for (lang, page) in every_page() {
        insta::assert_snapshot!(format!("{}-{}", page.name, lang.tag()), bare(&page.html));
    }
}

#[test]
fn every_page_fits_into_the_first_flight() {
    let (css, js) = (packed(&sheets().concat(), 11), packed(&scripts().concat(), 11));
    assert!(css <= 5 * 1024, "the stylesheets have {css} bytes");
    assert!(js <= 3 * 1024, "the scripts have {js} bytes");
    for (lang, page) in every_page() {
        let bytes = press::brotli(&page.html).len();
        assert!(bytes <= 10_240, "{} in {} has {bytes} bytes", page.name, lang.tag());
    }
}

#[test]
fn no_page_carries_a_style_a_handler_or_a_foreign_address() {
    for (_, page) in every_page() {
        for tag in tags(&page.html) {
            for word in tag.split_whitespace().skip(1) {
                let name = word.split('=').next().unwrap();
                assert!(name != "style" && !(name.starts_with("on") && word.contains('=')), "{}: {tag}", page.name);
            }
            let source = attribute(tag, "src").unwrap_or("/");
            assert!(source.starts_with('/') || source.starts_with("data:"), "{}: {tag}", page.name);
            let action = attribute(tag, "action").unwrap_or("/");
            let ours = action.starts_with('/') && !action.starts_with("//");
            // the one form that is somebody else's, whose origin the page's policy names
            assert!(ours || page.name == "launch-form", "{}: {tag}", page.name);
        }
    }
}

#[test]
fn every_page_has_its_language_one_heading_and_a_title() {
    for (lang, page) in every_page() {
        assert!(page.html.contains(&format!("<html lang=\"{}\"", lang.tag())), "{}", page.name);
        assert_eq!(page.html.matches("<h1").count(), 1, "{} in {}", page.name, lang.tag());
        assert_eq!(page.html.matches("<main").count(), 1, "{}", page.name);
        assert!(!page.html.contains("<title></title>"), "{}", page.name);
    }
}

/// Two states of one page are told apart by what the app's title bar shows.
#[test]
fn the_title_tells_the_states_apart() {
    let families: [&[&str]; 5] = [
        &[
            "result-paid",
            "result-confirming",
            "result-review",
            "result-incomplete",
            "result-uncertain",
            "result-closed",
        ],
        &["login-user", "login-user-wrong"],
        &["order-pending", "order-paid", "order-closed", "order-review"],
        &["tuition", "tuition-refused"],
        &["failure-400", "failure-403", "failure-404", "failure-405", "failure-413", "failure-419", "failure-429"],
    ];
    for lang in LANGS {
        let shown = pages(&outside(lang));
        let title = |name: &str| {
            let page = shown.iter().find(|page| page.name == name).unwrap_or_else(|| panic!("no sample {name}"));
            page.html.split("<title>").nth(1).unwrap().split("</title>").next().unwrap().trim()
        };
        for family in families {
            let titles: BTreeSet<&str> = family.iter().map(|name| title(name)).collect();
            assert_eq!(titles.len(), family.len(), "{titles:?}");
        }
    }
}

#[test]
fn every_field_has_a_name_a_person_can_hear() {
    for (_, page) in every_page() {
        let tags = tags(&page.html);
        let labelled: BTreeSet<&str> = tags.iter().filter_map(|tag| attribute(tag, "for")).collect();
        let mut inside_label = false;
        for tag in &tags {
            match tag.split_whitespace().next() {
                Some("label") => inside_label = true,
                Some("/label") => inside_label = false,
                Some("input") if attribute(tag, "type") != Some("hidden") => {
                    let by_id = attribute(tag, "id").is_some_and(|id| labelled.contains(id));
                    let named = by_id || inside_label || attribute(tag, "aria-label").is_some();
                    assert!(named, "{}: {tag}", page.name);
                }
                Some("img") => assert!(attribute(tag, "alt").is_some(), "{}: {tag}", page.name),
                _ => {}
            }
        }
    }
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    for (_, page) in every_page() {
        let mut forms = 0;
        for form in page.html.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap()) {
            let head = form.split('>').next().unwrap();
            // a form to a channel carries what the channel wants, and never the token
            if head.contains("action=\"https://") {
                assert!(!form.contains("csrf"), "{}: {form}", page.name);
            } else if head.contains("method=\"post\"") {
                forms += 1;
                assert!(form.contains("name=\"csrf\" value=\"csrf-token\""), "{}: {form}", page.name);
            }
        }
        assert!(forms > 0 || page.name == "browser", "{} has no form, not even the language's", page.name);
    }
}

#[test]
fn what_people_type_and_import_stays_text() {
    let shown = pages(&outside(Lang::Zh));
    for page in &shown {
        assert!(page.html.matches("<script").count() <= 2, "{}", page.name);
    }
    let page = shown.iter().find(|page| page.name == "login-id-wrong").unwrap();
    assert!(page.html.contains("林知夏&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;"));
    let page = shown.iter().find(|page| page.name == "tuition").unwrap();
    assert!(page.html.contains("辅修学费&#60;选修&#62;"));
}

#[test]
fn a_stranger_with_the_code_sees_nothing_of_the_payer_but_a_masked_name() {
    for (_, page) in every_page().filter(|(_, page)| page.name.ends_with("-bearer")) {
        assert!(page.html.contains("林*夏"), "{}", page.name);
        for private in ["林知夏", "PARK", "0417", "0418", "/h5/cashier", "/h5/result", "/h5/orders", "000011"] {
            assert!(!page.html.contains(private), "{} shows {private}", page.name);
        }
    }
}

/// Every key that stands between quotes in a template or in the code of the pages.
fn used_keys(known: &BTreeSet<String>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut folders = vec![PathBuf::from("h5-templates"), PathBuf::from("src/web")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "html" || end == "rs") {
                let text = fs::read_to_string(path).unwrap();
                used.extend(text.split('"').filter(|word| known.contains(*word)).map(str::to_owned));
            }
        }
    }
    used
}

/// The parameters of a text, in the order of the alphabet.
fn parameters(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
}

#[test]
fn every_word_is_used_and_stands_in_both_languages() {
    let table: BTreeMap<String, BTreeMap<String, String>> =
        toml::from_str(include_str!("../../../h5-templates/words.toml")).unwrap();
    let known: BTreeSet<String> = table.keys().cloned().collect();
    let used = used_keys(&known);
    assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "words nobody uses");
    for (key, words) in &table {
        assert_eq!(words.len(), 2, "{key}");
        assert!(!words["zh"].trim().is_empty() && !words["en"].trim().is_empty(), "{key}");
        assert_eq!(parameters(&words["zh"]), parameters(&words["en"]), "{key}");
        assert!(
            !words["en"].chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)) || key == "base.other_lang",
            "{key}"
        );
    }
}

#[test]
fn the_manuals_own_words_stand_unchanged() {
    let text = |lang, name: &str| pages(&outside(lang)).into_iter().find(|page| page.name == name).unwrap().html;
    assert!(text(Lang::Zh, "login-user-wrong").contains("学号或密码有误"));
    assert!(text(Lang::Zh, "login-captcha-wrong").contains("验证码错误"));
    assert!(text(Lang::Zh, "login-user").contains(
        "除了银行缴费界面外，本系统不需要学生输入银行信息，银行缴费系统也不会要求学生升级银行密码等；请勿将个人银行信息透漏给他人"
    ));
    let confirming = text(Lang::En, "result-confirming").replace("&#39;", "'");
    for words in [
        "Payment in progress! If you have paid successfully, please refresh this page manually! Do not pay repeatedly!",
        "Please confirm whether your payment was successful or not. If it was successful, please wait for the bank to \
         confirm your payment and do not pay the fees again. If you are sure that the payment was failed, please tick \
         the 'Confirm that the payment was failed' box in the lower left corner, and then click the 'Continue Payment' \
         button to pay the fees again.",
        "Refresh Page",
        "Continue Pay",
        "Confirm that the payment was failed",
    ] {
        assert!(confirming.contains(words), "{words}");
    }
    let tuition = text(Lang::Zh, "tuition-one-period");
    assert!(tuition.contains("共有3条缴费项目，共需交费9,350.00元，已缴费0.06元，欠费9,349.94元"));
}
