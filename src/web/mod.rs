//! Speaks HTTP; names only flow, app and domain.
