//! What the machines that watch over the app ask.
use crate::world::app::TestApp;
use crate::world::phone::Device;

#[tokio::test]
async fn a_stranger_is_answered_at_every_door_even_at_one_that_is_not_there() {
    let app = TestApp::start().await;
    assert_eq!(app.phone(Device::Desktop).get("/nowhere").await.status, 404);
}
