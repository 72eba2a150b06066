//! 海报: codes that hang on walls.
//!
//! - `desk`: making one, listing and revoking; its 验真码 and what proves it
//! - `landing`: what happens before one, from the scan to the order
pub mod desk;
pub mod landing;
