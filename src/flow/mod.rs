//! The acts of the fee office. One act = one transaction; the flow owns begin and commit.
