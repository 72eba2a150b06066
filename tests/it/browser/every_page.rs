//! Every state of every page as a browser lays it out: axe-core finds nothing wrong in any light, nothing sticks out on
//! any phone in letters of any size. The pages are the files that `web/view/tests.rs` leaves; `tests/pages` makes them
//! and fetches axe-core.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::driver::Driver;
use super::window::{Window, artefacts};
use crate::world::phone::Device;

/// CSS pixels: the phones in use
const WIDTHS: [u32; 4] = [320, 360, 375, 414];
/// Per cent: how large phones and WeChat make letters
const LETTERS: [u32; 5] = [100, 125, 150, 175, 200];

/// Pages stay what they are: nothing is asked of a server, nothing leads away.
const AT_REST: &str = "
window.fetch = () => new Promise(() => {});
delete window.EventSource;
HTMLFormElement.prototype.submit = () => {};
const later = window.setTimeout;
window.setTimeout = (act, pause, ...words) => pause ? 0 : later(act, pause, ...words);
addEventListener('load', () => { window.setTimeout = later; });";

/// What folds away is unfolded: a reader may see all of it.
const UNFOLD: &str = "document.querySelectorAll('details').forEach(part => { part.open = true; });";

/// Opens the sheet that changes an amount, where the page has one.
const OPEN_SHEET: &str = "
const change = document.querySelector('.ed[href*=amount]');
if (change) change.click();
return !!document.querySelector('dialog[open]');";

/// The rules of WCAG 2.2 A and AA and what is good practice beside them.
const JUDGE: &str = "
const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
const wanted = { runOnly: { type: 'tag', values }, resultTypes: ['violations'], preload: false };
return axe.run(document, wanted).then(found => found.violations.flatMap(broken => broken.nodes.map(node =>
    [broken.id, node.html.slice(0, 160), node.failureSummary.replace(/\\s+/g, ' ')].join(' | '))));";

/// Nothing lies half under the bar at the foot of a page that was read to its end.
const READ_TO_THE_END: &str = "scrollTo(0, document.documentElement.scrollHeight)";

/// A picture without words, and words that are hard to read in large print at night.
const SPOIL: &str = "
const style = document.createElement('style');
style.textContent = '@media (prefers-color-scheme: dark) { [data-care] #pale { color: #333; background: #222 } }';
document.head.append(style);
document.body.innerHTML = '<main><h1>Fees</h1><p id=pale>Hard to read</p><img src=\"data:,\"></main>';";

/// What is wrong, and where.
#[derive(Default)]
struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    fn add(&mut self, what: impl Into<String>, place: String) {
        self.0.entry(what.into()).or_default().push(place);
    }

    fn report(&self) -> String {
        let line = |(what, places): (&String, &Vec<String>)| {
            format!("{what}\n    {} times: {}\n", places.len(), places[..places.len().min(4)].join(", "))
        };
        self.0.iter().map(line).collect()
    }
}

/// The files of the pages; large print is switched on here, so its own files are not needed.
fn pages() -> Vec<PathBuf> {
    let folder = artefacts().join("pages");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut pages: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    pages.retain(|page| page.extension().is_some_and(|end| end == "html") && !name(page).ends_with("-care"));
    pages.sort();
    pages
}

fn name(page: &Path) -> String {
    page.file_stem().unwrap().to_string_lossy().into_owned()
}

/// In light and dark, in usual and in large print.
async fn judge(window: &Window, page: &str, faults: &mut Faults) {
    for (scheme, care) in [("light", false), ("light", true), ("dark", true), ("dark", false)] {
        window.wear(scheme).await;
        window.script(&format!("document.documentElement.toggleAttribute('data-care', {care})")).await;
        window.script(READ_TO_THE_END).await;
        for broken in window.script(JUDGE).await.as_array().unwrap() {
            let print = if care { " in large print" } else { "" };
            faults.add(broken.as_str().unwrap(), format!("{page}, {scheme}{print}"));
        }
    }
    window.wear("light").await;
}

async fn look(window: &Window, page: &Path, faults: &mut Faults) {
    let page_name = name(page);
    window.goto(&format!("file://{}", page.display())).await;
    window.script(UNFOLD).await;
    for wide in window.overflows(&WIDTHS, &LETTERS).await {
        faults.add("sticks out", format!("{page_name} at {wide}"));
    }
    judge(window, &page_name, faults).await;
    if window.script(OPEN_SHEET).await == true {
        judge(window, &format!("{page_name} with its sheet"), faults).await;
    }
}

/// The file of axe-core; `None`, and a word to whoever reads the run, where it is not at hand.
fn axe() -> Option<String> {
    let file = std::env::var_os("JIAOFEI_TEST_AXE");
    if file.is_none() {
        eprintln!("no axe-core: tests/pages runs this story");
    }
    file.map(|file| std::fs::read_to_string(file).unwrap())
}

async fn window(driver: &Driver, axe: &str) -> Window {
    let window = Window::open(driver, Device::Mobile).await;
    window.before_each_page(AT_REST).await;
    window.before_each_page(axe).await;
    window
}

async fn look_at_all(window: &Window, pages: &[PathBuf]) -> Faults {
    let mut faults = Faults::default();
    for page in pages {
        look(window, page, &mut faults).await;
    }
    faults
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody_in_every_light_and_size() {
    let Some(axe) = axe() else { return };
    let pages = pages();
    assert!(pages.len() > 200, "these are not all pages: {}", pages.len());
    let driver = Driver::start();
    let windows = [window(&driver, &axe).await, window(&driver, &axe).await];
    let (some, others) = pages.split_at(pages.len() / 2);
    let (mut faults, more) = tokio::join!(look_at_all(&windows[0], some), look_at_all(&windows[1], others));
    for (what, places) in more.0 {
        faults.0.entry(what).or_default().extend(places);
    }
    assert!(faults.0.is_empty(), "\n{}", faults.report());
    println!("{} pages, each in four lights, on {} phones in {} sizes", pages.len(), WIDTHS.len(), LETTERS.len());
}

/// What each light shows alone is seen in that light alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_page_is_seen_where_it_is_wrong() {
    let Some(axe) = axe() else { return };
    let driver = Driver::start();
    let window = window(&driver, &axe).await;
    let page = pages().into_iter().find(|page| name(page) == "tuition-en").unwrap();
    window.goto(&format!("file://{}", page.display())).await;
    assert_eq!(window.script(OPEN_SHEET).await, true, "the sheet is looked at as well");
    window.script(SPOIL).await;
    let mut faults = Faults::default();
    judge(&window, "spoiled", &mut faults).await;
    let found = |rule: &str| {
        let rules = faults.0.iter().filter(|(what, _)| what.starts_with(rule));
        rules.map(|(_, places)| places.join("; ")).collect::<Vec<_>>()
    };
    assert_eq!(found("color-contrast"), ["spoiled, dark in large print"]);
    let everywhere = "spoiled, light; spoiled, light in large print; spoiled, dark in large print; spoiled, dark";
    assert_eq!(found("image-alt"), [everywhere]);
}
