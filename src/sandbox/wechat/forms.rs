//! The forms of the v3 requests this sandbox takes: every field there is, with its limits (WeChat Pay v3, orders and
//! refunds).
use super::fields::Kind::{Boolean, Integer, List, Number, Object, Text, Texts};
use super::fields::{Field, field, need};

static AMOUNT: [Field; 2] = [need("total", "总金额", Integer(1)), field("currency", "货币类型", Text(1, 16))];
static PAYER: [Field; 1] = [need("openid", "用户标识", Text(1, 128))];
static GOODS: [Field; 5] = [
    need("merchant_goods_id", "商户侧商品编码", Text(1, 32)),
    field("wechatpay_goods_id", "微信支付商品编码", Text(1, 32)),
    field("goods_name", "商品名称", Text(1, 256)),
    need("quantity", "商品数量", Integer(1)),
    need("unit_price", "商品单价", Integer(0)),
];
static DETAIL: [Field; 3] = [
    field("cost_price", "订单原价", Integer(0)),
    field("invoice_id", "商品小票ID", Text(1, 32)),
    field("goods_detail", "单品列表", List(&GOODS)),
];
static STORE: [Field; 4] = [
    need("id", "门店编号", Text(1, 32)),
    field("name", "门店名称", Text(0, 256)),
    field("area_code", "地区编码", Text(0, 32)),
    field("address", "详细地址", Text(0, 512)),
];
static SCENE: [Field; 3] = [
    need("payer_client_ip", "用户终端IP", Text(1, 45)),
    field("device_id", "商户端设备号", Text(0, 32)),
    field("store_info", "商户门店信息", Object(&STORE)),
];
static H5_INFO: [Field; 5] = [
    need("type", "场景类型", Text(1, 32)),
    field("app_name", "应用名称", Text(0, 64)),
    field("app_url", "网站URL", Text(0, 128)),
    field("bundle_id", "iOS平台BundleID", Text(0, 128)),
    field("package_name", "Android平台PackageName", Text(0, 128)),
];
static H5_SCENE: [Field; 4] = [
    need("payer_client_ip", "用户终端IP", Text(1, 45)),
    field("device_id", "商户端设备号", Text(0, 32)),
    field("store_info", "商户门店信息", Object(&STORE)),
    need("h5_info", "H5场景信息", Object(&H5_INFO)),
];
static SETTLE: [Field; 1] = [field("profit_sharing", "是否指定分账", Boolean)];

/// The fields every order has, and those of one product behind them.
macro_rules! order_form {
    ($($own:expr),* $(,)?) => {
        &[
            need("appid", "公众账号ID", Text(1, 32)),
            need("mchid", "直连商户号", Text(1, 32)),
            need("description", "商品描述", Text(1, 127)),
            need("out_trade_no", "商户订单号", Number(6, 32, "_-|*")),
            field("time_expire", "交易结束时间", Text(1, 64)),
            field("attach", "附加数据", Text(0, 128)),
            need("notify_url", "通知地址", Text(1, 255)),
            field("goods_tag", "订单优惠标记", Text(0, 32)),
            field("support_fapiao", "电子发票入口开放标识", Boolean),
            field("limit_pay", "指定支付方式", Texts),
            need("amount", "订单金额", Object(&AMOUNT)),
            field("detail", "优惠功能", Object(&DETAIL)),
            field("settle_info", "结算信息", Object(&SETTLE)),
            $($own),*
        ]
    };
}

pub static JSAPI: &[Field] =
    order_form![need("payer", "支付者", Object(&PAYER)), field("scene_info", "场景信息", Object(&SCENE))];
pub static NATIVE: &[Field] = order_form![field("scene_info", "场景信息", Object(&SCENE))];
pub static H5: &[Field] = order_form![need("scene_info", "场景信息", Object(&H5_SCENE))];

pub static CLOSE: &[Field] = &[need("mchid", "直连商户号", Text(1, 32))];

static FROM: [Field; 2] = [need("account", "出资账户类型", Text(1, 32)), need("amount", "出资金额", Integer(1))];
static REFUND_AMOUNT: [Field; 4] = [
    need("refund", "退款金额", Integer(1)),
    need("total", "原订单金额", Integer(1)),
    need("currency", "退款币种", Text(1, 16)),
    field("from", "退款出资账户及金额", List(&FROM)),
];
static REFUND_GOODS: [Field; 6] = [
    need("merchant_goods_id", "商户侧商品编码", Text(1, 32)),
    field("wechatpay_goods_id", "微信支付商品编码", Text(1, 32)),
    field("goods_name", "商品名称", Text(1, 256)),
    need("unit_price", "商品单价", Integer(0)),
    need("refund_amount", "商品退款金额", Integer(0)),
    need("refund_quantity", "商品退货数量", Integer(1)),
];

pub static REFUND: &[Field] = &[
    field("transaction_id", "微信支付订单号", Text(1, 32)),
    field("out_trade_no", "商户订单号", Number(6, 32, "_-|*")),
    need("out_refund_no", "商户退款单号", Number(1, 64, "_-|*@")),
    field("reason", "退款原因", Text(1, 80)),
    field("notify_url", "退款结果回调url", Text(8, 256)),
    field("funds_account", "退款资金来源", Text(1, 32)),
    need("amount", "金额信息", Object(&REFUND_AMOUNT)),
    field("goods_detail", "退款商品", List(&REFUND_GOODS)),
];
