//! 统一身份认证: in by the university's portal, refused, and out again.
mod arriving;
mod leaving;
mod refusing;
mod steps;
