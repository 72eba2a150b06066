//! What may be lost: Redis, or its in-process twin. Emptying it at any moment costs time, never money.
