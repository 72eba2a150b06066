//! 自定义菜单: what the account's menu is, and making it what it should be.
use serde_json::Value;

use super::call::call;
use crate::app::App;
use crate::official_account::api::{AccountError, Call};
use crate::official_account::menu::Menu;

/// "menu no exist": an account that never had one
const NO_MENU: i64 = 46003;

/// The menu followers see now; an empty one if there is none.
///
/// # Errors
/// What the platform said.
pub async fn shown(app: &App) -> Result<Menu, AccountError> {
    match call(app, &Call::get("/cgi-bin/menu/get")).await {
        Ok(answer) => read(&answer),
        Err(AccountError::Refused { code: NO_MENU, .. }) => Ok(Menu::default()),
        Err(error) => Err(error),
    }
}

fn read(answer: &Value) -> Result<Menu, AccountError> {
    Menu::told(answer).ok_or(AccountError::Unreachable("the menu is not in the protocol's shape"))
}

/// Makes `menu` the account's menu. Followers see it within five minutes, or when they open the account anew.
///
/// # Errors
/// What the platform said; the menu from before stays.
pub async fn push(app: &App, menu: &Menu) -> Result<(), AccountError> {
    call(app, &Call::post("/cgi-bin/menu/create", menu.body())).await.map(drop)
}
