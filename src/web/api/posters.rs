//! `/api/campus/posters…`: 海报 for whoever prints and hangs them.
use std::sync::Arc;

use poem::Result;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::keys::{May, PostersRead, PostersWrite};
use super::money::{Money, Names, time};
use super::once::once;
use super::problem::ApiProblem;
use super::spec::Tag;
use super::text::{Form, Text, filled};
use crate::app::App;
use crate::domain::bilingual::{Bilingual, Lang};
use crate::domain::moment::Moment;
use crate::domain::poster::{NewPoster, Poster, PosterKind, PosterNo, PosterState, PosterTally};
use crate::flow::poster::desk::{self, NoPoster};
use crate::web::error::Problem;
use crate::web::paper::Kind;
use crate::web::print;
use crate::web::view::poster::Size;

pub struct PostersApi;

/// What a poster is about 海报类型
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum About {
    /// 平台
    Platform,
    /// 收费项目
    Item,
    /// 报名项目
    Programme,
    /// 部门
    Department,
}

/// Which language stands first on it 首要语言
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum FirstLang {
    Zh,
    En,
}

/// 海报状态
#[derive(Enum, Clone, Copy, Debug)]
#[oai(rename_all = "snake_case")]
pub enum Standing {
    /// 使用中
    Active,
    /// 已停用
    Revoked,
    /// 已过期
    Expired,
}

/// 纸张
#[derive(Enum, Clone, Copy, Debug)]
pub enum Paper {
    #[oai(rename = "a3")]
    A3,
    #[oai(rename = "a4")]
    A4,
    #[oai(rename = "a5")]
    A5,
}

/// A poster to make. 新海报
#[derive(Object)]
#[oai(deny_unknown_fields, rename = "PosterRow")]
pub struct PosterRow {
    kind: About,
    /// The code of the fee item or the programme, or the department's name; absent for the platform
    #[oai(nullable, validator(max_length = 32, custom = "Form::Plain"))]
    about: Option<Text>,
    /// The fee items of a department, by their codes
    #[oai(nullable, validator(max_items = 20))]
    items: Option<Vec<Text>>,
    /// 标题
    #[oai(validator(min_length = 1, max_length = 30, custom = "Form::Name"))]
    title: Text,
    #[oai(nullable, validator(max_length = 72, custom = "Form::Plain"))]
    title_en: Option<Text>,
    /// Chinese where it is absent
    #[oai(nullable)]
    lang: Option<FirstLang>,
    /// When it ends by itself, `2026-09-30T23:59:59+08:00`; absent: when it is revoked
    #[oai(nullable)]
    expires_at: Option<Text>,
}

/// A poster, and what came of it. Nobody is named in the figures. 海报
#[derive(Object, Debug)]
#[oai(skip_serializing_if_is_none)]
pub struct PosterTold {
    /// 海报编号
    pub poster_no: String,
    pub state: Standing,
    pub kind: About,
    pub about: String,
    pub items: Vec<String>,
    pub title: Names,
    /// What its code says
    pub address: String,
    /// 验真码
    pub check_code: String,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub revoked_at: Option<String>,
    /// Browsers that opened it, each once an hour 扫码
    pub scans: i64,
    /// Right numbers and names 核对成功
    pub sign_ins: i64,
    /// 订单
    pub orders: i64,
    /// 已支付订单
    pub paid_orders: i64,
    /// Paid, less what went back 已支付金额
    pub paid: Money,
}

/// All posters.
#[derive(Object, Debug)]
pub struct Posters {
    /// The newest first
    pub posters: Vec<PosterTold>,
}

/// A poster as a picture of 300 dots an inch.
#[derive(ApiResponse)]
pub enum Picture {
    #[oai(status = 200, content_type = "image/png")]
    Drawn(Binary<Vec<u8>>),
}

/// A poster as a document.
#[derive(ApiResponse)]
pub enum Document {
    #[oai(status = 200, content_type = "application/pdf")]
    Drawn(Binary<Vec<u8>>),
}

/// A poster as a drawing, its letters as outlines.
#[derive(ApiResponse)]
pub enum Drawing {
    #[oai(status = 200, content_type = "image/svg+xml")]
    Drawn(Binary<Vec<u8>>),
}

#[OpenApi(tag = "Tag::Campus")]
impl PostersApi {
    /// Make a poster 新建海报
    ///
    /// Scope `posters:write`.
    #[oai(path = "/campus/posters", method = "post", operation_id = "makePoster", transform = "once")]
    async fn make(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersWrite>,
        body: Json<PosterRow>,
    ) -> Result<Json<PosterTold>> {
        let made = desk::issue(app, &wanted(body.0)?).await.map_err(|error| match error {
            NoPoster::Unfit(why) => ApiProblem::PosterRefused(why),
            NoPoster::Store(error) if error.is_away() => ApiProblem::Unavailable(error.to_string()),
            NoPoster::Store(error) => ApiProblem::Internal(error.to_string()),
        })?;
        Ok(Json(told(app, made, PosterTally::default())))
    }

    /// Every poster 海报列表
    ///
    /// Scope `posters:read`.
    #[oai(path = "/campus/posters", method = "get", operation_id = "posters")]
    async fn list(&self, Data(app): Data<&Arc<App>>, _may: May<PostersRead>) -> Result<Json<Posters>> {
        let found = desk::list(app, None).await.map_err(ApiProblem::from)?;
        Ok(Json(Posters { posters: found.into_iter().map(|(poster, came)| told(app, poster, came)).collect() }))
    }

    /// One poster 读取一张海报
    ///
    /// Scope `posters:read`.
    #[oai(path = "/campus/posters/:poster_no", method = "get", operation_id = "poster")]
    async fn one(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersRead>,
        /// 海报编号
        poster_no: Path<String>,
    ) -> Result<Json<PosterTold>> {
        Ok(Json(find(app, &poster_no.0).await?))
    }

    /// End a poster 停用海报
    ///
    /// At once and for good; again changes nothing. Scope `posters:write`.
    #[oai(path = "/campus/posters/:poster_no/revoke", method = "post", operation_id = "endPoster", transform = "once")]
    async fn revoke(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersWrite>,
        /// 海报编号
        poster_no: Path<String>,
    ) -> Result<Json<PosterTold>> {
        let no = PosterNo::parse(&poster_no.0).ok_or(ApiProblem::NotFound)?;
        desk::revoke(app, &no).await.map_err(ApiProblem::from)?;
        Ok(Json(find(app, no.as_str()).await?))
    }

    /// A poster as a PNG of 300 dots an inch 海报图片
    ///
    /// Scope `posters:read`.
    #[oai(path = "/campus/posters/:poster_no/poster.png", method = "get", operation_id = "posterPng")]
    async fn png(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersRead>,
        /// 海报编号
        poster_no: Path<String>,
        /// 纸张
        #[oai(default = "a4")]
        size: Query<Paper>,
    ) -> Result<Picture> {
        Ok(Picture::Drawn(Binary(drawn(app, &poster_no.0, size.0, Kind::Print).await?)))
    }

    /// A poster as a PDF 海报文档
    ///
    /// Scope `posters:read`.
    #[oai(path = "/campus/posters/:poster_no/poster.pdf", method = "get", operation_id = "posterPdf")]
    async fn pdf(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersRead>,
        /// 海报编号
        poster_no: Path<String>,
        /// 纸张
        #[oai(default = "a4")]
        size: Query<Paper>,
    ) -> Result<Document> {
        Ok(Document::Drawn(Binary(drawn(app, &poster_no.0, size.0, Kind::Pdf).await?)))
    }

    /// A poster as an SVG without fonts 海报矢量图
    ///
    /// Scope `posters:read`.
    #[oai(path = "/campus/posters/:poster_no/poster.svg", method = "get", operation_id = "posterSvg")]
    async fn svg(
        &self,
        Data(app): Data<&Arc<App>>,
        _may: May<PostersRead>,
        /// 海报编号
        poster_no: Path<String>,
        /// 纸张
        #[oai(default = "a4")]
        size: Query<Paper>,
    ) -> Result<Drawing> {
        Ok(Drawing::Drawn(Binary(drawn(app, &poster_no.0, size.0, Kind::Svg).await?)))
    }
}

fn a4() -> Paper {
    Paper::A4
}

fn wanted(row: PosterRow) -> Result<NewPoster, ApiProblem> {
    let unread = || ApiProblem::Unreadable("expires_at: expected a time like 2026-09-30T23:59:59+08:00".to_owned());
    let ends = |Text(text): Text| Moment::parse_rfc3339(&text).ok_or_else(unread);
    Ok(NewPoster {
        kind: match row.kind {
            About::Platform => PosterKind::Platform,
            About::Item => PosterKind::Item,
            About::Programme => PosterKind::Programme,
            About::Department => PosterKind::Department,
        },
        about: filled(row.about),
        items: row.items.unwrap_or_default().into_iter().map(|Text(code)| code).collect(),
        title: Bilingual::new(row.title.0, filled(row.title_en)),
        lang: match row.lang {
            Some(FirstLang::En) => Lang::En,
            Some(FirstLang::Zh) | None => Lang::Zh,
        },
        expires_at: row.expires_at.map(ends).transpose()?,
    })
}

async fn find(app: &App, no: &str) -> Result<PosterTold, ApiProblem> {
    let no = PosterNo::parse(no).ok_or(ApiProblem::NotFound)?;
    let found = desk::list(app, Some(&no)).await?.pop();
    let (poster, came) = found.ok_or(ApiProblem::NotFound)?;
    Ok(told(app, poster, came))
}

async fn drawn(app: &App, no: &str, size: Paper, kind: Kind) -> Result<Vec<u8>, ApiProblem> {
    let no = PosterNo::parse(no).ok_or(ApiProblem::NotFound)?;
    let poster = desk::find(app, &no).await?.ok_or(ApiProblem::NotFound)?;
    let size = match size {
        Paper::A3 => Size::A3,
        Paper::A4 => Size::A4,
        Paper::A5 => Size::A5,
    };
    print::poster(app, &poster, size, kind).await.map_err(|problem| match problem {
        Problem::Unavailable(why) => ApiProblem::Unavailable(why),
        other => ApiProblem::Internal(other.to_string()),
    })
}

fn told(app: &App, poster: Poster, came: PosterTally) -> PosterTold {
    PosterTold {
        address: print::address(app, &poster),
        check_code: desk::code(app, &poster).grouped(),
        state: match poster.state(app.clock.now()) {
            PosterState::Active => Standing::Active,
            PosterState::Revoked(_) => Standing::Revoked,
            PosterState::Expired(_) => Standing::Expired,
        },
        kind: match poster.kind {
            PosterKind::Platform => About::Platform,
            PosterKind::Item => About::Item,
            PosterKind::Programme => About::Programme,
            PosterKind::Department => About::Department,
        },
        poster_no: poster.poster_no.to_string(),
        about: poster.about,
        items: poster.items,
        title: poster.title.into(),
        created_at: time(poster.created_at),
        expires_at: poster.expires_at.map(time),
        revoked_at: poster.revoked_at.map(time),
        scans: came.scans,
        sign_ins: came.sign_ins,
        orders: came.orders,
        paid_orders: came.paid_orders,
        paid: came.paid.into(),
    }
}
