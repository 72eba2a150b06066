//! The steps every story takes: signing in, choosing, coming to the cashier, scanning a code off a screen.
use super::stage::Stage;
use super::window::Window;
use crate::world::school::Student;

impl Stage {
    /// Signs in with user name and password, and stands on the first page.
    pub async fn sign_in(&self, window: &Window, student: &Student) {
        window.goto(&format!("{}/h5/login", self.world.url)).await;
        self.sign_in_here(window, student).await;
    }

    /// The same on a sign-in page that is already there.
    pub async fn sign_in_here(&self, window: &Window, student: &Student) {
        window.fill("#un", &student.number).await;
        window.fill("#pw", student.password()).await;
        window.click("form [type=submit].btn").await;
        window.wait_for("return document.querySelector('form[action$=\"/h5/logout\"]') !== null").await;
    }

    /// From the first page to the arrears, everything selected.
    pub async fn to_tuition(&self, window: &Window) {
        window.press("去缴费").await;
        window.wait_for("return document.querySelector('#fees') !== null").await;
    }

    /// Signs in, leaves the agency's insurance for another day and comes to the cashier with 9,100.00.
    pub async fn to_cashier(&self, window: &Window, student: &Student) {
        self.sign_in(window, student).await;
        self.on_to_cashier(window, student).await;
    }

    /// The same from the first page.
    pub async fn on_to_cashier(&self, window: &Window, student: &Student) {
        self.to_tuition(window).await;
        window.click(&format!("#f{}", student.insurance)).await;
        window.click("#go").await;
        window.see("剩余支付时间").await;
        window.see("9,100.00").await;
    }

    /// Number of paid orders.
    pub async fn paid(&self) -> i64 {
        self.world.count("SELECT COUNT(*) FROM payment_order WHERE state = 'paid'").await
    }

    pub async fn orders(&self) -> i64 {
        self.world.count("SELECT COUNT(*) FROM payment_order").await
    }

    pub async fn attempts(&self) -> i64 {
        self.world.count("SELECT COUNT(*) FROM attempt").await
    }
}

/// What a camera reads off the screen.
pub async fn scan(window: &Window) -> String {
    let picture = image::load_from_memory(&window.picture().await).unwrap().to_luma8();
    let mut screen = rqrr::PreparedImage::prepare(picture);
    let codes = screen.detect_grids();
    assert_eq!(codes.len(), 1, "one code, whatever the app");
    codes[0].decode().unwrap().1
}
