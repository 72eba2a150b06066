//! Signing in: two ways, what each opens, what stands in the way of guessing, and how it ends.
use std::time::Duration;

use jiaofei::config::InitialPassword;
use jiaofei::domain::payer::PayerKind;
use jiaofei::flow::password;
use sea_orm::ConnectionTrait;

use crate::world::app::TestApp;
use crate::world::page::Page;
use crate::world::phone::{Device, Phone};
use crate::world::school::{self, Student};

const WRONG: &str = "学号或密码有误";

/// Fills the form of user name and password in and sends it.
async fn try_password(phone: &Phone, username: &str, password: &str) -> Page {
    let form = phone.get("/h5/login").await.form("/h5/login");
    phone.submit(&form.set("username", username).set("password", password)).await
}

async fn try_id(phone: &Phone, id_number: &str, name: &str) -> Page {
    let form = phone.get("/h5/login?mode=id").await.form("/h5/login");
    phone.submit(&form.set("id_number", id_number).set("name", name)).await
}

#[track_caller]
fn is_in(page: &Page) {
    assert_eq!((page.status, page.header("location")), (303, "/h5"), "{}", page.text());
}

async fn world() -> (TestApp, Student) {
    let world = TestApp::start().await;
    let student = world.school.student(&world.app, 1, "林知夏").await;
    (world, student)
}

#[tokio::test]
async fn a_student_signs_in_with_student_number_and_initial_password_and_sees_what_is_owed() {
    let (world, student) = world().await;
    let phone = world.phone(Device::Wechat);
    let page = phone.sign_in(&student).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/h5"));
    assert!(page.has("9,350.00") && page.has("林知夏"), "{}", page.text());
}
