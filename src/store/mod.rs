//! What must not be lost. The store speaks SQL through sea-orm and takes its connection as an argument.
