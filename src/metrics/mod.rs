//! What is counted for the operator, in the words of OpenMetrics. Labels are words of this program, never of a person.
pub mod counters;
pub mod gauges;
pub mod labels;
