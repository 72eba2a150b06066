//! 报名.
use crate::enrolling::{programme_of, seat_of};
use crate::survival::stage::{Place, Row, Stage, Who};

async fn programme(stage: &Stage) -> String {
    let row = "FO,夏令营,,团委,,agency,2026,200,5,,,24,,组别*=初级|高级；饮食\n";
    format!("/h5/enrol/{}", programme_of(&stage.world, row).await)
}

pub fn an_enrolment() -> Row {
    Row::new("/h5/enrol/:programme_id", Who::Payer, |stage| {
        Box::pin(async {
            let place = Place::own(programme(stage).await).typing("phone", "13900001111");
            place.typing("a0", "高级").typing("a1", "清真")
        })
    })
}

pub fn an_enrolment_is_changed() -> Row {
    Row::new("/h5/enrolments/:enrolment_id", Who::Payer, |stage| {
        Box::pin(async {
            let page = programme(stage).await;
            let form = stage.phone.get(&page).await.form(&page).set("a0", "初级");
            let own = stage.phone.submit(&form).await.location().to_owned();
            Place::own(own).typing("phone", "13900001111").typing("a0", "高级").typing("a1", "清真")
        })
    })
}

pub fn an_enrolment_is_cancelled() -> Row {
    Row::new("/h5/enrolments/:enrolment_id/cancel", Who::Payer, |stage| {
        Box::pin(async {
            let page = format!("/h5/enrolments/{}", seat_of(&stage.world, &stage.student).await);
            Place::new(page.clone(), format!("{page}/cancel"))
        })
    })
}
