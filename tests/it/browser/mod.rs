//! Stories told by a real browser. They run where `JIAOFEI_TEST_BROWSER=1` says that chromium and chromedriver are
//! there, one at a time, and leave their pictures in `JIAOFEI_TEST_ARTEFACTS`.
pub mod desktop;
pub mod driver;
pub mod every_page;
pub mod gallery;
pub mod gift;
pub mod pages;
pub mod pay;
pub mod phone;
pub mod poster;
pub mod stage;
pub mod steps;
pub mod window;
