//! WeChat's other half: the official account.
