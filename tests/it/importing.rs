//! The office brings its spreadsheets: all rows or none, each bad row named, the same file twice changes nothing.
use std::path::PathBuf;

use jiaofei::flow::import::report::Report;
use jiaofei::flow::import::run::{Kind, import};
use jiaofei::flow::{audit, chain};
use jiaofei::store::payers;

use crate::world::app::TestApp;
use crate::world::school::id_number;

struct Desk {
    world: TestApp,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Desk {
        Desk { world: TestApp::start().await, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("file.csv");
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn import(&self, kind: Kind, text: &str) -> Report {
        import(&self.world.app, kind, &self.file(text), false, &|_, _| {}).await.unwrap()
    }

    async fn dry(&self, kind: Kind, text: &str) -> Report {
        import(&self.world.app, kind, &self.file(text), true, &|_, _| {}).await.unwrap()
    }

    async fn students(&self) {
        self.import(Kind::Payers, "学号,姓名\n2026001,林知夏\n2026002,张三\n").await;
    }

    async fn books_agree(&self) {
        let findings = audit::run(&self.world.app).await.unwrap();
        assert!(findings.iter().all(|finding| finding.differences.is_empty()));
        assert!(chain::follow(&self.world.app).await.unwrap().is_clean());
    }
}

fn counts(report: &Report) -> (u64, u64, u64, u64) {
    (report.added, report.changed, report.unchanged, report.bad_count)
}

fn whys(report: &Report) -> Vec<(u64, &str)> {
    report.bad.iter().map(|row| (row.line, row.column)).collect()
}

#[tokio::test]
async fn payers_are_added_changed_and_left_alone() {
    let desk = Desk::open().await;
    let id = id_number("99000020060101001");
    let file = format!("学号,姓名,身份证号,手机,学院\n2026001,林知夏,{},178 0000 5287,计算机学院\n", id.reveal());
    assert_eq!(counts(&desk.import(Kind::Payers, &file).await), (1, 0, 0, 0));
    assert_eq!(counts(&desk.import(Kind::Payers, &file).await), (0, 0, 1, 0));
    let moved = "学号,姓名,学院\n2026001,林知夏,外国语学院\n";
    assert_eq!(counts(&desk.import(Kind::Payers, moved).await), (0, 1, 0, 0));
    let app = &desk.world.app;
    let account = payers::find_by_number(app.db.read(), "2026001").await.unwrap().unwrap();
    assert_eq!(account.payer.college, "外国语学院");
    assert_eq!(account.id_number(&app.sealer).unwrap(), Some(id), "an absent column leaves what is stored");
}

#[tokio::test]
async fn one_bad_row_keeps_the_whole_file_out_and_each_is_named_without_personal_data() {
    let desk = Desk::open().await;
    let file = "学号,姓名,类别,身份证号,手机\n2026001,林知夏,学生,,\n2026001,张三,,,\n,李四,,,\n\
                2026003,王五,博士后,,\n2026004,赵六,,110105194912310021,\n2026005,钱七,,,电话\n2026 06,孙八,,,\n";
    let report = desk.import(Kind::Payers, file).await;
    let named = [(3, "人员编号"), (4, "人员编号"), (5, "类别"), (6, "身份证号"), (7, "手机"), (8, "人员编号")];
    let mut found = whys(&report);
    found.sort_unstable();
    assert_eq!(found, named);
    assert!(report.bad.iter().all(|row| !row.why.words().zh.contains("110105")), "{:?}", report.bad);
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM payer").await, 0);
}

#[tokio::test]
async fn items_are_read_with_their_window_and_their_payee_must_exist() {
    let desk = Desk::open().await;
    let file = "项目编码,项目名称,收费类型,收款单位,收费状态,收费起始,收费终止,最小拆分金额\n\
                31,会议费,其他费用,agency,收费,2026/9/1,2026-09-30,\n32,学费,学费,fiscal,停止,--,--,500\n";
    assert_eq!(counts(&desk.import(Kind::Items, file).await), (2, 0, 0, 0));
    assert_eq!(counts(&desk.import(Kind::Items, file).await), (0, 0, 2, 0));
    let closes = "SELECT closes_at FROM fee_item WHERE code = '31'";
    let end_of_september = jiaofei::domain::moment::Moment::parse_rfc3339("2026-10-01T00:00:00+08:00").unwrap();
    assert_eq!(desk.world.count(closes).await, end_of_september.millis(), "the last day counts to its end");
    let bad =
        "项目编码,项目名称,收费类型,收款单位,最小拆分金额\n41,甲,学费,nobody,\n42,乙,税,fiscal,\n43,丙,学费,fiscal,0\n";
    let report = desk.import(Kind::Items, bad).await;
    assert_eq!(whys(&report), [(2, "收款单位"), (3, "收费类型"), (4, "最小拆分金额")]);
}

#[tokio::test]
async fn charges_are_assessed_waived_and_paid_at_the_counter() {
    let desk = Desk::open().await;
    desk.students().await;
    let file = "学号,收费期间,收费项目,应收金额,减免,实缴,截止日期\n\
                2026001,2026,学费,\"8,000.00\",500,3000,2026-09-30\n2026002,2026,11,8000,,,\n";
    let report = desk.import(Kind::Charges, file).await;
    assert_eq!((counts(&report), report.assessed_fen), ((2, 0, 0, 0), 1_600_000));
    let owed = "SELECT CAST(SUM(assessed_fen - waived_fen - paid_fen) AS BIGINT) FROM charge";
    assert_eq!(desk.world.count(owed).await, 450_000 + 800_000);
    desk.books_agree().await;
    assert_eq!(counts(&desk.import(Kind::Charges, file).await), (0, 0, 2, 0), "the same file twice");
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge_entry").await, 4);
}

#[tokio::test]
async fn a_changed_charge_gets_entries_of_the_difference() {
    let desk = Desk::open().await;
    desk.students().await;
    let of = |assessed: &str, waived: &str, paid: &str| {
        format!("学号,收费期间,收费项目,应收金额,减免,实缴\n2026001,2026,学费,{assessed},{waived},{paid}\n")
    };
    desk.import(Kind::Charges, &of("8000", "", "")).await;
    for (assessed, waived, paid) in
        [("7000", "", "1000"), ("8000", "300", "1000"), ("7000", "", "1500"), ("8000", "300", "1500")]
    {
        let report = desk.import(Kind::Charges, &of(assessed, waived, paid)).await;
        assert_eq!(counts(&report), (0, 1, 0, 0), "{assessed} {waived} {paid}");
        desk.books_agree().await;
    }
    assert_eq!(desk.world.count("SELECT assessed_fen - waived_fen - paid_fen FROM charge").await, 620_000);
    let low = desk.import(Kind::Charges, &of("1000", "300", "1500")).await;
    assert_eq!(whys(&low), [(2, "应收金额")]);
    let less = desk.import(Kind::Charges, &of("8000", "300", "1400")).await;
    assert_eq!(whys(&less), [(2, "实缴金额")]);
}

#[tokio::test]
async fn bad_charges_are_named_and_nothing_is_kept() {
    let desk = Desk::open().await;
    desk.students().await;
    let file = "学号,收费期间,收费项目,应收金额\n2026001,2026,学费,8000\n2026001,2026,11,8000\n2026009,2026,学费,1\n\
                2026002,2026,停车费,1\n2026002,2026,学费,-1\n2026002,2026,学费,1.234\n2026002,2026,学费,100000000\n\
                2026002,,学费,1\n2026002,2026,学费,\n";
    let mut report = desk.import(Kind::Charges, file).await;
    report.bad.sort_by_key(|row| row.line);
    let named = [
        (3, "人员编号"),
        (4, "人员编号"),
        (5, "项目编码"),
        (6, "应收金额"),
        (7, "应收金额"),
        (8, "应收金额"),
        (9, "收费期间"),
        (10, "应收金额"),
    ];
    assert_eq!(whys(&report), named);
    assert!(report.bad[0].why.words().zh.contains("第 2 行"), "{:?}", report.bad[0]);
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge").await, 0);
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge_entry").await, 0);
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_keeps_nothing() {
    let desk = Desk::open().await;
    desk.students().await;
    let file = "学号,收费期间,收费项目,应收金额\n2026001,2027,学费,8000\n";
    assert_eq!(counts(&desk.dry(Kind::Charges, file).await), (1, 0, 0, 0));
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM charge").await, 0);
    assert_eq!(desk.world.count("SELECT COUNT(*) FROM billing_period WHERE code = '2027'").await, 0);
}

#[tokio::test]
async fn a_large_file_goes_through_in_batches() {
    let desk = Desk::open().await;
    let mut people = "学号,姓名\n".to_owned();
    let mut bill = "学号,收费期间,收费项目,应收金额\n".to_owned();
    for at in 0..2_500 {
        people += &format!("P{at:05},林{at}\n");
        bill += &format!("p{at:05},2026,学费,8000.01\nP{at:05},2026,12,1100\n");
    }
    assert_eq!(counts(&desk.import(Kind::Payers, &people).await), (2_500, 0, 0, 0));
    let report = desk.import(Kind::Charges, &bill).await;
    assert_eq!((counts(&report), report.assessed_fen), ((5_000, 0, 0, 0), 2_500 * 910_001));
    assert_eq!(counts(&desk.import(Kind::Charges, &bill).await), (0, 0, 5_000, 0));
    desk.books_agree().await;
}
