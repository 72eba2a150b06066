//! The spec and its page.
use serde_json::Value;

use super::payer::json;
use crate::world::app::TestApp;
use crate::world::map;
use crate::world::phone::Device;

async fn spec() -> (TestApp, Value) {
    let world = TestApp::start().await;
    let page = world.phone(Device::Desktop).get("/api/openapi.json").await;
    assert_eq!((page.status, page.header("content-type")), (200, "application/json"));
    let spec = json(&page);
    (world, spec)
}

#[tokio::test]
async fn the_spec_names_every_route_and_the_problems_each_may_end_with() {
    let (_world, spec) = spec().await;
    let mut told: Vec<(String, String)> = Vec::new();
    for (path, operations) in spec["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            told.push((method.to_uppercase(), path.clone()));
            assert!(operation["security"].as_array().is_some_and(|ways| ways.len() == 1), "{path}");
            assert!(operation["operationId"].is_string() && operation["tags"].is_array(), "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let media = response["content"].as_object().unwrap().keys().next().unwrap();
                let is_fine = status == "200";
                assert_eq!(media == "application/problem+json", !is_fine, "{path} {status}");
            }
            for status in ["200", "400", "401", "500", "503"] {
                assert!(operation["responses"][status].is_object(), "{path} {status}");
            }
        }
    }
    told.sort();
    let mut routed: Vec<(String, String)> = map::routes_of_the_api()
        .into_iter()
        .map(|route| {
            let bare = route.pattern.strip_prefix("/api").unwrap().to_owned();
            let part = |part: &str| part.strip_prefix(':').map_or(part.to_owned(), |name| format!("{{{name}}}"));
            (route.method.to_owned(), bare.split('/').map(part).collect::<Vec<_>>().join("/"))
        })
        .collect();
    routed.sort();
    assert_eq!(told, routed);
}

#[tokio::test]
async fn the_page_brings_all_it_needs_with_it() {
    let (world, _) = spec().await;
    let page = world.phone(Device::Desktop).get("/api").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let text = page.body();
    assert!(!text.contains("<link") && !text.contains("src=\"http"), "nothing is fetched from elsewhere");
    assert!(text.contains("urn:jiaofei:problem:CODE"), "the completed spec stands in the page");
    let strict = world.phone(Device::Desktop).get("/api/session").await;
    assert_eq!(strict.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(strict.header("x-content-type-options"), "nosniff");
}
